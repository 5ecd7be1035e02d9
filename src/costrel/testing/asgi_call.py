"""Calls an ASGI application for one HTTP request, as a server does; all test clients over ASGI use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ..http.headers import Headers
from ..messages.response_head import STATUS_LINES
from .scope import http_scope

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import WSGIEnvironment

    from ..support.asgi_types import ASGIApplication, Message
    from .loop_thread import LoopThread

CHUNK = 64 * 1024
"""The most bytes of a body in one ``http.request`` message."""

END_TIMEOUT = 5.0
"""Seconds that an application has to notice that its client has disconnected; then its task is cancelled."""


class Disconnected(OSError):
    """Raised by ``send`` in the application after the client has disconnected (ASGI HTTP spec 2.4)."""


def headers_of(message: Message) -> Headers:
    """The headers of a message that starts a response or accepts a WebSocket."""
    return Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())])


class RequestBody:
    """The body of a request as ``http.request`` messages, read from ``wsgi.input`` when the application asks."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._stream = environ["wsgi.input"]
        length = environ.get("CONTENT_LENGTH", "")
        self._left: int | None = int(length) if length.isdecimal() else 0
        if "HTTP_TRANSFER_ENCODING" in environ:
            self._left = None
        self.complete = False

    def next_message(self) -> Message:
        """The next chunk. If the stream ends before its announced length, the client disconnects there."""
        chunk: bytes = self._stream.read(CHUNK if self._left is None else min(CHUNK, self._left))
        if self._left is None:
            self.complete = not chunk
        elif not chunk and self._left:
            self.complete = True
            return {"type": "http.disconnect"}
        else:
            self._left -= len(chunk)
            self.complete = not self._left
        return {"type": "http.request", "body": chunk, "more_body": not self.complete}


class AsgiCall:
    """One request to an ASGI application on the running event loop, and its response.

    A response is read chunk by chunk: the application continues after a chunk when the next one is asked for.
    """

    def __init__(self, application: ASGIApplication, environ: WSGIEnvironment) -> None:
        self._application = application
        self._scope = http_scope(environ)
        self._body = RequestBody(environ)
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self._wanted = asyncio.Event()
        self._disconnected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._first: bytes | None = None
        self.complete = False
        """Whether the last chunk has come, and the application has returned."""
        self.status = ""
        self.headers = Headers()

    async def begin(self) -> None:
        """Send the request; return with the status, the headers and the first chunk of the body.

        Raises the application's error, and RuntimeError if it returns without a response.
        """
        self._task = asyncio.get_running_loop().create_task(self._serve())
        try:
            message = await self._next_message("http.response.start")
            code: int = message["status"]
            self.status = STATUS_LINES.get(code, f"{code} UNKNOWN")
            self.headers = headers_of(message)
            self._first = await self.next_chunk()
        except BaseException:
            await self._disconnect()
            raise

    async def next_chunk(self) -> bytes:
        """The next chunk of the body, b"" at its end. Raises the application's error."""
        if self._first is not None:
            chunk, self._first = self._first, None
            return chunk
        chunk = b""
        while not chunk and not self.complete:
            self._wanted.set()
            message = await self._next_message("http.response.body")
            chunk = bytes(message.get("body", b""))
            if not message.get("more_body", False):
                await self._finish()
        return chunk

    async def chunks(self) -> AsyncIterator[bytes]:
        """The chunks of the body that were not read yet."""
        while chunk := await self.next_chunk():
            yield chunk

    async def read(self) -> list[bytes]:
        """All chunks that were not read yet."""
        return [chunk async for chunk in self.chunks()]

    async def close(self) -> None:
        """Disconnect, unless the response is complete, and wait until the application returns; raise its error."""
        error = await self._disconnect()
        if error is not None and not isinstance(error, Disconnected):
            raise error

    async def _disconnect(self) -> BaseException | None:
        """End a response that is not complete; the error that the application raises then."""
        task = self._task
        if task is None or self.complete:
            return None
        self.complete = True
        self._disconnected.set()
        self._wanted.set()
        done, _ = await asyncio.wait([task], timeout=END_TIMEOUT)
        if not done:
            task.cancel()
            await asyncio.wait([task])
        return None if task.cancelled() else task.exception()

    async def _finish(self) -> None:
        """Wait until the application returns: its work after the last chunk belongs to the request."""
        self.complete = True
        self._disconnected.set()
        if self._task is not None:
            await self._task

    async def _next_message(self, kind: str) -> Message:
        """The next message, which is to be of this type; others that ASGI has do not concern a test."""
        while (message := await self._messages.get()) is not None:
            if message["type"] == kind:
                return message
        await self._finish()  # raises the application's error
        raise RuntimeError(f"The ASGI application {self._application!r} returned before its response was complete.")

    async def _serve(self) -> None:
        try:
            await self._application(self._scope, self._receive, self._send)
        finally:
            self._messages.put_nowait(None)

    async def _receive(self) -> Message:
        if not self._body.complete:
            return self._body.next_message()
        await self._disconnected.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._disconnected.is_set():
            raise Disconnected("The client has disconnected.")
        self._messages.put_nowait(message)
        if message.get("more_body", False):
            self._wanted.clear()
            await self._wanted.wait()
            if self._disconnected.is_set():
                raise Disconnected("The client has disconnected.")


class BlockingBody:
    """The body of a response for code that is not async: an iterable as a WSGI application returns it."""

    def __init__(self, call: AsgiCall, loop: LoopThread) -> None:
        self._call = call
        self._loop = loop

    def __iter__(self) -> BlockingBody:
        return self

    def __next__(self) -> bytes:
        chunk = self._loop.run(self._call.next_chunk())
        if not chunk:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Disconnect, unless the response is complete."""
        self._loop.run(self._call.close())


def run_asgi_app(
    application: ASGIApplication, environ: WSGIEnvironment, loop: LoopThread, buffered: bool = False
) -> tuple[Iterable[bytes], str, Headers]:
    """Call an ASGI application once on `loop`; return its body, its status line and its headers.

    The counterpart of `run_wsgi_app`: an error before the first chunk is raised here, the caller closes a body that
    has ``close``, and with `buffered` the body is a list.
    """
    call = loop.run(_begun(application, environ))
    if buffered or call.complete:
        return loop.run(call.read()), call.status, call.headers
    return BlockingBody(call, loop), call.status, call.headers


async def _begun(application: ASGIApplication, environ: WSGIEnvironment) -> AsgiCall:
    call = AsgiCall(application, environ)
    await call.begin()
    return call
