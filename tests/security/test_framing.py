"""Group E: where a request ends, and an answer, by raw bytes to the servers that people use.

WANTED is Costrel's promise for each row. In the rows of BEYOND_US the server decides before Costrel sees the request
or after it has handed over the response, and decides otherwise: the tests require nothing there, so that a release of
the server may mend it. docs/reliability.md has the table of what the servers do today.
"""

import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from costrel import Response, request

from ..faults.processes import read_all, served, served_by
from ..processes import PATIENCE
from .calls import over_asgi

HERE = str(Path(__file__).parent)
pytestmark = pytest.mark.xdist_group("framing")

CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"


def post(row, headers, body):
    head = f"POST /body?row={row.replace(' ', '+')} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    return head.encode() + headers + b"\r\n" + body


def get(path, before=b"", method=b"GET"):
    return method + b" " + path.encode() + b" HTTP/1.1\r\nHost: a\r\n" + before + b"Connection: close\r\n\r\n"


REQUESTS = {
    "E1": post("E1", b"Content-Length: 4\r\n" + CHUNKED, CHUNKS),
    "E2 sign": post("E2 sign", b"Content-Length: +3\r\n", b"abc"),
    "E2 list": post("E2 list", b"Content-Length: 3, 3\r\n", b"abc"),
    "E2 two": post("E2 two", b"Content-Length: 3\r\nContent-Length: 4\r\n", b"abcd"),
    "E3": post("E3", b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS),
    "E4": post("E4", CHUNKED, b"3\r\nabcX\r\n0\r\n\r\n"),
    "E5 length": post("E5 length", b"Content-Length: 10\r\n", b"abc"),
    "E5 chunks": post("E5 chunks", CHUNKED, b"3\r\nabc\r\n"),
    "E6": b"GET /body?row=E6 HTTP/1.1\nHost: a\nConnection: close\n\n",
    "E7": get("/body?row=E7", b"Host: b\r\n"),
    "E8": get("/body?row=E8", method=b"get"),
    "E9": get("/fails"),
    "E10": get("/injects/value"),
}
CUT = ("E5 length", "E5 chunks")
"""The client ends its side after these: of the body more was announced."""

WANTED = {"E1": {400}, "E3": {501}, "E6": {400}, "E8": {400, 405}, "E9": {"cut"}, "E10": {500}}
WANTED |= {row: {400} for row in ("E2 sign", "E2 list", "E2 two", "E7")}
WANTED |= {row: {"no success"} for row in ("E4", "E5 length", "E5 chunks")}

BEYOND_US = {
    "costrel": {"E1", "E6"},
    "costrel-wsgi": {"E1", "E4", "E5 chunks", "E6", "E9"},
    "uvicorn": {"E2 list", "E3", "E6"},
    "gunicorn": set(),
    "waitress": {"E1", "E6"},
    "development": {"E6"},
}
PROMISED = [(name, row) for name, beyond in BEYOND_US.items() for row in REQUESTS if row not in beyond]


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with ExitStack() as stack:
        options = {"app": "framed_app:app", "PYTHONPATH": HERE}
        started = {
            "costrel": stack.enter_context(served(**options)),
            "costrel-wsgi": stack.enter_context(served("--interface", "wsgi", **options)),
        }
        for name in BEYOND_US.keys() - started.keys():
            folder = tmp_path_factory.mktemp(name)
            started[name] = stack.enter_context(served_by(name, folder, "framed_app:app", PYTHONPATH=HERE))
        yield started


@pytest.fixture(scope="module")
def costrel(servers):
    return servers["costrel"]


def outcome(server, row):
    """The result of a row: a status, or a description of the body."""
    try:
        with server.connect(timeout=1 if row == "E6" else PATIENCE) as connection:
            connection.sendall(REQUESTS[row])
            if row in CUT:
                connection.shutdown(1)
            answer = read_all(connection)
    except TimeoutError:
        return "waits"
    status = int(answer[9:12] or 0)
    if row == "E9":
        return "whole" if answer.endswith(b"0\r\n\r\n") else "cut"
    if WANTED[row] == {"no success"}:
        return status if status == 200 or f"{row} 3" in server.notes() else "no success"
    return status


