"""Open files as they are sent: how many bytes are left of one, and the part from its position on as a file."""

from __future__ import annotations

import io
from typing import IO, cast

# Their files decompress everything up to the end to find it.
_COMPRESSING = frozenset({"bz2", "gzip", "lzma", "zipfile"})


def measured(file: IO[bytes]) -> tuple[IO[bytes], int | None]:
    """The file to send, and its length in bytes; None if it cannot be sought, or the length is not known.

    A file at its end goes back to its beginning: it was just written. Of any other, the bytes before the position are
    not sent.

    :raises ValueError: if the file is closed.
    """
    if getattr(file, "closed", False) is True:
        raise ValueError("The file is closed: send it before its 'with' block ends, or pass its path.")
    try:
        if isinstance(file, io.TextIOBase) or not file.seekable() or _decompresses(file):
            return file, None
        position = file.tell()
        file.seek(0, io.SEEK_END)
        end = file.tell()
        if position >= end:
            position = 0
        file.seek(position)
    except (AttributeError, OSError, TypeError, ValueError, NotImplementedError):
        return file, None
    if end == 0 and not isinstance(file, io.BytesIO):
        return file, None  # so say devices and files of /proc, which have content all the same
    return (cast("IO[bytes]", FileFrom(file, position)) if position else file), end - position


def _decompresses(file: IO[bytes]) -> bool:
    return any(kind.__module__ in _COMPRESSING for kind in type(file).__mro__)


class FileFrom:
    """The part of a file from a position on, to which it has gone already."""

    def __init__(self, file: IO[bytes], position: int) -> None:
        self._file = file
        self._position = position

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int) -> int:
        return self._file.seek(self._position + offset) - self._position

    def tell(self) -> int:
        return self._file.tell() - self._position

    def close(self) -> None:
        self._file.close()
