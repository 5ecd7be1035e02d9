"""The application of Flask, of Costrel under Flask's name, and of Costrel with `def` views: one API, so one source."""

from __future__ import annotations

from typing import Any

from ..peers import HERE, ROWS, SECRET


def build(api: Any, app_class: Any, scenario: str) -> Any:
    """The application of a scenario, with the names of `api` (``flask`` or ``costrel``)."""
    app = class_for(app_class, scenario)("instructions", root_path=str(HERE))
    app.secret_key = SECRET
    if scenario == "trusted_hosts":
        app.config["TRUSTED_HOSTS"] = ["shop.example.com", ".example.org"]
    add_views(app, api)
    add_answers(app, api)
    add_sessions(app, api)
    if scenario in ("hooks", "mixed_hooks"):
        add_hooks(app, api)
    if scenario == "abort":
        app.errorhandler(418)(lambda error: ("teapot", 418))
    if scenario == "missing":
        app.errorhandler(404)(lambda error: ("There is no such page", 404))
    return app


def class_for(app_class: Any, scenario: str) -> Any:
    """The class of the application, in two scenarios with one overridden method."""
    if scenario == "override":

        class OverridesHandler(app_class):
            def handle_exception(self, error):
                return super().handle_exception(error)

        return OverridesHandler
    if scenario == "override_request":

        class OverridesDispatch(app_class):
            def dispatch_request(self, *args):
                return super().dispatch_request(*args)

        return OverridesDispatch
    return app_class


def add_views(app: Any, api: Any) -> None:
    request = api.request

    @app.route("/")
    def hello():
        return "Hello"

    @app.route("/page")
    def page():
        return f"page {request.args.get('page')} {request.cookies.get('theme')}"

    @app.route("/json")
    def json():
        return {"message": "Hello"}

    @app.route("/item/<int:id>")
    def item(id):
        return {"id": id, "name": "A flask made for travelling"}

    @app.route("/user/<int:id>/post/<slug>")
    def params(id, slug):
        return f"{id} {slug} {request.args.get('page')}"

    @app.post("/form")
    def form():
        return f"{request.form['name']} {request.form['city']}"

    @app.post("/postjson")
    def postjson():
        return {"name": request.get_json()["name"]}

    @app.post("/upload")
    def upload():
        return f"{request.form['title']} {len(request.files['file'].read())}"


def add_answers(app: Any, api: Any) -> None:
    """Views whose responses are not a text or a dict."""

    @app.route("/tagged")
    def tagged():
        response = api.make_response("A text that does not change")
        response.set_etag("v1")
        return response.make_conditional(api.request)

    @app.route("/abort")
    def abort():
        api.abort(418)

    @app.route("/template")
    def template():
        return api.render_template("page.html", title="Rows", rows=ROWS)


def add_sessions(app: Any, api: Any) -> None:
    session = api.session

    @app.route("/login")
    def login():
        session["user"] = 42
        return "in"

    @app.route("/session/read")
    def read():
        return f"user {session.get('user')}"

    @app.route("/session/write")
    def write():
        session["visits"] = session.get("visits", 0) + 1
        return f"visits {session['visits']}"


def add_hooks(app: Any, api: Any) -> None:
    """The page once more in a blueprint, with seven functions around it, four of them the blueprint's."""
    shop = api.Blueprint("shop", "instructions", url_prefix="/shop")

    def before():
        return None

    def after(response):
        return response

    def teardown(error):
        return None

    def preprocess(endpoint, values):
        return None

    for scaffold in (app, shop):
        scaffold.before_request(before)
        scaffold.after_request(after)
    app.teardown_request(teardown)
    shop.url_value_preprocessor(preprocess)
    shop.context_processor(dict)

    @shop.route("/page")
    def page():
        return f"page {api.request.args.get('page')} {api.request.cookies.get('theme')}"

    app.register_blueprint(shop)
