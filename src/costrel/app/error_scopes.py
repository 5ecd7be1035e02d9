"""The blueprints whose error handlers answer for a request, also if no rule matched it.

A blueprint with ``owns_errors=True`` answers for each URL below its prefix that has no view.
"""

from __future__ import annotations

import typing as t

from ..http.errors import HTTPException
from ..routing import BaseConverter, Map, Rule
from ..routing.endpoints import blueprint_path

if t.TYPE_CHECKING:
    from ..context import AppContract, RequestContext


class Owner(t.NamedTuple):
    """One registration of a blueprint that owns the errors below its prefix."""

    name: str
    prefix: str
    subdomain: str | None


class _Anything(BaseConverter):
    """The rest of a path, whatever it is."""

    regex = ".*"
    weight = 1_000
    part_isolating = False


class ErrorOwners:
    """The owners of one application. They are matched as rules are, so that prefixes may have variables."""

    def __init__(self) -> None:
        self.owners: list[Owner] = []
        """All owners."""
        self._map: Map | None = None

    def add(self, name: str, prefix: str | None, subdomain: str | None) -> None:
        """Add a registration of a blueprint under `name`."""
        self.owners.append(Owner(name, "/" + (prefix or "").strip("/"), subdomain))
        self._map = None

    def scopes_for(self, ctx: RequestContext) -> list[str]:
        """The names of the innermost owner of the request's URL and of the blueprints around it."""
        app, adapter = ctx.app, ctx.url_adapter
        if self._map is None:
            self._map = self._made_map(app)
        subdomain = adapter.subdomain if app.subdomain_matching and adapter is not None else None
        try:
            found: str = self._map.bind("localhost", subdomain=subdomain).match(ctx.request.path, websocket=False)[0]
        except HTTPException:
            return []
        return blueprint_path(found)

    def _made_map(self, app: AppContract) -> Map:
        converters = {**app.url_map.converters, "_anything": _Anything}
        made = Map(converters=converters, merge_slashes=False, default_subdomain=app.url_map.default_subdomain)
        for owner in self.owners:
            subdomain = owner.subdomain if app.subdomain_matching else None
            below = f"{owner.prefix.rstrip('/')}/<_anything:_below>"
            for rule in {owner.prefix, below}:
                made.add(Rule(rule, endpoint=owner.name, subdomain=subdomain))
        return made


def scopes_of(ctx: RequestContext) -> list[str]:
    """The names of the blueprints that answer for the errors of a request, from the inside out."""
    request = ctx.request
    if request.url_rule is None and ctx.app.error_owners.owners:
        return ctx.app.error_owners.scopes_for(ctx)
    names: list[str] = request.blueprints
    return names
