"""The types of ASGI 3: how a server calls an application, and the messages that the two exchange."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
"""Describes one connection: an HTTP request, a WebSocket or the lifespan of a worker."""
Message = MutableMapping[str, Any]
"""One event of a connection; ``type`` names it."""
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]
