"""Running a coroutine from code without an event loop: each thread keeps its own loop.

asyncio is imported on first use, since it takes a quarter of the import time and memory of the rest of the package.
"""

from __future__ import annotations

import contextvars
import threading
import typing as t
import weakref
from collections.abc import Callable, Coroutine, Generator
from functools import update_wrapper
from types import CoroutineType, coroutine

if t.TYPE_CHECKING:
    import asyncio

T = t.TypeVar("T")
F = t.TypeVar("F", bound="Function")
Y = t.TypeVar("Y")

AnyCoroutine: t.TypeAlias = Coroutine[t.Any, t.Any, T]
Function: t.TypeAlias = Callable[..., t.Any]


class Adapter(t.Protocol):
    """An application, as the owner of functions that may be ``async def``."""

    def ensure_sync(self, func: Function, /) -> Function: ...


def call_sync(app: Adapter, function: Function, *args: object) -> t.Any:
    """Call a function of an application from code that cannot await. If it returns a coroutine, run it."""
    result = app.ensure_sync(function)(*args)
    return run_coroutine(result) if result.__class__ is CoroutineType else result


def running(function: F) -> F:
    """Return `function` itself, or a wrapper that runs its coroutine, if it is or decorates an ``async def``."""
    from inspect import iscoroutinefunction, unwrap  # slow to import

    if not (iscoroutinefunction(function) or iscoroutinefunction(unwrap(function))):
        return function

    def run(*args: object, **kwargs: object) -> object:
        result = function(*args, **kwargs)
        return run_coroutine(result) if result.__class__ is CoroutineType else result  # a decorator may have run it

    return t.cast("F", update_wrapper(run, function))


def refuse_async_generator(place: str, function: Function) -> None:
    """Raise TypeError if `function` is an ``async def`` with ``yield``. `place` is what it was registered as."""
    from inspect import isasyncgenfunction  # slow to import

    if isasyncgenfunction(function):
        name = getattr(function, "__name__", repr(function))
        raise TypeError(f"{name!r} is an 'async def' with 'yield': as {place} nothing would read its values.")


def refuse_async(place: str, function: Function) -> None:
    """Raise TypeError if `function` is ``async def``. `place` is what it was registered as, and is not awaited."""
    from inspect import isasyncgenfunction, iscoroutinefunction  # slow to import

    if iscoroutinefunction(function) or isasyncgenfunction(function):
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(f"{name!r} is 'async def': as {place} it must be a plain function, since nothing awaits it.")


class _ThreadLoop(threading.local):
    """The loop of one thread, created on first use and closed when the thread ends."""

    loop: asyncio.AbstractEventLoop | None = None
    keeper: _Keeper | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        import asyncio

        if self.loop is None or self.loop.is_closed():
            self.loop = asyncio.new_event_loop()
            self.keeper = _Keeper(self.loop)
        return self.loop


class _Keeper:
    """Closes a loop when its thread ends, or at the exit of the interpreter, while all modules still exist."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        weakref.finalize(self, _close, loop)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    if not loop.is_running():  # at the exit, a thread may still use it
        loop.close()


_thread = _ThreadLoop()


def run_coroutine(coroutine: AnyCoroutine[T]) -> T:
    """Run `coroutine` to its end, and return its result or raise its error.

    The coroutine shares the context variables of the caller. Tasks that it started and did not await are cancelled. If
    this thread is already running a loop, which cannot be entered twice, another thread runs the coroutine while this
    one waits.
    """
    context = contextvars.copy_context()
    if has_running_loop():
        result = _in_another_thread(coroutine, context)
    else:
        result = _on_loop(_thread.get(), coroutine, context)
    for variable, value in context.items():
        if variable.get(_ThreadLoop) is not value:
            variable.set(value)
    return result


def has_running_loop() -> bool:
    """Whether this thread runs an event loop."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _on_loop(loop: asyncio.AbstractEventLoop, coroutine: AnyCoroutine[T], context: contextvars.Context) -> T:
    import asyncio

    try:
        return loop.run_until_complete(loop.create_task(coroutine, context=context))
    finally:
        left_over = asyncio.all_tasks(loop)
        for task in left_over:
            task.cancel()
        if left_over:
            loop.run_until_complete(asyncio.gather(*left_over, return_exceptions=True))


def _in_another_thread(coroutine: AnyCoroutine[T], context: contextvars.Context) -> T:
    import asyncio

    outcome: list[T] = []
    failure: list[BaseException] = []

    def work() -> None:
        loop = asyncio.new_event_loop()
        try:
            outcome.append(_on_loop(loop, coroutine, context))
        except BaseException as error:
            failure.append(error)
        finally:
            loop.close()

    thread = threading.Thread(target=work, name="costrel-coroutine")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


@coroutine
def await_steps(
    steps: Generator[Y, object, T], run: Callable[[Y], Generator[object, object, object] | AnyCoroutine[object]]
) -> Generator[t.Any, t.Any, T]:
    """Run a generator to its end, and return its result. For code that can await, and for nested generators.

    `run` gets each object that the generator yields, and returns a coroutine or a generator whose result is sent back.
    """
    try:
        yielded = next(steps)
    except StopIteration as stop:
        return t.cast("T", stop.value)
    return (yield from _remaining_steps(steps, run, yielded))


def run_steps(steps: Generator[Y, object, T], run: Callable[[Y], object], yielded: Y | None = None) -> T:
    """The blocking counterpart of `await_steps`: `run` returns the value instead of a coroutine.

    If the generator has been started already, `yielded` is the first object that it yielded.
    """

    async def run_now(item: Y) -> object:
        return run(item)

    try:
        _remaining_steps(steps, run_now, next(steps) if yielded is None else yielded).send(None)
    except StopIteration as stop:
        return t.cast("T", stop.value)
    raise AssertionError("These steps never wait.")


@coroutine
def _remaining_steps(
    steps: Generator[Y, object, T],
    run: Callable[[Y], Generator[object, object, object] | AnyCoroutine[object]],
    yielded: Y,
) -> Generator[t.Any, t.Any, T]:
    while True:
        try:
            try:
                value = yield from run(yielded)  # type: ignore[misc]  # the decorator allows coroutines
            except BaseException as error:
                yielded = steps.throw(error)
            else:
                yielded = steps.send(value)
        except StopIteration as stop:
            return t.cast("T", stop.value)
