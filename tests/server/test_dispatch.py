"""`costrel serve` runs def views in the threads that deliver requests, with the same responses."""

import http.client
import json
import re
import select
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from costrel.server.served import IN_PLACE

from ..processes import PATIENCE, wait_until
from .served import serving, started

APP = """\
import asyncio
import contextvars
import itertools
import os
import sqlite3
import sys
import threading
import time
import costrel
from costrel import Response, abort, request, stream_with_context
from costrel.routing import BaseConverter

sys.setswitchinterval(0.00001)  # threads come between each other wherever they can
app = costrel.Costrel("shop", static_folder=None)
app.config["CSRF_PROTECTION"] = False
variable = contextvars.ContextVar("variable", default="unset")
numbers = itertools.count()

class Failing(BaseConverter):
    def to_python(self, value):
        raise LookupError("no database")

app.url_map.converters["failing"] = Failing

def where():
    if asyncio._get_running_loop() is not None:
        return "loop"
    return "worker" if threading.current_thread().name.startswith("costrel-worker") else "in place"

def view(*rules):
    def add(function):
        for rule in rules:
            app.add_url_rule(rule, None, function, methods=["GET", "POST"])
        return function
    return add

@view("/where")
def sync_where():
    return where()

@view("/where-async")
async def async_where():
    return where()

@view("/blocked/<name>")
def blocked(name):
    place = where()
    open(f"inside-{name}-{place}-{next(numbers)}", "w").close()
    while not os.path.exists(f"open-{name}"):
        time.sleep(0.01)
    note("end of the view")
    return place

@view("/set/<value>")
def set_variable(value):
    before = variable.get()
    variable.set(value)
    return f"{where()} {before}"

@view("/set-async/<value>")
async def set_variable_async(value):
    return set_variable(value)

@view("/id", "/id/<int:status>", "/id/failing/<failing:status>")
def request_id(status=200):
    if status == 500:
        raise ZeroDivisionError("in the view")
    if status != 200:
        abort(status)
    return request.headers["X-Request-ID"]

@app.errorhandler(403)
@app.errorhandler(404)
@app.errorhandler(500)
def say_id(error):
    return request.headers["X-Request-ID"], error.code

@view("/id/async")
async def id_async():
    return request.headers["X-Request-ID"]

@view("/id/stream")
def id_stream():
    return Response(stream_with_context(letter for letter in request.headers["X-Request-ID"]))

@view("/rows")
def rows():
    database = sqlite3.connect(":memory:")
    @stream_with_context
    def pieces():
        try:
            for row, in database.execute("values (1), (2), (3)"):
                time.sleep(0.02)
                yield f"{row} "
        finally:
            database.close()
    return Response(pieces())

@view("/own-id")
def own_id():
    return request.headers["X-Request-ID"], {"X-Request-ID": "of the view"}

@view("/cut")
def cut():
    def chunks():
        yield "begun"
        raise ZeroDivisionError("in the stream")
    return Response(chunks())

@view("/endless")
def endless():
    def ticks():
        while True:
            yield "tick"
            time.sleep(0.05)
    return Response(ticks())

@view("/exits")
def exits():
    raise SystemExit(1)

inside = []

@view("/alone")
def alone():
    inside.append(where())
    time.sleep(0.001)
    seen = len(inside)
    inside.pop()
    return f"{where()} {seen}"

def note(text):
    with open("notes", "a") as file:
        file.write(text + "\\n")

@app.teardown_request
def tear_down(error):
    if request.path.startswith("/blocked"):
        note("teardown")

@app.after_serving
def after_serving():
    note("after serving")
"""


@contextmanager
def warm(folder, *arguments):
    """A server with one worker that has answered a request: the first is not answered in place."""
    (folder / "shop.py").write_text(APP)
    with serving(folder, *arguments, workers=1) as served:
        served.folder = folder
        assert served.get("/where") == (200, "worker")
        yield served


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with warm(tmp_path_factory.mktemp("dispatch"), "--health", "--log-format", "json") as served:
        yield served


