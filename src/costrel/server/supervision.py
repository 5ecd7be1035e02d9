"""Supervises the worker processes: starts, replaces and stops them."""

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
from .heartbeats import Heartbeat, HeartbeatMonitor
from .memory import resident
from .metrics import Page, ServerMetrics
from .signals import ENDING, Wakeup, held_signals
from .sockets import Sockets
from .state import State

PAUSE = 1.0
"""The delay before a worker that ended soon after its start is replaced, in seconds."""

_CHECK_INTERVAL = 1.0
"""The interval in seconds of the checks of age and heartbeat."""

_MEMORY_INTERVAL = 10.0
_SOON = 5.0
_ABORT_TIMEOUT = 2.0
_TICK = 0.1

Target: t.TypeAlias = Callable[..., None]


class Loader(t.Protocol):
    """Loads the application in a worker."""

    def on(self, page: Page | None, heartbeat: Heartbeat) -> Loader:
        """A copy for a worker with this `page` of metrics and this `heartbeat`."""

    def around(self) -> None:
        """Run the application's functions of ``while_serving(once="server")``, in a process of their own."""


_logger = logging.getLogger("costrel.server")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of workers. Times are in seconds, `memory` is in bytes."""

    grace: float
    """The time that a worker has to finish its requests before it is killed."""
    drain: float = 0
    """The time for which the server continues to serve after SIGTERM."""
    age: float | None = None
    memory: int | None = None
    silence: float | None = None
    """The time without a heartbeat of the event loop after which a worker is replaced."""


@dataclass(eq=False)
class Worker:
    """One worker process."""

    idx: int
    process: BaseProcess
    heartbeat: Heartbeat
    birth: float = field(default_factory=time.monotonic)
    killed_at: float | None = None
    """The time on the monotonic clock at which an ending worker is killed."""

    def has_ended(self) -> bool:
        """Whether the process has ended. Its sentinel does not tell: processes that views fork keep it open."""
        return not self.process.is_alive()


class Supervisor:
    """Runs `target` in `number` worker processes, on listening sockets that they share.

    A worker writes its process id to the other end of `ready` when it can serve. `at_answer` is called when the first
    worker accepts connections, and `at_stop` before the sockets are closed. `target` is called with the index of the
    worker, its `Loader`, the sockets, its heartbeat, and the further `arguments` of `serve`.
    """

    def __init__(
        self,
        sockets: Sockets,
        ready: Connection,
        state: State,
        limits: Limits,
        number: int,
        metrics: ServerMetrics | None = None,
        at_stop: Callable[[], None] = lambda: None,
        at_answer: Callable[[], None] = lambda: None,
    ) -> None:
        method = multiprocessing.get_start_method()
        # "forkserver", the default since Python 3.14, does not pass the sockets on.
        self._processes: SpawnContext | ForkContext = (
            multiprocessing.get_context("fork") if method == "fork" else multiprocessing.get_context("spawn")
        )
        self._sockets = sockets
        self._state = state
        self._limits = limits
        self._number = number
        self._metrics = metrics
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
        self._memory_checked_at = time.monotonic()
        self._heartbeats = HeartbeatMonitor(limits.silence)

    def serve(self, target: Target, loader: Loader, *arguments: object) -> None:
        """Serve until SIGTERM or Ctrl-C. SIGHUP replaces all workers. Raises SystemExit if the first worker fails."""
        self._target, self._loader, self._arguments = target, loader, arguments
        self._around = AroundServer(self._processes, loader.around, self._state, self._limits.grace)
        with Wakeup() as self._wakeup, self._handled_signals():
            self._sockets.listen()
            self._start_all()
            while not self._is_stopping:
                self._wait_for_event(_CHECK_INTERVAL)
                self._restart_ended()
                self._reload()
                self._check_workers()
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
        # With --drain, the load balancer first sees in /readyz that this server is stopping.
        self._drains = begins and bool(self._limits.drain) and self._state.ready and number == signal.SIGTERM
        self._stop_at = time.monotonic() + (self._limits.drain if self._drains else 0)

    @property
    def _is_stopping(self) -> bool:
        return self._stop_at is not None and time.monotonic() >= self._stop_at

    def _wait_for_event(self, seconds: float, *more: int | Connection) -> list[object]:
        """Wait for a signal, the end of a worker, or one of `more`. Returns the objects that are ready."""
        if self._stop_at is not None:
            seconds = max(min(seconds, self._stop_at - time.monotonic()), 0)
        sentinels = [worker.process.sentinel for worker in self._workers]
        ready = wait([self._wakeup.receiver, *sentinels, *more], seconds)
        self._wakeup.clear()
        if self._drains:
            self._drains = False
            _logger.info("Draining: the server stops in %g seconds", self._limits.drain)
        return list(ready)

    # -- start

    def _start_all(self) -> None:
        # The first worker starts alone, so that an error in loading the application is logged only once.
        first = self._start(0)
        if not self._becomes_ready(first):
            self._leaving.append(first)
            self._failed = not self._is_stopping
            self._stop_at = time.monotonic()
            return
        self._workers = [first, *(self._start(idx) for idx in range(1, self._number))]
        _logger.info("Serving, with the processes %s", ", ".join(str(worker.process.pid) for worker in self._workers))

    def _start(self, idx: int) -> Worker:
        page = None if self._metrics is None else self._metrics.free_page()
        heartbeat = Heartbeat()
        loader = self._loader.on(page, heartbeat)
        process = self._processes.Process(
            target=self._target, args=(idx, loader, self._sockets, heartbeat, *self._arguments), name="costrel-worker"
        )
        if self._metrics is not None:
            self._metrics.hand_out(page, process)
        with held_signals():  # a new process inherits this process's handlers until it sets its own
            process.start()
        return Worker(idx, process, heartbeat)

    def _becomes_ready(self, worker: Worker) -> bool:
        """Wait until a worker is ready. Returns False if it ends first, or if the server is stopping."""
        process = worker.process
        while process.pid not in self._ready_ids:
            if self._is_stopping:
                return False
            signalled = wait([self._ready, process.sentinel], _TICK)
            while self._ready.poll():
                self._ready_ids.add(self._ready.recv())
            if process.pid not in self._ready_ids and (process.sentinel in signalled or not process.is_alive()):
                return False
            self._reap()
            self._around.check()
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
        """Start a new worker, and end the old one once the new one is ready. If it fails, keep the old one.

        A stuck worker is aborted, since it cannot end by itself.
        """
        new = self._start(old.idx)
        if not self._becomes_ready(new):
            self._leaving.append(new)
            old.birth = time.monotonic()  # counts its age from now, so that the next attempt is not immediate
            if not self._is_stopping:
                _logger.error("The new worker did not start: the old process %s continues", old.process.pid)
            return
        self._workers[old.idx] = new
        old.heartbeat.note_replaced()
        self._end(old)
        if is_stuck:
            _abort(old)
        _logger.info("Process %s takes the place of %s", new.process.pid, old.process.pid)

    def _check_workers(self) -> None:
        """Replace workers that are too old, too large or not responding, and kill workers that did not end in time."""
        now, limits = time.monotonic(), self._limits
        if self._is_stopping:
            return
        self._reap()
        self._around.check()
        for worker in self._heartbeats.silent((worker, worker.heartbeat) for worker in self._workers):
            _logger.error("Process %s is replaced: it does not respond", worker.process.pid)
            if self._metrics is not None:
                self._metrics.stuck += 1
            self._replace([worker], is_stuck=True)
        self._replace([worker for worker in self._workers if worker.heartbeat.wants_replacement])
        if limits.age is not None:
            self._replace([worker for worker in self._workers if now - worker.birth >= limits.age])
        if limits.memory is not None and now - self._memory_checked_at >= _MEMORY_INTERVAL:
            self._memory_checked_at = now
            self._replace([worker for worker in self._workers if resident(worker.process.pid) >= limits.memory])

    def _pause(self, seconds: float) -> bool:
        """Sleep. Returns False if the server is stopping."""
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

    def _reap(self) -> None:
        """Forget workers that have ended, and kill those whose grace period is over."""
        self._leaving = [worker for worker in self._leaving if not worker.has_ended()]
        for worker in self._leaving:
            if worker.killed_at is not None and time.monotonic() >= worker.killed_at:
                _logger.warning("Process %s is killed: it did not end in the grace period", worker.process.pid)
                worker.killed_at = None
                worker.process.kill()

    def _stop(self) -> None:
        """Let the workers finish their requests, and kill those that exceed the grace period."""
        self._at_stop()
        self._sockets.refuse_new()
        self._sockets.close()  # the workers have copies, from which they accept the waiting connections
        for worker in [*self._workers, *self._leaving]:
            if worker in self._leaving:
                self._leaving.remove(worker)
            self._end(worker)
        self._workers.clear()
        while self._leaving:
            wait([self._wakeup.receiver, *(worker.process.sentinel for worker in self._leaving)], _TICK)
            self._wakeup.clear()
            self._reap()
        self._around.end()


def _abort(worker: Worker) -> None:
    """Kill a worker that cannot end by itself. If it could not log its stack, SIGABRT makes `faulthandler` do so."""
    if not worker.heartbeat.is_logged and hasattr(signal, "SIGABRT") and worker.process.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(worker.process.pid, signal.SIGABRT)
        wait([worker.process.sentinel], _ABORT_TIMEOUT)
    worker.process.kill()
