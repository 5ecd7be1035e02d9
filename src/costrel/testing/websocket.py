"""WebSockets for tests: the application is called over ASGI, without a server.

``async with client.websocket("/path") as ws`` talks to it on the test's own loop, ``with client.websocket("/path") as
ws`` on a loop in a thread, for tests that are not async.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from ..app.websocket import WebSocketDisconnect
from ..http.headers import Headers
from .asgi_call import headers_of
from .loop_thread import LoopThread
from .scope import http_scope

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import WSGIEnvironment

    from ..app.application import Costrel
    from ..support.asgi_types import Message, Scope

Data = str | bytes
"""A message of a WebSocket."""

TIMEOUT = 5.0
"""Seconds that a test waits for a message by default."""


class WebSocketRefused(Exception):
    """Raised on entering if the application refuses the handshake: with a response, or by closing (403)."""

    def __init__(self, status_code: int, headers: Headers, data: bytes) -> None:
        super().__init__(status_code, headers, data)
        self.status_code = status_code
        self.headers = headers
        self.data = data

    @property
    def text(self) -> str:
        """The body of the response as text."""
        return self.data.decode("utf-8", "replace")

    def __str__(self) -> str:
        return f"The WebSocket was refused with {self.status_code}: {self.text[:200]}"


class TestWebSocket:
    """One WebSocket to an application, on the running loop: an asynchronous context manager.

    `subprotocol` and `headers` come from the response to the handshake.
    """

    __test__ = False

    def __init__(self, app: Costrel, environ: WSGIEnvironment, subprotocols: tuple[str, ...] = ()) -> None:
        self._app = app
        self._scope = scope_of(environ, subprotocols)
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.subprotocol: str | None = None
        self.headers = Headers()
        self.ended: WebSocketDisconnect | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._serve())
        await self._to_app.put({"type": "websocket.connect"})
        try:
            await self._shake_hands()
        except BaseException:
            await self._leave(WebSocketDisconnect(1006))
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    async def _serve(self) -> None:
        try:
            await self._app.asgi(self._scope, self._to_app.get, self._from_app.put)
        finally:
            await self._from_app.put({"type": "end"})

    async def _shake_hands(self) -> None:
        message = await self._next(TIMEOUT)
        if message["type"] == "websocket.accept":
            self.subprotocol = message.get("subprotocol")
            self.headers = headers_of(message)
        elif message["type"] == "websocket.http.response.start":
            data, more = b"", True
            while more:
                part = await self._next(TIMEOUT)
                data, more = data + part.get("body", b""), part.get("more_body", False)
            raise WebSocketRefused(message["status"], headers_of(message), data)
        else:
            raise WebSocketRefused(403, Headers(), b"")

    async def _next(self, timeout: float) -> Message:
        try:
            message = await asyncio.wait_for(self._from_app.get(), timeout)
        except TimeoutError:
            raise TimeoutError(f"The application sent nothing for {timeout} seconds.") from None
        if message["type"] == "end" and self._task is not None:
            await self._task  # raises the application's error
            raise RuntimeError("The application returned before it accepted, refused or closed the WebSocket.")
        return message

    async def receive(self, timeout: float = TIMEOUT) -> Data:
        """The next message; waits for `timeout` seconds, by default 5.

        Raises WebSocketDisconnect if the application has closed, TimeoutError if no message comes, and an error that
        the application did not handle.
        """
        if self.ended is not None:
            raise self.ended
        message = await self._next(timeout)
        if message["type"] == "websocket.close":
            await self._leave(WebSocketDisconnect(message.get("code", 1000), message.get("reason") or ""))
            if self.ended is not None:
                raise self.ended
        text: str | None = message.get("text")
        data: bytes = message.get("bytes", b"")
        return data if text is None else text

    async def receive_json(self, timeout: float = TIMEOUT) -> Any:
        """The next message, as JSON."""
        return json.loads(await self.receive(timeout))

    async def send(self, data: Data) -> None:
        """Send text or bytes. Raises WebSocketDisconnect if the WebSocket has ended."""
        if self.ended is not None:
            raise self.ended
        await self._to_app.put({"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data})

    async def send_json(self, data: object) -> None:
        """Send a value as JSON."""
        await self.send(json.dumps(data))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it, and wait until the application has ended. Does nothing if it is closed."""
        if self.ended is None:
            await self._leave(WebSocketDisconnect(code, reason))

    async def _leave(self, ended: WebSocketDisconnect) -> None:
        self.ended = ended
        await self._to_app.put({"type": "websocket.disconnect", "code": ended.code, "reason": ended.reason})
        if self._task is not None:
            await asyncio.wait_for(self._task, TIMEOUT)


