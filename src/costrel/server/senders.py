"""Threads that send large bodies, so that slow clients hold no view thread."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

_IDLE: t.Final = 5.0
"""The seconds for which a thread waits for another body before it ends."""

_ROUND: t.Final = 0.01


class Senders:
    """A pool of at most `size` threads, which are started on demand."""

    def __init__(self, size: int) -> None:
        self.in_progress: dict[int, float] = {}
        """The bodies being sent: a number for each → its start on the monotonic clock."""
        self._size = size
        self._threads = self._idle = self._last = 0
        self._queue = SimpleQueue[Callable[[], None] | None]()
        self._lock = threading.Lock()

    def begin(self, send: Callable[[], None]) -> bool:
        """Call `send` in a thread. Returns False if all threads are busy."""
        with self._lock:
            self._last += 1
            number = self._last
            self.in_progress[number] = time.monotonic()
            if self._idle:
                self._idle -= 1
                self._queue.put(lambda: self._send(send, number))
            elif not self._start(lambda: self._send(send, number)):
                del self.in_progress[number]
                return False
        return True

    def _start(self, function: Callable[[], None]) -> bool:
        if self._threads >= self._size:
            return False
        try:
            threading.Thread(target=self._work, args=[function], name="costrel-body", daemon=True).start()
        except RuntimeError:  # the system allows no more threads
            return False
        self._threads += 1
        return True

    def end(self, seconds: float) -> None:
        """Wait up to `seconds` until the bodies have been sent, and end the idle threads."""
        until = time.monotonic() + seconds
        while self.in_progress and time.monotonic() < until:
            time.sleep(_ROUND)
        with self._lock:
            for _ in range(self._threads):
                self._queue.put(None)

    def _send(self, send: Callable[[], None], number: int) -> None:
        try:
            send()
        finally:
            del self.in_progress[number]

    def _work(self, function: Callable[[], None]) -> None:
        job: Callable[[], None] | None = function
        while job is not None:
            job()
            job = self._next()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            self._idle += 1
        with suppress(Empty):
            return self._queue.get(timeout=_IDLE)
        with self._lock:
            with suppress(Empty):
                return self._queue.get_nowait()
            self._idle -= 1
            self._threads -= 1
        return None
