"""A response as ASGI messages: status and headers once, then the body as it comes."""

from __future__ import annotations

import asyncio
import typing as t
from asyncio import FIRST_COMPLETED
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Iterator
from contextvars import Context

from ..app.late_changes import watch
from ..app.lifecycle import conclude
from ..app.mounts import AsgiCall
from ..context import RequestContext
from ..http.framing import has_no_body
from ..http.gate import check_status, check_status_line, encode_fields
from ..messages.body import EdgeBody, FileBody
from ..messages.compressed import CompressedAsyncIterable, CompressedIterable
from ..messages.response import EXITS, WRITERS, Response
from ..messages.response_head import STATUS_LINES
from ..messages.source import environ_of
from ..messages.streams import FileWrapper, RangeWrapper
from ..support.asgi_types import Receive, Scope, Send
from ..support.tasks import released, start_held
from .bodies import Body
from .compressed import send_compressed
from .file_blocks import InThread, is_on_disk, send_file_body
from .scope import ANSWERED, DIRECT, ECHO
from .time_slices import TimeSlice
from .unsent import WHOLE, Unsent, in_blocks, size_in_memory, unsent_of
from .whole_body import WholeBody

Messages = tuple[dict[str, t.Any], dict[str, t.Any]]
"""Status and headers, and the whole body."""

_END: t.Final = object()


def answer_of(ctx: RequestContext, response: t.Any) -> Messages | Answer | AsgiCall:
    """The form of `response` that goes to the server: two messages if its body is complete, else an `Answer`.

    The call of a mounted application stays what it is.
    """
    source = ctx.request._source
    if ctx.outlives:
        response = conclude(ctx, response)
    if not isinstance(response, Response):
        if isinstance(response, AsgiCall):
            return response
        return Answer.of_wsgi(response, environ_of(source))
    status = response._status_code  # read first: `EXITS.replaced` makes later reads slower
    piece, pairs = response._sent(source)
    replaced = EXITS.replaced(response)
    if replaced:
        if not WRITERS.isdisjoint(replaced) and not hasattr(response.response, "__aiter__"):
            # A response that writes itself out in its own way is called as the WSGI application that it is.
            return Answer.of_wsgi(response, environ_of(source))
        piece, pairs = None, response._headers_by(replaced, source, pairs)
        status = response._status_code
    if status not in STATUS_LINES:
        check_status(status)
    headers = encode_fields(pairs)
    if piece is None or len(piece) > WHOLE:
        watch(ctx, response)
        body, close = response.body_for_edge(source, replaced)
        answer = Answer(status, headers, in_blocks(body), close, source["REQUEST_METHOD"])
        if isinstance(answer.body, FileBody):
            # Here, in the thread of the view: the loop may be late, and memory fills meanwhile.
            answer.reserve(unsent_of(ctx.app))
        return answer
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": piece},
    )


def add_echo(headers: list[tuple[bytes, bytes]], scope: Scope) -> None:
    """Add the header that the server of `scope` asks for, unless the answer has a header of that name."""
    echo = scope.get(ECHO)
    if echo is not None:
        wanted = echo[0]
        for name, _ in headers:
            if name == wanted:
                return
        headers.append(echo)


def sender_of(messages: Messages, scope: Scope, send: Send) -> Send:
    """Return the function that sends a complete response: `send`, or a shorter way that the server offers."""
    add_echo(messages[0]["headers"], scope)
    direct: tuple[Send, Send] | None = scope.get(DIRECT)
    if direct is None or direct[0] is not send:  # middleware replaces `send` by its own
        return send
    scope[ANSWERED] = messages
    return direct[1]


