"""The head of one part of a multipart body: its headers, with the name and the file name in them (RFC 7578 §4)."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from ..support.patterns import LatePattern
from .framing import parse_content_length
from .grammar import parse_disposition_parameters
from .headers import Headers

# RFC 2046 §5.1.1 allows 70 characters in a boundary; clients send up to about 100.
MAX_BOUNDARY_SIZE = 256
MAX_HEADERS = 16
MAX_HEADER_SIZE = 8 * 1024
_AROUND_HEAD = len("\r\n\r\n\r\n")
_NOT_UTF_8 = "a header of a part is not UTF-8"
_has_control = LatePattern(r"[\x00-\x08\x0a-\x1f\x7f]").search


class FormatError(ValueError):
    """The body breaks the format; the text says how."""


class HeadTooLarge(ValueError):
    """A part has more or longer headers than are allowed; the text says which."""


PartHead: TypeAlias = tuple[str, str | None, str | None, int, int, list[tuple[str, str]] | None]
"""The head of a form field, or of a file if the second item is not None.

The items are its name, its file name, its Content-Type, its Content-Length (0 without one), the length of the head in
bytes, and the names and values of its headers, which are None for a field with a usual head and only a name.
"""


def headers_of(head: PartHead) -> Headers:
    """Make headers of the fields of a head; they own the list from then on."""
    fields = head[5]
    return Headers.adopt([("Content-Disposition", f'form-data; name="{head[0]}"')] if fields is None else fields)


_QUOTED = rb'"([^"\\%\x00-\x1f\x7f]*+)"'

USUAL_HEAD = LatePattern(
    rb"\r\nContent-Disposition: (form-data; name=%s(?:; filename=%s)?+)"
    rb"(?:\r\nContent-Type: ([!-~]++(?: [!-~]++)*+))?+\r\n\r\n" % (_QUOTED, _QUOTED)
)
"""The head that nearly all clients send, from the end of the boundary's line to the beginning of the content.

It matches nothing that `read_head` has to strip, unescape, unfold or refuse, and at most two headers, so `usual_head`
returns the same as `read_head`.
"""


def usual_head(found: re.Match[bytes]) -> PartHead:
    """The head that `USUAL_HEAD` matched.

    :raises FormatError: if it is not UTF-8.
    """
    disposition, name, filename, content_type = found.groups()
    try:
        if filename is None and content_type is None:
            return name.decode(), None, None, 0, 0, None
        fields = [("Content-Disposition", disposition.decode())]
        if content_type is not None:
            content_type = content_type.decode()
            fields.append(("Content-Type", content_type))
        if filename is not None:
            filename = filename.decode()
        return name.decode(), filename, content_type, 0, found.end() - _AROUND_HEAD, fields
    except UnicodeDecodeError:
        raise FormatError(_NOT_UTF_8) from None


def read_head(
    head: bytes,
    max_headers: int = MAX_HEADERS,
    max_header_size: int = MAX_HEADER_SIZE,
    needs_colons: bool = True,
) -> PartHead:
    """Read the lines of a head, which end with CRLF or LF.

    :param needs_colons: refuse a line without a colon; otherwise it is the name of a header without a value.
    :raises FormatError: if it is malformed, or lacks the ``Content-Disposition``.
    :raises HeadTooLarge: if there are more headers than allowed, or if they are too long.
    """
    try:
        text = head.decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise FormatError(_NOT_UTF_8) from None
    for blank in " \t":  # the header goes on in the next line (RFC 5322 §2.2.3)
        text = text.replace("\n" + blank, " ")
    lines = text.split("\n") if text else []
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
    length = parse_content_length(named.get("content-length", "0"))
    if length is None:
        text = named["content-length"][:40]
        raise FormatError(f"the Content-Length of a part is {text!r}, which is no number of bytes")
    disposition = named.get("content-disposition")
    if disposition is None:
        raise FormatError("a part has no Content-Disposition header")
    parameters = parse_disposition_parameters(disposition)
    # RFC 7578 §4.2 demands a name. A part without one has None, which the annotations of Werkzeug's API leave out.
    own_name: Any = parameters.get("name")
    return own_name, parameters.get("filename"), named.get("content-type"), length, len(head), fields