@pytest.fixture(scope="module")
def served_by_one(tmp_path_factory):
    with warm(tmp_path_factory.mktemp("one"), "--threads", "1") as served:
        yield served


def connection_to(served):
    return http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)


def ask(connection, path, method="GET", **headers):
    """The response, and its text."""
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response, response.read().decode()


def ask_anew(served, path, method="GET", **headers):
    connection = connection_to(served)
    try:
        return ask(connection, path, method, **headers)
    finally:
        connection.close()


def inside(served, name, place="*"):
    """How many requests are in the view that blocks until it is opened."""
    return len(list(served.folder.glob(f"inside-{name}-{place}-*")))


def open_view(served, name):
    (served.folder / f"open-{name}").touch()


@contextmanager
def blocked(served, name, ask=None):
    """Block in place with as many def views as possible, yield the responses to other requests, then end the block."""
    ask = ask or (lambda: served.get(f"/blocked/{name}"))
    answers = []
    with ThreadPoolExecutor(2 * IN_PLACE + 2) as pool:

        def another():
            before = inside(served, name)
            answers.append(pool.submit(ask))
            wait_until(lambda: inside(served, name) == before + 1, "one more is inside")

        try:
            # A place may still be taken by a request that was answered just now.
            while inside(served, name, "in place") < IN_PLACE:
                assert inside(served, name, "worker") < IN_PLACE
                another()
            yield another, answers
        finally:
            open_view(served, name)
    answers[:] = [answer.result() for answer in answers]


def entry_of(served, request_id):
    """What the access log says of a request."""

    def found():
        return [entry for line in list(served.output) if (entry := json.loads(line))["request_id"] == request_id]

    wait_until(found, f"the line of {request_id}")
    (entry,) = found()
    return {key: entry[key] for key in ("method", "target", "status", "size", "complete")}


# -- where views run


def test_def_views_run_where_there_is_no_loop_and_async_views_on_the_loop(served):
    assert served.get("/where") == (200, "in place")
    assert served.get("/where-async") == (200, "loop")
    assert ask_anew(served, "/where", "POST")[1] == "worker"
    assert ask_anew(served, "/where", "HEAD")[1] == ""
    assert [served.get(path)[0] for path in ("/livez", "/readyz")] == [200, 200]  # which the application does not have


def test_requests_of_one_connection_are_answered_each_in_its_place(served):
    connection = connection_to(served)
    paths = ["/where", "/where-async", "/where", "/id/stream", "/where"]
    answers = [ask(connection, path, X_Request_ID="12345678")[1] for path in paths * 3]
    connection.close()

    assert answers == ["in place", "loop", "in place", "12345678", "in place"] * 3


def test_a_request_that_has_a_body_unexpectedly_is_answered_by_a_worker(served):
    head = b"GET /where HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
        connection.sendall(head + b"body")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.endswith(b"\r\n\r\nworker")


def test_views_that_block_in_place_keep_nobody_waiting(served):
    with blocked(served, "a") as (another, answers):
        another()
        another()
        in_place, workers = inside(served, "a", "in place"), inside(served, "a", "worker")
        elsewhere = [served.get("/where-async"), served.get("/where"), ask_anew(served, "/where", "POST")[1]]
        alive = served.get("/livez")
        ready = served.get("/readyz")[0]

    assert (in_place, workers >= 2) == (IN_PLACE, True)
    assert elsewhere == [(200, "loop"), (200, "worker"), "worker"]
    assert (alive, ready) == ((200, '{"status": "alive"}\n'), 200)
    assert answers.count((200, "in place")) == IN_PLACE
    assert len(answers) == in_place + workers
    wait_until(lambda: served.get("/where") == (200, "in place"), "there is a place again")


