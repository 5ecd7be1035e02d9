"""Tasks for code of the user's, which must not end the process in which it runs."""

from __future__ import annotations

import asyncio
import typing as t
from collections.abc import Coroutine
from contextvars import Context

T = t.TypeVar("T")


class _Exit:
    """A SystemExit or KeyboardInterrupt, on its way to whoever awaits the task: asyncio would end the loop with it."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


async def _held(coroutine: Coroutine[t.Any, t.Any, T]) -> T | _Exit:
    try:
        return await coroutine
    except (SystemExit, KeyboardInterrupt) as error:
        return _Exit(error)


def start_held(coroutine: Coroutine[t.Any, t.Any, T], variables: Context | None = None) -> asyncio.Task[T | _Exit]:
    """Run `coroutine` in a task, in these context variables or a copy of the current ones; see `released`."""
    task = asyncio.get_running_loop().create_task(_held(coroutine), context=variables)
    task.add_done_callback(lambda _: coroutine.close())  # it was never begun where the task is cancelled at once
    return task


def released(outcome: T | _Exit) -> T:
    """The result of a task that `start_held` has started; raises what ended it."""
    if isinstance(outcome, _Exit):
        raise outcome.error
    return outcome
