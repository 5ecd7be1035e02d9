"""The response to requests that a worker refuses because it has too many connections or WebSockets."""

from __future__ import annotations

import typing as t
from contextlib import suppress

from .closing import CLOSE
from .request_log import Message, Receive, Send

_HEADERS: t.Final = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"retry-after", b"5"),
)


async def refuse(scope: Message, receive: Receive, send: Send, reason: str) -> None:
    """Answer a request or handshake with 503 and `Retry-After` (RFC 9110 §15.6.4), and close its connection."""
    kind = "http"
    if scope["type"] == "websocket":
        kind = "websocket.http"
        await receive()
    body = f"{reason} Try again later.\n".encode()
    headers = [*_HEADERS, (b"content-length", str(len(body)).encode()), CLOSE]
    with suppress(OSError, RuntimeError):  # the client has disconnected
        await send({"type": f"{kind}.response.start", "status": 503, "headers": headers})
        await send({"type": f"{kind}.response.body", "body": body})
