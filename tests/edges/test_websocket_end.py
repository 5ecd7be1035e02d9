"""Closing WebSockets from either side, and the close codes."""

import asyncio
import time

import pytest

from costrel import WebSocketDisconnect, abort, websocket
from costrel.edges.websocket import WAITING
from costrel.testing.websocket import WebSocketRefused, scope_of


@pytest.fixture
def app(app):
    app.config["TESTING"] = True
    return app


def until_closed(client, *args, **kwargs) -> WebSocketDisconnect:
    with client.websocket(*args, **kwargs) as ws:
        with pytest.raises(WebSocketDisconnect) as caught:
            drain(ws)
    return caught.value


def drain(ws) -> None:
    while True:
        ws.receive()


@pytest.mark.parametrize(("status", "code"), [(400, 1007), (404, 1008), (503, 1013), (500, 1011)])
def test_an_http_error_after_the_handshake_is_a_close_code(app, status, code):
    @app.websocket("/")
    async def index():
        await websocket.accept()
        abort(status)

    assert until_closed(app.test_client(), "/").code == code


def test_an_unhandled_error_is_logged_and_closes_with_1011(app, caplog):
    app.config["TESTING"] = False

    @app.websocket("/late")
    async def late():
        await websocket.accept()
        raise ZeroDivisionError("too late")

    @app.websocket("/early")
    async def early():
        raise ZeroDivisionError("early")

    client = app.test_client()
    assert until_closed(client, "/late").code == 1011
    with pytest.raises(WebSocketRefused, match="500"), client.websocket("/early"):
        pass
    assert "too late" in caplog.text
    assert "early" in caplog.text


def test_in_tests_an_unhandled_error_comes_out_of_the_client(app):
    @app.websocket("/")
    async def index():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), app.test_client().websocket("/"):
        pass


def test_a_value_after_the_handshake_is_an_error(app, caplog):
    app.config["TESTING"] = False

    @app.websocket("/")
    async def index():
        await websocket.accept()
        return "text"

    assert until_closed(app.test_client(), "/").code == 1011
    assert "returned a str. After the handshake there is no response any more" in caplog.text


def test_the_view_closes_with_a_code_and_a_reason(app):
    states = []

    @app.websocket("/")
    async def index():
        await websocket.accept()
        states.append((websocket.closed, websocket.close_code, websocket.close_reason))
        await websocket.close(4000, "enough")
        await websocket.close()
        states.append((websocket.closed, websocket.close_code, websocket.close_reason))
        await websocket.send("late")

    ended = until_closed(app.test_client(), "/")
    assert (ended.code, ended.reason) == (4000, "enough")
    assert states == [(False, None, None), (True, 4000, "enough")]


@pytest.mark.parametrize(("code", "reason"), [(999, ""), (1005, ""), (1006, ""), (5000, ""), (1000, "é" * 62)])
def test_what_cannot_be_sent_as_an_end_is_an_error(app, code, reason):
    @app.websocket("/")
    async def index():
        await websocket.close(code, reason)

    with pytest.raises(ValueError), app.test_client().websocket("/"):
        pass


def test_the_view_ending_closes_normally(app):
    @app.websocket("/")
    async def index():
        await websocket.send("bye")

    assert until_closed(app.test_client(), "/").code == 1000


def test_the_client_leaving_ends_the_view_quietly(app, caplog):
    seen = []

    @app.websocket("/")
    async def index():
        await websocket.accept()
        try:
            await websocket.receive()
        except WebSocketDisconnect as error:
            seen.append((error.code, error.reason))
            raise

    app.teardown_request(seen.append)
    with app.test_client().websocket("/") as ws:
        ws.close(4001, "because")
    assert seen == [(4001, "because"), None]
    assert caplog.text == ""


def test_messages_that_came_before_the_end_are_still_received(app):
    received = []

    @app.websocket("/")
    async def index():
        await websocket.accept()
        await asyncio.sleep(0.05)
        async for message in websocket:
            received.append(message)

    with app.test_client().websocket("/") as ws:
        for number in range(10):
            ws.send(str(number))
    assert received == [str(number) for number in range(10)]


