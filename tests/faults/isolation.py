"""Clients that keep streams, uploads and downloads open, and the latency of other clients."""

from __future__ import annotations

import http.client
import socket
import time
import typing as t
from contextlib import ExitStack, contextmanager

from ..processes import PATIENCE
from .processes import Server

OPENINGS: dict[str, bytes] = {
    "streams": b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n",
    "uploads": b"POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000,
    "readers": b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
}
"""The bytes that each kind of client sends. It sends no more, and reads nothing after the first bytes of an answer."""

REQUESTS: dict[str, tuple[str, str, bytes | None]] = {
    "def": ("GET", "/def", None),
    "async": ("GET", "/async", None),
    "post": ("POST", "/post", b"x" * 50_000),
    "file": ("GET", "/file", None),
}


@contextmanager
def opened(server: Server, **numbers: int) -> t.Iterator[list[socket.socket]]:
    """So many clients of each kind, until the block ends."""
    with ExitStack() as stack:
        clients = []
        for kind, number in numbers.items():
            for _ in range(number):
                connection = stack.enter_context(socket.socket())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.settimeout(PATIENCE)
                connection.connect(("127.0.0.1", server.port))
                connection.sendall(OPENINGS[kind])
                if kind != "uploads":
                    connection.recv(1)
                clients.append(connection)
        yield clients


class Times:
    """The seconds that requests of each kind took, and those of the 503 among them."""

    def __init__(self) -> None:
        self.answered: dict[str, list[float]] = {kind: [] for kind in REQUESTS}
        self.refused: list[float] = []

    def add(self, other: Times) -> None:
        """Add those of `other`."""
        for kind, seconds in other.answered.items():
            self.answered[kind] += seconds
        self.refused += other.refused

    def p99(self, kind: str) -> float:
        """In milliseconds."""
        values = sorted(self.answered[kind])
        return values[min(len(values) - 1, int(len(values) * 0.99))] * 1000


def measured(server: Server, rounds: int) -> Times:
    """Send so many requests of each kind, one after the other."""
    times = Times()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    for _ in range(rounds):
        for kind, (method, path, body) in REQUESTS.items():
            began = time.perf_counter()
            connection.request(method, path, body)
            response = connection.getresponse()
            response.read()
            seconds = time.perf_counter() - began
            if response.status == 503:
                times.refused.append(seconds)
            else:
                assert response.status == 200
                times.answered[kind].append(seconds)
    connection.close()
    return times
