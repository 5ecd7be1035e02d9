"""Detaches child processes that a view forks from the server's port, connections and signal handlers.

A program started with `exec` inherits no sockets. But `os.fork` and `multiprocessing` copy the process: the copy's open
sockets would keep the port in use after the server has ended, and its signal handlers would write to the server's event
loop.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from socket import socket

from .signals import ENDING
from .sockets import FILES, ListeningAddresses, Sockets, numbers_of

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
        self._addresses: ListeningAddresses = listening.addresses()

    def abandon(self) -> None:
        """Close the sockets and the connections that were accepted from them.

        Their descriptors are pointed at the null device: copies of the server's objects still exist in this process,
        and would otherwise close other files that get the same numbers.
        """
        numbers = self._numbers
        if FILES.is_dir():
            numbers = [*numbers_of(self._inodes), *(number for number, _ in self._addresses.connections())]
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in numbers:
            with suppress(OSError):
                os.dup2(nothing, number, inheritable=False)
        os.close(nothing)


def detach_children(sockets: Iterable[socket]) -> Callable[[], None]:
    """Close `sockets` in each process that this one forks. Returns a function that undoes this."""
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
    # Python's C handler writes the signal's number to a socket, from which the parent would read it as its own signal.
    signal.set_wakeup_fd(-1)
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for kept in _serving:
        with suppress(OSError):
            kept.abandon()
    _serving.clear()
