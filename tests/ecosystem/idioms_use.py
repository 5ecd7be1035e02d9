"""What real applications do to Flask beyond its documentation: overrides, replaced parts, late changes, mocks."""

import json
import types
from unittest import mock

import flask
import pytest
import werkzeug
import werkzeug.exceptions
import werkzeug.wrappers
from flask import Blueprint, Flask, current_app, g, request, session
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.test import EnvironBuilder


@pytest.fixture
def app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a key for tests"

    @app.get("/")
    def index():
        return "index"

    @app.get("/broken")
    def broken():
        raise ValueError("broken")

    return app


# Classes of one's own


def test_methods_overridden_on_a_class():
    calls = []

    class App(Flask):
        def wsgi_app(self, environ, start_response):
            calls.append("wsgi_app")
            return super().wsgi_app(environ, start_response)

        def full_dispatch_request(self):
            calls.append("full_dispatch_request")
            return super().full_dispatch_request()

        def preprocess_request(self):
            calls.append("preprocess_request")
            return super().preprocess_request()

        def dispatch_request(self):
            calls.append(f"dispatch_request {request.endpoint}")
            return super().dispatch_request()

        def make_response(self, rv):
            calls.append(f"make_response {rv!r}")
            return super().make_response(rv)

        def finalize_request(self, rv, from_error_handler=False):
            calls.append("finalize_request")
            return super().finalize_request(rv, from_error_handler)

        def process_response(self, response):
            calls.append("process_response")
            return super().process_response(response)

        def do_teardown_request(self, *args):
            calls.append("do_teardown_request")
            return super().do_teardown_request(*args)

        def do_teardown_appcontext(self, *args):
            calls.append("do_teardown_appcontext")
            return super().do_teardown_appcontext(*args)

    app = App(__name__)
    app.add_url_rule("/", "index", lambda: "index")

    assert "index" == app.test_client().get("/").text
    assert [
        "wsgi_app",
        "full_dispatch_request",
        "preprocess_request",
        "dispatch_request index",
        "finalize_request",
        "make_response 'index'",
        "process_response",
        "do_teardown_request",
        "do_teardown_appcontext",
    ] == calls


def test_errors_overridden_on_a_class():
    class App(Flask):
        def handle_user_exception(self, e):
            if isinstance(e, KeyError):
                return f"user {e.args[0]}", 409
            return super().handle_user_exception(e)

        def handle_http_exception(self, e):
            return f"http {e.code}", e.code

        def handle_exception(self, e):
            response = super().handle_exception(e)
            response.headers["X-Error"] = type(e).__name__
            return response

        def log_exception(self, exc_info):
            g.logged = exc_info[0].__name__

    app = App(__name__)
    errors = {"key": KeyError("k"), "value": ValueError("v")}
    app.add_url_rule("/<name>", "fail", lambda name: raise_(errors[name]))
    app.after_request(lambda response: response.headers.add("X-Logged", g.get("logged", "")) or response)
    client = app.test_client()

    assert (409, "user k") == status_and_text(client.get("/key"))
    assert (404, "http 404") == status_and_text(client.get("/a/b"))
    answer = client.get("/value")
    assert (500, "ValueError", "ValueError") == (
        answer.status_code,
        answer.headers["X-Error"],
        answer.headers["X-Logged"],
    )


def raise_(error):
    raise error


def status_and_text(answer):
    return answer.status_code, answer.text


