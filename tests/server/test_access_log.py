"""Request ids and the lines of the access log."""

import asyncio
import gc
import io
import json
import logging
import logging.config
import sys
import threading

import pytest

import costrel
from costrel import Costrel
from costrel.server.access_log import AccessLog, JSONFormatter, RequestIds, take_request_id
from costrel.server.log_formats import LINES


@pytest.fixture
def lines(capsys):
    """The lines of the access log."""
    return lambda: capsys.readouterr().out.splitlines()


def scope_with(*headers):
    return {
        "type": "http",
        "method": "GET",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"c=1",
        "http_version": "1.1",
        "headers": list(headers),
        "client": None,
    }


@pytest.mark.parametrize(
    "value", [b"abcdefgh", b"550e8400-e29b-41d4-a716-446655440000", b"Root=1-67891233-abcdef", b"a" * 128]
)
def test_a_well_formed_id_is_kept(value):
    scope = scope_with((b"x-request-id", value))

    assert take_request_id(scope, RequestIds().take) == (b"x-request-id", value)
    assert scope["headers"] == [(b"x-request-id", value)]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [b""],
        [b"short"],
        [b"with space 123"],
        [b"a" * 129],
        [b'quote"quote'],
        [b"line\nline1"],
        [b"abcdefgh", b"ijklmnop"],
    ],
)
def test_any_other_is_replaced(values):
    scope = scope_with((b"host", b"a"), *((b"x-request-id", value) for value in values))

    name, made = take_request_id(scope, RequestIds().take)

    assert (name, len(made)) == (b"x-request-id", 32)
    assert made not in values
    assert scope["headers"] == [(b"host", b"a"), (b"x-request-id", made)]


def answering(*messages):
    async def application(scope, receive, send):
        for message in messages:
            await send(message)

    return application


