"""Limits the number of WebSockets per worker: Granian uses about 170 KB for each, mostly for a read buffer."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Awaitable

from .rare_warning import RareWarning
from .refusals import refuse
from .request_log import Message, Receive, Send
from .served import Served, Wrapper

MAX_WEBSOCKETS: t.Final = 512


class WebSocketLimit(Wrapper):
    """Refuses handshakes with 503 while `limit` WebSockets are open. It needs no lock: they all run on one loop."""

    def __init__(self, served: Served, limit: int) -> None:
        super().__init__(served)
        self._limit = limit
        self._open = 0
        self._warning = RareWarning("Process %d has %d WebSockets (--max-websockets): refusing new ones with 503")

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one scope."""
        if scope["type"] == "websocket":
            return self._serve(scope, receive, send)
        return self.served(scope, receive, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        if self._open >= self._limit:
            self._warning.log(os.getpid(), self._limit)
            self.note_refusal()
            await refuse(scope, receive, send, "The server has too many WebSockets.")
            return
        self._open += 1
        try:
            await self.served(scope, receive, send)
        finally:
            self._open -= 1
