"""`costrel doctor`: shows what changes when a Flask application moves to Costrel."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from pathlib import Path

import click
from click.core import ParameterSource

from ..services.commands import ScriptInfo
from .tables import terminal_width

if t.TYPE_CHECKING:
    from ..doctor.child import Described


@click.command("doctor", short_help="Report the effects of moving a Flask application to Costrel.")
@click.argument("path", type=click.Path(exists=True, path_type=Path), default=".")
@click.option(
    "--app", "-A", "application", metavar="MODULE:NAME", help="Also import this application, in a child process."
)
@click.option("--json", "is_json", is_flag=True, help="Write the report as JSON.")
@click.pass_context
def doctor_command(ctx: click.Context, path: Path, application: str | None, is_json: bool) -> None:
    """Examine the Flask application in the folder PATH without importing it.

    The report lists its extensions, the names of Flask and Werkzeug that Costrel lacks, the settings with different
    defaults, and the way back to Flask. No data leaves this computer. Exits with 1 if something cannot work.
    """
    from ..doctor.report import as_json, as_lines, examine, uses_flask  # only this command needs them
    from ..doctor.sources import read_tree

    path = path.resolve()
    tree = read_tree(path)
    if not uses_flask(tree):
        raise click.UsageError(f"No Python file in {path} imports flask or werkzeug.", ctx)
    files = "1 Python file" if len(tree.sources) == 1 else f"{len(tree.sources)} Python files"
    click.echo(f"Examined {files} in {path}; nothing was imported.", err=is_json)
    import_name = application or _app_option(ctx)
    report = examine(tree, path, _described(import_name, tree.root) if import_name else None)
    if is_json:
        click.echo(as_json(report))
    else:
        click.echo()
        _print(as_lines(report))
    if report.of_level("blocker"):
        raise click.exceptions.Exit(1)


def _print(lines: Iterable[str]) -> None:
    """Print the lines of a report: headings in bold, other lines wrapped to the width of the terminal."""
    width = terminal_width()
    for line in lines:
        if line and not line.startswith(" "):
            click.secho(line, bold=True)
        elif width is None:
            click.echo(line)
        else:
            click.echo(click.wrap_text(line.strip(), max(width, 20), "  ", "    ") if line else "")


def _app_option(ctx: click.Context) -> str | None:
    """The value of the option ``--app`` if it was written before the command."""
    parent = ctx.parent
    if parent is None or parent.get_parameter_source("app") is not ParameterSource.COMMANDLINE:
        return None
    return ctx.ensure_object(ScriptInfo).app_import_path


def _described(application: str, folder: Path) -> Described:
    from ..doctor.application import NotDescribed, describe_in_child

    click.echo(f"Importing {application} in a child process, with Costrel as Flask. This runs its code.", err=True)
    try:
        return describe_in_child(application, folder)
    except NotDescribed as error:
        raise click.ClickException(f"{application} could not be examined. {error}") from None
