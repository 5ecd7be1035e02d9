"""Waiting for a store: each operation has a deadline, and only a few threads wait for a store that is stuck.

A request that waits for the store occupies a thread. If all of them waited until their deadlines, no thread would be
left for requests that do not need the store.
"""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

BRIEF: t.Final = 0.25
"""The seconds without a successful operation after which a store counts as stuck rather than busy."""

WAITERS: t.Final = 8
"""The number of operations of one process that may wait for a store that is stuck."""

PAUSE: t.Final = 5.0
"""The seconds after a missed deadline during which no other operation waits, unless one succeeds."""

_STEP: t.Final = 0.02
"""The maximum time between two attempts, in seconds."""


class StoreError(Exception):
    """A store cannot be reached or written. Its data is unchanged."""


class StuckError(StoreError):
    """A store is stuck: an operation has missed its deadline, or did not wait because too many others do."""


class Lockable(t.Protocol):
    """A lock of `threading`."""

    def acquire(self, blocking: bool = ..., timeout: float = ...) -> bool: ...


class Waits:
    """The operations of this process that wait for one store.

    :param seconds: the time limit of an operation for getting access to the store.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._waiting = 0
        self._stuck_until = 0.0
        self.last_success = 0.0
        """The time at which an operation last got access, on the monotonic clock."""

    def operation(self) -> Operation:
        """Start an operation. Its deadline counts from now."""
        return Operation(self)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Wrap the call of a store that has timeouts of its own. While it is stuck, only a few threads try it.

        :raises StuckError: if WAITERS threads are already trying.
        """
        if not self.is_stuck:
            yield
            return
        if not self.enter():
            raise StuckError(f"it does not respond, and {WAITERS} operations are already waiting for it")
        try:
            yield
        finally:
            self.leave()
        self.note_success()

    @property
    def is_stuck(self) -> bool:
        """Whether an operation has missed its deadline within the last PAUSE seconds."""
        return time.monotonic() < self._stuck_until

    def note_missed(self) -> None:
        """Record that an operation has missed its deadline, and that no other operation got access meanwhile."""
        self._stuck_until = time.monotonic() + PAUSE

    def note_success(self) -> None:
        """Record that an operation has got access to the store."""
        self._stuck_until = 0.0
        self.last_success = time.monotonic()

    def enter(self) -> bool:
        """Count a waiting operation. Returns False if there are too many."""
        with self._lock:
            if self._waiting >= WAITERS:
                return False
            self._waiting += 1
            return True

    def leave(self) -> None:
        """Record that an operation has stopped waiting."""
        with self._lock:
            self._waiting -= 1


class Operation:
    """One operation, as a context manager. It calls `pause` between two attempts to get access to the store."""

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
        """Wait a moment for a busy store.

        :raises StuckError: if the deadline is missed, or too many operations wait for a store that is stuck.
        """
        self._check()
        time.sleep(self._step)
        self._step = min(self._step * 2, _STEP)

    def acquire(self, lock: Lockable) -> None:
        """Acquire a lock that the threads of this process share.

        :raises StuckError: like `pause`.
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
            raise StuckError("it is locked, and an earlier operation has timed out")
        if now - max(self._began, waits.last_success) >= BRIEF and not self._is_counted:
            self._is_counted = waits.enter()
            if not self._is_counted:
                raise StuckError(f"it is locked, and {WAITERS} operations are already waiting for it")