class Answer:
    """The answer to one request. `body` is complete, or an iterable or asynchronous iterable of chunks.

    `close` is called in a thread when the body was sent, or could not be.
    """

    def __init__(
        self,
        status: int,
        headers: list[tuple[bytes, bytes]],
        body: EdgeBody,
        close: Callable[[], object] | None = None,
        method: str = "GET",
    ) -> None:
        self.status = status
        self.method = method
        self.headers = headers
        self.body = body
        self.close = close
        self.is_refused = False
        """Whether there is no room for the body, and the response becomes a 503."""
        self._release: Callable[[], object] | None = None
        self.may_block = _may_block(body)
        """Whether computing the body may block its thread for any time, as a generator can."""

    @classmethod
    def of_wsgi(cls, app: Callable[..., t.Any], environ: dict[str, t.Any]) -> Answer:
        """The answer of a WSGI application, called here (PEP 3333).

        Raises RuntimeError if it starts none, and ValueError for a header with a control character.
        """
        started: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: t.Any = None) -> t.Any:
            started[:] = [(status, headers)]
            return written.append

        body = app(environ, start_response)
        close = getattr(body, "close", None)
        try:
            chunks = iter(body)
            # An application may call start_response as late as before its first chunk.
            while not started and (chunk := next(chunks, None)) is not None:
                written.append(chunk)
            if not started:
                raise RuntimeError(f"The WSGI application {app!r} ended without calling start_response().")
            status, headers = started[0]
            code = check_status_line(status)
            answer = cls(code, encode_fields(headers), _chain(written, chunks), close, environ["REQUEST_METHOD"])
            answer.may_block = _may_block(body)
            return answer
        except BaseException:
            if close is not None:
                close()
            raise

    def reserve(self, unsent: Unsent) -> None:
        """Count the body until `release` if it is large and waits in memory. Without room, drop it: `is_refused`."""
        size = size_in_memory(self.body)
        if not size:
            return
        self._release = unsent.hold(self, size)
        if self._release is None:
            self.is_refused = True
            self.body = b""

    def release(self) -> None:
        """Drop the body, if it is counted. It was sent, or will not be."""
        if self._release is not None:
            self.body = b""
            self._release()

    @property
    def expected(self) -> int | None:
        """The bytes of body that the headers announce (RFC 9110 §8.6); None if they say nothing, or no body follows."""
        if has_no_body(self.status, self.method):
            return None
        for name, value in self.headers:
            if name == b"content-length" and value.isdigit():
                return int(value)
        return None

    async def send(
        self,
        send: Send,
        in_thread: InThread,
        disconnect: DisconnectWait | None = None,
        variables: Context | None = None,
    ) -> None:
        """Send it all; a client that leaves meanwhile, as `disconnect` reports, ends it.

        An asynchronous body runs in these context variables, or in a copy of the current ones.

        An error half-way leaves the body without its end, so that the client can tell. So does a body that is not as
        long as its Content-Length: that raises WrongLength.
        """
        expected = self.expected
        if expected is not None:
            send = _counted(send, expected)
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
            if isinstance(self.body, bytes):
                await send({"type": "http.response.body", "body": self.body})
            else:
                await self._send_chunks(send, in_thread, disconnect, variables)
        finally:
            if self.close is not None:
                await in_thread(self.close)

    async def _send_chunks(
        self, send: Send, in_thread: InThread, disconnect: DisconnectWait | None, variables: Context | None
    ) -> None:
        if isinstance(self.body, CompressedAsyncIterable):
            await _until_client_leaves(send_compressed(send, in_thread, self.body), disconnect, variables)
            return
        if isinstance(self.body, AsyncIterable):
            await _until_client_leaves(self._send_async(send, self.body), disconnect, variables)
            return
        if isinstance(self.body, CompressedIterable):
            sending = send_compressed(send, in_thread, self.body)
        elif isinstance(self.body, FileBody):
            sending = send_file_body(send, in_thread, self.body)
        else:
            sending = self._send_sync(send, in_thread, t.cast("Iterable[bytes]", self.body))
        await _until_client_leaves(sending, disconnect)

    async def _send_async(self, send: Send, body: AsyncIterable[bytes]) -> None:
        iterator = body.__aiter__()
        time_slice = TimeSlice()
        try:
            async for chunk in iterator:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await time_slice.give_way()
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()
        await send({"type": "http.response.body", "body": b""})

    async def _send_sync(self, send: Send, in_thread: InThread, body: Iterable[bytes]) -> None:
        iterator: Iterator[bytes] = iter(body)
        while True:
            # If this is cancelled, the thread must leave the generator before that can be closed.
            chunk = await in_thread(lambda: next(iterator, _END))
            if chunk is _END:
                break
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _may_block(body: object) -> bool:
    """Whether a body may block its thread: bytes, files on a disk and asynchronous iterables do not."""
    if isinstance(body, (FileBody, FileWrapper)):
        return not is_on_disk(body.file)
    if isinstance(body, RangeWrapper):
        return _may_block(body.iterable)
    return not isinstance(body, (bytes, list, tuple, AsyncIterable, WholeBody))


def _chain(first: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from first
    yield from rest


class WrongLength(RuntimeError):
    """Raised if the length of a body differs from the Content-Length of its response."""


def _counted(send: Send, expected: int) -> Send:
    """`send`, which passes on exactly the announced number of bytes, and no earlier end."""
    sent = 0

    async def counting(message: t.MutableMapping[str, t.Any]) -> None:
        nonlocal sent
        if message["type"] == "http.response.body":
            body = message["body"]
            room = expected - sent
            sent += len(body)
            if sent > expected:
                await send({"type": "http.response.body", "body": body[:room], "more_body": True})
                raise WrongLength(
                    f"The body is longer than its Content-Length of {expected} bytes: the rest is cut off."
                )
            if sent < expected and not message.get("more_body", False):
                if body:
                    await send({**message, "more_body": True})
                raise WrongLength(f"The body ended after {sent} bytes of the {expected} that its Content-Length says.")
        await send(message)

    return counting


class DisconnectWait:
    """Waits for the client to leave. The server reports that after the body of the request, or instead of its rest."""

    def __init__(self, receive: Receive, body: Body | None = None) -> None:
        self._receive = receive
        self._body = body
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> asyncio.Task[None]:
        """The task that ends when the client has left."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._wait())
        return self._task

    @property
    def is_over(self) -> bool:
        """Whether the client has left."""
        return self._task is not None and self._task.done()

    async def _wait(self) -> None:
        if self._body is not None:
            await self._body.until_client_leaves()
            if not self._body.complete:
                return
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def stop(self) -> None:
        """Stop waiting."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


async def _until_client_leaves(
    sending: Coroutine[t.Any, t.Any, None], disconnect: DisconnectWait | None, variables: Context | None = None
) -> None:
    """Run `sending` to its end, or cancel it when the client has gone."""
    task = start_held(sending, variables)
    try:
        await asyncio.wait([task] if disconnect is None else [task, disconnect.begin()], return_when=FIRST_COMPLETED)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
    if not task.cancelled():
        released(task.result())
