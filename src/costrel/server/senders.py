"""Threads that send large bodies, so that slow clients hold no view thread."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

_IDLE: t.Final = 5.0
"""Seconds that a thread waits for another body."""

_ROUND: t.Final = 0.01


class Senders:
    """At most `size` threads, started on demand."""

    def __init__(self, size: int) -> None:
        self.begun: dict[int, float] = {}
        """The bodies that are being sent: a number for each, and its start on the monotonic clock."""
        self._size = size
        self._threads = self._idle = self._last = 0
        self._given = SimpleQueue[Callable[[], None] | None]()
        self._lock = threading.Lock()

    def begin(self, send: Callable[[], None]) -> bool:
        """Call `send` in a thread. Returns False if there are too many."""
        with self._lock:
            self._last += 1
            number = self._last
            self.begun[number] = time.monotonic()
            if self._idle:
                self._idle -= 1
                self._given.put(lambda: self._send(send, number))
            elif not self._start(lambda: self._send(send, number)):
                del self.begun[number]
                return False
        return True

    def _start(self, function: Callable[[], None]) -> bool:
        if self._threads >= self._size:
            return False
        try:
            threading.Thread(target=self._work, args=[function], name="costrel-body", daemon=True).start()
        except RuntimeError:  # the system allows no more
            return False
        self._threads += 1
        return True

    def end(self, seconds: float) -> None:
        """Wait up to `seconds` until the bodies have been sent, and end the idle threads."""
        until = time.monotonic() + seconds
        while self.begun and time.monotonic() < until:
            time.sleep(_ROUND)
        with self._lock:
            for _ in range(self._threads):
                self._given.put(None)

    def _send(self, send: Callable[[], None], number: int) -> None:
        try:
            send()
        finally:
            del self.begun[number]

    def _work(self, function: Callable[[], None]) -> None:
        given: Callable[[], None] | None = function
        while given is not None:
            given()
            given = self._next()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            self._idle += 1
        with suppress(Empty):
            return self._given.get(timeout=_IDLE)
        with self._lock:
            with suppress(Empty):
                return self._given.get_nowait()
            self._idle -= 1
            self._threads -= 1
        return None
