"""Splits a multipart body into its parts: bytes in, events out, in one pass, without I/O (RFC 2046 §5.1, RFC 7578)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..http.grammar import parse_disposition_parameters
from ..http.headers import Headers
from ..support.patterns import LatePattern
from ..support.properties import cached_property

# RFC 2046 §5.1.1 allows 70 characters in a boundary; clients send up to about 100.
MAX_BOUNDARY_SIZE = 256
MAX_HEADERS = 16
MAX_HEADER_SIZE = 8 * 1024
# Blanks between a boundary and the end of its line: "transport padding", which readers skip (RFC 2046 §5.1.1).
_MAX_PADDING = 64

_CONTROLS = r"\x00-\x08\x0a-\x1f\x7f"
_has_control = LatePattern(f"[{_CONTROLS}]").search
# The line that browsers send; any other takes the way of the whole grammar.
_plain_disposition = LatePattern(
    rf'Content-Disposition: form-data; name="([^"\\%{_CONTROLS}]*)"(?:; filename="([^"\\%{_CONTROLS}]*)")?'
).fullmatch


# A head as browsers send it: of a field, or of a file.
_PLAIN_HEAD = (
    rb'Content-Disposition: form-data; name="([^"\\%\x00-\x1f\x7f]*)"'
    rb'(?:; filename="([^"\\%\x00-\x1f\x7f]*)"\r\nContent-Type: ([^\x00-\x1f\x7f]*))?\r\n'
)
_match_plain_head = LatePattern(_PLAIN_HEAD + rb"(?=\r\n)").match
# The same with what stands before and behind it between two boundaries.
_plain_section = LatePattern(rb"\r\n" + _PLAIN_HEAD + rb"\r\n(.*)", re.DOTALL)

PlainFields = list[tuple[str, str]]
#: Name, file name, content type and content.
PlainFile = tuple[str, str, str, bytes]


class FormatError(ValueError):
    """The body breaks the format; the text says how."""


class HeadTooLarge(ValueError):
    """a part has more or longer headers than are allowed; the text says which."""


class Part:
    """The head of one part: of a form field, or of a file if :attr:`filename` is not None.

    :param lines: its header lines, without their line breaks.
    """

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.name: str | None = None
        self.filename: str | None = None
        # PERF: messages (form). A field has one header, and that nearly always in this form.
        match = _plain_disposition(lines[0]) if lines else None
        if match is None or len(lines) > 1:
            self._check()
        if match is not None:
            self.name, self.filename = match.groups()
        else:
            self._read_disposition()

    @classmethod
    def plain(cls, lines: list[str], name: str, filename: str | None) -> Part:
        """A head that needs no check."""
        part = cls.__new__(cls)
        part.lines, part.name, part.filename = lines, name, filename
        return part

    def _check(self) -> None:
        for line in self.lines:
            if _has_control(line):
                raise FormatError(f"the header {line[:40]!r} of a part has a control character")
        length = self.headers.get("content-length")
        if length is not None and not (length.isascii() and length.isdigit()):
            raise FormatError(f"the Content-Length of a part is {length[:40]!r}, which is no number of bytes")

    def _read_disposition(self) -> None:
        disposition = self.headers.get("content-disposition")
        if disposition is None:
            raise FormatError("a part has no Content-Disposition header")
        options = parse_disposition_parameters(disposition)
        self.name = options.get("name")
        self.filename = options.get("filename")

    @cached_property
    def headers(self) -> Headers:
        """All headers of the part."""
        fields = [line.partition(":") for line in self.lines]
        return Headers.adopt([(name.strip(), value.strip()) for name, _, value in fields])

    @property
    def kept_size(self) -> int:
        """How much of the head stays in memory: a field's name, all headers of a file."""
        return len(self.name or "") if self.filename is None else sum(map(len, self.lines))


