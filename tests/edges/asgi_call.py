"""One call of an ASGI application without a server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from .asgi_validator import validated


@dataclass
class Answered:
    """What came back."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def text(self) -> str:
        return self.body.decode()


def scope_for(path: str, method: str = "GET", **changes: Any) -> dict[str, Any]:
    """An HTTP scope as a server makes it."""
    path, _, query = path.partition("?")
    headers = [(b"host", b"example.org"), *changes.pop("headers", [])]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
        **changes,
    }


async def call(app: Any, path: str = "/", method: str = "GET", body: Any = None, **scope: Any) -> Answered:
    """Send one request; `body` is bytes, or a list of chunks, in which None is a disconnect."""
    chunks = [body] if isinstance(body, bytes) else list(body or [])
    if isinstance(body, bytes):
        scope["headers"] = [(b"content-length", str(len(body)).encode()), *scope.get("headers", [])]
    elif chunks and not any(name == b"content-length" for name, _ in scope.get("headers", [])):
        scope["headers"] = [(b"transfer-encoding", b"chunked"), *scope.get("headers", [])]
    answered = Answered()
    finished = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if chunks:
            chunk = chunks.pop(0)
            if chunk is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}
        await finished.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
            answered.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            answered.chunks.append(message.get("body", b""))
            answered.ended = not message.get("more_body", False)

    try:
        await validated(app)(scope_for(path, method, **scope), receive, send)
    finally:
        finished.set()
    return answered


def ask(app: Any, *args: Any, **kwargs: Any) -> Answered:
    """`call` from a test that is not async."""
    return asyncio.run(call(app, *args, **kwargs))
