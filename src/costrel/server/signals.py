"""Signal handling: signals are blocked until a process can handle them, and a waiting thread misses none."""

from __future__ import annotations

import signal
import socket
import sys
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

ENDING = (signal.SIGTERM, signal.SIGINT)
"""The signals that end a server."""


@contextmanager
def held_signals() -> Iterator[None]:
    """Block the signals that end a server, in this thread and in the threads and processes that it starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def release_signals() -> None:
    """Restore the default handlers in a worker, and unblock the signals."""
    signal.set_wakeup_fd(-1)
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def complete_before_end(start: Callable[[], None]) -> None:
    """Complete `start` in a worker even if a signal that ends the worker arrives meanwhile.

    Afterwards, until other handlers are set, such a signal exits the process with `SystemExit`, so that the functions
    that undo the start are called. Signals after the first one have no effect.
    """
    arrived: list[int] = []
    for number in ENDING:
        signal.signal(number, lambda number, _: arrived.append(number))
    start()
    for number in ENDING:
        signal.signal(number, _exit)
    if arrived:
        _exit()


def _exit(*_: object) -> t.NoReturn:
    for number in ENDING:  # a second signal must not interrupt the exit
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


class Wakeup:
    """A socket that becomes readable when a signal arrives in any thread."""

    def __enter__(self) -> t.Self:
        self.receiver, self._sender = socket.socketpair()
        self.receiver.setblocking(False)
        self._sender.setblocking(False)
        self._before = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *exc_info: object) -> None:
        signal.set_wakeup_fd(self._before)
        self.receiver.close()
        self._sender.close()

    def clear(self) -> None:
        """Discard the bytes that signals have written."""
        with suppress(BlockingIOError):
            while self.receiver.recv(4096):
                pass


class Signals:
    """Lets the main thread of a worker wait for the first signal that ends it. Later signals have no effect.

    A Python handler could interrupt the main thread anywhere; and if another thread received the signal, it would not
    run while the main thread is waiting. So the interpreter writes the signals' numbers to a socket.
    """

    def __init__(self) -> None:
        self._numbers, write_end = socket.socketpair()
        write_end.setblocking(False)
        self._write_end = write_end  # kept open, since signals continue to arrive
        for number in ENDING:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(write_end.fileno(), warn_on_full_buffer=False)

    def wait(self) -> None:
        """Wait for the first signal. Returns at once if it has already arrived."""
        while self._numbers.recv(1)[0] not in ENDING:
            pass
