"""Decodes a request body with the chunked transfer coding (RFC 9112 §7.1)."""

from __future__ import annotations

import io
import re
import typing as t

from ..http.errors import BadRequest

_MAX_LINE = 8_192
"""The maximum length in bytes of a line with a chunk size or a trailer field."""

_MAX_TRAILERS = 100

# Digits only, since int() also accepts a sign, underscores and "0x". Extensions after ";" are ignored.
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")


class BadChunk(BadRequest, OSError):
    """The body is malformed, or ends before its last chunk."""


class DechunkedInput(io.RawIOBase):
    """The decoded body of `rfile`. Reading raises BadChunk, an OSError and a 400, if the chunks are malformed."""

    def __init__(self, rfile: t.IO[bytes]) -> None:
        self._rfile = rfile
        self._done = False
        self._left = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def read_chunk_len(self) -> int:
        """Read the line before a chunk. Returns the chunk's length in bytes."""
        match = _SIZE.fullmatch(self._rfile.readline(_MAX_LINE))
        if match is None:
            raise BadChunk("Invalid chunk header")
        return int(match[1], 16)

    def readinto(self, buf: t.Any) -> int:
        """Read a part of the current chunk into `buf`. Returns the number of bytes; 0 at the end of the body."""
        if self._done or not len(buf):
            return 0
        if not self._left:
            self._left = self.read_chunk_len()
            if not self._left:
                self._skip_trailers()
                self._done = True
                return 0
        data = self._rfile.read(min(len(buf), self._left))
        if not data:
            raise BadChunk("The body ended inside a chunk")
        buf[: len(data)] = data
        self._left -= len(data)
        if not self._left and self._rfile.readline(_MAX_LINE) not in (b"\r\n", b"\n"):
            raise BadChunk("Missing chunk terminating newline")
        return len(data)

    def _skip_trailers(self) -> None:
        for _ in range(_MAX_TRAILERS):
            line = self._rfile.readline(_MAX_LINE)
            if line in (b"\r\n", b"\n"):
                return
            if not line.endswith(b"\n"):
                break
        raise BadChunk("The trailer section does not end")
