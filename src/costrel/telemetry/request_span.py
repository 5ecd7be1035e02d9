"""The span of a request after its start: its status, its error, and its end, which may be the end of a stream."""

from __future__ import annotations

import typing as t
from asyncio import CancelledError

from opentelemetry import context as contexts
from opentelemetry.trace import Status, StatusCode

from ..http.errors import HTTPException
from ..http.framing import has_no_body
from ..support.asgi_types import ASGIApplication, Message, Receive, Scope, Send
from .followed import AsyncItems, Items, Watcher

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from ..messages.response import Response

TRACED: t.Final = "costrel_traced"
"""A key in the scope or environ of a mounted application: the request already has a span."""

LEFT: t.Final = "client_disconnected"
"""The ``error.type`` of requests whose client disconnected before the response was complete."""

_ERROR: t.Final = 500


class RequestSpan(Watcher):
    """A recorded span. It ends when the lifecycle has ended and the body, if it is followed, has been sent."""

    handled: Exception | None = None
    """The last error that an error handler of the application has turned into a response."""

    def __init__(self, span: Span, inside: Context) -> None:
        self._span = span
        self._inside = inside
        """The OpenTelemetry context in which the span is current."""
        self._status: int | None = None
        self._error: BaseException | None = None
        self._is_cut = False
        self._is_followed = False
        self._has_left = False

    # -- for the lifecycle

    def leave(self, status: int | None, error: BaseException | None, client_left: bool) -> None:
        """Record the end of the lifecycle, with its status and error if there are any."""
        if status is not None and self._status is None:
            self._status = status
        if client_left and isinstance(error, CancelledError):
            self._is_cut = True
        elif error is not None:
            self._error = error
        self._has_left = True
        self._end_if_over()

    def follow(self, response: Response, method: str) -> None:
        """Keep the span open until the body of a stream has been sent."""
        body = response.response
        if not has_no_body(response.status_code, method):
            self._is_cut = self._is_followed = True  # until the body reports its end
            size = response.content_length
            response.response = AsyncItems(body, self, size) if hasattr(body, "__aiter__") else Items(body, self, size)
            response.call_on_close(self.close)

    # -- for the body

    def note_all_sent(self) -> None:
        """Record that the body has produced as many bytes as the Content-Length."""
        self._is_cut = False

    def complete(self) -> None:
        """Record that the body has ended."""
        self._is_cut = False
        self.close()

    def fail(self, error: BaseException) -> None:
        """Record that the body has raised an error."""
        if not isinstance(error, (GeneratorExit, CancelledError)):
            self._error = error
        self.close()

    def close(self) -> None:
        """Record that the body has been sent, or will not be sent."""
        self._is_followed = False
        self._end_if_over()

    # -- for mounted applications

    def around_wsgi(self, application: WSGIApplication) -> WSGIApplication:
        """Wrap a mounted application so that the span lasts until its response has been sent."""
        self._is_followed = True

        def traced(environ: WSGIEnvironment, start_response: StartResponse) -> t.Iterable[bytes]:
            def starting(status: str, headers: list[tuple[str, str]], *exc_info: t.Any) -> t.Any:
                self._status = int(status[:3])
                return start_response(status, headers, *exc_info)

            environ[TRACED] = True
            try:
                body = application(environ, starting)
            except BaseException as error:
                self._fail_mounted(error)
                self.close()
                raise
            if isinstance(body, (list, tuple)):
                self.close()
                return body
            self._is_cut = environ["REQUEST_METHOD"] != "HEAD"
            return Items(body, self, None, self.close)

        return traced

    def around_asgi(self, application: ASGIApplication) -> ASGIApplication:
        """Like `around_wsgi`. The application is called after the lifecycle has ended."""
        self._is_followed = True

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            async def sending(message: Message) -> None:
                self._note_message(message)
                await send(message)

            self._is_cut = scope["type"] == "http"
            token = contexts.attach(self._inside)
            try:
                await application({**scope, TRACED: True}, receive, sending)
            except BaseException as error:
                self._fail_mounted(error)
                raise
            finally:
                contexts.detach(token)
                self.close()

        return traced

    def _note_message(self, message: Message) -> None:
        kind = message["type"]
        if kind in ("http.response.start", "websocket.http.response.start"):
            self._status = message["status"]
        elif kind == "websocket.accept":
            self._status = 101
        elif kind == "websocket.close" and self._status is None:
            self._status = 403
        elif kind == "http.response.pathsend" or (kind == "http.response.body" and not message.get("more_body")):
            self._is_cut = False

    def _fail_mounted(self, error: BaseException) -> None:
        """Record an error of a mounted application. If no response has started, the edge answers it."""
        if self._status is None and isinstance(error, Exception):
            self._is_cut = False
            self._status = (error.code or _ERROR) if isinstance(error, HTTPException) else _ERROR
        if not isinstance(error, (HTTPException, CancelledError)):
            self._error = error

    # -- the end

    def _end_if_over(self) -> None:
        if self._has_left and not self._is_followed and self._span.is_recording():
            self._note_outcome()
            self._span.end()

    def _note_outcome(self) -> None:
        span, status = self._span, self._status
        if status is not None:
            span.set_attribute("http.response.status_code", status)
        failed = status is not None and status >= _ERROR
        error = self._error or (self.handled if failed else None)
        if error is not None:
            span.set_attribute("error.type", _name_of(error))
            if isinstance(error, Exception):
                span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        elif self._is_cut:
            span.set_attribute("error.type", LEFT)
            span.set_status(Status(StatusCode.ERROR, "The client disconnected before the response was complete."))
        elif failed:
            span.set_attribute("error.type", str(status))
            span.set_status(Status(StatusCode.ERROR))


def _name_of(error: BaseException) -> str:
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
