"""Response bodies that report whether they were completed, failed, or were closed early by a client's disconnect."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator

from ..support.closing import call_aclose, call_close

T = t.TypeVar("T")


class Watcher(t.Protocol):
    """Is told how a body ends."""

    def note_all_sent(self) -> None:
        """The body has produced as many bytes as the Content-Length."""

    def complete(self) -> None:
        """The body has ended."""

    def fail(self, error: BaseException) -> None:
        """The body has raised an error."""


class _Counted:
    """Counts the bytes of a body with a Content-Length: a server may close it after the last byte, before its end."""

    def __init__(self, watcher: Watcher, size: int | None) -> None:
        self._watcher = watcher
        self._left = size

    def _count(self, item: object) -> None:
        if self._left is not None and isinstance(item, (bytes, str)):
            self._left -= len(item if isinstance(item, bytes) else item.encode())
            if self._left <= 0:
                self._watcher.note_all_sent()

    def _end(self, error: BaseException) -> None:
        """Report the end of the body, which is complete unless `error` is something else than StopIteration."""
        if isinstance(error, (StopIteration, StopAsyncIteration)):
            self._watcher.complete()
        else:
            self._watcher.fail(error)


class Items(_Counted, t.Generic[T]):
    """The items of an iterable. `at_close` is called after its ``close``."""

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
    """The items of an async iterable."""

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
        """Close the items from code that cannot await."""
        call_close(self._items)
