"""`costrel check`: finds weaknesses of the application, and shows how to fix them."""

from __future__ import annotations

import typing as t

import click

from .. import context
from ..devserver.banner import input_lines
from ..services.commands import with_appcontext

if t.TYPE_CHECKING:
    from ..app.application import Costrel


@click.command("check", short_help="Show what is weak in the application.")
@click.option("--deploy", is_flag=True, help="Fail where anything but a hint is found: for the step before production.")
@with_appcontext
def check_command(deploy: bool) -> None:
    """Check settings, routes, views and templates, and show each weakness with its remedy.

    The entries of CHECK_IGNORE are left out: a setting, endpoint, rule or template, as it is written before the colon.
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
        click.echo("Nothing weak was found.")
        return
    click.echo(f"\n{len(findings)} found.")
    if deploy and not all(finding.is_hint for finding in findings):
        raise click.exceptions.Exit(1)
