"""Requests of an application's test clients: they take the base URL and the JSON format from its configuration."""

from __future__ import annotations

import importlib.metadata
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..app.application import Flask
from ..messages.request import Request
from ..version import __version__
from . import environ_builder
from .form_body import with_form_line_breaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from wsgiref.types import WSGIEnvironment

    from ..app.application import Costrel


class EnvironBuilder(environ_builder.EnvironBuilder):
    """An `EnvironBuilder` that takes the base URL and the JSON format from an application's configuration.

    :param app: the application: its ``SERVER_NAME``, ``APPLICATION_ROOT`` and ``PREFERRED_URL_SCHEME`` count.
    :param path: may be a whole URL, whose scheme and host override the settings.
    :param subdomain: put before ``SERVER_NAME``.
    :param url_scheme: instead of ``PREFERRED_URL_SCHEME``.

    The other arguments go to the base class. Forms have CRLF for each line break, as browsers send it; for a
    `flask.Flask` application they keep the line breaks of the test, as with Flask's client. Raises AssertionError if
    `base_url` is given together with `subdomain` or `url_scheme`, since it contains both.
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

    def json_dumps(self, obj: object, **kwargs: Any) -> str:
        """Write `obj` as the application would."""
        return self.app.json.dumps(obj, **kwargs)

    def _fields(self) -> Iterator[tuple[str, object]]:
        if isinstance(self.app, Flask):
            yield from super()._fields()
            return
        for name, value in super()._fields():
            yield with_form_line_breaks(name), with_form_line_breaks(value) if isinstance(value, str) else value


def _configured_url(app: Costrel, path: str, subdomain: str | None, url_scheme: str | None) -> tuple[str, str]:
    """Return the base URL of a request to `path`, and the path relative to the server."""
    host = app.config.get("SERVER_NAME") or "localhost"
    if subdomain:
        host = f"{subdomain}.{host}"
    url = urlsplit(path)
    scheme = url.scheme or url_scheme or app.config["PREFERRED_URL_SCHEME"]
    base_url = f"{scheme}://{url.netloc or host}/{app.config['APPLICATION_ROOT'].lstrip('/')}"
    return base_url, f"{url.path}?{url.query}" if url.query else url.path


def default_environ(app: Costrel) -> WSGIEnvironment:
    """The entries of the environ that all requests of a client have at first."""
    return {"REMOTE_ADDR": "127.0.0.1", "HTTP_USER_AGENT": _user_agent(isinstance(app, Flask))}


@cache
def _user_agent(as_flask: bool) -> str:
    return f"Werkzeug/{importlib.metadata.version('werkzeug')}" if as_flask else f"Costrel/{__version__}"


def request_of(
    app: Costrel,
    args: tuple[object, ...],
    kwargs: dict[str, Any],
    completed: Callable[[Mapping[str, object]], WSGIEnvironment],
) -> Request:
    """Return the request that the arguments of a client's `open` describe.

    `completed` returns a copy of an environ with the entries that all requests of the client share.
    """
    if len(args) == 1 and not kwargs:
        (arg,) = args
        if isinstance(arg, environ_builder.EnvironBuilder):
            builder = copy(arg)  # shares the files and streams with the original, which its owner closes
            builder.environ_base = completed(builder.environ_base or {})
            request = builder.get_request()
            builder.closed = True
            return request
        if isinstance(arg, dict):
            return environ_builder.EnvironBuilder.from_environ(arg, environ_base=completed({})).get_request()
        if isinstance(arg, Request):
            request = copy(arg)
            request.environ = completed(request.environ)
            return request
    kwargs["environ_base"] = completed(kwargs.get("environ_base", {}))
    builder = EnvironBuilder(app, *args, **kwargs)  # type: ignore[arg-type]  # the caller's
    try:
        return builder.get_request()
    finally:
        builder.close()
