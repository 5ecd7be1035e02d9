"""The compressed body of a response that comes in pieces, as an iterable."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

from .body import CompressedBody, encode_async, encoded


class CompressedIterable(CompressedBody):
    """The compressed pieces of an iterable."""

    pieces: Iterable[str] | Iterable[bytes]

    def raw(self) -> Iterator[bytes]:
        """The original pieces as bytes."""
        return encoded(self.pieces)

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.raw():
            data = self.coder.compress(piece)
            if self.flushes and piece:
                data += self.coder.flush()
            if data:
                yield data
        yield self.coder.finish()


class CompressedAsyncIterable(CompressedBody):
    """The compressed pieces of an asynchronous iterable."""

    pieces: AsyncIterable[str] | AsyncIterable[bytes]

    def raw(self) -> AsyncIterator[bytes]:
        """The original pieces as bytes; closing this closes their iterator."""
        return encode_async(self.pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        raw = self.raw()
        try:
            async for piece in raw:
                data = self.coder.compress(piece)
                if piece:
                    data += self.coder.flush()
                if data:
                    yield data
            yield self.coder.finish()
        finally:
            await raw.aclose()  # type: ignore[attr-defined]  # it is a generator
