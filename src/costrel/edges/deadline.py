"""The time limit of REQUEST_TIMEOUT: a response that has not begun by then is a 503."""

from __future__ import annotations

import asyncio
import typing as t
from contextlib import suppress

from ..app.application import Costrel
from ..app.habits import not_for_wsgi
from ..support.asgi_types import Receive, Scope, Send
from .asgi import AsgiApplication, Moved
from .outgoing import add_echo

_BODY: t.Final = b"The request has taken too long.\n"


class TimedAsgiApplication(AsgiApplication):
    """An application with a time limit for its requests.

    An async view is cancelled. A sync view goes on in its thread, since a thread cannot be cancelled, but its client
    has an answer. Streams that have begun, and WebSockets, have no limit.
    """

    def __init__(self, app: Costrel, limit: float) -> None:
        super().__init__(app)
        self._limit = limit

    def takes_in_place(self, scope: Scope) -> bool:
        """None: in the thread of the server, nothing could answer before the view ends."""
        return False

    @not_for_wsgi
    async def __call__(self, scope: Scope, receive: Receive, send: Send, moved: Moved | None = None) -> None:
        """Answer one HTTP request within the limit, or one scope of another kind."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send, moved)
            return
        response = _Response(send)
        answering = asyncio.get_running_loop().create_task(super().__call__(scope, receive, response.send, moved))
        try:
            await asyncio.wait({answering}, timeout=self._limit)
        except asyncio.CancelledError:
            answering.cancel()
            await asyncio.wait({answering})
            raise
        if not answering.done() and response.give_up():
            self.app.logger.warning(
                "%s %r has taken longer than REQUEST_TIMEOUT, which is %g seconds.",
                scope["method"],
                scope["path"],
                self._limit,
            )
            await _refuse(scope, send)
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering
            return
        await answering


class _Response:
    """Passes a response on, unless it begins too late."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._has_begun = False
        self._is_late = False

    def give_up(self) -> bool:
        """Drop the response. Returns False if it has begun."""
        self._is_late = not self._has_begun
        return self._is_late

    async def send(self, message: t.MutableMapping[str, t.Any]) -> None:
        """Pass a message on, or drop it."""
        if not self._is_late:
            self._has_begun = True
            await self._send(message)


async def _refuse(scope: Scope, send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(_BODY)).encode()),
        (b"cache-control", b"no-store"),
        (b"retry-after", b"5"),
    ]
    add_echo(headers, scope)
    body = b"" if scope["method"] == "HEAD" else _BODY
    with suppress(OSError):  # the client has left
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})
