"""Functions that wait for the end of a response. They are released when it has been sent, or dropped after an error."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..context import RequestContext, request_context_for
from ..messages.body import CompressedBody
from ..messages.response import EXITS, Response
from ..messages.streams import ClosingIterator
from ..support.closing import call_aclose, call_close
from ..support.coroutines import has_running_loop
from .background import Background
from .calls import Call
from .head import AfterContext, Head

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

F = t.TypeVar("F", bound=Callable[..., t.Any])
T = t.TypeVar("T")

_WAYS_OUT: t.Final = frozenset({"__call__", "close", "get_app_iter", "get_wsgi_response"})
"""The methods of a response that may fail to call `Response.close` if an application overrides them."""


def after_response(function: F, /, *args: object, always: bool = False, **kwargs: t.Any) -> F:
    """Call `function` with these arguments after the response to this request has been sent.

    A ``def`` function runs in a thread pool for this purpose (``BACKGROUND_THREADS``), an ``async def`` function on the
    server's event loop, each in a new application context with the head of the request. It does not run if an error
    occurs in the view or before the response is complete, unless `always` is true.

    Can be used as a decorator. Raises RuntimeError outside of a request, and TypeError if `function` is not callable.
    """
    ctx = request_context_for("after_response")
    call = Call(function, args, kwargs, always, ctx)
    if isinstance(ctx, AfterContext):  # called in a function that itself runs after a response
        if ctx.has_ended:
            raise RuntimeError(
                "after_response cannot be called while the context of a function after a response is torn down, since"
                " it would never end. Call it in a 'teardown_request' function, which runs once per request."
            )
        call.head = Head(ctx)
        call.threads = ctx.way
        _submit(ctx, [call], ctx.batch, runs_here=False)
        return function
    if ctx.held is None:
        ctx.held = Held(ctx)
        ctx.outlives = True
    t.cast(Held, ctx.held).add(call, ctx)
    return function


_awaited: ContextVar[list[Held] | None] = ContextVar("costrel.awaited", default=None)


@contextmanager
def awaited() -> Iterator[list[Held]]:
    """Tell a test client whether functions wait for a response. Yields a list, which is not empty if they do.

    The client then has to read the response completely. Streams of unknown length are not counted.
    """
    waiting: list[Held] = []
    token = _awaited.set(waiting)
    try:
        yield waiting
    finally:
        _awaited.reset(token)


class Held:
    """The functions that one request has registered with `after_response`."""

    def __init__(self, ctx: RequestContext) -> None:
        self._ctx: RequestContext | None = ctx
        """The context of the request; None once the functions are released, to end the reference cycle."""
        self._calls: list[Call] = []
        self._head: Head | None = None
        self._hook: _Hook | None = None

    @property
    def is_attached(self) -> bool:
        """Whether the functions are released at the end of a response."""
        return self._hook is not None

    def add(self, call: Call, ctx: RequestContext) -> None:
        """Hold another function, or submit it if the response has been sent."""
        self._calls.append(call)
        if self._ctx is None:
            self._submit(ctx)

    def fail(self) -> None:
        """Drop the functions, except for those with `always`."""
        self._calls = [call for call in self._calls if call.always]

    def detach(self) -> None:
        """Stop waiting for the end of a response that will not be sent. Another response follows."""
        self._hook = None

    def conclude(self, response: T) -> T:
        """Release the functions at the end of `response`. Returns it, or a callable that takes its place."""
        ctx = self._ctx
        if ctx is None:
            return response
        self._head = Head(ctx)
        hook = self._hook = _Hook(self)
        if hasattr(response, "on_end"):  # a mounted ASGI application
            response.on_end = hook
            return response
        if not isinstance(response, Response):
            return t.cast(T, _Followed(t.cast("WSGIApplication", response), hook))
        waiting = _awaited.get()
        if waiting is not None and (response.is_sequence or response.content_length is not None):
            waiting.append(self)
        pieces = response.response
        replaced = EXITS.replaced(response)
        if not _WAYS_OUT.isdisjoint(replaced) and not hasattr(pieces, "__aiter__"):
            return t.cast(T, _Followed(response, hook))
        if response.direct_passthrough:
            response.direct_passthrough = ctx.sends_async  # a WSGI server would close only the file
        elif isinstance(pieces, CompressedBody):
            pieces.pieces = self._watched(pieces.pieces, ctx)
        elif not response.is_sequence:
            response.response = self._watched(pieces, ctx)
        response.call_on_close(hook)
        return response

    def _watched(self, pieces: t.Any, ctx: RequestContext) -> _Watched | _AsyncWatched:
        """The chunks of a stream. An error drops the functions. In tests under WSGI, the end releases them."""
        if hasattr(pieces, "__aiter__"):
            return _AsyncWatched(pieces, self)
        ends_here = ctx.app.testing and not ctx.sends_async
        return _Watched(pieces, self, self._hook if ends_here else None)

    def release(self) -> None:
        """Submit the functions to the threads or the event loop. In tests, wait until they have ended.

        Under ASGI, functions for which the queue has no room run here: the response has been sent, so this thread is
        free.
        """
        ctx, self._ctx, self._hook = self._ctx, None, None
        if ctx is not None:
            self._submit(ctx)

    def _submit(self, ctx: RequestContext) -> None:
        calls, self._calls = self._calls, []
        if not calls:
            return
        head = self._head or Head(ctx)
        for call in calls:
            call.head = head
            call.threads = ctx.threads
        _submit(ctx, calls, [] if ctx.app.testing else None, runs_here=ctx.sends_async)


def background_of(ctx: RequestContext) -> Background:
    """The background threads of the application of `ctx`."""
    return t.cast(Background, ctx.app.background_work)


def _submit(ctx: RequestContext, calls: list[Call], batch: list[t.Any] | None, runs_here: bool) -> None:
    """Submit calls. If there is a `batch`, something waits for them: the owner of the list, or else this function."""
    background = background_of(ctx)
    for call in calls:
        if batch is not None:
            call.done = threading.Event()
        if background.submit(call):
            continue
        if not runs_here:
            background.refuse(call)
        elif call.is_async:
            call.done = call.done or threading.Event()
            call.start()
            call.wait()
        else:
            call.run()
    if batch is not None and isinstance(ctx, AfterContext):
        batch.extend(calls)
    elif batch is not None and not (ctx.sends_async and has_running_loop()):  # waiting would block the functions' loop
        for call in calls:
            call.wait()


class _Hook:
    """Called at the end of a response. Releases the functions unless another response has replaced this one."""

    def __init__(self, held: Held) -> None:
        self._held = held

    def __call__(self) -> None:
        if self._held._hook is self:
            self._held.release()


class _Followed:
    """A WSGI application that releases the functions at the end of its body."""

    is_sequence = False

    def __init__(self, application: WSGIApplication, hook: _Hook) -> None:
        self._application = application
        self._hook = hook

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Call the application."""
        return ClosingIterator(self._application(environ, start_response), [self._hook])

    def close(self) -> None:
        """Close a response that is not sent."""
        call_close(self._application)


