"""Tasks that run application code, which must not end the process by raising SystemExit or KeyboardInterrupt."""

from __future__ import annotations

import asyncio
import typing as t
from contextvars import Context

from .coroutines import AnyCoroutine

T = t.TypeVar("T")


class _Exit:
    """A SystemExit or KeyboardInterrupt as the result of a task. As its exception, it would end the event loop."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


async def _held(coroutine: AnyCoroutine[T]) -> T | _Exit:
    try:
        return await coroutine
    except (SystemExit, KeyboardInterrupt) as error:
        return _Exit(error)


def start_held(coroutine: AnyCoroutine[T], variables: Context | None = None) -> asyncio.Task[T | _Exit]:
    """Run `coroutine` in a task, with `variables` as its context or a copy of the current one; see `released`."""
    task = asyncio.get_running_loop().create_task(_held(coroutine), context=variables)
    task.add_done_callback(lambda _: coroutine.close())  # it never starts if the task is cancelled at once
    return task


def released(outcome: T | _Exit) -> T:
    """The result of a task that was started by `start_held`. Raises the exception that ended it."""
    if isinstance(outcome, _Exit):
        raise outcome.error
    return outcome
