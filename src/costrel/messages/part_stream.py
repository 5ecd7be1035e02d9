"""The parts of a multipart body, one after the other while the body arrives: nothing is kept in memory or on disk."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cached_property
from typing import TypeAlias, TypeVar

from ..http.headers import Headers
from ..http.part_head import FormatError, HeadTooLarge, PartHead, headers_of
from .forms import MalformedForm, too_large, too_many_files, too_many_parts, too_much_memory
from .parts import PartLimits, PartParser, Piece

T = TypeVar("T")

Read: TypeAlias = Callable[[], bytes]
"""Returns the next bytes of a body; empty at its end."""

Chunks: TypeAlias = Callable[[], AsyncIterator[bytes]]
"""Makes an iterator of the bytes of a body."""


class FormLimits:
    """The limits of a form: its parts, the bytes of all fields together, and the limits of multipart bodies."""

    def __init__(self, parts: int | None, memory: int | None, multipart: PartLimits) -> None:
        self.parts = parts
        self.memory = memory
        self.multipart = multipart


class Part:
    """One field or file of a form. Iterating, or iterating asynchronously, yields its content as chunks of bytes."""

    def __init__(self, parts: Parts, head: PartHead) -> None:
        self.name = head[0]
        """The name of the field."""
        self.filename = head[1]
        """The name of the file on the client's side; None for a field without a file. Never use it as a path."""
        self.is_read = False
        """Whether the whole content was read."""
        self._head = head
        self._parts = parts

    @cached_property
    def headers(self) -> Headers:
        """The headers of the part."""
        return headers_of(self._head)

    @property
    def content_type(self) -> str | None:
        """The ``Content-Type`` of the part, as the client sent it."""
        return self.headers.get("content-type")

    def __iter__(self) -> Iterator[bytes]:
        parts = self._parts
        while not parts.has_ended(self):
            while (chunk := parts.take(self)) is None:
                parts.read()
            if chunk:
                yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = self._parts
        while not parts.has_ended(self):
            while (chunk := parts.take(self)) is None:
                await parts.read_async()
            if chunk:
                yield chunk

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}{'' if self.filename is None else f' {self.filename!r}'}>"


class Parts:
    """All parts of a body: an iterable and an asynchronous iterable, to be used once.

    Read each part before the next one: the rest of an unread part is skipped.

    :raises MalformedForm: if the body breaks the format, or ends before its last boundary.
    :raises RequestEntityTooLarge: if it is above one of the limits.
    """

    def __init__(self, boundary: str, limits: FormLimits, read: Read, chunks: Chunks) -> None:
        self._limits = limits
        self._read = read
        self._chunks = chunks
        self._iterator: AsyncIterator[bytes] | None = None
        self._pieces: deque[Piece] = deque()
        self._current: Part | None = None
        self._number = self._files = self._memory = 0
        self._is_empty, self._is_complete = True, False
        self._parser = self._parsed(lambda: PartParser(boundary.encode(), limits.multipart))

    def __iter__(self) -> Iterator[Part]:
        while (part := self._next()) is not None or not self._is_complete:
            if part is None:
                self.read()
            else:
                yield part

    async def __aiter__(self) -> AsyncIterator[Part]:
        while (part := self._next()) is not None or not self._is_complete:
            if part is None:
                await self.read_async()
            else:
                yield part

    # -- for the parts

    def has_ended(self, part: Part) -> bool:
        """Whether the whole content of a part was read. Raises RuntimeError if the part was skipped."""
        if part.is_read or self._current is part:
            return part.is_read
        raise RuntimeError(f"The content of {part!r} was skipped: read each part before the next one.")

    def take(self, part: Part) -> bytes | None:
        """The next chunk of the current part, or None if more bytes of the body are needed."""
        if not self._pieces:
            return None
        _, chunk, is_last = self._pieces.popleft()
        if part.filename is None:
            self._count(len(chunk))
        if is_last:
            self._current, part.is_read = None, True
        return chunk

    def read(self) -> None:
        """Read more of the body."""
        self._add(self._read())

    async def read_async(self) -> None:
        """Read more of the body from an event loop."""
        if self._iterator is None:
            self._iterator = self._chunks()
        self._add(await anext(self._iterator, b""))

    # -- the body

    def _next(self) -> Part | None:
        """The next part, or None if more bytes of the body are needed, or no part is left."""
        while self._pieces:
            head, chunk, is_last = self._pieces[0]
            if head is None:
                self._pieces.popleft()  # it belongs to a skipped part
                continue
            part = self._current = self._begin(head)
            self._pieces[0] = (None, chunk, is_last)
            return part
        return None

    def _begin(self, head: PartHead) -> Part:
        limits = self._limits
        name, filename, _, _, size, _ = head
        self._number += 1
        if limits.parts is not None and self._number > limits.parts:
            raise too_many_parts(limits.parts)
        if filename is not None:
            self._files += 1
            most = limits.multipart.files
            if most is not None and self._files > most:
                raise too_many_files(most)
        self._count(len(name or "") if filename is None else size)
        return Part(self, head)

    def _count(self, size: int) -> None:
        self._memory += size
        limit = self._limits.memory
        if limit is not None and self._memory > limit:
            raise too_much_memory(limit)

    def _add(self, chunk: bytes) -> None:
        if self._is_complete:
            raise MalformedForm("The multipart body is malformed: it ends before its last boundary.")
        if chunk:
            self._is_empty = False
            self._parsed(lambda: self._pieces.extend(self._parser.parse(chunk)))
            return
        self._is_complete = True
        if not self._is_empty:  # an empty body is an empty form
            self._parsed(self._parser.finish)

    def _parsed(self, parse: Callable[[], T]) -> T:
        try:
            return parse()
        except HeadTooLarge as error:
            raise too_large(error) from None
        except FormatError as error:
            raise MalformedForm(f"The multipart body is malformed: {error}.") from None
