"""The bodies that a response can have, and the form in which it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

from ..http.content_coding import Coder
from ..support.values import Value
from .streams import READ_SIZE, FileWrapper, RangeWrapper

if TYPE_CHECKING:
    from .response import Response


class FileBody(Value):
    """An open file, or a part of one.

    Iterating reads it in blocks; an edge that can do better takes the file itself.
    """

    file: IO[bytes]
    #: The start, in bytes; None for the current position of the file.
    offset: int | None
    #: How many bytes to send; None for all that follow.
    length: int | None

    def __init__(self, file: IO[bytes], offset: int | None = None, length: int | None = None) -> None:
        self.__dict__.update(file=file, offset=offset, length=length)

    def __iter__(self) -> Iterator[bytes]:
        if self.offset is not None:
            self.file.seek(self.offset)
        left = self.length
        while block := self.file.read(READ_SIZE if left is None else min(READ_SIZE, left)):
            if left is not None:
                left -= len(block)
            yield block


#: What a response may be given as its body; None is an empty one.
Body = str | bytes | bytearray | Iterable[str] | Iterable[bytes] | AsyncIterable[str] | AsyncIterable[bytes] | None
#: What ``Response.response`` holds.
AnyBody = Iterable[str] | Iterable[bytes] | AsyncIterable[str] | AsyncIterable[bytes]


class CompressedBody:
    """A body in pieces, and its coder.

    Iterating flushes the coder after each piece, since nothing can be sent while the next piece is waited for. An edge
    that can send meanwhile takes `pieces` and `coder`.

    :param flushes: whether the pieces may take time, unlike the blocks of a file.
    """

    def __init__(self, pieces: AnyBody, coder: Coder, flushes: bool = True) -> None:
        self.pieces = pieces
        self.coder = coder
        self.flushes = flushes

    def close(self) -> None:
        """Close the original body."""
        close = getattr(self.pieces, "close", None)
        if close is not None:
            close()


#: What an edge has to send.
EdgeBody = bytes | FileBody | CompressedBody | Iterable[bytes] | AsyncIterable[bytes]


def encoded(body: AnyBody) -> Iterator[bytes]:
    """The pieces of a body as bytes.

    :raises TypeError: at once, if the body is an asynchronous iterable, which cannot be awaited here.
    """
    if isinstance(body, AsyncIterable) and not isinstance(body, Iterable):
        raise TypeError(
            f"The response's body is an asynchronous iterable ({type(body).__name__}), which only an ASGI server can"
            " send. Serve the application with 'costrel serve' or another ASGI server, or return an ordinary iterable."
        )
    return _encode(body)


def _encode(body: Iterable[str] | Iterable[bytes]) -> Iterator[bytes]:
    for piece in body:
        yield to_utf8(piece) if isinstance(piece, str) else piece


def to_utf8(text: str) -> bytes:
    """The text as UTF-8. An unpaired surrogate, which a client may have sent, becomes the replacement character."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


async def encode_async(body: AsyncIterable[str] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The pieces of an asynchronous body as bytes. It is closed with this generator."""
    pieces: Any = body.__aiter__()
    try:
        async for piece in pieces:
            yield to_utf8(piece) if isinstance(piece, str) else piece
    finally:
        if hasattr(pieces, "aclose"):
            await pieces.aclose()


def body_of(response: Response) -> EdgeBody | None:
    """A response's body for an edge, see ``Response.for_edge``; None if it is nothing better than its iterable."""
    body: Any = response.response
    if isinstance(body, (list, tuple)):
        return b"".join(response.iter_encoded())
    if isinstance(body, CompressedBody):
        return body
    if isinstance(body, AsyncIterable) and not isinstance(body, Iterable):
        return encode_async(body)
    if isinstance(body, FileWrapper):
        return FileBody(body.file, None, response.content_length)
    if isinstance(body, RangeWrapper) and isinstance(body.iterable, FileWrapper) and body.seekable:
        return FileBody(body.iterable.file, body.start_byte, body.byte_range)
    return None


class ResponseStream:
    """A writable file that adds what is written to the body of a response."""

    mode = "wb+"

    def __init__(self, response: Response) -> None:
        self.response = response
        self.closed = False

    def write(self, value: bytes) -> int:
        """Add to the body; its ``Content-Length`` goes, since it is no longer true."""
        self._check_open()
        self.response._ensure_sequence(mutable=True)
        body: Any = self.response.response
        body.append(value)
        self.response.headers.pop("Content-Length", None)
        return len(value)

    def writelines(self, seq: Iterable[bytes]) -> None:
        for item in seq:
            self.write(item)

    def close(self) -> None:
        self.closed = True

    def flush(self) -> None:
        self._check_open()

    def isatty(self) -> bool:
        self._check_open()
        return False

    def tell(self) -> int:
        """Length of the body so far: of its pieces as they were written, bytes or text."""
        self.response._ensure_sequence()
        return sum(map(len, self.response.response))

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    @property
    def encoding(self) -> str:
        return "utf-8"
