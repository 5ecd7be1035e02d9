"""Logs one line per request of any ASGI application, with status, duration and size."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import typing as t
from collections.abc import Awaitable, Callable, Iterable, MutableMapping

from ..devtools.gates import QUIET
from ..http.framing import parse_content_length
from . import terminal
from .log_formats import Entry, final_status, text_lines

Message = MutableMapping[str, t.Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

AnyTask: t.TypeAlias = "asyncio.Task[t.Any]"


class RequestLog:
    """Passes requests on to `application`, and logs a line to `logger` after each response."""

    def __init__(self, application: Application, logger: logging.Logger) -> None:
        self.application = application
        self.logger = logger
        self._running: dict[AnyTask, Exchange] = {}
        self._ended: set[AnyTask] = set()

    def end_all(self) -> None:
        """Cancel the requests in progress. Responses that have started are aborted."""
        self._end(list(self._running))

    def end_streams(self) -> None:
        """Cancel the requests whose responses have started."""
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
            # Requests that were cancelled on purpose need no traceback. The server aborts incomplete responses.
            if not isinstance(error, asyncio.CancelledError) or task not in self._ended:
                raise
        finally:
            exchange.end()

    def _write(self, entry: Entry) -> None:
        self.logger.info("%s", *text_lines([entry], terminal.painter(sys.stderr)))

    def _forget(self, task: AnyTask) -> None:
        self._running.pop(task, None)
        self._ended.discard(task)


class Exchange:
    """The data of one request and its response. At the end, `write` is called with the entry for the log."""

    __slots__ = (
        "_announced", "_headers", "_send", "_write", "_written", "complete", "failed", "is_cut", "request_id", "scope",
        "size", "started", "status", "task", "traceparent",
    )  # fmt: skip

    def __init__(self, scope: Message, send: Send, write: Callable[[Entry], None] | None) -> None:
        # Slots and instance attributes are faster to read than defaults of the class.
        self.scope = scope
        self.status = self.size = 0
        self.complete = self.failed = self.is_cut = self._written = False
        self.request_id = b""
        self.task: AnyTask | None = None
        self.traceparent: bytes | None = None
        self._headers: Iterable[tuple[bytes, bytes]] | None = None
        self._announced: int | None = None
        self._send = send
        self._write = write
        self.started = time.perf_counter()

    def send(self, message: Message) -> Awaitable[None]:
        """Record a message and pass it on."""
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
            # A client that has the complete body may disconnect before the last message.
            self.complete = not message.get("more_body", False) or self.size == self._length()
        elif kind == "http.response.pathsend":
            self.complete = True
        elif kind in ("websocket.accept", "websocket.close") and not self.status:
            # A WebSocket may stay open for hours, so it is logged when it is accepted or refused.
            self.status, self.complete = (101 if kind == "websocket.accept" else 403), True
            self.end()

    def note_answer(self, answer: tuple[Message, Message]) -> None:
        """Record a response whose two messages the edge has sent together."""
        start, end = answer
        self.status, self.size, self.complete = start["status"], len(end["body"]), True

    def _length(self) -> int | None:
        """The Content-Length of the response; None without a valid one."""
        headers, self._headers = self._headers, None
        if headers is not None:
            self._announced = _content_length(headers)
        return self._announced

    def end(self) -> None:
        """Log the line, unless it has been logged."""
        if self._write is None or self._written or QUIET in self.scope:
            return
        self._written = True
        self._write(self.entry())

    def entry(self) -> Entry:
        """The log entry, if the request ends now."""
        complete, ended = self.complete if self.status else None, time.perf_counter()
        ids = self.request_id, self.trace_id()
        return entry_of(self.scope, self.started, ended, self.final_status(), self.size, complete, *ids)

    def trace_id(self) -> str | None:
        """The trace id, if it is known."""
        return None

    def final_status(self) -> int:
        """The status of the response. Without a response: 500 after an error, otherwise CLIENT_LEFT (499)."""
        return final_status(self.status, self.failed)

    def seconds(self) -> float:
        """The seconds since the request arrived."""
        return time.perf_counter() - self.started


def entry_of(
    scope: Message,
    started: float,
    ended: float,
    status: int,
    size: int,
    complete: bool | None,
    request_id: bytes,
    trace_id: str | None,
) -> Entry:
    """The log entry for a request with this scope. `status` is the final status of its response."""
    get = scope.get
    path = get("raw_path")
    method, query = get("method", "GET"), get("query_string", b"")
    key = method, scope["path"] if path is None else path, query, scope["http_version"], status
    return started, ended, get("client"), key, size, complete, request_id, trace_id


def _content_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    found = [value for name, value in headers if name.lower() == b"content-length"]
    return parse_content_length(found[0].decode("latin-1")) if found else None
