"""What a worker serves: an ASGI application that is told about the end."""

from __future__ import annotations

import typing as t
from collections.abc import Awaitable, Callable, Collection

from ..support.coroutines import AnyCoroutine
from .request_log import Message, Receive, Send

IN_PLACE: t.Final = 4
"""The maximum number of requests in Granian's threads at once. Further requests go to the event loop.

These threads count towards the application's thread limit, so a low limit reduces them.
"""


class Served(t.Protocol):
    """An ASGI application that can also handle requests in the calling thread, and is told when the server stops."""

    @property
    def places(self) -> int:
        """The number of the server's threads that the application may block."""

    def begin_to_end(self) -> float:
        """The worker is ending. Called once, on the loop. Returns the seconds to wait for open connections."""

    def note_refusal(self) -> None:
        """A request is refused, since there are too many connections. It can be called in any thread."""

    def unfinished(self) -> Collection[Message]:
        """The scopes of the requests in progress. It can be called in any thread."""

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one scope."""

    @property
    def takes_in_place(self) -> Callable[[Message], bool]:
        """A function that tells whether `answer_in_place` must handle a scope."""

    def answer_in_place(self, scope: Message, receive: Receive, send: Send) -> AnyCoroutine[None]:
        """Handle one scope, starting in a thread that may block, and continuing on the loop (`to_loop`)."""
