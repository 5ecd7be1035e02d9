"""Threads that have the application and request of the code that starts them."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Callable
from contextvars import copy_context

from ..context import Context, current, make_current, peek_request
from ..support.coroutines import call_sync

R = t.TypeVar("R")


def in_context(function: Callable[..., R]) -> Callable[..., R]:
    """Wrap `function` so that it runs in the current application and, if there is one, the current request.

    Each call has an application context of its own, so that threads do not share `g` and the connections in it. An
    ``async def`` function runs on a new event loop. Raises RuntimeError outside of an application context.
    """
    ctx, request_ctx = current(), peek_request()
    variables = copy_context()
    variables.run(make_current, None)
    copies = [] if request_ctx is None else [request_ctx.copy()]  # the copy keeps the request's files open

    def context() -> Context:
        if request_ctx is None:
            return ctx.app.app_context()
        return copies.pop() if copies else request_ctx.copy()

    def run(*args: object, **kwargs: object) -> R:
        def call() -> R:
            with context():
                result: R = call_sync(ctx.app, lambda: function(*args, **kwargs))
                return result

        return variables.copy().run(call)

    return run


class ContextThread(threading.Thread):
    """A thread that runs a function in a context. It is also callable, as the target of another thread."""

    def __init__(self, function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        self._in_context = in_context(function)
        super().__init__(target=self._in_context, args=args, kwargs=kwargs)

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Call the function in the current thread, in the context."""
        return self._in_context(*args, **kwargs)


def context_thread(function: Callable[..., object], /, *args: object, **kwargs: object) -> ContextThread:
    """A `threading.Thread` that calls `function` with these arguments in the current context. Start it with `start`.

    The thread has the current application and, during a request, the current request and session. Raises RuntimeError
    outside of an application context, and TypeError if `function` is not callable.
    """
    if not callable(function):
        raise TypeError(f"context_thread takes a function and its arguments, not {function!r}.")
    return ContextThread(function, args, kwargs)
