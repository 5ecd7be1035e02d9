"""Sends a recorded request to the application again."""

from __future__ import annotations

import asyncio
import typing as t
from urllib.parse import quote_plus, unquote
from uuid import uuid4

from ...support.asgi_types import ASGIApplication, Message, Scope
from .records import Record

TIMEOUT: t.Final = 30.0
"""The time limit of a replay in seconds, for example for an event stream."""

_OWN_HEADERS: t.Final = frozenset(
    {"content-length", "content-type", "cookie", "host", "transfer-encoding", "connection", "origin", "referer"}
)


async def replay(record: Record, application: ASGIApplication, asking: Scope, cookies: str) -> None:
    """Send the request of `record` to `application`, and discard the response.

    Hidden header fields are not sent. The browser that requests the replay sends its own cookies.

    :param asking: the scope of the request for the replay, which provides server, client and scheme.
    """
    body, content_type = body_of(record)
    hidden = record.hidden_headers
    headers = [(b"host", host_of(asking))]
    for name, value in record.headers:
        if name not in hidden and name.lower() not in _OWN_HEADERS:
            headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
    origin = f"{asking.get('scheme', 'http')}://".encode() + host_of(asking)
    if not record.is_safe:
        headers.append((b"origin", origin))
    if cookies:
        headers.append((b"cookie", cookies.encode("latin-1")))
    if content_type:
        headers.append((b"content-type", content_type.encode("latin-1")))
    if body:
        headers.append((b"content-length", str(len(body)).encode()))
    scope = {
        **{name: asking[name] for name in _FROM_ASKING if name in asking},
        "type": "http",
        "method": record.method,
        "path": unquote(record.path),
        "raw_path": record.path.encode("latin-1"),
        "query_string": record.query.encode("latin-1"),
        "headers": headers,
    }
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()
        raise RuntimeError  # the line above does not return

    async def send(message: Message) -> None:
        pass

    async with asyncio.timeout(TIMEOUT):
        await application(scope, receive, send)


_FROM_ASKING: t.Final = ("asgi", "http_version", "scheme", "server", "client", "root_path", "state")


def host_of(scope: Scope) -> bytes:
    """The ``Host`` of a request."""
    return next((value for name, value in scope["headers"] if name.lower() == b"host"), b"localhost")


def body_of(record: Record) -> tuple[bytes, str]:
    """The body of a replay and its media type. Forms are encoded from their fields and files."""
    content_type = next((value for name, value in record.headers if name.lower() == "content-type"), "")
    if not record.fields and not record.files:
        return record.body or b"", content_type
    if content_type.lower().startswith("application/x-www-form-urlencoded"):
        pairs = (f"{quote_plus(name)}={quote_plus(value)}" for name, value in record.fields)
        return "&".join(pairs).encode(), "application/x-www-form-urlencoded"
    return _multipart(record)


def _multipart(record: Record) -> tuple[bytes, str]:
    boundary = uuid4().hex
    parts = [_part(boundary, f'name="{_name(name)}"', "", value.encode()) for name, value in record.fields]
    for upload in record.files:
        names = f'name="{_name(upload.field)}"; filename="{_name(upload.filename)}"'
        parts.append(_part(boundary, names, f"Content-Type: {upload.content_type}\r\n", upload.content))
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, names: str, more: str, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {names}\r\n{more}\r\n"
    return head.encode() + content + b"\r\n"


def _name(name: str) -> str:
    # As browsers encode a name (HTML, "multipart form data").
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
