"""A thread pool whose functions have the application and request of the code that submits them."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from ..context import peek
from .threads import in_context

P = t.ParamSpec("P")
R = t.TypeVar("R")


class ContextExecutor(ThreadPoolExecutor):
    """A `ThreadPoolExecutor` whose functions run in the context in which they were submitted.

    A function that is submitted outside of a context runs without one.
    """

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Schedule a call of `fn`, like `concurrent.futures.Executor.submit`."""
        return super().submit(fn if peek() is None else in_context(fn), *args, **kwargs)
