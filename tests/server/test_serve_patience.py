"""`costrel serve` with clients that stop sending or reading: they do not keep resources."""

import socket
from pathlib import Path

import pytest

from ..processes import PATIENCE, wait_until
from .served import started

pytestmark = pytest.mark.ci

APP = """\
import time
import costrel
from costrel import request
from costrel.http.errors import BodyTimeout, ClientDisconnected

app = costrel.Costrel("shop")
app.config.update(BODY_TIMEOUT=1, BODY_MIN_RATE=1000, SEND_TIMEOUT=1, CSRF_PROTECTION=False, MAX_CONTENT_LENGTH=None)

@app.post("/sync")
def sync():
    return str(len(request.get_data()))

@app.post("/async")
async def asynchronous():
    return str(len(request.get_data()))

@app.post("/chunks", stream_body=True)
async def chunks():
    return str(sum([len(chunk) async for chunk in request.chunks()]))

@app.post("/form")
def form():
    return str(sorted(request.form))

@app.post("/sees")
def sees():
    try:
        return str(len(request.get_data()))
    except ClientDisconnected as error:
        return f"seen {error.code}"

@app.post("/deaf")
def deaf():
    return "did not read"

@app.route("/many")
def many():
    def parts():
        try:
            while True:
                yield b"x" * 65536
        finally:
            open("closed", "w").close()
    return app.response_class(parts())

@app.route("/async-many")
async def async_many():
    async def parts():
        try:
            while True:
                yield b"x" * 65536
        finally:
            open("closed", "w").close()
    return app.response_class(parts())

@app.route("/much")
async def much():
    return b"x" * 50_000_000

@app.teardown_request
async def note(error):
    with open("torn down", "a") as file:
        file.write("x")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patience")
    (folder / "shop.py").write_text(APP)
    return folder


@pytest.fixture(scope="module")
def served(folder):
    places = ["--bind", "127.0.0.1:0", "--bind", f"unix:{folder}/a.sock"]
    with started(folder, "shop:app", *places, "--workers", "1") as served:
        served.port = int(served.wait_for(r"Listening at http://127\.0\.0\.1:(\d+)")[1])
        served.wait_for("Serving, with the processes")
        yield served


def exchange(served, path, length, *parts, pause=0.0):
    """The answer to a body of `length` bytes of which only these parts come."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n".encode())
        connection.sendall(b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")
        connection.settimeout(pause or PATIENCE)
        answer = b""
        for part in parts:
            connection.sendall(part)
            if pause:
                try:
                    answer += connection.recv(65_536)
                    break
                except TimeoutError:
                    continue
        connection.settimeout(PATIENCE)
        while data := connection.recv(65_536):
            answer += data
    head, _, body = answer.decode().partition("\r\n\r\n")
    return head.partition("\r\n")[0], "connection: close" in head, body


@pytest.mark.parametrize("path", ["/sync", "/async", "/chunks", "/form"])
@pytest.mark.parametrize("sent", [b"", b"abc", b"x" * 200_000])
def test_a_body_that_stops_is_answered_by_408_and_the_connection_ends(served, path, sent):
    status, closes, text = exchange(served, path, 500_000, sent)

    assert (status, closes) == ("HTTP/1.1 408 Request Timeout", True)
    assert "finish the request within" in text


def test_a_view_sees_it_as_a_client_that_is_gone(served):
    assert exchange(served, "/sees", 10, b"abc") == ("HTTP/1.1 200 OK", True, "seen 408")


def test_a_view_that_does_not_read_answers_all_the_same(served):
    assert exchange(served, "/deaf", 10, b"abc") == ("HTTP/1.1 200 OK", True, "did not read")


def test_a_body_that_comes_byte_by_byte_is_given_up(served):
    status, closes, _ = exchange(served, "/sync", 500_000, *[b"x"] * 100, pause=0.5)

    assert (status, closes) == ("HTTP/1.1 408 Request Timeout", True)


def test_a_body_that_comes_slowly_but_fast_enough_is_taken(served):
    parts = [b"x" * 500] * 24
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
        connection.sendall(b"POST /sync HTTP/1.1\r\nHost: a\r\nContent-Length: 12000\r\nConnection: close\r\n\r\n")
        connection.settimeout(0.1)
        for part in parts[:-1]:
            connection.sendall(part)
            with pytest.raises(TimeoutError):
                connection.recv(1)
        connection.sendall(parts[-1])
        connection.settimeout(PATIENCE)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.endswith(b"\r\n\r\n12000")


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
@pytest.mark.parametrize("path", ["/many", "/async-many"])
def test_a_stream_that_nobody_reads_is_closed(served, folder, path, family):
    (folder / "closed").unlink(missing_ok=True)
    with socket.socket(family) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(f"{folder}/a.sock" if family == socket.AF_UNIX else ("127.0.0.1", served.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        wait_until((folder / "closed").exists, "the stream is closed")


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux knows this option")
def test_an_answer_in_one_piece_that_nobody_reads_is_dropped(served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
        assert is_held(served, connection)
        connection.sendall(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: not is_held(served, connection), "the connection is gone")


def is_held(served, connection):
    """Whether the server's end of a connection exists, in whatever state."""
    ends = f"0100007F:{served.port:04X} 0100007F:{connection.getsockname()[1]:04X} "
    return ends in Path("/proc/net/tcp").read_text()


def test_nothing_of_it_is_an_error_of_the_application(served):
    assert not [line for line in served.lines_so_far() if "ERROR" in line or "Traceback" in line]