class PartParser:
    """Yields for each part its :class:`Part`, then its ``bytes`` in pieces, then None.

    A first boundary whose line ends with LF alone makes that the line break of the whole body.

    :raises FormatError: if the boundary is empty or longer than that, or the body breaks the format.
    :raises HeadTooLarge: if a part has more headers than that, or one with more bytes.
    """

    def __init__(
        self,
        boundary: bytes,
        max_boundary_size: int = MAX_BOUNDARY_SIZE,
        max_headers: int = MAX_HEADERS,
        max_header_size: int = MAX_HEADER_SIZE,
    ) -> None:
        if not 0 < len(boundary) <= max_boundary_size:
            raise FormatError(f"its boundary has {len(boundary):,} bytes, 1 to {max_boundary_size:,} are allowed")
        self._max_headers = max_headers
        self._max_header_size = max_header_size
        self.complete = False
        self._dashed = b"--" + boundary
        self._newline = b"\r\n"
        self._delimiter = self._newline + self._dashed
        self._in_preamble = True
        self.in_content = False
        """Whether the next bytes are those of a part, behind its head."""
        self._rest = b"\n"  # as if a line had ended: the first boundary may begin the body
        self._lines: list[str] = []
        # How much lies before the content: the line break of the blank line. It stays in the buffer with the content,
        # since it may be that of a boundary which follows at once.
        self._before_content = 0

    def parse(self, chunk: bytes) -> Iterator[Part | bytes | None]:
        """Yield what the next piece of the body completes."""
        buffer = self._rest + chunk
        position = 0
        while not self.complete:
            if self.in_content:
                found = buffer.find(self._delimiter, position)
                end = found if found >= 0 else self._undecided(buffer, position)
                start = position + self._before_content
                if end > start:
                    yield buffer[start:end]
                    position, self._before_content = end, 0
                after = -1 if found < 0 else self._end_of_boundary_line(buffer, found + len(self._delimiter))
                if after < 0:
                    break
                yield None
            elif self._in_preamble:
                position, after = self._find_first_boundary(buffer)
                if after < 0:
                    break
            else:
                whole = not self._lines and len(self._newline) == 2
                head = _match_plain_head(buffer, position) if whole else None
                if head is not None and (part := self._plain_part(head)) is not None:
                    yield part
                    position = head.end()
                    continue
                after = self._read_header(buffer, position)
                if after < 0:
                    break
                if after == position:  # the blank line
                    part = Part(self._lines)
                    self._begin_content()
                    yield part
            position = after
        self._rest = buffer[position:]

    def finish(self) -> None:
        """Check that the last boundary was seen."""
        if not self.complete:
            raise FormatError("it ends before its last boundary")

    # Each of these answers the position behind what it has read, or -1 where it takes more bytes to tell.

    def _find_first_boundary(self, buffer: bytes) -> tuple[int, int]:
        """Answer also from where the buffer is still needed."""
        found = buffer.find(self._dashed)
        if found < 0:
            return max(0, len(buffer) - len(self._dashed)), -1
        if buffer[found - 1 : found] != b"\n":
            raise FormatError("its first boundary does not begin a line")
        end = found + len(self._dashed)
        if buffer.startswith(b"\n", end):
            self._newline = b"\n"
            self._delimiter = self._newline + self._dashed
        return found - 1, self._end_of_boundary_line(buffer, end)

    def _end_of_boundary_line(self, buffer: bytes, position: int) -> int:
        newline = self._newline
        if not buffer.startswith(newline, position):
            if buffer.startswith(b"--", position):
                self.complete = True
                return len(buffer)
            line = buffer[position : position + _MAX_PADDING + 2]
            rest = line.lstrip(b" \t")
            if len(line) < _MAX_PADDING + 2 and (newline.startswith(rest) or line == b"-"):
                return -1
            if not rest.startswith(newline):
                raise FormatError("a boundary is followed by something else than the end of its line")
            position += len(line) - len(rest)
        self._in_preamble = self.in_content = False
        return position + len(newline)

    def _read_header(self, buffer: bytes, position: int) -> int:
        """Read one line of a head; for the blank line that ends it, answer the position as it was."""
        end = buffer.find(self._newline, position)
        if end == position:
            return position
        if (len(buffer) if end < 0 else end) - position > self._max_header_size:
            raise HeadTooLarge(f"a part has a header of more than {self._max_header_size:,} bytes")
        if end < 0:
            return -1
        try:
            line = buffer[position:end].decode()
        except UnicodeDecodeError:
            raise FormatError("a header of a part is not UTF-8") from None
        self._add_line(line)
        return end + len(self._newline)

    def _add_line(self, line: str) -> None:
        lines = self._lines
        if line[0] in " \t" and lines:  # the header goes on (RFC 5322 §2.2.3)
            lines[-1] += line
            if len(lines[-1]) > self._max_header_size:
                raise HeadTooLarge(f"a part has a header of more than {self._max_header_size:,} bytes")
        elif ":" not in line:
            raise FormatError(f"a part has the header {line[:40]!r}, which has no colon")
        elif len(lines) == self._max_headers:
            raise HeadTooLarge(f"a part has more than {self._max_headers} headers")
        else:
            lines.append(line)

    def _plain_part(self, head: re.Match[bytes]) -> Part | None:
        """The part whose whole head was found in one go; None where it has to be looked at line by line."""
        # PERF: upload. A form has as many heads as fields, nearly all of them like this.
        if head.end() - head.start() > self._max_header_size or self._max_headers < 2:
            return None
        name, filename, _ = head.groups()
        try:
            lines = head[0].decode().split("\r\n")[:-1]
            part = Part.plain(lines, name.decode(), None if filename is None else filename.decode())
        except UnicodeDecodeError:
            return None
        self._begin_content()
        return part

    def _begin_content(self) -> None:
        self._lines = []
        self.in_content = True
        self._before_content = len(self._newline)

    def _undecided(self, buffer: bytes, position: int) -> int:
        """Where a boundary may begin of which the rest is yet to come; else the end of the buffer."""
        # A boundary has one line break, so none can begin before the last one.
        start = buffer.rfind(self._newline[:1], max(position, len(buffer) - len(self._delimiter) + 1))
        return start if start >= 0 and self._delimiter.startswith(buffer[start:]) else len(buffer)


def split_plain(body: bytes, boundary: bytes, max_header_size: int) -> tuple[PlainFields, list[PlainFile]] | None:
    """The fields and files of a whole body that is just as browsers send it; None where that takes a closer look.

    It refuses nothing: what :class:`PartParser` would not accept is none of these.
    """
    # PERF: upload. Most bodies are small, and are whole here.
    sections = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if sections[0] or len(sections) < 2 or not sections.pop().startswith(b"--"):
        return None
    fullmatch = _plain_section.compile().fullmatch
    fields: PlainFields = []
    files: list[PlainFile] = []
    try:
        for section in sections[1:]:
            found = fullmatch(section)
            if found is None or (len(section) > max_header_size < found.start(4)):
                return None
            name, filename, content_type, content = found.groups()
            if filename is None:
                fields.append((name.decode(), content.decode("utf-8", "replace")))
            else:
                files.append((name.decode(), filename.decode(), content_type.decode().strip(), content))
    except UnicodeDecodeError:
        return None
    return fields, files
