"""The test clients of an application: they know its configuration, its sessions, its contexts and its commands."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from click.testing import CliRunner, Result

from ..app.application import Flask
from ..messages.request import Request
from ..services.commands import ScriptInfo
from ..version import __version__
from . import environ_builder
from .client import Client, TestResponse
from .websocket import WebSocketSession

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import WSGIEnvironment

    from ..app.application import Costrel
    from ..services.sessions import SessionMixin

_PRESERVE = "werkzeug.debug.preserve_context"
"""The entry of an environ with the function that a request's context is handed to before it ends."""


class EnvironBuilder(environ_builder.EnvironBuilder):
    """An `EnvironBuilder` that takes the base URL from an application's configuration, and its way to write JSON.

    :param app: the application: its ``SERVER_NAME``, ``APPLICATION_ROOT`` and ``PREFERRED_URL_SCHEME`` count.
    :param path: may be a whole URL; its scheme and host win over the configured ones.
    :param subdomain: put before ``SERVER_NAME``.
    :param url_scheme: instead of ``PREFERRED_URL_SCHEME``.

    The other arguments are those of the base class. Raises AssertionError where `base_url` is given together with
    `subdomain` or `url_scheme`, since it holds both.
    """

    def __init__(
        self,
        app: Costrel,
        path: str = "/",
        base_url: str | None = None,
        subdomain: str | None = None,
        url_scheme: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if base_url and (subdomain or url_scheme):
            raise AssertionError('Cannot pass "subdomain" or "url_scheme" with "base_url".')
        if base_url is None:
            base_url, path = _configured_url(app, path, subdomain, url_scheme)
        self.app = app
        super().__init__(path, base_url, *args, **kwargs)

    def json_dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write `obj` as the application would."""
        return self.app.json.dumps(obj, **kwargs)


def _configured_url(app: Costrel, path: str, subdomain: str | None, url_scheme: str | None) -> tuple[str, str]:
    """Return the base URL of a request to `path`, and the path relative to the server."""
    host = app.config.get("SERVER_NAME") or "localhost"
    if subdomain:
        host = f"{subdomain}.{host}"
    url = urlsplit(path)
    scheme = url.scheme or url_scheme or app.config["PREFERRED_URL_SCHEME"]
    base_url = f"{scheme}://{url.netloc or host}/{app.config['APPLICATION_ROOT'].lstrip('/')}"
    return base_url, f"{url.path}?{url.query}" if url.query else url.path


@cache
def _user_agent(as_flask: bool) -> str:
    return f"Werkzeug/{importlib.metadata.version('werkzeug')}" if as_flask else f"Costrel/{__version__}"


class FlaskClient(Client):
    """A test client for an application.

    In a ``with`` block, the context of the last request stays current until the next request or the end of the block,
    so that a test can look at ``request``, ``session`` and ``g`` as they were left. `environ_base` goes into the
    environ of every request.
    """

    application: Costrel

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preserve_context = False
        self._new_contexts: list[Any] = []
        self._context_stack = ExitStack()
        self.environ_base = {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": _user_agent(isinstance(self.application, Flask)),
        }

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

    def open(self, *args: Any, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any) -> TestResponse:
        """Make a request, and return the response; the arguments are those of `EnvironBuilder`, or one of those."""
        request = self._request_from_builder_args(args, kwargs)
        self._context_stack.close()
        self._new_contexts.clear()  # of a request that failed
        response = super().open(request, buffered=buffered, follow_redirects=follow_redirects)
        response.json_module = self.application.json
        self._enter_last_context()
        return response

    def websocket(self, *args: Any, subprotocols: Iterable[str] = (), **kwargs: Any) -> WebSocketSession:
        """Open a WebSocket, with ``async with`` or with ``with``; the arguments are those of `open`.

        Entering raises `WebSocketRefused` where the application refuses the handshake.
        """
        environ = self._request_from_builder_args(args, kwargs).environ
        self._add_cookies_to_wsgi(environ)
        return WebSocketSession(self.application, environ, tuple(subprotocols))

    def _request_from_builder_args(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request:
        """Return the request that the arguments of `open` describe, with what every request of this client has."""
        if len(args) == 1 and not kwargs:
            (arg,) = args
            if isinstance(arg, environ_builder.EnvironBuilder):
                builder = copy(arg)  # shares the files and streams with the original, which its owner closes
                builder.environ_base = self._copy_environ(builder.environ_base or {})
                request = builder.get_request()
                builder.closed = True
                return request
            if isinstance(arg, dict):
                return environ_builder.EnvironBuilder.from_environ(
                    arg, environ_base=self._copy_environ({})
                ).get_request()
            if isinstance(arg, Request):
                request = copy(arg)
                request.environ = self._copy_environ(request.environ)
                return request
        kwargs["environ_base"] = self._copy_environ(kwargs.get("environ_base", {}))
        builder = EnvironBuilder(self.application, *args, **kwargs)
        try:
            return builder.get_request()
        finally:
            builder.close()

    def _copy_environ(self, other: Any) -> WSGIEnvironment:
        environ = {**self.environ_base, **other}
        if self.preserve_context:
            environ[_PRESERVE] = self._new_contexts.append
        return environ

    def _enter_last_context(self) -> None:
        """Enter the context of the last request again; those of redirects that led to it are over."""
        if self._new_contexts:
            last = self._new_contexts[-1]
            self._new_contexts.clear()
            self._context_stack.enter_context(last)

    @contextmanager
    def session_transaction(self, *args: Any, **kwargs: Any) -> Iterator[SessionMixin]:
        """Open the session of this client for a ``with`` block, and save it after the block.

        The arguments are those of `Costrel.test_request_context`, for sessions that depend on the host or the path.
        Raises TypeError where the client keeps no cookies, RuntimeError where the application opens no session.
        """
        if self._cookies is None:
            raise TypeError("Cookies are disabled. Create a client with 'use_cookies=True'.")
        app = self.application
        interface = app.session_interface
        ctx = app.test_request_context(*args, **kwargs)
        request = ctx.request
        self._add_cookies_to_wsgi(request.environ)
        with ctx:
            session = interface.open_session(app, request)
        if session is None:
            raise RuntimeError("Session backend did not open a session. Is SECRET_KEY set?")
        yield session
        if interface.is_null_session(session):
            return
        response = app.response_class()
        with ctx:
            interface.save_session(app, session, response)
        self._update_cookies_from_response(
            environ_builder.split_host(request.host)[0], request.path, response.headers.getlist("Set-Cookie")
        )


class FlaskCliRunner(CliRunner):
    """A click test runner for the commands of an application."""

    def __init__(self, app: Costrel, **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)

    def invoke(self, cli: Any = None, args: Any = None, **kwargs: Any) -> Result:  # type: ignore[override]  # cli may be left out
        """Invoke a command, by default the application's group, and return what it printed and its exit code."""
        if cli is None:
            cli = self.app.cli
        if "obj" not in kwargs:
            kwargs["obj"] = ScriptInfo(create_app=lambda: self.app)
        return super().invoke(cli, args, **kwargs)
