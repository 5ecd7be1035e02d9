"""The test clients of an application that are not async: its requests over WSGI or ASGI, and its commands."""

from __future__ import annotations

from contextlib import ExitStack
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal, Self

from click.testing import CliRunner, Result

from ..services.commands import ScriptInfo
from .app_requests import EnvironBuilder as EnvironBuilder
from .app_requests import default_environ, request_of
from .asgi_call import run_asgi_app
from .client import Client, TestResponse
from .client_session import opened_session
from .kept_context import PRESERVE, keep_last
from .loop_thread import LoopThread
from .websocket import WebSocketSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType
    from wsgiref.types import WSGIEnvironment

    from click import Command

    from ..app.application import Costrel
    from ..context import Context
    from ..messages.request import Request
    from ..sessions.interface import SessionMixin
    from .client import WSGIResult

Edge = Literal["wsgi", "asgi"]
EDGES = ("wsgi", "asgi")


class FlaskClient(Client):
    """A test client for an application.

    In a ``with`` block, the context of the last request stays current until the next request or the end of the block,
    so that a test can look at ``request``, ``session`` and ``g`` as they were left. That holds on both edges: after a
    request over ASGI, its context is entered again in the test's thread. `environ_base` goes into the environ of every
    request.
    """

    application: Costrel

    _loop: LoopThread | None = None
    """The event loop of the requests over ASGI; None on the WSGI edge."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preserve_context = False
        self._new_contexts: list[Context] = []
        self._context_stack = ExitStack()
        self.environ_base = default_environ(self.application)

    @property
    def edge(self) -> Edge:
        """How requests reach the application: ``"wsgi"`` (the default) calls it in the test's thread, ``"asgi"`` calls
        ``application.asgi`` on an event loop in another thread, as an ASGI server does. Other values raise ValueError.
        """
        return "wsgi" if self._loop is None else "asgi"

    @edge.setter
    def edge(self, value: Edge) -> None:
        _check_edge(value)
        self._loop = LoopThread() if value == "asgi" else None

    def __enter__(self) -> Self:
        if self.preserve_context:
            raise RuntimeError("Cannot nest client invocations")
        self.preserve_context = True
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.preserve_context = False
        self._context_stack.close()

    def open(
        self, *args: object, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any
    ) -> TestResponse:
        """Make a request, and return the response.

        The positional arguments and `kwargs` describe it as for `EnvironBuilder`, or are one builder, environ or
        request. `Client.open` documents `buffered`, `follow_redirects` and the errors.
        """
        request = self._request_from_builder_args(args, kwargs)
        self._context_stack.close()
        self._new_contexts.clear()  # of a request that failed
        response = super().open(request, buffered=buffered, follow_redirects=follow_redirects)
        response.json_module = self.application.json
        keep_last(self._new_contexts, self._context_stack)
        return response

    def _call(self, environ: WSGIEnvironment, buffered: bool) -> WSGIResult:
        if self._loop is None:
            return super()._call(environ, buffered)
        return run_asgi_app(self.application.asgi, environ, self._loop, buffered)

    def websocket(self, *args: object, subprotocols: Iterable[str] = (), **kwargs: Any) -> WebSocketSession:
        """Open a WebSocket, with ``async with`` or with ``with``; `open` documents the other arguments.

        Entering raises `WebSocketRefused` if the application refuses the handshake. A client of the ASGI edge serves it
        on the event loop of its requests.
        """
        environ = self._request_from_builder_args(args, kwargs).environ
        self._add_cookies_to_wsgi(environ)
        return WebSocketSession(self.application, environ, tuple(subprotocols), self._loop)

    def _request_from_builder_args(self, args: tuple[object, ...], kwargs: dict[str, Any]) -> Request:
        """Return the request that the arguments of `open` describe, with the entries that all requests share."""
        return request_of(self.application, args, kwargs, self._copy_environ)

    def _copy_environ(self, other: Mapping[str, object]) -> WSGIEnvironment:
        environ = {**self.environ_base, **other}
        if self.preserve_context:
            environ[PRESERVE] = self._new_contexts.append
        return environ

    def session_transaction(self, *args: object, **kwargs: Any) -> AbstractContextManager[SessionMixin]:
        """Open the session of this client for a ``with`` block, and save it after the block.

        The arguments go to `Costrel.test_request_context`, for sessions that depend on the host or the path.
        Raises TypeError if the client keeps no cookies, RuntimeError if the application opens no session.
        """
        return opened_session(self.application, self._cookies, args, kwargs)


def make_client(app: Costrel, use_cookies: bool, options: dict[str, Any]) -> object:
    """A client of the class that `app` has for its tests, made with these options.

    The option `edge` is not passed to the class, unless that has a parameter of this name. Raises ValueError if it is
    neither ``"wsgi"`` nor ``"asgi"``, and TypeError for ``"asgi"`` if the class is no subclass of `FlaskClient`.
    """
    client_class = app.test_client_class or FlaskClient
    edge: Edge = "wsgi"
    if "edge" in options and "edge" not in signature(client_class).parameters:
        edge = options.pop("edge")
        _check_edge(edge)
    if edge == "asgi" and not issubclass(client_class, FlaskClient):
        raise TypeError(
            f"The client class {client_class.__name__!r} cannot make requests over ASGI: it is no subclass of"
            f" {FlaskClient.__name__!r}, and has no parameter 'edge'."
        )
    client = client_class(app, app.response_class, use_cookies=use_cookies, **options)
    if edge != "wsgi":
        client.edge = edge
    return client


def _check_edge(edge: str) -> None:
    if edge not in EDGES:
        raise ValueError(f"Unknown edge {edge!r}. The edges of a test client are 'wsgi' and 'asgi'.")


class FlaskCliRunner(CliRunner):
    """A click test runner for the commands of an application."""

    def __init__(self, app: Costrel, **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)

    def invoke(  # type: ignore[override]  # cli may be left out
        self, cli: Command | None = None, args: str | Sequence[str] | None = None, **kwargs: Any
    ) -> Result:
        """Invoke a command, by default the application's group, and return its output and exit code."""
        if cli is None:
            cli = self.app.cli
        if "obj" not in kwargs:
            kwargs["obj"] = ScriptInfo(create_app=lambda: self.app)
        return super().invoke(cli, args, **kwargs)
