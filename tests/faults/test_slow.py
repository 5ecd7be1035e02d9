"""Clients that send or read nothing are disconnected within their limit, and no resources leak."""

import socket
import threading
import time

import pytest

from ..processes import wait_until
from .processes import read_all, served

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("faults")]

HEAD = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"


@pytest.fixture(scope="module")
def server():
    with served(FAULT_BODY_TIMEOUT="1", FAULT_BODY_MIN_RATE="100000", FAULT_SEND_TIMEOUT="1") as server:
        server.ask("/")
        yield server


@pytest.mark.parametrize("path", [b"/raw", b"/raw-async", b"/upload", b"/upload-async"])
@pytest.mark.parametrize("sent", [0, 100_000])
def test_a_body_that_stops_coming_is_408(server, path, sent):
    files = len(server.open_files())
    with server.connect() as connection:
        connection.sendall(HEAD % path + b"x" * sent)
        answer = read_all(connection)
    wait_until(lambda: len(server.open_files()) <= files, "it is closed")

    # A form that is malformed as far as it goes is refused at once.
    assert answer[:12] in {b"HTTP/1.1 408", b"HTTP/1.1 400"}
    assert [] == [note for note in server.notes() if note.startswith("saved")]


@pytest.mark.parametrize("path", [b"/raw", b"/raw-async"])
def test_a_body_that_comes_too_slowly_is_408(server, path):
    with server.connect() as connection:
        connection.sendall(HEAD % path)
        ended = threading.Event()

        def drip():
            while not ended.wait(0.1):
                try:
                    connection.send(b"x")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        answer = read_all(connection)
        ended.set()
        dripping.join()

    assert b"HTTP/1.1 408" == answer[:12]
    assert [] == [note for note in server.notes() if note.startswith("saved")]


def test_an_answer_that_nobody_takes_is_cut_and_its_generator_closed(server):
    closed = server.notes().count("closed /endless")
    with server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.recv(100)
        server.wait_for_note("closed /endless", closed + 1)
        server.wait_for_note("teardown /endless")

    assert closed + 1 == server.notes().count("closed /endless")


def test_a_client_that_takes_its_time_is_not_given_up(server):
    with server.connect() as connection:
        connection.sendall(b"POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 600000\r\nConnection: close\r\n\r\n")
        for _ in range(15):
            connection.sendall(b"x" * 40_000)
            time.sleep(0.1)
        assert read_all(connection).endswith(b"600000")


@pytest.mark.slow
def test_connections_on_which_nothing_comes_are_closed():
    """Before the first request, in the middle of its head, and after an answer."""
    with served() as server:
        begun = time.monotonic()
        connections = [server.connect(timeout=30) for _ in range(3)]
        connections[1].sendall(b"GET / HTTP/1.1\r\nHost:")
        connections[2].sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"hello" in connections[2].recv(65_536)
        for connection in connections:
            read_all(connection)
            connection.close()

        assert time.monotonic() - begun < 30
