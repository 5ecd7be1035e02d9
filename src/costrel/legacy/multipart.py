"""Splits a multipart body into events, and writes one from events, without I/O (RFC 2046 §5.1, RFC 7578).

Bytes go in by `receive_data`, events come out of `next_event`; how the bytes are cut makes no difference to the parts
and their data. Time is linear in the length of the body, and the size of a part's head is limited.
"""

from __future__ import annotations

import re
import typing as t
from enum import Enum, auto

from ..http.errors import RequestEntityTooLarge
from ..http.multipart_events import Data as Data
from ..http.multipart_events import Epilogue as Epilogue
from ..http.multipart_events import Event as Event
from ..http.multipart_events import Field as Field
from ..http.multipart_events import File as File
from ..http.multipart_events import Preamble as Preamble
from ..http.part_head import (
    MAX_BOUNDARY_SIZE,
    MAX_HEADER_SIZE,
    MAX_HEADERS,
    FormatError,
    HeadTooLarge,
    headers_of,
    read_head,
)


class NeedData(Event):
    """The decoder can tell no more before it receives more."""

    __eq__, __hash__, __repr__ = object.__eq__, object.__hash__, object.__repr__  # it has nothing to tell it by


NEED_DATA = NeedData()


class State(Enum):
    """The position of a decoder or encoder in a body."""

    PREAMBLE = auto()
    PART = auto()
    DATA = auto()
    DATA_START = auto()
    EPILOGUE = auto()
    COMPLETE = auto()


# RFC 2046 asks for CRLF; hand-written clients send the others.
LINE_BREAK = b"(?:\r\n|\n|\r)"
LINE_BREAK_RE = re.compile(LINE_BREAK)
BLANK_LINE_RE = re.compile(b"(?:\r\n\r\n|\r\r|\n\n)")
_LAST_LINE_BREAK_RE = re.compile(LINE_BREAK + b"\\Z")

# How far before the end of what was searched the next search begins: a blank line may have been cut in two.
SEARCH_EXTRA_LENGTH = 8

_MAX_HEAD_SIZE = MAX_HEADERS * (MAX_HEADER_SIZE + len("\r\n")) + len("\r\n")

# "transport padding" between a boundary and the end of its line (RFC 2046 §5.1.1); no known client sends any.
_PADDING = b"[^\\S\n\r]"
_MAX_PADDING = 1024
_is_padding_or_dash = re.compile(_PADDING + b"*+|-").fullmatch
_match_rest_of_line = re.compile(_PADDING + b"*+" + LINE_BREAK + b"?").match


