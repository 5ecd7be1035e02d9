"""Worker threads for the code that would block an event loop, and the hop there and back."""

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
"""The number of threads for bodies of responses that are kept for the next ones."""

RETRY_AFTER: t.Final = 5
"""Seconds after which a client may try again if no thread was left for a body."""


class NoThreadLeft(Exception):
    """As many threads as allowed are lent to bodies already."""


class Mailbox:
    """A queue in which threads leave their results for one loop, which is woken once for many. PERF: served."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._letters: deque[tuple[Job, t.Any, BaseException | None]] = deque()
        self._is_called = False

    def put(self, job: Job, result: t.Any, error: BaseException | None) -> None:
        """Leave the outcome of `job`, and wake the loop unless somebody has."""
        self._letters.append((job, result, error))
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):  # the loop was closed while the function ran: nobody waits any more
                self.loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        # Before the letters are taken out: whoever finds it True later than that has left his before.
        self._is_called = False
        letters = self._letters
        for _ in range(len(letters)):
            job, result, error = letters.popleft()
            job.settle(result, error)


class Job:
    """One call for a worker thread, and where its outcome goes."""

    __slots__ = ("function", "future", "has_ended", "mailbox", "over")

    def __init__(self, function: Callable[[], t.Any], mailbox: Mailbox) -> None:
        self.function = function
        self.mailbox = mailbox
        self.future: asyncio.Future[t.Any] = mailbox.loop.create_future()
        self.has_ended = False
        self.over: asyncio.Future[None] | None = None
        """Made where the waiting task was cancelled: done when the function has ended."""

    def settle(self, result: t.Any, error: BaseException | None) -> None:
        """Hand the outcome to whoever waits. Runs on the loop."""
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


class Lane:
    """One thread that a request keeps until its end: what was made there, as a connection of sqlite3, works there only.

    The thread calls `serve`, which comes back when somebody has called `close`.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.is_given_up = False
        """Whether it does something for which nobody waits any more: then it need never be done with that."""

    def put(self, job: Job) -> None:
        """Have `job` done."""
        self._jobs.put(job)

    def close(self) -> None:
        """Let the thread go, when it has done what it was given."""
        self._jobs.put(None)

    def serve(self) -> None:
        """Do what is to be done, in the thread that is kept."""
        while (job := self._jobs.get()) is not None:
            try:
                result, error = job.function(), None
            except BaseException as caught:
                result, error = None, caught
            job.mailbox.put(job, result, error)
            del result, error, job


