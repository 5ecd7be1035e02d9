"""Requests over ASGI with early disconnects, slow clients, streamed bodies and busy servers."""

import asyncio
import threading
import time

import pytest

from costrel import Costrel, Response, g, request
from costrel.edges.outgoing import WrongLength
from costrel.edges.threads import Workers

from .asgi_call import ask, call, scope_for

FORM = [(b"content-type", b"application/x-www-form-urlencoded")]


def request_of(path, *, leaves_after, **scope):
    """Send a request whose client disconnects after some seconds, and return the messages to it."""

    async def run(app):
        sent = []

        async def receive():
            await asyncio.sleep(leaves_after)
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        await app.asgi(scope_for(path, **scope), receive, send)
        return sent

    return run


def test_an_async_view_is_cancelled_when_its_client_leaves_and_torn_down_once(app):
    seen = []

    @app.before_request
    def before():
        g.started = time.monotonic()

    @app.teardown_request
    async def teardown(error):
        await asyncio.sleep(0.05)
        seen.append((type(error), time.monotonic() - g.started < 1))

    @app.route("/")
    async def index():
        try:
            await asyncio.sleep(60)
        finally:
            seen.append("cancelled")

    assert asyncio.run(request_of("/", leaves_after=0.3)(app)) == []
    assert seen == ["cancelled", (asyncio.CancelledError, True)]


def test_a_sync_view_runs_to_its_end_when_the_request_is_cancelled(app):
    seen = []
    app.teardown_request(lambda error: seen.append(type(error)))
    started = threading.Event()

    @app.route("/")
    def index():
        started.set()
        time.sleep(0.2)
        seen.append("end of the view")
        return "done"

    async def run():
        task = asyncio.create_task(call(app.asgi, "/"))
        while not started.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(run())
    assert seen == ["end of the view", type(None)]


def test_a_view_that_is_cancelled_by_the_server_passes_that_on(app):
    @app.route("/")
    async def index():
        await asyncio.sleep(60)

    async def run():
        task = asyncio.create_task(call(app.asgi, "/"))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(run())


def test_a_route_may_stream_its_body(app):
    @app.post("/", stream_body=True)
    async def index():
        return str([len(chunk) async for chunk in request.chunks()])

    assert ask(app.asgi, method="POST", body=[b"x" * 70_000, b"y" * 80_000, b"z"]).text == "[70000, 80000, 1]"
    assert app.test_client().post("/", data=b"x" * 70_000).text == "[65536, 4464]"


def test_a_body_may_be_read_in_chunks_where_it_was_spooled(app):
    @app.post("/")
    async def index():
        return str(sum([len(chunk) async for chunk in request.chunks()]))

    assert ask(app.asgi, method="POST", body=[b"x" * 70_000] * 10).text == "700000"


def test_a_streamed_body_is_limited_and_counted(app):
    app.config["MAX_CONTENT_LENGTH"] = 100_000

    @app.post("/", stream_body=True)
    async def index():
        async for _ in request.chunks():
            pass
        return "success"

    assert ask(app.asgi, method="POST", body=[b"x" * 70_000] * 3).status == 413
    assert ask(app.asgi, method="POST", body=b"x" * 200_000).status == 413
    length = [(b"content-length", b"90000")]
    assert ask(app.asgi, method="POST", body=[b"x" * 70_000, None], headers=length).status == 400


def test_reading_a_streamed_body_as_a_whole_on_the_loop_is_an_error_that_says_how(app, caplog):
    @app.post("/", stream_body=True)
    async def index():
        return request.get_data()

    assert ask(app.asgi, method="POST", body=[b"x" * 70_000] * 3).status == 500
    assert "async for chunk in request.chunks()" in caplog.text


def test_a_busy_server_says_so():
    app = Costrel(__name__, static_folder=None)
    app.config["THREADS"] = 1
    workers = app.asgi.workers
    workers.queue = 0
    started, release = threading.Event(), threading.Event()

    @app.route("/")
    def index():
        started.set()
        return str(release.wait(60))  # on a busy computer the second request takes its time to get in line

    async def run():
        waiting = [asyncio.create_task(call(app.asgi, "/"))]
        while not started.is_set():
            await asyncio.sleep(0.01)
        waiting.append(asyncio.create_task(call(app.asgi, "/")))
        while workers.count_waiting() <= workers.queue:
            await asyncio.sleep(0.01)
        refused = await call(app.asgi, "/")
        release.set()
        return refused, [answered.status for answered in await asyncio.gather(*waiting)]

    refused, statuses = asyncio.run(run())
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert statuses == [200, 200]
    assert ask(app.asgi).status == 200
    workers.close()


def test_there_is_at_least_one_thread():
    with pytest.raises(ValueError, match="see the setting THREADS"):
        Workers(0)


async def sent_before_the_cut(app, path):
    messages = []

    async def send(message):
        messages.append(message)

    with pytest.raises(WrongLength):
        await app.asgi(scope_for(path), asyncio.Event().wait, send)
    return messages


@pytest.mark.parametrize(("length", "sent"), [(2, b"ab"), (10, b"abc")])
def test_a_body_that_is_not_as_long_as_it_says_is_cut(app, length, sent):
    @app.route("/stream")
    async def stream():
        async def chunks():
            yield "a"
            yield "bc"

        return Response(chunks(), headers={"Content-Length": str(length)})

    @app.route("/text")
    def text():
        response = Response("abc")
        response.headers["Content-Length"] = str(length)
        return response

    for path in ("/stream", "/text"):
        messages = asyncio.run(sent_before_the_cut(app, path))
        assert b"".join(message.get("body", b"") for message in messages) == sent
        assert all(message["more_body"] for message in messages[1:])
