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

AnyTask: t.TypeAlias = "asyncio.Task[t.Any]"

CLIENT_LEFT: t.Final = 499
"""The status in the log for a client that disconnected before the response, as in nginx."""


class RequestLog:
    """Passes requests on to `application`, and logs a line to `logger` after each response."""

    def __init__(self, application: Application, logger: logging.Logger) -> None:
        self.application = application
        self.logger = logger
        self._running: dict[AnyTask, Exchange] = {}
        self._ended: set[AnyTask] = set()

    def end_all(self) -> None:
        """End the requests in progress. Responses that have started are aborted."""
        self._end(list(self._running))

    def end_streams(self) -> None:
        """End the requests whose responses have started."""
        self._end([task for task, exchange in self._running.items() if exchange.status])

    def _end(self, tasks: Iterable[AnyTask]) -> None:
        for task in tasks:
            self._ended.add(task)
            task.cancel()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handle one ASGI scope."""
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
            # No traceback for requests that were ended on purpose. The server aborts incomplete responses.
            if not isinstance(error, asyncio.CancelledError) or task not in self._ended:
                raise
        finally:
            exchange.end()

    def _write(self, exchange: Exchange) -> None:
        self.logger.info("%s", exchange.line(terminal.painter(sys.stderr)))

    def _forget(self, task: AnyTask) -> None:
        self._running.pop(task, None)
        self._ended.discard(task)


class Exchange:
    """The data of one request and its response. `write` is called with it to log its line."""

    status = 0
    size = 0
    complete = False
    failed = False
    """Whether the application raised an exception or was cancelled."""
    _headers: Iterable[tuple[bytes, bytes]] = ()
    _written = False

    def __init__(self, scope: Message, send: Send, write: Callable[[t.Self], None] | None) -> None:
        self.scope = scope
        self._send = send
        self._write = write
        self._started = time.perf_counter()

    def send(self, message: Message) -> Awaitable[None]:
        """Record a message, and pass it on."""
        self.note(message)
        return self._send(message)

    def note(self, message: Message) -> None:
        """Record a message of the response."""
        kind = message["type"]
        if kind in ("http.response.start", "websocket.http.response.start"):
            self.status = message["status"]
            self._headers = message.get("headers") or ()
        elif kind in ("http.response.body", "websocket.http.response.body"):
            self.size += len(message.get("body", b""))
            # A client with a complete body may disconnect before the last message.
            self.complete = not message.get("more_body", False) or self.size == self._announced
        elif kind == "http.response.pathsend":
            self.complete = True
        elif kind in ("websocket.accept", "websocket.close") and not self.status:
            # A connection may stay open for hours, so its line is logged when it is accepted or refused.
            self.status, self.complete = (101 if kind == "websocket.accept" else 403), True
            self.end()

    def note_answer(self, answer: tuple[Message, Message]) -> None:
        """Record a response that the edge sent at once."""
        start, end = answer
        self.status, self.size, self.complete = start["status"], len(end["body"]), True

    @cached_property
    def _announced(self) -> int | None:
        """The Content-Length of the response."""
        return _content_length(self._headers)

    def end(self: t.Self) -> None:
        """Log the line, once."""
        if self._write is None or self._written or QUIET in self.scope:
            return
        self._written = True
        self._write(self)

    def line(self, paint: Callable[..., str], more: str = "") -> str:
        """The line in the common log format, with the duration and `more` at its end."""
        scope = self.scope
        status = self.status or self.final_status()
        request = f'"{scope.get("method", "GET")} {terminal.readable(self.target())} HTTP/{scope["http_version"]}"'
        if paint is not terminal.unpainted:
            request = paint(request, *terminal.style_of_status(status))
        client = scope.get("client")
        if not self.complete and self.status:
            more = f" cut off{more}"
        seconds = time.perf_counter() - self._started
        duration = f"{seconds * 1000:.1f}ms" if seconds < 1 else f"{seconds:.2f}s"
        host, clock = (client and client[0]) or "-", _clock(int(time.time()))
        return f"{host} - - [{clock}] {request} {status} {self.size} {duration}{more}"

    def final_status(self) -> int:
        """The status of the response. Without one, 500 after an error, else CLIENT_LEFT."""
        return self.status or (500 if self.failed else CLIENT_LEFT)

    def client(self) -> str:
        """The address of the client, or a dash on a Unix socket."""
        return (self.scope.get("client") or ("",))[0] or "-"

    def target(self) -> str:
        """The path and the query of the request."""
        raw = self.scope.get("raw_path")
        path: str = self.scope["path"] if raw is None else raw.decode("latin-1")
        query: str = self.scope.get("query_string", b"").decode("latin-1")
        return f"{path}?{query}" if query else path

    def seconds(self) -> float:
        """The seconds since the request arrived."""
        return time.perf_counter() - self._started


@lru_cache(maxsize=1)
def _clock(second: int) -> str:
    return time.strftime("%d/%b/%Y %H:%M:%S", time.localtime(second))


def _content_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    found = [value for name, value in headers if name.lower() == b"content-length"]
    return parse_content_length(found[0].decode("latin-1")) if found else None
