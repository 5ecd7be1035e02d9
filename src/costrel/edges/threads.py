"""Worker threads for code that would block an event loop, and the way there and back."""

from __future__ import annotations

import asyncio
import threading
import time
import typing as t
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue

from ..http.errors import ServiceUnavailable

T = t.TypeVar("T")

THREADS: t.Final = 32
QUEUE_PER_THREAD: t.Final = 32

STREAM_THREADS: t.Final = 512
"""The maximum number of threads for the bodies of responses, and the same for bodies of requests."""

IDLE: t.Final = 32
"""The number of idle threads that are kept for later bodies of responses."""

RETRY_AFTER: t.Final = 5
"""The seconds after which a client may try again if no thread was free for a body."""


class NoThreadLeft(Exception):
    """Raised if the maximum number of threads is already lent to bodies."""


class ResultQueue:
    """A queue in which threads put their results for one loop. Many results wake the loop once. PERF: served."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._outcomes: deque[tuple[Job, t.Any, BaseException | None]] = deque()
        self._is_called = False

    def put(self, job: Job, result: t.Any, error: BaseException | None) -> None:
        """Add the outcome of `job`, and wake the loop unless it was woken already."""
        self._outcomes.append((job, result, error))
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):  # the loop was closed while the function ran
                self.loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        # Reset before the outcomes are taken: a thread that still read True has put its outcome there before.
        self._is_called = False
        outcomes = self._outcomes
        for _ in range(len(outcomes)):
            job, result, error = outcomes.popleft()
            job.settle(result, error)


class Job:
    """One call for a worker thread, and the receiver of its outcome."""

    __slots__ = ("function", "future", "has_ended", "over", "results")

    def __init__(self, function: Callable[[], t.Any], results: ResultQueue) -> None:
        self.function = function
        self.results = results
        self.future: asyncio.Future[t.Any] = results.loop.create_future()
        self.has_ended = False
        self.over: asyncio.Future[None] | None = None
        """Exists if the waiting task was cancelled; done when the function has ended."""

    def settle(self, result: t.Any, error: BaseException | None) -> None:
        """Pass the outcome to the waiting task. Runs on the loop."""
        self.has_ended = True
        if self.over is not None and not self.over.done():
            self.over.set_result(None)
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            # A future refuses StopIteration, and GeneratorExit would end the coroutine that waits. Views raise both.
            is_odd = isinstance(error, (StopIteration, GeneratorExit))
            self.future.set_exception(RuntimeError(type(error).__name__) if is_odd else error)


class PinnedThread:
    """One thread that a request keeps to its end: some objects, such as sqlite3 connections, belong to a thread.

    The thread calls `serve`, which returns after `close`.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.is_given_up = False
        """Whether its current function may never end, since the task that waited for it was cancelled."""

    def put(self, job: Job) -> None:
        """Add `job` to the work of the thread."""
        self._jobs.put(job)

    def close(self) -> None:
        """Release the thread after the jobs that it has."""
        self._jobs.put(None)

    def serve(self) -> None:
        """Run the jobs. Called in the thread."""
        while (job := self._jobs.get()) is not None:
            try:
                result, error = job.function(), None
            except BaseException as caught:
                result, error = None, caught
            job.results.put(job, result, error)
            del result, error, job


