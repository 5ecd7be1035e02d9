"""Streams whose providers end with them: at the last piece, at an error, or when the client disconnects."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, Iterable, Iterator

from ..context import RequestContext
from ..http.errors import ClientDisconnected
from ..http.framing import has_no_body
from ..messages.response import Response
from .steps import END, Opened, Step, Steps, drive, drive_async, next_step


def is_stream(response: object) -> t.TypeGuard[Response]:
    """Whether a response makes its pieces while it is sent. A file counts as one piece."""
    return isinstance(response, Response) and not response.is_sequence and not response.direct_passthrough


class Ending:
    """Ends the providers of a stream once, and logs their errors."""

    def __init__(self, ctx: RequestContext, response: Response, opened: Opened) -> None:
        self.ctx = ctx
        self.response = response
        self.opened = opened

    def steps(self, error: BaseException | None) -> Steps[None]:
        """End the providers. An error in one is logged: the status has already been sent."""
        if not self.opened.generators:
            return
        try:
            yield from self.opened.end(error)
        except Exception as caught:
            self.ctx.drop_held()
            if caught is not error and not isinstance(caught, ClientDisconnected):
                self.ctx.app.logger.exception("A provider failed at the end of a stream.")
            raise

    def closing(self) -> Steps[None]:
        """End the providers of a stream that is closed early: by a disconnect, unless the response has no body."""
        complete = has_no_body(self.response.status_code, self.ctx.request.method)
        try:
            yield from self.steps(None if complete else ClientDisconnected())
        except Exception:
            return  # logged


class SyncStream:
    """The pieces of a sync stream, which is read and closed in one thread."""

    def __init__(self, pieces: Iterable[t.Any], ending: Ending) -> None:
        self._pieces = iter(pieces)
        self._close_pieces: t.Callable[[], object] | None = getattr(pieces, "close", None)
        self._ending = ending

    def __iter__(self) -> Iterator[t.Any]:
        return self

    def __next__(self) -> t.Any:
        ctx = self._ending.ctx
        try:
            piece = next(self._pieces, END)
        except BaseException as error:
            drive(ctx, self._ending.steps(error))
            raise
        if piece is END:
            drive(ctx, self._ending.steps(None))
            raise StopIteration
        return piece

    def close(self) -> None:
        """Close the pieces, then end the providers."""
        try:
            if self._close_pieces is not None:
                self._close_pieces()
        finally:
            drive(self._ending.ctx, self._ending.closing())


class AsyncStream:
    """The pieces of a stream that is read on an event loop; a sync generator is read in a thread."""

    def __init__(self, pieces: Iterable[t.Any] | AsyncIterable[t.Any], ending: Ending) -> None:
        self._pieces = pieces
        self._is_async = isinstance(pieces, AsyncIterable)
        self._iterator: t.Any = pieces.__aiter__() if isinstance(pieces, AsyncIterable) else iter(pieces)
        self._ending = ending

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> t.Any:
        return await drive_async(self._ending.ctx, self._next())

    def _next(self) -> Steps[t.Any]:
        try:
            piece = yield next_step(self._iterator, self._is_async)
        except BaseException as error:
            yield from self._ending.steps(error)
            raise
        if piece is END:
            yield from self._ending.steps(None)
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Close the pieces, then end the providers."""
        await drive_async(self._ending.ctx, self._closing())

    def _closing(self) -> Steps[None]:
        try:
            close = getattr(self._iterator, "aclose" if self._is_async else "close", None)
            if close is not None:
                yield Step(close, self._is_async, is_bound=not self._is_async)
        finally:
            yield from self._ending.closing()
