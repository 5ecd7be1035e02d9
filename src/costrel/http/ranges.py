"""Byte ranges: requests for them, their conditions, and the ranges of responses (RFC 9110 §14, §13.1.5)."""

from __future__ import annotations

import typing as t
from collections import abc
from datetime import datetime

from .dates import http_date, parse_date
from .etags import quote_etag, unquote_etag
from .grammar import is_byte_range_valid, parse_plain_int

# RFC 9110 §14.2 lets a server ignore many small ranges. The rest after so many is no range: it has commas.
_MAX_RANGES = 1_000


class Range:
    """The value of `Range`: a unit, and `(start, stop)` pairs whose stop is exclusive.

    A stop of None means the end; a negative start (then without a stop) counts from there.
    """

    def __init__(self, units: str, ranges: abc.Sequence[tuple[int, int | None]]) -> None:
        """:raises ValueError: a pair is empty, or its stop is given without a start from the beginning."""
        self.units = units
        self.ranges = ranges
        for start, stop in ranges:
            if start is None or (stop is not None and not 0 <= start < stop):
                raise ValueError(f"{(start, stop)} is not a valid range.")

    @classmethod
    def from_header(cls, value: str | None) -> t.Self | None:
        """Read a header; None when it breaks the grammar, or its ranges overlap or are out of order."""
        units, equals, text = (value or "").partition("=")
        if not equals:
            return None
        ranges: list[tuple[int, int | None]] = []
        last_stop: int | None = 0  # None: the last range reached the end, and no other may follow
        for item in text.split(",", _MAX_RANGES):
            pair = _parse_range_spec(item.strip())
            if pair is None or last_stop is None or 0 <= pair[0] < last_stop:
                return None
            ranges.append(pair)
            last_stop = pair[1]
        return cls(units.strip().lower(), ranges)

    def range_for_length(self, length: int | None) -> tuple[int, int] | None:
        """The `(start, stop)` to send of a body of so many bytes; None when there is not exactly one to send."""
        if self.units != "bytes" or length is None or len(self.ranges) != 1:
            return None
        start, stop = self.ranges[0]
        if stop is None:
            stop = length
            if start < 0:  # RFC 9110 §14.1.2: a suffix longer than the body selects all of it
                start = max(0, start + length)
        if not is_byte_range_valid(start, stop, length):
            return None
        return start, min(stop, length)

    def make_content_range(self, length: int | None) -> ContentRange | None:
        """The `ContentRange` of the answer from a body of so many bytes; None if `range_for_length` is None."""
        span = self.range_for_length(length)
        return None if span is None else ContentRange(self.units, span[0], span[1], length)

    def to_header(self) -> str:
        """Write the ranges as they stand in a header."""
        return f"{self.units}={','.join([_dump_range_spec(start, stop) for start, stop in self.ranges])}"

    def to_content_range_header(self, length: int | None) -> str | None:
        """Like `make_content_range`, but written out."""
        content_range = self.make_content_range(length)
        return None if content_range is None else content_range.to_header()

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def _parse_range_spec(text: str) -> tuple[int, int | None] | None:
    """Read `first-last`, `first-` or `-length` as (start, stop); None if it has none of these forms."""
    if text[:1] == "-":
        length = _suffix_length(text)
        # "-0" asks for nothing at all: RFC 9110 §14.1.2 calls a suffix of length zero unsatisfiable.
        return (-length, None) if length else None
    first, dash, last = text.partition("-")
    if not dash:
        return None
    start, final = _parse_position(first), _parse_position(last)
    if start is None or (last and final is None):
        return None
    if final is None:
        return start, None
    return (start, final + 1) if start <= final else None


def _suffix_length(text: str) -> int | None:
    """The length in `-length`; None for anything else."""
    return parse_plain_int(text[1:]) if text[:1] == "-" and text[1:2].isdigit() else None


def _parse_position(text: str) -> int | None:
    number = parse_plain_int(text)
    return None if number is None or number < 0 else number


def _dump_range_spec(start: int, stop: int | None) -> str:
    if stop is None:
        return str(start) if start < 0 else f"{start}-"
    return f"{start}-{stop - 1}"


def byte_ranges(value: str | None, length: int) -> list[tuple[int, int]] | None:
    """The `(start, stop)` of each satisfiable range that a `Range` asks for, of a body of `length` bytes.

    Empty if none is satisfiable (RFC 9110 §14.1.2): the answer is 416. None if the header must or may be ignored
    (§14.2): it breaks the grammar, or has another unit.
    """
    units, equals, text = (value or "").partition("=")
    if not equals or units.strip().lower() != "bytes":
        return None
    specs = [spec for spec in map(_strip_blanks, text.split(",", _MAX_RANGES)) if spec]
    spans: list[tuple[int, int]] = []
    for spec in specs:
        pair = _parse_range_spec(spec)
        if pair is None:
            if _suffix_length(spec) != 0:
                return None
            continue
        start, stop = pair
        if start < 0:
            start = max(0, length + start)
        if start < length:
            spans.append((start, length if stop is None else min(stop, length)))
    return spans if specs else None


