"""Separates child processes that a view forks: they keep neither the port nor the connections nor the signal handlers.

Programs that are executed inherit no sockets. But a process of `os.fork` or `multiprocessing` is a copy: its open
sockets would keep the port in use after the server has ended, and its signal handlers would write to the event loop of
the server.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from socket import socket

from .signals import ENDING
from .sockets import FILES, Places, Sockets, numbers_of

_serving: list[_Kept] = []
_is_registered = False


class _Kept:
    """The listening sockets of a server in this process."""

    def __init__(self, sockets: Iterable[socket]) -> None:
        listening = Sockets(sockets)
        for sock in listening:
            sock.set_inheritable(False)
        self._numbers = [sock.fileno() for sock in listening]
        self._inodes = {os.fstat(number).st_ino for number in self._numbers}
        self._places: Places = listening.places()

    def abandon(self) -> None:
        """Close the sockets, and the connections that came from them.

        Their file descriptors stay in use, since objects of the server that still exist here would otherwise close
        other files with these numbers.
        """
        numbers = self._numbers
        if FILES.is_dir():
            numbers = [*numbers_of(self._inodes), *(number for number, _ in self._places.connections())]
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in numbers:
            with suppress(OSError):
                os.dup2(nothing, number, inheritable=False)
        os.close(nothing)


def part_from_children(sockets: Iterable[socket]) -> Callable[[], None]:
    """Keep `sockets` out of the processes that this one forks. Returns a function that ends this."""
    global _is_registered
    kept = _Kept(sockets)
    _serving.append(kept)
    if not _is_registered and hasattr(os, "register_at_fork"):
        _is_registered = True
        os.register_at_fork(after_in_child=_in_child)
    return lambda: _serving.remove(kept)


def _in_child() -> None:
    if not _serving:
        return
    # Python's C handler writes the number to a socket, and the parent process would read it as its own signal.
    signal.set_wakeup_fd(-1)
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for kept in _serving:
        with suppress(OSError):
            kept.abandon()
    _serving.clear()
