"""Context variables over WSGI: requests in the same thread do not share them."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from costrel import Costrel, Response, stream_with_context
from costrel.app.application import Flask
from costrel.testing.environ_builder import EnvironBuilder

USER = ContextVar("user", default="nobody")


@pytest.fixture(params=[Costrel, Flask])
def app(request):
    app = request.param("variables", static_folder=None)
    app.seen = []
    app.teardown_request(lambda error: app.seen.append(USER.get()))

    @app.before_request
    def note():
        app.seen.append(USER.get())

    @app.get("/set")
    def put():
        USER.set("ann")
        return "set"

    return app


def call(app, path="/set"):
    """One request in this thread, as a server makes it; its body."""
    body = app(EnvironBuilder(path).get_environ(), lambda *_: None)
    try:
        return b"".join(body)
    finally:
        getattr(body, "close", lambda: None)()


def test_a_request_does_not_see_those_of_the_one_before(app):
    call(app)
    call(app)
    assert ["nobody", "ann", "nobody", "ann"] == app.seen
    assert "nobody" == USER.get()


def test_it_sees_those_of_its_server(app):
    token = USER.set("server")
    call(app)
    assert (["server", "ann"], "server") == (app.seen, USER.get())
    USER.reset(token)


@pytest.mark.parametrize("fails", ["view", "hook"])
def test_nor_after_an_error(app, fails):
    def fail(*_):
        USER.set("ann")
        raise ValueError(fails)

    app.add_url_rule("/fail", "fail", fail)
    if fails == "hook":
        app.after_request(fail)
    call(app, "/fail")
    app.seen.clear()
    call(app, "/none")
    assert "nobody" == app.seen[0]


@pytest.mark.parametrize("wrap", [iter, stream_with_context])
def test_a_stream_has_those_of_its_request(app, wrap):
    tokens = []

    def pieces():
        yield USER.get()
        USER.set("stream")
        yield USER.get()

    @app.get("/stream")
    def stream():
        tokens.append(USER.set("ann"))
        response = Response(wrap(pieces()))
        response.call_on_close(lambda: app.seen.append(f"closed by {USER.get()}"))
        response.call_on_close(lambda: USER.reset(tokens[0]))
        return response

    assert b"annstream" == call(app, "/stream")
    assert "closed by stream" in app.seen
    call(app)
    assert ("nobody", "nobody") == (app.seen[-2], USER.get())


def test_an_async_view_over_wsgi_keeps_its_own(app):
    @app.get("/async")
    async def asynchronous():
        USER.set("async")
        await asyncio.sleep(0)
        return USER.get()

    assert b"async" == call(app, "/async")
    call(app)
    assert ("nobody", "nobody") == (app.seen[-2], USER.get())


def test_a_view_may_call_its_application(app):
    app.add_url_rule("/outer", "outer", lambda: call(app) + USER.get().encode())
    assert b"setnobody" == call(app, "/outer")


def test_threads_have_their_own(app):
    threads = [threading.Thread(target=call, args=(app,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ["ann"] * 8 + ["nobody"] * 8 == sorted(app.seen)
