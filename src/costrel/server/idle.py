"""Ends connections on which nothing happens: where HTTP/2 may come, Granian waits for a client's next byte for ever.

Granian keeps its connections to itself. But they are files of this process, and Linux says of each how long ago a
byte came or went (``TCP_INFO``).
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import threading
import typing as t
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path

LIMIT: t.Final = 25.0
"""Seconds without a byte in either direction, and without a request in progress."""

_PAUSE: t.Final = 2.5
_FILES: t.Final = Path("/proc/self/fd")

# Linux' `struct tcp_info`: 8 bytes, then numbers of 32 bits, of which these are milliseconds.
_INFO: t.Final = struct.Struct("=8x13I")
_LAST_SENT, _LAST_RECEIVED = 9, 11


def can_watch() -> bool:
    """Whether this system tells what is needed."""
    return hasattr(socket, "TCP_INFO") and _FILES.is_dir()


def watch(
    sockets: Collection[socket.socket], busy: Callable[[], Collection[int]], limit: float = LIMIT
) -> Callable[[], None]:
    """Have a thread end idle connections that came to `sockets`; `busy` are the ports of clients that are served.

    The result ends the thread.
    """
    stop = threading.Event()
    ports = {sock.getsockname()[1] for sock in sockets if is_tcp(sock)}

    def go_round() -> None:
        while not stop.wait(_PAUSE):
            for connection in idle_connections(ports, limit):
                with connection, suppress(OSError):
                    if connection.getpeername()[1] not in busy():
                        connection.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=go_round, name="costrel-idle", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end


def idle_connections(ports: Collection[int], limit: float) -> Iterator[socket.socket]:
    """The connections of this process to its own `ports` that were idle for `limit` seconds; to be closed after use."""
    for name in os.listdir(_FILES):
        connection = _as_socket(int(name))
        if connection is None:
            continue
        with suppress(OSError):
            if is_tcp(connection) and connection.getsockname()[1] in ports and idle_seconds(connection) > limit:
                yield connection
        connection.close()


def is_tcp(sock: socket.socket) -> bool:
    """Whether it is one, and no Unix socket or datagrams."""
    return sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM


def idle_seconds(connection: socket.socket) -> float:
    """The seconds since a byte came or went. Raises OSError for a socket that only listens."""
    connection.getpeername()
    option = t.cast("t.Any", socket).TCP_INFO  # not on every system
    numbers = _INFO.unpack(connection.getsockopt(socket.IPPROTO_TCP, option, _INFO.size))
    return float(min(numbers[_LAST_SENT], numbers[_LAST_RECEIVED])) / 1000


def _as_socket(number: int) -> socket.socket | None:
    """Another handle of an open file, where it is a socket that the server may have: none of those blocks.

    Python would have an application's own ones not block any more, where a default timeout is set.
    """
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode) or os.get_blocking(number):
            return None
        copy = os.dup(number)
    except OSError:  # closed meanwhile
        return None
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None
