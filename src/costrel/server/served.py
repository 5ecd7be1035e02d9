"""The interface of the application in a worker: ASGI, plus calls in place and a notice of the worker's end."""

from __future__ import annotations

import typing as t
from collections.abc import Awaitable, Callable, Collection

from ..support.coroutines import AnyCoroutine
from .request_log import Message, Receive, Send

IN_PLACE: t.Final = 4
"""The maximum number of requests that run in Granian's threads at a time. Further requests go to the event loop.

These threads count towards the application's thread limit, so a low limit reduces their number.
"""


InPlace: t.TypeAlias = Callable[[Message, Receive, Send], AnyCoroutine[None]]


class Served(t.Protocol):
    """An ASGI application that can also handle requests in the calling thread, and is told when the worker ends."""

    @property
    def blocking_threads(self) -> int:
        """The number of the server's threads that the application may block at a time."""

    def begin_to_end(self) -> float:
        """The worker is ending. Called once, on the loop. Returns the seconds to wait for open connections."""

    def note_refusal(self) -> None:
        """Count a request that is refused because there are too many connections. Safe to call in any thread."""

    def unfinished(self) -> Collection[Message]:
        """The scopes of the requests in progress. Safe to call in any thread."""

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one scope."""

    @property
    def takes_in_place(self) -> Callable[[Message], bool]:
        """A function that returns whether `answer_in_place` has to handle a scope."""

    @property
    def answer_in_place(self) -> InPlace:
        """A function that starts handling a scope in a thread that may block, and continues on the loop."""


class Wrapper:
    """Passes everything on to `served`. Subclasses override the members that they change."""

    def __init__(self, served: Served) -> None:
        self.served = served

    @property
    def blocking_threads(self) -> int:
        """See `Served`."""
        return self.served.blocking_threads

    def begin_to_end(self) -> float:
        """See `Served`."""
        return self.served.begin_to_end()

    def note_refusal(self) -> None:
        """See `Served`."""
        self.served.note_refusal()

    def unfinished(self) -> Collection[Message]:
        """See `Served`."""
        return self.served.unfinished()

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one scope."""
        return self.served(scope, receive, send)

    @property
    def takes_in_place(self) -> Callable[[Message], bool]:
        """See `Served`."""
        return self.served.takes_in_place

    @property
    def answer_in_place(self) -> InPlace:
        """See `Served`."""
        return self.served.answer_in_place


def port_of(scope: Message) -> int:
    """The port of the client, which Granian passes as text; 0 on a Unix socket."""
    client = scope.get("client")
    return int(client[1]) if client else 0


def ports_in_use(served: Served) -> set[int]:
    """The client ports of the requests in progress. Safe to call in any thread."""
    return {port_of(scope) for scope in served.unfinished()}
