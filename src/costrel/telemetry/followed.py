"""Bodies of responses that report their end: complete, by an error, or closed before, since the client left."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator

from ..support.closing import call_aclose, call_close

T = t.TypeVar("T")


class Watcher(t.Protocol):
    """Gets the end of a body."""

    def note_all_sent(self) -> None:
        """All bytes that the response has announced were produced."""

    def complete(self) -> None:
        """It has ended."""

    def fail(self, error: BaseException) -> None:
        """It has raised an error."""


class _Counted:
    """Counts the bytes of a body with a length: a server may close it after the last of them, before its end."""

    def __init__(self, watcher: Watcher, size: int | None) -> None:
        self._watcher = watcher
        self._left = size

    def _count(self, item: object) -> None:
        if self._left is not None and isinstance(item, (bytes, str)):
            self._left -= len(item if isinstance(item, bytes) else item.encode())
            if self._left <= 0:
                self._watcher.note_all_sent()

    def _end(self, error: BaseException) -> None:
        """Report the end of the body: complete, or by an error."""
        if isinstance(error, (StopIteration, StopAsyncIteration)):
            self._watcher.complete()
        else:
            self._watcher.fail(error)


class Items(_Counted, t.Generic[T]):
    """The items of an iterable. `at_close` is called after its own ``close``."""

    def __init__(
        self, items: Iterable[T], watcher: Watcher, size: int | None, at_close: Callable[[], None] | None = None
    ) -> None:
        super().__init__(watcher, size)
        self._items = items
        self._at_close = at_close
        self._iterator: Iterator[T] | None = None

    def __iter__(self) -> t.Self:
        return self

    def __next__(self) -> T:
        try:
            if self._iterator is None:
                self._iterator = iter(self._items)
            item = next(self._iterator)
        except BaseException as error:
            self._end(error)
            raise
        self._count(item)
        return item

    def close(self) -> None:
        """Close the items."""
        try:
            call_close(self._items)
        finally:
            if self._at_close is not None:
                self._at_close()


class AsyncItems(_Counted, t.Generic[T]):
    """The items of an asynchronous iterable."""

    def __init__(self, items: AsyncIterable[T], watcher: Watcher, size: int | None) -> None:
        super().__init__(watcher, size)
        self._items = items
        self._iterator: AsyncIterator[T] | None = None

    def __aiter__(self) -> t.Self:
        return self

    async def __anext__(self) -> T:
        try:
            if self._iterator is None:
                self._iterator = self._items.__aiter__()
            item = await self._iterator.__anext__()
        except BaseException as error:
            self._end(error)
            raise
        self._count(item)
        return item

    async def aclose(self) -> None:
        """Close the iterator."""
        await call_aclose(self._iterator or self._items)

    def close(self) -> None:
        """Close the items in a place that cannot await."""
        call_close(self._items)
