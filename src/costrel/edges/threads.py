"""Worker threads for the code that would block an event loop, and the hop there and back."""

from __future__ import annotations

import asyncio
import threading
import typing as t
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

T = t.TypeVar("T")
Job = tuple[Callable[[], t.Any], "asyncio.Future[t.Any]", asyncio.AbstractEventLoop]


class Workers:
    """At most `size` threads, started as they are needed, that run the functions handed to them in order.

    A queue of its own and `call_soon_threadsafe`: measured, a hop costs a quarter (under load) to two thirds (one
    request at a time) of what `run_in_executor` takes.
    """

    def __init__(self, size: int = 32) -> None:
        self.size = size
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._idle = 0

    async def run(self, function: Callable[[], T]) -> T:
        """Call `function` in a worker thread and return its result, or raise its error.

        Where the awaiting task is cancelled meanwhile, the function runs on and its result is dropped.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif len(self._threads) < self.size:
                self._start()
        self._jobs.put((function, future, loop))
        return await future

    def _start(self) -> None:
        name = f"costrel-worker-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            function, future, loop = job
            try:
                result, error = function(), None
            except BaseException as caught:
                result, error = None, caught
            with self._lock:
                self._idle += 1
            with suppress(RuntimeError):  # the loop was closed while the function ran: nobody waits any more
                loop.call_soon_threadsafe(_settle, future, result, error)
            del function, future, loop, result, error, job

    def close(self, timeout: float = 1.0) -> None:
        """Let the threads end when they have done what they have begun; waits `timeout` seconds for each."""
        with self._lock:
            threads, self._threads, self._idle = self._threads, [], 0
        for _ in threads:
            self._jobs.put(None)
        for thread in threads:
            thread.join(timeout)


def _settle(future: asyncio.Future[t.Any], result: t.Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        # A future refuses StopIteration, which a user's code may well raise.
        future.set_exception(RuntimeError("StopIteration") if isinstance(error, StopIteration) else error)
