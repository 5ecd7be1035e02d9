"""Serves an ASGI application that is not a Costrel instance: ASGI middleware, or another framework's application."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..app.application import Costrel
from ..edges.asgi import APPLICATIONS
from ..support.asgi_types import ASGIApplication, Message, Receive, Scope, Send
from .serve_options import refuse_debug

_logger = logging.getLogger("costrel.server")


class ForeignApplication:
    """Passes every scope on to an ASGI application, and completes the lifespan if the application does not support it.

    `note` is called for each Costrel application inside it that the lifespan reaches. In production (`is_public`), the
    start fails if one of them is in debug mode.
    """

    def __init__(
        self, application: ASGIApplication, note: Callable[[Costrel], None] = lambda app: None, is_public: bool = False
    ) -> None:
        self.application = application
        self.note = note
        self.is_public = is_public

    def note_too(self, note: Callable[[Costrel], None]) -> None:
        """Also call this `note` for each Costrel application."""
        first = self.note

        def both(app: Costrel) -> None:
            first(app)
            note(app)

        self.note = both

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI scope."""
        if scope["type"] == "lifespan":
            await _Lifespan(self, receive, send).run({**scope, APPLICATIONS: []})
        else:
            await self.application(scope, receive, send)


class _Lifespan:
    """One lifespan. If the application raises an error for it, the server must go on (ASGI lifespan spec 2.0)."""

    def __init__(self, foreign: ForeignApplication, receive: Receive, send: Send) -> None:
        self._foreign = foreign
        self._receive = receive
        self._send = send
        self._inside: list[Costrel] = []
        self._asked: list[str] = []
        self._answered: list[str] = []

    async def run(self, scope: Scope) -> None:
        self._inside = scope[APPLICATIONS]
        try:
            await self._foreign.application(scope, self._receiving, self._sending)
        except Exception as error:
            if self._answered:
                raise
            _logger.info("The application does not support the ASGI lifespan protocol (%r)", error)
        for phase in ("startup", "shutdown"):
            if "lifespan.startup.failed" in self._answered:
                return
            if f"lifespan.{phase}" not in self._asked:
                await self._receiving()
            if not any(kind.startswith(f"lifespan.{phase}.") for kind in self._answered):
                await self._sending({"type": f"lifespan.{phase}.complete"})

    async def _receiving(self) -> Message:
        message = await self._receive()
        self._asked.append(message["type"])
        return message

    async def _sending(self, message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            for app in self._inside:
                if self._foreign.is_public:
                    refuse_debug(app.debug)
                self._foreign.note(app)
        self._answered.append(message["type"])
        await self._send(message)
