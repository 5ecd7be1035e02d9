"""The application of Flask and of Costrel with `def` views: one source, since they have one API."""

from __future__ import annotations

from typing import Any

from . import HERE, ROWS, SECRET


def build(api: Any, app_class: Any, scenario: str) -> Any:
    """The application of a scenario, with the names of `api` (``flask`` or ``costrel``)."""
    app = app_class("benchmark", root_path=str(HERE))
    app.secret_key = SECRET
    request, session = api.request, api.session

    @app.route("/")
    def hello():
        return "Hello"

    @app.route("/json")
    def json():
        return {"message": "Hello", "numbers": [1, 2, 3]}

    @app.route("/user/<int:id>/post/<slug>")
    def params(id, slug):
        return f"{id} {slug} {request.args['page']}"

    @app.post("/form")
    def form():
        return f"{request.form['name']} {request.form['city']}"

    @app.post("/postjson")
    def postjson():
        data = request.get_json()
        return {"name": data["name"], "count": len(data["tags"])}

    @app.post("/upload")
    def upload():
        size = len(request.files["file"].read())
        return f"{request.form['title']} {request.form['tag']} {size}"

    @app.route("/session")
    def visits():
        session["visits"] = session.get("visits", 0) + 1
        return f"visits: {session['visits']}"

    @app.route("/template")
    def template():
        return api.render_template("page.html", title="Rows", rows=ROWS)

    @app.route("/abort")
    def abort():
        api.abort(418)

    @app.errorhandler(418)
    def teapot(error):
        return "teapot", 418

    if scenario == "hooks":
        add_hooks(app, api)
    return app


def add_hooks(app: Any, api: Any) -> None:
    """Two blueprints deep, and five functions before and after each request there."""
    outer = api.Blueprint("outer", "benchmark", url_prefix="/outer")
    inner = api.Blueprint("inner", "benchmark", url_prefix="/inner")

    def before():
        return None

    def after(response):
        return response

    for blueprint, number in ((outer, 3), (inner, 2)):
        for _ in range(number):
            blueprint.before_request(before)
            blueprint.after_request(after)

    @inner.route("/")
    def index():
        return "hooked"

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
