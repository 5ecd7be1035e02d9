"""Clients that send and read almost nothing, for as long as the server lets them."""

from __future__ import annotations

import socket
import time
import typing as t
from contextlib import ExitStack, suppress
from functools import partial

from ..processes import PATIENCE
from .clients import Threads
from .processes import Server

_EVERY: t.Final = 0.5

SLOW: t.Final = {
    "head": b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    "body": b"POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
    "reader": b"GET /file/50000000 HTTP/1.1\r\nHost: a\r\n\r\n",
}


class SlowClients(Threads):
    """One connection of each of `kinds` until the block ends; when the server ends one, another takes its place."""

    def __init__(self, server: Server, kinds: t.Iterable[str] = SLOW) -> None:
        self.ended = 0
        """How many connections the server has ended."""
        self._server = server
        super().__init__(partial(self._run, kind) for kind in kinds)

    def _run(self, kind: str) -> None:
        while not self.stopped.is_set():
            with suppress(OSError), self._server.connect() as connection:
                connection.sendall(SLOW[kind])
                self._stay(connection, kind)
                if not self.stopped.is_set():
                    self.ended += 1

    def _stay(self, connection: socket.socket, kind: str) -> None:
        """Drip bytes, or read nothing, until the server ends the connection."""
        begun = time.monotonic()
        while not self.stopped.wait(_EVERY):
            if kind == "reader":
                if time.monotonic() - begun > 40:  # beyond SEND_TIMEOUT: what was received earlier can still be read
                    return
                continue
            try:
                connection.sendall(b"x")
                if not connection.recv(4096, socket.MSG_DONTWAIT):
                    return
            except BlockingIOError:
                continue
            except OSError:
                return


def read_nothing(server: Server, path: str, clients: int, stack: ExitStack) -> list[int]:
    """Clients that ask for `path`, and read the status alone, until the end of the stack. Returns the statuses."""
    connections = []
    for _ in range(clients):
        connection = stack.enter_context(socket.socket())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(PATIENCE)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        connections.append(connection)
    return [int(connection.recv(12)[9:12]) for connection in connections]
