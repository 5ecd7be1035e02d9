"""Writes the lines of the access log in batches, so that no request waits for them."""

from __future__ import annotations

import logging
import threading
import time
import typing as t
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.util import Finalize

PAUSE: t.Final = 0.05
"""The seconds for which entries are collected before they are written."""

_IDLE: t.Final = 1.0
"""The seconds without an entry after which the thread ends."""

E = t.TypeVar("E")

_logger = logging.getLogger("costrel.server")


class LogLines(t.Generic[E]):
    """Writes a line for each entry to `stream`, in the order of the entries.

    `add` only appends the entry to a list: it takes no lock, makes no system call, and is safe in any thread. Another
    thread writes the lines, which `render` makes of the collected entries. The rest is written when the process ends;
    a process that is killed loses the entries of the last `PAUSE`.

    Entries are kept until `stream` has accepted them, so `stream` must not block: see `output.nonblocking`.
    """

    def __init__(self, stream: t.TextIO, render: Callable[[list[E]], list[str]]) -> None:
        batch = _Batch(stream, render)
        self.add: Callable[[E], None] = batch.add
        self.flush: Callable[[], None] = batch.write
        """Writes the lines of the entries that were added before the call."""
        Finalize(self, batch.end, exitpriority=1)  # before the stream's own end


class _Batch(t.Generic[E]):
    def __init__(self, stream: t.TextIO, render: Callable[[list[E]], list[str]]) -> None:
        self._stream = stream
        self._render = render
        self._waiting: list[E] = []
        self._is_noted = False
        """Whether the thread has been told about the waiting entries."""
        self._has_more = threading.Event()
        self._waking = threading.Lock()
        self._writing = threading.RLock()  # the garbage collector may call `end` within `write`
        self._is_running = False
        self._is_over = False

    def add(self, entry: E) -> None:
        self._waiting.append(entry)
        if not self._is_noted:
            self._wake()

    def _wake(self) -> None:
        with self._waking:
            self._is_noted = True
            self._has_more.set()
            if not self._is_running and not self._is_over:
                self._is_running = True
                threading.Thread(target=self._run, name="costrel-access-log", daemon=True).start()

    def _run(self) -> None:
        while self._goes_on():
            time.sleep(PAUSE)
            self._has_more.clear()
            self._is_noted = False  # entries added from here on wake the thread again
            try:
                self.write()
            except Exception:
                _logger.exception("Access log lines were lost")

    def _goes_on(self) -> bool:
        self._has_more.wait(_IDLE)
        with self._waking:
            self._is_running = self._has_more.is_set() and not self._is_over
            return self._is_running

    def write(self) -> None:
        with self._writing:
            entries = self._waiting[:]
            del self._waiting[: len(entries)]
            if entries:
                text = "\n".join([*self._render(entries), ""])
                with suppress(OSError, ValueError):  # a closed pipe must not fail a request
                    self._stream.write(text)
                    self._stream.flush()

    def end(self) -> None:
        """Write the remaining entries, and let the thread end."""
        self._is_over = True
        self._has_more.set()
        self.write()
