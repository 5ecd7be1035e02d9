"""Drives the steps of the lifecycle for an event loop: coroutines are awaited there, blocking code runs in threads."""

from __future__ import annotations

import asyncio
import contextvars
import typing as t
from collections.abc import Callable, Generator
from contextlib import suppress
from types import CoroutineType, coroutine

from ..app.lifecycle import READ_BODY, TO_THREAD, Steps, call
from ..context import Context
from .threads import PinnedThread, Workers

T = t.TypeVar("T")


class ThreadCalls:
    """The way to the worker threads for one request, which keeps its context variables."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.variables: contextvars.Context | None = None
        """The context variables of this request, once it has left the server's task."""
        self.pinned: PinnedThread | None = None
        """The thread that this request keeps."""

    async def run(self, function: Callable[[], T]) -> T:
        """Call `function` in a worker thread, with the context variables of this request."""
        if self.variables is None:
            self.variables = contextvars.copy_context()
        variables = self.variables
        return await self._workers.run(lambda: variables.run(function), self.pinned)

    def begin(self, steps: Steps[T], apart: bool) -> object:
        """The first stop of `steps`, or ENDED; with `apart`, in context variables of this request alone."""
        if not apart:
            return next(steps, ENDED)
        self.variables = contextvars.copy_context()
        return self.variables.run(next, steps, ENDED)

    def start(
        self,
        ctx: Context,
        function: Callable[[], t.Any],
        variables: contextvars.Context,
        at_end: Callable[[], None],
    ) -> bool:
        """Run `function` within `ctx` on the loop, after this request; call `at_end` in any case.

        It can be called in any thread. Returns False if the loop has ended.
        """
        loop = self._workers.loop
        if loop is None:
            return False
        try:
            loop.call_soon_threadsafe(_begin, self._workers, ctx, function, at_end, context=variables)
        except RuntimeError:
            return False
        return True

    def note_step(self, ctx: Context) -> None:
        """Called in the thread in which the steps of `ctx` have come to their next stop."""


ENDED: t.Final = object()
"""``next(steps, ENDED)`` returns this for steps that have come to their end. No StopIteration is raised. PERF: hello"""


@coroutine
def rest_of(
    begun: t.Any, awaited: t.Any, variables: contextvars.Context | None = None
) -> Generator[t.Any, t.Any, t.Any]:
    """Await the rest of the coroutine `begun`, whose last step waits for `awaited`, in these context variables."""
    while True:
        try:
            answer = yield awaited
        except BaseException as error:
            step, answer = begun.throw, error
        else:
            step = begun.send
        try:
            awaited = step(answer) if variables is None else variables.run(step, answer)
        except StopIteration as stop:
            return stop.value


ON_LOOP: t.Final = object()
"""Yielded by a coroutine that was begun in a thread: go on on the loop."""


@coroutine
def to_loop(pinned: PinnedThread | None = None) -> Generator[t.Any, t.Any, None]:
    """Awaited in a coroutine that a thread has begun: from here on it runs in a task, and may await anything.

    The thread is to serve `pinned`, if there is one.
    """
    yield ON_LOOP if pinned is None else pinned


async def on_loop(begun: t.Any, awaited: t.Any) -> t.Any:
    """Go on with the coroutine `begun`, whose first step, in a thread, has come to `awaited`."""
    if awaited is ON_LOOP or isinstance(awaited, PinnedThread):
        try:
            awaited = begun.send(None)
        except StopIteration as stop:
            return stop.value
    return await rest_of(begun, awaited)


class _Cancelled(t.NamedTuple):
    """Stands for the next stop of steps that were in a thread when their task was cancelled."""

    error: asyncio.CancelledError


_BEGIN: t.Final = object()


