"""The body of an ASGI request as ``wsgi.input``: complete in memory if small, otherwise received while it is read.

The bytes are counted against Content-Length on every server. If the client leaves before it has sent all of them, a
read raises ClientDisconnected, so that no view takes a part for the whole.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
import threading
import typing as t
from collections import deque
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from io import BytesIO, RawIOBase
from queue import SimpleQueue
from types import CoroutineType

from ..http.errors import BodyTimeout, ClientDisconnected, RequestEntityTooLarge
from ..http.framing import parse_content_length
from ..messages.forms import DISK_FULL, InsufficientStorage
from ..messages.source import hot
from ..support.asgi_types import Receive
from .drive import rest_of
from .threads import waiting_for_client
from .timeouts import BODY_MIN_RATE, Timeouts, Wait, given_up

IN_MEMORY: t.Final = 64 * 1024
"""The number of bytes that are read before the view starts."""

AHEAD: t.Final = 512 * 1024
"""The maximum number of bytes that wait for a reading thread. No more are received until it has taken all of them."""

_ALL_THERE_IS: t.Final = 1024 * 1024

SPOOL_IN_MEMORY: t.Final = 500_000
"""The number of bytes of a spooled body that stay in memory. A longer body goes to a temporary file."""


_LOOK: t.Final = 0.5
"""The interval of the checks of a body that may have no reader, in seconds."""

_ENDLESS: t.Final = Timeouts(None)

_beginning: t.Final = threading.Lock()
"""Held while receiving begins, since a loop and a thread may both want to begin it."""


class BodyWait(Wait):
    """The waits for one body, added up, so that a byte now and then does not occupy a worker for hours."""

    def __init__(self, min_rate: float) -> None:
        self.min_rate = min_rate
        self.received = 0
        self.is_ahead = False
        """Whether nothing reads the bytes yet. The time does not count then."""
        self._altogether = 0.0

    def is_over(self, limit: float, seconds: float) -> bool:
        """Whether nothing came for `limit` seconds, or less than the minimum rate allows beyond them."""
        if self.is_ahead:
            return False
        self._altogether += seconds
        allowed = limit + self.received / self.min_rate if self.min_rate else math.inf
        return super().is_over(limit, seconds) or self._altogether > allowed


class Body(RawIOBase):
    """The bytes of one request's body, in the order of their arrival.

    `timeouts` limits the waits for the client: if the bytes stop, or come too slowly, reads raise BodyTimeout. After a
    thread has read more than had arrived, a task on the loop receives up to AHEAD bytes in advance.
    """

    def __init__(
        self,
        environ: dict[str, t.Any],
        receive: Receive,
        timeouts: Timeouts = _ENDLESS,
        min_rate: float = BODY_MIN_RATE,
    ) -> None:
        self._receive = receive
        self._timeouts = timeouts
        self._min_rate = min_rate
        self.wait: BodyWait | None = None
        """Exists after the first wait for the client."""
        # None if it is no number, which the request reports (RFC 9110 §8.6).
        self._expected = parse_content_length(hot(environ, "CONTENT_LENGTH", ""))
        # A length beside a coding means nothing (RFC 9112 §6.3).
        self._ends_at = self._expected if hot(environ, "HTTP_TRANSFER_ENCODING") is None else None
        self._received = self._taken = 0
        self._arrived: deque[bytes] = deque()
        self._chunk = b""
        """The chunk that is being read, from `_position` on."""
        self._position = 0
        self._spooled: t.IO[bytes] | None = None
        self._loop = asyncio.get_running_loop()
        self._begun: t.Any = None
        """The first message, if it was requested before this object existed."""
        self._ahead: ReadAhead | None = None
        self._is_asked_for = False
        """Whether a task waits for the server's next message."""
        self._is_lost = False
        """Whether the rest is dropped, since it had no reader for too long while the answer was sent."""
        self._is_told = False
        """Whether a reader was told that the client has left."""
        self.is_answered = False
        """Whether the answer is being sent."""
        self.complete = self._ends_at == 0
        self.cut_off = self.client_left = False

    @property
    def has_stalled(self) -> bool:
        """Whether the bytes stopped, or came too slowly."""
        return self.wait is not None and self.wait.stalled

    @property
    def has_ended(self) -> bool:
        """Whether no more bytes will come."""
        return self.complete or self.cut_off

    @property
    def arrives_here(self) -> bool:
        """Whether `next_chunk` can be awaited here: on the loop of the server, and not on the loop of a thread."""
        return asyncio._get_running_loop() is self._loop

    @property
    def unread(self) -> int:
        """The number of bytes that have arrived and that no reader has begun."""
        return self._received - self._taken

    async def begin(self, limit: int | None = None) -> None:
        """Read a small body completely before the view starts.

        If the length is above `limit`, read nothing: the reader refuses the body before it is sent.
        """
        if self._is_above(limit):
            return
        while not self.complete and not self.cut_off and self._received < IN_MEMORY:
            await self.pull()

    async def spool(self, limit: int | None) -> None:
        """Read the rest into memory or a temporary file, for a view on the loop, which must not block in a read.

        Stops above `limit` bytes, and the reader of the stream refuses the body then. Raises InsufficientStorage if
        the disk is full.
        """
        if self._spooled is not None or self.has_ended or self._is_above(limit):
            return
        self._spooled = spooled = t.cast(
            "t.IO[bytes]",
            tempfile.SpooledTemporaryFile(SPOOL_IN_MEMORY),  # noqa: SIM115 - closed with the body
        )
        try:
            while True:
                while chunk := self._take(_ALL_THERE_IS):
                    spooled.write(chunk)
                if self.has_ended or (limit is not None and self._received > limit):
                    break
                await self._arrival()
            spooled.seek(0)
        except OSError as error:
            self._let_go()
            self.cut_off = True  # a reader must not take it for the whole
            if error.errno in DISK_FULL:
                raise InsufficientStorage() from error
            raise

    async def next_chunk(self) -> bytes:
        """The bytes that have arrived and were not read; b"" at the end. Raises ClientDisconnected if cut off."""
        if self._spooled is not None:
            return self._spooled.read(IN_MEMORY) or self._at_end()
        while not self._chunk and not self._arrived and not self.has_ended:
            self._check_not_lost()
            await self._arrival()
        return self._take(_ALL_THERE_IS) or self._at_end()

    def _is_above(self, limit: int | None) -> bool:
        return limit is not None and self._expected is not None and self._expected > limit

    async def _arrival(self) -> None:
        """Wait until more bytes, or the end, have arrived. Runs on the loop."""
        if self._ahead is None or self._ahead.is_over:
            await self.pull()
        else:
            await self._ahead.arrival()

    def waiting(self) -> BodyWait:
        """The waits for its client."""
        if self.wait is None:
            self.wait = BodyWait(self._min_rate)
            self.wait.received = self._received
        return self.wait

    async def pull(self) -> None:
        """Receive one message. Runs on the loop."""
        receiving, self._begun = self._begun or self._receive(), None
        message: t.Any
        if type(receiving) is CoroutineType:
            # PERF: form, postjson, upload. A small body has arrived with the head: no wait is needed.
            try:
                awaited = receiving.send(None)
            except StopIteration as stop:
                message = stop.value
            else:
                message = await self._wait_for(rest_of(receiving, awaited))
        else:
            message = await self._wait_for(receiving)
        if message is None or message["type"] == "http.disconnect":
            self.cut_off, self.client_left = True, message is not None
            return
        chunk = message.get("body", b"")
        if self._ends_at is not None and len(chunk) >= self._ends_at - self._received:
            # Granian ends a body with a message of its own, which would cost one more call for each body.
            chunk = chunk[: self._ends_at - self._received]
            self.complete = True
        if chunk:
            if not self._is_lost:
                self._arrived.append(bytes(chunk))
            self._received += len(chunk)
            if self.wait is not None:
                self.wait.received = self._received
        if not self.complete and not message.get("more_body", False):
            self.complete = True
            self.cut_off = self._expected is not None and self._received < self._expected

    async def _wait_for(
        self, receiving: Awaitable[t.MutableMapping[str, t.Any]]
    ) -> t.MutableMapping[str, t.Any] | None:
        """The next message; None if the wait for the client has timed out."""
        wait = self.waiting()
        self._timeouts.begin(wait)
        self._is_asked_for = True
        try:
            return await receiving
        except asyncio.CancelledError:
            if not given_up(wait):
                raise
            return None
        finally:
            self._is_asked_for = False
            self._timeouts.end(wait)

    async def until_client_leaves(self) -> None:
        """Wait until the client has left too early, or has sent the whole body.

        A reader notices that by itself. Without a reader, up to AHEAD bytes are received here, and the rest waits. If
        no reader begins within the time limit of a client, and the answer is being sent, the rest is dropped: a stream
        that has lost its client must not wait for it.
        """
        unread_for = 0.0
        while not self.complete and not (self.client_left and (self.is_answered or not self._is_told)):
            if self.has_stalled and self.cut_off:  # its wait has timed out, and it may still leave
                self.client_left = (await self._receive())["type"] == "http.disconnect"
                continue
            received = self._received
            await asyncio.sleep(_LOOK)
            if self._ahead is None and not self.has_ended and not self._is_asked_for and self._received == received:
                self._look_ahead()
            if self.is_answered and not self._taken and self.unread >= AHEAD:
                unread_for += _LOOK
                limit = self._timeouts.limit
                if limit is not None and unread_for > limit:
                    self._is_lost = True
                    if self._ahead is not None:
                        self._ahead.go_on()

    def take_whole(self, size: int) -> bytes | None:
        """The whole body, if it has arrived, has exactly this size, and no reader has begun it; otherwise None."""
        if not self.complete or self.cut_off or self._taken or self._received != size or self._spooled is not None:
            return None
        arrived = self._arrived
        whole = arrived[0] if len(arrived) == 1 else b"".join(arrived)
        arrived.clear()
        self._taken = size
        return whole

    def _take(self, size: int) -> bytes:
        """Up to `size` bytes that have arrived, with small chunks joined; b"" if there are none."""
        piece = self._take_piece(size)
        enough = min(size, IN_MEMORY)
        if len(piece) >= enough or not self._arrived:
            return piece
        pieces, number = [piece], len(piece)
        while number < enough and self._arrived:
            pieces.append(self._take_piece(size - number))
            number += len(pieces[-1])
        return b"".join(pieces)

    def _take_piece(self, size: int) -> bytes:
        """Up to `size` bytes of one chunk: the current one, or the next."""
        chunk, position = self._chunk, self._position
        if not chunk:
            if not self._arrived:
                return b""
            chunk, position = self._arrived.popleft(), 0
            self._taken += len(chunk)
            if self._ahead is not None:
                self._ahead.make_room()
        if len(chunk) - position <= size:
            self._chunk, self._position = b"", 0
            return chunk[position:]
        self._chunk, self._position = chunk, position + size
        return chunk[position : position + size]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes that have arrived, and wait for the first; all, if `size` is negative or None."""
        if size is None or size < 0:
            return self.readall()
        if self._spooled is not None:
            return self._spooled.read(size) or (self._at_end() if size else b"")
        if not size:
            return b""
        while not (data := self._take(size)):
            if self.has_ended and not self._arrived:
                return self._at_end()
            self._check_not_lost()
            self._wait_in_thread()
        return data

    def readall(self) -> bytes:
        """Read all the rest."""
        pieces = []
        while piece := self.read(_ALL_THERE_IS):
            pieces.append(piece)
        return b"".join(pieces)

    def _check_not_lost(self) -> None:
        if self._is_lost:
            raise RuntimeError(
                f"The body of this request was not read for {self._timeouts.limit:g} seconds while its answer was sent"
                " (BODY_TIMEOUT): the rest was dropped. Read it before the answer, or while it is sent."
            )

    def _at_end(self) -> bytes:
        self._check_not_lost()
        if self.has_stalled:
            raise BodyTimeout()
        if self.cut_off:
            self._is_told = self.client_left
            raise ClientDisconnected()
        if not self.complete:  # the rest is too large, and was not received
            raise RequestEntityTooLarge()
        return b""

    def _wait_in_thread(self) -> None:
        """Wait until more bytes, or the end, have arrived. Runs in a thread."""
        if asyncio._get_running_loop() is self._loop:
            raise RuntimeError(
                "The body of this request has not arrived yet, and the server's loop must not wait for it. A view of a"
                " route with 'stream_body' reads it by 'async for chunk in request.chunks()'."
            )
        with waiting_for_client():
            self._look_ahead().wait()

    def _look_ahead(self) -> ReadAhead:
        """The task that receives the body in advance. The first thread that needs it, or the loop, begins it."""
        with _beginning:
            if self._ahead is None:
                self._ahead = ReadAhead(self, self._loop)
            return self._ahead

    def close(self) -> None:
        """Close the temporary file, and receive no more."""
        if self._ahead is not None:
            self._ahead.stop()
        if isinstance(self._begun, Coroutine):
            self._begun.close()
        self._let_go()
        super().close()

    def _let_go(self) -> None:
        if self._spooled is not None:
            with suppress(OSError):  # a full disk does not take the rest
                self._spooled.close()
            self._spooled = None


class ReadAhead:
    """Receives a body on the loop for a thread that reads it, which saves a way to the loop and back for each chunk."""

    # PERF: bodies (upload). One side writes each variable. A side that waits first says so, and then looks once more
    # for the bytes or the room; the other side first provides them, and then looks whether the first is waiting.

    def __init__(self, body: Body, loop: asyncio.AbstractEventLoop) -> None:
        self._body = body
        self._wait = body.waiting()
        self._wait.is_ahead = True
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        self._is_waited_for = False
        self._arrivals: SimpleQueue[None] = SimpleQueue()
        self._on_loop: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._failure: BaseException | None = None
        self.is_over = False
        """Whether it has stopped."""
        loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._pull_on())

    async def _pull_on(self) -> None:
        body = self._body
        try:
            while not body.has_ended:
                if body.unread >= AHEAD and not body._is_lost:
                    await self._until_there_is_room()
                await body.pull()
                self._tell()
        except BaseException as error:
            body.cut_off = True
            if isinstance(error, asyncio.CancelledError):
                raise
            self._failure = error
        finally:
            self.is_over = True
            self._tell()

    def _tell(self) -> None:
        """Wake the waiting reader."""
        if self._is_waited_for:
            self._is_waited_for = False
            self._arrivals.put(None)
        if self._on_loop is not None and not self._on_loop.done():
            self._on_loop.set_result(None)

    def wait(self) -> None:
        """Wait until bytes may have arrived; raises the error that came instead. Runs in the thread."""
        self._is_waited_for = True
        if not self._body.unread and not self.is_over:
            self._wait.is_ahead = False
            self._arrivals.get()
            self._wait.is_ahead = True
        if self._failure is not None and not self._body.unread:
            raise self._failure

    async def arrival(self) -> None:
        """Wait until bytes, or the end, have arrived. Runs on the loop."""
        self._on_loop = self._loop.create_future()
        self._wait.is_ahead = False
        try:
            await self._on_loop
        finally:
            self._wait.is_ahead = True

    async def _until_there_is_room(self) -> None:
        # Wait until all bytes were taken: waking the loop for each chunk costs a third more.
        self._room = room = self._loop.create_future()
        if self._body.unread:
            await room
        self._room = None

    def make_room(self) -> None:
        """A reader has taken bytes. Runs in any thread."""
        room = self._room
        if room is not None and not self._body.unread:
            self._room = None
            with suppress(RuntimeError):  # the loop was closed
                self._loop.call_soon_threadsafe(_settle, room)

    def go_on(self) -> None:
        """Stop waiting for a reader, since the body is dropped. Runs on the loop."""
        if self._room is not None:
            _settle(self._room)

    def stop(self) -> None:
        """Receive no more. Runs on the loop."""
        if self._task is not None:
            self._task.cancel()


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def take_body(environ: dict[str, t.Any], receive: Receive, timeouts: Timeouts, min_rate: float) -> Body | None:
    """Set ``wsgi.input`` in the environ of a request with a body. Returns None if the whole body had arrived."""
    length = parse_content_length(hot(environ, "CONTENT_LENGTH", ""))
    begun: t.Any = None
    # PERF: form, postjson, upload. A small body has nearly always arrived with the head, in one message.
    if length is not None and 0 < length <= IN_MEMORY and hot(environ, "HTTP_TRANSFER_ENCODING") is None:
        begun = receive()
        if type(begun) is CoroutineType:
            try:
                begun = rest_of(begun, begun.send(None))
            except StopIteration as stop:
                message = stop.value
                arrived = message.get("body", b"")
                if len(arrived) == length:
                    environ["wsgi.input"] = BytesIO(arrived)
                    return None
                begun = _given(message)
    body = environ["wsgi.input"] = Body(environ, receive, timeouts, min_rate)
    body._begun = begun
    return body


async def _given(message: t.MutableMapping[str, t.Any]) -> t.MutableMapping[str, t.Any]:
    return message
