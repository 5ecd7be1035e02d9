"""The parts of a multipart body, as events of the `multipart` library's push parser (RFC 7578, RFC 2046 §5.1)."""

from __future__ import annotations

import re

import multipart  # type: ignore[import-untyped]  # it has no annotations

from ..http.grammar import parse_options_header
from ..http.headers import Headers
from ..support.properties import cached_property

# What the parser raises: either of the two, for what breaks the format and for what passes its limits.
FormError: type[ValueError] = multipart.MultipartError
FormatError: type[ValueError] = multipart.ParserError
LimitError: type[ValueError] = multipart.ParserLimitReached

# How much head a part may have: lines, and bytes in each.
_MAX_HEADERS = 16
_MAX_HEADER_SIZE = 8 * 1024

# What browsers send; anything else takes the way of the whole grammar.
_plain_disposition = re.compile(r'form-data; name="([^"\\%]*)"(?:; filename="([^"\\%]*)")?').fullmatch
_has_plain_name = re.compile(r"[;\s]name\s*=", re.IGNORECASE).search
_has_extended_name = re.compile(r"[;\s]name\*", re.IGNORECASE).search
_has_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search


class Part:
    """The head of one part: a form field, or a file if :attr:`filename` is not None."""

    # The push parser counts in these two.
    bytes_received = 0
    complete = False

    def __init__(self, header_list: list[tuple[str, str]]) -> None:
        self.header_list = header_list
        self.name: str | None = None
        self.filename: str | None = None
        self.content_type: str | None = None
        disposition = None
        for name, value in header_list:
            if not value.isprintable() and _has_control(value):
                raise FormatError(f"A part's {name} header has a control character")
            if name == "Content-Disposition":
                disposition = value
            elif name == "Content-Type":
                self.content_type = value
        if disposition is None:
            raise FormatError("A part has no Content-Disposition header")
        if match := _plain_disposition(disposition):
            self.name, self.filename = match.groups()
        else:
            self._read(disposition)

    def _read(self, disposition: str) -> None:
        # RFC 7578 §4.2 forbids `name*`. Beside a `name` it could only serve to show two readers different names.
        if _has_extended_name(disposition) and _has_plain_name(disposition):
            raise FormatError("A part has both 'name' and 'name*'")
        options = parse_options_header(disposition)[1]
        self.name = options.get("name")
        self.filename = options.get("filename")

    @cached_property
    def headers(self) -> Headers:
        """All headers of the part."""
        return Headers(self.header_list)

    @property
    def kept_size(self) -> int:
        """How much of the head stays in memory: a field's name, all headers of a file."""
        if self.filename is None:
            return len(self.name or "")
        return sum([len(name) + len(value) for name, value in self.header_list])


class PartParser(multipart.PushMultipartParser):  # type: ignore[misc]  # the library is not typed
    """Bytes in, parts out: for each part its :class:`Part`, then its ``bytes`` in pieces, then None."""

    def __init__(self, boundary: bytes) -> None:
        super().__init__(boundary, max_header_size=_MAX_HEADER_SIZE, max_header_count=_MAX_HEADERS)

    def _create_segment(self, headerlist: list[tuple[str, str]]) -> Part:
        return Part(headerlist)
