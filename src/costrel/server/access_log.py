"""The access log of `costrel serve`: a line of text or JSON per request, with an id that the application can read."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
import time
import typing as t
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from ..app.application import Costrel
from ..edges.asgi import AsgiApplication
from ..edges.lifespan import GRACE
from ..edges.outgoing import add_echo
from ..edges.scope import ANSWERED, DIRECT, ECHO
from ..http.traceparent import trace_id_of
from ..support.coroutines import AnyCoroutine
from ..telemetry.json_lines import JSONFormatter, write_json
from ..telemetry.notes import NOTES, TRACE, noted
from . import terminal
from .log_lines import LogLines
from .request_log import AnyTask, Application, Exchange, Message, Receive, Send
from .served import IN_PLACE, port_of

REQUEST_ID: t.Final = b"x-request-id"
_TRACEPARENT: t.Final = b"traceparent"

_PAUSE: t.Final = 0.01
"""The interval for checking requests that run in threads, in seconds."""


class RequestCounter(t.Protocol):
    """Counts requests."""

    def begin(self, kind: str) -> None:
        """Count the start of a request or WebSocket. `kind` is the type of its ASGI scope."""

    def end(self, scope: Message, status: int, seconds: float) -> None:
        """Count its end, with its status and duration."""

    def refuse(self) -> None:
        """Count a request that is refused, since there are too many connections."""


# The characters of UUIDs, ULIDs, trace ids and Base64. None of them has a meaning in a log or a shell.
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._:+/=@-]{8,128}")


Line = Callable[["ServedExchange", Callable[..., str]], str]


class AccessLog:
    """Passes requests on to `application` with an id, and writes a line for each to standard output.

    `line` formats a line; with None there are no lines. `at_start` is called when the startup of the application has
    completed. When the server stops, requests have `grace` seconds to end, except for the last part, which is reserved
    for the shutdown of the application. Then they are cancelled.
    """

    def __init__(
        self,
        application: Application,
        line: Line | None,
        at_start: Callable[[], None] = lambda: None,
        grace: float = 30,
        counter: RequestCounter | None = None,
    ) -> None:
        self.application = application
        self._edge = application if isinstance(application, AsgiApplication) and not application.is_wrapped else None
        self.takes_in_place: Callable[[Message], bool] = lambda scope: False
        self.places = 0
        if self._edge is not None:
            self.takes_in_place = self._edge.takes_in_place
            self.places = self._edge.workers.give_away(IN_PLACE)
        self.grace = grace
        self._lines = None if line is None else LogLines(sys.stdout)
        self._write = None if line is None or self._lines is None else writer(self._lines, line)
        self._new_id = RequestIds().take
        self._at_start = at_start
        self._running: set[ServedExchange] = set()
        self._counter = counter
        self._is_quiet = line is None and counter is None
        self._until: float | None = None

    def begin_to_end(self) -> float:
        """Let the requests in progress end, and cancel the rest later. Returns the seconds until that is done."""
        loop = asyncio.get_running_loop()
        kept = kept_for_the_end(self.grace)
        self._until = loop.time() + self.grace - kept / 2
        loop.call_later(self.grace - kept, self._cut_requests)
        return self.grace - kept / 2

    def _cut_requests(self) -> None:
        for exchange in list(self._running):
            exchange.cut()

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one ASGI scope."""
        if scope["type"] not in ("http", "websocket"):
            scope[GRACE] = self._left
            return self.application(scope, self._after_requests(receive), self._noting_start(send))
        return self._answer(scope, receive, send)

    def answer_in_place(self, scope: Message, receive: Receive, send: Send) -> AnyCoroutine[None]:
        """Handle one ASGI scope that `takes_in_place` has accepted."""
        return self._answer(scope, receive, send, self._edge)

    async def _answer(self, scope: Message, receive: Receive, send: Send, here: AsgiApplication | None = None) -> None:
        """Handle one request. With the edge `here` it starts in this thread."""
        exchange = self._begin(scope, send)
        sending = send
        if exchange.adds_id:
            sending = exchange.send
        elif not self._is_quiet:
            sending = exchange.send
            scope[DIRECT] = sending, send
        try:
            if here is not None:
                await here.answer_in_place(scope, receive, sending, exchange.note_task)
            else:
                exchange.note_task()
                await self.application(scope, receive, sending)
        except BaseException as error:
            exchange.failed = True
            if not isinstance(error, asyncio.CancelledError) or not exchange.is_cut:
                raise
        finally:
            if not self._is_quiet:
                answer = scope.get(ANSWERED)
                if answer is not None:
                    exchange.note_answer(answer)
                self._end(exchange)
            self._running.discard(exchange)  # last, since the worker may exit when the set is empty

    def _begin(self, scope: Message, send: Send) -> ServedExchange:
        exchange = ServedExchange(scope, send, self._write)
        self._running.add(exchange)
        fields = dict(scope["headers"])
        exchange.request_id = request_id = take_request_id(scope, fields, self._new_id)
        if _TRACEPARENT in fields:
            exchange.traceparent = fields[_TRACEPARENT]
        scope[ECHO] = REQUEST_ID, request_id
        exchange.adds_id = self._edge is None or scope["type"] != "http"
        if self._edge is None:
            scope[NOTES] = {}
        if self._counter is not None:
            self._counter.begin(scope["type"])
        return exchange

    def _end(self, exchange: ServedExchange) -> None:
        exchange.end()
        if self._counter is not None:
            self._counter.end(exchange.scope, exchange.final_status(), exchange.seconds())

    def flush(self) -> None:
        """Write the lines of the requests that have ended."""
        if self._lines is not None:
            self._lines.flush()

    def note_refusal(self) -> None:
        """Count a request that is refused, since there are too many connections."""
        if self._counter is not None:
            self._counter.refuse()

    def unfinished(self) -> list[Message]:
        """The scopes of the requests in progress. It can be called in any thread."""
        return [exchange.scope for exchange in self._running.copy()]

    def _after_requests(self, receive: Receive) -> Receive:
        # For Granian a request ends with its response. It would not wait for work of the application after that.
        async def wait() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown" and self._running:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._requests_ended(), self._left())
            return message

        return wait

    def _left(self) -> float:
        """The seconds for the requests, and for the functions after them, when the server stops."""
        if self._until is None:
            return self.grace
        return max(self._until - asyncio.get_running_loop().time(), 0)

    async def _requests_ended(self) -> None:
        while self._running:
            tasks = [exchange.task for exchange in list(self._running) if exchange.task is not None]
            if tasks:
                await asyncio.wait(tasks)
            else:  # requests in threads do not signal their end
                await asyncio.sleep(_PAUSE)

    def _noting_start(self, send: Send) -> Send:
        async def note(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._at_start()

        return note


class TimedAccessLog(AccessLog):
    """Notes the time of each client's last request: bytes on an HTTP/2 connection need not belong to one."""

    def __init__(self, *arguments: t.Any) -> None:
        super().__init__(*arguments)
        self.requested: dict[int, float] = {}
        """By the port of the client, on the monotonic clock."""

    def _begin(self, scope: Message, send: Send) -> ServedExchange:
        port = port_of(scope)
        if port:
            self.requested[port] = time.monotonic()
        return super()._begin(scope, send)


def kept_for_the_end(grace: float) -> float:
    """The part of the grace period that is reserved for the application's shutdown: a fifth, at most two seconds."""
    return min(grace / 5, 2)


class ServedExchange(Exchange):
    """A request with an id, which is also a header of its response."""

    request_id = b""
    adds_id = False
    """Whether the id is added here, and not by the edge."""
    traceparent: bytes | None = None
    """The request's field ``traceparent``."""
    task: AnyTask | None = None
    """The task that handles the request; None while a thread does."""
    is_cut = False
    """Whether it was cancelled here. Then no traceback is logged, and the server aborts an incomplete response."""

    def note_task(self) -> None:
        """The current task handles the request from now on."""
        self.task = asyncio.current_task()

    def cut(self) -> None:
        """Cancel its task. A thread cannot be cancelled."""
        if self.task is not None:
            self.is_cut = True
            self.task.cancel()

    def send(self, message: Message) -> Awaitable[None]:
        """Record a message, and pass it on. The first message of a response gets the id."""
        if self.adds_id and message["type"] in _HEADS:
            headers = [*(message.get("headers") or ())]
            add_echo(headers, self.scope)
            message = {**message, "headers": headers}
        self.note(message)
        return self._send(message)

    def text(self, paint: Callable[..., str]) -> str:
        """The line in the common log format, with the duration, the id, and the trace id if there is one."""
        trace_id = self.trace_id()
        ids = self.request_id.decode("ascii")
        return self.line(paint, f" {ids}\n" if trace_id is None else f" {ids} {trace_id}\n")

    def trace_id(self) -> str | None:
        """The trace id of the request's span, or of its field ``traceparent``; None if there is neither."""
        made = noted(self.scope, TRACE)
        if made is not None or self.traceparent is None:
            return made
        sent = [value for name, value in self.scope["headers"] if name == _TRACEPARENT]
        return trace_id_of(sent[0].decode("latin-1")) if len(sent) == 1 else None

    def json(self, paint: Callable[..., str]) -> str:
        """The line as a JSON object. `size` is the size of the body in bytes; `trace_id` is there if it is known."""
        entry: dict[str, object] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "client": self.client(),
            "method": self.scope.get("method", "GET"),
            "target": self.target(),
            "protocol": f"HTTP/{self.scope['http_version']}",
            "status": self.final_status(),
            "size": self.size,
            "duration_ms": round(self.seconds() * 1000, 3),
            "complete": self.complete,
            "request_id": self.request_id.decode("ascii"),
        }
        trace_id = self.trace_id()
        return json.dumps(entry if trace_id is None else {**entry, "trace_id": trace_id}) + "\n"


