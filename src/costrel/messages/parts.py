"""Splits a multipart body into its parts: bytes in, parts out, in one pass, without I/O (RFC 2046 §5.1, RFC 7578)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from ..http.part_head import (
    MAX_BOUNDARY_SIZE,
    MAX_HEADER_SIZE,
    MAX_HEADERS,
    USUAL_HEAD,
    FormatError,
    HeadTooLarge,
    PartHead,
    read_head,
    usual_head,
)

# Blanks between a boundary and the end of its line: "transport padding", which readers skip (RFC 2046 §5.1.1).
_MAX_PADDING = 64

# The maximum number of headers in a usual head.
_USUAL_HEADERS = 2

# Bytes before the first part, and behind the last.
_MAX_OUTSIDE_PARTS = 256 * 1024

#: A piece of a part's content, with the part's head if it is the first piece, and whether it is the last one.
Piece = tuple[PartHead | None, bytes, bool]


@cache
def _usual_head_matcher() -> Callable[[bytes, int, int], re.Match[bytes] | None]:
    return USUAL_HEAD.compile().match


class PartLimits:
    """The limits of a multipart body: files, headers of a part, bytes of one of them, bytes of the boundary."""

    def __init__(
        self,
        files: int | None = None,
        headers: int = MAX_HEADERS,
        header_size: int = MAX_HEADER_SIZE,
        boundary_size: int = MAX_BOUNDARY_SIZE,
    ) -> None:
        self.files = files
        self.headers = headers
        self.header_size = header_size
        self.boundary_size = boundary_size


# The states of a parser, named after the place of the next bytes.
_PREAMBLE, _HEAD, _CONTENT, _EPILOGUE = range(4)


class PartParser:
    """Yields the pieces of all parts.

    Each line may end with CRLF or with LF alone, as hand-written clients mix them. RFC 2046 §4.1.1 asks for CRLF.

    :raises FormatError: if the boundary is empty or too long, or the body breaks the format.
    :raises HeadTooLarge: if a part has more headers than allowed, or a longer one.
    """

    _outside = 0

    def __init__(self, boundary: bytes, limits: PartLimits) -> None:
        if not 0 < len(boundary) <= limits.boundary_size:
            raise FormatError(f"its boundary has {len(boundary):,} bytes, 1 to {limits.boundary_size:,} are allowed")
        self._limits = limits
        self._dashed = dashed = b"--" + boundary
        self._delimiter = b"\n" + dashed
        """The beginning of a boundary. A CR before it belongs to its line break."""
        self._state = _PREAMBLE
        self._rest = b"\n"  # as if a line had ended: the first boundary may begin the body
        self._searched = -1
        """How much of a head without an end was searched for the end; -1 if there is no such head."""
        self._match_usual_head = _usual_head_matcher()
        self._usual_size = limits.header_size if limits.headers >= _USUAL_HEADERS else 0
        """The size up to which a usual head is below all limits."""

    def parse(self, chunk: bytes) -> Iterator[Piece]:
        """Yield the pieces that the next bytes of the body complete."""
        buffer = self._rest + chunk
        if self._searched >= 0 and not self._ends_head(buffer):
            self._rest = buffer
            return
        # A section follows a boundary, or continues the part that the chunk before began. Only the last may be
        # incomplete.
        sections = buffer.split(self._delimiter)
        if self._state == _PREAMBLE:
            if sections[0] or not sections[-1]:
                buffer = self._after_first_boundary(buffer)
                if self._state == _PREAMBLE:
                    self._rest = buffer
                    return
                sections = buffer.split(self._delimiter)
            else:  # there is no preamble, as usual
                del sections[0]
                self._state = _HEAD
        self._rest = rest = sections.pop()
        for section in sections:
            end = len(section)
            if section[-1:] == b"\r":
                end -= 1  # it belongs to the line break before the boundary
            if self._state == _HEAD:
                head, content = self._read_part(section, end)
                if head is not None:
                    yield head, content, True
            elif self._state == _CONTENT:
                yield None, section[:end], True
                self._state = _HEAD
            else:
                self._count_outside(len(section))
        if self._state == _HEAD and rest.startswith(b"--"):
            self._state, self._outside = _EPILOGUE, 0
        if self._state == _EPILOGUE:
            self._rest = b""
            self._count_outside(len(rest))
        else:
            yield from self._parse_open(rest)

    def finish(self) -> None:
        """Check that the last boundary was found."""
        if self._state != _EPILOGUE:
            raise FormatError("it ends before its last boundary")

    def _parse_open(self, section: bytes) -> Iterator[Piece]:
        """Yield as much of the last section as the bytes to come cannot change."""
        head = None
        if self._state == _HEAD:
            if self._is_undecided(section):
                return
            head, section = self._read_part(section)
        end = self._start_of_boundary(section)
        if end or head is not None:
            yield head, section[:end], False
        self._state = _CONTENT
        self._rest = section[end:]

    def _count_outside(self, size: int) -> None:
        self._outside += size
        if self._outside > _MAX_OUTSIDE_PARTS:
            raise FormatError(f"more than {_MAX_OUTSIDE_PARTS:,} bytes in a row belong to none of its parts")

    def _after_first_boundary(self, buffer: bytes) -> bytes:
        """Return the bytes after the first boundary; if it is not complete, the bytes that the next search needs."""
        before, _, after = buffer.partition(self._dashed)
        if not after:
            needed = max(0, len(before) - len(self._dashed))
            self._count_outside(needed)
            return buffer[needed:]
        if len(before) > 1:
            self._count_outside(len(before))
        if before[-1:] != b"\n":
            raise FormatError("its first boundary does not begin a line")
        self._state = _HEAD
        return after

    def _read_part(self, section: bytes, end: int | None = None) -> tuple[PartHead | None, bytes]:
        """Split the section of a part into head and content; without a head if the boundary before it is the last.

        `end` is the end of the content; None if more of it is to come.
        """
        found = self._match_usual_head(section, 0, self._usual_size)
        if found is not None:
            return usual_head(found), section[found.end() : end]
        stop, start = _blank_line(section)
        # The line break of the blank line may also begin the next boundary (RFC 2046 §5.1.1).
        is_ended = stop >= 0 or (end is not None and section.endswith(b"\n", 0, end))
        lines = section[: stop if stop >= 0 else end].removesuffix(b"\n").removesuffix(b"\r")
        head = _read_lines(lines, self._limits.headers, self._limits.header_size)
        if head is None:
            self._state, self._outside = _EPILOGUE, len(section)
        elif not is_ended:
            raise FormatError("a boundary stands in the head of a part")
        return head, section[start:end] if stop >= 0 else b""

    def _is_undecided(self, section: bytes) -> bool:
        """Whether it takes more bytes to read the head at the beginning of a section."""
        line = section.lstrip(b" \t") if section[:1] in (b" ", b"\t") else section
        if line in (b"", b"\r") or section == b"-":
            return len(section) - len(line) <= _MAX_PADDING
        if not line.startswith((b"\r\n", b"\n")):
            return False
        end, content = _blank_line(line)
        if end < 0:
            return not self._ends_head(section)
        # A boundary may follow the blank line at once.
        return self._dashed.startswith(line[content : content + len(self._dashed)])

    def _ends_head(self, section: bytes) -> bool:
        """Whether there is an end to the head with which a section begins, be it a blank line or a boundary.

        :raises HeadTooLarge: if there is none, and the head is too large already.
        """
        start = max(0, self._searched)
        if _blank_line(section, start)[0] >= 0 or section.find(self._delimiter, start) >= 0:
            self._searched = -1
            return True
        self._searched = max(0, len(section) - len(self._delimiter))
        limits = self._limits
        last_line = len(section) - section.rfind(b"\n") - 1
        if last_line > limits.header_size or len(section) > _MAX_PADDING + limits.headers * (limits.header_size + 2):
            raise HeadTooLarge(f"a part has a header of more than {limits.header_size:,} bytes")
        return False

    def _start_of_boundary(self, content: bytes) -> int:
        """The position at which a boundary may begin whose rest is yet to come; otherwise the end of the content."""
        # A boundary has one LF, so none can begin before the last one.
        start = content.rfind(b"\n", max(0, len(content) - len(self._delimiter) + 1))
        if start < 0 or not self._delimiter.startswith(content[start:]):
            start = len(content)
        return start - content.endswith(b"\r", 0, start)


def _blank_line(section: bytes, start: int = 0) -> tuple[int, int]:
    """The positions of the LF before the first blank line and of the byte after it; -1 and -1 if there is none."""
    long = section.find(b"\n\r\n", start)
    short = section.find(b"\n\n", start, None if long < 0 else long + 1)
    if short >= 0:
        return short, short + 2
    return (long, long + 3) if long >= 0 else (-1, -1)


def _read_lines(lines: bytes, max_headers: int, max_header_size: int) -> PartHead | None:
    """Read from behind a boundary to the end of the head; None if the boundary is the last."""
    if not lines.startswith((b"\r\n", b"\n")):
        if lines.startswith(b"--"):
            return None
        size = len(lines)
        lines = lines.lstrip(b" \t")
        if not lines.startswith((b"\r\n", b"\n")) or size - len(lines) > _MAX_PADDING:
            raise FormatError("a boundary is followed by something else than the end of its line")
    return read_head(lines[lines.index(b"\n") + 1 :], max_headers, max_header_size)
