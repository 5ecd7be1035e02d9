"""The WebSocket edge: one connection as messages to and from a server (ASGI WebSocket spec 2.4)."""

from __future__ import annotations

import asyncio
import contextvars
import typing as t
from collections.abc import Callable
from contextlib import suppress

from ..app import websocket_lifecycle
from ..app.application import Costrel
from ..app.error_format import plain_failure
from ..app.mounts import AsgiCall, find_mount
from ..app.websocket import (
    ABNORMAL,
    GOING_AWAY,
    INTERNAL_ERROR,
    NORMAL,
    TOO_BIG,
    Message,
    WebSocket,
    WebSocketDisconnect,
)
from ..context import RequestContext
from ..http.gate import encode_fields
from ..messages.response import Response
from ..support.asgi_types import Receive, Scope, Send
from ..support.tasks import released, start_held
from .drive import Drive, ThreadCalls
from .message_limit import is_longer, reason_for
from .mounted import serve_mounted_websocket
from .outgoing import Answer, Messages, answer_of
from .scope import environ_of, note_route
from .threads import Workers
from .time_slices import TimeSlice

GRACE: t.Final = 0.5
"""The seconds in which a view must call `receive` or `send`, and so notice that the client has left."""

WAITING: t.Final = 1024
"""The number of messages that are received before the view asks for them. Then the client must wait."""

WAITING_SIZE: t.Final = 1024 * 1024
"""The same limit in characters and bytes."""

NEGLECT: t.Final = 60.0
"""The seconds of such a wait after which further messages are dropped: otherwise the end would not be noticed."""

MAX_MESSAGE_SIZE: t.Final = 1024 * 1024


