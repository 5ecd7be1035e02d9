"""Reads files for URLs with a hash, and ensures that the bytes that are sent have this hash."""

from __future__ import annotations

import io
import os
import time
import typing as t
from hashlib import sha256

from .names import DIGITS, digest_of

FileState: t.TypeAlias = tuple[int, int, int, int, int]
"""Device, inode, size, and the times of the last modification and status change in nanoseconds."""

IN_MEMORY: t.Final = 1024 * 1024
"""The size in bytes up to which a file is read into memory, so that it cannot change while it is sent."""

MOST_IN_MEMORY: t.Final = 64 * 1024 * 1024
"""The same for a file that has changed so recently that its times would not reveal another change."""

RECENTLY: t.Final = 2_000_000_000
"""The time in nanoseconds in which a file could change twice with equal times: some file systems count 2 s steps."""

_BLOCK: t.Final = 256 * 1024
_ATTEMPTS: t.Final = 3


class Changed(OSError):
    """A file changed while it was read."""


def file_state_of(status: os.stat_result) -> FileState:
    """The state of a file. It changes when the file is written or replaced."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def is_settled(file_state: FileState, now: int) -> bool:
    """Whether every change after `now` (nanoseconds since 1970) is certain to change the state."""
    return max(file_state[3], file_state[4]) < now - RECENTLY


class Read(t.NamedTuple):
    """The hash of a file, and the file's state when it was read. `content` is None for a large file."""

    file_state: FileState
    content_hash: str
    content: bytes | None
    is_settled: bool


def read_file(path: str, keep: int = IN_MEMORY) -> Read:
    """Read and hash a file, and keep its content if it has at most `keep` bytes. Raises OSError."""
    for _ in range(_ATTEMPTS):
        with open(path, "rb", 0) as file:
            file_state = file_state_of(os.fstat(file.fileno()))
            settled = is_settled(file_state, time.time_ns())
            if file_state[2] <= keep:
                content = read_all(file)
                content_hash = digest_of(content)
            else:
                content, content_hash = None, _digest_of_file(file)
            if file_state_of(os.fstat(file.fileno())) == file_state:
                return Read(file_state, content_hash, content, settled)
    raise Changed(f"{path!r} is being written.")


def read_all(file: t.IO[bytes]) -> bytes:
    """Read the rest of an unbuffered file."""
    pieces = []
    while piece := file.read(IN_MEMORY):
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _digest_of_file(file: t.IO[bytes]) -> str:
    content_hash = sha256()
    while block := file.read(_BLOCK):
        content_hash.update(block)
    return content_hash.hexdigest()[:DIGITS]


def open_as(path: str, file_state: FileState, keep: int = IN_MEMORY) -> bytes | UnchangedFile:
    """The content of a file that is still in this state; for a large file, an object that detects changes.

    Raises `Changed` if the file has changed, or OSError.
    """
    file = open(path, "rb", 0)  # noqa: SIM115 - a large file stays open
    try:
        if file_state_of(os.fstat(file.fileno())) != file_state:
            raise Changed(f"{path!r} was replaced.")
        if file_state[2] > keep:
            return UnchangedFile(file, file_state)
        content = read_all(file)
        if file_state_of(os.fstat(file.fileno())) != file_state:
            raise Changed(f"{path!r} is being written.")
    except BaseException:
        file.close()
        raise
    file.close()
    return content


class UnchangedFile(io.RawIOBase):
    """An open file that raises `Changed` if it is written to, so that the response is aborted.

    It has no `fileno`, since servers would use it to send the file without this check.
    """

    def __init__(self, file: t.IO[bytes], file_state: FileState) -> None:
        self._file = file
        self._signature = file_state

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Set the position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._file.tell()

    def readinto(self, buffer: t.Any, /) -> int:
        """Read into a buffer. Raises `Changed` if the file has changed since it was hashed."""
        block = self._file.read(len(buffer))
        status = os.fstat(self._file.fileno())
        if (status.st_size, status.st_mtime_ns) != self._signature[2:4]:  # these do not change if the file is replaced
            raise Changed("The file was changed while it was being sent.")
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
