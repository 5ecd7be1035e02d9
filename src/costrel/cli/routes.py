"""`costrel routes`: the routes of the application."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..globals import current_app
from ..services.commands import with_appcontext

_LEFT_OUT = {"HEAD", "OPTIONS"}
_SORTS = ("endpoint", "methods", "domain", "rule", "match")


@click.command("routes", short_help="Show the routes of the application.")
@click.option(
    "--sort",
    "-s",
    type=click.Choice(_SORTS),
    default="endpoint",
    help="Sort by this column, or by 'match', the order in which rules are tried.",
)
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS too.")
@with_appcontext
def routes_command(sort: str, all_methods: bool) -> None:
    """Show all routes, with their endpoints and methods."""
    url_map = current_app.url_map
    rules = list(url_map.iter_rules())
    if not rules:
        click.echo("No routes were registered.")
        return

    left_out = set() if all_methods else _LEFT_OUT
    by_host = url_map.host_matching
    rows: list[tuple[str, str, str, str]] = [
        (
            rule.endpoint,
            ", ".join(sorted((rule.methods or set()) - left_out)),
            (rule.host if by_host else rule.subdomain) or "",
            rule.rule,
        )
        for rule in rules
    ]
    if sort != "match":
        column = _SORTS.index(sort)
        rows.sort(key=lambda row: row[column])
    rows.insert(0, ("Endpoint", "Methods", "Host" if by_host else "Subdomain", "Rule"))
    if any(domain for _, _, domain, _ in rows[1:]):
        _print_table(rows)
    else:
        _print_table([(endpoint, methods, rule) for endpoint, methods, _, rule in rows])


def _print_table(table: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    rule = tuple("-" * width for width in widths)
    for row in (table[0], rule, *table[1:]):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
