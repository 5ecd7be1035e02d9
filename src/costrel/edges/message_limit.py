"""The size limit for the messages of WebSockets (RFC 6455 §7.4.1)."""

from __future__ import annotations


def is_longer(message: str | bytes, limit: int) -> bool:
    """Whether a message has more than `limit` bytes."""
    if len(message) > limit:
        return True
    return isinstance(message, str) and len(message) * 4 > limit and len(message.encode()) > limit


def reason_for(limit: int) -> str:
    """The reason with which a WebSocket is closed after a longer message."""
    return f"A message may have {limit} bytes."
