"""Running a coroutine from code that has no event loop: each thread keeps a loop of its own for it.

asyncio takes a quarter of the time and memory in which all the rest is imported. Who has no coroutine does without.
"""

from __future__ import annotations

import contextvars
import threading
import typing as t
from collections.abc import Callable, Coroutine, Generator

if t.TYPE_CHECKING:
    import asyncio

T = t.TypeVar("T")


class _ThreadLoop(threading.local):
    """The loop of one thread, made when it is first needed and closed when the thread ends."""

    loop: asyncio.AbstractEventLoop | None = None
    keeper: _Keeper | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        import asyncio

        if self.loop is None or self.loop.is_closed():
            self.loop = asyncio.new_event_loop()
            self.keeper = _Keeper(self.loop)
        return self.loop


class _Keeper:
    """Closes a loop when the thread that owned it is gone, or the interpreter ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def __del__(self) -> None:
        self.loop.close()


_thread = _ThreadLoop()


def run_coroutine(coroutine: Coroutine[t.Any, t.Any, T]) -> T:
    """Run `coroutine` to its end and return its result or raise its error.

    It sees the context variables of the caller, and what it sets in them is there afterwards. Tasks that it
    started and did not wait for are cancelled. Where this thread is running a loop already, which must not be
    entered twice, another thread does the work while this one waits.
    """
    context = contextvars.copy_context()
    if _has_running_loop():
        result = _in_another_thread(coroutine, context)
    else:
        result = _on_loop(_thread.get(), coroutine, context)
    for variable, value in context.items():
        if variable.get(_ThreadLoop) is not value:
            variable.set(value)
    return result


def _has_running_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _on_loop(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[t.Any, t.Any, T], context: contextvars.Context) -> T:
    import asyncio

    try:
        return loop.run_until_complete(loop.create_task(coroutine, context=context))
    finally:
        left_over = asyncio.all_tasks(loop)
        for task in left_over:
            task.cancel()
        if left_over:
            loop.run_until_complete(asyncio.gather(*left_over, return_exceptions=True))


def _in_another_thread(coroutine: Coroutine[t.Any, t.Any, T], context: contextvars.Context) -> T:
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


def run_steps(
    steps: Generator[t.Any, t.Any, T], run: Callable[[t.Any], t.Any] = run_coroutine, awaitable: t.Any = None
) -> T:
    """Drive a generator that yields coroutines to its end in this thread, and return what it returns.

    `awaitable` is its first coroutine, where the generator was begun already.
    """
    try:
        if awaitable is None:
            awaitable = next(steps)
        while True:
            try:
                value = run(awaitable)
            except BaseException as error:
                awaitable = steps.throw(error)
            else:
                awaitable = steps.send(value)
    except StopIteration as stop:
        result: T = stop.value
        return result
