"""The body of an ASGI request as ``wsgi.input``: small ones whole in memory, longer ones pulled as they are read.

The bytes are counted against Content-Length on every server. Where the client left before it had sent them all, a
read raises ClientDisconnected: no view mistakes a part for the whole.
"""

from __future__ import annotations

import asyncio
import io
import math
import tempfile
import typing as t
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress

from ..http.errors import BodyTimeout, ClientDisconnected
from ..messages.forms import DISK_FULL, InsufficientStorage
from .patience import BODY_MIN_RATE, Patience, Wait, given_up
from .scope import Scope
from .threads import waiting_for_client

Receive = Callable[[], Awaitable[t.MutableMapping[str, t.Any]]]

IN_MEMORY: t.Final = 64 * 1024
"""Bytes of a body that are read before the view starts."""

SPOOL_IN_MEMORY: t.Final = 500_000
"""Bytes of a spooled body that stay in memory; more go to a temporary file."""


_ENDLESS: t.Final = Patience(None)


class BodyWait(Wait):
    """The waits for one body, which are added up: a byte now and then must not keep a worker for hours."""

    def __init__(self, min_rate: float) -> None:
        self.min_rate = min_rate
        self.received = 0
        self._altogether = 0.0

    def is_over(self, limit: float, seconds: float) -> bool:
        """Whether nothing came for `limit` seconds, or so little that it is below the rate, beyond these seconds."""
        self._altogether += seconds
        allowed = limit + self.received / self.min_rate if self.min_rate else math.inf
        return super().is_over(limit, seconds) or self._altogether > allowed


class Body(io.RawIOBase):
    """The bytes of one request's body, in the order in which they came.

    `patience` is that with its client: where the bytes stop coming, or come too slowly, reads raise BodyTimeout.
    """

    def __init__(
        self,
        environ: dict[str, t.Any],
        receive: Receive,
        patience: Patience = _ENDLESS,
        min_rate: float = BODY_MIN_RATE,
    ) -> None:
        self._receive = receive
        self._patience = patience
        self._min_rate = min_rate
        self.wait: BodyWait | None = None
        """Made when the client is waited for."""
        self._expected = _declared_length(environ)
        self._received = 0
        self._chunks = bytearray()
        self._spooled: t.IO[bytes] | None = None
        self._loop = asyncio.get_running_loop()
        self.complete = False
        self.cut_off = False

    @property
    def has_stalled(self) -> bool:
        """Whether its bytes stopped coming, or came too slowly."""
        return self.wait is not None and self.wait.stalled

    async def begin(self, limit: int | None = None) -> None:
        """Read what is small enough to be complete in memory before the view starts.

        Nothing of a body whose length says that it is above `limit`: its reader refuses it, before it was sent.
        """
        if self._is_above(limit):
            return
        while not self.complete and not self.cut_off and len(self._chunks) < IN_MEMORY:
            await self._pull()

    async def spool(self, limit: int | None) -> None:
        """Read all the rest into memory or a temporary file, for a view on the loop, which must not wait in a read.

        Stops above `limit` bytes: the reader of the stream says then that it is too much. Raises InsufficientStorage
        where the disk is full.
        """
        if self.complete or self.cut_off or self._is_above(limit):
            return
        self._spooled = spooled = t.cast(
            "t.IO[bytes]",
            tempfile.SpooledTemporaryFile(SPOOL_IN_MEMORY),  # noqa: SIM115 - closed with the body
        )
        try:
            spooled.write(self._chunks)
            self._chunks.clear()
            while not self.complete and not self.cut_off and (limit is None or self._received <= limit):
                await self._pull()
                spooled.write(self._chunks)
                self._chunks.clear()
            spooled.seek(0)
        except OSError as error:
            self._let_go()
            self.cut_off = True  # whoever reads it nevertheless is not to take it for whole
            if error.errno in DISK_FULL:
                raise InsufficientStorage() from error
            raise

    async def next_chunk(self) -> bytes:
        """What has arrived and was not read yet; b"" at the end. Raises ClientDisconnected where it was cut off."""
        if self._spooled is not None:
            return self._spooled.read(IN_MEMORY) or self._at_end()
        while not self._chunks and not self.complete and not self.cut_off:
            await self._pull()
        chunk = bytes(self._chunks)
        self._chunks.clear()
        return chunk or self._at_end()

    def _is_above(self, limit: int | None) -> bool:
        return limit is not None and self._expected is not None and self._expected > limit

    def _at_end(self) -> bytes:
        self._end()
        return b""

    async def _pull(self) -> None:
        wait = self.wait
        if wait is None:
            wait = self.wait = BodyWait(self._min_rate)
        self._patience.begin(wait)
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if not given_up(wait):
                raise
            self.cut_off = True
            return
        finally:
            self._patience.end(wait)
        if message["type"] == "http.disconnect":
            self.cut_off = True
            return
        chunk = message.get("body", b"")
        self._chunks += chunk
        self._received += len(chunk)
        wait.received = self._received
        if not message.get("more_body", False):
            self.complete = True
            self.cut_off = self._expected is not None and self._received < self._expected

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        if self._spooled is not None:
            count = self._spooled.readinto(buffer)  # type: ignore[attr-defined]  # the stubs of SpooledTemporaryFile lack it
            return t.cast(int, count) or self._end()
        while not self._chunks and not self.complete and not self.cut_off:
            self._pull_from_thread()
        if not self._chunks:
            return self._end()
        count = min(len(buffer), len(self._chunks))
        buffer[:count] = self._chunks[:count]
        del self._chunks[:count]
        return count

    def _end(self) -> int:
        if self.has_stalled:
            raise BodyTimeout()
        if self.cut_off:
            raise ClientDisconnected()
        return 0

    def _pull_from_thread(self) -> None:
        if asyncio._get_running_loop() is self._loop:
            raise RuntimeError(
                "The body of this request has not arrived yet, and the server's loop must not wait for it. A view of a"
                " route with 'stream_body' reads it by 'async for chunk in request.chunks()'."
            )
        pull: Coroutine[t.Any, t.Any, None] = self._pull()
        with waiting_for_client():
            asyncio.run_coroutine_threadsafe(pull, self._loop).result()

    def close(self) -> None:
        """Let go of the temporary file."""
        self._let_go()
        super().close()

    def _let_go(self) -> None:
        if self._spooled is not None:
            with suppress(OSError):  # on a full disk what is still to be written cannot be
                self._spooled.close()
            self._spooled = None


def take_body(
    scope: Scope, environ: dict[str, t.Any], receive: Receive, patience: Patience, min_rate: float
) -> Body | None:
    """Put the body into the environ as its ``wsgi.input``; None where the request has none."""
    # HTTP/1.1 announces a body (RFC 9112 §6.3), HTTP/2 need not.
    if (
        "CONTENT_LENGTH" in environ
        or "HTTP_TRANSFER_ENCODING" in environ
        or not scope.get("http_version", "1.1").startswith("1")
    ):
        body = environ["wsgi.input"] = Body(environ, receive, patience, min_rate)
        return body
    environ["wsgi.input"] = io.BytesIO()
    return None


def _declared_length(environ: dict[str, t.Any]) -> int | None:
    """Content-Length where it is a plain number; what is wrong with another one, the request says (RFC 9110 §8.6)."""
    text = environ.get("CONTENT_LENGTH", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
