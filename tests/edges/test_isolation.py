"""Bodies that block: however many there are, other requests are answered, or the bodies are refused with 503."""

import asyncio
import os
import queue
import threading
from contextlib import asynccontextmanager, suppress

import pytest

from costrel import Response, request, send_file, stream_with_context

from .asgi_call import call

OPEN = 40


@pytest.fixture
def app(app, tmp_path):
    """An application with few threads, and a view of each kind."""
    app.config.update(THREADS=4, STREAM_THREADS=OPEN)
    (tmp_path / "large").write_bytes(b"x" * 500_000)
    app.before_request_funcs.clear()
    app.add_url_rule("/def", "def", lambda: "def")
    app.add_url_rule("/post", "post", lambda: str(len(request.get_data())), methods=["POST"])
    app.add_url_rule("/file", "file", lambda: send_file(tmp_path / "large"))

    @app.before_request
    def hook():
        pass

    @app.get("/async")
    async def asynchronous():
        return "async"

    return app


async def answers(app):
    """What one request of each kind gets within seconds."""
    asked = [call(app.asgi, "/def"), call(app.asgi, "/async"), call(app.asgi, "/file")]
    asked.append(call(app.asgi, "/post", "POST", b"x" * 200_000))
    found = await asyncio.wait_for(asyncio.gather(*asked), 10)
    return [(answered.status, len(answered.body)) for answered in found]


ALL_WELL = [(200, 3), (200, 5), (200, 500_000), (200, 6)]


@asynccontextmanager
async def opened(app, path, number, **options):
    """So many requests that are still open."""
    tasks = [asyncio.create_task(call(app.asgi, path, **options)) for _ in range(number)]
    await asyncio.sleep(0.5)
    yield tasks


def blocking_views(app):
    """Views whose bodies wait for `goes_on`, in each of the forms that a body can have."""
    goes_on = threading.Event()

    def pieces():
        waits = queue.Queue()
        yield b"first"
        while not goes_on.is_set():
            with suppress(queue.Empty):
                waits.get(timeout=0.1)
        yield b"last"

    class Pieces:
        def __iter__(self):
            return pieces()

    def piped():
        read_end, write_end = os.pipe()

        def write():
            goes_on.wait(20)
            os.write(write_end, b"firstlast")
            os.close(write_end)

        threading.Thread(target=write).start()
        return send_file(os.fdopen(read_end, "rb"), mimetype="text/plain")

    app.add_url_rule("/plain", "plain", lambda: Response(pieces(), mimetype="text/event-stream"))
    app.add_url_rule("/bare", "bare", pieces)
    app.add_url_rule("/iterable", "iterable", lambda: Response(Pieces()))
    app.add_url_rule("/context", "context", lambda: Response(stream_with_context(pieces())))
    app.add_url_rule("/pipe", "pipe", piped)

    @app.get("/from-async")
    async def from_async():
        return Response(pieces())

    return goes_on


@pytest.mark.parametrize("path", ["/plain", "/bare", "/iterable", "/context", "/pipe", "/from-async"])
def test_open_streams_keep_nobody_waiting(app, path):
    goes_on = blocking_views(app)

    async def run():
        async with opened(app, path, OPEN) as streams:
            during = await answers(app)
            goes_on.set()
            return during, await asyncio.gather(*streams)

    during, streams = asyncio.run(run())
    assert ALL_WELL == during
    assert [(200, b"firstlast")] * OPEN == [(answered.status, answered.body) for answered in streams]


def test_streams_beyond_the_limit_are_503_and_are_closed(app):
    goes_on, closed = threading.Event(), []

    def pieces():
        goes_on.wait(20)
        yield b"x"

    def stream():
        response = Response(pieces())
        response.call_on_close(lambda: closed.append(1))
        return response

    app.add_url_rule("/stream", "stream", stream)

    async def run():
        async with opened(app, "/stream", OPEN):
            late = await asyncio.gather(*[call(app.asgi, "/stream") for _ in range(5)])
            during, closed_then = await answers(app), len(closed)
            goes_on.set()
        return late, during, closed_then

    late, during, closed_then = asyncio.run(run())
    assert [(503, "5")] * 5 == [(answered.status, answered.headers["retry-after"]) for answered in late]
    assert (ALL_WELL, 5) == (during, closed_then)


@pytest.mark.parametrize("wrapped", [False, True])
def test_so_it_is_behind_middleware(app, wrapped):
    goes_on = blocking_views(app)
    inner = app.wsgi_app
    if wrapped:
        app.wsgi_app = lambda environ, start_response: inner(environ, start_response)

    async def run():
        async with opened(app, "/plain", OPEN) as streams:
            during = await answers(app)
            goes_on.set()
            return during, await asyncio.gather(*streams)

    during, streams = asyncio.run(run())
    assert ALL_WELL == during
    assert {b"firstlast"} == {answered.body for answered in streams}


@pytest.mark.parametrize("more", [0, 10])
def test_stalled_uploads_keep_nobody_waiting(app, more):
    """Those that no thread is left for are 503."""
    statuses = []

    async def stalled():
        gate = asyncio.Event()
        gates.append(gate)
        sent = []

        async def receive():
            if not sent:
                sent.append(True)
                return {"type": "http.request", "body": b"x" * 100_000, "more_body": True}
            await gate.wait()
            return {"type": "http.request", "body": b"x", "more_body": False}

        async def send(message):
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        headers = [(b"host", b"a"), (b"content-length", b"100001")]
        scope = {"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/post"}
        scope |= {"raw_path": b"/post", "query_string": b"", "root_path": "", "headers": headers, "asgi": {}}
        await app.asgi({**scope, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}, receive, send)

    gates = []

    async def run():
        tasks = [asyncio.create_task(stalled()) for _ in range(OPEN + more)]
        await asyncio.sleep(0.7)
        during, refused = await answers(app), [*statuses]
        for gate in gates:
            gate.set()
        await asyncio.gather(*tasks)
        return during, refused

    during, refused = asyncio.run(run())
    assert ALL_WELL == during
    assert ([503] * more, OPEN) == (refused, statuses.count(200))
