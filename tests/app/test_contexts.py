"""Contexts: pushing, popping and nesting, values that outlive a request, and the errors outside of a context."""

import gc
import weakref

import pytest

from costrel import (
    Costrel,
    Request,
    after_this_request,
    copy_current_request_context,
    current_app,
    g,
    has_app_context,
    has_request_context,
    request,
    session,
    stream_with_context,
    url_for,
)
from costrel.context import RequestContext
from costrel.globals import app_ctx
from costrel.support.local import LocalProxy
from costrel.testing import EnvironBuilder


@pytest.fixture
def app():
    app = Costrel(__name__, static_folder=None)
    app.secret_key = "k" * 32
    app.add_url_rule("/", "index", lambda: "ok")
    return app


def test_outside_of_contexts_the_message_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"(?s)Working outside of application context.*with app.app_context\(\)"):
        current_app.name
    with pytest.raises(RuntimeError, match=r"(?s)Working outside of request context.*test_request_context"):
        request.path
    assert not current_app
    assert not has_app_context()
    assert not has_request_context()


def test_a_request_inside_a_context_of_its_application_belongs_to_it(app):
    seen = []
    app.add_url_rule("/seen", "seen", lambda: seen.append(app_ctx._get_current_object()) or "")
    client = app.test_client()
    with app.app_context() as outer:
        client.get("/seen")
        with app.test_request_context("/") as request_context:
            seen.append(app_ctx._get_current_object())
            with request_context:
                seen.append(app_ctx._get_current_object())
            with app.app_context() as inner:
                assert app_ctx._get_current_object() is inner
    assert seen == [outer, outer, outer]

    with Costrel("another").app_context() as another:
        client.get("/seen")
    assert seen.pop() is not another


def test_an_application_context_has_a_namespace_and_no_request(app):
    with app.app_context():
        g.value = 1
        assert (current_app, g.value, has_request_context()) == (app, 1, False)
        assert repr(g) == f"<flask.g of '{app.name}'>"
        assert list(g) == ["value"]
        assert g.setdefault("other", 2) == 2
        assert g.pop("other") == 2
        assert g.pop("other", "default") == "default"
        with pytest.raises(KeyError):
            g.pop("other")


def test_a_request_context_inside_an_application_context_shares_its_namespace(app):
    with app.app_context():
        g.value = 1
        with app.test_request_context("/"):
            assert g.value == 1
            with app.app_context():
                assert "value" not in g
                assert request.path == "/"
        assert not has_request_context()


def test_contexts_of_two_applications_keep_apart(app):
    other = Costrel("other", static_folder=None)
    with app.test_request_context("/a"):
        g.value = 1
        with other.test_request_context("/b"):
            assert (current_app.name, request.path, "value" in g) == ("other", "/b", False)
        assert (current_app, request.path, g.value) == (app, "/a", 1)


def test_leaving_the_wrong_context_is_refused(app):
    outer, inner = app.app_context(), app.app_context()
    outer.push()
    inner.push()
    with pytest.raises(AssertionError, match="Popped wrong app context"):
        outer.pop()
    inner.push()
    inner.pop()
    # The failed pop left nothing to be undone by hand but the context that was current then.
    with pytest.raises(AssertionError, match="was not pushed"):
        outer.pop()
    from costrel.context import _current

    _current.set(None)


def test_a_copied_context_works_elsewhere(app):
    import threading

    results = []
    with app.test_request_context("/?a=1"):
        session["name"] = "ada"

        @copy_current_request_context
        def work():
            results.append((request.args["a"], session["name"]))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [("1", "ada")]


@pytest.mark.parametrize("function", [after_this_request, copy_current_request_context])
def test_decorators_that_need_a_request_say_so(function):
    with pytest.raises(RuntimeError, match="can only be used while a request is handled"):
        function(lambda: None)


def test_a_stream_keeps_its_context_and_teardown_waits_for_its_end(app):
    seen = []
    app.teardown_request(lambda error: seen.append("teardown"))

    @app.route("/stream")
    def stream():
        @stream_with_context
        def generate():
            for letter in "ab":
                seen.append(letter)
                yield f"{letter}{request.args['x']}"

        return generate()

    answered = app.test_client().get("/stream?x=1", buffered=True)
    assert answered.text == "a1b1"
    assert seen == ["a", "b", "teardown"]