def test_parts_replaced_on_a_class():
    class Request(flask.Request):
        max_content_length = 10
        parameter_storage_class = MultiDict

        @property
        def user(self):
            return self.headers.get("X-User", "nobody")

        def on_json_loading_failed(self, e):
            return {"failed": type(e).__name__ if e else None}

    class Response(flask.Response):
        default_mimetype = "text/plain"
        charset = "utf-8"

        @classmethod
        def force_type(cls, response, environ=None):
            forced = super().force_type(response, environ)
            forced.headers["X-Forced"] = type(response).__name__
            return forced

    class Globals(flask.ctx._AppCtxGlobals):
        def __init__(self):
            self.started = "now"

    class Rule_(Rule):
        def __init__(self, *args, **kwargs):
            kwargs.setdefault("strict_slashes", False)
            super().__init__(*args, **kwargs)

    class Config(flask.Config):
        def get(self, key, default=None):
            return super().get(key.upper(), default)

    class Client(FlaskClient):
        def open(self, *args, **kwargs):
            kwargs.setdefault("headers", {"X-User": "client"})
            return super().open(*args, **kwargs)

    class App(Flask):
        request_class = Request
        response_class = Response
        app_ctx_globals_class = Globals
        url_rule_class = Rule_
        config_class = Config
        test_client_class = Client

    app = App(__name__)
    app.config["COLOR"] = "blue"

    @app.route("/user/")
    def user():
        return f"{request.user} {g.started} {app.config.get('color')}"

    @app.route("/plain")
    def plain():
        return werkzeug.Response("plain")

    @app.post("/json")
    def a_json():
        request.args["mine"] = "1"
        return flask.jsonify(request.get_json(), request.args)

    client = app.test_client()
    answer = client.get("/user")
    assert ("client now blue", "text/plain") == (answer.text, answer.mimetype)
    assert ("plain", "Response") == (client.get("/plain").text, client.get("/plain").headers["X-Forced"])
    answer = client.post("/json", data=b"{", content_type="application/json")
    assert [{"failed": "JSONDecodeError"}, {"mine": "1"}] == answer.json
    assert 413 == client.post("/json", data=b"x" * 11, content_type="application/json").status_code


def test_a_request_class_of_both_packages():
    class R(flask.Request, werkzeug.Request):
        json_module = json

    class S(flask.Response, werkzeug.Response):
        pass

    class App(Flask):
        request_class = R
        response_class = S

    app = App(__name__)

    @app.post("/<name>")
    def index(name):
        assert isinstance(request._get_current_object(), R)
        return f"{request.blueprint} {request.endpoint} {request.view_args} {request.json}"

    answer = app.test_client().post("/x", json={"a": 1})
    assert "None index {'name': 'x'} {'a': 1}" == answer.text
    assert issubclass(flask.Request, werkzeug.Request)
    assert issubclass(flask.Response, werkzeug.wrappers.Response)


def test_a_converter_and_a_map_of_ones_own():
    class ListConverter(BaseConverter):
        regex = r"[a-z]+(?:,[a-z]+)*"

        def to_python(self, value):
            return value.split(",")

        def to_url(self, value):
            return ",".join(super(ListConverter, self).to_url(item) for item in value)

    class OwnMap(Map):
        def bind_to_environ(self, environ, server_name=None, subdomain=None):
            environ["bound"] = True
            return super().bind_to_environ(environ, server_name, subdomain)

    class App(Flask):
        url_map_class = OwnMap

    app = App(__name__)
    app.url_map.converters["list"] = ListConverter

    @app.get("/<list:names>")
    def names(names):
        return {"names": names, "url": flask.url_for("names", names=["c", "d"]), "bound": request.environ.get("bound")}

    assert {"names": ["a", "b"], "url": "/c,d", "bound": True} == app.test_client().get("/a,b").json


# Methods and parts replaced on an application


def test_methods_assigned_on_an_application(app):
    dispatch = app.dispatch_request
    app.dispatch_request = lambda: f"<{dispatch()}>"
    make_response = app.make_response
    app.make_response = lambda rv: make_response((rv, 202) if isinstance(rv, str) else rv)
    app.handle_exception = types.MethodType(lambda self, e: self.make_response(f"handled {e}"), app)
    client = app.test_client()

    assert (202, "<index>") == status_and_text(client.get("/"))
    assert (202, "handled broken") == status_and_text(client.get("/broken"))


