"""The watchdog of a process: logs the stack of code that blocks the event loop or keeps all threads busy."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import sys
import threading
import traceback
import typing as t
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from types import FrameType

from ..edges.threads import Workers
from .heartbeats import INTERVAL, Heartbeat, RunTime, Silence

_logger = logging.getLogger("costrel.server")

LOOP_TIMEOUT: t.Final = 30
"""The seconds without a heartbeat after which an event loop counts as blocked."""

WORKER_TIMEOUT: t.Final = 120
"""The seconds without a finished request after which busy threads count as stuck."""

_FRAMES: t.Final = 40
"""The maximum number of frames of a stack in the log."""

_LOOPS: t.Final = (asyncio.events.__file__,)


@dataclass(frozen=True)
class Stall:
    """A state in which all threads are busy and none has finished a request for some time."""

    threads: Collection[int]
    """The threads' identifiers."""
    waiting: int | None
    """The number of requests that wait for a thread; None if it is unknown."""


class Threads(t.Protocol):
    """The threads in which requests are handled."""

    def find_stall(self, limit: float) -> Stall | None:
        """Check the threads. Returns a stall that has lasted `limit` seconds; otherwise None."""


class PoolThreads:
    """The worker threads of an ASGI application."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._ended = 0
        self._seconds = 0.0
        self._run_time = RunTime()

    def find_stall(self, limit: float) -> Stall | None:
        """Return a stall if requests are waiting, and no request in a thread has ended for `limit` seconds."""
        step, ended, waiting = self._run_time.step(), self._workers.ended, self._workers.waiting
        if ended != self._ended or not waiting:
            self._ended, self._seconds = ended, 0.0
            return None
        self._seconds += step
        if self._seconds < limit:
            return None
        self._seconds = 0.0
        return Stall(self._workers.identifiers(), waiting)


class Watchdog:
    """Watches one process in a thread of its own.

    After `loop_limit` seconds without a heartbeat of the event loop, its stack is logged. After `thread_limit` seconds
    in which all `threads` are busy and none finishes a request, their stacks are logged and `at_stall` is called. If a
    limit is None, that check is off.
    """

    def __init__(
        self,
        heartbeat: Heartbeat,
        loop_limit: float | None,
        threads: Threads | None = None,
        thread_limit: float | None = None,
        at_stall: Callable[[], None] = lambda: None,
        logger: logging.Logger = _logger,
    ) -> None:
        self._heartbeat = heartbeat
        self._silence = Silence()
        # The stack is logged a little before the limit, at which the supervisor replaces this process.
        self._loop_limit = None if loop_limit is None else max(loop_limit - INTERVAL, loop_limit / 2)
        self._interval = INTERVAL if loop_limit is None else min(INTERVAL, loop_limit / 8)
        self._threads = threads
        self._thread_limit = thread_limit
        self._at_stall = at_stall
        self._logger = logger
        self._over = threading.Event()
        self._is_reported = False

    def start(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Start watching. Called in the thread of `loop`, if there is one."""
        if loop is not None and self._loop_limit is not None:
            self._loop_thread = threading.get_ident()
            self._beat(loop)
        if not faulthandler.is_enabled():
            faulthandler.enable()  # in case a C extension holds the GIL, and no Python thread can run
        threading.Thread(target=self._watch, name="costrel-watchdog", daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._over.set()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._heartbeat.beat()
        if not self._over.is_set():
            loop.call_later(self._interval, self._beat, loop)

    def _watch(self) -> None:
        while not self._over.wait(self._interval):
            self._check_loop()
            self._check_threads()

    def _check_loop(self) -> None:
        if self._loop_limit is None:
            return
        seconds = self._silence.update(self._heartbeat)
        if seconds < self._loop_limit:
            self._is_reported = False
        elif not self._is_reported:
            self._is_reported = True
            stack = _stack(sys._current_frames()[self._loop_thread])
            self._logger.error("The event loop has been blocked for %.0f seconds by this code:\n%s", seconds, stack)
            self._heartbeat.note_logged()

    def _check_threads(self) -> None:
        if self._threads is None or self._thread_limit is None:
            return
        stall = self._threads.find_stall(self._thread_limit)
        if stall is not None:
            waiting = "" if stall.waiting is None else f", and {stall.waiting} requests are waiting"
            self._logger.error(
                "All %d threads are busy, and none has finished a request for %g seconds%s. They run this code:\n%s",
                len(stall.threads),
                self._thread_limit,
                waiting,
                "\n".join(stacks_of(stall.threads)),
            )
            self._at_stall()


def stacks_of(threads: Iterable[int]) -> list[str]:
    """The stacks of `threads`. Equal stacks are listed once, with the number of threads."""
    frames = sys._current_frames()
    counted: dict[str, int] = defaultdict(int)
    for thread in threads:
        if thread in frames:
            counted[_stack(frames[thread])] += 1
    return [f"{number} thread{'' if number == 1 else 's'}:\n{stack}" for stack, number in counted.items()]


def _stack(frame: FrameType) -> str:
    """The stack of a thread, without the frames between the start of the process and its event loop."""
    frames = traceback.extract_stack(frame)
    starts = [number for number, entry in enumerate(frames) if entry.filename in _LOOPS]
    return "".join(traceback.format_list(frames[starts[-1] + 1 if starts else 0 :])[-_FRAMES:])
