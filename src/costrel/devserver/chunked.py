"""A request's body that arrives in chunks, read as one stream (RFC 9112 §7.1)."""

from __future__ import annotations

import io
import re
import typing as t

from ..http.errors import BadRequest

_MAX_LINE = 8_192
"""The longest line, in bytes, with a chunk's size or a trailer field."""

_MAX_TRAILERS = 100

# Digits only: int() would take a sign, an underscore and "0x" as well. Extensions after ";" are ignored.
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")


class BadChunk(BadRequest, OSError):
    """The body is malformed, or ends before its last chunk."""


class DechunkedInput(io.RawIOBase):
    """The body inside the chunks that `rfile` has. Reading raises OSError, a 400, if they are malformed."""

    def __init__(self, rfile: t.IO[bytes]) -> None:
        self._rfile = rfile
        self._done = False
        self._left = 0

    def readable(self) -> bool:
        """True."""
        return True

    def read_chunk_len(self) -> int:
        """Read the line that begins a chunk; returns the chunk's length in bytes."""
        match = _SIZE.fullmatch(self._rfile.readline(_MAX_LINE))
        if match is None:
            raise BadChunk("Invalid chunk header")
        return int(match[1], 16)

    def readinto(self, buf: t.Any) -> int:
        """Fill as much of `buf` as the chunks read so far allow; 0 at the end of the body."""
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
        raise BadChunk("The body's trailers do not end")
