"""The access log of `costrel serve`: a line of text or JSON per request, with an id that the application can read."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
import time
import typing as t
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from ..app.application import Costrel
from ..devtools.gates import QUIET
from ..edges.asgi import AsgiApplication
from ..edges.lifespan import GRACE
from ..edges.outgoing import add_echo
from ..edges.scope import ANSWERED, DIRECT, ECHO, LAYOUT
from ..http.traceparent import trace_id_of
from ..messages.field_layout import LAYOUTS, REQUEST_ID
from ..support.coroutines import AnyCoroutine
from ..telemetry.json_lines import JSONFormatter, write_json
from ..telemetry.notes import NOTES, TRACE
from . import terminal
from .log_formats import Entry, Lines
from .log_lines import LogLines
from .request_log import Application, Exchange, Message, Receive, Send, entry_of
from .served import IN_PLACE, port_of

_TRACEPARENT: t.Final = b"traceparent"

_Begun: t.TypeAlias = tuple[Message, float, bytes | None]
"""The scope of a request, its start on the performance counter, and its field ``traceparent``, if it is needed."""

_PAUSE: t.Final = 0.01
"""The interval for checking requests that run in threads, in seconds."""


class RequestCounter(t.Protocol):
    """Counts requests and WebSockets for the metrics."""

    def begin(self, kind: str) -> None:
        """Count the start of a request or WebSocket. `kind` is the `type` of its ASGI scope."""

    def end(self, scope: Message, status: int, seconds: float) -> None:
        """Count its end, with its status and duration."""

    def refuse(self) -> None:
        """Count a request that is refused because there are too many connections."""


# The characters of UUIDs, ULIDs, trace ids and Base64. None of them is special in a log or a shell.
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._:+/=@-]{8,128}")


class AccessLog:
    """Passes requests on to `application` with an id, and writes a line for each to standard output.

    `lines` formats the lines, which are written to `stream`; None turns the log off. `at_start` is called when the
    application's startup has completed. When the server stops, requests in progress have `grace` seconds to end, minus
    the part that is reserved for the application's shutdown; then they are cancelled.
    """

    def __init__(
        self,
        application: Application,
        lines: Lines | None,
        at_start: Callable[[], None] = lambda: None,
        grace: float = 30,
        counter: RequestCounter | None = None,
        stream: t.TextIO | None = None,
    ) -> None:
        self.application = application
        self._edge = application if isinstance(application, AsgiApplication) and not application.is_wrapped else None
        self.takes_in_place: Callable[[Message], bool] = lambda scope: False
        self.blocking_threads = 0
        if self._edge is not None:
            self.takes_in_place = self._edge.takes_in_place
            self.blocking_threads = self._edge.workers.give_away(IN_PLACE)
            self._answer_here = self._edge.answer_in_place
        self.grace = grace
        self._lines = None if lines is None else log_to(stream or sys.stdout, lines)
        self._write = None if self._lines is None else self._lines.add
        self._new_id = RequestIds().take
        self._at_start = at_start
        self._begun: dict[int, _Begun] = {}
        """The requests in progress, by the ``id`` of their scopes."""
        self._exchanges: dict[int, ServedExchange] = {}
        """The same for those that run in a task, or have failed."""
        self._counter = counter
        self._is_quiet = lines is None and counter is None
        self._until: float | None = None

    def begin_to_end(self) -> float:
        """Let the requests in progress end, and cancel the rest later. Returns the seconds until that is done."""
        loop = asyncio.get_running_loop()
        reserved = reserved_for_shutdown(self.grace)
        self._until = loop.time() + self.grace - reserved / 2
        loop.call_later(self.grace - reserved, self._cut_requests)
        return self.grace - reserved / 2

    def _cut_requests(self) -> None:
        for exchange in list(self._exchanges.values()):
            exchange.cut()

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one ASGI scope."""
        if scope["type"] not in ("http", "websocket"):
            scope[GRACE] = self._left
            return self.application(scope, self._after_requests(receive), self._noting_start(send))
        return self._answer(scope, receive, send)

    def answer_in_place(self, scope: Message, receive: Receive, send: Send) -> AnyCoroutine[None]:
        """Handle one ASGI scope that `takes_in_place` has accepted."""
        return self._answer(scope, receive, send, True)

    async def _answer(self, scope: Message, receive: Receive, send: Send, is_here: bool = False) -> None:
        """Handle one request, on the loop; with `is_here` it starts in this thread."""
        self._begin(scope)
        try:
            if is_here:
                if not self._is_quiet:
                    scope[DIRECT] = send, send
                await self._answer_here(scope, receive, send, self._run_on_loop)
            else:
                await self.application(scope, receive, self._run_on_loop(scope, send))
        except BaseException as error:
            exchange = self._exchanges.get(id(scope)) or self._exchange_of(scope, send)
            exchange.failed = True
            if not isinstance(error, asyncio.CancelledError) or not exchange.is_cut:
                raise
        finally:
            self._end(scope)

    def _begin(self, scope: Message) -> None:
        headers, sent = scope["headers"], None
        layout = LAYOUTS.of(headers)
        if not layout.has_id:
            echo = REQUEST_ID, self._new_id()
            scope["headers"] = [*headers, echo]
            if self._edge is not None:
                scope[LAYOUT] = layout.with_id or layout.add_id()
        else:
            echo = take_request_id(scope, self._new_id)
            sent = only_value(headers, _TRACEPARENT)
        scope[ECHO] = echo
        self._begun[id(scope)] = scope, time.perf_counter(), sent
        if self._edge is None:
            scope[NOTES] = {}
        if self._counter is not None:
            self._counter.begin(scope["type"])

    def _run_on_loop(self, scope: Message, send: Send) -> Send:
        """The current task handles the request from now on. Returns the function that sends its messages."""
        exchange = self._exchange_of(scope, send)
        exchange.task = asyncio.current_task()
        if self._edge is None or scope["type"] != "http":  # the edge adds the id to the responses of others
            return exchange.send_with_id
        if self._is_quiet:
            return send
        sending = exchange.send
        scope[DIRECT] = sending, send
        return sending

    def _exchange_of(self, scope: Message, send: Send) -> ServedExchange:
        exchange = ServedExchange(scope, send, self._write)
        _, exchange.started, exchange.traceparent = self._begun[id(scope)]
        exchange.request_id = scope[ECHO][1]
        self._exchanges[id(scope)] = exchange
        return exchange

    def _end(self, scope: Message) -> None:
        key = id(scope)
        exchange = self._exchanges.pop(key, None)
        if not self._is_quiet:
            if exchange is None:
                self._note_answer(scope)
            else:
                # It refers to the exchange, which refers to the scope: only the garbage collector would free them.
                scope.pop(DIRECT, None)
                if ANSWERED in scope:
                    exchange.note_answer(scope[ANSWERED])
                exchange.end()
                if self._counter is not None:
                    self._counter.end(scope, exchange.final_status(), exchange.seconds())
        del self._begun[key]  # last, since the worker may exit when it is empty

    def _note_answer(self, scope: Message) -> None:
        """Log and count a request that its first thread has answered."""
        _, started, traceparent = self._begun[id(scope)]
        start, end = scope[ANSWERED]
        status, ended = start["status"], time.perf_counter()
        if self._write is not None and QUIET not in scope:
            ids = scope[ECHO][1], trace_id(scope, traceparent)
            self._write(entry_of(scope, started, ended, status, len(end["body"]), True, *ids))
        if self._counter is not None:
            self._counter.end(scope, status, ended - started)

    def flush(self) -> None:
        """Write the lines of the requests that have ended so far."""
        if self._lines is not None:
            self._lines.flush()

    def note_refusal(self) -> None:
        """Count a request that is refused because there are too many connections."""
        if self._counter is not None:
            self._counter.refuse()

    def unfinished(self) -> list[Message]:
        """The scopes of the requests in progress. Safe to call in any thread."""
        return [scope for scope, _, _ in self._begun.copy().values()]

    def _after_requests(self, receive: Receive) -> Receive:
        # For Granian a request ends with its response: it does not wait for what the application runs afterwards.
        async def wait() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown" and self._begun:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._requests_ended(), self._left())
            return message

        return wait

    def _left(self) -> float:
        """The seconds left for requests, and for the functions that run after them, once the server is stopping."""
        if self._until is None:
            return self.grace
        return max(self._until - asyncio.get_running_loop().time(), 0)

    async def _requests_ended(self) -> None:
        while self._begun:
            tasks = [exchange.task for exchange in list(self._exchanges.values()) if exchange.task is not None]
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
    """Also records when each client's last request arrived: bytes on an HTTP/2 connection may be something else."""

    def __init__(self, *arguments: t.Any) -> None:
        super().__init__(*arguments)
        self.requested: dict[int, float] = {}
        """Client port → time of the last request on the monotonic clock."""

    def _begin(self, scope: Message) -> None:
        port = port_of(scope)
        if port:
            self.requested[port] = time.monotonic()
        super()._begin(scope)


