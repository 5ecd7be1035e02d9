"""Functions for threads that see the application and the request of the code that has started them."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Callable
from contextvars import copy_context

from ..context import Context, current, make_current, peek_request
from ..support.coroutines import call_sync

R = t.TypeVar("R")


def in_context(function: Callable[..., R]) -> Callable[..., R]:
    """`function`, within a context of its own for the current application, with the current request if there is one.

    Each call gets its own application context, so that `g` and the connections in it are not shared by threads. An
    ``async def`` function is run to its end. Raises RuntimeError outside of an application context.
    """
    ctx, request_ctx = current(), peek_request()
    variables = copy_context()
    variables.run(make_current, None)
    copies = [] if request_ctx is None else [request_ctx.copy()]  # from now on, the files of the request stay open

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
    """A thread for one function within a context. It is also a callable, as the target of another thread."""

    def __init__(self, function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        self._in_context = in_context(function)
        super().__init__(target=self._in_context, args=args, kwargs=kwargs)

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Call the function in the current thread, within the context."""
        return self._in_context(*args, **kwargs)


def context_thread(function: Callable[..., object], /, *args: object, **kwargs: object) -> ContextThread:
    """A `threading.Thread`, to be started, that calls `function` with these arguments within the current context.

    The thread sees the current application, and the current request and session if there is a request. Raises
    RuntimeError outside of an application context, and TypeError if `function` cannot be called.
    """
    if not callable(function):
        raise TypeError(f"context_thread takes a function and its arguments, not {function!r}.")
    return ContextThread(function, args, kwargs)
