"""The maximum number of WebSockets of one worker. Granian keeps about 170 KB for each, mostly a read buffer."""

from __future__ import annotations

import logging
import os
import time
import typing as t
from collections.abc import Awaitable

from .refusals import refuse
from .request_log import Message, Receive, Send
from .served import Served, Wrapper

MAX_WEBSOCKETS: t.Final = 512

_WARN_AGAIN: t.Final = 60.0

_logger = logging.getLogger("costrel.server")


class WebSocketLimit(Wrapper):
    """Refuses handshakes with 503 while `limit` WebSockets are open. All WebSockets run on one loop."""

    def __init__(self, served: Served, limit: int) -> None:
        super().__init__(served)
        self._limit = limit
        self._open = 0
        self._warned_at = float("-inf")

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one scope."""
        if scope["type"] == "websocket":
            return self._serve(scope, receive, send)
        return self.served(scope, receive, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        if self._open >= self._limit:
            self._warn()
            self.note_refusal()
            await refuse(scope, receive, send, "The server has too many WebSockets.")
            return
        self._open += 1
        try:
            await self.served(scope, receive, send)
        finally:
            self._open -= 1

    def _warn(self) -> None:
        now = time.monotonic()
        if now - self._warned_at >= _WARN_AGAIN:
            self._warned_at = now
            _logger.warning(
                "Process %d has %d WebSockets, which is --max-websockets: further ones are refused",
                os.getpid(),
                self._limit,
            )
