"""What packages do to an application after it was set up; it prints what comes of it.

Run by `test_flask_programs` on Flask and, with the argument ``alias``, on Costrel.
"""

import re
import sys
from unittest import mock

if sys.argv[1:] == ["alias"]:
    import costrel

    costrel.install_as_flask()

import flask
import werkzeug
from werkzeug.routing import Map, Rule


def application():
    app = flask.Flask("shop", static_folder=None)
    app.secret_key = "key"
    app.add_url_rule("/", "index", lambda: flask.request.args.get("a", "nothing"))
    return app


def show(app, path="/", **options):
    response = app.test_client().get(path, **options)
    print(response.status, response.text[:60].replace("\n", " "))


def proxies_and_methods_are_patched():
    with mock.patch("flask.request", new=mock.MagicMock()) as request:
        request.args.get.return_value = "patched"
        show(application())
    app = application()
    app.add_url_rule("/cookie", "cookie", set_cookie)
    with mock.patch.object(flask.Response, "set_cookie") as patched:
        show(app, "/cookie")
        print(patched.called)
    with mock.patch.object(flask.Flask, "add_url_rule") as patched:
        flask.Flask("empty", static_folder=None).route("/")(set_cookie)
        print(patched.called)


def set_cookie():
    response = flask.make_response("cookie")
    response.set_cookie("a", "b")
    return response


def stages_are_overridden():
    class Overriding(flask.Flask):
        def dispatch_request(self):
            return "dispatched"

        def make_response(self, rv):
            response = super().make_response(rv)
            response.headers["X-Made"] = "1"
            return response

    show(Overriding("shop"), "/any")
    app = application()
    app.dispatch_request = lambda: "assigned"
    show(app)
    app = application()
    app.view_functions["index"] = lambda: 1 / 0
    app.handle_exception = lambda error: flask.Response(type(error).__name__, 500)
    show(app)
    app = application()
    app.process_response = lambda response: flask.Response("processed")
    show(app)


def registries_are_changed_and_replaced():
    app = application()
    show(app)
    app.view_functions = {"index": lambda: "views replaced"}
    show(app)
    app.view_functions["index"] = lambda: "view replaced"
    show(app)
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: "before")
    show(app)
    app.before_request_funcs = {}
    show(app)
    app.after_request_funcs = {None: [lambda response: flask.Response("after")]}
    show(app)
    app.after_request_funcs.clear()
    app.error_handler_spec[None][404][werkzeug.exceptions.NotFound] = lambda error: ("not here", 404)
    show(app, "/missing")
    app.error_handler_spec.clear()
    show(app, "/missing")
    app.url_map = Map([Rule("/new", endpoint="index")])
    show(app)
    show(app, "/new")


def the_wsgi_callable_is_wrapped():
    app = application()
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start_response: inner({**environ, "QUERY_STRING": "a=wrapped"}, start_response)
    show(app)
    call = flask.Flask.__call__
    with mock.patch.object(
        flask.Flask, "__call__", lambda self, environ, start: call(self, {**environ, "QUERY_STRING": "a=called"}, start)
    ):
        show(application())


def attributes_are_set_on_everything():
    app = application()
    app.extensions["mine"] = object()
    app.mine = 1
    with app.test_request_context("/?a=2") as ctx:
        ctx.mine = flask.request.mine = flask.g.mine = 3
        flask.request.url = "http://other.example/"
        print(flask.request.mine, ctx.request.mine, flask.request.url, list(flask.g), flask.g.pop("mine"))
        app.session_interface.save_session(app, flask.session, app.response_class())
        response = app.response_class("copied")
        other = app.response_class()
        other.__dict__ = response.__dict__
        print(other.get_data(as_text=True))


def classes_are_inherited_from():
    class Both(flask.Request, werkzeug.Request):
        pass

    print([f"{cls.__module__}.{cls.__name__}" for cls in Both.__mro__[1:]])

    class Asking(flask.Flask):
        request_class = Both
        response_class = type("Answer", (flask.Response,), {"default_mimetype": "text/plain"})

    app = Asking("shop")
    app.add_url_rule("/", "index", lambda: "asked")
    print(app.test_client().get("/").mimetype)


def an_application_can_be_set_up_late():
    app = application()
    show(app)
    for late in (
        lambda: app.route("/late"),
        lambda: app.register_blueprint(flask.Blueprint("late", "shop")),
        lambda: app.before_request(set_cookie),
    ):
        try:
            late()
        except AssertionError as error:
            print(type(error).__name__, re.findall("setup method '.*?'", str(error)))


def a_static_view_is_known_by_its_name():
    app = flask.Flask("shop")
    blueprint = flask.Blueprint("parts", "shop", static_folder="static")
    app.register_blueprint(blueprint)
    for view in app.view_functions.values():
        print(f"{view.__module__}.{view.__name__}")


if __name__ == "__main__":
    proxies_and_methods_are_patched()
    stages_are_overridden()
    registries_are_changed_and_replaced()
    the_wsgi_callable_is_wrapped()
    attributes_are_set_on_everything()
    classes_are_inherited_from()
    an_application_can_be_set_up_late()
    a_static_view_is_known_by_its_name()
