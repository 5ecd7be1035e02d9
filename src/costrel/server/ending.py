"""Ends the connections of a worker without losing a request.

A client may send a request on an idle connection at any time, and gets no response if the server closes the connection
at that moment (RFC 9112 §9.6). So responses say ``Connection: close`` first, and the client closes the connection.
Connections without a request are closed once they have been silent for a while.

HTTP/2 has GOAWAY for this (RFC 9113 §6.8), and clients that follow the RFC lose no request. But h2, the library of
Python's clients, drops the requests in progress when GOAWAY arrives. So a worker that is replaced also waits until its
HTTP/2 connections are silent, as long as its grace period allows; a server that stops does not.
"""

from __future__ import annotations

import time
import typing as t
from collections.abc import Collection

from . import idle
from .sockets import FILES, ListeningAddresses, Sockets, unread

PAUSE_REPLACED: t.Final = 5.0
"""The seconds without a byte after which a replaced worker closes a connection. New connections go to other workers."""

PAUSE_STOPPING: t.Final = 1.0
"""The same for a server that stops, which should not take long."""

_SETTLING: t.Final = 0.3
"""The seconds to wait for requests on the connections that were accepted last."""

_ROUND: t.Final = 0.05


class EndingRequests(t.Protocol):
    """The requests of a worker that is ending: all its responses from now on say ``Connection: close``."""

    last_arrival: float
    """The arrival of the last HTTP/1 request on the monotonic clock, in seconds."""

    def has_earlier(self) -> bool:
        """Whether an HTTP/1 response without ``Connection: close`` is still in progress."""

    def others(self, with_http2: bool) -> Collection[int] | None:
        """The ports of clients that need not be silent: WebSockets, responses in progress, optionally HTTP/2.

        None if they are unknown; then `last_arrival` decides.
        """


class Acceptor(t.Protocol):
    """The listeners of a worker."""

    sockets: Sockets

    def close(self) -> None:
        """Stop accepting connections, and close the open ones."""


class Stopping(t.Protocol):
    """The state of the whole server."""

    @property
    def stopping(self) -> bool:
        """Whether the server is stopping."""


class Replaced(t.Protocol):
    """The state of this worker."""

    @property
    def is_replaced(self) -> bool:
        """Whether another worker has replaced this one."""


class Ending:
    """Ends one worker within `limit` seconds."""

    def __init__(
        self, acceptor: Acceptor, requests: EndingRequests, server: Stopping, worker: Replaced, limit: float
    ) -> None:
        self._acceptor = acceptor
        self._requests = requests
        self._server = server
        self._worker = worker
        self._addresses = acceptor.sockets.addresses()
        self._until = time.monotonic() + limit
        self._limit = limit

    def run(self) -> None:
        """Wait for the clients, then close the listeners. Runs in its own thread."""
        self._stop_accepting()
        self._sleep(_SETTLING)
        while not self._is_over() and not self._is_quiet():
            time.sleep(_ROUND)
        self._acceptor.close()

    def _stop_accepting(self) -> None:
        # Waiting connections are accepted by the worker that replaces this one; if the server stops, by this one.
        if not self._worker.is_replaced:
            self._sleep(_ROUND)  # systemd signals all processes, and the supervisor may get the signal a little later
        sockets = self._acceptor.sockets
        while self._server.stopping and sockets.have_waiting() and not self._is_over():
            time.sleep(_ROUND / 5)
        sockets.replace()

    def _is_quiet(self) -> bool:
        pause = min(PAUSE_STOPPING if self._server.stopping else PAUSE_REPLACED, self._limit / 2)
        if self._requests.has_earlier():
            return False
        is_silent = time.monotonic() - self._requests.last_arrival >= pause
        others = self._requests.others(with_http2=self._server.stopping)
        if others is None or not FILES.is_dir():
            return is_silent
        return _all_silent(self._addresses, pause, others, is_silent)

    def _is_over(self) -> bool:
        return time.monotonic() >= self._until

    def _sleep(self, seconds: float) -> None:
        time.sleep(max(min(seconds, self._until - time.monotonic()), 0))


def _all_silent(addresses: ListeningAddresses, pause: float, others: Collection[int], else_silent: bool) -> bool:
    """Whether every connection has been silent for `pause` seconds, not counting the connections of `others`."""
    for _, connection in addresses.connections():
        try:
            if not idle.is_timed(connection):
                if unread(connection) or not else_silent:
                    return False
            elif connection.getpeername()[1] not in others and (
                unread(connection) or idle.idle_seconds(connection) < pause
            ):
                return False
        except OSError:  # it has ended
            continue
    return True