def test_stream_with_context_takes_any_iterable_and_closes_it(app):
    closed = []

    class Items:
        def __iter__(self):
            return self

        def __next__(self):
            raise StopIteration

        def close(self):
            closed.append(True)

    with app.test_request_context("/"):
        assert list(stream_with_context([1, 2])) == [1, 2]
        assert list(stream_with_context(Items())) == []
    assert closed == [True]


def test_a_request_is_freed_without_the_garbage_collector(app):
    references = []

    @app.route("/seen")
    def seen():
        references.append(weakref.ref(request._get_current_object()))
        return ""

    gc.disable()
    try:
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/seen", "SERVER_NAME": "x", "SERVER_PORT": "80"}
        environ["wsgi.url_scheme"] = "http"
        list(app(environ, lambda status, headers: None))
        del environ
        assert references[0]() is None
    finally:
        gc.enable()


def test_each_push_of_a_request_context_ends_the_application_context_that_it_added(app):
    ended = []
    app.teardown_request(lambda exc: ended.append("request"))
    app.teardown_appcontext(lambda exc: ended.append("app"))
    ctx = app.test_request_context("/")

    with ctx, Costrel("other").app_context():
        with ctx:
            pass
        assert ended == ["app"]

    assert ended == ["app", "request", "app"]


def test_a_context_can_be_entered_again(app):
    ctx = app.test_request_context("/")
    for _ in range(2):
        with ctx:
            assert request.path == "/"
    assert repr(ctx) == f"<RequestContext 'http://localhost/' [GET] of {app.name}>"


def test_urls_outside_of_a_request_need_a_server_name(app):
    with app.app_context(), pytest.raises(RuntimeError, match="SERVER_NAME"):
        url_for("index")
    app.config["SERVER_NAME"] = "example.org"
    with app.app_context():
        assert url_for("index") == "http://example.org/"


def test_a_foreign_session_interface_opens_at_the_start_of_each_request(app):
    from costrel.sessions.interface import SessionInterface

    opened = []

    class Own(SessionInterface):
        def open_session(self, app, request):
            opened.append(request.path)

        def save_session(self, app, session, response):
            pass

    app.session_interface = Own()
    app.test_client().get("/")
    assert opened == ["/"]


@pytest.mark.parametrize("host", ["a/admin?x=", "a,b", "a b", "[::1", "a:port"])
def test_a_malformed_host_is_refused_before_any_view(app, host):
    app.add_url_rule("/view", "view", lambda: pytest.fail("the view was called"))
    for path in ("/view", "/nowhere"):
        with app.test_request_context(path, headers={"Host": host}):
            assert request.routing_exception.code == 400
        assert app.test_client().get(path, headers={"Host": host}).status_code == 400


def test_what_a_converter_aborts_with_is_the_answer(app):
    from costrel import abort
    from costrel.routing import BaseConverter

    class Aborting(BaseConverter):
        def to_python(self, value):
            abort(418)

    app.url_map.converters["aborting"] = Aborting
    app.add_url_rule("/a/<aborting:x>", "a", lambda x: x)
    assert app.test_client().get("/a/b").status_code == 418


def test_a_proxy_outside_of_its_context_looks_like_any_other():
    assert ["<LocalProxy unbound>"] * 4 == [repr(proxy) for proxy in (request, session, g, current_app)]
    assert not request
    with pytest.raises(RuntimeError, match="request"):
        request.path


def test_the_proxies_find_a_context_of_an_own_class(app):
    class OwnContext(RequestContext):
        pass

    with OwnContext(app, EnvironBuilder(app, "/own?a=1").get_environ()) as ctx:
        g.seen = True
        assert ("/own", "1", True) == (request.path, request.args["a"], ctx.g.seen)


def test_the_proxy_of_the_request_sees_the_request_below_another_application():
    outer, inner = Costrel("outer"), Costrel("inner")
    with outer.test_request_context("/outer"), inner.app_context():
        g.place = "inner"
        assert ("/outer", "inner", "inner") == (request.path, g.place, current_app.name)


def test_the_proxy_of_the_request_is_assigned_to_and_deleted_from(app):
    with app.test_request_context("/?a=1"):
        request.tenant = "one"
        assert (request.tenant, request._get_current_object().tenant) == ("one", "one")
        del request.tenant
        assert not hasattr(request, "tenant")
        assert isinstance(request, Request)
        assert issubclass(type(request), LocalProxy)
