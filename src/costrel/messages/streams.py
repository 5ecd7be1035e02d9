"""Byte streams at the edge of WSGI: bodies that are counted as they are read, files and iterators as they are sent."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from contextvars import Context
from functools import partial, update_wrapper
from typing import IO, TYPE_CHECKING, Any

from ..http.errors import ClientDisconnected, RequestEntityTooLarge

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

READ_SIZE = 64 * 1024


class LimitedStream(io.RawIOBase):
    """A request body of which at most ``limit`` bytes can be read.

    :param stream: the server's stream (``wsgi.input``).
    :param limit: number of bytes. It is the body's length, unless ``is_max`` is true: then it is the most that
        the application accepts, and the body ends with the stream.

    A stream that ends early raises :exc:`ClientDisconnected`; a body longer than a maximum raises
    :exc:`RequestEntityTooLarge`. Neither passes for a complete body.
    """

    def __init__(self, stream: IO[bytes], limit: int, is_max: bool = False) -> None:
        self._stream = stream
        self._pos = 0
        self.limit = limit
        self._limit_is_max = is_max

    @property
    def is_exhausted(self) -> bool:
        """Whether all that the limit allows was read."""
        return self._pos >= self.limit

    def on_exhausted(self) -> None:
        """Called when more is asked for than the limit allows."""
        if self._limit_is_max:
            raise RequestEntityTooLarge(
                f"The request's body is longer than the {self.limit:,} bytes that MAX_CONTENT_LENGTH allows."
            )

    def on_disconnect(self, error: Exception | None = None) -> None:
        """Called when the stream ends, or fails, before the body is complete; raises :exc:`ClientDisconnected`."""
        raise ClientDisconnected() from error

    def exhaust(self) -> bytes:
        """Read the rest and return it."""
        return b"" if self.is_exhausted else self.readall()

    def readinto(self, b: Any) -> int:
        """Fill the buffer ``b`` as far as one read of the stream goes; return the number of bytes."""
        data = self.read(len(b))
        b[: len(data)] = data
        return len(data)

    def read(self, size: int = -1, /) -> bytes:
        """Read up to ``size`` bytes in one call of the stream, or all that is left if it is negative."""
        if size < 0:
            return self.readall()
        left = self.limit - self._pos
        if left <= 0:
            return self._past_the_limit()
        return self._counted(self._stream.read, min(size, left)) if size else b""

    def readall(self) -> bytes:
        """Read all that is left, however many calls of the stream that takes."""
        left = self.limit - self._pos
        if left <= 0:
            return self._past_the_limit()
        chunks = []
        while chunk := self.read(min(READ_SIZE, max(self.limit - self._pos, 1))):
            chunks.append(chunk)
            if self.is_exhausted and not self._limit_is_max:
                break
        return b"".join(chunks)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read one line, or ``size`` bytes of it if it is longer."""
        left = self.limit - self._pos
        if left <= 0:
            return self._past_the_limit()
        wanted = left if size is None or size < 0 else min(size, left)
        line = self._counted(self._stream.readline, wanted) if wanted else b""
        if line and len(line) < wanted and not line.endswith(b"\n"):
            self._ended()  # in the middle of a line
        return line

    def tell(self) -> int:
        """Number of bytes read so far."""
        return self._pos

    def readable(self) -> bool:
        return True

    def _counted(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            data = read(size)
        except (OSError, ValueError) as error:
            self.on_disconnect(error=error)
            return b""
        self._pos += len(data)
        if not data:
            self._ended()
        return data

    def _ended(self) -> None:
        """The stream has nothing more, and the limit is not reached."""
        if not self._limit_is_max:
            self.on_disconnect()

    def _past_the_limit(self) -> bytes:
        # A body that is exactly as long as the maximum is fine: only one byte more tells the two apart.
        if not self._limit_is_max or self._stream.read(1):
            self.on_exhausted()
        return b""


class CountedStream(LimitedStream):
    """A body whose end the server marks and whose length the client announced: the two must not contradict.

    :param announced: the ``Content-Length`` in bytes; a stream that ends before it raises :exc:`ClientDisconnected`.
    """

    def __init__(self, stream: IO[bytes], limit: int, announced: int) -> None:
        super().__init__(stream, limit, is_max=True)
        self.announced = announced

    def _ended(self) -> None:
        if self._pos < self.announced:
            self.on_disconnect()


class ClosingIterator:
    """An iterator that calls functions when the server closes it.

    The iterable's own ``close`` comes first, then ``callbacks`` (one, or an iterable of them) in order.
    """

    def __init__(
        self,
        iterable: Iterable[bytes],
        callbacks: Callable[[], None] | Iterable[Callable[[], None]] | None = None,
    ) -> None:
        iterator = iter(iterable)
        self._next: Callable[[], bytes] = partial(next, iterator)
        if callbacks is None:
            functions: list[Callable[[], object]] = []
        elif callable(callbacks):
            functions = [callbacks]
        else:
            functions = list(callbacks)
        close = getattr(iterable, "close", None)
        if close:
            functions.insert(0, close)
        self._callbacks = functions

    def call_on_close(self, function: Callable[[], object]) -> None:
        """Call a function after the others."""
        self._callbacks.append(function)

    def run_in(self, variables: Context) -> None:
        """Compute the items and call the functions with these context variables."""
        self._next = partial(variables.run, self._next)
        self._callbacks = [partial(variables.run, callback) for callback in self._callbacks]

    def __iter__(self) -> ClosingIterator:
        return self

    def __next__(self) -> bytes:
        return self._next()

    def close(self) -> None:
        """Run the callbacks."""
        for callback in self._callbacks:
            callback()


class FileWrapper:
    """An iterator over a file in blocks of ``buffer_size`` bytes, closing the file with itself."""

    def __init__(self, file: IO[bytes], buffer_size: int = 8192) -> None:
        self.file = file
        self.buffer_size = buffer_size

    def close(self) -> None:
        if hasattr(self.file, "close"):
            self.file.close()

    def seekable(self) -> bool:
        if hasattr(self.file, "seekable"):
            return self.file.seekable()
        return hasattr(self.file, "seek")

    def seek(self, *args: Any) -> None:
        if hasattr(self.file, "seek"):
            self.file.seek(*args)

    def tell(self) -> int | None:
        if hasattr(self.file, "tell"):
            return self.file.tell()
        return None

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        data = self.file.read(self.buffer_size)
        if data:
            return data
        raise StopIteration


class RangeWrapper:
    """The bytes of an iterable from ``start_byte`` on, ``byte_range`` of them (to the end if None).

    A seekable iterable (a :class:`FileWrapper`) is not read before the start.
    """

    def __init__(
        self,
        iterable: Iterable[bytes] | IO[bytes],
        start_byte: int = 0,
        byte_range: int | None = None,
    ) -> None:
        self.iterable: Any = iter(iterable)
        self.byte_range = byte_range
        self.start_byte = start_byte
        self.end_byte = None if byte_range is None else start_byte + byte_range
        self.read_length = 0
        self.seekable = bool(hasattr(iterable, "seekable") and iterable.seekable())
        self.end_reached = False

    def __iter__(self) -> RangeWrapper:
        return self

    def _next_chunk(self) -> bytes:
        try:
            chunk: bytes = next(self.iterable)
        except StopIteration:
            self.end_reached = True
            raise
        self.read_length += len(chunk)
        return chunk

    def _first_iteration(self) -> tuple[bytes | None, int]:
        """Go to the start; return the rest of the chunk there, if one had to be read, and the position."""
        if self.seekable:
            self.iterable.seek(self.start_byte)
            self.read_length = self.iterable.tell()
            return None, self.read_length
        chunk = b""
        while self.read_length <= self.start_byte:
            chunk = self._next_chunk()
        return chunk[self.start_byte - self.read_length :], self.start_byte

    def _next(self) -> bytes:
        chunk = None
        began = self.read_length
        if self.read_length == 0:
            chunk, began = self._first_iteration()
        if chunk is None:
            chunk = self._next_chunk()
        if self.end_byte is not None and self.read_length >= self.end_byte:
            self.end_reached = True
            return chunk[: self.end_byte - began]
        return chunk

    def __next__(self) -> bytes:
        while not self.end_reached:
            chunk = self._next()
            if chunk:
                return chunk
        raise StopIteration

    def close(self) -> None:
        if hasattr(self.iterable, "close"):
            self.iterable.close()


def wrap_file(environ: WSGIEnvironment, file: IO[bytes], buffer_size: int = 8192) -> Iterable[bytes]:
    """Wrap a file for sending: in the server's ``wsgi.file_wrapper`` if there is one, else in :class:`FileWrapper`."""
    wrapper: Callable[[IO[bytes], int], Iterable[bytes]] = environ.get("wsgi.file_wrapper", FileWrapper)
    return wrapper(file, buffer_size)


def responder(f: Callable[..., WSGIApplication]) -> WSGIApplication:
    """Turn a function or method that returns a WSGI application into one; it gets environ and start_response too."""

    def application(*args: Any) -> Iterable[bytes]:
        environ, start_response = args[-2:]
        return f(*args)(environ, start_response)

    return update_wrapper(application, f)
