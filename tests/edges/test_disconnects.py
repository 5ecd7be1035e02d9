"""Disconnects are detected even if the client has sent data that the application has not read."""

import asyncio
import contextlib
import time

import pytest

from costrel import Response, request, stream_with_context, websocket
from costrel.edges import bodies
from costrel.edges import websocket as websocket_edge
from costrel.http.errors import BodyTimeout, ClientDisconnected
from costrel.testing.websocket import scope_of

from .asgi_call import scope_for

SOON = 5
"""Seconds in which the end has to be seen."""


class Client:
    """The messages from one client and to it."""

    def __init__(self, app, scope):
        self.app = app
        self.scope = scope
        self.to_app = asyncio.Queue()
        self.sent = []

    async def __aenter__(self):
        self.task = asyncio.create_task(self.app.asgi(self.scope, self.to_app.get, self.send))
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.wait([self.task], timeout=SOON)

    async def send(self, message):
        self.sent.append(message)
        await asyncio.sleep(0)

    def body(self, data, more=True):
        self.to_app.put_nowait({"type": "http.request", "body": data, "more_body": more})

    def message(self, text):
        self.to_app.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self, kind="http"):
        self.to_app.put_nowait({"type": f"{kind}.disconnect", "code": 1001})

    async def until(self, condition):
        async with asyncio.timeout(SOON):
            while not condition():
                await asyncio.sleep(0.01)

    async def ended(self):
        """Wait until the application ends, and return its error."""
        await asyncio.wait_for(asyncio.wait([self.task]), SOON)
        return None if self.task.cancelled() else self.task.exception()


def posting(app, **scope):
    headers = [(b"transfer-encoding", b"chunked")]
    return Client(app, scope_for("/", "POST", headers=headers, **scope))


def upload(app, number, leaves=False):
    """Send `number` chunks of 100 KB, then the end or a disconnect, and return the application's error."""

    async def run():
        async with posting(app) as client:
            for _ in range(number):
                client.body(b"x" * 100_000)
            if leaves:
                client.leave()
            else:
                client.body(b"", more=False)
            return await client.ended()

    return asyncio.run(run())


def ticking(seen):
    """A stream without end, which notes in `seen` that it was closed."""
    try:
        while True:
            time.sleep(0.01)
            yield "x"
    finally:
        seen.append("closed")


def websocket_to(app):
    client = Client(app, scope_of(app.test_request_context("/").request.environ))
    client.to_app.put_nowait({"type": "websocket.connect"})
    return client


@pytest.fixture
def endless(app):
    """What a stream of a view's has come to."""
    seen = []

    @app.post("/")
    def index():
        return Response(ticking(seen))

    return seen


@pytest.mark.parametrize("sizes", [[200_000], [50_000, 50_000, 50_000]])
def test_a_stream_whose_request_has_an_unread_body_ends_with_its_client(app, endless, sizes):
    async def run():
        async with posting(app) as client:
            for size in sizes:
                client.body(b"x" * size)
            await client.until(lambda: len(client.sent) > 3)
            client.leave()
            return await client.ended()

    assert asyncio.run(run()) is None
    assert endless == ["closed"]


def test_more_than_is_kept_of_an_unread_body_is_dropped_in_time(app, endless):
    app.config["BODY_TIMEOUT"] = 0.4

    assert upload(app, 20, leaves=True) is None
    assert endless == ["closed"]


def test_who_reads_what_was_dropped_is_told(app, monkeypatch):
    app.config["BODY_TIMEOUT"] = 0.4
    read = []

    @app.post("/")
    def index():
        @stream_with_context
        def chunks():
            yield "x"
            time.sleep(2)
            while data := request.stream.read(100_000):
                read.append(len(data))
                yield "."

        return Response(chunks())

    error = upload(app, 20)
    assert isinstance(error, RuntimeError)
    assert "The body of this request was not read for 0.4 seconds" in str(error)
    assert bodies.AHEAD <= sum(read) < 2_000_000


def test_a_body_that_is_read_slowly_is_kept(app):
    app.config["BODY_TIMEOUT"] = 0.6
    read = []

    @app.post("/")
    def index():
        @stream_with_context
        def chunks():
            while data := request.stream.read(200_000):
                read.append(len(data))
                time.sleep(0.2)
                yield "."

        return Response(chunks())

    assert upload(app, 16) is None
    assert sum(read) == 1_600_000


def test_a_body_that_somebody_has_begun_to_read_is_kept(app):
    app.config["BODY_TIMEOUT"] = 0.4
    read = []

    @app.post("/")
    def index():
        @stream_with_context
        def chunks():
            read.append(len(request.stream.read(100_000)))
            yield "."
            time.sleep(1.5)
            while data := request.stream.read(100_000):
                read.append(len(data))
            yield "."

        return Response(chunks())

    assert upload(app, 16) is None
    assert sum(read) == 1_600_000


def test_a_reader_that_has_given_up_for_now_does_not_count_as_waiting(app):
    app.config["BODY_TIMEOUT"] = 0.6
    read = []

    @app.post("/", stream_body=True)
    async def index():
        chunks = request.chunks()
        read.append(len(await anext(chunks)))
        await asyncio.sleep(1.2)  # meanwhile somebody looks whether the client leaves
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await request.environ["wsgi.input"].next_chunk()
        await asyncio.sleep(1.5)
        read.append(len(await request.environ["wsgi.input"].next_chunk()))
        return ""

    async def run():
        async with posting(app) as client:
            client.body(b"x" * 70_000)
            await asyncio.sleep(2)
            client.body(b"x" * 30_000)
            return await client.ended()

    assert asyncio.run(run()) is None
    assert read == [70_000, 30_000]


