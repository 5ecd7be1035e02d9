"""Keeps Granian's worker processes running: on our sockets, replaced by others that are ready, and when they end."""

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

from granian.server.mp import MPServer, WorkerProcess

from .listeners import BACKLOG, ENDING, Listening, Sockets
from .metrics import Ledger
from .state import State

PAUSE = 1.0
"""How long the place of a worker stays empty that ended soon after its start, in seconds."""

_LOOK_UP = 1.0
_SOON = 5.0
_TICK = 0.1

# Granian would set up logging by `dictConfig` for the whole process. Incremental, it leaves what there is.
KEEP_LOGGING: dict[str, t.Any] = {"incremental": True, "handlers": {}, "loggers": {}}

_logger = logging.getLogger("costrel.server")
_granian_logger = logging.getLogger("_granian")


class Supervisor(MPServer):
    """Granian with worker processes, on listening sockets of ours.

    A worker writes its process id to the other end of `ready` when it can serve. `grace` is how many seconds workers
    have to end; `drain`, how many the server goes on when it is told to end. With `early`, workers take connections
    while nobody is ready yet. `options` are Granian's own.
    """

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
        self.main_loop_interrupt = Wakeup(self._has_news)  # type: ignore[assignment]  # all that Granian calls
        self._ready = ready
        self._ready_ids: set[int] = set()
        self._leaving: list[t.Any] = []

    def _has_news(self) -> bool:
        return bool(self.interrupt_signal or self.reload_signal or self.interrupt_children)

    def _init_shared_socket(self) -> None:
        # On Linux, Granian would give each worker a socket with SO_REUSEPORT: the port would be shared with whoever
        # else wants it, and the connections that wait for a worker would be lost when it ends.
        self.sockets.listen()

    def _drop_shared_socket(self) -> None:
        self.sockets.close()

    def _spawn_worker(self, idx: int, target: t.Any, callback_loader: t.Any) -> t.Any:  # type: ignore[override]  # as Granian's own
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
        worker = WorkerProcess(self, idx, target, (idx, callback_loader, self.sockets, listening, early))  # type: ignore[no-untyped-call]  # Granian's own
        if self.ledger is not None:
            self.ledger.hand_out(page, worker)
        return worker

    def signal_handler_interrupt(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Stop, with the grace that was asked for; a second Ctrl-C does not wait."""
        if self.interrupt_signal and args[:1] == (signal.SIGINT,):
            for worker in [*self.wrks, *self._leaving]:
                worker.kill()
        begins = not self.state.stopping
        self.state.note_stopping()
        if begins and self.drain and self.state.ready and args[:1] == (signal.SIGTERM,):
            # Who distributes the requests is to see first that this server is not ready any more.
            _logger.info("Told to end: serving for another %g seconds", self.drain)
            timer = threading.Timer(self.drain, super().signal_handler_interrupt)
            timer.daemon = True
            with held_signals():  # they are for the main thread
                timer.start()
        else:
            super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # Granian's own

    def _spawn_workers(self, spawn_target: t.Any, target_loader: t.Any) -> None:
        # The first one alone: what keeps the application from loading is said once, and the others are not started.
        first = self._start(0, spawn_target, target_loader)
        self.wrks.append(first)
        if self._becomes_ready(first):
            for idx in range(1, self.workers):
                worker: t.Any = self._spawn_worker(idx, spawn_target, target_loader)
                _launch(worker)
                self.wrks.append(worker)
            _logger.info("Serving, with the processes %s", ", ".join(str(worker.inner.pid) for worker in self.wrks))
        else:
            self.failed = not self.interrupt_signal
            self.signal_handler_interrupt()

    def _respawn_workers(self, workers: list[int], spawn_target: t.Any, target_loader: t.Any, delay: float = 0) -> None:
        for idx in workers:
            if self.interrupt_signal:
                return
            old: t.Any = self.wrks[idx]
            if old.is_alive():
                self._replace(idx, spawn_target, target_loader)
            else:
                self._restart(idx, spawn_target, target_loader)

    def _replace(self, idx: int, spawn_target: t.Any, target_loader: t.Any) -> None:
        """Start another worker, and when it is ready let the old one end; where it does not get ready, keep the old."""
        new = self._start(idx, spawn_target, target_loader)
        if not self._becomes_ready(new):
            self._leaving.append(new)
            if not self.interrupt_signal:
                _logger.error("The new worker did not start: the old process %s goes on.", self.wrks[idx].inner.pid)
            return
        old: t.Any = self.wrks[idx]
        self.wrks[idx] = new
        _logger.info("Process %s takes the place of %s", new.inner.pid, old.inner.pid)
        self._leaving = [worker for worker in self._leaving if worker.is_alive()]
        self._leaving.append(old)
        old.terminate()
        threading.Thread(target=self._see_off, args=(old, self.grace), daemon=True).start()

    def _restart(self, idx: int, spawn_target: t.Any, target_loader: t.Any) -> None:
        """Start a worker in the place of one that has ended by itself."""
        old: t.Any = self.wrks[idx]
        if time.monotonic() - old.birth < _SOON and not self._wait(PAUSE):
            return
        worker: t.Any = self._spawn_worker(idx, spawn_target, target_loader)
        self.wrks[idx] = worker
        _launch(worker)
        _logger.warning("Process %s has ended; %s takes its place", old.inner.pid, worker.inner.pid)

    def _start(self, idx: int, spawn_target: t.Any, target_loader: t.Any) -> t.Any:
        worker: t.Any = self._spawn_worker(idx, spawn_target, target_loader)
        worker.interrupt_by_parent = True  # should it end before it is ready, that is seen here
        _launch(worker)
        return worker

    def _becomes_ready(self, worker: t.Any) -> bool:
        """Wait for a worker to be ready; False where it ended before, or the server is to stop."""
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
        if _ends_within(worker, 0):  # it ended just now, before anybody was told
            self.interrupt_children.append(worker.idx)
            self.main_loop_interrupt.set()
        return True

    def _wait(self, seconds: float) -> bool:
        """Wait, unless the server is to stop: then return False."""
        until = time.monotonic() + seconds
        while not self.interrupt_signal and time.monotonic() < until:
            time.sleep(_TICK)
        return not self.interrupt_signal

    def _see_off(self, worker: t.Any, grace: float) -> None:
        """Wait for a worker that was told to end, and kill it where it has not in `grace` seconds."""
        if not _ends_within(worker, grace):
            _logger.warning("Process %s is killed: it did not end in the grace period", worker.inner.pid)
            worker.kill()

    def _stop_workers(self) -> None:
        # Granian asks each whether it is alive, and kills one whose end its other thread is just taking note of.
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
        """Let the workers end what they have begun, and kill what is still there after the grace."""
        # Where all processes were sent the signal, as systemd does it, some have ended already. Granian's threads may
        # note that at any moment until the last has, and it would take it for a failure.
        for worker in self.wrks:
            worker.interrupt_by_parent = True
        with suppress(SystemExit):
            super().shutdown()  # type: ignore[no-untyped-call]  # Granian's own
        if status := 1 if self.failed else exit_code:
            sys.exit(status)


def _is_true_here(record: logging.LogRecord) -> bool:
    # Connections that wait would be reset if each worker had a socket of its own, as with Granian alone.
    return "tcp_migrate_req" not in str(record.msg)


def _ends_within(worker: t.Any, seconds: float) -> bool:
    """Wait for a worker to end; False where it has not after `seconds`."""
    return bool(wait([worker.inner.sentinel], seconds))


def _launch(worker: t.Any) -> None:
    """Start a worker, in which signals wait until it can act on them: the handlers that it inherits are not its own."""
    with held_signals():
        worker.start()


@contextmanager
def held_signals() -> Iterator[None]:
    """Have the signals that end a process wait, in this thread and in what it starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def release_signals() -> None:
    """In a worker, take the signals that waited: from here on they end it."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


class Wakeup:
    """An event that stays set while there is news: Granian clears it after it has looked, and would miss what came.

    A signal handler may set it while the same thread waits for it, for which an event's own lock would be held: this
    one's can be taken again. Who waits looks up now and then: a signal that another thread took does not wake it.
    """

    def __init__(self, has_news: Callable[[], bool]) -> None:
        self._has_news = has_news
        self._is_set = False
        self._changed = threading.Condition(threading.RLock())

    def set(self) -> None:
        """Wake up who waits."""
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
