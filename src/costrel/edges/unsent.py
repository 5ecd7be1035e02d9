"""Large complete bodies, which wait in memory until their clients have read them: how many bytes a process keeps."""

from __future__ import annotations

import io
import threading
import typing as t
from collections.abc import Callable
from weakref import WeakKeyDictionary, finalize

from ..context.contracts import AppContract
from ..messages.body import EdgeBody, FileBody
from ..support.signals import response_refused

WHOLE: t.Final = 256 * 1024
"""Bytes of a body that is handed to the server in one piece, which keeps them until the client has read them."""

BUSY: t.Final = b"The server is busy: try again in a moment.\n"
"""The body of a response that is refused."""


def busy_fields(retry_after: int) -> list[tuple[str, str]]:
    """The headers of `BUSY`, whose status is 503 (RFC 9110 §15.6.4). `retry_after` is in seconds."""
    return [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(BUSY))),
        ("Retry-After", str(retry_after)),
    ]


def in_blocks(body: EdgeBody) -> EdgeBody:
    """`body`; if it is large and complete, as a file in memory, which is sent as fast as the client reads it."""
    if isinstance(body, bytes) and len(body) > WHOLE:
        return FileBody(io.BytesIO(body), None, len(body))
    return body


def size_in_memory(body: object) -> int:
    """The bytes of a large body that waits in memory; 0 for a small one, and for one that is read while it is sent."""
    if isinstance(body, bytes):
        size = len(body)
    elif isinstance(body, FileBody) and type(body.file) is io.BytesIO and not body.file.closed:
        size = body.file.getbuffer().nbytes
    else:
        return 0
    return size if size > WHOLE else 0


class Unsent:
    """The bytes of large bodies of one application. All methods can be called in any thread."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.size = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Count a body that is about to be sent, unless that exceeds the limit. A body alone is always accepted."""
        with self._lock:
            fits = self.limit is None or not self.size or self.size + size <= self.limit
            if fits:
                self.size += size
        if not fits:
            response_refused.send(self, size=self.size)
        return fits

    def hold(self, holder: object, size: int) -> Callable[[], object] | None:
        """`take` until the returned function is called or `holder` is freed. Returns None if there is no room."""
        return finalize(holder, self.give_back, size) if self.take(size) else None

    def give_back(self, size: int) -> None:
        """A body was sent, or its client has left."""
        with self._lock:
            self.size -= size

    def is_scarce(self) -> bool:
        """Whether more than half of the limit is used."""
        return self.limit is not None and self.size * 2 > self.limit


_OF_APPLICATIONS: t.Final[WeakKeyDictionary[AppContract, Unsent]] = WeakKeyDictionary()


def unsent_of(app: AppContract) -> Unsent:
    """The bytes of one application."""
    return _OF_APPLICATIONS.get(app) or _OF_APPLICATIONS.setdefault(
        app, Unsent(app.config.get("MAX_RESPONSE_MEMORY_SIZE"))
    )
