"""The head of one part of a multipart body: its headers, with the name and the file name in them (RFC 7578 §4)."""

from __future__ import annotations

from ..support.patterns import LatePattern
from .framing import parse_content_length
from .grammar import parse_disposition_parameters
from .headers import Headers

# RFC 2046 §5.1.1 allows 70 characters in a boundary; clients send up to about 100.
MAX_BOUNDARY_SIZE = 256
MAX_HEADERS = 16
MAX_HEADER_SIZE = 8 * 1024
_has_control = LatePattern(r"[\x00-\x08\x0a-\x1f\x7f]").search


class FormatError(ValueError):
    """The body breaks the format; the text says how."""


class HeadTooLarge(ValueError):
    """A part has more or longer headers than are allowed; the text says which."""


class PartHead:
    """The head of a form field, or of a file if ``filename`` is not None.

    :param fields: the names and values of its headers.
    :param size: its length in bytes.
    """

    def __init__(self, fields: tuple[tuple[str, str], ...], name: str, filename: str | None, size: int) -> None:
        self.fields = fields
        self.name = name
        self.filename = filename
        #: How much of it stays in memory: the name of a field, all headers of a file.
        self.kept_size = len(name or "") if filename is None else size

    def headers(self) -> Headers:
        """Make headers of the fields."""
        return Headers.adopt(list(self.fields))


def read_head(
    head: bytes,
    newline: bytes = b"\r\n",
    max_headers: int = MAX_HEADERS,
    max_header_size: int = MAX_HEADER_SIZE,
    needs_colons: bool = True,
) -> PartHead:
    """Read the lines of a head, which the newline separates.

    :param needs_colons: refuse a line without a colon; otherwise it is the name of a header without a value.
    :raises FormatError: if it is malformed, or lacks the ``Content-Disposition``.
    :raises HeadTooLarge: if there are more headers than allowed, or longer ones.
    """
    try:
        text, line_break = head.decode(), newline.decode()
    except UnicodeDecodeError:
        raise FormatError("a header of a part is not UTF-8") from None
    for blank in " \t":  # the header goes on in the next line (RFC 5322 §2.2.3)
        text = text.replace(line_break + blank, " ")
    lines = text.split(line_break) if text else []
    if not needs_colons:
        lines = [line for line in lines if line.strip()]
    if len(head) > max_header_size and any(len(line.encode()) > max_header_size for line in lines):
        raise HeadTooLarge(f"a part has a header of more than {max_header_size:,} bytes")
    if len(lines) > max_headers:
        raise HeadTooLarge(f"a part has more than {max_headers} headers")
    fields = []
    named: dict[str, str] = {}
    for line in lines:
        if not line.isprintable() and _has_control(line):
            raise FormatError(f"the header {line[:40]!r} of a part has a control character")
        name, colon, value = line.partition(":")
        if not colon and needs_colons:
            raise FormatError(f"a part has the header {line[:40]!r}, which has no colon")
        field = (name.strip(), value.strip())
        fields.append(field)
        named.setdefault(field[0].lower(), field[1])  # the first of a name counts
    length = named.get("content-length")
    if length is not None and parse_content_length(length) is None:
        raise FormatError(f"the Content-Length of a part is {length[:40]!r}, which is no number of bytes")
    disposition = named.get("content-disposition")
    if disposition is None:
        raise FormatError("a part has no Content-Disposition header")
    parameters = parse_disposition_parameters(disposition)
    # RFC 7578 §4.2 demands a name. A part without one has None, which the annotations of Werkzeug's API leave out.
    return PartHead(tuple(fields), parameters.get("name"), parameters.get("filename"), len(head))  # type: ignore[arg-type]
