"""The test client for async tests: it calls an application over ASGI, on the event loop of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from .app_requests import default_environ, request_of
from .asgi_call import AsgiCall
from .browser import Browser
from .client import TestResponse, response_class_of
from .client_session import opened_session
from .environ_builder import origin_of
from .lifespan import Lifespan
from .redirects import REDIRECTS, RedirectTrail, redirected
from .websocket import WebSocketSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType
    from wsgiref.types import WSGIEnvironment

    from ..app.application import Costrel
    from ..messages.request import Request
    from ..messages.response import Response
    from ..sessions.interface import SessionMixin


class AsyncTestResponse(TestResponse):
    """A response as the async test client returns it."""

    call: AsgiCall
    """The request in progress, from which the rest of the body comes."""

    async def iter_chunks(self) -> AsyncIterator[bytes]:
        """The chunks of the body that were not read yet, as the application sends them. Raises its errors."""
        async for chunk in self.call.chunks():
            yield chunk

    async def read(self) -> bytes:
        """Read the rest of the body, which is `data`, `text` and `json` from then on. Raises as `iter_chunks`."""
        self.response = await self.call.read()
        return self.get_data()


class _Unread:
    """The body of a stream, which only `iter_chunks` and `read` may read."""

    def __iter__(self) -> Iterator[bytes]:
        raise RuntimeError(
            "The body of this response is a stream. Read it with `async for chunk in response.iter_chunks()`,"
            " or all of it with `await response.read()`."
        )


class AsyncTestClient(Browser[Coroutine[Any, Any, AsyncTestResponse]]):
    """A client for async tests of an application.

    :param application: its ``asgi`` is called for every request, on the running event loop.
    :param response_wrapper: a class whose members the responses get in addition to `AsyncTestResponse`'s; none by
        default.
    :param use_cookies: keep the cookies that responses set, and send them with later requests; on by default.
    :param allow_subdomain_redirects: follow redirects to subdomains of the host that sent them; off by default.

    Requests take the arguments of the client that is not async, and are awaited. With ``async with``, the functions
    around serving (`before_serving`, `while_serving`, `after_serving`) run at the start and the end of the block. No
    context is kept after a response: ``session_transaction`` shows the session.
    """

    __test__ = False

    def __init__(
        self,
        application: Costrel,
        response_wrapper: type[Response] | None = None,
        use_cookies: bool = True,
        allow_subdomain_redirects: bool = False,
    ) -> None:
        super().__init__(use_cookies)
        self.application = application
        self.response_wrapper = response_class_of(AsyncTestResponse, response_wrapper)
        self.allow_subdomain_redirects = allow_subdomain_redirects
        self.environ_base = default_environ(application)
        self._lifespan: Lifespan | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.application!r}>"

    async def __aenter__(self) -> Self:
        if self._lifespan is not None:
            raise RuntimeError("This client is in an `async with` block already: make another one.")
        lifespan = Lifespan(self.application.asgi)
        await lifespan.start()
        self._lifespan = lifespan
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        lifespan, self._lifespan = self._lifespan, None
        if lifespan is not None:
            await lifespan.stop()

    async def open(self, *args: object, follow_redirects: bool = False, **kwargs: Any) -> AsyncTestResponse:
        """Make a request, and return the response with its whole body.

        The positional arguments and `kwargs` describe it as for `EnvironBuilder`, or are one builder, environ or
        request. With `follow_redirects`, which is off by default, the response is the last one, with the redirects as
        its `history`. Raises ClientRedirectError for a redirect that was followed already, RuntimeError for one to
        another host, and the application's errors.
        """
        async with self.stream(*args, follow_redirects=follow_redirects, **kwargs) as response:
            await response.read()
        return response

    @asynccontextmanager
    async def stream(
        self, *args: object, follow_redirects: bool = False, **kwargs: Any
    ) -> AsyncIterator[AsyncTestResponse]:
        """Make a request, by default with GET, and give an ``async with`` block the response when its body begins.

        `open` documents the arguments and the errors. The end of the block disconnects, unless the body was read to
        its end: the application continues after a chunk when the next one is asked for.
        """
        response = await self._respond(request_of(self.application, args, kwargs, self._completed))
        try:
            trail: RedirectTrail[AsyncTestResponse] = RedirectTrail()
            while follow_redirects and response.status_code in REDIRECTS:
                await response.read()
                response.history = trail.responses
                trail.add(response)
                response = await self._redirect(response)
            response.history = trail.responses
            yield response
        finally:
            await response.call.close()

    async def _redirect(self, response: AsyncTestResponse) -> AsyncTestResponse:
        environ = response.request.environ
        builder = redirected(environ, response.status_code, response.location, self.allow_subdomain_redirects)
        return await self._respond(request_of(self.application, (builder,), {}, self._completed))

    async def _respond(self, request: Request) -> AsyncTestResponse:
        environ = request.environ
        self._add_cookies_to_wsgi(environ)
        call = AsgiCall(self.application.asgi, environ)
        await call.begin()
        self._update_cookies_from_response(*origin_of(environ), call.headers.getlist("Set-Cookie"))
        response = self.response_wrapper(_Unread(), call.status, call.headers, request)
        response.call = call
        response.json_module = self.application.json
        return response

    def websocket(self, *args: object, subprotocols: Iterable[str] = (), **kwargs: Any) -> WebSocketSession:
        """Open a WebSocket with ``async with``; `open` documents the other arguments.

        Entering raises `WebSocketRefused` if the application refuses the handshake.
        """
        environ = request_of(self.application, args, kwargs, self._completed).environ
        self._add_cookies_to_wsgi(environ)
        return WebSocketSession(self.application, environ, tuple(subprotocols))

    def session_transaction(self, *args: object, **kwargs: Any) -> AbstractContextManager[SessionMixin]:
        """Open the session of this client for a ``with`` block, and save it after the block.

        The arguments go to `Costrel.test_request_context`, for sessions that depend on the host or the path.
        Raises TypeError if the client keeps no cookies, RuntimeError if the application opens no session.
        """
        return opened_session(self.application, self._cookies, args, kwargs)

    def _completed(self, environ: Mapping[str, object]) -> WSGIEnvironment:
        return {**self.environ_base, **environ}
