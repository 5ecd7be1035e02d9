"""Supervises the worker processes: replaces those that have ended, and gives each its time to end."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import time
import typing as t
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

if t.TYPE_CHECKING:
    from multiprocessing.context import ForkContext, SpawnContext

from .around import AroundServer
from .beats import Beats, Pulse
from .memory import resident
from .metrics import Ledger, Page
from .signals import ENDING, Wakeup, held_signals
from .sockets import Sockets
from .state import State

PAUSE = 1.0
"""The delay before a worker that ended soon after its start is replaced, in seconds."""

_LOOK = 1.0
"""The interval of the checks of age, memory and pulse, in seconds."""

_LOOK_AT_MEMORY = 10.0
_SOON = 5.0
_TO_ABORT = 2.0
_TICK = 0.1

Target: t.TypeAlias = Callable[..., None]


class Loader(t.Protocol):
    """Loads the application in a worker."""

    def on(self, page: Page | None, pulse: Pulse) -> Loader:
        """The loader of a worker with its own `page` for counts, and its own `pulse`."""

    def around(self) -> None:
        """Run the application's functions around the server, in a process of their own."""


_logger = logging.getLogger("costrel.server")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When workers are replaced, and how long they have to end. Times are in seconds, `memory` in bytes."""

    grace: float
    """The time that a worker has to end."""
    drain: float = 0
    """The time that the server continues to serve after SIGTERM."""
    age: float | None = None
    memory: int | None = None
    silence: float | None = None
    """The time without a beat of the event loop."""


@dataclass(eq=False)
class Worker:
    """One worker process."""

    idx: int
    process: BaseProcess
    pulse: Pulse
    birth: float = field(default_factory=time.monotonic)
    killed_at: float | None = None
    """When a worker that was asked to end is killed, unless it has ended by then."""

    def has_ended(self) -> bool:
        """Whether the process has ended. Its sentinel is not enough: processes that views have forked keep it open."""
        return not self.process.is_alive()


class Supervisor:
    """Runs `target` in `number` worker processes, on listening sockets that they share.

    A worker writes its process id to the other end of `ready` when it can serve. `at_answer` is called when the first
    worker answers, and `at_stop` before the sockets are closed. `target` is called with the number of the worker, a
    function that loads the application, the sockets, the worker's pulse, and `arguments`.
    """

    def __init__(
        self,
        sockets: Sockets,
        ready: Connection,
        state: State,
        limits: Limits,
        number: int,
        ledger: Ledger | None = None,
        at_stop: Callable[[], None] = lambda: None,
        at_answer: Callable[[], None] = lambda: None,
    ) -> None:
        method = multiprocessing.get_start_method()
        # "forkserver", the default of Python 3.14, would not pass the sockets on.
        self._processes: SpawnContext | ForkContext = (
            multiprocessing.get_context("fork") if method == "fork" else multiprocessing.get_context("spawn")
        )
        self._sockets = sockets
        self._state = state
        self._limits = limits
        self._number = number
        self._ledger = ledger
        self._at_stop = at_stop
        self._at_answer: Callable[[], None] | None = at_answer
        self._ready = ready
        self._ready_ids: set[int] = set()
        self._workers: list[Worker] = []
        self._leaving: list[Worker] = []
        self._failed = False
        self._stop_at: float | None = None
        self._must_reload = False
        self._drains = False
        self._looked_at_memory = time.monotonic()
        self._beats = Beats(limits.silence)

    def serve(self, target: Target, loader: Loader, *arguments: object) -> None:
        """Serve until SIGTERM or Ctrl-C. SIGHUP replaces all workers. Raises SystemExit if the start fails."""
        self._target, self._loader, self._arguments = target, loader, arguments
        self._around = AroundServer(self._processes, loader.around, self._state, self._limits.grace)
        with Wakeup() as self._wakeup, self._handled_signals():
            self._sockets.listen()
            self._start_all()
            while not self._is_stopping:
                self._wait_for_news(_LOOK)
                self._restart_ended()
                self._reload()
                self._look()
            self._stop()
        if self._failed:
            sys.exit(1)

    # -- signals

    @contextmanager
    def _handled_signals(self) -> Iterator[None]:
        handlers: dict[int, Callable[[int, object], None]] = dict.fromkeys(ENDING, self._on_end)
        if hasattr(signal, "SIGHUP"):
            handlers[signal.SIGHUP] = self._on_hang_up
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_hang_up(self, number: int, frame: object) -> None:
        self._must_reload = True

    def _on_end(self, number: int, frame: object) -> None:
        """Stop within the grace period. A second Ctrl-C kills the workers."""
        if self._is_stopping and number == signal.SIGINT:
            for worker in [*self._workers, *self._leaving]:
                worker.process.kill()
            self._around.kill()
        begins = not self._state.stopping
        self._state.note_stopping()
        # With --drain, the load balancer first sees that this server is not ready any more.
        self._drains = begins and bool(self._limits.drain) and self._state.ready and number == signal.SIGTERM
        self._stop_at = time.monotonic() + (self._limits.drain if self._drains else 0)

    @property
    def _is_stopping(self) -> bool:
        return self._stop_at is not None and time.monotonic() >= self._stop_at

    def _wait_for_news(self, seconds: float, *more: int | Connection) -> list[object]:
        """Wait until a signal arrives, a worker ends, or one of `more` is ready. Returns the ready ones."""
        if self._stop_at is not None:
            seconds = max(min(seconds, self._stop_at - time.monotonic()), 0)
        sentinels = [worker.process.sentinel for worker in self._workers]
        found = wait([self._wakeup.receiver, *sentinels, *more], seconds)
        self._wakeup.clear()
        if self._drains:
            self._drains = False
            _logger.info("Told to end: serving for another %g seconds", self._limits.drain)
        return list(found)

    # -- start

    def _start_all(self) -> None:
        # Start one first, so that an error in loading the application is logged once, and the others are not started.
        first = self._start(0)
        if not self._becomes_ready(first):
            self._leaving.append(first)
            self._failed = not self._is_stopping
            self._stop_at = time.monotonic()
            return
        self._workers = [first, *(self._start(idx) for idx in range(1, self._number))]
        _logger.info("Serving, with the processes %s", ", ".join(str(worker.process.pid) for worker in self._workers))

    def _start(self, idx: int) -> Worker:
        page = None if self._ledger is None else self._ledger.free_page()
        pulse = Pulse()
        loader = self._loader.on(page, pulse)
        process = self._processes.Process(
            target=self._target, args=(idx, loader, self._sockets, pulse, *self._arguments), name="costrel-worker"
        )
        if self._ledger is not None:
            self._ledger.hand_out(page, process)
        with held_signals():  # until it can handle them, since it inherits the handlers of this process
            process.start()
        return Worker(idx, process, pulse)

    def _becomes_ready(self, worker: Worker) -> bool:
        """Wait for a worker to be ready. Returns False if it ended before, or if the server is stopping."""
        process = worker.process
        while process.pid not in self._ready_ids:
            if self._is_stopping:
                return False
            found = wait([self._ready, process.sentinel], _TICK)
            while self._ready.poll():
                self._ready_ids.add(self._ready.recv())
            if process.pid not in self._ready_ids and (process.sentinel in found or not process.is_alive()):
                return False
            self._see_off()
            self._around.look()
            if self._state.answers:
                self._announce()
        self._announce()
        self._ready_ids.clear()
        self._state.note_ready()
        return True

    def _announce(self) -> None:
        if self._at_answer is not None:
            self._at_answer()
            self._at_answer = None

    # -- replacement

    def _restart_ended(self) -> None:
        for idx, old in enumerate(self._workers):
            if self._is_stopping or not old.has_ended():
                continue
            if time.monotonic() - old.birth < _SOON and not self._pause(PAUSE):
                return
            self._workers[idx] = new = self._start(idx)
            _logger.warning("Process %s has ended; %s takes its place", old.process.pid, new.process.pid)

    def _reload(self) -> None:
        if self._must_reload and not self._is_stopping:
            self._must_reload = False
            self._replace(list(self._workers))

    def _replace(self, workers: Iterable[Worker], is_stuck: bool = False) -> None:
        for old in workers:
            if self._is_stopping:
                return
            if old in self._workers and not old.has_ended():
                self._replace_one(old, is_stuck)

    def _replace_one(self, old: Worker, is_stuck: bool) -> None:
        """Start another worker, and end the old one when it is ready. If it does not become ready, keep the old one.

        A stuck worker is aborted, since it cannot end by itself.
        """
        new = self._start(old.idx)
        if not self._becomes_ready(new):
            self._leaving.append(new)
            old.birth = time.monotonic()  # its age counts from now, so that the next attempt is not at once
            if not self._is_stopping:
                _logger.error("The new worker did not start: the old process %s continues.", old.process.pid)
            return
        self._workers[old.idx] = new
        old.pulse.note_replaced()
        self._end(old)
        if is_stuck:
            _abort(old)
        _logger.info("Process %s takes the place of %s", new.process.pid, old.process.pid)

    def _look(self) -> None:
        """Replace workers that are too old, too large, or do not respond, and kill workers that did not end in time."""
        now, limits = time.monotonic(), self._limits
        if self._is_stopping:
            return
        self._see_off()
        self._around.look()
        for worker in self._beats.silent((worker, worker.pulse) for worker in self._workers):
            _logger.error("Process %s is replaced: it does not respond", worker.process.pid)
            if self._ledger is not None:
                self._ledger.stuck += 1
            self._replace([worker], is_stuck=True)
        self._replace([worker for worker in self._workers if worker.pulse.must_go])
        if limits.age is not None:
            self._replace([worker for worker in self._workers if now - worker.birth >= limits.age])
        if limits.memory is not None and now - self._looked_at_memory >= _LOOK_AT_MEMORY:
            self._looked_at_memory = now
            self._replace([worker for worker in self._workers if resident(worker.process.pid) >= limits.memory])

    def _pause(self, seconds: float) -> bool:
        """Wait. Returns False if the server is stopping."""
        until = time.monotonic() + seconds
        while not self._is_stopping and time.monotonic() < until:
            time.sleep(_TICK)
        return not self._is_stopping

    # -- end

    def _end(self, worker: Worker) -> None:
        """Ask a worker to end within the grace period."""
        worker.killed_at = time.monotonic() + self._limits.grace
        self._leaving.append(worker)
        worker.process.terminate()

    def _see_off(self) -> None:
        """Forget the workers that have ended, and kill those whose time is over."""
        self._leaving = [worker for worker in self._leaving if not worker.has_ended()]
        for worker in self._leaving:
            if worker.killed_at is not None and time.monotonic() >= worker.killed_at:
                _logger.warning("Process %s is killed: it did not end in the grace period", worker.process.pid)
                worker.killed_at = None
                worker.process.kill()

    def _stop(self) -> None:
        """Let the workers finish their requests, and kill the rest after the grace period."""
        self._at_stop()
        self._sockets.refuse_new()
        self._sockets.close()  # workers have copies, and accept the connections that wait
        for worker in [*self._workers, *self._leaving]:
            if worker in self._leaving:
                self._leaving.remove(worker)
            self._end(worker)
        self._workers.clear()
        while self._leaving:
            wait([self._wakeup.receiver, *(worker.process.sentinel for worker in self._leaving)], _TICK)
            self._wakeup.clear()
            self._see_off()
        self._around.end()


def _abort(worker: Worker) -> None:
    """End a worker that cannot end by itself. If it could not log its stack, `faulthandler` does so at SIGABRT."""
    if not worker.pulse.is_explained and hasattr(signal, "SIGABRT") and worker.process.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(worker.process.pid, signal.SIGABRT)
        wait([worker.process.sentinel], _TO_ABORT)
    worker.process.kill()