def reserved_for_shutdown(grace: float) -> float:
    """The part of the grace period that is reserved for the application's shutdown: a fifth, at most two seconds."""
    return min(grace / 5, 2)


class ServedExchange(Exchange):
    """A request with an id, which is also a header of its response."""

    __slots__ = ()

    def cut(self) -> None:
        """Cancel the request's task. A request that runs in a thread cannot be cancelled."""
        if self.task is not None:
            self.is_cut = True
            self.task.cancel()

    def send_with_id(self, message: Message) -> Awaitable[None]:
        """Record a message and pass it on. The id is added to the first message of a response."""
        if message["type"] in _HEADS:
            headers = [*(message.get("headers") or ())]
            add_echo(headers, self.scope)
            message = {**message, "headers": headers}
        return self.send(message)

    def trace_id(self) -> str | None:
        """The trace id of the request's span or of its ``traceparent`` header (W3C); None if it has neither."""
        return trace_id(self.scope, self.traceparent)


def trace_id(scope: Message, traceparent: bytes | None) -> str | None:
    """The trace id of a request's span or of its ``traceparent`` header (W3C); None if it has neither."""
    made: str | None = scope.get(NOTES, scope).get(TRACE)
    if made is not None or traceparent is None:
        return made
    return trace_id_of(traceparent.decode("latin-1"))


