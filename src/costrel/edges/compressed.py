"""Sends a compressed body: a piece is flushed if no other one follows soon."""

from __future__ import annotations

import asyncio
import typing as t
from collections.abc import Awaitable, Callable

from ..http.content_coding import Coder
from ..messages.compressed import CompressedAsyncIterable, CompressedIterable
from ..support.asgi_types import Send
from .file_blocks import InThread
from .time_slices import TimeSlice

FLUSH_AFTER: t.Final = 0.01
"""Seconds without a further piece after which the client gets the pieces so far."""

LARGE: t.Final = 32 * 1024
"""Bytes from which on a piece is compressed in a thread."""


async def send_compressed(send: Send, in_thread: InThread, body: CompressedIterable | CompressedAsyncIterable) -> None:
    """Send a whole body. After an error, its end is missing."""
    if isinstance(body, CompressedIterable):
        pieces = body.raw()
        await _send(send, in_thread, body.coder, lambda: in_thread(lambda: _next(pieces)), body.flushes)
        return
    items = body.raw()
    try:
        await _send(send, in_thread, body.coder, lambda: anext(items, None), body.flushes)
    finally:
        await items.aclose()  # type: ignore[attr-defined]  # it is a generator


def _next(pieces: t.Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


async def _send(
    send: Send, in_thread: InThread, coder: Coder, next_piece: Callable[[], Awaitable[bytes | None]], flushes: bool
) -> None:
    flusher = _Flusher(send, coder)
    turn = TimeSlice()
    while True:
        if flushes:
            flusher.arm()
        try:
            piece = await next_piece()
        except BaseException:
            flusher.stop()
            raise
        await flusher.settle()
        if piece is None:
            break
        if not piece:
            continue
        data = coder.compress(piece) if len(piece) < LARGE else await in_thread(_compressing(coder, piece))
        flusher.is_pending = True
        if data:
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await turn.give_way()
    await send({"type": "http.response.body", "body": coder.finish()})


def _compressing(coder: Coder, piece: bytes) -> Callable[[], bytes]:
    return lambda: coder.compress(piece)


class _Flusher:
    """Sends what a coder holds back, while the next piece is waited for."""

    def __init__(self, send: Send, coder: Coder) -> None:
        self._send = send
        self._coder = coder
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self.is_pending = False
        """Whether a piece came after the last flush."""

    def arm(self) -> None:
        """Flush in a while, unless `settle` is called first."""
        if self.is_pending:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER, self._begin)

    def stop(self) -> None:
        """Flush no more, and end a flush that has begun: the stream has failed, or the client has left."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._task.cancel()

    async def settle(self) -> None:
        """Flush no more, and wait until a flush that has begun is sent. Raises the error of sending."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            task, self._task = self._task, None
            await task

    def _begin(self) -> None:
        self.is_pending = False
        self._task = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        await self._send({"type": "http.response.body", "body": self._coder.flush(), "more_body": True})
