"""More clients than a worker accepts: new ones get a 503, existing ones continue, and health checks are answered."""

import http.client
import re
import socket
import time
from contextlib import ExitStack, suppress

import pytest

from ..processes import PATIENCE, wait_until
from .keepalive import Connection2
from .processes import read_all, served

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("faults")]

LIMIT = 40
HANDSHAKE = (
    b"GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def status(server, path, timeout=PATIENCE):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def websockets(server, number, stack):
    """Open WebSockets, as far as the server accepts them."""
    opened = []
    for _ in range(number):
        connection = stack.enter_context(server.connect())
        connection.sendall(HANDSHAKE)
        opened.append(connection)
    return opened


def test_idle_websockets_leave_room_for_health_checks_and_clients_that_were_here():
    options = ("--max-connections", str(LIMIT), "--health", "--metrics", "127.0.0.1:0")
    with served(*options) as server, ExitStack() as stack:
        metrics, server.__dict__["port"] = map(int, re.findall(r"at http://127\.0\.0\.1:(\d+)", server.text())[:2])
        here = stack.enter_context(server.connect())
        here.sendall(GET)
        assert b" 200 OK" in here.recv(65_536)
        time.sleep(1)
        websockets(server, LIMIT + 10, stack)
        here.sendall(GET)  # it would be idle otherwise
        server.wait_for(rf"has \d+ connections, and --max-connections allows {LIMIT}: new ones are refused")

        assert b" 200 OK" in here.recv(65_536)
        assert [200, 200, 200] == [status(server, "/readyz", 5) for _ in range(3)]
        assert 503 == status(server, "/", 5)
        assert re.search(r"\ncostrel_connections_refused_total [1-9]", scrape(metrics))
        assert 1 == server.text().count("new ones are refused")


def test_websockets_beyond_their_limit_are_refused_and_requests_answered():
    options = ("--max-websockets", "3", "--metrics", "127.0.0.1:0")
    with served(*options) as server, ExitStack() as stack:
        metrics, server.__dict__["port"] = map(int, re.findall(r"at http://127\.0\.0\.1:(\d+)", server.text())[:2])
        opened = websockets(server, 3, stack)
        assert all(b" 101 " in connection.recv(65_536) for connection in opened)
        with server.connect() as connection:
            connection.sendall(HANDSHAKE)
            answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 5\r\n" in answer
        assert answer.endswith(b"The server has too many WebSockets. Try again later.\n")
        assert 200 == status(server, "/")
        assert re.search(r"\ncostrel_connections_refused_total 1\n", scrape(metrics))
        server.wait_for(r"has 3 WebSockets \(--max-websockets\)")

        opened[0].close()
        wait_until(lambda: is_accepted(server), "there is room again")


def is_accepted(server):
    with server.connect() as connection:
        connection.sendall(HANDSHAKE)
        return b" 101 " in connection.recv(65_536)


def scrape(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def test_silent_connections_make_room():
    with served("--max-connections", str(LIMIT)) as server, ExitStack() as stack:
        for _ in range(LIMIT + 20):
            connection = stack.enter_context(server.connect())
            connection.sendall(GET)
        time.sleep(2.5)

        assert 200 == status(server, "/", 5)


def test_clients_are_admitted_again_after_a_crowd():
    with served("--max-connections", str(LIMIT)) as server:
        with ExitStack() as stack:
            websockets(server, LIMIT + 10, stack)
            server.wait_for("new ones are refused")
            assert 503 == status(server, "/", 5)
        wait_until(lambda: status(server, "/", 5) == 200, "it admits clients again")


def test_a_refusal_says_when_to_try_again():
    with served("--max-connections", str(LIMIT)) as server, ExitStack() as stack:
        websockets(server, LIMIT + 5, stack)
        server.wait_for("new ones are refused")
        answers = []
        for request in (GET, HANDSHAKE, GET.replace(b"GET", b"POST")):
            with server.connect() as connection:
                connection.sendall(request)
                answers.append(read_all(connection))

    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 5\r\n" in answer
        assert re.search(rb"\r\nconnection: (upgrade, )?close\r\n", answer)


@pytest.mark.slow
def test_pings_do_not_keep_a_connection():
    with served("--http2") as server:
        connection = Connection2(server.port)
        assert (200, b"x") == connection.ask("/mirror", b"x")
        begun = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - begun < 60:
                connection.ping()
                time.sleep(2)
        took = time.monotonic() - begun
        connection.close()

    assert 20 < took < 40


@pytest.mark.slow
def test_requests_keep_a_connection():
    with served("--http2") as server:
        connection = Connection2(server.port)
        until = time.monotonic() + 35
        while time.monotonic() < until:
            assert (200, b"x") == connection.ask("/mirror", b"x")
            time.sleep(3)
        connection.close()


def test_over_wsgi_the_limit_is_logged():
    with served("--max-connections", str(LIMIT), "--interface", "wsgi") as server, ExitStack() as stack:
        for _ in range(LIMIT + 10):
            stack.enter_context(server.connect())
        server.wait_for(rf"--max-connections allows {LIMIT}")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
