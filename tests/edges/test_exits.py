"""`SystemExit` in any task does not end the server."""

import asyncio
import sys

import pytest

from costrel import Response, websocket
from costrel.sse import event_stream
from costrel.testing.websocket import scope_of

from .asgi_call import call, scope_for


def outcome(app, path="/"):
    """The result of a request in a loop that continues afterwards."""

    async def run():
        try:
            answered = await call(app.asgi, path)
        except BaseException as error:
            answered = error
        await asyncio.sleep(0)
        return answered

    return asyncio.run(run())


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_in_an_async_view_after_a_def_hook(app, error):
    app.before_request(lambda: None)

    @app.route("/")
    async def index():
        raise error

    assert type(outcome(app)) is error


def sync_stream():
    yield "a"
    sys.exit(3)


async def async_stream():
    yield "a"
    sys.exit(3)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: Response(sync_stream()),
        lambda: Response(async_stream()),
        lambda: event_stream(async_stream()),
        lambda: event_stream(sync_stream()),
    ],
    ids=["sync", "async", "events", "sync events"],
)
def test_in_a_stream(app, answer):
    app.add_url_rule("/", "index", answer)

    assert type(outcome(app)) is SystemExit


def test_in_a_websocket_view(app):
    sent = []

    @app.websocket("/")
    async def index():
        await websocket.accept()
        sys.exit(3)

    async def run():
        messages = [{"type": "websocket.connect"}]

        async def receive():
            if messages:
                return messages.pop()
            return await asyncio.get_running_loop().create_future()

        async def send(message):
            sent.append((message["type"], message.get("code")))

        try:
            await app.asgi(scope_of(app.test_request_context("/").request.environ), receive, send)
        except SystemExit as error:
            return error.code

    assert asyncio.run(run()) == 3
    assert [("websocket.accept", None), ("websocket.close", 1011)] == sent


def test_in_the_body_of_a_refusal(app):
    sent = []

    def pieces():
        yield "a"
        sys.exit(3)

    @app.websocket("/")
    async def index():
        return Response(pieces(), 403)

    async def run():
        messages = [{"type": "websocket.connect"}]

        async def receive():
            return messages.pop() if messages else await asyncio.get_running_loop().create_future()

        async def send(message):
            sent.append((message["type"], message.get("code")))

        scope = scope_of(app.test_request_context("/").request.environ)
        scope["extensions"] = {"websocket.http.response": {}}
        try:
            await app.asgi(scope, receive, send)
        except SystemExit as error:
            return error.code

    assert asyncio.run(run()) == 3
    assert [("websocket.close", 1011)] == sent


def test_what_ends_generators_is_an_error_of_a_stream_like_others(app):
    def pieces():
        yield "a"
        raise GeneratorExit

    app.add_url_rule("/", "index", lambda: Response(pieces()))
    failed = outcome(app)
    assert (RuntimeError, "GeneratorExit") == (type(failed), str(failed))


def test_a_stream_that_is_cancelled_before_its_first_step_is_closed(app):
    """The client has left already: nothing of the stream is begun, and nothing is left to be collected."""
    closed = []

    class Items:
        def __aiter__(self):
            return self

        async def __anext__(self):
            return "x"

        async def aclose(self):
            closed.append(True)

    app.add_url_rule("/", "index", lambda: Response(Items()))

    async def run():
        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            await asyncio.sleep(0)

        await asyncio.wait_for(app.asgi(scope_for("/"), receive, send), 10)

    asyncio.run(run())
    assert closed == [True]
