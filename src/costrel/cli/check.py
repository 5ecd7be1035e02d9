"""`costrel check`: finds weaknesses of the application and shows how to fix them."""

from __future__ import annotations

import typing as t

import click

from .. import context
from ..devserver.banner import input_lines
from ..services.commands import with_appcontext

if t.TYPE_CHECKING:
    from ..app.application import Costrel


@click.command("check", short_help="List the weaknesses of the application.")
@click.option(
    "--deploy", is_flag=True, help="Exit with 1 if there is any finding except hints, as a step before deployment."
)
@with_appcontext
def check_command(deploy: bool) -> None:
    """Check settings, routes, views and templates, and list each weakness with its fix.

    To accept a finding, add the text before its colon to the setting CHECK_IGNORE.
    """
    from ..audit import audit  # only this command needs it

    app = t.cast("Costrel", context.current().app)
    findings = audit(app)
    for finding in findings:
        hint = "Hint: " if finding.is_hint else ""
        click.echo(f"{hint}{finding.place}: {finding.problem}\n    {finding.remedy}")
    for line in input_lines(app):
        click.echo(f"{line}.")
    if not findings:
        click.echo("No weaknesses found.")
        return
    click.echo(f"\n{len(findings)} found.")
    if deploy and not all(finding.is_hint for finding in findings):
        raise click.exceptions.Exit(1)
