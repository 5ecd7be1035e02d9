"""The same on real servers: Granian as `costrel run` starts it, uvicorn, gunicorn and waitress."""

import contextlib
import http.client
import json
import os
import socket
import sys
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from ..processes import PATIENCE, LoggedProcess

pytestmark = pytest.mark.ci

HERE = Path(__file__).parent
COMMANDS = {
    "granian": ["-m", "costrel", "--app", "served_app", "run", "--port", "0"],
    "uvicorn": ["-m", "uvicorn", "--port", "0", "--no-access-log", "served_app:asgi"],
    "gunicorn": ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--threads", "4", "served_app:app"],
    "waitress": ["-m", "waitress", "--listen", "127.0.0.1:0", "served_app:app"],
}
ASGI = ("granian", "uvicorn")
START = 60


class Server(LoggedProcess):
    """One server in a process of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        environ = {**os.environ, "PYTHONPATH": str(HERE)}
        super().__init__([sys.executable, *COMMANDS[name]], folder, environ, folder / f"{name}.log")

    def ask(self, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def send(self, data: bytes) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        sock.sendall(data)
        return sock

    def noted(self) -> list[str]:
        notes: list[str] = json.loads(self.ask("/noted")[1])
        return notes

    def soon(self, note: str, times: int = 1, within: float = PATIENCE) -> None:
        """Wait until the application has noted something."""
        limit = time.monotonic() + within
        while time.monotonic() < limit:
            if self.noted().count(note) >= times:
                break
            time.sleep(0.05)
        assert self.noted().count(note) == times, (self.noted(), self.text()[-2000:])

    def url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("servers")
    with contextlib.ExitStack() as stack:
        started = {name: stack.enter_context(Server(name, folder)) for name in COMMANDS}
        for server in started.values():
            server.wait_for("http://127", START)
        yield started


@pytest.fixture(params=list(COMMANDS))
def server(request, servers):
    return servers[request.param]


@pytest.fixture(params=ASGI)
def asgi_server(request, servers):
    return servers[request.param]


def test_views_answer(server):
    assert server.ask("/sync") == (200, b"hello sync")
    assert server.ask("/async") == (200, b"hello async")
    assert server.ask("/no/where")[0] == 404
    assert server.ask("/sync", "HEAD") == (200, b"")


@pytest.mark.parametrize("path", ["/upload", "/upload-async"])
def test_bodies_arrive_whole_and_limited(server, path):
    assert server.ask(path, "POST", b"x" * 300_000) == (200, b"300000")
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" % path.encode()
    # waitress has a body complete before it calls the application; the others refuse by the head alone.
    with server.send(head + b"x" * 2_000_000 if server.name == "waitress" else head) as sock:
        assert sock.recv(12) == b"HTTP/1.1 413"


@pytest.mark.parametrize("path", ["/upload", "/upload-async"])
@pytest.mark.parametrize("size", [10, 200_000])
def test_a_body_that_is_cut_off_is_no_success(server, path, size):  # SECURITY E5
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size * 2 + 1}\r\n\r\n"
    before = server.noted().count(f"teardown {path}")
    server.send(head.encode() + b"x" * size).close()
    if server.name == "waitress":  # it has a body complete before it calls the application
        server.ask("/sync")
    else:
        server.soon(f"teardown {path}", before + 1)
    assert f"uploaded {size}" not in server.noted()


def test_streams_arrive(server):
    assert server.ask("/stream/plain") == (200, b"chunk 0\nchunk 1\nchunk 2\n")
    assert server.ask("/events") == (200, b"".join(b'data: {"number": %d}\n\n' % n for n in range(3)))


@pytest.mark.parametrize("kind", ["fails", "short"])
def test_a_stream_that_fails_is_cut(server, kind):  # SECURITY E9
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        server.ask(f"/stream/{kind}")


def test_a_client_that_leaves_ends_its_stream(server):
    sock = server.send(b"GET /stream/endless HTTP/1.1\r\nHost: x\r\n\r\n")
    sock.recv(100)
    sock.close()
    server.soon("closed endless")
    server.soon("teardown /stream/endless")


def test_a_client_that_leaves_ends_an_async_view(asgi_server):
    sock = asgi_server.send(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n")
    asgi_server.soon("waiting")
    sock.close()
    asgi_server.soon("cancelled")
    asgi_server.soon("teardown /waits")


def test_what_comes_before_serving_is_called_once(asgi_server):
    assert asgi_server.noted().count("before serving") == 1


def test_websockets_echo(asgi_server):
    with connect(asgi_server.url("/echo"), subprotocols=["chat"]) as ws:
        assert ws.subprotocol == "chat"
        for message in ("hello", "ü" * 1000, b"\x00\xff", b"x" * 1_000_000):
            ws.send(message)
            assert ws.recv(5) == message


def test_websockets_end_from_either_side(asgi_server):
    with connect(asgi_server.url("/closes")) as ws, pytest.raises(ConnectionClosed) as caught:
        ws.recv(5)
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4001, "enough")
    with connect(asgi_server.url("/sleeps")):
        pass
    asgi_server.soon("teardown /sleeps")


def test_websockets_have_a_limit(asgi_server):  # SECURITY G20
    with connect(asgi_server.url("/echo")) as ws:
        ws.send(b"x" * 1_100_000)
        with pytest.raises(ConnectionClosed) as caught:
            ws.recv(5)
    assert caught.value.rcvd.code == 1009


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [("/refuses", {}, 403), ("/no/where", {}, 404), ("/sync", {}, 400), ("/echo", {"Origin": "http://evil.org"}, 403)],
)
def test_websockets_are_refused_with_a_status(asgi_server, path, headers, status):  # SECURITY G19, G20
    with pytest.raises(InvalidStatus) as caught, connect(asgi_server.url(path), additional_headers=headers):
        pass
    assert caught.value.response.status_code == status


def test_bytes_that_are_no_subprotocol_leave_the_server_alive(asgi_server):  # SECURITY G18
    sock = asgi_server.send(
        b"GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: \x80\xff\r\n\r\n"
    )
    with sock:
        sock.recv(100)
    assert asgi_server.ask("/sync") == (200, b"hello sync")


def test_a_handshake_over_wsgi_is_told_what_it_needs(servers):
    head = b"GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    with servers["gunicorn"].send(head) as sock:
        assert sock.recv(12) == b"HTTP/1.1 501"
