"""Server-sent events: a response that stays open and sends events as they occur (WHATWG HTML §9.2)."""

from __future__ import annotations

import asyncio
import json
import re
import typing as t
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from . import context
from .app.response import Response
from .support.closing import call_aclose, call_close
from .support.tasks import released, start_held

_LINE_END = re.compile(r"\r\n|\r|\n")
_KEEP_ALIVE: t.Final = ": keep-alive\n\n"
_SILENCE: t.Final = object()
_NO_DATA: t.Final = object()

Encode = Callable[[object], str]


@dataclass(frozen=True)
class ServerSentEvent:
    """One event. `data` is sent as it is if it is a string, otherwise as JSON; it may be left out.

    `event` is the name for ``addEventListener`` in the browser. When the browser reconnects, it sends `id` in the
    header ``Last-Event-ID``; `retry` is the delay before that, in milliseconds. Raises ValueError if `event` or `id`
    contains a line break or NUL, or if `retry` is not a non-negative int.
    """

    data: object = _NO_DATA
    event: str | None = None
    id: str | None = None
    retry: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("event", self.event), ("id", self.id)):
            if value is not None and (_LINE_END.search(value) or "\0" in value):
                raise ValueError(f"The {name} of an event must be one line of text without NUL, not {value!r}.")
        if self.retry is not None and (type(self.retry) is not int or self.retry < 0):
            raise ValueError(f"'retry' must be a number of milliseconds, not {self.retry!r}.")

    def encode(self, dumps: Encode = json.dumps) -> str:
        """The text of the event in the stream. `dumps` serializes data that is not a string."""
        lines = [
            f"{name}: {value}"
            for name, value in (("event", self.event), ("id", self.id), ("retry", self.retry))
            if value is not None
        ]
        if self.data is not _NO_DATA:
            text = self.data if isinstance(self.data, str) else dumps(self.data)
            lines += [f"data: {line}" for line in _LINE_END.split(text)]
        return "\n".join(lines) + "\n\n"


def event_stream(
    events: Iterable[object] | AsyncIterable[object],
    *,
    keep_alive: float | None = 15.0,
    retry: int | None = None,
    dumps: Encode | None = None,
) -> Response:
    """A response that sends `events`: each is a `ServerSentEvent`, a string, or a value that `dumps` converts to JSON.

    Under ASGI, an async generator is closed within a second after the client disconnects, and a comment is sent after
    each `keep_alive` seconds without an event (None: never), so that proxies keep the connection open. A sync
    generator, and any generator under WSGI, occupies a thread, sends no comments, and is closed at its next event.

    `retry` is in milliseconds, as in `ServerSentEvent`. Raises TypeError if `events` is not iterable.
    """
    ctx = context.requesting()
    write = ctx.app.json.dumps if dumps is None else dumps  # looked up now, since the context ends before the stream

    def encode(item: object) -> str:
        return (item if isinstance(item, ServerSentEvent) else ServerSentEvent(item)).encode(write)

    first = "" if retry is None else ServerSentEvent(retry=retry).encode()
    body: Iterator[str] | AsyncIterator[str]
    if isinstance(events, AsyncIterable):
        body = _send_async(events, encode, first, keep_alive if ctx.sends_async else None)
    elif isinstance(events, Iterable) and not isinstance(events, (str, bytes, dict)):
        body = _send(iter(events), encode, first)
    else:
        raise TypeError(
            f"event_stream() takes an iterable of events, such as a generator, not {type(events).__name__}. Call the"
            " generator function and pass its result."
        )
    response = t.cast(Response, ctx.app.response_class(body, mimetype="text/event-stream"))
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"  # otherwise nginx buffers the events
    return response


def _send(events: Iterator[object], encode: Encode, first: str) -> Iterator[str]:
    try:
        if first:
            yield first
        for item in events:
            yield encode(item)
    finally:
        call_close(events)


async def _send_async(
    events: AsyncIterable[object], encode: Encode, first: str, keep_alive: float | None
) -> AsyncIterator[str]:
    iterator = events.__aiter__()
    try:
        if first:
            yield first
        if keep_alive is None:
            async for item in iterator:
                yield encode(item)
            return
        async for item in _with_silence(iterator, keep_alive):
            yield _KEEP_ALIVE if item is _SILENCE else encode(item)
    finally:
        await call_aclose(iterator)


async def _with_silence(iterator: AsyncIterator[object], seconds: float) -> AsyncIterator[object]:
    """The items, and _SILENCE after each `seconds` without an item.

    A single task runs the generator from start to end: a context manager that it keeps open over a ``yield``, such as
    ``asyncio.timeout``, belongs to one task.
    """
    items: asyncio.Queue[object] = asyncio.Queue(1)

    async def produce() -> None:
        async for item in iterator:
            await items.put(item)

    producer = start_held(produce())
    getter = asyncio.ensure_future(items.get())
    try:
        while True:
            done, _ = await asyncio.wait([getter, producer], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if getter in done:
                item, getter = getter.result(), asyncio.ensure_future(items.get())
                yield item
            elif producer in done:
                released(producer.result())  # raises an exception of the generator
                if items.empty():
                    return
            else:
                yield _SILENCE
    finally:
        getter.cancel()
        producer.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await producer
