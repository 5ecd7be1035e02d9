"""Server-sent events: how they are written, that the connection is kept, and that they end with their client."""

import asyncio

import pytest

from costrel.sse import ServerSentEvent, event_stream

from .asgi_call import ask, scope_for


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (ServerSentEvent("a"), "data: a\n\n"),
        (ServerSentEvent(""), "data: \n\n"),
        (ServerSentEvent("a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n"),
        (ServerSentEvent("a\u2028b"), "data: a\u2028b\n\n"),
        (ServerSentEvent({"x": 1}, "price", "7", 3000), 'event: price\nid: 7\nretry: 3000\ndata: {"x": 1}\n\n'),
        (ServerSentEvent(retry=10), "retry: 10\n\n"),
        (ServerSentEvent(event="ping"), "event: ping\n\n"),
        (ServerSentEvent(None), "data: null\n\n"),
        (ServerSentEvent(False, "done"), "event: done\ndata: false\n\n"),
    ],
)
def test_an_event_is_written_line_by_line(event, text):
    assert event.encode() == text


@pytest.mark.parametrize("wrong", [{"event": "a\nb"}, {"id": "a\rb"}, {"id": "\0"}, {"retry": -1}, {"retry": "1"}])
def test_what_would_break_the_stream_is_an_error(wrong):
    with pytest.raises(ValueError):
        ServerSentEvent("data", **wrong)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_events_arrive_under_wsgi_and_asgi(app, kind):
    events = ["text", {"a": 1}, ServerSentEvent("x", id="2")]

    @app.get("/sync")
    def sync():
        return event_stream((event for event in events), retry=500)

    @app.get("/async", endpoint="async")
    async def on_loop():
        async def generate():
            for event in events:
                await asyncio.sleep(0)
                yield event

        return event_stream(generate(), retry=500)

    text = 'retry: 500\n\ndata: text\n\ndata: {"a": 1}\n\nid: 2\ndata: x\n\n'
    over_wsgi = app.test_client().get(f"/{kind}")
    over_asgi = ask(app.asgi, f"/{kind}")
    assert over_wsgi.text == over_asgi.text == text
    for headers in (over_wsgi.headers, over_asgi.headers):
        found = {name.lower(): value for name, value in headers.items()}
        assert found["content-type"] == "text/event-stream; charset=utf-8"
        assert (found["cache-control"], found["x-accel-buffering"]) == ("no-cache", "no")
        assert "content-length" not in found


def test_silence_is_filled_with_comments(app):
    @app.get("/")
    async def index():
        async def generate():
            async with asyncio.timeout(10):  # belongs to one task
                yield "one"
                await asyncio.sleep(0.1)
                yield "two"

        return event_stream(generate(), keep_alive=0.03)

    text = ask(app.asgi).text
    assert text.startswith("data: one\n\n: keep-alive\n\n")
    assert text.endswith("data: two\n\n")


def test_a_failing_generator_cuts_the_stream(app):
    sent = []

    @app.get("/")
    async def index():
        async def generate():
            yield "one"
            raise ZeroDivisionError

        return event_stream(generate())

    async def run():
        async def receive():
            await asyncio.sleep(60)

        async def send(message):
            sent.append(message)

        await app.asgi(scope_for("/"), receive, send)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())
    assert [message.get("more_body") for message in sent] == [None, True]


def test_the_generator_ends_with_its_client(app):
    ended = []

    @app.get("/")
    async def index():
        async def generate():
            try:
                yield "one"
                await asyncio.sleep(60)
            finally:
                ended.append(True)

        return event_stream(generate())

    async def run():
        got_one = asyncio.Event()

        async def receive():
            await got_one.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message.get("body"):
                got_one.set()

        async with asyncio.timeout(2):
            await app.asgi(scope_for("/"), receive, send)

    asyncio.run(run())
    assert ended == [True]


def test_a_generator_function_is_not_a_stream(app):
    async def generate():
        yield "x"

    with app.test_request_context(), pytest.raises(TypeError, match=r"not function\. Call the generator function"):
        event_stream(generate)
