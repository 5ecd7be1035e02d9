"""The listening sockets of a server, which close without losing a connection, and their open connections."""

from __future__ import annotations

import array
import ctypes
import os
import select
import socket
import stat
import struct
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .addresses import af_unix

BACKLOG = 1024
"""The maximum number of connections waiting to be accepted."""

FILES = Path("/proc/self/fd")
"""The folder with this process's open files, if the system has it."""

_SO_ATTACH_FILTER = 26  # from Linux's asm-generic/socket.h

# A program for the kernel's packet filter (linux/filter.h): it drops segments that open a connection (SYN without ACK),
# and passes all others. Byte 13 of a TCP header has the flags (RFC 9293 §3.1).
_SYN, _ACK = 0x02, 0x10
_REFUSE_NEW = (
    (0x30, 0, 0, 13),  # load byte 13
    (0x54, 0, 0, _SYN | _ACK),  # keep two flags
    (0x15, 0, 1, _SYN),  # is it a SYN alone?
    (0x06, 0, 0, 0),  # drop it
    (0x06, 0, 0, 0xFFFFFFFF),  # pass it
)


class Sockets(tuple[socket.socket, ...]):
    """The listening sockets of a server."""

    __slots__ = ()

    def listen(self) -> None:
        """Start listening."""
        for sock in self:
            sock.listen(BACKLOG)

    def close(self) -> None:
        """Close the sockets."""
        for sock in self:
            sock.close()

    def refuse_new(self) -> None:
        """Refuse new connections in all processes, but keep those that are waiting to be accepted.

        Linux resets the waiting connections when a listening socket is closed. This filter prevents new ones, so that
        none is left by then: a client that connects now retransmits its SYN after a second, and is refused. Unix
        sockets have no such filter; their file is removed instead.
        """
        if sys.platform != "linux":
            return
        for sock in self:
            if sock.family != af_unix:
                _attach_filter(sock)

    def have_waiting(self) -> bool:
        """Whether a connection waits to be accepted."""
        if not hasattr(select, "poll"):  # Windows
            return False
        poll = select.poll()
        for sock in self:
            with suppress(OSError, ValueError):
                poll.register(sock, select.POLLIN)
        return any(event & select.POLLIN for _, event in poll.poll(0))

    def replace(self) -> None:
        """Stop accepting connections in this process, without touching the open ones.

        Granian can stop only both together. So the file descriptors of the listening sockets, which its threads use,
        are pointed at an unnamed socket, to which no client can connect. Does nothing on systems without `/proc`.
        """
        if FILES.is_dir():
            with _unnamed_listener() as unnamed:
                for number in self._numbers():
                    with suppress(OSError):
                        os.dup2(unnamed.fileno(), number, inheritable=False)

    def _numbers(self) -> list[int]:
        """The file descriptors of these sockets in this process, including copies."""
        return numbers_of({os.fstat(sock.fileno()).st_ino for sock in self})

    def addresses(self) -> ListeningAddresses:
        """The addresses of these sockets."""
        names = [(sock.family, sock.getsockname()) for sock in self]
        return ListeningAddresses(
            frozenset(name[1] for family, name in names if family != af_unix),
            frozenset(name for family, name in names if family == af_unix),
        )


@dataclass(frozen=True)
class ListeningAddresses:
    """The TCP ports and Unix socket paths of a server."""

    ports: frozenset[int]
    paths: frozenset[str]

    def connections(self) -> Iterator[tuple[int, socket.socket]]:
        """The open connections to these addresses: file descriptor and a duplicate, closed at the next iteration."""
        for name in os.listdir(FILES):
            number = int(name)
            copy = _copy_of(number)
            if copy is None:
                continue
            with copy:
                if self._has(copy):
                    yield number, copy

    def _has(self, sock: socket.socket) -> bool:
        try:
            sock.getpeername()  # raises OSError for a listening socket
            name = sock.getsockname()
        except OSError:
            return False
        return name in self.paths if sock.family == af_unix else is_tcp(sock) and name[1] in self.ports


def numbers_of(inodes: Collection[int]) -> list[int]:
    """The file descriptors of this process's sockets with these inode numbers."""
    numbers = []
    for number in map(int, os.listdir(FILES)):
        with suppress(OSError):
            status = os.fstat(number)
            if stat.S_ISSOCK(status.st_mode) and status.st_ino in inodes:
                numbers.append(number)
    return numbers


def _copy_of(number: int) -> socket.socket | None:
    """A duplicate of an open file if it is a non-blocking socket, as all sockets of the server are; otherwise None.

    Blocking sockets of the application are skipped: with a default timeout, Python would make them non-blocking.
    """
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode) or os.get_blocking(number):
            return None
        copy = os.dup(number)
    except OSError:  # closed in the meantime
        return None
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None


def is_tcp(sock: socket.socket) -> bool:
    """Whether a socket is a TCP socket."""
    return sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM


def _attach_filter(sock: socket.socket) -> None:
    code = b"".join(struct.pack("HBBI", *step) for step in _REFUSE_NEW)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(_REFUSE_NEW), ctypes.addressof(buffer))
    with suppress(OSError):  # a container may forbid filters; then a few late connections are reset
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def _unnamed_listener() -> socket.socket:
    """A listening Unix socket whose file is removed, so that no client can connect to it."""
    sock = socket.socket(socket.AF_UNIX)
    with tempfile.TemporaryDirectory(prefix="costrel-") as folder:
        sock.bind(os.path.join(folder, "s"))
    sock.listen(1)
    sock.setblocking(False)
    return sock


def unread(sock: socket.socket) -> int:
    """The number of received bytes that have not been read."""
    import fcntl
    import termios

    number = array.array("i", [0])
    fcntl.ioctl(sock, termios.FIONREAD, number)
    return number[0]
