"""`costrel routes`: shows the routes of the application, or the route that a request matches."""

from __future__ import annotations

import json
import typing as t

import click

from .. import context
from ..services.commands import with_appcontext
from .locations import location_of
from .tables import print_table

if t.TYPE_CHECKING:
    from ..app.application import Costrel
    from ..routing import Rule

_LEFT_OUT = {"HEAD", "OPTIONS"}
_SORTS = ("endpoint", "methods", "domain", "rule", "match")


class ShownRoute(t.NamedTuple):
    """A route, as it is shown."""

    endpoint: str
    methods: list[str]
    domain: str
    rule: str
    file: str | None
    line: int | None
    is_websocket: bool


@click.command("routes", short_help="Show the routes of the application.")
@click.option(
    "--sort",
    "-s",
    type=click.Choice(_SORTS),
    default="endpoint",
    help="Sort by this column, or by 'match', the order in which rules are tried.",
)
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS too.")
@click.option(
    "--match",
    metavar="'METHOD PATH'",
    help="Show the route that matches this request, or why none does. A URL also sets the host; WEBSOCKET is a method.",
)
@click.option("--json", "is_json", is_flag=True, help="Write JSON.")
@with_appcontext
def routes_command(sort: str, all_methods: bool, match: str | None, is_json: bool) -> None:
    """Show all routes with their endpoints, methods and views."""
    app = t.cast("Costrel", context.current().app)
    if match is not None:
        from .matching import show_match  # only this option needs it

        show_match(app, match, is_json)
        return
    routes = [_route(app, rule, all_methods) for rule in app.url_map.iter_rules()]
    if sort != "match":
        routes.sort(key=_SORT_KEYS[sort])
    if is_json:
        click.echo(json.dumps([_as_object(route, app.url_map.host_matching) for route in routes], indent=2))
    elif not routes:
        click.echo("No routes were registered.")
    else:
        _print_routes(routes, app.url_map.host_matching)


_SORT_KEYS: t.Final[dict[str, t.Callable[[ShownRoute], str]]] = {
    "endpoint": lambda route: route.endpoint,
    "methods": lambda route: ", ".join(route.methods),
    "domain": lambda route: route.domain,
    "rule": lambda route: route.rule,
}


def _route(app: Costrel, rule: Rule, all_methods: bool) -> ShownRoute:
    location = location_of(app.view_functions.get(rule.endpoint))
    methods = sorted((rule.methods or set()) - (set() if all_methods else _LEFT_OUT))
    domain = (rule.host if app.url_map.host_matching else rule.subdomain) or ""
    file, line = (location.file, location.line) if location else (None, None)
    return ShownRoute(rule.endpoint, methods, domain, rule.rule, file, line, rule.websocket)


def _as_object(route: ShownRoute, by_host: bool) -> dict[str, object]:
    return {
        "endpoint": route.endpoint,
        "methods": route.methods,
        "host" if by_host else "subdomain": route.domain,
        "rule": route.rule,
        "websocket": route.is_websocket,
        "file": route.file,
        "line": route.line,
    }


def _print_routes(routes: list[ShownRoute], by_host: bool) -> None:
    head = ("Endpoint", "Methods", "Host" if by_host else "Subdomain", "Rule", "View")
    rows = []
    for route in routes:
        view = f"{route.file}:{route.line}" if route.file else ""
        rows.append((route.endpoint, ", ".join(route.methods), route.domain, route.rule, view))
    print_table(head, rows)