@pytest.mark.parametrize("view", ["sleeping", "sending", "grouped"])
def test_a_view_that_does_not_listen_ends_soon(app, caplog, view):
    torn_down, ended = [], []

    @app.websocket("/sleeping")
    async def sleeping():
        await websocket.accept()
        await asyncio.sleep(60)

    @app.websocket("/sending")
    async def sending():
        while True:
            await websocket.send("tick")
            await asyncio.sleep(0.01)

    @app.websocket("/grouped")
    async def grouped():
        async with asyncio.TaskGroup() as group:
            group.create_task(websocket.receive())
            group.create_task(sending())

    app.teardown_request(lambda error: torn_down.append((error, time.monotonic() - ended[0])))
    with app.test_client().websocket(f"/{view}"):
        ended.append(time.monotonic())
    ((error, seconds),) = torn_down
    assert error is None
    assert seconds < 30  # half of what the sleeping one would sleep
    assert caplog.text == ""


def test_a_view_that_noticed_the_end_may_take_its_time(app):
    cleaned = []

    @app.websocket("/")
    async def index():
        await websocket.accept()
        try:
            await websocket.receive()
        finally:
            await asyncio.sleep(0.7)
            cleaned.append(True)

    with app.test_client().websocket("/"):
        pass
    assert cleaned == [True]


def test_a_server_that_stops_says_so_and_tears_down_once(app):
    torn_down = []
    app.teardown_request(lambda error: torn_down.append(type(error)))

    @app.websocket("/")
    async def index():
        await websocket.send("x")
        await asyncio.sleep(60)

    async def talk():
        ws = app.test_client().websocket("/")
        async with ws as entered:
            await entered.receive()
            entered._task.cancel()
            with pytest.raises(WebSocketDisconnect) as caught:
                await entered.receive()
        return caught.value.code

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(talk())
    assert torn_down == [asyncio.CancelledError]


def test_a_client_that_broke_off_is_seen_when_something_is_sent(app):
    async def talk():
        scope = scope_of(app.test_request_context("/").request.environ)
        received = asyncio.Queue()
        received.put_nowait({"type": "websocket.connect"})

        async def send(message):
            if message["type"] == "websocket.send":
                raise OSError("gone")

        await app.asgi(scope, received.get, send)

    codes = []

    @app.websocket("/")
    async def index():
        try:
            await websocket.send("x")
        except WebSocketDisconnect as error:
            codes.append(error.code)
            raise

    asyncio.run(talk())
    assert codes == [1006]


def test_a_client_that_leaves_at_once_reaches_no_view(app):
    async def receive():
        return {"type": "websocket.disconnect", "code": 1006}

    asyncio.run(app.asgi(scope_of(app.test_request_context("/").request.environ), receive, None))


def test_a_view_that_takes_no_messages_makes_the_client_wait(app):
    """If a client sends continuously, its messages wait in the server and not in the application."""
    taken = []

    @app.websocket("/")
    async def index():
        await websocket.accept()
        await asyncio.sleep(0.5)
        await websocket.close()

    async def talk():
        first = [{"type": "websocket.connect"}]

        async def receive():
            if first:
                return first.pop()
            await asyncio.sleep(0)
            taken.append(1)
            return {"type": "websocket.receive", "bytes": b"x"}

        async def send(message):
            pass

        await app.asgi(scope_of(app.test_request_context("/").request.environ), receive, send)

    asyncio.run(talk())
    assert len(taken) <= WAITING + 4


def test_a_view_that_ends_leaves_time_to_say_why(app):
    """The view ends at once when a message was too long: the code is sent all the same, by a server that is slow."""
    app.config["WEBSOCKET_MAX_MESSAGE_SIZE"] = 1
    sent = []

    @app.websocket("/")
    async def index():
        await websocket.receive()

    async def talk():
        first = [{"type": "websocket.connect"}]
        accepted = asyncio.Event()

        async def receive():
            if first:
                return first.pop()
            await accepted.wait()
            return {"type": "websocket.receive", "bytes": b"xx"}

        async def send(message):
            await asyncio.sleep(0.05)
            sent.append((message["type"], message.get("code")))
            accepted.set()

        await app.asgi(scope_of(app.test_request_context("/").request.environ), receive, send)

    asyncio.run(talk())
    assert sent == [("websocket.accept", None), ("websocket.close", 1009)]


def test_both_of_two_tasks_are_told_of_the_end(app):
    codes = []

    @app.websocket("/")
    async def index():
        async def listen():
            try:
                await websocket.receive()
            except WebSocketDisconnect as error:
                codes.append(error.code)

        await websocket.accept()
        await asyncio.gather(listen(), listen())

    with app.test_client().websocket("/") as ws:
        ws.close(4002)
    assert codes == [4002, 4002]
