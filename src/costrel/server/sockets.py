"""The listening sockets of a server, which close without losing a connection, and the connections that came to them."""

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
"""The maximum number of connections that wait to be accepted."""

FILES = Path("/proc/self/fd")
"""The open files of this process, on systems that have it."""

_SO_ATTACH_FILTER = 26  # asm-generic/socket.h of Linux

# A program for the kernel's packet filter (linux/filter.h): drop a segment that opens a connection (SYN without ACK),
# and pass all others. Byte 13 of a TCP header has the flags (RFC 9293 §3.1).
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
        """Let clients connect."""
        for sock in self:
            sock.listen(BACKLOG)

    def close(self) -> None:
        """Close all of them."""
        for sock in self:
            sock.close()

    def refuse_new(self) -> None:
        """Refuse new connections, in all processes, and keep those that wait to be accepted.

        Linux resets the waiting connections when a listening socket is closed. With this, there are none at that
        time: a client that connects now sends its first segment again after a second, and is refused then. Unix
        sockets have no such filter; their file is removed.
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
        """Stop accepting connections in this process, and leave open connections as they are.

        Granian can only do both at once. So the file descriptors of the listening sockets, which its threads use, are
        given to a socket without a name, and no connection arrives there. Without `/proc`, nothing is done.
        """
        if FILES.is_dir():
            with _nameless() as nameless:
                for number in self._numbers():
                    with suppress(OSError):
                        os.dup2(nameless.fileno(), number, inheritable=False)

    def _numbers(self) -> list[int]:
        """The file descriptors of these sockets in this process, including copies."""
        return numbers_of({os.fstat(sock.fileno()).st_ino for sock in self})

    def places(self) -> Places:
        """The addresses of these sockets."""
        names = [(sock.family, sock.getsockname()) for sock in self]
        return Places(
            frozenset(name[1] for family, name in names if family != af_unix),
            frozenset(name for family, name in names if family == af_unix),
        )


@dataclass(frozen=True)
class Places:
    """The ports and paths at which a server listens."""

    ports: frozenset[int]
    paths: frozenset[str]

    def connections(self) -> Iterator[tuple[int, socket.socket]]:
        """The file descriptors of the open connections that came here, each with a copy that the next step closes."""
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
            sock.getpeername()  # a listening socket has none
            name = sock.getsockname()
        except OSError:
            return False
        return name in self.paths if sock.family == af_unix else is_tcp(sock) and name[1] in self.ports


def numbers_of(inodes: Collection[int]) -> list[int]:
    """The file descriptors of this process that are open sockets with these inode numbers."""
    numbers = []
    for number in map(int, os.listdir(FILES)):
        with suppress(OSError):
            status = os.fstat(number)
            if stat.S_ISSOCK(status.st_mode) and status.st_ino in inodes:
                numbers.append(number)
    return numbers


def _copy_of(number: int) -> socket.socket | None:
    """A duplicate of an open file, if it is a non-blocking socket, as all sockets of the server are.

    Blocking sockets of the application are left alone: with a default timeout, Python would make them non-blocking.
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
    """Whether it is a TCP socket."""
    return sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM


def _attach_filter(sock: socket.socket) -> None:
    code = b"".join(struct.pack("HBBI", *step) for step in _REFUSE_NEW)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(_REFUSE_NEW), ctypes.addressof(buffer))
    with suppress(OSError):  # a container may forbid it; then a moment without the filter is left
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def _nameless() -> socket.socket:
    """A listening socket whose name is removed, so that no client can connect to it."""
    sock = socket.socket(socket.AF_UNIX)
    with tempfile.TemporaryDirectory(prefix="costrel-") as folder:
        sock.bind(os.path.join(folder, "s"))
    sock.listen(1)
    sock.setblocking(False)
    return sock


def unread(sock: socket.socket) -> int:
    """The number of bytes that have arrived and have not been read."""
    import fcntl
    import termios

    number = array.array("i", [0])
    fcntl.ioctl(sock, termios.FIONREAD, number)
    return number[0]
