"""One line per request, with its status, time and size, for any ASGI application."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import typing as t
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache

from ..devtools.gates import QUIET
from ..http.framing import parse_content_length
from ..support.properties import cached_property
from . import terminal

Message = MutableMapping[str, t.Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


CLIENT_LEFT: t.Final = 499
"""What a log shows where the client has left before it was answered; nginx has it so, no client ever sees it."""


class RequestLog:
    """Passes requests on to `application`, and writes a line for each to `logger` when it has been answered."""

    def __init__(self, application: Application, logger: logging.Logger) -> None:
        self.application = application
        self.logger = logger
        self._running: dict[asyncio.Task[t.Any], Exchange] = {}
        self._ended: set[asyncio.Task[t.Any]] = set()

    def end_all(self) -> None:
        """End the requests in progress; what was begun of an answer is cut."""
        self._end(list(self._running))

    def end_streams(self) -> None:
        """End the requests whose answers have begun and go on."""
        self._end([task for task, exchange in self._running.items() if exchange.status])

    def _end(self, tasks: Iterable[asyncio.Task[t.Any]]) -> None:
        for task in tasks:
            self._ended.add(task)
            task.cancel()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        if scope["type"] not in ("http", "websocket"):
            await self.application(scope, receive, send)
            return
        exchange = Exchange(scope, send, self._write)
        task = asyncio.current_task()
        if task is not None:
            self._running[task] = exchange
            task.add_done_callback(self._forget)
        try:
            await self.application(scope, receive, exchange.send)
        except BaseException as error:
            exchange.failed = True
            # Of what was ended on purpose no traceback is wanted; the server cuts an answer that is not complete.
            if not isinstance(error, asyncio.CancelledError) or task not in self._ended:
                raise
        finally:
            exchange.end()

    def _write(self, exchange: Exchange) -> None:
        self.logger.info("%s", exchange.line(terminal.painter(sys.stderr)))

    def _forget(self, task: asyncio.Task[t.Any]) -> None:
        self._running.pop(task, None)
        self._ended.discard(task)


class Exchange:
    """What is known of one request and its answer; `write` is given it when its line is due."""

    status = 0
    size = 0
    complete = False
    failed = False
    """Whether the application has raised, or was ended."""
    _headers: Iterable[tuple[bytes, bytes]] = ()
    _written = False

    def __init__(self, scope: Message, send: Send, write: Callable[[t.Any], None] | None) -> None:
        self.scope = scope
        self._send = send
        self._write = write
        self._started = time.perf_counter()

    def send(self, message: Message) -> Awaitable[None]:
        """Note what a message says, and pass it on."""
        self.note(message)
        return self._send(message)

    def note(self, message: Message) -> None:
        """Note what a message of the answer says."""
        kind = message["type"]
        if kind in ("http.response.start", "websocket.http.response.start"):
            self.status = message["status"]
            self._headers = message.get("headers") or ()
        elif kind in ("http.response.body", "websocket.http.response.body"):
            self.size += len(message.get("body", b""))
            # A client that has what was announced may leave before the end is said.
            self.complete = not message.get("more_body", False) or self.size == self._announced
        elif kind == "http.response.pathsend":
            self.complete = True
        elif kind in ("websocket.accept", "websocket.close") and not self.status:
            # A connection may stay open for hours: its line comes when it is made or refused.
            self.status, self.complete = (101 if kind == "websocket.accept" else 403), True
            self.end()

    @cached_property
    def _announced(self) -> int | None:
        """The length that the headers announce."""
        return _content_length(self._headers)

    def end(self) -> None:
        """Have the line written, once."""
        if self._write is None or self._written or QUIET in self.scope:
            return
        self._written = True
        self._write(self)

    def line(self, paint: Callable[..., str]) -> str:
        """The line, in the common log format, with the time taken at its end."""
        scope = self.scope
        client = self.client()
        request = f"{scope.get('method', 'GET')} {terminal.readable(self.target())} HTTP/{scope['http_version']}"
        status = self.final_status()
        quoted = paint(f'"{request}"', *terminal.style_of_status(status))
        cut = "" if self.complete or not self.status else " cut off"
        return (
            f"{client} - - [{_clock(int(time.time()))}] {quoted} {status} {self.size} {_duration(self.seconds())}{cut}"
        )

    def final_status(self) -> int:
        """The status of the answer; where there is none, 500, or CLIENT_LEFT if nobody was there to get one."""
        return self.status or (500 if self.failed else CLIENT_LEFT)

    def client(self) -> str:
        """The address of the other end, or a dash where it has none, as on a Unix socket."""
        return (self.scope.get("client") or ("",))[0] or "-"

    def target(self) -> str:
        """The path and the query as they were asked for."""
        raw = self.scope.get("raw_path")
        path: str = self.scope["path"] if raw is None else raw.decode("latin-1")
        query: str = self.scope.get("query_string", b"").decode("latin-1")
        return f"{path}?{query}" if query else path

    def seconds(self) -> float:
        """The time since the request came."""
        return time.perf_counter() - self._started


@lru_cache(maxsize=1)
def _clock(second: int) -> str:
    return time.strftime("%d/%b/%Y %H:%M:%S", time.localtime(second))


def _content_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    found = [value for name, value in headers if name.lower() == b"content-length"]
    return parse_content_length(found[0].decode("latin-1")) if found else None


def _duration(seconds: float) -> str:
    return f"{seconds:.2f}s" if seconds >= 1 else f"{seconds * 1000:.1f}ms"
