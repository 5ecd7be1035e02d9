"""ASGI middleware around an application: `app.asgi_app` is the settable twin of `app.wsgi_app`."""

import asyncio
import inspect

import pytest

from costrel import Costrel, request
from costrel.testing.lifespan import Lifespan


class Tagging:
    """Adds a header to each response, and notes the scopes that it sees."""

    def __init__(self, app, tag="asgi"):
        self.app = app
        self.tag = tag
        self.kinds = []

    async def __call__(self, scope, receive, send):
        self.kinds.append(scope["type"])

        async def tagging(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-tag", self.tag.encode())]}
            await send(message)

        await self.app(dict(scope), receive, tagging)


@pytest.fixture
def app():
    app = Costrel("wrapped")

    @app.get("/sync")
    def sync():
        return "sync"

    @app.get("/async")
    async def asynchronous():
        return "async"

    @app.post("/echo")
    def echo():
        return request.get_data()

    return app


@pytest.mark.parametrize("path", ["/sync", "/async", "/missing", "/static/missing"])
def test_middleware_is_around_every_answer(app, path):
    app.asgi_app = Tagging(app.asgi_app)
    assert app.test_client(edge="asgi").get(path).headers["X-Tag"] == "asgi"


def test_a_body_reaches_the_view_through_middleware(app):
    app.asgi_app = Tagging(app.asgi_app)
    response = app.test_client(edge="asgi").post("/echo", data=b"x" * 100_000)
    assert (response.data, response.headers["X-Tag"]) == (b"x" * 100_000, "asgi")


def test_the_last_middleware_is_the_outermost(app):
    app.asgi_app = Tagging(app.asgi_app, "inner")
    app.asgi_app = Tagging(app.asgi_app, "outer")
    assert app.test_client(edge="asgi").get("/sync").headers.getlist("X-Tag") == ["inner", "outer"]


def test_middleware_that_is_set_after_asgi_was_handed_out(app):
    wrapped = Tagging(app.asgi, "outside")
    app.asgi_app = Tagging(app.asgi_app, "inside")
    client = app.test_client(edge="asgi")
    assert client.get("/sync").headers.getlist("X-Tag") == ["inside"]
    assert wrapped.app is app.asgi


def test_middleware_can_be_removed(app):
    app.asgi_app = Tagging(app.asgi_app)
    del app.asgi_app
    assert "X-Tag" not in app.test_client(edge="asgi").get("/sync").headers


def test_a_subclass_overrides_asgi_app():
    class Own(Costrel):
        async def asgi_app(self, scope, receive, send):
            await super().asgi_app({**scope, "path": "/there", "raw_path": b"/there"}, receive, send)

    app = Own("own")
    app.get("/there")(lambda: "there")
    assert app.test_client(edge="asgi").get("/elsewhere").text == "there"


def test_wsgi_middleware_runs_inside_of_asgi_middleware(app):
    inner, order = app.wsgi_app, []

    def wsgi(environ, start_response):
        order.append("wsgi")
        return inner(environ, start_response)

    class Outer(Tagging):
        async def __call__(self, scope, receive, send):
            order.append("asgi")
            await super().__call__(scope, receive, send)

    app.wsgi_app = wsgi
    app.asgi_app = Outer(app.asgi_app)
    response = app.test_client(edge="asgi").get("/sync")
    assert (response.text, response.headers["X-Tag"], order) == ("sync", "asgi", ["asgi", "wsgi"])


def test_middleware_answers_by_itself(app):
    async def closed(scope, receive, send):
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b"closed"})

    app.asgi_app = closed
    response = app.test_client(edge="asgi").get("/sync")
    assert (response.status_code, response.text) == (503, "closed")


def test_a_wsgi_server_does_not_call_it(app):
    app.asgi_app = Tagging(app.asgi_app)
    assert "X-Tag" not in app.test_client().get("/sync").headers


def test_asgi_cannot_be_set(app):
    with pytest.raises(AttributeError) as caught:
        app.asgi = Tagging(app.asgi)
    assert str(caught.value) == (
        "'asgi' cannot be set, so that it stays the application with all of its middleware. Set 'asgi_app':"
        " app.asgi_app = Middleware(app.asgi_app)."
    )


