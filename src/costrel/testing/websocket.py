"""WebSockets for tests: the application is called over ASGI, without a server.

``async with client.websocket("/path") as ws`` talks to it on the test's own loop, ``with client.websocket("/path") as
ws`` on a loop in a thread, for tests that are not async.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

from ..app.websocket import WebSocketDisconnect
from ..http.headers import Headers

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import WSGIEnvironment

    from ..app.application import Costrel

T = TypeVar("T")
Message = str | bytes

TIMEOUT = 5.0
"""Seconds that a test waits for a message, unless it says otherwise."""


class WebSocketRefused(Exception):
    """Raised on entering where the application refuses the handshake: with a response, or by closing (403)."""

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

    After it was entered, `subprotocol` and `headers` are those of the answer to the handshake.
    """

    __test__ = False

    def __init__(self, app: Costrel, environ: WSGIEnvironment, subprotocols: tuple[str, ...] = ()) -> None:
        self._app = app
        self._scope = scope_of(environ, subprotocols)
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
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
            self.headers = _headers(message)
        elif message["type"] == "websocket.http.response.start":
            data, more = b"", True
            while more:
                part = await self._next(TIMEOUT)
                data, more = data + part.get("body", b""), part.get("more_body", False)
            raise WebSocketRefused(message["status"], _headers(message), data)
        else:
            raise WebSocketRefused(403, Headers(), b"")

    async def _next(self, timeout: float) -> dict[str, Any]:
        try:
            message = await asyncio.wait_for(self._from_app.get(), timeout)
        except TimeoutError:
            raise TimeoutError(f"The application sent nothing for {timeout} seconds.") from None
        if message["type"] == "end" and self._task is not None:
            await self._task  # raises what the application raised
            raise RuntimeError("The application ended without an answer to the handshake, or without closing.")
        return message

    async def receive(self, timeout: float = TIMEOUT) -> Message:
        """The next message. Raises WebSocketDisconnect where the application has closed, TimeoutError where none comes.

        An error that the application did not handle is raised here, too.
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

    async def send(self, data: Message) -> None:
        """Send text or bytes. Raises WebSocketDisconnect where the WebSocket has ended."""
        if self.ended is not None:
            raise self.ended
        await self._to_app.put({"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data})

    async def send_json(self, data: Any) -> None:
        """Send a value as JSON."""
        await self.send(json.dumps(data))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it, and wait until the application has ended. Does nothing where it is closed."""
        if self.ended is None:
            await self._leave(WebSocketDisconnect(code, reason))

    async def _leave(self, ended: WebSocketDisconnect) -> None:
        self.ended = ended
        await self._to_app.put({"type": "websocket.disconnect", "code": ended.code, "reason": ended.reason})
        if self._task is not None:
            await asyncio.wait_for(self._task, TIMEOUT)


class SyncWebSocket:
    """`TestWebSocket` for a test that is not async: each call waits for its result."""

    def __init__(self, app: Costrel, environ: WSGIEnvironment, subprotocols: tuple[str, ...]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="costrel-test-websocket")
        self._thread.start()
        try:
            self._inner = self._run(_enter(app, environ, subprotocols))
        except BaseException:
            self._end_thread()
            raise

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the application chose."""
        return self._inner.subprotocol

    @property
    def headers(self) -> Headers:
        """The headers of the answer to the handshake."""
        return self._inner.headers

    @property
    def ended(self) -> WebSocketDisconnect | None:
        """How it ended; None while it is open."""
        return self._inner.ended

    def receive(self, timeout: float = TIMEOUT) -> Message:
        """The next message; see `TestWebSocket.receive`."""
        return self._run(self._inner.receive(timeout))

    def receive_json(self, timeout: float = TIMEOUT) -> Any:
        """The next message, as JSON."""
        return self._run(self._inner.receive_json(timeout))

    def send(self, data: Message) -> None:
        """Send text or bytes."""
        self._run(self._inner.send(data))

    def send_json(self, data: Any) -> None:
        """Send a value as JSON."""
        self._run(self._inner.send_json(data))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it, and wait until the application has ended."""
        self._run(self._inner.close(code, reason))


async def _enter(app: Costrel, environ: WSGIEnvironment, subprotocols: tuple[str, ...]) -> TestWebSocket:
    return await TestWebSocket(app, environ, subprotocols).__aenter__()


class WebSocketSession:
    """What ``client.websocket(...)`` returns: enter it with ``async with``, or with ``with``."""

    def __init__(self, app: Costrel, environ: WSGIEnvironment, subprotocols: tuple[str, ...] = ()) -> None:
        self._arguments = app, environ, subprotocols
        self._open: Any = None

    async def __aenter__(self) -> TestWebSocket:
        entered = await _enter(*self._arguments)
        self._open = entered
        return entered

    async def __aexit__(self, *exc_info: object) -> None:
        await self._open.close()

    def __enter__(self) -> SyncWebSocket:
        self._open = SyncWebSocket(*self._arguments)
        return self._open  # type: ignore[no-any-return]  # it is the one or the other, by how it was entered

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._open.close()
        finally:
            self._open._end_thread()


def scope_of(environ: WSGIEnvironment, subprotocols: tuple[str, ...] = ()) -> dict[str, Any]:
    """The ASGI scope of a WebSocket handshake that is the request of `environ`."""
    headers = [
        (key.removeprefix("HTTP_").replace("_", "-").lower().encode("latin-1"), value.encode("latin-1"))
        for key, value in environ.items()
        if key.startswith("HTTP_")
    ]
    if subprotocols:
        headers.append((b"sec-websocket-protocol", ", ".join(subprotocols).encode("latin-1")))
    root, path = (environ.get(key, "").encode("latin-1") for key in ("SCRIPT_NAME", "PATH_INFO"))
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "wss" if environ["wsgi.url_scheme"] in ("https", "wss") else "ws",
        "path": (root + path).decode("utf-8", "replace"),
        "raw_path": quote(root + path, safe="/").encode(),
        "root_path": root.decode("utf-8", "replace"),
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
        "headers": headers,
        "client": (environ.get("REMOTE_ADDR", "127.0.0.1"), 50_000),
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
        "subprotocols": list(subprotocols),
        "extensions": {"websocket.http.response": {}},
    }


def _headers(message: dict[str, Any]) -> Headers:
    return Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())])