async def serve_websocket(app: Costrel, workers: Workers, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket to its end."""
    if (await receive())["type"] != "websocket.connect":
        return  # the client left before anything was said
    connection = ServerConnection(scope, receive, send, app.config.get("WEBSOCKET_MAX_MESSAGE_SIZE", MAX_MESSAGE_SIZE))
    environ = environ_of(scope)
    # The headers of a handshake over HTTP/1.1; HTTP/2 has its own (RFC 8441).
    environ.update(HTTP_UPGRADE="websocket", HTTP_CONNECTION="Upgrade")
    if app.mounts and find_mount(app, environ["PATH_INFO"]) is not None:
        admitted = await _admit(app, workers, environ, connection)
        if isinstance(admitted, AsgiCall):
            note_route(scope, admitted.mount.place)
            await serve_mounted_websocket(admitted, receive, send, connection.max_size)
        if admitted is not None:
            return
    ctx = app.request_context(environ)
    ctx.websocket = WebSocket(app, ctx.request, connection)
    calls = ThreadCalls(workers)
    calls.variables = contextvars.copy_context()
    connection.start()
    try:
        response = await WebSocketDrive(ctx, calls, connection).to_end(websocket_lifecycle.serve(ctx))
        if response is not None:
            await connection.refuse(_refusal(app, ctx, response), calls)
    except asyncio.CancelledError:
        await connection.leave()  # the server stops
        raise
    except (SystemExit, KeyboardInterrupt):
        await connection.leave(INTERNAL_ERROR)  # Granian leaves it open otherwise
        raise
    finally:
        if ctx.request.url_rule is not None:
            note_route(scope, ctx.request.url_rule.rule)
        await connection.stop()


async def _admit(
    app: Costrel, workers: Workers, environ: dict[str, t.Any], connection: ServerConnection
) -> AsgiCall | Response | None:
    """The call of the mounted application for a WebSocket, the response that refuses it, or None for a route."""
    ctx = app.request_context(environ.copy())
    ctx.websocket = WebSocket(app, ctx.request, connection)
    ctx.on_loop = ctx.sends_async = True
    calls = ThreadCalls(workers)
    calls.variables = contextvars.copy_context()
    admitted: AsgiCall | Response | None = await Drive(ctx, calls).to_end(websocket_lifecycle.admit_to_mount(ctx))
    if admitted is not None and not isinstance(admitted, AsgiCall):
        connection.start()
        await connection.refuse(_refusal(app, ctx, admitted), calls)
        await connection.stop()
    return admitted


def _refusal(app: Costrel, ctx: RequestContext, response: Response) -> Answer | Messages:
    """The response that refuses a handshake; a 500 if no server can send it."""
    try:
        if response.status_code < 200:
            raise ValueError(
                f"A WebSocket cannot be refused with the status {response.status_code}: its client would wait for"
                " another one (RFC 9110 §15.2)."
            )
        return t.cast("Answer | Messages", answer_of(ctx, response))
    except ValueError:
        app.logger.exception("The response that refuses the WebSocket of %s cannot be sent.", ctx.request.path)
        return t.cast("Answer | Messages", answer_of(ctx, plain_failure(ctx)))


class WebSocketDrive(Drive):
    """A drive that ends a view when its client has left and the view does not notice."""

    def __init__(self, ctx: t.Any, calls: ThreadCalls, connection: ServerConnection) -> None:
        super().__init__(ctx, calls)
        self.connection = connection

    def awaited(self, item: t.Any) -> t.Any:
        return self._held(item).__await__()

    async def _held(self, coroutine: t.Any) -> t.Any:
        task = start_held(coroutine, self.calls.variables)
        connection = self.connection
        connection.on_neglect = task.cancel
        try:
            return released(await task)
        except asyncio.CancelledError:
            if connection.neglected and task.cancelled() and connection.ended is not None:
                raise connection.ended from None
            raise
        finally:
            connection.on_neglect = None


class ServerConnection:
    """One connection of an ASGI server.

    Messages are taken from the server as they come, so that the end of the connection is seen while a view is busy
    with something else: then the view has `GRACE` seconds to notice, and is cancelled.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, max_size: int | None) -> None:
        self.subprotocols = list(scope.get("subprotocols") or ())
        self.accepted = False
        self.ended: WebSocketDisconnect | None = None
        self.on_neglect: Callable[[], object] | None = None
        self.neglected = False
        self._can_refuse = "websocket.http.response" in (scope.get("extensions") or {})
        self._receive = receive
        self._send = send
        self.max_size = max_size
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self._waiting_size = 0
        self._room = asyncio.Event()
        self._drops = False
        """Whether messages were dropped, since the view did not receive the waiting ones."""
        self._reader: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._has_left = False
        self._refuses = False
        self._time_slice = TimeSlice()
        self._handshake_is_out = asyncio.Event()

    # -- calls of the view

    async def accept(self, subprotocol: str | None, headers: list[tuple[str, str]]) -> None:
        self._check_open()
        pairs = encode_fields(headers)
        self.accepted = True
        try:
            await self._pass_on({"type": "websocket.accept", "subprotocol": subprotocol, "headers": pairs})
        finally:
            self._handshake_is_out.set()

    async def receive(self) -> Message:
        if self._has_left:
            self._start_timer()
        if self.ended is not None and self._messages.empty():
            self._check_open()
        message = await self._messages.get()
        if message is None:
            self._messages.put_nowait(None)  # for other waiting tasks
            if self._drops:
                raise RuntimeError(
                    f"Here messages of this WebSocket were dropped: {WAITING} of them, or {WAITING_SIZE:,} bytes, had"
                    f" waited {NEGLECT:g} seconds for the view to receive any."
                )
            self._check_open()
            raise RuntimeError("The messages of a WebSocket ended before it did.")
        self._waiting_size -= len(message)
        self._room.set()
        return message

    async def send(self, message: Message) -> None:
        if self.accepted:  # perhaps by another task, just now: Granian loses messages that overtake the handshake
            await self._handshake_is_out.wait()
        self._check_open()
        kind = "text" if isinstance(message, str) else "bytes"
        await self._pass_on({"type": "websocket.send", kind: message})
        await self._time_slice.give_way()

    async def close(self, code: int, reason: str) -> None:
        self._end(WebSocketDisconnect(code, reason))
        await self._stop_reading()  # Granian delays a close while a task waits for a message
        await self._pass_on({"type": "websocket.close", "code": code, "reason": reason})

    def _check_open(self) -> None:
        if self.ended is not None:
            self._stop_timer()
            self._has_left = False  # the view knows now, and may take its time to clean up
            raise WebSocketDisconnect(self.ended.code, self.ended.reason)

    async def _pass_on(self, message: dict[str, t.Any]) -> None:
        try:
            await self._send(message)
        except OSError as error:  # how servers say that the client is not there any more
            if self.ended is None:
                self._end(WebSocketDisconnect(ABNORMAL))
            if message["type"] != "websocket.close":
                raise WebSocketDisconnect(ABNORMAL) from error

    # -- messages of the server

    def start(self) -> None:
        """Begin to take messages from the server."""
        self._reader = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                self._client_left(message)
                return
            text, data = message.get("text"), message.get("bytes")
            received: Message = data if text is None else text  # type: ignore[assignment]  # one of the two is there
            if self.max_size is not None and is_longer(received, self.max_size):
                self._refuses = self._has_left = True
                self._start_timer()
                await self.close(TOO_BIG, reason_for(self.max_size))
                return
            await self._keep(received)

    async def _keep(self, message: Message) -> None:
        """Keep a message for the view, and wait until there is room for another."""
        if self._drops:
            return
        self._messages.put_nowait(message)
        self._waiting_size += len(message)
        while self._messages.qsize() >= WAITING or self._waiting_size >= WAITING_SIZE:
            self._room.clear()
            try:
                await asyncio.wait_for(self._room.wait(), NEGLECT)
            except TimeoutError:
                self._drops = True
                self._messages.put_nowait(None)
                return

    def _client_left(self, message: t.MutableMapping[str, t.Any]) -> None:
        if self.ended is None:
            self._end(WebSocketDisconnect(message.get("code", 1005), message.get("reason") or ""))
            self._has_left = True
            self._start_timer()

    def _end(self, ended: WebSocketDisconnect) -> None:
        """Note the end, and wake the waiting tasks after the messages that came before it."""
        if self.ended is None:
            self.ended = ended
            self._messages.put_nowait(None)

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(GRACE, self._cancel_view)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cancel_view(self) -> None:
        if self.on_neglect is not None and self._has_left:
            self.neglected = True
            self._has_left = False
            self.on_neglect()

    # -- the end

    async def refuse(self, answer: Answer | Messages, calls: ThreadCalls) -> None:
        """Answer the handshake with a response; a server that cannot send one answers 403."""
        collected: list[t.MutableMapping[str, t.Any]] = []

        async def collect(message: t.MutableMapping[str, t.Any]) -> None:
            collected.append(message)

        if not isinstance(answer, Answer):
            collected.extend(answer)
        elif self._can_refuse and self.ended is None:
            await answer.send(collect, calls.run)
        elif answer.close is not None:
            await calls.run(answer.close)
        if self.ended is not None:
            return
        self.ended = WebSocketDisconnect(ABNORMAL)
        await self._stop_reading()
        if self._can_refuse:
            body = b"".join(message["body"] for message in collected[1:])  # Granian takes it in one piece only
            await self._send_refusal(
                {**collected[0], "type": "websocket.http.response.start"},
                {"type": "websocket.http.response.body", "body": body},
            )
        else:
            await self._send_refusal({"type": "websocket.close", "code": NORMAL, "reason": ""})

    async def _send_refusal(self, *messages: dict[str, t.Any]) -> None:
        # A client that has left meanwhile is an OSError, and to Granian a wrong order of messages (RuntimeError).
        with suppress(OSError, RuntimeError):
            for message in messages:
                await self._send(message)

    async def leave(self, code: int = GOING_AWAY) -> None:
        """Tell the client that the server goes away."""
        if self.ended is None:
            await self.close(code, "")

    async def stop(self) -> None:
        """Take no more messages."""
        self._stop_timer()
        await self._stop_reading()

    async def _stop_reading(self) -> None:
        reader = self._reader
        if reader is not None and reader is not asyncio.current_task():
            if not self._refuses:  # then the code is on its way to the client, and the task about to end
                reader.cancel()
            await asyncio.wait([reader])
