"""The stream of one uploaded file: in memory up to a size, then in a temporary file that only we can read.

It is imported for the first file, since `tempfile` is slow to load.
"""

from __future__ import annotations

import tempfile
from io import SEEK_SET, BytesIO
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

#: Bytes that stay in memory.
MAX_SIZE = 500 * 1024


class UploadSpool(tempfile.SpooledTemporaryFile[bytes]):
    """A `SpooledTemporaryFile`, which applications expect, without that class's preparations for all kinds of files.

    `rollover` opens the temporary file; a write past the size and `fileno` call it. A form is written and read by
    methods of its own, since those of that class pass any arguments on.
    """

    _max_size = MAX_SIZE
    _rolled = False
    _file: IO[bytes]

    def __init__(self) -> None:
        self._file = BytesIO()

    def read(self, size: int | None = -1, /) -> bytes:
        """Read at most `size` bytes; all that are left if it is negative or None."""
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        """Set the position; return it."""
        return self._file.seek(offset, whence)

    def write(self, data: Buffer, /) -> int:
        """Write, and move the content to a temporary file if it is past the size."""
        file = self._file
        written = file.write(data)
        if file.tell() > self._max_size and not self._rolled:
            self.rollover()
        return written

    def rollover(self) -> None:
        """Move the content to a temporary file, unless it is there already."""
        if self._rolled:
            return
        spooled: BytesIO = self._file  # type: ignore[assignment]  # until this rollover
        file = tempfile.TemporaryFile("rb+")  # noqa: SIM115 - closed with this one
        try:
            file.write(spooled.getvalue())
            file.seek(spooled.tell())
        except BaseException:
            file.close()
            raise
        self._file = file
        self._rolled = True

    @property
    def mode(self) -> str:
        """How the file is open."""
        return getattr(self._file, "mode", "rb+")

    def __del__(self) -> None:
        if not self._file.closed:
            super().__del__()
