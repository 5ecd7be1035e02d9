"""Servers with few file descriptors recover without a restart."""

import time

import pytest

from ..processes import wait_until
from .processes import limited, served

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("faults")]

FILES = 64


def test_more_clients_than_files_are_waited_for_and_answered():
    with served(through=limited(f"-n {FILES}")) as server:
        silent = [server.connect() for _ in range(FILES * 2)]
        try:
            for connection in silent:
                connection.sendall(b"GET /opened HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answers = [connection.recv(12) for connection in silent]
        finally:
            for connection in silent:
                connection.close()

        assert {b"HTTP/1.1 200"} == set(answers)
        assert 1 == len(server.workers())
        assert (200, b"opened") == server.ask("/opened")


def cpu_in_a_second(server):
    before = server.cpu()
    time.sleep(1)
    return server.cpu() - before


def test_clients_that_say_nothing_do_not_take_all_files():
    """A worker without a free file would try to take the next connection again and again, as fast as it can."""
    with served(through=limited(f"-n {FILES}")) as server:
        own = len(server.open_files())
        silent = [server.connect() for _ in range(FILES * 2)]
        try:
            wait_until(lambda: len(server.open_files()) > own + 10, "the connections are taken")
            wait_until(lambda: cpu_in_a_second(server) < 0.3, "the worker rests")
            assert len(server.open_files()) < FILES
        finally:
            for connection in silent:
                connection.close()
        assert (200, b"opened") == server.ask("/opened")
