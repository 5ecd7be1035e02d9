"""Drives the steps of the lifecycle for an event loop: what awaits is awaited there, what may block runs in threads."""

from __future__ import annotations

import asyncio
import contextvars
import typing as t
from collections.abc import Callable
from types import CoroutineType, coroutine

from ..app import lifecycle
from ..app.lifecycle import Steps
from ..context import Context
from ..support.tasks import released, start_held
from .threads import Lane, Workers

T = t.TypeVar("T")


class Hop:
    """The way to the worker threads for one request, which keeps its context variables."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.variables: contextvars.Context | None = None
        """The context variables of this request, once it has left the server's task."""
        self.lane: Lane | None = None
        """The thread that this request keeps."""

    async def run(self, function: Callable[[], T]) -> T:
        """Call `function` in a worker thread, with the context variables of this request."""
        if self.variables is None:
            self.variables = contextvars.copy_context()
        variables = self.variables
        return await self._workers.run(lambda: variables.run(function), self.lane)

    def note_step(self, ctx: Context) -> None:
        """The steps of `ctx` have come to their next stop. Called in the thread that has done them."""


ENDED: t.Final = object()
"""Stands for what steps yield that have come to their end."""


def first_steps(steps: Steps[t.Any]) -> t.Any:
    """Take the steps that have nothing to wait for; what they yield then, or ENDED.

    PERF: ASGI hello. Most async views end with their first step: then nobody has to drive them.
    """
    try:
        item = steps.send(None)
        while item is not lifecycle.TO_THREAD:
            try:
                awaited = item.send(None)
            except StopIteration as stop:
                item = steps.send(stop.value)
            except BaseException as error:
                item = steps.throw(error)
            else:
                return rest_of(item, awaited)
    except StopIteration:
        return ENDED
    return item


@coroutine
def rest_of(begun: t.Any, awaited: t.Any) -> t.Generator[t.Any, t.Any, t.Any]:
    """Await the rest of the coroutine `begun`, whose first step waits for `awaited`."""
    while True:
        try:
            answer = yield awaited
        except BaseException as error:
            step, answer = begun.throw, error
        else:
            step = begun.send
        try:
            awaited = step(answer)
        except StopIteration as stop:
            return stop.value


ON_LOOP: t.Final = object()
"""Yielded by a coroutine that was begun in a thread: go on on the loop."""


@coroutine
def to_loop(lane: Lane | None = None) -> t.Generator[t.Any, t.Any, None]:
    """Awaited in a coroutine that a thread has begun: from here on it runs in a task, where it may await anything.

    The thread is to serve `lane`, where there is one.
    """
    yield ON_LOOP if lane is None else lane


async def on_loop(begun: t.Any, awaited: t.Any) -> t.Any:
    """Go on with the coroutine `begun`, whose first step, in a thread, has come to `awaited`."""
    if awaited is ON_LOOP or isinstance(awaited, Lane):
        try:
            awaited = begun.send(None)
        except StopIteration as stop:
            return stop.value
    return await rest_of(begun, awaited)


class Drive:
    """Drives the steps of one context: on the loop while they await, in a worker thread when they may block."""

    def __init__(self, ctx: Context, hop: Hop) -> None:
        self.ctx = ctx
        self.hop = hop
        ctx.on_loop = True

    async def to_end(self, steps: Steps[T], item: t.Any = None) -> T:
        """What `steps` return. What they yield is awaited here; after TO_THREAD they go on in a worker thread.

        `item` is what they have yielded last, where they were begun.
        """
        ctx, hop = self.ctx, self.hop
        advance: Callable[[t.Any], t.Any] = steps.send
        value: t.Any = None
        while True:
            if item is not None:
                pass
            elif ctx.on_loop:
                try:
                    item = advance(value) if hop.variables is None else hop.variables.run(advance, value)
                except StopIteration as stop:
                    return t.cast("T", stop.value)
            else:
                finished, item = await self._advance_in_thread(advance, value)
                if finished:
                    return t.cast("T", item)
            if item is lifecycle.TO_THREAD:
                ctx.on_loop = False
                advance, value, item = steps.send, None, None
                continue
            ctx.on_loop = True
            try:
                value = await self._await(item)
            except BaseException as error:
                item.close()  # where it was never begun
                advance, value = steps.throw, error
            else:
                advance = steps.send
            item = None

    async def _advance_in_thread(self, advance: Callable[[t.Any], t.Any], value: t.Any) -> tuple[bool, t.Any]:
        """Go on to what the steps yield next, or to what they return in the end."""
        outcome: list[tuple[bool, t.Any]] = []
        try:
            await self.hop.run(lambda: outcome.append(self._step(advance, value)))
        except asyncio.CancelledError as error:
            if not outcome:
                raise  # it came from the steps themselves, or the thread was never reached
            return False, _cancelled(outcome[0], error)
        return outcome[0]

    def _step(self, advance: Callable[[t.Any], t.Any], value: t.Any) -> tuple[bool, t.Any]:
        try:
            return False, advance(value)
        except StopIteration as stop:
            return True, stop.value
        finally:
            self.hop.note_step(self.ctx)

    async def _await(self, awaitable: t.Any) -> t.Any:
        if self.hop.variables is None:
            return await awaitable
        # The request has been in a thread: what was set there in context variables is to be seen here.
        return released(await start_held(awaitable, self.hop.variables))


async def _cancelled(outcome: tuple[bool, t.Any], error: asyncio.CancelledError) -> t.NoReturn:
    """Stands for what the steps came to while their task was cancelled: when it is awaited, they are told."""
    if type(outcome[1]) is CoroutineType:
        outcome[1].close()
    raise error
