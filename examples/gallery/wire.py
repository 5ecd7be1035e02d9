"""Distributes messages to all visitors: the last messages and the following ones, in memory or through Redis.

Each process keeps the last messages, and wakes the tasks that wait for the next one. A `Wire` has only the messages of
its own process. A `RedisWire` publishes to streams in Redis, and every process reads those streams, so a visitor may be
connected to any process.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import re
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from click import ClickException

from costrel import Costrel, current_app

KEEP = 50
"""The number of earlier messages of each channel that a new visitor gets."""

BEGINNING = "0-0"
IDENTIFIER = re.compile(r"[0-9]{1,15}-[0-9]{1,9}", re.ASCII)
PREFIX = "gallery:"
REDIS_TIMEOUT = 1.0
READ_AGAIN = 5.0
NO_REDIS = "REDIS_URL needs the package redis: pip install 'costrel[redis]', or in a checkout pip install '.[redis]'."

log = logging.getLogger(__name__)


class Unreachable(Exception):
    """Raised by `publish` if the message could not be delivered."""


class Message(NamedTuple):
    """One message. Later messages have a greater `order`."""

    id: str
    data: dict[str, Any]

    @property
    def order(self) -> tuple[int, ...]:
        return order(self.id)


def order(identifier: str) -> tuple[int, ...]:
    """The sort key of an identifier."""
    return tuple(map(int, identifier.split("-")))


def known(identifier: str | None) -> str | None:
    """The identifier that a client sent back, or None if it is not a valid one."""
    return identifier if identifier and IDENTIFIER.fullmatch(identifier) else None


class Channel:
    """The last messages of one kind, and the following ones, for any thread and any event loop.

    Slow readers delay no other reader: if `KEEP` messages arrive in between, they miss the oldest.
    """

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=KEEP)
        self._waiting: set[asyncio.Future[None]] = set()
        self._lock = threading.Lock()

    @property
    def position(self) -> str:
        """The identifier of the last message."""
        with self._lock:
            return self._messages[-1].id if self._messages else BEGINNING

    def add(self, message: Message) -> None:
        """Add a message, and wake the tasks that wait for it."""
        with self._lock:
            self._messages.append(message)
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            with suppress(RuntimeError):  # its loop was closed meanwhile
                future.get_loop().call_soon_threadsafe(wake, future)

    async def listen(self, after: str = BEGINNING) -> AsyncIterator[Message]:
        """Yield the messages after the identifier `after`, without end."""
        seen = order(after)
        while True:
            new, future = self._after(seen)
            if future is not None:
                await future
            for message in new:
                seen = message.order
                yield message

    def _after(self, seen: tuple[int, ...]) -> tuple[list[Message], asyncio.Future[None] | None]:
        """The new messages, or a future to wait for. Both under one lock, so that no message is missed in between."""
        with self._lock:
            new = [message for message in self._messages if message.order > seen]
            if new:
                return new, None
            future = asyncio.get_running_loop().create_future()
            self._waiting = {other for other in self._waiting if not other.done()} | {future}
            return new, future


def wake(future: asyncio.Future[None]) -> None:
    """Wake the task that waits, unless it has been cancelled."""
    if not future.done():
        future.set_result(None)


class Wire:
    """The channels of one process."""

    reach = "This gallery runs without Redis: chat and feed reach the visitors of one process only."

    def __init__(self, *names: str) -> None:
        self.channels = {name: Channel() for name in names}
        self.serving = False
        self._identifiers = (f"{time.time_ns() // 1_000_000}-{number}" for number in itertools.count())
        self._lock = threading.Lock()

    def publish(self, name: str, data: dict[str, Any]) -> None:
        """Publish a message to a channel. Blocks, so call it from a thread. Raises Unreachable."""
        with self._lock:
            self.channels[name].add(Message(next(self._identifiers), data))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """The context in which a worker of a server runs."""
        log.warning("REDIS_URL is not set: chat and feed reach the visitors of this one process only.")
        self.serving = True
        yield
        self.serving = False


class RedisWire(Wire):
    """The channels of all processes that use one Redis. While it is down, publishing fails and no message is lost."""

    reach = ""

    def __init__(self, url: str, *names: str) -> None:
        super().__init__(*names)
        try:
            import redis  # required only if REDIS_URL is set
            import redis.asyncio
        except ModuleNotFoundError as error:
            raise ClickException(NO_REDIS) from error  # costrel's commands print it on one line

        self._host = urlsplit(url).hostname
        self._error = redis.RedisError
        options: dict[str, Any] = {"decode_responses": True, "protocol": 2, "socket_connect_timeout": REDIS_TIMEOUT}
        self._sender = redis.Redis.from_url(url, socket_timeout=REDIS_TIMEOUT, retry=once(), **options)
        self._reader = redis.asyncio.Redis.from_url(url, socket_timeout=2 * READ_AGAIN, **options)

    def publish(self, name: str, data: dict[str, Any]) -> None:
        try:
            self._sender.xadd(PREFIX + name, {"data": json.dumps(data)}, maxlen=KEEP, approximate=True)
        except self._error as error:
            raise Unreachable(f"Redis at {self._host} does not answer: {error}") from error

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        reading = asyncio.create_task(self._read())
        self.serving = True
        try:
            yield
        finally:
            self.serving = False
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
            await self._reader.aclose()
            self._sender.close()

    async def _read(self) -> None:
        """Copy the published messages, and retry every second while Redis does not answer."""
        positions: dict[Any, Any] = {PREFIX + name: BEGINNING for name in self.channels}
        down = False
        while True:
            try:
                answer: Any = await self._reader.xread(positions, block=int(READ_AGAIN * 1000))
            except self._error as error:
                if not down:
                    log.warning("Redis at %s does not answer, chat and feed wait for it: %s", self._host, error)
                down = True
                await asyncio.sleep(1)
                continue
            if down:
                log.warning("Redis at %s answers again.", self._host)
                down = False
            for stream, entries in answer:
                for identifier, fields in entries:
                    positions[stream] = identifier
                    self.channels[stream.removeprefix(PREFIX)].add(Message(identifier, json.loads(fields["data"])))


def once() -> Any:
    """Retry once, immediately: after a restart of Redis, old connections are dead."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Retry(NoBackoff(), 1)


def init_app(app: Costrel) -> None:
    """Set up the wire according to the setting `REDIS_URL`."""
    url = app.config["REDIS_URL"]
    names = ("chat", "feed")
    wire = RedisWire(url, *names) if url else Wire(*names)
    app.extensions["wire"] = wire

    @app.while_serving
    async def connected() -> AsyncIterator[None]:
        async with wire.connected():
            yield


def get() -> Wire:
    """The wire of the current application."""
    wire: Wire = current_app.extensions["wire"]
    return wire
