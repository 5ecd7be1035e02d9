"""The limit of connections per worker: above it, new clients get a 503, and health checks are still answered.

At its own limit, Granian silently stops accepting, and waiting connections time out. So its limit is set a little
higher than `--max-connections`, and requests on the extra connections are refused here.
"""

from __future__ import annotations

import os
import socket
import threading
import typing as t
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

from ..support.coroutines import AnyCoroutine
from .idle import idle_seconds, is_timed
from .paths import LIVE, READY
from .rare_warning import RareWarning
from .refusals import refuse
from .request_log import Message, Receive, Send
from .served import Served, Wrapper, port_of
from .sockets import FILES, ListeningAddresses

RESERVE: t.Final = 32
"""The number of connections beyond the limit, for health checks and refusals."""

_ROUND: t.Final = 0.5
_FULL: t.Final = 3
"""The number of rounds above the limit after which a worker refuses requests. During a shorter peak, clients wait."""

_SILENT: t.Final = 1.0
"""The seconds without a byte after which an idle connection is closed to make room for another."""


class Admission(t.Protocol):
    """The part of a worker's dispatcher that limits which clients it serves."""

    def admit(self, ports: Collection[int] | None, has_room: Callable[[], bool]) -> None:
        """Handle only health checks and the requests of clients with these ports; None lifts the limit.

        While `has_room` returns True, there are fewer connections again, and every request is handled.
        """


class ConnectionLimit:
    """Watches the number of connections of one worker in a thread of its own."""

    def __init__(
        self,
        addresses: ListeningAddresses,
        limit: int,
        busy: Callable[[], Collection[int]],
    ) -> None:
        self._addresses = addresses
        self._limit = limit
        self._busy = busy
        self._admitted: set[int] = set()
        self._full = 0
        self._other_files = 0
        self._warning = RareWarning(
            "Process %d has %d connections, and --max-connections allows %d: new ones are refused"
        )
        self._over = threading.Event()

    def watch(self, dispatcher: Admission | None) -> None:
        """Start watching. If `dispatcher` is None, exceeding the limit is only logged."""
        if FILES.is_dir():
            threading.Thread(target=self._go_round, args=[dispatcher], name="costrel-connections", daemon=True).start()

    def has_room(self) -> bool:
        """Whether there is room for another connection, estimated from the number of open files."""
        return len(os.listdir(FILES)) - self._other_files < self._limit

    def stop(self) -> None:
        """End the watching thread."""
        self._over.set()

    def _go_round(self, dispatcher: Admission | None) -> None:
        while not self._over.wait(_ROUND):
            with suppress(OSError):
                # Few open files mean few connections; inspecting each connection costs 10 µs.
                self._check({} if len(os.listdir(FILES)) < self._limit - RESERVE else self._ages(), dispatcher)

    def _ages(self) -> dict[int, float]:
        """Ports of the connected clients → seconds since the last byte."""
        ages: dict[int, float] = {}
        for number, connection in self._addresses.connections():
            with suppress(OSError):
                if is_timed(connection):
                    ages[connection.getpeername()[1]] = idle_seconds(connection)
                else:
                    ages[-number] = 0.0  # a Unix socket
        return ages

    def _check(self, ages: dict[int, float], dispatcher: Admission | None) -> None:
        if len(ages) < self._limit:
            if self._full >= _FULL and dispatcher is not None:
                dispatcher.admit(None, self.has_room)
            self._full, self._admitted = 0, set(ages)
            return
        self._full += 1
        if dispatcher is not None:
            self._make_room(ages)
        if self._full < _FULL:  # more connections wait in the socket's queue, and are accepted soon
            return
        self._warning.log(os.getpid(), len(ages), self._limit)
        self._other_files = len(os.listdir(FILES)) - len(ages)
        # A client that was admitted once stays admitted.
        self._admitted &= ages.keys()
        self._admitted.update(list(ages.keys() - self._admitted)[: max(self._limit - len(self._admitted), 0)])
        if dispatcher is not None:
            dispatcher.admit(self._admitted.copy(), self.has_room)

    def _make_room(self, ages: dict[int, float]) -> None:
        """Close connections without a request in progress, the longest idle first."""
        busy = self._busy()
        silent = sorted((ages[port], port) for port in ages.keys() - busy if ages[port] >= _SILENT)
        ending = {port for _, port in silent[-(len(ages) - self._limit + RESERVE // 2) :]}
        for _, connection in self._addresses.connections():
            with suppress(OSError):
                if connection.getpeername()[1] in ending:
                    connection.shutdown(socket.SHUT_RDWR)


class Refusing(Wrapper):
    """Passes on health checks and the requests of clients with these ports, and answers all others with 503."""

    def __init__(self, served: Served, ports: Collection[int], has_room: Callable[[], bool]) -> None:
        super().__init__(served)
        self._ports = ports
        self._has_room = has_room

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one scope."""
        if self._admits(scope):
            return self.served(scope, receive, send)
        return self._refuse(scope, receive, send)

    def answer_in_place(self, scope: Message, receive: Receive, send: Send) -> AnyCoroutine[None]:
        """Handle one scope in this thread."""
        if self._admits(scope):
            return self.served.answer_in_place(scope, receive, send)
        return self._refuse(scope, receive, send)

    def _admits(self, scope: Message) -> bool:
        return port_of(scope) in self._ports or scope["path"] in (LIVE, READY) or self._has_room()

    async def _refuse(self, scope: Message, receive: Receive, send: Send) -> None:
        self.note_refusal()
        await refuse(scope, receive, send, "The server has too many connections.")
