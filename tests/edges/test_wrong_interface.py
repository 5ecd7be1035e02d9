"""A WSGI application on an ASGI server, and the reverse: the error names the right command."""

import asyncio
import sys

import pytest

from costrel import Costrel

ADVICE = (
    "An ASGI server called 'shop:web', which is a WSGI application. Name its 'asgi' instead: 'shop:web.asgi'. For a"
    " server that takes no dotted name, such as gunicorn, write 'asgi = web.asgi' in the module, and name 'shop:asgi'."
    " 'costrel serve shop:web' needs neither."
)


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["uvicorn", "--host", "127.0.0.1:8000", "--uds", "localhost:8000", "shop:web"])
    return Costrel("shop.views")


def by_asgi_2(app, scope, receive, send):
    return app(scope)(receive, send)


def by_asgi_3(app, scope, receive, send):
    return app(scope, receive, send)


def messages_of(call, app, kind):
    """The messages of an application that an ASGI server calls for that kind of scope."""
    sent = []

    async def receive():
        return {"type": f"{kind}.startup"}

    async def send(message):
        sent.append(message)

    async def serve():
        await call(app, {"type": kind}, receive, send)

    asyncio.run(serve())
    return sent


@pytest.mark.parametrize("call", [by_asgi_2, by_asgi_3])
def test_an_asgi_server_does_not_start_with_the_wsgi_application(app, call):
    assert [{"type": "lifespan.startup.failed", "message": ADVICE}] == messages_of(call, app, "lifespan")


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("call", [by_asgi_2, by_asgi_3])
def test_requests_of_an_asgi_server_explain_it_if_the_server_has_no_lifespan(app, call, kind):
    with pytest.raises(TypeError) as caught:
        messages_of(call, app, kind)

    assert ADVICE == str(caught.value)


def test_uvicorn_takes_a_costrel_application_for_one_that_the_message_explains(app):
    uvicorn = pytest.importorskip("uvicorn")
    config = uvicorn.Config(app)
    config.load()

    assert "asgi2" == config.interface
    assert [ADVICE] == [message["message"] for message in messages_of(by_asgi_3, config.loaded_app, "lifespan")]


def test_the_message_names_the_module_if_the_command_does_not_name_the_application(app, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["server.py", "127.0.0.1:8000"])

    (message,) = messages_of(by_asgi_3, app, "lifespan")

    assert "Name its 'asgi' instead: 'shop.views:app.asgi'." in message["message"]


def test_a_call_with_neither_interface(app):
    with pytest.raises(TypeError, match=r"^A WSGI application is called with two arguments"):
        app({"REQUEST_METHOD": "GET"})


@pytest.mark.parametrize(
    "asgi_of",
    [lambda app: app.asgi, lambda app: app.asgi_app, lambda app: limited(app).asgi],
    ids=["asgi", "asgi_app", "with a time limit"],
)
def test_a_wsgi_server_with_the_asgi_application(app, asgi_of):
    with pytest.raises(TypeError) as caught:
        asgi_of(app)({"REQUEST_METHOD": "GET"}, lambda status, headers: None)

    assert str(caught.value).startswith(
        "A WSGI server called the 'asgi' of an application. Name the application itself, as in 'gunicorn shop:app'. "
    )


def limited(app):
    app.config["REQUEST_TIMEOUT"] = 5
    return app


def test_a_mounted_application_is_still_a_wsgi_application(app):
    outer = Costrel("outer")
    app.add_url_rule("/", "index", lambda: "inside")

    class Wrapped:
        def __call__(self, environ, start_response=None, send=None):
            return app(environ, start_response)

    outer.mount("/app", app)
    outer.mount("/wrapped", Wrapped())

    assert "inside" == outer.test_client().get("/app/").text
    assert "inside" == outer.test_client().get("/wrapped/").text
