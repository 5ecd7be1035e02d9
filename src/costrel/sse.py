"""Server-sent events: a response that stays open and sends events as they happen (WHATWG HTML §9.2)."""

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
from .support.tasks import released, start_held

_LINE_END = re.compile(r"\r\n|\r|\n")
_KEEP_ALIVE: t.Final = ": keep-alive\n\n"
_END: t.Final = object()

Encode = Callable[[t.Any], str]


@dataclass(frozen=True)
class ServerSentEvent:
    """One event. `data` that is no text is sent as JSON.

    `event` names the kind, for ``addEventListener`` in the browser; `id` comes back as the header ``Last-Event-ID``
    when the browser connects again; `retry` says after how many milliseconds it does. Raises ValueError for a line
    break or a NUL in `event` or `id`.
    """

    data: t.Any = None
    event: str | None = None
    id: str | None = None
    retry: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("event", self.event), ("id", self.id)):
            if value is not None and (_LINE_END.search(value) or "\0" in value):
                raise ValueError(f"The {name} of an event is one line of text without NUL, not {value!r}.")
        if self.retry is not None and (type(self.retry) is not int or self.retry < 0):
            raise ValueError(f"'retry' is a number of milliseconds, not {self.retry!r}.")

    def encode(self, dumps: Callable[[t.Any], str] = json.dumps) -> str:
        """The event as it is sent; `dumps` writes data that is no text."""
        lines = [
            f"{name}: {value}"
            for name, value in (("event", self.event), ("id", self.id), ("retry", self.retry))
            if value is not None
        ]
        if self.data is not None:
            text = self.data if isinstance(self.data, str) else dumps(self.data)
            lines += [f"data: {line}" for line in _LINE_END.split(text)]
        return "\n".join(lines) + "\n\n"


def event_stream(
    events: Iterable[t.Any] | AsyncIterable[t.Any], *, keep_alive: float | None = 15.0, retry: int | None = None
) -> Response:
    """A response that sends each of `events`: a `ServerSentEvent`, a text, or any other value as JSON.

    The generator ends when the client leaves: at its next event, or, an async generator under ASGI, within a second.
    There it also sends a comment after each `keep_alive` seconds of silence (None: never), so that proxies keep the
    connection. A sync generator, and any under WSGI, keeps a thread busy and sends no such comments.

    `retry` is in milliseconds, as in `ServerSentEvent`. Raises TypeError where `events` cannot be iterated.
    """
    ctx = context.requesting()
    dumps = ctx.app.json.dumps  # the events are written when the request's context is over

    def encode(item: t.Any) -> str:
        return (item if isinstance(item, ServerSentEvent) else ServerSentEvent(item)).encode(dumps)

    first = "" if retry is None else ServerSentEvent(retry=retry).encode()
    body: t.Any
    if isinstance(events, AsyncIterable):
        body = _send_async(events, encode, first, keep_alive if ctx.sends_async else None)
    elif isinstance(events, Iterable) and not isinstance(events, (str, bytes, dict)):
        body = _send(iter(events), encode, first)
    else:
        raise TypeError(
            f"event_stream() takes an iterable of events, such as a generator, not {type(events).__name__}: call the"
            " generator function, and give what it returns."
        )
    response: Response = ctx.app.response_class(body, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    return response


def _send(events: Iterator[t.Any], encode: Encode, first: str) -> Iterator[str]:
    try:
        if first:
            yield first
        for item in events:
            yield encode(item)
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()


async def _send_async(
    events: AsyncIterable[t.Any], encode: Encode, first: str, keep_alive: float | None
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
            yield _KEEP_ALIVE if item is _END else encode(item)
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


async def _with_silence(iterator: AsyncIterator[t.Any], seconds: float) -> AsyncIterator[t.Any]:
    """The items, and _END after each `seconds` without one.

    One task runs the generator from its first to its last step: what it holds over its yields, such as
    ``asyncio.timeout``, belongs to a task.
    """
    items: asyncio.Queue[t.Any] = asyncio.Queue(1)

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
                released(producer.result())  # raises what the generator raised
                if items.empty():
                    return
            else:
                yield _END
    finally:
        getter.cancel()
        producer.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await producer
