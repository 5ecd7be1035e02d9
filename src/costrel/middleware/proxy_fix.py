"""Believes the proxies in front of the application, and no others, about the client and the host.

A proxy adds a value to each `X-Forwarded-*` header; the last ones are from the proxies that are one's own, all before
them may be the client's inventions. So the number of proxies is told for each header, and only that value is used.
"""

from __future__ import annotations

import typing as t

from ..http.grammar import parse_list_header

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_CHANGED = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")


class ProxyFix:
    """Put what proxies tell in `X-Forwarded-*` into the environ.

    :param x_for: how many proxies set `X-Forwarded-For`; 0 does not believe the header.
    :param x_proto: how many set `X-Forwarded-Proto`.
    :param x_host: how many set `X-Forwarded-Host`.
    :param x_port: how many set `X-Forwarded-Port`.
    :param x_prefix: how many set `X-Forwarded-Prefix`.

    What stood in the environ before is kept in `environ["werkzeug.proxy_fix.orig"]`.
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
        """The value that the farthest of the trusted proxies has added; None when there are fewer values."""
        if not trusted or not value:
            return None
        values = parse_list_header(value)
        return values[-trusted] if len(values) >= trusted else None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> t.Iterable[bytes]:
        environ["werkzeug.proxy_fix.orig"] = {key: environ.get(key) for key in _CHANGED}
        self._believe_client(environ)
        self._believe_host(environ)
        return self.app(environ, start_response)

    def _believe_client(self, environ: WSGIEnvironment) -> None:
        if address := self._get_real_value(self.x_for, environ.get("HTTP_X_FORWARDED_FOR")):
            environ["REMOTE_ADDR"] = address
        if scheme := self._get_real_value(self.x_proto, environ.get("HTTP_X_FORWARDED_PROTO")):
            environ["wsgi.url_scheme"] = scheme
        if prefix := self._get_real_value(self.x_prefix, environ.get("HTTP_X_FORWARDED_PREFIX")):
            environ["SCRIPT_NAME"] = prefix

    def _believe_host(self, environ: WSGIEnvironment) -> None:
        if host := self._get_real_value(self.x_host, environ.get("HTTP_X_FORWARDED_HOST")):
            name, port = _split_port(host)
            environ["HTTP_HOST"] = host
            environ["SERVER_NAME"] = name
            if port is not None:
                environ["SERVER_PORT"] = port
        if port := self._get_real_value(self.x_port, environ.get("HTTP_X_FORWARDED_PORT")):
            if host := environ.get("HTTP_HOST"):
                environ["HTTP_HOST"] = f"{_split_port(host)[0]}:{port}"
            environ["SERVER_PORT"] = port


def _split_port(host: str) -> tuple[str, str | None]:
    # The colons of an IPv6 address stand in brackets.
    if ":" not in host or host.endswith("]"):
        return host, None
    name, _, port = host.rpartition(":")
    return name, port
