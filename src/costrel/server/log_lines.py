"""Lines of the access log, collected and written many at a time, so that no request waits for a write."""

from __future__ import annotations

import threading
import time
import typing as t
from contextlib import suppress
from multiprocessing.util import Finalize

PAUSE: t.Final = 0.05
"""The seconds in which lines are collected."""

MOST: t.Final = 65_536
"""The maximum number of lines that wait while the stream blocks."""

_IDLE: t.Final = 1.0
"""The seconds without a line after which the thread ends."""


class LogLines:
    """Writes lines to `stream` in the order in which they are added.

    `add` only appends to a list: it takes no lock, makes no system call, and is safe in any thread. A thread writes the
    collected lines. When the process ends, the rest is written. A process that is killed loses the last `PAUSE`.
    """

    def __init__(self, stream: t.TextIO) -> None:
        self.stream = stream
        batch = self._batch = _Batch(stream)
        self._waiting = batch.waiting
        self._has_more = batch.has_more
        Finalize(self, batch.end, exitpriority=1)  # before the stream's own end

    def add(self, line: str) -> None:
        """Add a line, which ends with a line break."""
        if len(self._waiting) >= MOST:
            self._batch.dropped += 1
            return
        self._waiting.append(line)
        if not self._has_more.is_set():
            self._batch.wake()

    def flush(self) -> None:
        """Write the lines that were added before this call."""
        self._batch.write()


class _Batch:
    def __init__(self, stream: t.TextIO) -> None:
        self.waiting: list[str] = []
        self.has_more = threading.Event()
        self.dropped = 0
        self._stream = stream
        self._waking = threading.Lock()
        self._writing = threading.RLock()  # the garbage collector may call `end` within `write`
        self._is_running = False
        self._is_over = False

    def wake(self) -> None:
        """Let the thread write the lines that were added."""
        with self._waking:
            self.has_more.set()
            if not self._is_running and not self._is_over:
                self._is_running = True
                threading.Thread(target=self._run, name="costrel-access-log", daemon=True).start()

    def _run(self) -> None:
        while self._goes_on():
            time.sleep(PAUSE)
            self.has_more.clear()  # a line that is added from here on sets it again
            self.write()

    def _goes_on(self) -> bool:
        self.has_more.wait(_IDLE)
        with self._waking:
            self._is_running = self.has_more.is_set() and not self._is_over
            return self._is_running

    def write(self) -> None:
        """Write all lines that are here."""
        with self._writing:
            lines = self.waiting[:]
            del self.waiting[: len(lines)]
            if self.dropped:
                lines.append(f"[WARNING] {self.dropped} lines of output were dropped: their reader has stopped\n")
                self.dropped = 0
            if lines:
                with suppress(OSError, ValueError):  # a closed pipe must not fail a request
                    self._stream.write("".join(lines))
                    self._stream.flush()

    def end(self) -> None:
        """Write the rest, and let the thread end."""
        self._is_over = True
        self.has_more.set()
        self.write()
