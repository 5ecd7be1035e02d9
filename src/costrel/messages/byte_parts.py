"""Several ranges of one body as `multipart/byteranges` (RFC 9110 §14.6)."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import IO, Any

from ..http.ranges import ContentRange
from .streams import READ_SIZE, FileWrapper

Spans = list[tuple[int, int]]


class PartsOfBody:
    """The ranges of an open file, each with its head.

    :param file: must be seekable.
    :param spans: the start and the stop of each range, in bytes.
    :param complete_length: bytes of the whole file.
    :param content_type: the type of the file; None leaves it out.
    """

    def __init__(self, file: IO[bytes], spans: Spans, complete_length: int, content_type: str | None) -> None:
        #: 128 random bits, so that no file contains it.
        self.boundary = os.urandom(16).hex()
        self.content_type = content_type
        self.complete_length = complete_length
        self._file = file
        self._parts = [
            (self._head(ContentRange("bytes", start, stop, complete_length), content_type), start, stop - start)
            for start, stop in spans
        ]
        self._end = f"\r\n--{self.boundary}--\r\n".encode()
        self.length = sum([len(head) + length for head, _, length in self._parts]) + len(self._end)

    @classmethod
    def of(cls, body: Any, spans: Spans, complete_length: int, content_type: str | None) -> PartsOfBody | None:
        """The parts of a response's body; None if it is not seekable."""
        if isinstance(body, list):
            file: IO[bytes] = io.BytesIO(body[0])
        elif isinstance(body, FileWrapper) and body.seekable():
            file = body.file
        else:
            return None
        return cls(file, spans, complete_length, content_type)

    def _head(self, content_range: ContentRange, content_type: str | None) -> bytes:
        lines = ["", f"--{self.boundary}"]
        if content_type is not None:
            lines.append(f"Content-Type: {content_type}")
        lines += [f"Content-Range: {content_range}", "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def __iter__(self) -> Iterator[bytes]:
        for head, start, length in self._parts:
            yield head
            self._file.seek(start)
            while length and (block := self._file.read(min(length, READ_SIZE))):
                length -= len(block)
                yield block
        yield self._end

    def close(self) -> None:
        """Close the file."""
        self._file.close()
