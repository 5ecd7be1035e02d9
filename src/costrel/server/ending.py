"""Ends the connections of a worker so that no request is lost.

A client may send a request on an idle connection at any time, and gets no response if the server closes it at that
moment (RFC 9112 §9.6). So responses first have ``Connection: close``, and the client closes the connection too.
Connections without a request are closed after a pause in which nothing has arrived.

HTTP/2 has GOAWAY for this (RFC 9113 §6.8), and clients that follow the RFC lose no request. But h2, which Python's
clients use, drops the requests in progress when it arrives. So a worker that is replaced also waits for a pause on its
HTTP/2 connections, as long as its grace period allows; a server that stops does not.
"""

from __future__ import annotations

import time
import typing as t
from collections.abc import Collection

from . import idle
from .sockets import FILES, Places, Sockets, unread

PAUSE_REPLACED: t.Final = 5.0
"""The seconds without a byte after which a replaced worker closes a connection. New connections go to other workers."""

PAUSE_STOPPING: t.Final = 1.0
"""The same if the whole server stops, which should not take long."""

_SETTLING: t.Final = 0.3
"""The seconds for requests on connections that were accepted last."""

_ROUND: t.Final = 0.05


class Parting(t.Protocol):
    """The requests of a worker that is ending. From the start, its responses say ``Connection: close``."""

    last_arrival: float
    """When the last HTTP/1 request arrived, on the monotonic clock."""

    def has_earlier(self) -> bool:
        """Whether an HTTP/1 response without it is in progress, since it began before the end."""

    def others(self, with_http2: bool) -> Collection[int] | None:
        """The ports of clients whose connections need not be silent: WebSockets, responses in progress, and HTTP/2.

        None if they are unknown; then the arrival of the last HTTP/1 request decides.
        """


class Door(t.Protocol):
    """The listeners of a worker."""

    sockets: Sockets

    def close(self) -> None:
        """Accept no more connections, and end the open ones."""


class Stopping(t.Protocol):
    """Whether the whole server is stopping."""

    @property
    def stopping(self) -> bool:
        """Whether it is."""


class Replaced(t.Protocol):
    """Whether another worker has taken the place of this one."""

    @property
    def is_replaced(self) -> bool:
        """Whether it has."""


class Ending:
    """The end of one worker, in at most `limit` seconds."""

    def __init__(self, door: Door, parting: Parting, server: Stopping, worker: Replaced, limit: float) -> None:
        self._door = door
        self._parting = parting
        self._server = server
        self._worker = worker
        self._places = door.sockets.places()
        self._until = time.monotonic() + limit
        self._limit = limit

    def run(self) -> None:
        """Wait for the clients, then close the listeners. Runs in its own thread."""
        self._stop_accepting()
        self._sleep(_SETTLING)
        while not self._is_over() and not self._is_quiet():
            time.sleep(_ROUND)
        self._door.close()

    def _stop_accepting(self) -> None:
        # If another worker replaces this one, it accepts the connections that wait. If the server stops, this one does.
        if not self._worker.is_replaced:
            self._sleep(_ROUND)  # systemd sends the signal to all processes, so the server may get it a little later
        sockets = self._door.sockets
        while self._server.stopping and sockets.have_waiting() and not self._is_over():
            time.sleep(_ROUND / 5)
        sockets.replace()

    def _is_quiet(self) -> bool:
        pause = min(PAUSE_STOPPING if self._server.stopping else PAUSE_REPLACED, self._limit / 2)
        if self._parting.has_earlier():
            return False
        is_silent = time.monotonic() - self._parting.last_arrival >= pause
        others = self._parting.others(with_http2=self._server.stopping)
        if others is None or not FILES.is_dir():
            return is_silent
        return _all_silent(self._places, pause, others, is_silent)

    def _is_over(self) -> bool:
        return time.monotonic() >= self._until

    def _sleep(self, seconds: float) -> None:
        time.sleep(max(min(seconds, self._until - time.monotonic()), 0))


def _all_silent(places: Places, pause: float, others: Collection[int], else_silent: bool) -> bool:
    """Whether nothing has arrived for `pause` seconds on any connection, except on those of `others`."""
    for _, connection in places.connections():
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
