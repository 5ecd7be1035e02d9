"""Clients that disconnect during a transfer: no partial body counts as complete, and no files remain."""

import socket
import threading
import time

import pytest

from ..processes import wait_until
from .processes import served
from .traffic import FORM_TYPE, RESET, form

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("faults")]

BODY = form(1_000_000)
CUTS = [len(BODY) * part // 20 for part in range(20)] + [len(BODY) - 1]


@pytest.fixture(scope="module")
def server():
    with served() as server:
        yield server


def resting(server):
    """The tasks of a worker that has nothing else to do; the request before may still be ending."""
    return min(server.state()["tasks"] for _ in range(3))


def leave(server, request, reset):
    with server.connect() as connection:
        try:
            connection.sendall(request)
        except ConnectionError:
            return  # it was answered before all of it was sent
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def cut_off(path, kind, cut):
    """The first `cut` bytes of an upload, with its length or in chunks of 50,000 bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM_TYPE}\r\n"
    if kind == "length":
        return f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY[:cut]
    sent = BODY[:cut]
    chunks = [sent[at : at + 50_000] for at in range(0, len(sent), 50_000)]
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + b"".join(
        b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks
    )


@pytest.mark.parametrize("path", ["/upload", "/upload-async", "/raw", "/raw-async"])
def test_a_client_that_leaves_its_upload_is_no_success(server, path):
    tasks = resting(server)
    files, noted = len(server.open_files()), len(server.notes())
    for cut in CUTS:
        for kind in ("length", "chunks"):
            for reset in (False, True):
                leave(server, cut_off(path, kind, cut), reset)
    server.ask("/")  # it comes after all of them
    wait_until(lambda: len(server.open_files()) <= files, "no connection and no temporary file is open")
    wait_until(lambda: server.state()["tasks"] <= tasks, "all requests have ended")

    assert {f"teardown {path}"} == set(server.notes()[noted:])
    assert len(CUTS) < len(server.notes()[noted:]) <= 4 * len(CUTS)
    status, size = server.ask(path, "POST", BODY, Content_Type=FORM_TYPE)
    assert (200, "1000000" if "upload" in path else str(len(BODY))) == (status, size.decode())
    wait_until(lambda: f"teardown {path}" == server.notes()[-1], "it has ended")


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_a_client_that_leaves_its_download_ends_it(server, reset):
    closed, ended = (server.notes().count(f"{what} /endless") for what in ("closed", "teardown"))
    with server.connect() as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.recv(65_536)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    server.wait_for_note("closed /endless", closed + 1)
    server.wait_for_note("teardown /endless", ended + 1)
    server.ask("/")

    assert closed + 1 == server.notes().count("closed /endless")
    assert ended + 1 == server.notes().count("teardown /endless")


def test_an_async_view_ends_with_its_client_and_gives_back_its_lock(server):
    with server.connect() as connection:
        connection.sendall(b"GET /locked HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for_note("begun /locked")
        assert b"True" == server.ask("/lock")[1]
    wait_until(lambda: server.ask("/lock")[1] == b"False", "the lock is free")
    server.wait_for_note("teardown /locked")

    assert 1 == server.notes().count("teardown /locked")


def test_many_that_leave_at_once_leave_nothing(server):
    files, tasks = len(server.open_files()), server.state()["tasks"]

    def come_and_go():
        for path in ("/waits", "/endless", "/sleep/0.1", "/locked"):
            with server.connect() as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                time.sleep(0.01)

    clients = [threading.Thread(target=come_and_go) for _ in range(25)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    wait_until(lambda: len(server.open_files()) <= files, "all connections are closed")
    wait_until(lambda: server.state()["tasks"] <= tasks, "all tasks have ended")
    assert b"False" == server.ask("/lock")[1]