_HEADS: t.Final = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


def log_to(stream: t.TextIO, lines: Lines) -> LogLines[Entry]:
    """A log that writes lines to `stream`.

    It uses no logger: an application's logging configuration may disable every logger that it does not name.
    """
    paint = terminal.painter(stream)
    return LogLines(stream, lambda entries: lines(entries, paint))


class RequestIds:
    """Unique ids of 128 random bits, generated in batches."""

    _BATCH: t.Final = 256

    def __init__(self) -> None:
        self._made: list[bytes] = []

    def take(self) -> bytes:
        """Return a new id of 32 hexadecimal digits. Safe to call in any thread."""
        try:
            return self._made.pop()
        except IndexError:
            digits = os.urandom(16 * self._BATCH).hex().encode()
            self._made.extend(digits[start : start + 32] for start in range(32, len(digits), 32))
            return digits[:32]


def take_request_id(scope: Message, new_id: Callable[[], bytes]) -> tuple[bytes, bytes]:
    """Return a request's ``X-Request-ID`` header: the client's if it is well-formed, otherwise one with a new id.

    The application can read it in either case.
    """
    headers = scope["headers"]
    sent = only_value(headers, REQUEST_ID)
    if sent is not None and _WELL_FORMED.fullmatch(sent):
        return REQUEST_ID, sent
    made = REQUEST_ID, new_id()
    scope["headers"] = [*[pair for pair in headers if pair[0] != REQUEST_ID], made]
    return made


def only_value(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> bytes | None:
    """The value of the header `wanted`; None if it is missing or occurs more than once."""
    found = [value for name, value in headers if name == wanted]
    return found[0] if len(found) == 1 else None


def set_up_logging(log_format: str) -> None:
    """Send the server's log records to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter() if log_format == "json" else logging.Formatter("[%(levelname)s] %(message)s"))
    for name, level in (("costrel.server", logging.INFO), ("_granian", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(level)


def set_up_application_logging(app: Costrel, log_format: str) -> None:
    """Write the application's log records as JSON if `log_format` is "json". Text output is left as it is."""
    if log_format == "json" and isinstance(app.logger, logging.Logger):
        write_json(app.logger)
