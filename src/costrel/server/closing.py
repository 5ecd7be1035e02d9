"""The requests of an ASGI worker that is ending: HTTP/1 responses say ``Connection: close``."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Awaitable, Collection

from ..support.coroutines import AnyCoroutine
from .request_log import Message, Receive, Send
from .served import Served, Wrapper, port_of

CLOSE: t.Final = (b"connection", b"close")


class Closing(Wrapper):
    """Passes requests on to `served` while the worker ends, and adds ``Connection: close`` to HTTP/1 responses."""

    def __init__(self, served: Served) -> None:
        super().__init__(served)
        self.last_arrival = time.monotonic()
        self._earlier = [scope for scope in served.unfinished() if _is_http1(scope)]
        self._http2 = {port_of(scope) for scope in served.unfinished() if _is_http2(scope)}

    def begin_to_end(self) -> float:
        """Do nothing: the worker is ending already."""
        return 0

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one scope."""
        return self.served(scope, receive, self._parting(scope, send))

    def answer_in_place(self, scope: Message, receive: Receive, send: Send) -> AnyCoroutine[None]:
        """Handle one scope in this thread."""
        return self.served.answer_in_place(scope, receive, self._parting(scope, send))

    def has_earlier(self) -> bool:
        """Whether an HTTP/1 response that began before the worker's end is still in progress."""
        unfinished = {id(scope) for scope in self.unfinished()}
        return any(id(scope) in unfinished for scope in self._earlier)

    def others(self, with_http2: bool) -> Collection[int]:
        """The ports of clients with an HTTP/1 response or WebSocket in progress, and optionally of HTTP/2 clients."""
        ports = {port_of(scope) for scope in self.unfinished() if not _is_http2(scope)}
        return ports | self._http2 if with_http2 else ports

    def _parting(self, scope: Message, send: Send) -> Send:
        if _is_http2(scope):
            self._http2.add(port_of(scope))
        if not _is_http1(scope):
            return send
        self.last_arrival = time.monotonic()

        def with_close(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*(message.get("headers") or ()), CLOSE]}
            return send(message)

        return with_close


def _is_http1(scope: Message) -> bool:
    return scope["type"] == "http" and str(scope["http_version"]).startswith("1")


def _is_http2(scope: Message) -> bool:
    return bool(scope["type"] == "http" and scope["http_version"] == "2")
