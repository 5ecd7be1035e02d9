"""The heartbeat of a worker, which its event loop counts in memory shared with the parent process, and further flags.

The clock is monotonic, and the time in which the reader itself did not run does not count: after a computer is
suspended or a container is paused, all processes continue at the same moment, and no worker has been silent.
"""

from __future__ import annotations

import multiprocessing
import time
import typing as t
from collections.abc import Iterable, Iterator

INTERVAL: t.Final = 1.0
"""The seconds between two beats."""

_LONGEST_STEP: t.Final = 3.0
"""The most seconds that count between two readings."""

T = t.TypeVar("T")


class Pulse:
    """The number of beats of one worker, which is 0 before the first, and its flags."""

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
        """Count a beat."""
        self._count.value += 1

    @property
    def is_explained(self) -> bool:
        """Whether the worker has logged the stack of its silent thread."""
        return bool(self._is_explained.value)

    def note_explained(self) -> None:
        """Note that the worker has logged the stack."""
        self._is_explained.value = 1

    @property
    def must_go(self) -> bool:
        """Whether the worker wants to be replaced."""
        return bool(self._must_go.value)

    def ask_to_go(self) -> None:
        """Have the worker replaced, since it cannot do its work."""
        self._must_go.value = 1

    @property
    def is_replaced(self) -> bool:
        """Whether another worker has taken the place of this one, and accepts the connections."""
        return bool(self._is_replaced.value)

    def note_replaced(self) -> None:
        """Note that another worker has taken the place."""
        self._is_replaced.value = 1


class RunTime:
    """Measures the time in which this process ran."""

    def __init__(self) -> None:
        self._read_at = time.monotonic()

    def step(self) -> float:
        """The seconds since the last reading, without a longer time in which this process did not run."""
        now = time.monotonic()
        step = min(now - self._read_at, _LONGEST_STEP)
        self._read_at = now
        return step


class Silence:
    """How long one pulse has been silent."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._count = 0
        self._run_time = RunTime()

    def look(self, pulse: Pulse) -> float:
        """Read the pulse again. Returns the seconds of silence."""
        step, count = self._run_time.step(), pulse.count
        if count != self._count or not count:
            self._count, self.seconds = count, 0.0
        else:
            self.seconds += step
        return self.seconds


class Beats:
    """The pulses of all workers. Each that is silent for `limit` seconds is reported once; with None, none is."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._silences: dict[Pulse, Silence] = {}

    def silent(self, pulses: Iterable[tuple[T, Pulse]]) -> Iterator[T]:
        """The workers that have been silent for too long."""
        if self._limit is None:
            return
        pairs = list(pulses)
        known = {pulse: self._silences.get(pulse) or Silence() for _, pulse in pairs}
        self._silences = known
        for worker, pulse in pairs:
            if known[pulse].look(pulse) >= self._limit:
                known[pulse] = Silence()
                yield worker