@pytest.mark.parametrize(("name", "row"), PROMISED)
def test_framing(servers, name, row):
    assert outcome(servers[name], row) in WANTED[row]


def test_e1_what_follows_is_not_taken_for_a_request(costrel):
    """Where both lengths are taken, the chunks count, and the connection ends: nothing can hide behind them."""
    keeps = REQUESTS["E1"].replace(b"Connection: close\r\n", b"")
    answer = costrel.exchange(keeps + get("/body?row=hidden"))

    assert 1 == answer.count(b"HTTP/1.1")
    assert "hidden 0" not in costrel.notes()


@pytest.mark.parametrize("name", BEYOND_US)
@pytest.mark.parametrize("where", ["location", "status", "cookie"])
def test_e10_no_part_of_a_head_takes_a_line_break(servers, name, where):
    answer = servers[name].exchange(get(f"/injects/{where}"))

    assert (b"500", False) == (answer[9:12], b"injected" in answer.lower())


@pytest.mark.parametrize("name", [None, "uvicorn", "gunicorn", "waitress", "development"])
def test_e10_nor_does_one_of_wsgi_middleware(tmp_path, name):
    other = served_by(name, tmp_path, "framed_app:wrapped", PYTHONPATH=HERE) if name else None
    with other or served(app="framed_app:wrapped", PYTHONPATH=HERE) as server:
        answer = server.exchange(get("/injects/middleware"))

        assert b"injected" not in answer.lower()
        assert answer[9:12] == b"500"
        assert server.ask("/")[0] == 404


def test_e10_nor_over_wsgi_whatever_the_status():
    """Only Granian gets the header of this middleware: it may omit it or refuse the response."""
    with served("--interface", "wsgi", app="framed_app:wrapped", PYTHONPATH=HERE) as server:
        assert b"injected" not in server.exchange(get("/injects/middleware")).lower()


# -- the framework's own part, on either edge


def echo(make):
    app = make()

    @app.route("/", methods=["GET", "POST"])
    def index():
        return f"{request.method} {len(request.get_data())}"

    return app


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip", "identity", "chunked, chunked", "xchunked"])
def test_e3_a_body_in_a_coding_that_nobody_undid_is_not_read(make, send, coding):
    answer = send(echo(make), "/", "POST", [("Transfer-Encoding", coding)], body=b"abc")

    assert (501, True) == (answer.status, "Not Implemented" in answer.text)


def test_e3_chunks_are_undone(make, send):
    terminated = {} if send is over_asgi else {"wsgi.input_terminated": True}
    answer = send(echo(make), "/", "POST", [("Transfer-Encoding", " Chunked ")], body=b"abc", **terminated)

    assert "POST 3" == answer.text


def test_e3_in_a_streamed_body_too(make):
    app = make()

    @app.post("/", stream_body=True)
    async def index():
        return str(len([chunk async for chunk in request.chunks()]))

    assert 501 == over_asgi(app, "/", "POST", [("Transfer-Encoding", "gzip, chunked")], body=[b"abc"]).status


@pytest.mark.parametrize("method", ["get", "Get", "post", "gET"])
def test_e8_a_method_keeps_its_case(make, send, method):
    app = echo(make)
    answer = send(app, "/", method)
    if not make.native:  # as Flask does
        assert (200, f"{method.upper()} 0") == (answer.status, answer.text)
        return
    assert 405 == answer.status
    assert {"GET", "HEAD", "OPTIONS", "POST"} == set(answer.headers["allow"].split(", "))
    assert 404 == send(app, "/nowhere", method).status
    app.config["METHOD_CASE_SENSITIVE"] = False
    assert (200, f"{method.upper()} 0") == (send(app, "/", method).status, send(app, "/", method).text)


def test_e8_a_method_that_the_rule_names_or_any_is_taken(make, send):
    app = make()
    app.add_url_rule("/search", "search", lambda: request.method, methods=["M-SEARCH"])

    assert "M-SEARCH" == send(app, "/search", "M-SEARCH").text