def ask(application, scope, line=LINES["json"], counter=None):
    """The messages that come out of an application behind the log."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    log = AccessLog(application, line, counter=counter)
    try:
        asyncio.run(log(scope, receive, send))
    finally:
        log.flush()
    return sent


START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}


def test_an_answer_carries_the_id():
    sent = ask(
        answering(START, {"type": "http.response.body", "body": b"hi"}), scope_with((b"x-request-id", b"12345678"))
    )

    assert sent[0]["headers"] == [(b"content-length", b"2"), (b"x-request-id", b"12345678")]


def test_an_id_that_the_application_has_set_is_left():
    start = {"type": "http.response.start", "status": 200, "headers": [(b"x-request-id", b"mine")]}

    assert ask(answering(start), scope_with())[0] == start


def test_a_client_that_leaves_with_all_that_was_announced_has_it_all(lines):
    ask(answering(START, {"type": "http.response.body", "body": b"hi", "more_body": True}), scope_with())
    ask(answering(START, {"type": "http.response.body", "body": b"h", "more_body": True}), scope_with())

    assert [json.loads(line)["complete"] for line in lines()] == [True, False]


def test_the_line_of_a_websocket_comes_when_it_opens(lines):
    scope = {**scope_with(), "type": "websocket"}
    del scope["method"]

    sent = ask(answering({"type": "websocket.accept"}), scope)

    assert [name for name, _ in sent[0]["headers"]] == [b"x-request-id"]
    entry = json.loads(lines()[0])
    assert (entry["method"], entry["status"], entry["client"], entry["target"]) == ("GET", 101, "-", "/a%20b?c=1")


class RequestCounter:
    """A counter that records its calls."""

    def __init__(self):
        self.statuses = []

    def begin(self, kind):
        pass

    def end(self, scope, status, seconds):
        self.statuses.append(status)


@pytest.mark.parametrize("line", [None, LINES["json"]])
def test_a_websocket_that_the_view_closes_was_open(line):
    scope = {**scope_with(), "type": "websocket"}
    del scope["method"]
    counter = RequestCounter()

    ask(answering({"type": "websocket.accept"}, {"type": "websocket.close"}), scope, line, counter)
    ask(answering({"type": "websocket.close"}), scope, line, counter)

    assert counter.statuses == [101, 403]


def test_who_got_no_answer_has_left_or_met_an_error(lines):
    async def failing(scope, receive, send):
        raise ValueError

    counter = RequestCounter()
    ask(answering(), scope_with(), counter=counter)
    with pytest.raises(ValueError):
        ask(failing, scope_with(), counter=counter)

    assert counter.statuses == [499, 500]
    assert [json.loads(line)["status"] for line in lines()] == [499, 500]


def test_a_line_of_text_ends_with_the_id(lines):
    ask(answering(START), scope_with((b"x-request-id", b"12345678")), LINES["text"])

    assert lines()[0].endswith(" cut off 12345678")


@pytest.fixture
def loggers():
    """Leaves the loggers of other tests as they were."""
    found = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    disabled = [each.disabled for each in found]
    yield
    for logger, was_disabled in zip(found, disabled, strict=True):
        logger.disabled = was_disabled


def test_lines_are_written_whatever_the_application_does_with_logging(lines, loggers):
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})

    ask(answering(START), scope_with())

    assert len(lines()) == 1


def test_lines_that_nobody_reads_any_more_end_no_request(monkeypatch):
    def write(text):
        raise BrokenPipeError

    monkeypatch.setattr(sys.stdout, "write", write)

    assert len(ask(answering(START), scope_with())) == 1


@pytest.mark.parametrize("line", [None, LINES["text"], LINES["json"]])
@pytest.mark.parametrize("is_counted", [False, True])
@pytest.mark.parametrize("is_in_place", [False, True])
def test_requests_leave_nothing_for_the_garbage_collector(lines, line, is_counted, is_in_place):
    app = Costrel(__name__, static_folder=None)
    app.add_url_rule("/a b", view_func=lambda: "text")

    async def send(message):
        pass

    log = AccessLog(app.asgi, line, counter=RequestCounter() if is_counted else None)

    async def ask_often():
        for _ in range(20):
            if is_in_place:
                next(log.answer_in_place(scope_with(), None, send).__await__(), None)
            else:
                await log(scope_with(), None, send)

    async def found():
        await ask_often()
        gc.collect()
        gc.disable()
        try:
            await ask_often()
            return gc.collect()
        finally:
            gc.enable()

    app.open_for_requests()
    assert asyncio.run(found()) < 20


def test_lines_are_written_together(monkeypatch):
    written = []
    stream = io.StringIO()
    stream.write = written.append
    monkeypatch.setattr(sys, "stdout", stream)

    async def main():
        async def send(message):
            pass

        log = AccessLog(answering(START), LINES["json"])
        await asyncio.gather(*(log(scope_with(), None, send) for _ in range(3)))
        log.flush()

    asyncio.run(main())

    assert [text.count("\n") for text in written] == [3]


@pytest.mark.parametrize("line", [None, LINES["json"]])
def test_a_complete_answer_passes_through_middleware_that_comes_later(lines, line):
    app = Costrel(__name__, static_folder=None)
    app.add_url_rule("/a b", view_func=lambda: "text")
    edge, inner = app.asgi, app.asgi_app

    async def teapot(scope, receive, send):
        async def sending(message):
            await send({**message, "status": 418} if "status" in message else message)

        await inner(scope, receive, sending)

    assert (ask(edge, scope_with(), line)[0]["status"], ask(edge, scope_with(), line)[1]["body"]) == (200, b"text")
    app.asgi_app = teapot
    assert ask(edge, scope_with(), line)[0]["status"] == 418
    found = [(entry["status"], entry["size"], entry["complete"]) for entry in map(json.loads, lines())]
    assert found == ([] if line is None else [(200, 4, True), (200, 4, True), (418, 4, True)])


def test_headers_that_middleware_changes_are_those_of_the_request():
    app = Costrel(__name__, static_folder=None)
    app.add_url_rule("/a b", view_func=lambda: costrel.request.headers.get("X-Added", "none"))
    inner = app.asgi_app

    async def adding(scope, receive, send):
        await inner({**scope, "headers": [*scope["headers"], (b"x-added", b"here")]}, receive, send)

    assert ask(app.asgi, scope_with())[1]["body"] == b"none"
    app.asgi_app = adding
    assert ask(app.asgi, scope_with())[1]["body"] == b"here"


@pytest.mark.parametrize("fields", [[], [(b"x-request-id", b"12345678")], [(b"traceparent", b"-")], [(b"te", b"a")]])
def test_headers_that_middleware_changes_in_place_are_those_of_the_request(fields):
    app = Costrel(__name__, static_folder=None)

    @app.route("/seen")
    def seen():
        headers = costrel.request.headers
        return [headers["Host"], headers.get("X-Added"), len(headers["X-Request-ID"])]

    def seen_now():
        pairs = [(b"host", b"a"), *fields]
        sent = ask(app.asgi, {**scope_with(*pairs), "path": "/seen", "raw_path": b"/seen"})
        return json.loads(sent[1]["body"])

    inner, length = app.asgi_app, 8 if fields[:1] == [(b"x-request-id", b"12345678")] else 32

    async def adding(scope, receive, send):
        scope["headers"][:1] = [(b"x-added", b"here"), (b"host", b"b")]
        await inner(scope, receive, send)

    assert seen_now() == ["a", None, length]
    app.asgi_app = adding
    assert seen_now() == ["b", "here", length]
    del app.asgi_app
    assert seen_now() == ["a", None, length]


def test_without_lines_nothing_is_written(lines):
    ask(answering(START), scope_with(), None)

    assert lines() == []


def test_the_application_hears_of_the_end_when_its_requests_are_done():
    said = []

    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            await send({"type": "lifespan.startup.complete"})
            said.append((await receive())["type"])
            return
        await asyncio.sleep(0)
        said.append("request")

    async def main():
        async def receive():
            return {"type": "lifespan.shutdown"}

        async def send(message):
            said.append(message["type"])

        log = AccessLog(application, LINES["json"], lambda: said.append("ready"))
        request = asyncio.create_task(log(scope_with(), receive, send))
        await asyncio.sleep(0)
        await log({"type": "lifespan"}, receive, send)
        await request

    asyncio.run(main())

    assert said == ["lifespan.startup.complete", "ready", "request", "lifespan.shutdown"]


def test_the_application_hears_of_the_end_when_views_in_place_have_ended():
    app = Costrel(__name__, static_folder=None)
    log = AccessLog(app.asgi, None)
    seen, begun, ends = [], threading.Event(), threading.Event()

    @app.route("/")
    def index():
        begun.set()
        ends.wait(30)
        seen.append("end of the view")
        return "text"

    app.after_serving(lambda: seen.append("after serving"))
    scope = {**scope_with(), "path": "/", "raw_path": b"/"}

    async def send(message):
        pass

    async def receive():
        return {"type": "lifespan.shutdown"}

    async def run():
        asking = asyncio.create_task(asyncio.to_thread(next, log.answer_in_place(scope, None, send).__await__(), None))
        await asyncio.to_thread(begun.wait, 30)
        ending = asyncio.create_task(log({"type": "lifespan"}, receive, send))
        await asyncio.wait([ending], timeout=0.2)
        ends.set()
        await asyncio.gather(asking, ending)

    asyncio.run(run())
    assert seen == ["end of the view", "after serving"]


def test_records_as_json():
    try:
        raise ValueError("no")
    except ValueError:
        record = logging.LogRecord("a", logging.ERROR, "f.py", 1, "it %s", ("failed",), sys.exc_info())

    entry = json.loads(JSONFormatter().format(record))

    assert (entry["level"], entry["logger"], entry["message"]) == ("error", "a", "it failed")
    assert entry["traceback"].endswith("ValueError: no")
    assert entry["time"].endswith("+00:00")