def test_variables_that_a_request_has_set_are_not_seen_by_the_next(served):
    connection = connection_to(served)
    seen = set()
    for number in range(20):
        for path, method in (("set", "GET"), ("set", "POST"), ("set-async", "GET")):
            seen.add(ask(connection, f"/{path}/{number}", method)[1])
            seen.add(ask_anew(served, f"/{path}/{number}", method)[1])
    connection.close()

    assert seen == {"in place unset", "worker unset", "loop unset"}


def test_with_one_thread_all_views_run_in_that_one_after_the_other(served_by_one):
    served = served_by_one
    assert served.get("/alone") == (200, "worker 1")
    assert ask_anew(served, "/alone", "POST")[1] == "worker 1"

    def many(client):
        connection = connection_to(served)
        answers = [
            ask(connection, "/alone", "POST" if (client + number) % 3 == 0 else "GET")[1] for number in range(40)
        ]
        connection.close()
        return answers

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for answers in pool.map(many, range(8)) for answer in answers]

    assert len(answers) == 320
    assert set(answers) == {"worker 1"}


# -- ids, lines and errors


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/id", 200),
        ("/id/async", 200),
        ("/id/stream", 200),
        ("/id/403", 403),
        ("/id/nowhere", 404),
        ("/id/500", 500),
        ("/id/failing/1", 500),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_request_has_an_id_which_its_answer_has_too(served, path, status, method):
    response, text = ask_anew(served, path, method)
    known, known_text = ask_anew(served, path, method, X_Request_ID=f"known-{text}")

    assert (response.status, known.status) == (status, status)
    assert re.fullmatch("[0-9a-f]{32}", text)
    assert response.headers.get_all("X-Request-ID") == [text]
    assert (known.headers.get_all("X-Request-ID"), known_text) == ([f"known-{text}"], f"known-{text}")
    whole = {"method": method, "target": path, "status": status, "complete": True}
    assert entry_of(served, text) == {**whole, "size": 32}
    assert entry_of(served, known_text) == {**whole, "size": 38}


def test_without_log_and_counts_each_answer_has_its_id_still(tmp_path):
    with warm(tmp_path, "--no-access-log") as served:
        paths = ["/id", "/id/async", "/id/stream", "/id/403", "/id/nowhere", "/id/500", "/id/failing/1"]
        answers = [ask_anew(served, path, method) for path in paths for method in ("GET", "POST")]
        own = ask_anew(served, "/own-id")[0].headers.get_all("X-Request-ID")

    assert [response.headers.get_all("X-Request-ID") for response, _ in answers] == [[text] for _, text in answers]
    assert (own, served.output) == (["of the view"], [])


def test_an_id_that_the_view_has_set_goes_out_and_the_log_keeps_the_requests(served):
    response, text = ask_anew(served, "/own-id")

    assert response.headers.get_all("X-Request-ID") == ["of the view"]
    assert entry_of(served, text)["status"] == 200


def test_a_head_request_has_an_id_and_a_line(served):
    response, _ = ask_anew(served, "/id", "HEAD")

    line = {"method": "HEAD", "target": "/id", "status": 200, "size": 0, "complete": True}
    assert entry_of(served, response.headers["X-Request-ID"]) == line


def test_an_answer_that_fails_half_way_is_cut_and_its_line_says_so(served):
    connection = connection_to(served)
    connection.request("GET", "/cut", headers={"X-Request-ID": "half-way"})
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    connection.close()

    assert entry_of(served, "half-way") == {
        "method": "GET",
        "target": "/cut",
        "status": 200,
        "size": 5,
        "complete": False,
    }
    served.wait_for("ZeroDivisionError: in the stream")


def test_an_error_in_the_view_is_logged_with_its_traceback(served):
    assert ask_anew(served, "/id/500")[0].status == 500

    served.wait_for(r"Exception on /id/500 \[GET\].*Traceback.*ZeroDivisionError: in the view")


