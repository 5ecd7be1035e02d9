"""Signs of life of a worker, and what else it shares with its parent process: its event loop counts in shared memory.

The clock is monotonic, and the time in which the reader itself did not run does not count: after a suspended computer
or a paused container, all processes continue at the same moment, and no worker has been silent.
"""

from __future__ import annotations

import multiprocessing
import time
import typing as t
from collections.abc import Iterable, Iterator

INTERVAL: t.Final = 1.0
"""The seconds between two beats."""

_LONGEST_STEP: t.Final = 3.0
"""The seconds that count at most between two looks of the reader."""

T = t.TypeVar("T")


class Pulse:
    """The beats of one worker: how many there were. 0 before the first."""

    def __init__(self) -> None:
        self._count = multiprocessing.RawValue("Q", 0)
        self._is_explained = multiprocessing.RawValue("b", 0)
        self._must_go = multiprocessing.RawValue("b", 0)
        self._is_replaced = multiprocessing.RawValue("b", 0)

    @property
    def count(self) -> int:
        """The number of beats."""
        return int(self._count.value)

    def beat(self) -> None:
        """Give a sign."""
        self._count.value += 1

    @property
    def is_explained(self) -> bool:
        """Whether the worker has logged the stack of its silent thread."""
        return bool(self._is_explained.value)

    def note_explained(self) -> None:
        """The worker has logged the stack."""
        self._is_explained.value = 1

    @property
    def must_go(self) -> bool:
        """Whether the worker wants to be replaced."""
        return bool(self._must_go.value)

    def ask_to_go(self) -> None:
        """The worker cannot do its work, and wants to be replaced."""
        self._must_go.value = 1

    @property
    def is_replaced(self) -> bool:
        """Whether another worker has taken the place of this one, and accepts the connections."""
        return bool(self._is_replaced.value)

    def note_replaced(self) -> None:
        """Another worker has taken the place."""
        self._is_replaced.value = 1


class Silence:
    """How long one pulse has been silent."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._count = 0
        self._looked = time.monotonic()

    def look(self, pulse: Pulse) -> float:
        """Look at the pulse again. Returns the seconds of silence."""
        now, count = time.monotonic(), pulse.count
        if count != self._count or not count:
            self._count, self.seconds = count, 0.0
        else:
            self.seconds += min(now - self._looked, _LONGEST_STEP)
        self._looked = now
        return self.seconds


class Beats:
    """The pulses of all workers. Those that are silent for `limit` seconds are reported once; with None, none is."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._silences: dict[Pulse, Silence] = {}

    def silent(self, pulses: Iterable[tuple[T, Pulse]]) -> Iterator[T]:
        """The workers that are silent for too long."""
        if self._limit is None:
            return
        pairs = list(pulses)
        known = {pulse: self._silences.get(pulse) or Silence() for _, pulse in pairs}
        self._silences = known
        for worker, pulse in pairs:
            if known[pulse].look(pulse) >= self._limit:
                known[pulse] = Silence()
                yield worker
