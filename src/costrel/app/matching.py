"""Matching: the rule for a request, found by path and method alone unless the host or an override has a say."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from copy import copy

from ..context import AppContract, RequestContext, outlook_of
from ..http.errors import HTTPException, NotFound, SecurityError
from ..messages.source import hot
from .frontends import enter_frontend
from .mounts import REPLACED, find_mount

if t.TYPE_CHECKING:
    from ..routing import Rule

UNKNOWN_METHOD: t.Final = "--"
"""A method that no rule has."""

MAX_KNOWN_HOSTS: t.Final = 1024


class KnownHosts:
    """The Host headers that an application has accepted, so that each is examined once.

    A client that invents new hosts has each of them examined.
    """

    def __init__(self) -> None:
        self.names: set[str | None] = set()
        """The accepted hosts."""
        self.trusted: t.Collection[str] | None = None
        """A copy of ``TRUSTED_HOSTS`` as it was when they were accepted."""

    def check(self, request: t.Any, host: str | None, app: AppContract, trusted: t.Collection[str] | None) -> None:
        """Raise SecurityError if the header `host` names no host, or one that is not among `trusted`."""
        names = self.names
        if trusted != self.trusted:
            names = self.names = set()
            self.trusted = copy(trusted)  # a list may be changed in place
        if host not in names:
            settle_host(app, request)
            request.check_host()
            if host and len(names) < MAX_KNOWN_HOSTS:
                names.add(host)


def settle_host(app: AppContract, request: t.Any) -> None:
    """Settle the host of a request whose server reports an empty ``Host``, as Granian does if the field is missing.

    The address of the server takes its place for HTTP/1.0, whose requests need no such field, and without
    ``HOST_REQUIRED``. Raises SecurityError for any other request (RFC 9112 §3.2).
    """
    source = request._source
    if hot(source, "HTTP_HOST") != "":
        return
    if app.config.get("HOST_REQUIRED") and source.get("SERVER_PROTOCOL") not in _WITHOUT_HOST:
        raise SecurityError("The request has no Host header.")
    source.pop("HTTP_HOST")


_WITHOUT_HOST: t.Final = frozenset({"HTTP/0.9", "HTTP/1", "HTTP/1.0"})
"""The protocols whose requests may lack a Host, as servers write them."""


def match_request(self: RequestContext) -> None:
    """Set the request's rule and view arguments, or the error that is raised when the request is dispatched."""
    app, request = self.app, self.request
    request.routing_exception = None  # PERF: page. An attribute of the instance is found before one of the class.
    source = request._source
    path = hot(source, "PATH_INFO")
    rule, found = _UNDECIDED
    try:
        if path and hot(source, "HTTP_UPGRADE") is None and not (self.outlook or outlook_of(app)).matches_apart:
            host, known, trusted = hot(source, "HTTP_HOST"), app.known_hosts, app.config["TRUSTED_HOSTS"]
            if trusted is not None:
                request.trusted_hosts = trusted
            if host not in known.names or trusted != known.trusted:
                known.check(request, host, app, trusted)
            if not path.isascii():
                path = request.path
            rule, found = app.url_map.find(path, source["REQUEST_METHOD"])
        if found is None and (adapter := self.url_adapter) is not None:
            rule, found = adapter.match(method=_unknown_method(app, request), return_rule=True)
    except HTTPException as error:
        error.__context__ = None  # the errors before it: their tracebacks would keep this request in a cycle
        found = error
    if rule is not None:
        request.url_rule = rule
        request.view_args = found
    elif isinstance(found, HTTPException):
        request.routing_exception = found
        if (app.mounts or app.frontends) and isinstance(found, NotFound):
            if app.mounts:
                enter_mount(app, self)
            if app.frontends and self.mount is None:
                enter_frontend(app, self)


RequestContext.match_request = match_request

_UNDECIDED: t.Final[tuple[Rule | None, Mapping[str, t.Any] | HTTPException | None]] = None, None


def enter_mount(app: AppContract, ctx: RequestContext) -> None:
    """Send a request that no rule matches to the mount that its path is below, if there is one."""
    ctx.mount = find_mount(app, hot(ctx.request._source, "PATH_INFO", ""))
    if ctx.mount is not None:
        ctx.overridden |= REPLACED


def _unknown_method(app: AppContract, request: t.Any) -> str | None:
    """A method that no rule has, for one that differs from a known method only in case; None for all others.

    Methods are case-sensitive (RFC 9110 §9.1): a proxy in front that let "get" pass did not take it for GET.
    """
    method: str = request._source["REQUEST_METHOD"]
    if method == method.upper() or not app.config.get("METHOD_CASE_SENSITIVE"):
        return None
    request.method = method
    return UNKNOWN_METHOD