_HEADS: t.Final = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


def writer(lines: LogLines, line: Line) -> Callable[[ServedExchange], None]:
    """Return a function that adds the line of an exchange to `lines`.

    No logger does it, since the logging configuration of an application may disable all loggers that it does not name.
    """
    paint, add = terminal.painter(lines.stream), lines.add
    return lambda exchange: add(line(exchange, paint))


LINES: t.Final[dict[str, Line]] = {"text": ServedExchange.text, "json": ServedExchange.json}
"""The formats of ``--log-format``."""


class RequestIds:
    """Unique ids: 128 random bits each, created many at a time."""

    _AT_ONCE: t.Final = 256

    def __init__(self) -> None:
        self._made: list[bytes] = []

    def take(self) -> bytes:
        """A new id of 32 hexadecimal digits. It can be called in any thread."""
        try:
            return self._made.pop()
        except IndexError:
            digits = os.urandom(16 * self._AT_ONCE).hex().encode()
            self._made.extend(digits[start : start + 32] for start in range(32, len(digits), 32))
            return digits[:32]


def take_request_id(scope: Message, fields: dict[bytes, bytes], new_id: Callable[[], bytes]) -> bytes:
    """The id of a request: its header ``X-Request-ID`` if that is well-formed, else a new id.

    In both cases the application can read it from that header. `fields` has the headers by name.
    """
    headers = scope["headers"]
    if REQUEST_ID in fields:
        sent = [value for name, value in headers if name == REQUEST_ID]
        if len(sent) == 1 and _WELL_FORMED.fullmatch(sent[0]):
            return t.cast("bytes", sent[0])
        headers = [(name, value) for name, value in headers if name != REQUEST_ID]
    made = new_id()
    scope["headers"] = [*headers, (REQUEST_ID, made)]
    return made


def set_up_logging(log_format: str) -> None:
    """Send the server's log records to standard error."""
    own = logging.StreamHandler(sys.stderr)
    own.setFormatter(JSONFormatter() if log_format == "json" else logging.Formatter("[%(levelname)s] %(message)s"))
    for name, level in (("costrel.server", logging.INFO), ("_granian", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [own]
        logger.propagate = False
        logger.setLevel(level)


def set_up_application_logging(app: Costrel, log_format: str) -> None:
    """Write the log records of the application as JSON if that is the format. As text they are left alone."""
    if log_format == "json" and isinstance(app.logger, logging.Logger):
        write_json(app.logger)
