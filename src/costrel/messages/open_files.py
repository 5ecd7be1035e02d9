"""Open files to send: the number of bytes that are left, and the part from the position on as a file."""

from __future__ import annotations

import io
from typing import IO, cast

# Seeking to the end of their files decompresses everything.
_COMPRESSING = frozenset({"bz2", "gzip", "lzma", "zipfile"})


def measured(file: IO[bytes]) -> tuple[IO[bytes], int | None]:
    """The file to send, and its length in bytes; None if it is not seekable, or the length is unknown.

    A file at its end is rewound: it was just written. Of any other file, the bytes before its position are not sent.

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
        return file, None  # devices and files in /proc report this, and have content all the same
    return (cast("IO[bytes]", FileFrom(file, position)) if position else file), end - position


def _decompresses(file: IO[bytes]) -> bool:
    return any(kind.__module__ in _COMPRESSING for kind in type(file).__mro__)


class FileFrom:
    """The part of a file from a position on; the file is at this position already."""

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
