"""Protocols for the parts of an application and a request that the guards use."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from ..context import RequestContext
    from ..http.errors import HTTPException
    from ..http.headers import Headers
    from ..http.multidict import MultiDict
    from ..messages.response import Response
    from ..messages.source import Fields
    from ..routing import Rule

Settings: t.TypeAlias = Mapping[str, t.Any]
"""The configuration of an application."""

View: t.TypeAlias = Callable[..., object]

RespondToError: t.TypeAlias = "Callable[[RequestContext, HTTPException, Callable[[], Response]], Response]"
"""Creates the response to an error in the format that the client prefers. The function creates the plain page."""


class Arrival(t.Protocol):
    """Handles requests with certain header fields before any other code reads them."""

    @property
    def fields(self) -> Fields: ...
    def arrive(self, ctx: RequestContext, /) -> None: ...


class MarkedApp(t.Protocol):
    """The settings, views and blueprints of an application. Decorators may have left marks on them."""

    @property
    def config(self) -> dict[str, t.Any]: ...
    @property
    def view_functions(self) -> Mapping[str, View]: ...
    @property
    def blueprints(self) -> Mapping[str, object]: ...


class GuardedRequest(t.Protocol):
    """A request after the application has matched it."""

    @property
    def _source(self) -> WSGIEnvironment: ...
    @property
    def method(self) -> str: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def form(self) -> MultiDict[str, str]: ...
    @property
    def remote_addr(self) -> str | None: ...
    @property
    def url_rule(self) -> Rule | None: ...
    @property
    def routing_exception(self) -> HTTPException | None: ...
