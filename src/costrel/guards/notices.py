"""Explains in the log, in debug mode, why the browser or Costrel ignores a part of a request or response.

The browser's own message names neither the setting nor the view, and sometimes there is no message at all.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from urllib.parse import urlsplit

from ..context import AppContract
from ..middleware.proxy_fix import ORIGINAL
from ..sessions.cookie import names_this_computer
from .proxies import FORWARDED, REMOVED

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from ..context import RequestContext
    from ..messages.response import Response

Notice: t.TypeAlias = "tuple[str, str] | None"
"""A key, under which a notice is logged only once, and its text; None if there is no notice."""

MAX_NOTICES: t.Final = 50
"""The maximum number of notices. Some contain text from clients, who could fill the log."""


class Notices:
    """The notices of one application in debug mode."""

    def __init__(self, app: AppContract) -> None:
        self._app = app
        self._written: set[str] = set()

    @classmethod
    def of(cls, app: AppContract) -> Notices | None:
        """The notices of an application in debug mode; otherwise None."""
        return cls(app) if app.debug else None

    def finish(self, ctx: RequestContext, response: Response) -> None:
        """Log the notices for a request whose response is complete. Each notice is logged only once."""
        source = ctx.request._source
        for find in _FINDERS:
            notice = find(source, response)
            if notice is not None and notice[0] not in self._written and len(self._written) < MAX_NOTICES:
                self._written.add(notice[0])
                self._app.logger.warning("%s", notice[1])


def refused_origin(source: WSGIEnvironment, response: Response) -> Notice:
    """The notice for a script of another origin, which may not read the response."""
    origin = source.get("HTTP_ORIGIN")
    if not origin or _is_same_origin(source, origin) or source.get("HTTP_SEC_FETCH_MODE", "cors") != "cors":
        return None
    if response.headers.get("Access-Control-Allow-Origin") in ("*", origin):
        return None
    shown = origin[:100]
    return f"CORS {shown}", (
        f"The browser does not let scripts of {shown!r} read the response to {_line(source)}: no CORS policy allows"
        f" this origin. If it is yours, set app.config['CORS_POLICY'] = [{shown!r}], or decorate the view with"
        f" @cors([{shown!r}])."
    )


def dropped_forwarding(source: WSGIEnvironment, response: Response) -> Notice:
    """The notice for headers of a proxy that is not trusted."""
    address = source.get("REMOTE_ADDR")
    if REMOVED in source:
        return "forwarded", (
            f"The forwarded headers of {_line(source)} were dropped, because {address!r} is not a trusted proxy. If it"
            f" is your proxy, set app.config['TRUSTED_PROXIES'] = [{address!r}], or to 1 for any single proxy."
        )
    names = [name for name in FORWARDED if name in source]
    if not names or ORIGINAL in source:
        return None
    name = names[0].removeprefix("HTTP_").replace("_", "-").title()
    return "forwarded", (
        f"The header {name} of {_line(source)} has no effect: no proxy is trusted, so request.remote_addr, request.host"
        f" and links describe the connection from {address!r}. Behind one proxy, set app.config['TRUSTED_PROXIES'] = 1."
    )


def unsendable_cookie(source: WSGIEnvironment, response: Response) -> Notice:
    """The notice for a Secure cookie in a response over plain HTTP."""
    host = source.get("HTTP_HOST") or source.get("SERVER_NAME", "")
    if source.get("wsgi.url_scheme") != "http" or names_this_computer(host):
        return None
    for field in response.headers.getlist("Set-Cookie"):
        pair, *attributes = field.split(";")
        if "secure" in (attribute.strip().lower() for attribute in attributes):
            name = pair.partition("=")[0]
            return f"Secure {name}", (
                f"The browser does not store the cookie {name!r} of the response to {_line(source)}, because it is"
                f" Secure, and the request to {host[:100]!r} came over plain HTTP. Signing in cannot work. Use"
                " http://localhost or HTTPS, or set app.config['SESSION_COOKIE_SECURE'] = False for development. If a"
                " proxy terminates HTTPS, set app.config['TRUSTED_PROXIES']."
            )
    return None


_FINDERS: t.Final[tuple[Callable[[WSGIEnvironment, Response], Notice], ...]] = (
    refused_origin,
    dropped_forwarding,
    unsendable_cookie,
)


def _is_same_origin(source: WSGIEnvironment, origin: str) -> bool:
    if source.get("HTTP_SEC_FETCH_SITE") in ("same-origin", "none"):
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return (parts.scheme, parts.netloc) == (source.get("wsgi.url_scheme"), source.get("HTTP_HOST"))


def _line(source: WSGIEnvironment) -> str:
    """The method and path of a request for a log: shortened, and with control characters escaped."""
    return f"{source['REQUEST_METHOD'][:20]} {source.get('PATH_INFO', '')[:100]!r}"
