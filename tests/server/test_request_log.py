"""The request line in the log: its parts, and the escapes of text from the client."""

import asyncio
import contextlib
import logging
import re
import time
from types import SimpleNamespace

import pytest

from costrel.server import terminal
from costrel.server.request_log import RequestLog

SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "http_version": "1.1",
    "client": ("192.0.2.7", 50000),
}


class Lines(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def lines_of(application, **scope):
    """The log lines of one scope, with `T` for the time and `D` for the duration."""
    handler = Lines()
    logger = logging.Logger("test")
    logger.addHandler(handler)
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    with contextlib.suppress(ValueError):
        asyncio.run(RequestLog(application, logger)({**SCOPE, **scope}, receive, send))
    lines = [re.sub(r"\[\d\d/\w{3}/\d{4} \d\d:\d\d:\d\d\]", "[T]", line) for line in handler.lines]
    return [re.sub(r"\d+\.\dms", "D", line) for line in lines]


def answering(status, *bodies):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": []})
        for number, body in enumerate(bodies, 1):
            await send({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})

    return application


def test_the_line_of_a_request():
    assert lines_of(answering(200, b"hello")) == ['192.0.2.7 - - [T] "GET / HTTP/1.1" 200 5 D']


def test_the_size_is_that_of_the_whole_body():
    assert lines_of(answering(200, b"a", b"bc", b"")) == ['192.0.2.7 - - [T] "GET / HTTP/1.1" 200 3 D']


def test_the_query_is_part_of_the_line():
    lines = lines_of(answering(200, b""), raw_path=b"/search", query_string=b"q=caf%C3%A9&p=1")

    assert lines == ['192.0.2.7 - - [T] "GET /search?q=café&p=1 HTTP/1.1" 200 0 D']


def test_a_server_may_leave_out_the_raw_path_and_the_client():
    lines = lines_of(answering(200, b""), raw_path=None, path="/ä", client=None, query_string=b"")

    assert lines == ['- - - [T] "GET /ä HTTP/1.1" 200 0 D']


@pytest.mark.parametrize("path", [b"/%0a127.0.0.1%20-%20-%20forged", b"/%1b[31mred", b"/%C2%9b31m"])
def test_what_is_encoded_in_a_path_stays_so_if_it_could_act(path):
    (line,) = lines_of(answering(200, b""), raw_path=path)

    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)


def test_control_characters_are_written_out():
    (line,) = lines_of(answering(200, b""), raw_path=b"/a\x1b[31m\\b")

    assert line == '192.0.2.7 - - [T] "GET /a\\x1b[31m\\\\b HTTP/1.1" 200 0 D'


def test_quotes_do_not_end_the_request():
    lines = lines_of(answering(200, b""), raw_path=b'/a"b', query_string=b'q="" 500')

    assert lines == ['192.0.2.7 - - [T] "GET /a\\"b?q=\\"\\" 500 HTTP/1.1" 200 0 D']


def test_a_request_that_fails_before_its_answer():
    async def fails(scope, receive, send):
        raise ValueError("no")

    assert lines_of(fails) == ['192.0.2.7 - - [T] "GET / HTTP/1.1" 500 0 D']


def test_a_request_that_fails_during_its_answer():
    async def fails(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ValueError("no")

    assert lines_of(fails) == ['192.0.2.7 - - [T] "GET / HTTP/1.1" 200 4 D cut off']


def test_a_file_that_the_server_sends_has_no_size_here():
    async def file(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.pathsend", "path": "/x"})

    assert lines_of(file) == ['192.0.2.7 - - [T] "GET / HTTP/1.1" 200 0 D']


@pytest.mark.parametrize(("first", "status"), [("websocket.accept", 101), ("websocket.close", 403)])
def test_the_line_of_a_websocket_comes_when_it_opens(first, status):
    seen = []

    async def websocket(scope, receive, send):
        await send({"type": first})
        seen.append("open")
        await send({"type": "websocket.close"})

    lines = lines_of(websocket, type="websocket")

    assert lines == [f'192.0.2.7 - - [T] "GET / HTTP/1.1" {status} 0 D']


def test_a_lifespan_has_no_line():
    async def nothing(scope, receive, send):
        pass

    assert lines_of(nothing, type="lifespan") == []


def test_a_long_request_is_timed_in_seconds(monkeypatch):
    from costrel.server import request_log

    times = iter([10.0, 12.5])
    monkeypatch.setattr(request_log, "time", SimpleNamespace(**{**vars(time), "perf_counter": lambda: next(times)}))

    assert lines_of(answering(200, b"")) == ['192.0.2.7 - - [T] "GET / HTTP/1.1" 200 0 2.50s']


@pytest.mark.parametrize(
    ("status", "styles"),
    [
        (101, ("bold",)),
        (200, ()),
        (204, ()),
        (302, ("green",)),
        (304, ("cyan",)),
        (400, ("bold", "red")),
        (404, ("yellow",)),
        (500, ("bold", "magenta")),
    ],
)
def test_a_status_has_its_colour(status, styles):
    assert terminal.style_of_status(status) == styles


def test_the_request_is_coloured_on_a_terminal(monkeypatch):
    monkeypatch.setattr(terminal, "shows_colour", lambda stream: True)

    assert lines_of(answering(404, b"")) == ['192.0.2.7 - - [T] \x1b[33m"GET / HTTP/1.1"\x1b[0m 404 0 D']
