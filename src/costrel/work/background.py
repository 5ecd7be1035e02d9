"""The thread pool, with a bounded queue, in which an application's functions run after its responses."""

from __future__ import annotations

import os
import threading
import time
import typing as t
import weakref
from collections import Counter, deque
from collections.abc import Iterable

from ..context import AppContract
from ..support.signals import background_refused
from .calls import Call

QUEUE: t.Final = 1_000
"""The maximum number of functions that wait for a thread or run on the event loop."""

THREADS: t.Final = 4

NAME: t.Final = "costrel-worker-background"

IDLE: t.Final = 10.0
"""The seconds after which an idle thread ends."""

AT_EXIT: t.Final = 30.0
"""The time limit in seconds for the remaining functions at exit, if the server has not shut the application down."""


class Background:
    """The functions of one application that run after its responses."""

    def __init__(self, app: AppContract) -> None:
        self._app = app
        self._reset()

    def _reset(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._queue: deque[Call] = deque()
        self._running: set[Call] = set()
        self._on_loop: set[Call] = set()
        self._threads = 0
        self._is_bound_to_exit = False

    def submit(self, call: Call) -> bool:
        """Queue `call` for a thread, or start it on its event loop. Returns False if the queue is full."""
        if self._process != os.getpid():  # after a fork: the threads exist only in the parent process
            self._reset()
        is_async = call.is_async
        with self._changed:
            if len(self._queue) + len(self._on_loop) >= QUEUE:
                return False
            if is_async:
                self._on_loop.add(call)
            else:
                self._queue.append(call)
                self._start_thread()
                self._changed.notify()
        self._bind_to_exit()
        if is_async:
            call.start(self._forget)
        return True

    def refuse(self, call: Call) -> None:
        """Log and count a function that does not run because the queue is full."""
        self._app.logger.error(
            "The function %s was not run after the response to %s, because %d functions are already waiting. Raise"
            " BACKGROUND_THREADS (%d), or use a job queue for this work.",
            call.name,
            call.head,
            QUEUE,
            self._most_threads(),
        )
        background_refused.send(self._app)
        if call.done is not None:
            call.done.set()

    def drain(self, seconds: float) -> list[str]:
        """Wait up to `seconds` for all functions to end. Logs and returns the names of those that do not."""
        until = time.monotonic() + seconds
        with self._changed:
            while self._pending() and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            lost = [call.name for call in (*self._queue, *self._running, *self._on_loop)]
            for call in self._queue:
                if call.done is not None:
                    call.done.set()
            self._queue.clear()
        if lost:
            self._app.logger.error(
                "The process is ending before %d functions after responses have ended: %s.", len(lost), _counted(lost)
            )
        return lost

    def _pending(self) -> bool:
        return bool(self._queue or self._running or self._on_loop)

    def _most_threads(self) -> int:
        most: int = self._app.config.get("BACKGROUND_THREADS", THREADS) or THREADS
        return most

    def _start_thread(self) -> None:
        """Start a thread if more calls are queued than threads are free, unless BACKGROUND_THREADS are running."""
        is_short = self._threads - len(self._running) < len(self._queue)
        if is_short and self._threads < self._most_threads():
            self._threads += 1
            threading.Thread(target=self._work, name=f"{NAME}-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        while (call := self._next()) is not None:
            call.run(self._forget)
            del call

    def _next(self) -> Call | None:
        """Wait for the next call. None if there is none for IDLE seconds: then this thread ends."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._queue, IDLE):
                self._threads -= 1
                return None
            call = self._queue.popleft()
            self._running.add(call)
            return call

    def _forget(self, call: Call) -> None:
        with self._changed:
            self._running.discard(call)
            self._on_loop.discard(call)
            self._changed.notify_all()

    def _bind_to_exit(self) -> None:
        if not self._is_bound_to_exit:
            self._is_bound_to_exit = True
            import atexit

            atexit.register(_drain_at_exit, weakref.ref(self))


def _drain_at_exit(background: weakref.ref[Background]) -> None:
    live = background()
    if live is not None:
        live.drain(AT_EXIT)


def _counted(names: Iterable[str]) -> str:
    return ", ".join(name if number == 1 else f"{name} ({number} times)" for name, number in Counter(names).items())