def test_no_request_is_answered_in_the_thread_of_the_server(app):
    app.test_client(edge="asgi").get("/sync")
    app.testing = False
    app._got_first_request = True
    scope = {"type": "http", "method": "GET", "path": "/sync", "http_version": "1.1"}
    assert app.asgi.takes_in_place(scope)
    app.asgi_app = Tagging(app.asgi_app)
    assert not app.asgi.takes_in_place(scope)


def test_the_time_limit_of_a_request_includes_middleware(app):
    app.config["REQUEST_TIMEOUT"] = 0.05
    inner = app.asgi_app

    async def slow(scope, receive, send):
        if scope["type"] == "http":
            await asyncio.sleep(30)
        await inner(scope, receive, send)

    app.asgi_app = slow
    assert app.test_client(edge="asgi").get("/sync").status_code == 503


def test_websockets_pass_through_middleware(app):
    @app.websocket("/chat")
    async def chat():
        from costrel import websocket

        await websocket.send("hello")

    app.asgi_app = middleware = Tagging(app.asgi_app)
    with app.test_client().websocket("/chat") as socket:
        assert socket.receive() == "hello"
    assert "websocket" in middleware.kinds


async def refusing(scope, receive, send):
    raise AssertionError(scope["type"])


async def silent(scope, receive, send):
    await receive()


async def on_its_own(scope, receive, send):
    for _ in range(2):
        phase = (await receive())["type"]
        await send({"type": f"{phase}.complete"})


@pytest.mark.parametrize("middleware", [None, refusing, silent, on_its_own])
def test_the_functions_around_serving_run_whatever_middleware_does_with_a_lifespan(app, middleware):
    calls = []
    app.before_serving(lambda: calls.append("before"))
    app.after_serving(lambda: calls.append("after"))
    app.asgi_app = middleware or Tagging(app.asgi_app)

    async def serve():
        lifespan = Lifespan(app.asgi)
        await lifespan.start()
        calls.append("serving")
        await lifespan.stop()

    asyncio.run(serve())
    assert calls == ["before", "serving", "after"]


@pytest.mark.parametrize("middleware", [refusing, on_its_own])
def test_a_start_that_fails_inside_of_middleware_is_told(app, middleware):
    @app.before_serving
    def fail():
        raise OSError("no database")

    app.asgi_app = middleware
    with pytest.raises(RuntimeError, match="no database"):
        asyncio.run(Lifespan(app.asgi).start())


def test_socket_io_around_an_application(app):
    socketio = pytest.importorskip("socketio")
    sio = socketio.AsyncServer(async_mode="asgi")
    app.asgi_app = socketio.ASGIApp(sio, app.asgi_app)
    client = app.test_client(edge="asgi")
    handshake = client.get("/socket.io/?EIO=4&transport=polling")
    assert (handshake.status_code, handshake.text[:7]) == (200, '0{"sid"')
    assert client.get("/sync").text == "sync"


def test_middleware_sees_an_application_of_asgi_3(app):
    """Sentry and uvicorn ask whether ``__call__`` of anything but a function is a coroutine function."""
    assert not inspect.isfunction(app.asgi_app)
    assert inspect.iscoroutinefunction(app.asgi_app.__call__)
    assert app.asgi_app is app.asgi_app


def test_settings_may_follow_the_middleware(app):
    app.asgi_app = Tagging(app.asgi_app)
    app.config["THREADS"] = 3

    assert 3 == app.asgi.workers.size


def test_middleware_around_a_subclass_that_overrides_asgi_app():
    class Own(Costrel):
        async def asgi_app(self, scope, receive, send):
            await super().asgi_app({**scope, "path": "/there", "raw_path": b"/there"}, receive, send)

    app = Own("own")
    app.add_url_rule("/there", "there", lambda: request.path)
    app.asgi_app = Tagging(app.asgi_app)

    response = app.test_client(edge="asgi").get("/here")

    assert "/there" == response.text
    assert ["http"] == app.asgi_app.kinds
