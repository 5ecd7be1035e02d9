"""A response as ASGI messages: status and headers once, then the body as it comes."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator

InThread = Callable[[Callable[[], t.Any]], Awaitable[t.Any]]

_END: t.Final = object()


class Answer:
    """What goes out for one request. `body` is complete, or an iterable or async iterable of chunks."""

    def __init__(
        self, status: str, headers: Iterable[tuple[str, str]], body: bytes | Iterable[bytes] | AsyncIterable[bytes]
    ) -> None:
        self.status = int(status[:3])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self.body = body

    @classmethod
    def of(cls, response: t.Any, environ: dict[str, t.Any]) -> Answer:
        """The answer that `response` makes to the request of `environ`."""
        chunks = getattr(response, "response", None)
        if isinstance(chunks, AsyncIterable):
            headers = response.get_wsgi_headers(environ)
            body = _AsyncBody(response, chunks)
            return cls(response.status, headers.to_wsgi_list(), () if environ["REQUEST_METHOD"] == "HEAD" else body)
        iterable, status, pairs = response.get_wsgi_response(environ)
        if not response.is_streamed:
            try:
                return cls(status, pairs, b"".join(iterable))
            finally:
                response.close()
        return cls(status, pairs, iterable)

    async def send(self, send: t.Any, in_thread: InThread) -> None:
        """Send it all. An error half-way leaves the body without its end, so that the client can tell."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        if isinstance(self.body, bytes):
            await send({"type": "http.response.body", "body": self.body})
            return
        if isinstance(self.body, AsyncIterable):
            await self._send_async(send, self.body)
        else:
            await self._send_sync(send, in_thread, self.body)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_async(self, send: t.Any, body: AsyncIterable[bytes]) -> None:
        iterator = body.__aiter__()
        try:
            async for chunk in iterator:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()

    async def _send_sync(self, send: t.Any, in_thread: InThread, body: Iterable[bytes]) -> None:
        iterator: Iterator[bytes] = iter(body)
        try:
            while (chunk := await in_thread(lambda: next(iterator, _END))) is not _END:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                await in_thread(close)


class _AsyncBody:
    """The chunks of an async iterable as bytes; the response is closed after the last one."""

    def __init__(self, response: t.Any, chunks: AsyncIterable[t.Any]) -> None:
        self._response = response
        self._chunks = chunks

    async def __aiter__(self) -> t.AsyncIterator[bytes]:
        try:
            async for chunk in self._chunks:
                yield chunk.encode() if isinstance(chunk, str) else bytes(chunk)
        finally:
            close = getattr(self._chunks, "aclose", None)
            if close is not None:
                await close()
            self._response.close()
