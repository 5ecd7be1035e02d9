"""Tunes glibc's memory allocator: few heaps, and free memory is returned to the system."""

from __future__ import annotations

import ctypes
import os
import threading
import time
import typing as t
from collections.abc import Callable
from contextlib import suppress

ARENAS: t.Final = 2
"""The number of heaps (glibc calls them arenas): the main heap, and one for threads that find it locked.

By default glibc makes up to eight per processor. Python's threads allocate under the GIL, one at a time, so they gain
nothing from more heaps; but each heap grows to the size of the largest requests that its threads ever handled.
"""

_M_ARENA_MAX: t.Final = -8  # from malloc.h
_VARIABLES: t.Final = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")

_INTERVAL: t.Final = 1.0
"""The interval of `Trimming` in seconds."""

_FINAL_ROUNDS: t.Final = 2
"""The number of trims once memory is no longer scarce, for memory that is freed a little later."""


def share_heaps() -> None:
    """Limit the heaps of this process unless an environment variable does. Call this before threads allocate."""
    if any(name in os.environ for name in _VARIABLES):
        return
    with suppress(AttributeError, OSError, TypeError):  # another C library, or Windows
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def trim() -> None:
    """Return free memory inside the heaps to the system. By itself, glibc only returns the free end of a heap."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


class Trimming:
    """Trims repeatedly, in a thread of its own: while memory is scarce, and shortly afterwards."""

    def __init__(self) -> None:
        self._runs = threading.Lock()

    def begin(self, is_scarce: Callable[[], bool]) -> None:
        """Start the thread, unless it is running."""
        if self._runs.acquire(blocking=False):
            threading.Thread(target=self._run, args=[is_scarce], name="costrel-trimming", daemon=True).start()

    def _run(self, is_scarce: Callable[[], bool]) -> None:
        try:
            rounds = _FINAL_ROUNDS
            while rounds:
                time.sleep(_INTERVAL)
                rounds = _FINAL_ROUNDS if is_scarce() else rounds - 1
                trim()
        finally:
            self._runs.release()