def test_a_client_that_was_given_up_may_still_leave(app):
    app.config["BODY_TIMEOUT"] = 0.3
    seen = []

    @app.post("/")
    def index():
        with contextlib.suppress(BodyTimeout):
            request.get_data()
        seen.append("given up")
        return Response(ticking(seen))

    async def run():
        async with posting(app) as client:
            client.body(b"x" * 70_000)
            await client.until(lambda: len(client.sent) > 3)
            client.leave()
            return await client.ended()

    assert asyncio.run(run()) is None
    assert seen == ["given up", "closed"]


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("leaves", ["before", "later"])
def test_an_async_view_ends_with_a_client_that_left_in_the_middle_of_its_body(app, streams, leaves):
    seen = []

    @app.post("/", stream_body=streams)
    async def index():
        seen.append("begun")
        try:
            await asyncio.sleep(60)
        finally:
            seen.append("ended")

    async def run():
        async with posting(app) as client:
            client.body(b"x" * 100_000)
            if leaves == "before" or not streams:
                client.leave()
            await client.until(lambda: seen)
            if leaves == "later":
                client.leave()
            return await client.ended()

    assert asyncio.run(run()) is None
    assert seen == ["begun", "ended"]


def test_a_view_that_was_told_may_take_its_time(app):
    seen = []

    @app.post("/", stream_body=True)
    async def index():
        try:
            async for chunk in request.chunks():
                seen.append(len(chunk))
        except ClientDisconnected:
            await asyncio.sleep(1.5)
            seen.append("saved")
            raise

    async def run():
        async with posting(app) as client:
            client.body(b"x" * 70_000)
            await client.until(lambda: seen)
            await asyncio.sleep(0.6)
            client.leave()
            await client.ended()

    asyncio.run(run())
    assert seen == [70_000, "saved"]


def test_a_body_above_the_limit_is_too_large_at_every_read(app):
    app.config.update(MAX_CONTENT_LENGTH=300_000, CSRF_PROTECTION=False)
    seen = []

    @app.before_request
    async def before():
        await asyncio.sleep(0)

    @app.before_request
    async def before_once_more():
        await asyncio.sleep(0)

    @app.post("/")
    async def index():
        request.max_content_length = 1_000_000 if "raised" in request.args else None
        seen.append(len(request.get_data()))
        return ""

    async def run(path):
        client = posting(app)
        client.scope.update(scope_for(path, "POST", headers=client.scope["headers"][1:]))
        async with client:
            for _ in range(4):
                client.body(b"x" * 100_000)
            await client.until(lambda: client.sent)
            return client.sent[0]["status"]

    assert asyncio.run(run("/")) == 413
    assert asyncio.run(run("/?raised")) == 413
    assert seen == []


@pytest.mark.parametrize("number", [0, 16, 17, 40])
def test_a_websocket_view_that_only_sends_ends_with_its_client(app, number):
    @app.websocket("/")
    async def index():
        while True:
            await websocket.send("tick")
            await asyncio.sleep(0.01)

    async def run():
        async with websocket_to(app) as client:
            for _ in range(number):
                client.message("heartbeat")
            await client.until(lambda: len(client.sent) > 2)
            client.leave("websocket")
            return await client.ended()

    assert asyncio.run(run()) is None


@pytest.mark.parametrize(("sizes", "kept"), [([1] * 40, 16), ([300] * 8, 4)])
def test_messages_that_nobody_takes_make_the_client_wait_and_are_dropped_in_time(app, monkeypatch, sizes, kept):
    monkeypatch.setattr(websocket_edge, "WAITING", 16)
    monkeypatch.setattr(websocket_edge, "WAITING_SIZE", 1000)
    monkeypatch.setattr(websocket_edge, "NEGLECT", 0.5)
    waits, received, errors = asyncio.Event(), [], []

    @app.websocket("/")
    async def index():
        await websocket.accept()
        await waits.wait()
        try:
            while True:
                received.append(await websocket.receive())
        except RuntimeError as error:
            errors.append(str(error))

    async def run():
        async with websocket_to(app) as client:
            for size in sizes:
                client.message("x" * size)
            await asyncio.sleep(0.2)
            assert client.to_app.qsize() == len(sizes) - kept
            await client.until(lambda: client.to_app.empty())
            waits.set()
            await client.ended()

    asyncio.run(run())
    assert len(received) == kept
    assert len(errors) == 1
    assert "Here messages of this WebSocket were dropped" in errors[0]


def test_messages_that_are_taken_in_time_are_all_there(app, monkeypatch):
    monkeypatch.setattr(websocket_edge, "WAITING", 4)
    received = []

    @app.websocket("/")
    async def index():
        async for message in websocket:
            received.append(message)
            await asyncio.sleep(0.01)

    async def run():
        async with websocket_to(app) as client:
            for number in range(40):
                client.message(str(number))
            await client.until(lambda: len(received) == 40)
            client.leave("websocket")
            return await client.ended()

    assert asyncio.run(run()) is None
    assert received == [str(number) for number in range(40)]


def test_a_message_that_is_too_big_ends_a_view_that_waits_for_something_else(app):
    app.config["WEBSOCKET_MAX_MESSAGE_SIZE"] = 10
    seen = []

    @app.websocket("/")
    async def index():
        await websocket.accept()
        try:
            await asyncio.sleep(60)
        finally:
            seen.append("ended")

    async def run():
        async with websocket_to(app) as client:
            await client.until(lambda: client.sent)
            client.message("x" * 11)
            await client.ended()
            return [message for message in client.sent if message["type"] == "websocket.close"]

    assert [message["code"] for message in asyncio.run(run())] == [1009]
    assert seen == ["ended"]