class MultipartDecoder:
    """Turns the bytes of a body into events: a preamble, then for each part its head and its data, then an epilogue.

    :param boundary: as the request's Content-Type names it.
    :param max_form_memory_size: how many bytes it may hold at a time; more raises `RequestEntityTooLarge`.
    :param max_parts: how many parts a body may have; more raises `RequestEntityTooLarge`.
    :raises ValueError: the boundary is empty, holds a line break, or is longer than 256 bytes.
    """

    def __init__(
        self, boundary: bytes, max_form_memory_size: int | None = None, *, max_parts: int | None = None
    ) -> None:
        if not 0 < len(boundary) <= MAX_BOUNDARY_SIZE or LINE_BREAK_RE.search(boundary):
            raise ValueError(
                f"Invalid multipart boundary: {len(boundary)} bytes, of which 1 to {MAX_BOUNDARY_SIZE}"
                " are allowed, without line breaks."
            )
        self.buffer = bytearray()
        self.complete = False
        self.max_form_memory_size = max_form_memory_size
        self.max_parts = max_parts
        self.state = State.PREAMBLE
        self.boundary = boundary
        # The first boundary may begin the body. What it begins with is checked later, for a pattern that starts with
        # constant bytes is found in linear time whatever the boundary is.
        self.preamble_re = re.compile(
            b"--%s(--|%s{0,%d}+%s)" % (re.escape(boundary), _PADDING, _MAX_PADDING, LINE_BREAK)
        )
        self.boundary_re = re.compile(LINE_BREAK + self.preamble_re.pattern)
        self._dashed_boundary = b"--" + boundary
        self._max_boundary_line = len(self._dashed_boundary) + _MAX_PADDING + len("\r\n\r\n")
        self._search_position = 0
        self._parts_decoded = 0

    def receive_data(self, data: bytes | None) -> None:
        """Take more of the body; None says that it has ended.

        :raises RequestEntityTooLarge: the decoder would hold more than it may.
        """
        if data is None:
            self.complete = True
        elif self.max_form_memory_size is not None and len(self.buffer) + len(data) > self.max_form_memory_size:
            raise RequestEntityTooLarge()
        else:
            self.buffer.extend(data)

    def next_event(self) -> Event:
        """Return the next event, or `NEED_DATA`.

        :raises ValueError: the body is malformed, or has ended before its last boundary.
        :raises RequestEntityTooLarge: there are more parts, or a part has a larger head, than allowed.
        """
        event: Event | None = None
        if self.state is State.PREAMBLE:
            event = self._next_preamble()
        elif self.state is State.PART:
            event = self._next_head()
        elif self.state is State.DATA_START or self.state is State.DATA:
            event = self._next_data()
        elif self.state is State.EPILOGUE and self.complete:
            event = self._finish()
        if event is not None:
            return event
        if self.complete:
            raise ValueError(f"The multipart body ended before its last boundary, in {self.state}.")
        return NEED_DATA

    def _next_preamble(self) -> Event | None:
        match = self._find_delimiter(self.preamble_re, self._search_position)
        if match is None:
            self._search_position = max(0, len(self.buffer) - self._max_boundary_line)
            return None
        line_break = _LAST_LINE_BREAK_RE.search(self.buffer, max(0, match.start() - 2), match.start())
        if line_break is None and match.start() > 0:
            raise ValueError("The first multipart boundary does not begin a line.")
        event = Preamble(bytes(self.buffer[: line_break.start() if line_break else 0]))
        self._enter_part(match)
        return event

    def _enter_part(self, delimiter: re.Match[bytes]) -> None:
        self.state = State.EPILOGUE if delimiter[1] == b"--" else State.PART
        del self.buffer[: delimiter.end()]
        self._search_position = 0

    def _next_head(self) -> Event | None:
        blank_line = BLANK_LINE_RE.search(self.buffer, self._search_position, _MAX_HEAD_SIZE)
        if blank_line is None:
            if len(self.buffer) >= _MAX_HEAD_SIZE:
                raise RequestEntityTooLarge()
            self._search_position = max(0, len(self.buffer) - SEARCH_EXTRA_LENGTH)
            return None
        end = blank_line.start()
        half = len(blank_line[0]) // 2
        try:
            lines = bytes(self.buffer[:end])
            head = read_head(lines.replace(b"\r", b"\n") if blank_line[0] == b"\r\r" else lines, needs_colons=False)
        except HeadTooLarge as error:
            raise RequestEntityTooLarge(f"The multipart body is too large: {error}.") from None
        except FormatError as error:
            raise ValueError(f"The multipart body is malformed: {error}.") from None
        headers, name, filename = headers_of(head), head[0], head[1]
        event = Field(name, headers) if filename is None else File(name, filename, headers)
        self._parts_decoded += 1
        if self.max_parts is not None and self._parts_decoded > self.max_parts:
            raise RequestEntityTooLarge()
        # The line break that ends the blank line stays: it may be that of a boundary which follows at once.
        del self.buffer[: end + half]
        self.state = State.DATA_START
        self._search_position = 0
        return event

    def _next_data(self) -> Event | None:
        start = 0
        if self.state is State.DATA_START:
            blank_line = LINE_BREAK_RE.match(self.buffer)
            start = blank_line.end() if blank_line else 0
        delimiter = self._find_delimiter(self.boundary_re, 0)
        if delimiter is not None:
            data = bytes(self.buffer[start : delimiter.start()])
            self._enter_part(delimiter)
            return Data(data, more_data=False)
        end = self._undecided_position()
        if end <= start:
            return None
        data = bytes(self.buffer[start:end])
        del self.buffer[:end]
        self.state = State.DATA
        return Data(data, more_data=True)

    def _find_delimiter(self, pattern: re.Pattern[bytes], position: int) -> re.Match[bytes] | None:
        """Search for a boundary's line, unless the bytes yet to come could change how long it is."""
        # A plain search is many times faster, and finds nothing in most calls.
        found = self.buffer.find(self._dashed_boundary, position)
        if found < 0:
            return None
        delimiter = pattern.search(self.buffer, max(position, found - 2))
        if delimiter is None or (
            delimiter.end() == len(self.buffer) and self.buffer[-1:] == b"\r" and not self.complete
        ):
            return None
        return delimiter

    def _undecided_position(self) -> int:
        """The position at which an incomplete boundary line may begin; otherwise the end of the buffer."""
        end = len(self.buffer)
        # A CR at the end may be the first half of the line's end, or a line break of its own.
        for stop in (end - 1, end) if self.buffer.endswith(b"\r") else (end,):
            start = self._start_of_boundary_line(stop)
            if start >= 0:
                return start
        return end

    def _start_of_boundary_line(self, stop: int) -> int:
        """The position of the last line break before `stop` if a boundary may follow it; otherwise -1."""
        window = max(0, stop - self._max_boundary_line)
        break_end = max(self.buffer.rfind(b"\r", window, stop), self.buffer.rfind(b"\n", window, stop)) + 1
        if break_end == 0:
            return -1
        line = bytes(self.buffer[break_end:stop])
        rest = line.removeprefix(self._dashed_boundary)
        if not (self._dashed_boundary.startswith(line) or (rest != line and _is_padding_or_dash(rest))):
            return -1
        return break_end - (2 if self.buffer.endswith(b"\r\n", 0, break_end) else 1)

    def _finish(self) -> Event:
        rest_of_line = t.cast("re.Match[bytes]", _match_rest_of_line(self.buffer))
        event = Epilogue(bytes(self.buffer[rest_of_line.end() :]))
        self.buffer = bytearray()
        self.state = State.COMPLETE
        return event


