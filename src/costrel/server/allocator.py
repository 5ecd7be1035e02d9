"""Keeps glibc's memory allocator from one heap per thread, whose free parts the others cannot use."""

from __future__ import annotations

import ctypes
import os
import typing as t
from contextlib import suppress

ARENAS: t.Final = 2
"""The number of heaps: the main one, and one for threads that find it locked.

By default glibc makes up to eight per processor. Python's threads allocate one after another, under its global lock, so
they gain nothing from more; but each heap grows to the size of the largest requests that its threads ever handled.
"""

_M_ARENA_MAX: t.Final = -8  # from malloc.h
_OWN_CHOICE: t.Final = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")


def share_heaps() -> None:
    """Limit the heaps of this process, unless the environment says how many. Call this before threads allocate."""
    if any(name in os.environ for name in _OWN_CHOICE):
        return
    with suppress(AttributeError, OSError, TypeError):  # another C library, or Windows
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