class Workers:
    """At most `size` threads, started on demand, that run functions in the order of their arrival.

    If more than `queue` functions wait for a thread, the edge refuses requests, since they would wait longer and
    longer. The class has its own queue and uses `call_soon_threadsafe`: a call takes a quarter (under load) to two
    thirds (one request at a time) of the time of `run_in_executor`.
    """

    def __init__(self, size: int = THREADS, queue: int | None = None, streams: int = STREAM_THREADS) -> None:
        if size < 1:
            raise ValueError(f"There must be at least one worker thread, not {size}: see the setting THREADS.")
        self.size = size
        self.queue = size * QUEUE_PER_THREAD if queue is None else queue
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.count_waiting = self._jobs.qsize
        """Returns the number of functions that wait for a thread."""
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._unfinished = 0
        self.ended = 0
        """The number of functions that have ended."""
        self._lent = 0
        """The number of threads that wait for a client or that a response keeps. Another one replaces each of them."""
        self._most = streams
        self._waiting = 0
        """The number of threads that wait for the body of a request."""
        self._streams = 0
        """The number of threads that bodies of responses keep."""
        self._idle: list[StreamThread] = []
        self._results: ResultQueue | None = None
        """The results of the loop that called `run` last."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that has asked for a thread last."""
        return None if self._results is None else self._results.loop

    @property
    def waiting(self) -> int:
        """The number of functions that wait for a thread."""
        return self.count_waiting()

    def identifiers(self) -> list[int]:
        """The identifiers of the threads."""
        with self._lock:
            return [thread.ident for thread in self._threads if thread.ident is not None]

    async def run(self, function: Callable[[], T], pinned: PinnedThread | None = None) -> T:
        """Call `function` in a worker thread, or in a `pinned`, and return its result, or raise its error.

        If the awaiting task is cancelled meanwhile, it continues when the function has ended, so that the function
        keeps everything that it uses.
        """
        loop, results = asyncio.get_running_loop(), self._results
        if results is None or results.loop is not loop:
            results = self._results = ResultQueue(loop)
        job = Job(function, results)
        if pinned is not None and not pinned.is_given_up:
            pinned.put(job)
        else:
            with self._lock:
                self._unfinished += 1
                if self._unfinished > len(self._threads):
                    self._start()
            self._jobs.put(job)
        try:
            return t.cast(T, await job.future)
        except asyncio.CancelledError:
            # The function may have ended after the cancellation, and before this task ran again.
            if job.future.cancelled() and not job.has_ended:
                job.over = loop.create_future()
                if pinned is not None:
                    pinned.is_given_up = True
                await job.over
                if pinned is not None:
                    pinned.is_given_up = False
            raise

    def give_away(self, most: int) -> int:
        """Give up to `most` of the threads to a server that has its own, at most half of them. Returns the number.

        At least two stay here, since a stream cannot keep a single thread.
        """
        given = max(min(most, self.size // 2, self.size - 2), 0)
        self.size -= given
        return given

    def _start(self) -> None:
        """Start a thread, unless the maximum number is running."""
        if len(self._threads) < self.size + self._lent:
            thread = WorkerThread(self, f"costrel-worker-{len(self._threads) + 1}")
            self._threads.append(thread)
            thread.start()

    def work(self) -> None:
        """Run jobs. Called in each of the threads."""
        thread = t.cast("WorkerThread", threading.current_thread())
        while (job := self._jobs.get()) is not None:
            try:
                result, error = job.function(), None
            except BaseException as caught:
                result, error = None, caught
            pinned = thread.pinned
            is_too_many = pinned is None and self._has_ended(thread)
            job.results.put(job, result, error)
            del result, error, job
            if pinned is not None:
                pinned.serve()
                thread.pinned = None
                with self._lock:
                    self._streams -= 1
                    self._lent -= 1
                is_too_many = self._has_ended(thread)
            if is_too_many:
                return

    def _has_ended(self, thread: threading.Thread) -> bool:
        """Count a function as done. Returns whether there are too many threads, so that this one must end."""
        with self._lock:
            self._unfinished -= 1
            self.ended += 1
            is_too_many = len(self._threads) > self.size + self._lent
            if is_too_many and thread in self._threads:
                self._threads.remove(thread)
            return is_too_many

    def keep_thread(self) -> PinnedThread | None:
        """Keep the current worker thread for its request. Returns None if too many threads are kept.

        A single thread is never kept: another one would have to replace it and run beside it.
        """
        thread = threading.current_thread()
        if self.size == 1 or not isinstance(thread, WorkerThread):
            return None
        with self._lock:
            if self._streams >= self._most:
                return None
            self._streams += 1
            self._lend()
        thread.pinned = PinnedThread()
        return thread.pinned

    def lend_to_body(self) -> PinnedThread | None:
        """A separate thread for the body of a response, which may block for any time.

        Returns None if there is a single thread, which bodies share then. Raises NoThreadLeft at the maximum number.
        """
        if self.size == 1:
            return None
        with self._lock:
            if self._streams >= self._most:
                raise NoThreadLeft
            self._streams += 1
            thread = self._idle.pop() if self._idle else None
        if thread is None:
            thread = StreamThread(self)
            thread.start()
        pinned = PinnedThread()
        thread.assignments.put(pinned)
        return pinned

    def end_body(self, thread: StreamThread) -> bool:
        """Take `thread` back after its body was sent. Returns whether it is kept for another body."""
        with self._lock:
            self._streams -= 1
            stays = len(self._idle) < IDLE
            if stays:
                self._idle.append(thread)
            return stays

    def lend(self) -> None:
        """The current thread is about to wait for a client. Another thread may replace it until `take_back`.

        Raises NoThreadLeft if the maximum number of threads is waiting.
        """
        with self._lock:
            if self._waiting >= self._most:
                raise NoThreadLeft
            self._waiting += 1
            self._lend()

    def _lend(self) -> None:
        self._lent += 1
        if self._unfinished > len(self._threads):
            self._start()

    def take_back(self) -> None:
        """The current thread no longer waits."""
        with self._lock:
            self._waiting -= 1
            self._lent -= 1

    def close(self, timeout: float = 1.0) -> None:
        """Let the threads end after their current functions, and wait up to `timeout` seconds for them."""
        with self._lock:
            threads, self._threads = self._threads, []
            idle, self._idle = self._idle, []
        for kept in idle:
            kept.assignments.put(None)
        for _ in threads:
            self._jobs.put(None)
        until = time.monotonic() + timeout
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))


class WorkerThread(threading.Thread):
    """One thread of some workers."""

    def __init__(self, workers: Workers, name: str) -> None:
        super().__init__(target=workers.work, name=name, daemon=True)
        self.workers = workers
        self.pinned: PinnedThread | None = None
        """The state of the request that keeps this thread."""


class StreamThread(threading.Thread):
    """A thread in which one body of a response after another is computed."""

    def __init__(self, workers: Workers) -> None:
        super().__init__(target=self._work, name="costrel-worker-stream", daemon=True)
        self._workers = workers
        self.assignments: SimpleQueue[PinnedThread | None] = SimpleQueue()

    def _work(self) -> None:
        while (pinned := self.assignments.get()) is not None:
            pinned.serve()
            del pinned
            if not self._workers.end_body(self):
                return


@contextmanager
def waiting_for_client() -> Iterator[None]:
    """Wraps a wait for a client in a thread, so that slow clients do not occupy all threads.

    Raises ServiceUnavailable if too many threads already wait for clients.
    """
    workers: Workers | None = getattr(threading.current_thread(), "workers", None)
    if workers is None:
        yield
        return
    try:
        workers.lend()
    except NoThreadLeft:
        raise ServiceUnavailable(
            "Too many requests are sent slowly at the moment: try again in a moment.", retry_after=RETRY_AFTER
        ) from None
    try:
        yield
    finally:
        workers.take_back()
