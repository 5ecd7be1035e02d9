"""A small file that was read at once: it is sent as a text is, and looks like the open file that it stands for."""

from __future__ import annotations

import io
from typing import IO

from ..support.properties import cached_property
from .streams import FileWrapper


class SmallFile(FileWrapper):
    """An iterator over the content of a file that is closed already.

    PERF: static. Who sends it needs neither to read nor to close, and under ASGI no thread for that.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.buffer_size = len(content) or 1

    @cached_property
    def file(self) -> IO[bytes]:
        """The content as a file, made when it is first asked for."""
        return io.BytesIO(self.content)

    def whole(self) -> bytes | None:
        """The content, unless a reader has begun it."""
        return None if "file" in self.__dict__ else self.content