def test_a_view_that_would_end_the_process_is_an_error_and_the_server_goes_on(served):
    for number in range(2 * IN_PLACE):
        assert ask_anew(served, "/exits", X_Request_ID=f"of-exits-{number}")[0].status == 500
        assert entry_of(served, f"of-exits-{number}")["status"] == 500
    served.wait_for("SystemExit: 1")
    wait_until(lambda: served.get("/where") == (200, "in place"), "there is a place again")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_stream_goes_on_in_the_thread_in_which_its_view_has_opened_a_database(served, method):
    with ThreadPoolExecutor(12) as pool:
        texts = list(pool.map(lambda _: ask_anew(served, "/rows", method)[1], range(36)))

    assert texts == ["1 2 3 "] * 36
    wait_until(lambda: served.get("/where") == (200, "in place"), "there is a place again")


def test_many_requests_at_once_have_each_an_id_and_a_line_of_their_own(served):
    paths = ["/id", "/id/async", "/id/nowhere", "/id/stream"]

    def many(client):
        connection = connection_to(served)
        texts = [
            ask(connection, f"{paths[number % 4]}?{client}", "POST" if number % 8 == 0 else "GET")[1]
            for number in range(40)
        ]
        connection.close()
        return texts

    with ThreadPoolExecutor(8) as pool:
        texts = [text for texts in pool.map(many, range(8)) for text in texts]

    def logged():
        return sorted(text for line in list(served.output) if (text := json.loads(line)["request_id"]) in texts)

    assert len(set(texts)) == 320
    wait_until(lambda: logged() == sorted(texts), "all have a line")


def test_the_lines_of_text(tmp_path):
    with warm(tmp_path, "--threads", "3") as served:  # one of them is the server's
        assert ask_anew(served, "/where?a=%20", X_Request_ID="in-place")[1] == "in place"
        assert ask_anew(served, "/id/nowhere", X_Request_ID="not-there")[1] == "not-there"
        line = re.compile(r'"(.*)" (\d+) (\d+) [\d.]+m?s (in-place|not-there)$')

        def lines():
            return sorted(found.groups() for text in list(served.output) if (found := line.search(text)))

        wait_until(lambda: len(lines()) == 2, "both have a line")
    assert lines() == [
        ("GET /id/nowhere HTTP/1.1", "404", "9", "not-there"),
        ("GET /where?a=%20 HTTP/1.1", "200", "8", "in-place"),
    ]


def test_a_client_that_leaves_meanwhile_harms_nothing(served):
    for number in range(2 * IN_PLACE):
        name = f"left-{number}"
        with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
            head = f"GET /blocked/{name} HTTP/1.1\r\nHost: a\r\nX-Request-ID: {name}-abc\r\n\r\n"
            connection.sendall(head.encode())
            wait_until(lambda name=name: inside(served, name), "it is inside")
        open_view(served, name)
        assert entry_of(served, f"{name}-abc")["status"] == 200
    wait_until(lambda: served.get("/where") == (200, "in place"), "there is a place again")


# -- a server that has much to do


def test_a_server_whose_only_thread_is_taken_refuses_what_would_wait_too_long(served_by_one):
    served = served_by_one
    waiting = []
    try:
        while not select.select(waiting, [], [], 0.01)[0]:
            assert len(waiting) < 100, "none was refused"
            sock = socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE)
            waiting.append(sock)
            head = f"GET /blocked/full HTTP/1.1\r\nHost: a\r\nX-Request-ID: request-{len(waiting)}\r\n"
            sock.sendall(f"{head}Connection: close\r\n\r\n".encode())
            if len(waiting) == 1:
                wait_until(lambda: inside(served, "full"), "it is inside")
        running = inside(served, "full")
    finally:
        open_view(served, "full")
    answers = [(number, read(sock)) for number, sock in enumerate(waiting, 1)]

    assert running == 1
    refused = [(number, answer) for number, answer in answers if answer.startswith("HTTP/1.1 503 ")]
    assert 1 <= len(refused) < len(answers) - 32
    for number, answer in refused:
        assert f"\r\nx-request-id: request-{number}\r\n" in answer
    assert {answer.partition("\r\n")[0] for _, answer in answers} == {
        "HTTP/1.1 200 OK",
        "HTTP/1.1 503 Service Unavailable",
    }


