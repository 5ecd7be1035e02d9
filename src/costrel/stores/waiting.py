"""Waiting for a store: each operation has one deadline, and few threads wait for a store that is stuck.

Requests that need the store hold a thread while they wait. If all of them waited until their deadlines, no thread would
be left for the requests that do not need it.
"""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

BRIEF: t.Final = 0.25
"""Seconds without a success of any operation after which a store is stuck, and not only busy."""

WAITERS: t.Final = 8
"""How many operations of one process may wait for a store that is stuck."""

PAUSE: t.Final = 5.0
"""Seconds after a missed deadline in which no other operation waits, unless one succeeds."""

_STEP: t.Final = 0.02
"""The longest time between two attempts, in seconds."""


class StoreError(Exception):
    """A store cannot be reached, or cannot write. Its data did not change."""


class StuckError(StoreError):
    """A store is stuck: an operation has missed its deadline, or did not wait, since too many already do."""


class Lockable(t.Protocol):
    """A lock of `threading`."""

    def acquire(self, blocking: bool = ..., timeout: float = ...) -> bool: ...


class Waits:
    """The waits for one store in this process.

    :param seconds: how long an operation may take until it has the store to itself.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._waiting = 0
        self._stuck_until = 0.0
        self.last_success = 0.0
        """When an operation last got the store, on the monotonic clock."""

    def operation(self) -> Operation:
        """Begin an operation, whose deadline runs from now on."""
        return Operation(self)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Wrap a call of a store that has timeouts of its own: while it is stuck, only a few threads try it.

        :raises StuckError: if that many threads try it already.
        """
        if not self.is_stuck:
            yield
            return
        if not self.enter():
            raise StuckError(f"it does not answer, and {WAITERS} operations wait for it already")
        try:
            yield
        finally:
            self.leave()
        self.note_success()

    @property
    def is_stuck(self) -> bool:
        """Whether an operation has missed its deadline a moment ago."""
        return time.monotonic() < self._stuck_until

    def note_missed(self) -> None:
        """Note that an operation missed its deadline, and that no other one got the store meanwhile."""
        self._stuck_until = time.monotonic() + PAUSE

    def note_success(self) -> None:
        """Note that an operation got the store."""
        self._stuck_until = 0.0
        self.last_success = time.monotonic()

    def enter(self) -> bool:
        """Count one more operation that waits; False if there are too many."""
        with self._lock:
            if self._waiting >= WAITERS:
                return False
            self._waiting += 1
            return True

    def leave(self) -> None:
        """Note that an operation no longer waits."""
        with self._lock:
            self._waiting -= 1


class Operation:
    """One operation: its context manager ends it, and `pause` comes between two attempts to get the store."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._began = time.monotonic()
        self._is_counted = False
        self._step = 0.001

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_counted:
            self._is_counted = False
            self._waits.leave()

    def pause(self) -> None:
        """Wait a moment for a store that is busy.

        :raises StuckError: if the deadline is over, or others wait already for a store that is stuck.
        """
        self._check()
        time.sleep(self._step)
        self._step = min(self._step * 2, _STEP)

    def acquire(self, lock: Lockable) -> None:
        """Acquire the lock of the store in this process.

        :raises StuckError: as `pause`.
        """
        while not lock.acquire(timeout=max(0.0, min(_STEP, self._waits.seconds))):
            self._check()

    def _check(self) -> None:
        waits, now = self._waits, time.monotonic()
        if now - self._began >= waits.seconds:
            if waits.last_success < self._began:
                waits.note_missed()
            raise StuckError(f"it was locked for {waits.seconds:g} seconds")
        if waits.is_stuck:
            raise StuckError("it is locked, and an earlier operation has waited for it in vain")
        if now - max(self._began, waits.last_success) >= BRIEF and not self._is_counted:
            self._is_counted = waits.enter()
            if not self._is_counted:
                raise StuckError(f"it is locked, and {WAITERS} operations wait for it already")
