"""Calls mounted ASGI applications, with scopes below the prefix, and within the limits of the outer application."""

from __future__ import annotations

import asyncio
import io
import typing as t
from contextlib import suppress
from urllib.parse import quote, unquote_to_bytes

from ..app.mounts import AsgiCall, normalised
from ..app.websocket import TOO_BIG
from ..guards.proxies import FORWARDED
from ..http.errors import ClientDisconnected, HTTPException, InternalServerError
from ..http.gate import encode_fields
from ..support.asgi_types import Message, Receive, Scope, Send
from ..telemetry.log_fields import note_sending
from .http_drive import RequestCalls
from .message_limit import is_longer, reason_for
from .outgoing import Answer, add_echo
from .scope import SCHEMES
from .timeouts import ClientStalled

_SAFE: t.Final = "/:@!$&'()*+,;=~-._"
_OWN: t.Final = "costrel."
_WEBSOCKET_SCHEMES: t.Final = {"http": "ws", "https": "wss"}
_FORWARDED: t.Final = {key[5:].lower().replace("_", "-").encode(): key for key in FORWARDED}


def scope_below(call: AsgiCall) -> Scope:
    """The scope for a mounted application (ASGI HTTP spec 2.4: `path` begins with `root_path`).

    Trusted proxies may replace the client, the scheme and the host.
    """
    source = call.source
    outer: Scope = source["asgi.scope"]
    rest = call.mount.rest_of(normalised(source["PATH_INFO"])) or ""
    root = source["SCRIPT_NAME"].encode("latin-1") + call.mount.prefix.encode()
    path = root + rest.encode("latin-1")
    raw: bytes | None = outer.get("raw_path")
    if raw is None or unquote_to_bytes(raw.partition(b"?")[0]) != path:
        raw = quote(path, safe=_SAFE).encode("ascii")
    scope = {key: value for key, value in outer.items() if not key.startswith(_OWN)}
    scope.update(
        path=path.decode("utf-8", "replace"),
        raw_path=raw,
        root_path=root.decode("utf-8", "replace"),
        headers=_headers_below(outer, source),
        state=call.mount.state.copy(),
    )
    scheme = source["wsgi.url_scheme"]
    if SCHEMES.get(outer["scheme"], outer["scheme"]) != scheme:
        scope["scheme"] = _WEBSOCKET_SCHEMES[scheme] if outer["type"] == "websocket" else scheme
    address = source.get("REMOTE_ADDR")
    client = outer.get("client")
    if address and (not client or client[0] != address):
        scope["client"] = (address, 0)
    return scope


def _headers_below(outer: Scope, source: dict[str, t.Any]) -> list[tuple[bytes, bytes]]:
    """The header fields, without the fields of untrusted proxies, and with the host from trusted proxies."""
    host = source.get("HTTP_HOST")
    headers = []
    for name, value in outer["headers"]:
        key = _FORWARDED.get(name)
        if key is not None and source.get(key) is None:
            continue
        headers.append((name, host.encode("latin-1") if name == b"host" and host else value))
    return headers


async def serve_mounted(call: AsgiCall, calls: RequestCalls, send: Send) -> None:
    """Answer one HTTP request by a mounted application. Its errors are logged, and answered with 500 if possible."""
    begun = ended = False

    async def sending(message: Message) -> None:
        nonlocal begun, ended
        if message["type"] == "http.response.start":
            headers = [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers") or ()]
            headers = encode_fields([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers])
            add_echo(headers, calls.scope)
            message = {**message, "headers": headers}
            begun = True
        elif not message.get("more_body", False):
            ended = True
        await send(message)

    end_of_lines = note_sending(call.source, None)
    try:
        await call.application(scope_below(call), _Received(call, calls).receive, sending)
        if not ended and not calls.watch_answer().is_over:
            raise RuntimeError(f"The application mounted at {call.mount.place!r} ended without a complete response.")
    except ClientStalled:
        pass  # the server aborts an incomplete response
    except Exception as error:
        answer = _answer_to(error, call, begun)
        if answer is None:
            raise
        add_echo(answer.headers, calls.scope)
        await answer.send(send, calls.run)
    finally:
        end_of_lines()


def _answer_to(error: Exception, call: AsgiCall, begun: bool) -> Answer | None:
    """The answer to an error of a mounted application; None if the error is to be raised."""
    app = call.app
    if not isinstance(error, HTTPException):
        propagates = app.config["PROPAGATE_EXCEPTIONS"]
        if app.testing or app.debug if propagates is None else propagates:
            return None
        app.logger.error("Exception in the application mounted at %r", call.mount.place, exc_info=error)
        error = InternalServerError()
    if begun:
        return None
    body = error.get_body().encode()
    fields = [*error.get_headers(), ("Content-Length", str(len(body)))]
    return Answer(error.code or 500, encode_fields(fields), body)


class _Received:
    """The messages of one request for a mounted application: its body, up to the limit, then the disconnect."""

    def __init__(self, call: AsgiCall, calls: RequestCalls) -> None:
        self._call = call
        self._calls = calls
        self._size = 0
        self._has_ended = False

    async def receive(self) -> Message:
        """The next message. Raises RequestEntityTooLarge for a body above ``MAX_CONTENT_LENGTH``."""
        if self._has_ended:
            await asyncio.wait([self._calls.watch_answer().begin()])
            return {"type": "http.disconnect"}
        try:
            chunk = await self._chunk()
        except ClientDisconnected:
            self._has_ended = True
            return {"type": "http.disconnect"}
        self._size += len(chunk)
        self._call.check_size(self._size)
        body = self._calls.body
        more = bool(chunk) and body is not None and not (body.complete and not body.unread)
        self._has_ended = not more
        return {"type": "http.request", "body": chunk, "more_body": more}

    async def _chunk(self) -> bytes:
        body = self._calls.body
        if body is not None:
            return await body.next_chunk()
        stream = self._call.source["wsgi.input"]
        return stream.read() if isinstance(stream, io.BytesIO) else b""


async def serve_mounted_websocket(call: AsgiCall, receive: Receive, send: Send, limit: int | None) -> None:
    """Serve one WebSocket, whose ``websocket.connect`` was received, by a mounted application.

    A message of more than `limit` bytes closes it, as for the views of the application (RFC 6455 §7.4.1).
    """
    is_connected = is_closed = False

    async def receiving() -> Message:
        nonlocal is_connected, is_closed
        if not is_connected:
            is_connected = True
            return {"type": "websocket.connect"}
        message = await receive()
        if limit is None or not is_longer(message.get("text") or message.get("bytes") or "", limit):
            return message
        is_closed = True
        with suppress(OSError):  # the client has left
            await send({"type": "websocket.close", "code": TOO_BIG, "reason": reason_for(limit)})
        return {"type": "websocket.disconnect", "code": TOO_BIG, "reason": ""}

    async def sending(message: Message) -> None:
        if not is_closed:
            await send(message)

    end_of_lines = note_sending(call.source, None)
    try:
        await call.application(scope_below(call), receiving, sending)
    finally:
        end_of_lines()
