"""More idioms of real Flask applications: contexts in threads and tests, private registries, own errors."""

import json
import threading
from contextlib import contextmanager

import click
import flask
import jinja2
import pytest
import werkzeug.exceptions
from flask import (
    Blueprint,
    Flask,
    after_this_request,
    copy_current_request_context,
    current_app,
    g,
    request,
    session,
    stream_with_context,
    template_rendered,
    url_for,
)
from flask.cli import AppGroup, FlaskGroup, with_appcontext
from flask.views import MethodView, View
from werkzeug.exceptions import HTTPException, default_exceptions
from werkzeug.local import LocalProxy
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import Rule, Submount
from werkzeug.serving import make_server
from werkzeug.test import Client


@pytest.fixture
def app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a key for tests"
    return app


# Errors


def test_every_error_as_json(app):
    @app.errorhandler(HTTPException)
    def as_json(error):
        response = error.get_response()
        response.data = json.dumps({"code": error.code, "name": error.name, "text": error.description})
        response.content_type = "application/json"
        return response

    @app.errorhandler(Exception)
    def anything(error):
        if isinstance(error, HTTPException):
            return error
        return {"original": type(error).__name__}, 500

    app.add_url_rule("/divide", "divide", lambda: 1 // 0)
    app.add_url_rule("/post", "post", lambda: "", methods=["POST"])
    client = app.test_client()

    assert {"code": 404, "name": "Not Found"} == {
        key: value for key, value in client.get("/missing").json.items() if key != "text"
    }
    answer = client.get("/post")
    assert (405, 405) == (answer.status_code, answer.json["code"])
    assert {"OPTIONS", "POST"} == set(answer.allow)
    assert {"original": "ZeroDivisionError"} == client.get("/divide").json


def test_errors_of_ones_own(app, monkeypatch):
    class Payment(HTTPException):
        code = 402
        description = "pay first"

        def get_headers(self, environ=None, scope=None):
            return [("Content-Type", "text/plain"), ("X-Price", "5")]

        def get_body(self, environ=None, scope=None):
            return f"{self.code} {self.description} {environ['PATH_INFO']}"

    class Odd(HTTPException):
        code = 299

        def get_response(self, environ=None, scope=None):
            return flask.Response("odd", 299)

    monkeypatch.setitem(app.aborter.mapping, 402, Payment)
    monkeypatch.setitem(default_exceptions, 299, Odd)

    @app.get("/pay")
    def pay():
        flask.abort(402)

    @app.get("/odd")
    def odd():
        raise Odd

    @app.get("/response")
    def response():
        flask.abort(flask.make_response("mine", 418))

    @app.get("/inside")
    def inside():
        raise werkzeug.exceptions.Conflict(response=flask.Response("inside", 409, {"X-In": "1"}))

    app.register_error_handler(299, lambda error: ("odd handled", 299))
    client = app.test_client()

    answer = client.get("/pay")
    assert (402, "402 pay first /pay", "5") == (answer.status_code, answer.text, answer.headers["X-Price"])
    assert [(299, "odd handled"), (418, "mine"), (409, "inside")] == [
        (answer.status_code, answer.text) for answer in map(client.get, ("/odd", "/response", "/inside"))
    ]


# Contexts


def test_the_request_after_it_was_answered(app):
    @app.get("/")
    def index():
        session["a"] = 1
        g.user = "ada"
        return "index"

    with app.test_client() as client:
        client.get("/?q=x")
        assert ("x", 1, "ada") == (request.args["q"], session["a"], g.user)
        client.get("/?q=y")
        assert "y" == request.args["q"]
    assert not request


def test_a_context_in_another_thread(app):
    results = []

    @app.get("/")
    def index():
        session["kept"] = "yes"
        real = current_app._get_current_object()

        @copy_current_request_context
        def work():
            results.append((request.path, session["kept"]))

        def other():
            with real.app_context():
                results.append(current_app.name)

        for target in (work, other):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        return "done"

    app.test_client().get("/")

    assert [("/", "yes"), app.name] == results


def test_what_runs_at_the_end(app):
    order = []

    @app.get("/")
    def index():
        @after_this_request
        def note(response):
            order.append("after_this_request")
            response.call_on_close(lambda: order.append("close"))
            response.set_cookie("late", "1")
            return response

        def body():
            yield request.args["name"]
            order.append("streamed")
            yield session.get("x", "-")

        return flask.Response(stream_with_context(body()))

    app.after_request(lambda response: order.append("after") or response)
    app.teardown_request(lambda error: order.append("teardown"))
    app.teardown_appcontext(lambda error: order.append("teardown app"))

    with app.test_client().get("/?name=ada") as answer:
        assert "ada-" == answer.text
        assert "late=1; Path=/" == answer.headers["Set-Cookie"]

    assert ["after_this_request", "after"] == order[:2]
    assert ["streamed", "teardown", "teardown app", "close"] == order[-4:]


@contextmanager
def recorded(app):
    seen = []

    def record(sender, template, context, **extra):
        seen.append((template.name, sorted(set(context) - {"g", "request", "session"})))

    template_rendered.connect(record, app)
    try:
        yield seen
    finally:
        template_rendered.disconnect(record, app)


def test_templates_are_recorded_and_their_parts_replaced(app):
    app.jinja_loader = jinja2.ChoiceLoader([jinja2.DictLoader({"a.html": "{{ a }} {{ b }} {{ now() }} {{ c|twice }}"})])
    app.jinja_env.globals["now"] = lambda: "now"
    app.jinja_env.filters["twice"] = lambda value: value * 2
    app.template_context_processors[None].append(lambda: {"b": "processor"})
    app.add_url_rule("/", "index", lambda: flask.render_template("a.html", a=1, c="x"))

    with recorded(app) as seen:
        assert "1 processor now xx" == app.test_client().get("/").text

    assert [("a.html", ["a", "b", "c"])] == seen


def test_a_strict_environment_and_another_class():
    class Environment(flask.templating.Environment):
        def join_path(self, template, parent):
            return f"prefix/{template}"

    class App(Flask):
        jinja_environment = Environment
        jinja_options = {"trim_blocks": True, "undefined": jinja2.StrictUndefined}

        def select_jinja_autoescape(self, filename):
            return filename is None or not filename.endswith(".raw")

        def create_global_jinja_loader(self):
            return jinja2.DictLoader({"a.raw": "{{ v }}{% include 'b.raw' %}", "prefix/b.raw": "b"})

        def update_template_context(self, context):
            super().update_template_context(context)
            context.setdefault("v", "<default>")

    app = App(__name__)

    with app.test_request_context("/"):
        assert "<default>b" == flask.render_template("a.raw")
        assert "&lt;" == flask.render_template_string("{{ x }}", x="<")
        with pytest.raises(jinja2.UndefinedError):
            flask.render_template_string("{{ missing }}")


def test_a_proxy_of_ones_own(app):
    user = LocalProxy(lambda: g.user)

    @app.before_request
    def load():
        g.user = {"name": "ada"}

    app.add_url_rule("/", "index", lambda: f"{user['name']} {'user' in g} {sorted(g)} {g.get('none', 1)}")

    assert "ada True ['user'] 1" == app.test_client().get("/").text


# URLs


def test_language_codes_in_urls(app):
    @app.url_defaults
    def add_language(endpoint, values):
        if "lang" in values or not g.get("lang"):
            return
        if app.url_map.is_endpoint_expecting(endpoint, "lang"):
            values["lang"] = g.lang

    @app.url_value_preprocessor
    def pull_language(endpoint, values):
        g.lang = (values or {}).pop("lang", None)

    @app.get("/<lang>/")
    def index():
        return f"{g.lang} {url_for('about')} {url_for('plain')} {url_for('about', lang='fr', _anchor='a')}"

    @app.get("/<lang>/about")
    def about():
        return g.lang

    @app.get("/plain")
    def plain():
        return str(g.lang)

    client = app.test_client()
    assert "de /de/about /plain /fr/about#a" == client.get("/de/").text
    assert ["de", "None"] == [client.get(path).text for path in ("/de/about", "/plain")]


def test_url_build_errors_handled(app):
    app.url_build_error_handlers.append(lambda error, endpoint, values: f"/external/{endpoint}?{values['a']}")

    with app.test_request_context("/"):
        assert "/external/nowhere?1" == url_for("nowhere", a=1)


def test_the_rules_are_listed_and_taken_away(app):
    app.add_url_rule("/a/<int:number>", "a", lambda number: "a", methods=["GET", "POST"], defaults={"x": 1})
    app.url_map.add(Submount("/sub", [Rule("/b", endpoint="b")]))
    app.view_functions["b"] = lambda: "b"
    app.url_map.strict_slashes = False

    listed = {rule.endpoint: rule for rule in app.url_map.iter_rules()}

    assert ("/a/<int:number>", {"number", "x"}) == (listed["a"].rule, listed["a"].arguments)
    assert {"GET", "HEAD", "OPTIONS", "POST"} == listed["a"].methods
    assert ("/sub/b", None) == (listed["b"].rule, listed["b"].methods)
    assert ["/sub/b"] == [rule.rule for rule in app.url_map._rules_by_endpoint["b"]]
    assert {"static", "a", "b"} == {rule.endpoint for rule in app.url_map._rules}
    assert "b" == app.test_client().get("/sub/b").text


def test_hosts_and_subdomains():
    app = Flask(__name__, subdomain_matching=True, static_folder=None)
    app.config["SERVER_NAME"] = "shop.example:8080"
    app.add_url_rule("/", "index", lambda: url_for("user", name="ada"))

    @app.get("/", subdomain="<name>")
    def user(name):
        return f"{name} {url_for('index')} {url_for('user', name='ada')}"

    client = app.test_client()

    assert "http://ada.shop.example:8080/" == client.get("/").text
    assert "bob http://shop.example:8080/ http://ada.shop.example:8080/" == client.get("/", subdomain="bob").text

    by_host = Flask(__name__, host_matching=True, static_folder=None)
    by_host.add_url_rule("/", "a", lambda: "a", host="a.example")
    by_host.add_url_rule("/", "b", lambda: f"b {url_for('a')}", host="b.example")
    client = by_host.test_client()
    assert ["a", "b http://a.example/"] == [client.get("/", base_url=f"http://{x}.example").text for x in "ab"]


# Views


def test_views_as_classes(app):
    def checked(view):
        def inner(*args, **kwargs):
            return view(*args, **kwargs) if request.headers.get("X-Key") else ("no key", 403)

        inner.__name__ = view.__name__
        return inner

    class Base(View):
        init_every_request = False
        made = 0

        def __init__(self, template):
            type(self).made += 1
            self.template = template

        def dispatch_request(self, **values):
            return f"{self.template} {values}"

    class Items(MethodView):
        decorators = [checked]

        def get(self, item=None):
            return {"item": item}

        def post(self):
            return "posted", 201

    view = Base.as_view("base", template="t.html")
    app.add_url_rule("/base/", defaults={"page": 1}, view_func=view)
    app.add_url_rule("/base/<int:page>", view_func=view)
    items = Items.as_view("items")
    app.add_url_rule("/items", view_func=items)
    app.add_url_rule("/items/<int:item>", view_func=items, methods=["GET"])
    client = app.test_client()
    key = {"X-Key": "k"}

    assert "t.html {'page': 1}" == client.get("/base/").text
    assert "http://localhost/base/" == client.get("/base/1").location
    assert (1, Base) == (Base.made, view.view_class)
    assert 403 == client.get("/items").status_code
    assert [{"item": None}, {"item": 3}] == [client.get(path, headers=key).json for path in ("/items", "/items/3")]
    assert [201, 405] == [client.post(path, headers=key).status_code for path in ("/items", "/items/3")]


def test_nested_blueprints(app):
    order = []
    parent, child = Blueprint("parent", __name__), Blueprint("child", __name__)
    parent.before_request(lambda: order.append("parent"))
    child.before_request(lambda: order.append("child"))
    child.before_app_request(lambda: order.append("app"))
    child.app_errorhandler(404)(lambda error: ("child's 404", 404))
    child.errorhandler(ValueError)(lambda error: f"child {error}")
    parent.errorhandler(KeyError)(lambda error: f"parent {error}")

    @child.get("/<kind>")
    def fail(kind):
        order.append(request.blueprints)
        raise {"value": ValueError, "key": KeyError}[kind](url_for(".fail", kind="x"))

    parent.register_blueprint(child, url_prefix="/child")
    app.register_blueprint(parent, url_prefix="/p")
    app.register_blueprint(parent, url_prefix="/q", name="again")
    client = app.test_client()

    assert "child /p/child/x" == client.get("/p/child/value").text
    assert "parent '/q/child/x'" == client.get("/q/child/key").text
    assert "child's 404" == client.get("/nowhere").text
    assert ["app", "parent", "child", ["parent.child", "parent"]] == order[:4]
    assert ["again.child", "again"] == order[7]


# Servers, clients, commands


def test_a_server_in_a_thread(app):
    import http.client

    app.add_url_rule("/", "index", lambda: f"{request.host == f'127.0.0.1:{server.port}'} {request.remote_addr}")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/")
        assert b"True 127.0.0.1" == connection.getresponse().read()
        connection.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_applications_under_one_roof(app):
    app.add_url_rule("/", "index", lambda: f"front {request.root_path!r}")
    other = Flask("other")
    other.add_url_rule("/x", "x", lambda: f"{request.root_path} {request.path} {url_for('x')}")
    client = Client(DispatcherMiddleware(app, {"/other": other}), flask.Response)

    assert ["front ''", "/other /x /other/x"] == [client.get(path).get_data(as_text=True) for path in ("/", "/other/x")]


def test_commands(app):
    group = AppGroup("user", help="Users.")

    @group.command("add")
    @click.argument("name")
    def add(name):
        click.echo(f"{name} in {current_app.name}")

    @app.cli.command("bare", with_appcontext=False)
    def bare():
        click.echo(f"bare {flask.has_app_context()}")

    @click.command("late")
    @with_appcontext
    def late():
        click.echo(current_app.config["COLOR"])

    app.config["COLOR"] = "blue"
    app.cli.add_command(group)
    app.cli.add_command(late)
    blueprint = Blueprint("part", __name__, cli_group="parts")
    blueprint.cli.command("list")(lambda: click.echo("parts"))
    app.register_blueprint(blueprint)
    runner = app.test_cli_runner()

    assert [f"ada in {app.name}\n", "bare False\n", "blue\n", "parts\n"] == [
        runner.invoke(args=args).output for args in (["user", "add", "ada"], ["bare"], ["late"], ["parts", "list"])
    ]
    assert "ada in" in runner.invoke(add, ["ada"]).output

    @click.group(cls=FlaskGroup, create_app=lambda: app)
    def manage():
        """My manage.py."""

    assert "blue\n" == runner.invoke(manage, ["late"]).output
    assert "/static/<path:filename>" in runner.invoke(manage, ["routes"]).output
