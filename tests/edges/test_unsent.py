"""Large complete responses: they are sent as fast as the client reads them, and all together take limited memory."""

import asyncio
import contextlib
import io

import pytest

from costrel import Costrel, Response, send_file
from costrel.edges import timeouts
from costrel.edges.unsent import WHOLE

from .asgi_call import scope_for

SIZE = 4 * WHOLE
CONTENT = bytes(range(256)) * (SIZE // 256)


@pytest.fixture
def app():
    app = Costrel("shop", static_folder=None)
    app.config["MAX_RESPONSE_MEMORY_SIZE"] = 2 * SIZE

    @app.get("/bytes/<int:size>")
    def whole(size):
        return CONTENT[:size]

    @app.get("/async")
    async def asynchronous():
        return CONTENT

    @app.get("/list")
    def pieces():
        return Response([CONTENT[:1000], CONTENT[1000:]])

    @app.get("/file")
    def file():
        return send_file(io.BytesIO(CONTENT), "application/octet-stream")

    @app.get("/stream")
    def stream():
        return Response(iter([CONTENT]))

    return app


class Client:
    """A client that reads a message each time that it is let."""

    def __init__(self, app, path, method="GET"):
        self.messages = []
        self.reads = asyncio.Semaphore(0)
        self.gone = asyncio.Event()
        self._task = asyncio.create_task(app.asgi(scope_for(path, method=method), self._receive, self._send))
        self._asked = False

    async def _receive(self):
        if self._asked:
            await self.gone.wait()
            return {"type": "http.disconnect"}
        self._asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message):
        self.messages.append(message)
        if message["type"] == "http.response.body" and len(message["body"]) > 1000:
            await self.reads.acquire()

    @property
    def status(self):
        return self.messages[0]["status"]

    @property
    def body(self):
        return b"".join(message["body"] for message in self.messages[1:])

    async def begun(self):
        async with asyncio.timeout(10):
            while len(self.messages) < 2:
                await asyncio.sleep(0.01)
        return self

    async def read_all(self):
        for _ in range(100):
            self.reads.release()
        await asyncio.wait_for(self._task, 10)
        return self

    async def leave(self):
        self.gone.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(self._task, 10)


@pytest.mark.parametrize("size", [0, WHOLE - 1, WHOLE, WHOLE + 1, SIZE])
def test_the_bytes_are_the_same_at_each_size(app, size):
    async def main():
        return await (await Client(app, f"/bytes/{size}").begun()).read_all()

    client = asyncio.run(main())
    assert client.body == CONTENT[:size]
    assert dict(client.messages[0]["headers"])[b"content-length"] == str(size).encode()
    assert (len(client.messages) > 2) == (size > WHOLE)


@pytest.mark.parametrize("path", [f"/bytes/{SIZE}", "/async", "/list", "/file"])
def test_beyond_the_limit_it_is_a_503_until_a_client_has_read(app, path):
    async def main():
        slow = [await Client(app, path).begun() for _ in range(2)]
        refused = await Client(app, path).begun()
        small = await Client(app, "/bytes/10").begun()
        streamed = await Client(app, "/stream").begun()
        assert [200, 200] == [client.status for client in slow]
        assert (503, b"5") == (refused.status, dict(refused.messages[0]["headers"])[b"retry-after"])
        assert [200, 200] == [small.status, streamed.status]
        await streamed.leave()

        assert CONTENT == (await slow[0].read_all()).body
        again = await Client(app, path).begun()
        assert 200 == again.status
        assert CONTENT == (await again.read_all()).body
        await slow[1].leave()
        assert 0 == app.asgi.unsent.size

    asyncio.run(main())


def test_behind_wsgi_middleware_they_are_counted_too(app):
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start_response: inner(environ, start_response)

    async def main():
        slow = [await Client(app, "/async").begun() for _ in range(2)]
        refused = await Client(app, "/async").begun()
        assert [200, 200, 503] == [client.status for client in (*slow, refused)]
        await slow[0].leave()
        assert CONTENT == (await slow[1].read_all()).body
        again = await (await Client(app, "/async").begun()).read_all()
        assert (200, CONTENT) == (again.status, again.body)
        assert 0 == app.asgi.unsent.size

    asyncio.run(main())


def test_a_client_that_leaves_makes_room(app):
    async def main():
        slow = [await Client(app, "/async").begun() for _ in range(2)]
        for client in slow:
            await client.leave()
        return await (await Client(app, "/async").begun()).read_all()

    assert CONTENT == asyncio.run(main()).body


def test_one_response_alone_may_exceed_the_limit(app):
    app.config["MAX_RESPONSE_MEMORY_SIZE"] = 1000

    async def main():
        return await (await Client(app, "/async").begun()).read_all()

    assert CONTENT == asyncio.run(main()).body


def test_a_refused_response_is_closed(app):
    closed = []

    @app.get("/closes")
    async def closes():
        response = Response(CONTENT)
        response.call_on_close(lambda: closed.append("closed"))
        return response

    async def main():
        slow = [await Client(app, "/async").begun() for _ in range(2)]
        refused = await Client(app, "/closes").begun()
        await refused.read_all()
        for client in slow:
            await client.leave()
        return refused.status

    assert 503 == asyncio.run(main())
    assert ["closed"] == closed


def test_a_head_request_takes_no_room(app):
    async def main():
        slow = [await Client(app, "/async").begun() for _ in range(2)]
        head = await (await Client(app, "/async", "HEAD").begun()).read_all()
        for client in slow:
            await client.leave()
        return head

    head = asyncio.run(main())
    assert (200, b"") == (head.status, head.body)


@pytest.mark.parametrize("limit", [None, 100 * SIZE])
def test_without_a_limit_or_within_it_all_are_sent(app, limit):
    app.config["MAX_RESPONSE_MEMORY_SIZE"] = limit

    async def main():
        clients = [await Client(app, "/async").begun() for _ in range(20)]
        return [(await client.read_all()).body == CONTENT for client in clients]

    assert [True] * 20 == asyncio.run(main())


def test_clients_that_read_nothing_are_disconnected_earlier_while_memory_is_scarce(app, monkeypatch):
    monkeypatch.setattr(timeouts, "SCARCE_TIMEOUT", 0.0)
    monkeypatch.setattr(timeouts, "_ROUND", 0.05)

    async def main():
        alone = await Client(app, "/stream").begun()
        slow = [await Client(app, "/async").begun() for _ in range(2)]
        async with asyncio.timeout(10):
            while app.asgi.unsent.size:
                await asyncio.sleep(0.01)
        await alone.leave()
        return [client.body == CONTENT for client in slow]

    assert [False, False] == asyncio.run(main())