class MultipartEncoder:
    """Turns events into the bytes of a body."""

    def __init__(self, boundary: bytes) -> None:
        self.boundary = boundary
        self.state = State.PREAMBLE

    def send_event(self, event: Event) -> bytes:
        """Write one event.

        :raises ValueError: the event cannot follow those before it.
        """
        if isinstance(event, Preamble) and self.state is State.PREAMBLE:
            self.state = State.PART
            return event.data
        if isinstance(event, Field | File) and self.state in (State.PREAMBLE, State.PART, State.DATA):
            self.state = State.DATA_START
            return b"\r\n--" + self.boundary + b"\r\n" + _dump_head(event)
        if isinstance(event, Data) and self.state is State.DATA_START:
            self.state = State.DATA
            return b"\r\n" + event.data
        if isinstance(event, Data) and self.state is State.DATA:
            return event.data
        if isinstance(event, Epilogue):
            self.state = State.COMPLETE
            return b"\r\n--" + self.boundary + b"--\r\n" + event.data
        raise ValueError(f"Cannot generate {event} in state: {self.state}")


# The HTML Standard's way to write what would end the quotes or the line ("multipart/form-data encoding algorithm").
_ESCAPES = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}


def _dump_head(event: Field | File) -> bytes:
    disposition = f'form-data; name="{event.name.translate(_ESCAPES)}"'
    if isinstance(event, File):
        disposition += f'; filename="{event.filename.translate(_ESCAPES)}"'
    lines = [f"Content-Disposition: {disposition}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in event.headers if name.lower() != "content-disposition"]
    return "".join(lines).encode()