def test_methods_assigned_after_the_first_request(app):
    client = app.test_client()
    assert "index" == client.get("/").text

    app.dispatch_request = lambda: "late"
    assert "late" == client.get("/").text
    del app.dispatch_request
    app.process_response = lambda response: flask.Response("processed")
    assert "processed" == client.get("/").text


def test_the_registries_changed_late(app):
    client = app.test_client()
    client.get("/")

    app.error_handler_spec[None][None][ValueError] = lambda error: f"handled {error}"
    assert "handled broken" == client.get("/broken").text
    app.view_functions["index"] = lambda: "new view"
    assert "new view" == client.get("/").text
    app.view_functions = {name: lambda: "new dict" for name in app.view_functions}
    assert "new dict" == client.get("/").text
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: "before")
    assert "before" == client.get("/").text
    app.before_request_funcs[None].clear()
    app.after_request_funcs = {None: [lambda response: flask.Response("after")]}
    assert "after" == client.get("/").text
    app.after_request_funcs.clear()
    app.error_handler_spec[None][404] = {werkzeug.exceptions.NotFound: lambda error: ("nothing", 404)}
    assert "nothing" == client.get("/missing").text
    app.url_map.add(Rule("/more", endpoint="index"))
    assert "new dict" == client.get("/more").text
    app.teardown_request_funcs.setdefault(None, []).append(lambda error: done.append(error))
    done = []
    client.get("/more")
    assert [None] == done


def test_an_ordered_list_of_functions_before_the_request(app):
    order = []
    app.before_request(lambda: order.append("second"))
    app.before_request_funcs[None].insert(0, lambda: order.append("first"))

    app.test_client().get("/")

    assert ["first", "second"] == order


def test_a_url_map_replaced(app):
    app.url_map = Map([Rule("/elsewhere", endpoint="index")])
    client = app.test_client()

    assert [404, 200] == [client.get(path).status_code for path in ("/", "/elsewhere")]


def test_middleware_around_the_application(app):
    app.add_url_rule("/where", "where", lambda: f"{request.remote_addr} {request.url}")
    app.wsgi_app = ProxyFix(app.wsgi_app, x_host=1, x_prefix=1)
    inner = app.wsgi_app

    def middleware(environ, start_response):
        environ["HTTP_X_ADDED"] = "yes"
        return inner(environ, start_response)

    app.wsgi_app = middleware
    headers = {
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Prefix": "/app",
    }

    assert "192.0.2.1 https://shop.example/app/where" == app.test_client().get("/where", headers=headers).text


def test_the_call_of_the_class_replaced(app, monkeypatch):
    original = Flask.__call__

    def call(self, environ, start_response):
        environ["PATH_INFO"] = "/"
        return original(self, environ, start_response)

    monkeypatch.setattr(Flask, "__call__", call)

    assert "index" == app.test_client().get("/not/there").text


def test_the_class_replaced_in_its_module(monkeypatch):
    class Instrumented(flask.Flask):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.instrumented = True

    monkeypatch.setattr(flask, "Flask", Instrumented)

    app = flask.Flask(__name__)

    assert app.instrumented
    assert isinstance(app, flask.app.Flask)


def test_methods_of_the_class_wrapped(app, monkeypatch):
    seen = []
    original = Flask.full_dispatch_request

    def wrapped(self):
        seen.append(request.path)
        return original(self)

    monkeypatch.setattr(Flask, "full_dispatch_request", wrapped)
    monkeypatch.setattr(
        Flask, "handle_user_exception", lambda self, error: flask.make_response(f"wrapped {error}", 400)
    )
    client = app.test_client()

    assert [(200, "index"), (400, "wrapped broken")] == [status_and_text(client.get(path)) for path in ("/", "/broken")]
    assert ["/", "/broken"] == seen


# Contexts


