"""ProxyFix: takes the client's address and the host from the `X-Forwarded-*` fields of trusted proxies.

A proxy adds an entry to each field. The last entries are from the proxies of the application; a client may have sent
all entries before them. So the number of proxies is set for each field, and only the entry of the farthest one counts.
"""

from __future__ import annotations

import typing as t

from ..http.errors import BadRequest
from ..http.forwarded import (
    forwarded_port,
    forwarded_prefix,
    forwarded_scheme,
    last_vouched_for,
    split_forwarded,
)

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ORIGINAL: t.Final = "werkzeug.proxy_fix.orig"
"""The environ key of the values before `ProxyFix` changed them."""

_CHANGED: t.Final = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")


class ProxyFix:
    """Put the values that proxies send in `X-Forwarded-*` into the environ.

    :param x_for: The number of proxies that set `X-Forwarded-For`; 0 ignores the field.
    :param x_proto: The number of proxies that set `X-Forwarded-Proto`.
    :param x_host: The number of proxies that set `X-Forwarded-Host`.
    :param x_port: The number of proxies that set `X-Forwarded-Port`.
    :param x_prefix: The number of proxies that set `X-Forwarded-Prefix`.

    The original values are kept in `environ["werkzeug.proxy_fix.orig"]`. An entry of `X-Forwarded-For` that is not an
    IP address is never used; if it is the last one, the environ has no `REMOTE_ADDR`. A prefix that is not a path is
    answered with 400.
    """

    def __init__(
        self,
        app: WSGIApplication,
        x_for: int = 1,
        x_proto: int = 1,
        x_host: int = 0,
        x_port: int = 0,
        x_prefix: int = 0,
    ) -> None:
        self.app = app
        self.x_for = x_for
        self.x_proto = x_proto
        self.x_host = x_host
        self.x_port = x_port
        self.x_prefix = x_prefix

    def _get_real_value(self, trusted: int, value: str | None) -> str | None:
        """The entry of the farthest trusted proxy; None if there are fewer entries."""
        return entry_of(value, trusted)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> t.Iterable[bytes]:
        environ[ORIGINAL] = {key: environ.get(key) for key in _CHANGED}
        route = environ.get("HTTP_X_FORWARDED_FOR")
        if self.x_for and route and len(entries := split_forwarded(route)) >= self.x_for:
            set_client(environ, last_vouched_for(entries, self.x_for))
        try:
            apply_place(environ, self.x_proto, self.x_host, self.x_port, self.x_prefix)
        except BadRequest as error:
            return error(environ, start_response)
        return self.app(environ, start_response)


def entry_of(value: str | None, hops: int) -> str | None:
    """The entry that the farthest of `hops` proxies added to a field; None if there are fewer entries."""
    if not hops or not value:
        return None
    entries = split_forwarded(value)
    return entries[-hops] if len(entries) >= hops else None


def set_client(environ: WSGIEnvironment, address: str | None) -> None:
    """Set the client's address. None removes it: the proxy's own address must not remain."""
    if address is None:
        environ.pop("REMOTE_ADDR", None)
    else:
        environ["REMOTE_ADDR"] = address


def apply_place(environ: WSGIEnvironment, proto: int, host: int, port: int, prefix: int) -> None:
    """Set scheme, host, port and prefix. Each number tells how many proxies add to a field; 0 ignores it.

    :raises BadRequest: if the prefix is not a path.
    """
    if (entry := entry_of(environ.get("HTTP_X_FORWARDED_PROTO"), proto)) and (scheme := forwarded_scheme(entry)):
        environ["wsgi.url_scheme"] = scheme
    if entry := entry_of(environ.get("HTTP_X_FORWARDED_PREFIX"), prefix):
        environ["SCRIPT_NAME"] = forwarded_prefix(entry)
    if entry := entry_of(environ.get("HTTP_X_FORWARDED_HOST"), host):
        name, own_port = _split_port(entry)
        environ["HTTP_HOST"] = entry
        environ["SERVER_NAME"] = name
        if own_port is not None:
            environ["SERVER_PORT"] = own_port
    entry = entry_of(environ.get("HTTP_X_FORWARDED_PORT"), port)
    if entry and (number := forwarded_port(entry)):
        if named := environ.get("HTTP_HOST"):
            environ["HTTP_HOST"] = f"{_split_port(named)[0]}:{number}"
        environ["SERVER_PORT"] = number


def _split_port(host: str) -> tuple[str, str | None]:
    # The colons of an IPv6 address stand in brackets.
    if ":" not in host or host.endswith("]"):
        return host, None
    name, _, port = host.rpartition(":")
    return name, port
