"""`stream_with_context`: streams that keep the context of their request."""

from __future__ import annotations

import functools
import typing as t
from collections.abc import AsyncIterator, Generator, Iterator

from .context import RequestContext, Stacks, make_current, request_context_for
from .support.closing import call_aclose, call_close
from .support.coroutines import Function, run_coroutine

HOLDS: t.Final = "costrel.holds"
"""An environ key whose list is not empty while a stream keeps the context of its request."""


def stream_with_context(generator_or_function: t.Any) -> t.Any:
    """Keep the request's context until the generator that a view returns has ended.

    It wraps an iterator or async iterator, or decorates a ``def`` or ``async def`` function that returns one. Teardown
    functions run after the stream has ended, unless the stream is not sent.

    :param generator_or_function: the iterator or the function.
    :raises RuntimeError: outside of a request.
    """
    items = generator_or_function
    if not (hasattr(items, "__next__") or hasattr(items, "__anext__")):
        if not callable(items):
            return stream_with_context(items.__aiter__() if hasattr(items, "__aiter__") else iter(items))
        return _decorated(items)
    ctx = request_context_for("stream_with_context")
    ctx.request.environ.setdefault(HOLDS, []).append(True)
    if not hasattr(items, "__next__"):
        return AsyncStream(ctx, items)
    stream = _stream_in(ctx, items)
    next(stream)
    return stream


def _decorated(function: Function) -> Function:
    from inspect import iscoroutinefunction  # slow to import

    async def async_decorator(*args: object, **kwargs: object) -> object:
        return stream_with_context(await function(*args, **kwargs))

    def decorator(*args: object, **kwargs: object) -> object:
        return stream_with_context(function(*args, **kwargs))

    return functools.update_wrapper(async_decorator if iscoroutinefunction(function) else decorator, function)


def _stream_in(ctx: RequestContext, items: Iterator[object]) -> Generator[object, None, None]:
    """The items, each computed in the context `ctx`. Between two items, the consumer's context is current."""
    ctx.hold()
    inside: Stacks | None = ctx.stacks
    error: BaseException | None = None
    try:
        try:
            yield None  # The caller discards this item: the generator has to be started for its `finally` to run.
        except GeneratorExit:  # no item was read, as after a HEAD request: not an error
            return
        while True:
            outside = make_current(inside)
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                inside = make_current(outside)
            yield item
    except BaseException as caught:
        error = caught
        raise
    finally:
        outside = make_current(inside)
        try:
            call_close(items)
        finally:
            make_current(ctx.stacks)
            try:
                ctx.release(error)
            finally:
                make_current(outside)
                error = None


class AsyncStream:
    """The items of an async iterator, each computed in the context `ctx`.

    The stream ends with the iterator or with `aclose`. `close` is for a server that never started to read it.
    """

    _has_ended = True
    """Whether the stream does not keep the context: not yet, or no longer."""

    def __init__(self, ctx: RequestContext, items: AsyncIterator[object]) -> None:
        self._ctx = ctx
        self._items = items
        self._inside: Stacks | None = ctx.stacks
        self._has_begun = False
        self._error: BaseException | None = None
        ctx.hold()
        self._has_ended = False

    def __aiter__(self) -> t.Self:
        return self

    async def __anext__(self) -> object:
        self._has_begun = True
        outside = make_current(self._inside)
        try:
            return await self._items.__anext__()
        except StopAsyncIteration:
            make_current(outside)
            await self._end(None)
            raise
        except BaseException as error:
            self._error = error
            await self.aclose()
            raise
        finally:
            self._inside = make_current(outside)

    async def aclose(self) -> None:
        """Close the iterator in the context, then stop keeping the context."""
        if self._has_ended:
            return
        error = self._error
        if error is None and self._has_begun:  # as for a generator that is closed
            error = GeneratorExit()
        outside = make_current(self._inside)
        try:
            await call_aclose(self._items)
        finally:
            self._inside = make_current(outside)
            await self._end(error)

    def close(self) -> None:
        """`aclose` for code that cannot await."""
        if self._has_begun and not self._has_ended:
            run_coroutine(self.aclose())
        self._release(None)

    async def _end(self, error: BaseException | None) -> None:
        """Stop keeping the context, in the view's thread if the edge has pinned it, since teardown may block."""
        threads = self._ctx.threads
        if threads is None or self._has_ended:
            self._release(error)
        else:
            await threads.run(lambda: self._release(error))

    def _release(self, error: BaseException | None) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        self._error = None
        outside = make_current(self._ctx.stacks)
        try:
            self._ctx.release(error)
        finally:
            make_current(outside)

    def __del__(self) -> None:
        self._release(None)  # if the stream was never read
