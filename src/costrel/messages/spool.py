"""The stream of one uploaded file: in memory up to a size, then in a temporary file that only we can read.

It is imported for the first file, since `tempfile` is slow to load.
"""

from __future__ import annotations

import tempfile
from io import BytesIO
from typing import IO

#: Bytes that stay in memory.
MAX_SIZE = 500 * 1024


class UploadSpool(tempfile.SpooledTemporaryFile[bytes]):
    """A `SpooledTemporaryFile`, which applications expect, without that class's preparations for all kinds of files.

    `rollover` opens the temporary file; a write past the size and `fileno` call it.
    """

    _max_size = MAX_SIZE
    _rolled = False
    _file: IO[bytes]

    def __init__(self) -> None:
        self._file = BytesIO()

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
