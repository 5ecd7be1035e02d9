"""Writes standard output and error in the background, so that a stalled reader does not stop the server.

A full pipe blocks the thread that writes to it, which for the access log is the event loop. So everything that this
process prints or logs goes through a bounded queue to a thread that writes it. Lines that do not fit are dropped and
counted, and the count is written once the reader continues.
"""

from __future__ import annotations

import io
import os
import select
import sys
import threading
import time
import typing as t
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.util import Finalize

if t.TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LIMIT: t.Final = 4 * 1024 * 1024
"""The maximum size of the queue in bytes."""

AT_END: t.Final = 1.0
"""The time limit in seconds for writing the queued output when the process ends."""

_PAUSE: t.Final = 0.005
"""The seconds for which lines are collected, so that they are written together."""

_PIECE: t.Final = 64 * 1024


class Background(io.RawIOBase):
    """A raw stream that a thread writes to the file descriptor `fd`. `at_drop` is called with the lines dropped."""

    def __init__(self, fd: int, name: str, at_drop: Callable[[int], None] = lambda lines: None) -> None:
        super().__init__()
        self.name = name
        self.dropped = 0
        """The number of dropped lines."""
        self._fd = fd
        self._at_drop = at_drop
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._unreported = 0
        self._lock = threading.Lock()
        self._has_more = threading.Event()
        self._is_idle = threading.Event()
        self._is_idle.set()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._is_over = False

    def fileno(self) -> int:
        """The file descriptor, for code that writes to it directly."""
        return self._fd

    def isatty(self) -> bool:
        """Whether the file descriptor is a terminal."""
        return os.isatty(self._fd)

    def writable(self) -> bool:
        """Always true."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Queue the bytes, or drop them if the queue is full. Never blocks."""
        piece = bytes(data)
        if self._is_over or os.getpid() != self._pid:  # the thread does not exist in a forked process
            return self._write_now(piece)
        with self._lock:
            if self._size + len(piece) > LIMIT:
                lines = piece.count(b"\n") or 1
                self.dropped += lines
                self._unreported += lines
                self._at_drop(lines)
                return len(piece)
            self._size += len(piece)
            self._waiting.append(piece)
            self._is_idle.clear()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="costrel-output", daemon=True)
                self._thread.start()
        self._has_more.set()
        return len(piece)

    def finish(self, seconds: float) -> None:
        """Wait at most `seconds` until the queue is empty. Later writes bypass it."""
        if os.getpid() == self._pid:
            self._is_over = True
            self._has_more.set()
            self._is_idle.wait(seconds)

    def _run(self) -> None:
        while not self._is_over:
            self._has_more.wait()
            if not self._is_over:
                time.sleep(_PAUSE)
            self._has_more.clear()
            while piece := self._take():
                self._write_all(piece)

    def _write_all(self, piece: bytes) -> None:
        while piece:
            try:
                piece = piece[self._write_now(piece) :]
            except BlockingIOError:  # another process that shares the pipe has made it non-blocking
                select.select([], [self._fd], [], 1)
            except (OSError, ValueError):  # a closed pipe must not fail a request
                return

    def _write_now(self, piece: bytes) -> int:
        return os.write(self._fd, piece)

    def _take(self) -> bytes:
        """The next bytes to write; empty if there are none."""
        with self._lock:
            taken: list[bytes] = []
            size = 0
            while self._waiting and size < _PIECE:
                taken.append(self._waiting.popleft())
                size += len(taken[-1])
            self._size -= size
            if not taken:
                self._is_idle.set()
            elif self._unreported and not self._waiting:
                taken.append(b"[WARNING] %d lines of output were dropped: they were not read\n" % self._unreported)
                self._unreported = 0
        return b"".join(taken)


class BackgroundText(Background):
    """A `Background` that writes to a text stream, which other code has put in place of a standard stream."""

    def __init__(self, stream: t.TextIO, at_drop: Callable[[int], None]) -> None:
        super().__init__(-1, "<background>", at_drop)
        self._stream = stream

    def fileno(self) -> int:
        """The file descriptor of the stream. Raises OSError if it has none."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return bool(getattr(self._stream, "isatty", lambda: False)())

    def _write_now(self, piece: bytes) -> int:
        self._stream.write(piece.decode(errors="replace"))
        self._stream.flush()
        return len(piece)


_installed: dict[str, io.TextIOWrapper] = {}


def in_background(at_drop: Callable[[int], None] = lambda lines: None) -> None:
    """Write the standard output and error of this process in the background.

    `at_drop` is called with the number of lines whenever lines are dropped. If other code has replaced one of the
    streams, the replacement is left alone.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, f"__{name}__")
        if isinstance(stream, io.TextIOWrapper) and getattr(sys, name) in (stream, _installed.get(name)):
            with suppress(OSError, ValueError):
                stream.flush()
                raw = Background(stream.fileno(), stream.name, at_drop)
                _installed[name] = _wrapped(raw, stream.encoding, stream.errors)
                setattr(sys, name, _installed[name])


def nonblocking(stream: t.TextIO, at_drop: Callable[[int], None]) -> t.TextIO:
    """A stream that writes to `stream` without blocking: `stream` itself if `in_background` has made it."""
    if stream in _installed.values():
        return stream
    return _wrapped(BackgroundText(stream, at_drop), "utf-8", "backslashreplace")


def _wrapped(raw: Background, encoding: str, errors: str | None) -> io.TextIOWrapper:
    wrapped = io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=True)

    def finish() -> None:
        with suppress(OSError, ValueError):
            wrapped.flush()
        raw.finish(AT_END)

    Finalize(None, finish, exitpriority=0)  # multiprocessing's processes do not run `atexit` functions
    return wrapped