def read(sock):
    with sock:
        return b"".join(iter(lambda: sock.recv(65_536), b"")).decode()


def test_concurrent_requests_are_counted_each_once(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    arguments = ["--bind", "127.0.0.1:0", "--workers", "1", "--metrics", "0", "--no-access-log"]
    kinds = [("GET", "/where"), ("POST", "/where"), ("GET", "/where-async"), ("GET", "/id/stream"), ("GET", "/id/500")]
    kinds += [("GET", "/nowhere"), ("GET", "/where")]

    with started(tmp_path, "shop:app", *arguments) as served:
        port_of_metrics = int(served.wait_for(r"Metrics at http://127\.0\.0\.1:(\d+)/metrics")[1])
        served.port = int(served.wait_for(r"Listening at http://127\.0\.0\.1:(\d+)")[1])
        served.wait_for("Serving, with the processes")

        def many(client):
            connection = connection_to(served)
            for _ in range(20):
                for method, path in kinds[client:] + kinds[:client]:
                    ask(connection, path, method)
            connection.close()

        def counts():
            connection = http.client.HTTPConnection("127.0.0.1", port_of_metrics, timeout=PATIENCE)
            text = ask(connection, "/metrics")[1]
            connection.close()
            found = re.findall(
                r'^costrel_http_requests_total\{method="(\w+)",route="([^"]+)",status="(\d+)"\} (\d+)', text, re.M
            )
            in_flight = re.search(r"^costrel_http_requests_in_flight (\S+)", text, re.M)[1]
            return {tuple(labels): int(number) for *labels, number in found}, float(in_flight)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(many, range(8)))
        wait_until(lambda: counts()[1] == 0, "none is in flight")
        counted = counts()[0]

    assert counted == {
        ("GET", "/where", "200"): 320,
        ("POST", "/where", "200"): 160,
        ("GET", "/where-async", "200"): 160,
        ("GET", "/id/stream", "200"): 160,
        ("GET", "/id/<int:status>", "500"): 160,
        ("GET", "unmatched", "404"): 160,
    }


# -- the end


def test_a_view_in_place_is_answered_before_the_server_ends(tmp_path):
    with warm(tmp_path) as served, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask_anew, served, "/blocked/end")
        wait_until(lambda: inside(served, "end", "in place"), "it is inside")
        served.popen.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            served.popen.wait(1)
        open_view(served, "end")
        response, text = asking.result()
        status = served.status()

    assert (response.status, text, status) == (200, "in place", 0)
    assert (tmp_path / "notes").read_text().splitlines() == ["end of the view", "teardown", "after serving"]
    assert re.search(r'"GET /blocked/end HTTP/1\.1" 200 8 \S+ [0-9a-f]{32}$', served.output[-1])


def test_what_does_not_end_holds_the_end_up_no_longer_than_the_grace(tmp_path):
    with warm(tmp_path, "--grace", "2") as served, ThreadPoolExecutor(1) as pool:
        request = "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n"
        asking = pool.submit(served.raw, request.format("blocked/never").encode())
        wait_until(lambda: inside(served, "never", "in place"), "it is inside")
        with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as stream:
            stream.sendall(request.format("endless").encode())
            assert stream.recv(65_536)
            status = served.end()
            received = b"".join(iter(lambda: stream.recv(65_536), b""))

    assert (asking.result(), status) == ("", 0)
    assert not received.endswith(b"0\r\n\r\n")
    assert (tmp_path / "notes").read_text().splitlines() == ["after serving"]
    assert [re.search(r'"GET /endless .*" 200 \d+ \S+ cut off', line) is not None for line in served.output] == [
        False,
        True,
    ]