def _strip_blanks(text: str) -> str:
    return text.strip(" \t")


def parse_range_header(value: str | None, make_inclusive: bool = True) -> Range | None:
    """Read the value of `Range`; None when it is missing or malformed.

    :param make_inclusive: has no effect; Werkzeug's function takes it.
    """
    return Range.from_header(value)


class IfRange:
    """The value of `If-Range`: an entity tag without its quotes, or a date, or nothing."""

    def __init__(self, etag: str | None = None, date: datetime | None = None):
        self.etag = etag
        self.date = date

    @classmethod
    def from_header(cls, value: str | None) -> t.Self:
        """Read a header; a value that is no date is taken for a tag."""
        if not value:
            return cls()
        date = parse_date(value)
        return cls(date=date) if date is not None else cls(unquote_etag(value)[0])

    def to_header(self) -> str:
        """Write the date if there is one, else the tag, else the empty string."""
        if self.date is not None:
            return http_date(self.date)
        return "" if self.etag is None else quote_etag(self.etag)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def parse_if_range_header(value: str | None) -> IfRange:
    """Read the value of `If-Range`."""
    return IfRange.from_header(value)


_T = t.TypeVar("_T")


class _Reported(t.Generic[_T]):
    """An attribute of `ContentRange` that reports its changes."""

    def __set_name__(self, owner: type[ContentRange], name: str) -> None:
        self.attr = f"_{name}"

    @t.overload
    def __get__(self, instance: None, owner: type[ContentRange]) -> t.Self: ...
    @t.overload
    def __get__(self, instance: ContentRange, owner: type[ContentRange]) -> _T: ...
    def __get__(self, instance: ContentRange | None, owner: type[ContentRange]) -> t.Self | _T:
        return self if instance is None else t.cast(_T, instance.__dict__[self.attr])

    def __set__(self, instance: ContentRange, value: _T) -> None:
        instance.__dict__[self.attr] = value
        if instance.on_update is not None:
            instance.on_update(instance)


class ContentRange:
    """The value of `Content-Range`; its stop is exclusive.

    It is unset, and false, while `units` is None. `on_update` is called with the object after each change.
    """

    units: _Reported[str | None] = _Reported()
    start: _Reported[int | None] = _Reported()
    stop: _Reported[int | None] = _Reported()
    length: _Reported[int | None] = _Reported()

    def __init__(
        self,
        units: str | None,
        start: int | None,
        stop: int | None,
        length: int | None = None,
        on_update: abc.Callable[[ContentRange], None] | None = None,
    ) -> None:
        self.on_update = on_update
        self.set(start, stop, length, units)

    @classmethod
    def from_header(
        cls, value: str | None, on_update: abc.Callable[[ContentRange], None] | None = None
    ) -> t.Self | None:
        """Read a header; None when it is missing or breaks the grammar."""
        units, _, text = (value or "").strip().partition(" ")
        span, slash, length_text = text.partition("/")
        if not slash:
            return None
        length = None
        if length_text != "*":
            length = _parse_position(length_text)
            if length is None:
                return None
        if span == "*":
            return cls(units, None, None, length, on_update)
        first, _, last = span.partition("-")
        start, final = _parse_position(first), _parse_position(last)
        if start is None or final is None or not is_byte_range_valid(start, final + 1, length):
            return None
        return cls(units, start, final + 1, length, on_update)

    def set(self, start: int | None, stop: int | None, length: int | None = None, units: str | None = "bytes") -> None:
        """Change everything at once.

        :raises ValueError: the numbers cannot stand together.
        """
        if not is_byte_range_valid(start, stop, length):
            raise ValueError(f"Bad range: start={start}, stop={stop}, length={length}.")
        self._units, self._start, self._stop, self._length = units, start, stop, length
        if self.on_update is not None:
            self.on_update(self)

    def unset(self) -> None:
        """Make the header go away."""
        self.set(None, None, units=None)

    def to_header(self) -> str:
        """Write the header; the empty string while it is unset."""
        if self._units is None:
            return ""
        length = "*" if self._length is None else self._length
        if self._start is None or self._stop is None:
            return f"{self._units} */{length}"
        return f"{self._units} {self._start}-{self._stop - 1}/{length}"

    def __bool__(self) -> bool:
        return self._units is not None

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"


def parse_content_range_header(
    value: str | None, on_update: abc.Callable[[ContentRange], None] | None = None
) -> ContentRange | None:
    """Read the value of `Content-Range`; None when it is missing or malformed."""
    return ContentRange.from_header(value, on_update)