class Drive:
    """Drives the steps of one context: on the loop while they await, in a worker thread when they may block."""

    def __init__(self, ctx: Context, calls: ThreadCalls) -> None:
        self.ctx = ctx
        self.calls = calls
        ctx.on_loop = True

    @coroutine
    def to_end(self, steps: Steps[T], item: t.Any = _BEGIN) -> Generator[t.Any, t.Any, T]:
        """Drive `steps`, which have yielded `item`, and return their result."""
        ctx, calls = self.ctx, self.calls
        while True:
            resume: Callable[[t.Any], t.Any] = steps.send
            value: t.Any = None
            try:
                if item is TO_THREAD:
                    ctx.on_loop = False
                elif item is READ_BODY:
                    yield from self.read_body()
                elif type(item) is CoroutineType:
                    ctx.on_loop = True
                    value = yield from self.awaited(item)
                elif type(item) is _Cancelled:
                    ctx.on_loop = True
                    raise item.error
                elif item is not _BEGIN:
                    self.begin_wait()
                    value = yield item
            except BaseException as error:
                resume, value = steps.throw, error
            if ctx.on_loop:
                try:
                    item = resume(value) if calls.variables is None else calls.variables.run(resume, value)
                except StopIteration as stop:
                    return t.cast("T", stop.value)
            else:
                self.end_wait()
                finished, item = yield from self._in_thread(resume, value)
                if finished:
                    return t.cast("T", item)

    def awaited(self, item: t.Any) -> t.Any:
        """Await a coroutine that the steps have yielded, and return its result."""
        self.begin_wait()
        return _whole(item, self.calls.variables)

    @coroutine
    def read_body(self) -> Generator[t.Any, t.Any, None]:
        """Wait for the body of the request."""
        return
        yield

    def begin_wait(self) -> None:
        """Called before the steps wait on the loop."""

    def end_wait(self) -> None:
        """Called before the steps go on in a thread, and when they have ended."""

    async def _in_thread(self, resume: Callable[[t.Any], t.Any], value: t.Any) -> tuple[bool, t.Any]:
        """Go on in a thread to the steps' next stop (False, with the item) or to their end (True, with the result)."""
        outcome: list[tuple[bool, t.Any]] = []
        try:
            await self.calls.run(lambda: outcome.append(self._step(resume, value)))
        except asyncio.CancelledError as error:
            if not outcome:
                raise  # it came from the steps themselves
            if type(outcome[0][1]) is CoroutineType:
                outcome[0][1].close()
            return False, _Cancelled(error)
        return outcome[0]

    def _step(self, resume: Callable[[t.Any], t.Any], value: t.Any) -> tuple[bool, t.Any]:
        try:
            return False, resume(value)
        except StopIteration as stop:
            return True, stop.value
        finally:
            self.calls.note_step(self.ctx)


@coroutine
def _whole(begun: t.Any, variables: contextvars.Context | None) -> Generator[t.Any, t.Any, t.Any]:
    """Await all of the coroutine `begun` in these context variables."""
    try:
        awaited = begun.send(None) if variables is None else variables.run(begun.send, None)
    except StopIteration as stop:
        return stop.value
    return (yield from rest_of(begun, awaited, variables))


async def call_in(ctx: Context, workers: Workers, function: Callable[[], t.Any]) -> t.Any:
    """Call `function` within `ctx`: on the loop if it is async, else in a thread."""
    calls = ThreadCalls(workers)
    calls.variables = contextvars.copy_context()

    def steps() -> Steps[t.Any]:
        with ctx:
            try:
                result = yield from call(ctx, function)
            except Exception:
                yield TO_THREAD
                raise
            yield TO_THREAD  # the context ends here, and its teardown functions may block
            return result

    return await Drive(ctx, calls).to_end(steps())


_started: set[asyncio.Task[None]] = set()
"""The functions that run on loops by themselves: a loop has only weak references to its tasks."""


def _begin(workers: Workers, ctx: Context, function: Callable[[], t.Any], at_end: Callable[[], None]) -> None:
    task = asyncio.get_running_loop().create_task(_to_its_end(workers, ctx, function, at_end))
    _started.add(task)
    task.add_done_callback(_started.discard)


async def _to_its_end(
    workers: Workers, ctx: Context, function: Callable[[], t.Any], at_end: Callable[[], None]
) -> None:
    try:
        with suppress(Exception):  # `function` has reported it
            await call_in(ctx, workers, function)
    finally:
        at_end()