class Workers:
    """At most `size` threads, started as they are needed, that run the functions handed to them in order.

    Where more than `queue` functions wait for a thread, `is_full` says so: requests are then refused, since they would
    wait longer and longer. A queue of its own and `call_soon_threadsafe`: measured, a hop costs a quarter (under load)
    to two thirds (one request at a time) of what `run_in_executor` takes.
    """

    def __init__(self, size: int = THREADS, queue: int | None = None, streams: int = STREAM_THREADS) -> None:
        if size < 1:
            raise ValueError(f"There must be at least one worker thread, not {size}: see the setting THREADS.")
        self.size = size
        self.queue = size * QUEUE_PER_THREAD if queue is None else queue
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._unfinished = 0
        self.ended = 0
        """The number of functions that have ended."""
        self._lent = 0
        """The number of threads that wait for a client, or that a response keeps. Another thread stands in for each."""
        self._most = streams
        self._waiting = 0
        """The number of threads that wait for the body of a request."""
        self._streams = 0
        """The number of threads that bodies of responses keep."""
        self._idle: list[StreamThread] = []
        self._mailbox: Mailbox | None = None
        """That of the loop which has asked last."""

    @property
    def is_full(self) -> bool:
        """Whether all threads are busy, and so many functions wait that another request should not."""
        return self._jobs.qsize() > self.queue

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that has asked for a thread last."""
        return None if self._mailbox is None else self._mailbox.loop

    @property
    def waiting(self) -> int:
        """The number of functions that wait for a thread."""
        return self._jobs.qsize()

    def identifiers(self) -> list[int]:
        """The identifiers of the threads."""
        with self._lock:
            return [thread.ident for thread in self._threads if thread.ident is not None]

    async def run(self, function: Callable[[], T], lane: Lane | None = None) -> T:
        """Call `function` in a worker thread, or in that of a `lane`, and return its result, or raise its error.

        Where the awaiting task is cancelled meanwhile, it goes on when the function has ended: nothing that the
        function uses is taken from it.
        """
        loop, mailbox = asyncio.get_running_loop(), self._mailbox
        if mailbox is None or mailbox.loop is not loop:
            mailbox = self._mailbox = Mailbox(loop)
        job = Job(function, mailbox)
        if lane is not None and not lane.is_given_up:
            lane.put(job)
        else:
            with self._lock:
                self._unfinished += 1
                if self._unfinished > len(self._threads):
                    self._start()
            self._jobs.put(job)
        try:
            return t.cast(T, await job.future)
        except asyncio.CancelledError:
            # The function may have ended between the cancelling and the moment that this task is told of it.
            if job.future.cancelled() and not job.has_ended:
                job.over = loop.create_future()
                if lane is not None:
                    lane.is_given_up = True
                await job.over
                if lane is not None:
                    lane.is_given_up = False
            raise

    def give_away(self, most: int) -> int:
        """Leave up to `most` of the threads to somebody who has others, half of them at most; how many.

        Two stay here: a single one is not kept by a stream.
        """
        given = max(min(most, self.size // 2, self.size - 2), 0)
        self.size -= given
        return given

    def _start(self) -> None:
        """Start a thread, unless there are as many as there may be."""
        if len(self._threads) < self.size + self._lent:
            thread = WorkerThread(self, f"costrel-worker-{len(self._threads) + 1}")
            self._threads.append(thread)
            thread.start()

    def work(self) -> None:
        """Do what is to be done, in a thread of these."""
        thread = t.cast("WorkerThread", threading.current_thread())
        while (job := self._jobs.get()) is not None:
            try:
                result, error = job.function(), None
            except BaseException as caught:
                result, error = None, caught
            lane = thread.lane
            is_too_many = lane is None and self._has_ended(thread)
            job.mailbox.put(job, result, error)
            del result, error, job
            if lane is not None:
                lane.serve()
                thread.lane = None
                with self._lock:
                    self._streams -= 1
                    self._lent -= 1
                is_too_many = self._has_ended(thread)
            if is_too_many:
                return

    def _has_ended(self, thread: threading.Thread) -> bool:
        """Count a function as done; whether there are too many threads, and this one is to end."""
        with self._lock:
            self._unfinished -= 1
            self.ended += 1
            is_too_many = len(self._threads) > self.size + self._lent
            if is_too_many and thread in self._threads:
                self._threads.remove(thread)
            return is_too_many

    def keep_thread(self) -> Lane | None:
        """Have the current thread, which is one of these, stay with its request; None if too many are kept.

        So it is with a single thread: another one would have to take its place, and run beside it.
        """
        thread = threading.current_thread()
        if self.size == 1 or not isinstance(thread, WorkerThread):
            return None
        with self._lock:
            if self._streams >= self._most:
                return None
            self._streams += 1
            self._lend()
        thread.lane = Lane()
        return thread.lane

    def lend_to_body(self) -> Lane | None:
        """A separate thread for the body of a response, which may block it for any time.

        None with a single thread: then bodies share it. Raises NoThreadLeft if as many as allowed have one.
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
        lane = Lane()
        thread.lanes.put(lane)
        return lane

    def end_body(self, thread: StreamThread) -> bool:
        """Take `thread` back after its body was sent. Returns whether it is kept for another one."""
        with self._lock:
            self._streams -= 1
            stays = len(self._idle) < IDLE
            if stays:
                self._idle.append(thread)
            return stays

    def lend(self) -> None:
        """The current thread is going to wait for a client: another one may take its place until `take_back`.

        Raises NoThreadLeft if as many as allowed wait already.
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
        """The current thread goes on."""
        with self._lock:
            self._waiting -= 1
            self._lent -= 1

    def close(self, timeout: float = 1.0) -> None:
        """Let the threads end when they have done what they have begun; waits `timeout` seconds for them."""
        with self._lock:
            threads, self._threads = self._threads, []
            idle, self._idle = self._idle, []
        for kept in idle:
            kept.lanes.put(None)
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
        self.lane: Lane | None = None
        """For the request that keeps this thread."""


class StreamThread(threading.Thread):
    """A thread in which one body of a response after another is computed."""

    def __init__(self, workers: Workers) -> None:
        super().__init__(target=self._work, name="costrel-worker-stream", daemon=True)
        self._workers = workers
        self.lanes: SimpleQueue[Lane | None] = SimpleQueue()

    def _work(self) -> None:
        while (lane := self.lanes.get()) is not None:
            lane.serve()
            del lane
            if not self._workers.end_body(self):
                return


@contextmanager
def waiting_for_client() -> Iterator[None]:
    """Around what waits in a thread until a client sends: clients that are slow must not keep all threads waiting.

    Raises ServiceUnavailable if too many threads wait for clients already.
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