def test_e10_what_middleware_answers_is_closed_when_it_is_refused(make):
    app = make()
    closed = []

    class Body(list):
        def close(self):
            closed.append(True)

    def middleware(environ, start_response):
        start_response("200 OK", [("X", "a\r\nb")])
        return Body([b"out"])

    app.wsgi_app = middleware
    with pytest.raises(ValueError, match="The header field 'X' has a control character"):
        over_asgi(app)
    assert closed == [True]


def test_e10_a_response_of_another_kind_is_looked_at_too(make):
    """A class with its own output may send any bytes."""
    app = make()

    class Raw(Response):
        def __call__(self, environ, start_response):
            start_response("200 OK", [("X", "a\r\nb")])
            return [b"raw body"]

    app.add_url_rule("/", "index", lambda: Raw())
    answered = over_asgi(app)
    assert answered.status == 500
    assert "X" not in answered.headers
    assert b"raw body" not in answered.body


# -- bounded


def one_byte_chunks(number):
    return post("E11", CHUNKED, b"1\r\nx\r\n" * number + b"0\r\n\r\n")


def test_e11_chunks_of_one_byte_cost_in_proportion(costrel):
    """Granian passes on each chunk separately, which costs time, but other requests do not wait."""
    assert costrel.exchange(one_byte_chunks(100)).endswith(b"POST 100")
    for _ in range(3):
        times = []
        for number in (4_000, 16_000):
            before = costrel.cpu()
            assert costrel.exchange(one_byte_chunks(number)).endswith(b"POST %d" % number)
            times.append(costrel.cpu() - before)
        if times[1] < 2.5**2 * max(times[0], 0.05):
            return
    pytest.fail(f"4,000 chunks took {times[0]} s, four times as many {times[1]} s, at the third attempt too")


def test_e11_others_are_answered_meanwhile(costrel):
    with costrel.connect() as connection:
        connection.sendall(one_byte_chunks(100_000)[:300_000])
        begun = time.monotonic()
        assert (200, b"hello") == costrel.ask("/")
        assert time.monotonic() - begun < 5


def test_e12_trailers_without_end_are_refused(costrel):
    sent = send_trailers(costrel, 8 * 1024 * 1024)

    assert sent < 8 * 1024 * 1024
    assert "E12 3" not in costrel.notes()
    assert (200, b"hello") == costrel.ask("/")


@pytest.mark.parametrize("name", ["gunicorn", "waitress", "development"])
def test_e12_nowhere_else_do_they_end_a_body(servers, name):
    send_trailers(servers[name], 256 * 1024)

    assert "E12 3" not in servers[name].notes()
    assert (200, b"hello") == servers[name].ask("/")


def send_trailers(server, most):
    """Send trailers after a body until the server refuses, or `most` bytes; how many it was."""
    sent = 0
    with server.connect() as connection:
        connection.sendall(post("E12", CHUNKED, b"3\r\nabc\r\n0\r\n"))
        try:
            while sent < most:
                sent += connection.send(b"X-%d: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" % sent * 100)
                time.sleep(0.001)
        except (BrokenPipeError, ConnectionResetError):
            pass
    return sent


PIPELINED = get("/").replace(b"Connection: close\r\n", b"")


def test_e13_pipelined_requests_are_answered_one_after_the_other(costrel):
    before = costrel.rss()
    with costrel.connect() as connection:
        sending = threading.Thread(target=connection.sendall, args=(PIPELINED * 9_999 + get("/"),))
        sending.start()
        answer = read_all(connection)
        sending.join()

    assert 10_000 == answer.count(b"HTTP/1.1 200 OK")
    assert costrel.rss() - before < 20_000_000


def test_e13_who_does_not_read_the_answers_is_not_read_from(costrel):
    before = costrel.rss()
    with costrel.connect(timeout=1) as connection:
        with pytest.raises(TimeoutError):
            connection.sendall(PIPELINED * 1_000_000)
        assert costrel.rss() - before < 30_000_000
        assert (200, b"hello") == costrel.ask("/")
