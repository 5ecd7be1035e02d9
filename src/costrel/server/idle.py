"""Ends idle connections, since with HTTP/2 Granian has no timeout for the client's next byte.

Granian does not expose its connections. But they are open files of this process, and Linux reports the time since the
last byte in each direction (``TCP_INFO``).
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

# `struct tcp_info` of Linux: 8 bytes, then numbers of 32 bits. These two are in milliseconds.
_INFO: t.Final = struct.Struct("=8x13I")
_LAST_SENT, _LAST_RECEIVED = 9, 11


def can_watch() -> bool:
    """Whether this system supports it."""
    return hasattr(socket, "TCP_INFO") and _FILES.is_dir()


def watch(
    sockets: Collection[socket.socket], busy: Callable[[], Collection[int]], limit: float = LIMIT
) -> Callable[[], None]:
    """Start a thread that ends idle connections to `sockets`. `busy` returns the ports of clients with a request.

    Returns a function that ends the thread.
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
    """The connections to `ports` of this process that are idle for `limit` seconds. The caller must close them."""
    for name in os.listdir(_FILES):
        connection = _as_socket(int(name))
        if connection is None:
            continue
        with suppress(OSError):
            if is_tcp(connection) and connection.getsockname()[1] in ports and idle_seconds(connection) > limit:
                yield connection
        connection.close()


def is_tcp(sock: socket.socket) -> bool:
    """Whether it is a TCP socket."""
    return sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM


def idle_seconds(connection: socket.socket) -> float:
    """The seconds since the last byte in either direction. Raises OSError for a listening socket."""
    connection.getpeername()
    option = t.cast("t.Any", socket).TCP_INFO  # not on every system
    numbers = _INFO.unpack(connection.getsockopt(socket.IPPROTO_TCP, option, _INFO.size))
    return float(min(numbers[_LAST_SENT], numbers[_LAST_RECEIVED])) / 1000


def _as_socket(number: int) -> socket.socket | None:
    """A duplicate of an open file, if it is a non-blocking socket, as all sockets of the server are.

    Blocking sockets of the application are left alone: with a default timeout, Python would make them non-blocking.
    """
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode) or os.get_blocking(number):
            return None
        copy = os.dup(number)
    except OSError:  # closed in the meantime
        return None
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None
