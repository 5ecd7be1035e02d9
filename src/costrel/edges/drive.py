"""Drives the steps of the lifecycle for an event loop: what awaits is awaited there, what may block runs in threads."""

from __future__ import annotations

import asyncio
import contextvars
import typing as t
from collections.abc import Callable
from functools import partial
from types import CoroutineType

from ..app import lifecycle
from ..app.lifecycle import Steps
from ..context import Context
from .threads import Workers

T = t.TypeVar("T")


class Hop:
    """The way to the worker threads for one request, which keeps its context variables."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.variables: contextvars.Context | None = None
        """The context variables of this request, once it has left the server's task."""

    async def run(self, function: Callable[[], T]) -> T:
        """Call `function` in a worker thread, with the context variables of this request."""
        if self.variables is None:
            self.variables = contextvars.copy_context()
        variables = self.variables
        return await self._workers.run(lambda: variables.run(function))


class Drive:
    """Drives the steps of one context: on the loop while they await, in a worker thread when they may block."""

    def __init__(self, ctx: Context, hop: Hop) -> None:
        self.ctx = ctx
        self.hop = hop
        ctx.on_loop = True

    async def to_end(self, steps: Steps[T]) -> T:
        """What `steps` return. What they yield is awaited here; after TO_THREAD they go on in a worker thread."""
        advance: Callable[[], t.Any] = steps.__next__
        while True:
            finished, item = await self._advance(advance)
            if finished:
                return t.cast("T", item)
            if item is lifecycle.TO_THREAD:
                self.ctx.on_loop = False
                advance = steps.__next__
                continue
            self.ctx.on_loop = True
            try:
                value = await self._await(item)
            except BaseException as error:
                item.close()  # where it was never begun
                advance = partial(steps.throw, error)
            else:
                advance = partial(steps.send, value)

    async def _advance(self, advance: Callable[[], t.Any]) -> tuple[bool, t.Any]:
        """Go on to what the steps yield next, or to what they return in the end."""
        if self.ctx.on_loop:
            variables = self.hop.variables
            return _step(advance) if variables is None else variables.run(_step, advance)
        outcome: list[tuple[bool, t.Any]] = []
        try:
            await self.hop.run(lambda: outcome.append(_step(advance)))
        except asyncio.CancelledError as error:
            if not outcome:
                raise  # it came from the steps themselves, or the thread was never reached
            return False, _cancelled(outcome[0], error)
        return outcome[0]

    async def _await(self, coroutine: t.Any) -> t.Any:
        if self.hop.variables is None:
            return await coroutine
        # The request has been in a thread: what was set there in context variables is to be seen here.
        return await asyncio.get_running_loop().create_task(coroutine, context=self.hop.variables)


async def _cancelled(outcome: tuple[bool, t.Any], error: asyncio.CancelledError) -> t.NoReturn:
    """Stands for what the steps came to while their task was cancelled: when it is awaited, they are told."""
    if type(outcome[1]) is CoroutineType:
        outcome[1].close()
    raise error


def _step(advance: Callable[[], t.Any]) -> tuple[bool, t.Any]:
    try:
        return False, advance()
    except StopIteration as stop:
        return True, stop.value
