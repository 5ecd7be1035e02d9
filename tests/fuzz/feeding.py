"""How the targets hand the same bytes to a parser: at once, one by one, and in pieces of seven."""

from __future__ import annotations

import io
import typing as t

STEPS: t.Final = (1, 7)


def pieces(data: bytes, step: int) -> list[bytes]:
    """`data` in pieces of `step` bytes."""
    return [data[start : start + step] for start in range(0, len(data), step)]


class Trickle(io.RawIOBase):
    """A server's stream that gives at most `step` bytes in a call."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data = io.BytesIO(data)
        self._step = step

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._data.read(self._step if size < 0 else min(size, self._step))

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._data.readline(self._step if size is None or size < 0 else min(size, self._step))


def lines_of(data: bytes, count: int) -> list[bytes]:
    """The first `count` lines, and all that follows as one; missing ones are empty."""
    lines = data.split(b"\n", count)
    return lines + [b""] * (count + 1 - len(lines))