def test_contexts_outside_of_requests(app):
    with app.app_context() as ctx:
        g.db = "connected"
        ctx.extra = 1
        assert flask.globals.app_ctx.extra == 1
        with app.test_request_context("/?a=b", method="POST", data={"c": "d"}):
            assert ("b", "d", "connected") == (request.args["a"], request.form["c"], g.db)
            assert app.preprocess_request() is None
            assert "index" == app.view_functions["index"]()
        assert not flask.has_request_context()
    ctx = app.test_request_context("/")
    ctx.push()
    assert ctx.request.endpoint == "index"
    assert current_app._get_current_object() is app
    ctx.pop()
    with app.request_context(EnvironBuilder("/").get_environ()):
        assert "index" == app.full_dispatch_request().get_data(as_text=True)


# What tests patch


def test_patched_names(app):
    @app.get("/cookie")
    def cookie():
        response = flask.make_response("x")
        response.set_cookie("a", "b")
        return response

    with mock.patch.object(flask.Response, "set_cookie") as set_cookie:
        app.test_client().get("/cookie")
    set_cookie.assert_called_once_with("a", "b")

    with mock.patch("flask.request", new=mock.Mock(args={"a": "mocked"})):
        assert flask.request.args == {"a": "mocked"}
    with app.test_request_context("/"), mock.patch("flask.request") as patched:
        assert flask.request is patched
    with mock.patch("flask.Flask.add_url_rule") as add:
        Flask(__name__, static_folder=None).get("/x")(cookie)
    assert "/x" == add.call_args.args[0]

    with app.test_request_context("/?a=b"), mock.patch.object(flask.Request, "args", {"a": "patched"}):
        assert "patched" == request.args["a"]
    with app.app_context(), mock.patch("flask.current_app.logger.info") as info:
        current_app.logger.info("said")
    info.assert_called_once_with("said")


def test_patched_functions_of_modules(app, monkeypatch):
    @app.get("/page")
    def page():
        return flask.render_template("missing.html", a=1) + flask.url_for("index")

    @app.get("/set")
    def set_session():
        session["a"] = 1
        return "set"

    with (
        mock.patch("flask.render_template", return_value="rendered ") as render,
        mock.patch("flask.url_for", return_value="/somewhere"),
    ):
        assert "rendered /somewhere" == app.test_client().get("/page").text
    render.assert_called_once_with("missing.html", a=1)

    own = "flask.sessions.SecureCookieSessionInterface.get_cookie_domain"
    monkeypatch.setattr(own, lambda self, app: "shop.example")
    assert "Domain=shop.example" in app.test_client().get("/set").headers["Set-Cookie"]


# Blueprints


def test_blueprints_with_methods_of_their_own():
    class Api(Blueprint):
        def register(self, app, options):
            app.extensions["api"] = options.get("url_prefix")
            super().register(app, options)

        def route(self, rule, **options):
            options.setdefault("methods", ["POST"])
            return super().route(f"/v1{rule}", **options)

    api = Api("api", __name__)
    api.route("/things")(lambda: request.blueprint)
    api.record(lambda state: state.app.config.update(RECORDED=state.url_prefix))
    api.record_once(lambda state: state.add_url_rule("/late", "late", lambda: "late"))
    app = Flask(__name__)
    app.register_blueprint(api, url_prefix="/api")

    client = app.test_client()
    assert "api" == client.post("/api/v1/things").text
    assert "late" == client.get("/api/late").text
    assert ("/api", "/api") == (app.extensions["api"], app.config["RECORDED"])


def test_views_marked_by_their_attributes_and_modules(app):
    static = app.view_functions["static"]
    blueprint = Blueprint("part", __name__, static_folder="static", static_url_path="/part/static")
    app.register_blueprint(blueprint)
    part = app.view_functions["part.static"]

    names = [f"{view.__module__}.{view.__name__}" for view in (static, part)]

    assert ["flask.app.<lambda>", "flask.blueprints.send_static_file"] == names
    app.view_functions["index"].exempt = True
    assert app.view_functions["index"].exempt
    for view in app.view_functions.values():
        assert callable(view)
