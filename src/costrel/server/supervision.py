"""Supervises Granian's worker processes: on our sockets, with replacements that are ready before the old ones end."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from granian.server.mp import MPServer, WorkerProcess

from .listeners import BACKLOG, ENDING, Listening, Sockets
from .metrics import Ledger, Page
from .state import State

PAUSE = 1.0
"""The delay before a worker that ended soon after its start is replaced, in seconds."""

_LOOK_UP = 1.0
_SOON = 5.0
_TICK = 0.1

# Granian calls `dictConfig` for the whole process. An incremental configuration keeps what is there.
KEEP_LOGGING: dict[str, object] = {"incremental": True, "handlers": {}, "loggers": {}}

SpawnTarget: t.TypeAlias = Callable[..., None]


class Loader(t.Protocol):
    """Loads the application in a worker."""

    def counting(self, page: Page) -> Loader:
        """The loader of a worker that counts its requests on `page`."""


_logger = logging.getLogger("costrel.server")
_granian_logger = logging.getLogger("_granian")


class Worker(t.Protocol):
    """A worker of Granian, whose own methods have no types."""

    idx: int
    birth: float
    inner: BaseProcess
    interrupt_by_parent: bool

    def start(self) -> None: ...
    def is_alive(self) -> bool: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...
    def join(self) -> None: ...


class Supervisor(MPServer):
    """Granian with worker processes, on our listening sockets.

    A worker writes its process id to the other end of `ready` when it can serve. `grace` is the time that workers have
    to end, and `drain` the time that the server continues to serve after SIGTERM, both in seconds. With `early`,
    workers accept connections before the first one is ready. `options` are those of Granian.
    """

    wrks: list[Worker]  # type: ignore[assignment]  # see `Worker`

    def __init__(
        self,
        sockets: Sockets,
        ready: Connection,
        state: State,
        *,
        grace: float,
        drain: float = 0,
        early: bool = False,
        ledger: Ledger | None = None,
        **options: t.Any,
    ) -> None:
        super().__init__("costrel", backlog=BACKLOG, log_dictconfig=KEEP_LOGGING, **options)
        _granian_logger.addFilter(_is_true_here)
        self.sockets = sockets
        self.state = state
        self.grace = grace
        self.drain = drain
        self.early = early
        self.ledger = ledger
        self.failed = False
        """Whether the application could not be loaded at the start."""
        self.main_loop_interrupt = Wakeup(self._has_news)  # type: ignore[assignment]  # has all methods that Granian calls
        self._ready = ready
        self._ready_ids: set[int] = set()
        self._leaving: list[Worker] = []

    def _has_news(self) -> bool:
        return bool(self.interrupt_signal or self.reload_signal or self.interrupt_children)

    def _init_shared_socket(self) -> None:
        # On Linux, Granian gives each worker a socket with SO_REUSEPORT. Other programs could then use the same port,
        # and connections that wait for a worker would be lost when it ends.
        self.sockets.listen()

    def _drop_shared_socket(self) -> None:
        self.sockets.close()

    def _spawn_worker(self, idx: int, target: SpawnTarget, callback_loader: Loader) -> Worker:  # type: ignore[override]  # without a loader of sockets
        listening = Listening(
            http=self.http,
            http1=t.cast("t.Any", self.http1_settings),
            http2=t.cast("t.Any", self.http2_settings),
            tls=self.ssl_ctx,
            connections=self.backpressure,
            threads=self.blocking_threads,
        )
        page = None if self.ledger is None else self.ledger.free_page()
        if page is not None:
            callback_loader = callback_loader.counting(page)
        early = self.early and not self.state.ready
        worker = WorkerProcess(self, idx, target, (idx, callback_loader, self.sockets, listening, early))  # type: ignore[no-untyped-call]  # of Granian
        if self.ledger is not None:
            self.ledger.hand_out(page, worker)
        return worker

    def signal_handler_interrupt(self, *args: object, **kwargs: object) -> None:
        """Stop within the grace period. A second Ctrl-C kills the workers."""
        if self.interrupt_signal and args[:1] == (signal.SIGINT,):
            for worker in [*self.wrks, *self._leaving]:
                worker.kill()
        begins = not self.state.stopping
        self.state.note_stopping()
        if begins and self.drain and self.state.ready and args[:1] == (signal.SIGTERM,):
            # First let the load balancer see that this server is not ready any more.
            _logger.info("Told to end: serving for another %g seconds", self.drain)
            timer = threading.Timer(self.drain, super().signal_handler_interrupt)
            timer.daemon = True
            with held_signals():  # the main thread handles them
                timer.start()
        else:
            super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # of Granian

    def _spawn_workers(self, spawn_target: SpawnTarget, target_loader: Loader) -> None:
        # Start one first, so that an error in loading the application is logged once, and the others are not started.
        first = self._start(0, spawn_target, target_loader)
        self.wrks.append(first)
        if self._becomes_ready(first):
            for idx in range(1, self.workers):
                worker: Worker = self._spawn_worker(idx, spawn_target, target_loader)
                _launch(worker)
                self.wrks.append(worker)
            _logger.info("Serving, with the processes %s", ", ".join(str(worker.inner.pid) for worker in self.wrks))
        else:
            self.failed = not self.interrupt_signal
            self.signal_handler_interrupt()

    def _respawn_workers(
        self, workers: list[int], spawn_target: SpawnTarget, target_loader: Loader, delay: float = 0
    ) -> None:
        for idx in workers:
            if self.interrupt_signal:
                return
            old: Worker = self.wrks[idx]
            if old.is_alive():
                self._replace(idx, spawn_target, target_loader)
            else:
                self._restart(idx, spawn_target, target_loader)

    def _replace(self, idx: int, spawn_target: SpawnTarget, target_loader: Loader) -> None:
        """Start another worker, and end the old one when it is ready. If it does not get ready, keep the old one."""
        new = self._start(idx, spawn_target, target_loader)
        if not self._becomes_ready(new):
            self._leaving.append(new)
            if not self.interrupt_signal:
                _logger.error("The new worker did not start: the old process %s continues.", self.wrks[idx].inner.pid)
            return
        old: Worker = self.wrks[idx]
        self.wrks[idx] = new
        _logger.info("Process %s takes the place of %s", new.inner.pid, old.inner.pid)
        self._leaving = [worker for worker in self._leaving if worker.is_alive()]
        self._leaving.append(old)
        old.terminate()
        threading.Thread(target=self._see_off, args=(old, self.grace), daemon=True).start()

    def _restart(self, idx: int, spawn_target: SpawnTarget, target_loader: Loader) -> None:
        """Start a worker in place of one that ended unexpectedly."""
        old: Worker = self.wrks[idx]
        if time.monotonic() - old.birth < _SOON and not self._wait(PAUSE):
            return
        worker: Worker = self._spawn_worker(idx, spawn_target, target_loader)
        self.wrks[idx] = worker
        _launch(worker)
        _logger.warning("Process %s has ended; %s takes its place", old.inner.pid, worker.inner.pid)

    def _start(self, idx: int, spawn_target: SpawnTarget, target_loader: Loader) -> Worker:
        worker: Worker = self._spawn_worker(idx, spawn_target, target_loader)
        worker.interrupt_by_parent = True  # `_becomes_ready` handles an end before it is ready
        _launch(worker)
        return worker

    def _becomes_ready(self, worker: Worker) -> bool:
        """Wait for a worker to be ready. Returns False if it ended before, or if the server is stopping."""
        process = worker.inner
        while process.pid not in self._ready_ids:
            if self.interrupt_signal:
                return False
            found = wait([self._ready, process.sentinel], _TICK)
            while self._ready.poll():
                self._ready_ids.add(self._ready.recv())
            if process.sentinel in found and process.pid not in self._ready_ids:
                return False
        worker.interrupt_by_parent = False
        self.state.note_ready()
        if _ends_within(worker, 0):  # it ended before Granian was told about its end
            self.interrupt_children.append(worker.idx)
            self.main_loop_interrupt.set()
        return True

    def _wait(self, seconds: float) -> bool:
        """Wait. Returns False if the server is stopping."""
        until = time.monotonic() + seconds
        while not self.interrupt_signal and time.monotonic() < until:
            time.sleep(_TICK)
        return not self.interrupt_signal

    def _see_off(self, worker: Worker, grace: float) -> None:
        """Wait for a worker that was told to end, and kill it after `grace` seconds."""
        if not _ends_within(worker, grace):
            _logger.warning("Process %s is killed: it did not end in the grace period", worker.inner.pid)
            worker.kill()

    def _stop_workers(self) -> None:
        # Granian checks whether each is alive, and kills one whose end its other thread is handling.
        workers = [worker for worker in [*self.wrks, *self._leaving] if not _ends_within(worker, 0)]
        for worker in workers:
            worker.terminate()
        until = time.monotonic() + self.grace
        for worker in workers:
            self._see_off(worker, max(until - time.monotonic(), 0))
            worker.join()
        self.wrks.clear()
        self._leaving.clear()

    def shutdown(self, exit_code: int = 0) -> None:
        """Let the workers finish their requests, and kill those that are left after the grace period."""
        # systemd sends the signal to all processes, so some have ended already. Granian's threads may notice that at
        # any time, and would treat it as a failure.
        for worker in self.wrks:
            worker.interrupt_by_parent = True
        with suppress(SystemExit):
            super().shutdown()  # type: ignore[no-untyped-call]  # of Granian
        if status := 1 if self.failed else exit_code:
            sys.exit(status)


def _is_true_here(record: logging.LogRecord) -> bool:
    # Granian warns about lost connections because its workers have separate sockets. Ours share one.
    return "tcp_migrate_req" not in str(record.msg)


def _ends_within(worker: Worker, seconds: float) -> bool:
    """Wait for a worker to end. Returns False if it has not after `seconds`."""
    return bool(wait([worker.inner.sentinel], seconds))


def _launch(worker: Worker) -> None:
    """Start a worker with signals blocked until it can handle them, since it inherits the handlers of this process."""
    with held_signals():
        worker.start()


@contextmanager
def held_signals() -> Iterator[None]:
    """Block the signals that end a process, in this thread and in the threads and processes that it starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def release_signals() -> None:
    """In a worker, restore the default handlers, and unblock the signals."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


class Wakeup:
    """An event that stays set while there is news. Granian clears it after its check, and would miss later news.

    A signal handler may set it while the same thread waits for it, so its lock is reentrant, which the lock of an Event
    is not. `wait` also checks periodically, since a signal that another thread receives does not wake it.
    """

    def __init__(self, has_news: Callable[[], bool]) -> None:
        self._has_news = has_news
        self._is_set = False
        self._changed = threading.Condition(threading.RLock())

    def set(self) -> None:
        """Wake the waiting thread."""
        with self._changed:
            self._is_set = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Clear the event, unless there is news."""
        self._is_set = False
        if self._has_news():
            self.set()

    def wait(self) -> None:
        """Wait until the event is set."""
        with self._changed:
            while not self._is_set:
                self._changed.wait(_LOOK_UP)