class SyncWebSocket:
    """`TestWebSocket` for a test that is not async: each call waits for its result."""

    def __init__(self, inner: TestWebSocket, loop: LoopThread) -> None:
        self._inner = inner
        self._loop = loop

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the application chose."""
        return self._inner.subprotocol

    @property
    def headers(self) -> Headers:
        """The headers of the response to the handshake."""
        return self._inner.headers

    @property
    def ended(self) -> WebSocketDisconnect | None:
        """How it ended; None while it is open."""
        return self._inner.ended

    def receive(self, timeout: float = TIMEOUT) -> Data:
        """The next message; see `TestWebSocket.receive`."""
        return self._loop.run(self._inner.receive(timeout))

    def receive_json(self, timeout: float = TIMEOUT) -> Any:
        """The next message, as JSON."""
        return self._loop.run(self._inner.receive_json(timeout))

    def send(self, data: Data) -> None:
        """Send text or bytes."""
        self._loop.run(self._inner.send(data))

    def send_json(self, data: object) -> None:
        """Send a value as JSON."""
        self._loop.run(self._inner.send_json(data))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it, and wait until the application has ended."""
        self._loop.run(self._inner.close(code, reason))


class WebSocketSession:
    """The result of ``client.websocket(...)``: enter it with ``async with``, or with ``with``.

    With ``with``, the WebSocket is served on `loop`, or, if that is None, on an event loop of its own.
    """

    def __init__(
        self,
        app: Costrel,
        environ: WSGIEnvironment,
        subprotocols: tuple[str, ...] = (),
        loop: LoopThread | None = None,
    ) -> None:
        self._arguments = app, environ, subprotocols
        self._loop = LoopThread() if loop is None else loop
        self._open: TestWebSocket | None = None
        self._running = ExitStack()

    async def _enter(self) -> TestWebSocket:
        self._open = await TestWebSocket(*self._arguments).__aenter__()
        return self._open

    async def _leave(self) -> None:
        if self._open is not None:
            await self._open.close()

    async def __aenter__(self) -> TestWebSocket:
        return await self._enter()

    async def __aexit__(self, *exc_info: object) -> None:
        await self._leave()

    def __enter__(self) -> SyncWebSocket:
        with ExitStack() as stack:
            stack.enter_context(self._loop)  # the application runs between the calls of the test, too
            entered = self._loop.run(self._enter())
            self._running = stack.pop_all()
        return SyncWebSocket(entered, self._loop)

    def __exit__(self, *exc_info: object) -> None:
        with self._running:
            self._loop.run(self._leave())


def scope_of(environ: WSGIEnvironment, subprotocols: tuple[str, ...] = ()) -> Scope:
    """The ASGI scope of a WebSocket handshake that is the request of `environ`."""
    scope = http_scope(environ)
    del scope["method"]
    if subprotocols:
        scope["headers"].append((b"sec-websocket-protocol", ", ".join(subprotocols).encode("latin-1")))
    return {
        **scope,
        "type": "websocket",
        "scheme": "wss" if scope["scheme"] in ("https", "wss") else "ws",
        "subprotocols": list(subprotocols),
        "extensions": {"websocket.http.response": {}},
    }
