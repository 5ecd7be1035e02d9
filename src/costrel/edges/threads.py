"""Worker threads for the code that would block an event loop, and the hop there and back."""

from __future__ import annotations

import asyncio
import threading
import typing as t
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

T = t.TypeVar("T")

THREADS: t.Final = 32
QUEUE_PER_THREAD: t.Final = 32


class Job:
    """One call for a worker thread, and who waits for it on which loop."""

    __slots__ = ("function", "future", "loop", "over")

    def __init__(self, function: Callable[[], t.Any], loop: asyncio.AbstractEventLoop) -> None:
        self.function = function
        self.loop = loop
        self.future: asyncio.Future[t.Any] = loop.create_future()
        self.over: asyncio.Future[None] | None = None
        """Made where the waiting task was cancelled: done when the function has ended."""

    def settle(self, result: t.Any, error: BaseException | None) -> None:
        """Hand the outcome to whoever waits. Runs on the loop."""
        if self.over is not None and not self.over.done():
            self.over.set_result(None)
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            # A future refuses StopIteration, which a user's code may well raise.
            self.future.set_exception(RuntimeError("StopIteration") if isinstance(error, StopIteration) else error)


class Workers:
    """At most `size` threads, started as they are needed, that run the functions handed to them in order.

    Where more than `queue` functions wait for a thread, `is_full` says so: requests are then refused, since they would
    wait longer and longer. A queue of its own and `call_soon_threadsafe`: measured, a hop costs a quarter (under load)
    to two thirds (one request at a time) of what `run_in_executor` takes.
    """

    def __init__(self, size: int = THREADS, queue: int | None = None) -> None:
        if size < 1:
            raise ValueError(f"There must be at least one worker thread, not {size}: see the setting THREADS.")
        self.size = size
        self.queue = size * QUEUE_PER_THREAD if queue is None else queue
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._idle = 0

    @property
    def is_full(self) -> bool:
        """Whether all threads are busy, and so many functions wait that another request should not."""
        return self._jobs.qsize() > self.queue

    async def run(self, function: Callable[[], T]) -> T:
        """Call `function` in a worker thread and return its result, or raise its error.

        Where the awaiting task is cancelled meanwhile, it goes on when the function has ended: nothing that the
        function uses is taken from it.
        """
        job = Job(function, asyncio.get_running_loop())
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif len(self._threads) < self.size:
                self._start()
        self._jobs.put(job)
        try:
            return t.cast(T, await job.future)
        except asyncio.CancelledError:
            if job.future.cancelled() and job.over is None:
                job.over = job.loop.create_future()
                await job.over
            raise

    def _start(self) -> None:
        name = f"costrel-worker-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                result, error = job.function(), None
            except BaseException as caught:
                result, error = None, caught
            with self._lock:
                self._idle += 1
            with suppress(RuntimeError):  # the loop was closed while the function ran: nobody waits any more
                job.loop.call_soon_threadsafe(job.settle, result, error)
            del result, error, job

    def close(self, timeout: float = 1.0) -> None:
        """Let the threads end when they have done what they have begun; waits `timeout` seconds for each."""
        with self._lock:
            threads, self._threads, self._idle = self._threads, [], 0
        for _ in threads:
            self._jobs.put(None)
        for thread in threads:
            thread.join(timeout)
