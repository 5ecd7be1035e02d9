"""Closes idle HTTP/2 connections, for which Granian has no timeout.

Granian does not expose its connections. But they are open files of this process, and Linux reports the time since the
last byte in each direction (``TCP_INFO``).
"""

from __future__ import annotations

import socket
import struct
import threading
import time
import typing as t
from collections.abc import Callable, Collection, Iterator, MutableMapping
from contextlib import suppress

from .sockets import FILES, ListeningAddresses, is_tcp

LIMIT: t.Final = 25.0
"""The seconds without a byte in either direction and without a request after which a connection is closed."""

_PAUSE: t.Final = 2.5

# Linux's `struct tcp_info` has 8 bytes, then 32-bit numbers. These two are in milliseconds.
_INFO: t.Final = struct.Struct("=8x13I")
_LAST_SENT, _LAST_RECEIVED = 9, 11


def can_watch() -> bool:
    """Whether this system reports idle times."""
    return hasattr(socket, "TCP_INFO") and FILES.is_dir()


def watch(
    sockets: Collection[socket.socket],
    busy: Callable[[], Collection[int]],
    limit: float = LIMIT,
    requested: MutableMapping[int, float] | None = None,
) -> Callable[[], None]:
    """Start a thread that closes idle connections to `sockets`. Returns a function that ends the thread.

    `busy` returns the ports of clients with a request in progress. `requested` maps ports to the time of the client's
    last request on the monotonic clock: a client without a request for `limit` seconds is idle even if it sends
    bytes, since a PING (RFC 9113 §6.7) does not keep a connection open.
    """
    stop = threading.Event()
    addresses = ListeningAddresses(frozenset(sock.getsockname()[1] for sock in sockets if is_tcp(sock)), frozenset())

    def go_round() -> None:
        while not stop.wait(_PAUSE):
            if requested is not None:
                _end_without_request(addresses, busy(), requested, limit)
            for connection in idle_connections(addresses, limit):
                with suppress(OSError):
                    if connection.getpeername()[1] not in busy():
                        connection.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=go_round, name="costrel-idle", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end


def _end_without_request(
    addresses: ListeningAddresses, busy: Collection[int], requested: MutableMapping[int, float], limit: float
) -> None:
    now = time.monotonic()
    present = set()
    for _, connection in addresses.connections():
        with suppress(OSError):
            port = connection.getpeername()[1]
            present.add(port)
            if port in busy:
                requested[port] = now
            elif now - requested.setdefault(port, now) > limit:
                connection.shutdown(socket.SHUT_RDWR)
    for port in requested.keys() - present:
        if now - requested[port] > limit:
            del requested[port]


def idle_connections(addresses: ListeningAddresses, limit: float) -> Iterator[socket.socket]:
    """The connections to `addresses` that have been idle for `limit` seconds."""
    for _, connection in addresses.connections():
        with suppress(OSError):
            if idle_seconds(connection) > limit:
                yield connection


def is_timed(connection: socket.socket) -> bool:
    """Whether this system reports the idle time of this connection."""
    return hasattr(socket, "TCP_INFO") and is_tcp(connection)


def idle_seconds(connection: socket.socket) -> float:
    """The seconds since the last byte in either direction. Raises OSError for a listening socket."""
    connection.getpeername()
    option = t.cast("t.Any", socket).TCP_INFO  # only some systems have it
    numbers = _INFO.unpack(connection.getsockopt(socket.IPPROTO_TCP, option, _INFO.size))
    return float(min(numbers[_LAST_SENT], numbers[_LAST_RECEIVED])) / 1000