class _Watched:
    """The chunks of a stream. An error in them drops the functions."""

    def __init__(self, pieces: Iterable[t.Any], held: Held, at_end: _Hook | None) -> None:
        self._pieces = pieces
        self._iterator = iter(pieces)
        self._held = held
        self._at_end = at_end

    def __iter__(self) -> Iterator[t.Any]:
        return self

    def __next__(self) -> t.Any:
        try:
            return next(self._iterator)
        except StopIteration:
            if self._at_end is not None:
                self._at_end()
            raise
        except Exception:
            self._held.fail()
            raise

    def close(self) -> None:
        """Close the stream."""
        call_close(self._pieces)


class _AsyncWatched:
    """The chunks of an async stream. An error in them drops the functions."""

    def __init__(self, pieces: AsyncIterable[t.Any], held: Held) -> None:
        self._pieces = pieces
        self._iterator: AsyncIterator[t.Any] = pieces.__aiter__()
        self._held = held

    def __aiter__(self) -> AsyncIterator[t.Any]:
        return self

    async def __anext__(self) -> t.Any:
        try:
            return await self._iterator.__anext__()
        except StopAsyncIteration:
            raise
        except Exception:
            self._held.fail()
            raise

    async def aclose(self) -> None:
        """Close the stream."""
        await call_aclose(self._iterator)

    def close(self) -> None:
        """Close a stream that was not read."""
        call_close(self._pieces)
