"""The heartbeats of workers: each event loop increments a counter in memory that it shares with the supervisor.

Times are on the monotonic clock, and time in which the supervisor itself did not run does not count: when a suspended
computer or a paused container resumes, all processes continue at the same moment, and no worker counts as silent.
"""

from __future__ import annotations

import multiprocessing
import time
import typing as t
from collections.abc import Iterable, Iterator

INTERVAL: t.Final = 1.0
"""The seconds between two heartbeats."""

_LONGEST_STEP: t.Final = 3.0
"""The maximum number of seconds to count between two readings."""

T = t.TypeVar("T")


class Heartbeat:
    """The heartbeat counter of one worker, and flags that the worker and the supervisor set for each other."""

    def __init__(self) -> None:
        self._count = multiprocessing.RawValue("Q", 0)
        self._is_logged = multiprocessing.RawValue("b", 0)
        self._wants_replacement = multiprocessing.RawValue("b", 0)
        self._is_replaced = multiprocessing.RawValue("b", 0)

    @property
    def count(self) -> int:
        """The number of heartbeats; 0 before the first."""
        return int(self._count.value)

    def beat(self) -> None:
        """Count a heartbeat."""
        self._count.value += 1

    @property
    def is_logged(self) -> bool:
        """Whether the worker has logged the stack of its blocked thread."""
        return bool(self._is_logged.value)

    def note_logged(self) -> None:
        """Record that the worker has logged the stack."""
        self._is_logged.value = 1

    @property
    def wants_replacement(self) -> bool:
        """Whether the worker wants to be replaced."""
        return bool(self._wants_replacement.value)

    def request_replacement(self) -> None:
        """Request that the worker be replaced, since it cannot do its work."""
        self._wants_replacement.value = 1

    @property
    def is_replaced(self) -> bool:
        """Whether another worker has replaced this one, and accepts the connections."""
        return bool(self._is_replaced.value)

    def note_replaced(self) -> None:
        """Record that another worker has replaced this one."""
        self._is_replaced.value = 1


class RunTime:
    """Measures the time in which this process was running rather than suspended."""

    def __init__(self) -> None:
        self._read_at = time.monotonic()

    def step(self) -> float:
        """The seconds since the last call, at most a few: a longer gap means that this process did not run."""
        now = time.monotonic()
        step = min(now - self._read_at, _LONGEST_STEP)
        self._read_at = now
        return step


class Silence:
    """The time since one worker's last heartbeat."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._count = 0
        self._run_time = RunTime()

    def update(self, heartbeat: Heartbeat) -> float:
        """Read the counter again. Returns the seconds for which it has not changed."""
        step, count = self._run_time.step(), heartbeat.count
        if count != self._count or not count:
            self._count, self.seconds = count, 0.0
        else:
            self.seconds += step
        return self.seconds


class HeartbeatMonitor:
    """Reports each worker without a heartbeat for `limit` seconds once; if `limit` is None, it reports none."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._silences: dict[Heartbeat, Silence] = {}

    def silent(self, heartbeats: Iterable[tuple[T, Heartbeat]]) -> Iterator[T]:
        """The workers whose last heartbeat is too long ago."""
        if self._limit is None:
            return
        pairs = list(heartbeats)
        silences = {heartbeat: self._silences.get(heartbeat) or Silence() for _, heartbeat in pairs}
        self._silences = silences
        for worker, heartbeat in pairs:
            if silences[heartbeat].update(heartbeat) >= self._limit:
                silences[heartbeat] = Silence()
                yield worker
