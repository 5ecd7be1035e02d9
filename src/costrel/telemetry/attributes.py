"""The attributes of a request's span, as in the stable semantic conventions for HTTP servers (1.27)."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping

from ..http.hosts import get_host
from ..messages.source import hot
from ..middleware.proxy_fix import ORIGINAL

if t.TYPE_CHECKING:
    from ..context import RequestContext

Value: t.TypeAlias = str | int

KNOWN_METHODS: t.Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
OTHER: t.Final = "_OTHER"
"""The method attribute of requests with an unknown method, so that clients cannot create any number of values."""

_SIGNATURES: t.Final = re.compile(r"(?<![^&])(AWSAccessKeyId|Signature|sig|X-Goog-Signature)=[^&]*")
"""The query parameters that the conventions redact because they are secrets."""


class RequestAttributes(Mapping[str, Value]):
    """The attributes that are known when the span starts, computed when the sampler or the span reads them."""

    def __init__(self, ctx: RequestContext) -> None:
        self._ctx = ctx
        self._computed: dict[str, Value] | None = None

    @property
    def span_name(self) -> str:
        """The method and the route. The conventions require a name with few distinct values."""
        method = hot(self._ctx.request._source, "REQUEST_METHOD", "")
        route = route_of(self._ctx)
        name = method if method in KNOWN_METHODS else "HTTP"
        return name if route is None else f"{name} {route}"

    def __getitem__(self, name: str) -> Value:
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def _all(self) -> dict[str, Value]:
        if self._computed is None:
            self._computed = dict(_attributes_of(self._ctx))
        return self._computed


def route_of(ctx: RequestContext) -> str | None:
    """The matched rule, or the prefix of the mount; None if neither matched."""
    if ctx.mount is not None:
        return ctx.mount.place
    rule = ctx.request.url_rule
    return None if rule is None else rule.rule


def _attributes_of(ctx: RequestContext) -> Iterator[tuple[str, Value]]:
    source = ctx.request._source
    method = hot(source, "REQUEST_METHOD", "")
    yield "http.request.method", method if method in KNOWN_METHODS else OTHER
    if method not in KNOWN_METHODS:
        yield "http.request.method_original", method
    yield "url.scheme", source["wsgi.url_scheme"]
    yield "url.path", _decoded(source.get("SCRIPT_NAME", "") + source.get("PATH_INFO", ""))
    query = source.get("QUERY_STRING")
    if query:
        yield "url.query", _SIGNATURES.sub(r"\1=REDACTED", query)
    route = route_of(ctx)
    if route is not None:
        yield "http.route", route
    yield from _addresses_of(source)
    _, _, version = source.get("SERVER_PROTOCOL", "").partition("/")
    if version:
        yield "network.protocol.version", version.removesuffix(".0") if version > "2" else version
    agent = source.get("HTTP_USER_AGENT")
    if agent:
        yield "user_agent.original", agent


def _addresses_of(source: dict[str, t.Any]) -> Iterator[tuple[str, Value]]:
    host = get_host(source["wsgi.url_scheme"], source.get("HTTP_HOST"), _server_of(source))
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdigit():
        name, port = host, "443" if source["wsgi.url_scheme"] == "https" else "80"
    if name:
        yield "server.address", name.strip("[]")
        yield "server.port", int(port)
    address = source.get("REMOTE_ADDR")
    if address:
        yield "client.address", address
    peer = _peer_of(source)
    if peer:
        yield "network.peer.address", peer


def _server_of(source: dict[str, t.Any]) -> tuple[str, int | None] | None:
    name, port = source.get("SERVER_NAME"), str(source.get("SERVER_PORT") or "")
    return (name, int(port) if port.isdigit() else None) if name else None


def _peer_of(source: dict[str, t.Any]) -> str | None:
    """The address of the connection's other end: the proxy's, if there is one."""
    scope = hot(source, "asgi.scope")
    if scope is None:
        original: dict[str, str] | None = source.get(ORIGINAL)
        return source.get("REMOTE_ADDR") if original is None else original.get("REMOTE_ADDR")
    client = scope.get("client")
    return client[0] if client else None


def _decoded(path: str) -> str:
    return path.encode("latin-1", "replace").decode("utf-8", "replace")
