"""`costrel static`: exports the static files for a CDN or another web server."""

from __future__ import annotations

import typing as t
from pathlib import Path

import click

from .. import context
from ..services.commands import AppGroup, with_appcontext

if t.TYPE_CHECKING:
    from ..app.application import Costrel


@click.command("build")
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@with_appcontext
def build_command(directory: Path | None) -> None:
    """Write all static files to DIRECTORY, with hashed names and compressed copies.

    The files are at the paths of their URLs. DIRECTORY defaults to the setting STATIC_BUILD.
    """
    from ..app.static_build import BuildError, build, unreachable  # only this command needs it
    from ..services.statics.codings import NAMES, codings

    app = t.cast("Costrel", context.current().app)
    target = _target(app, directory)
    try:
        written = list(build(app, app.static_urls, target))
    except (BuildError, OSError) as error:
        raise click.ClickException(str(error)) from None
    for rule in unreachable(app.static_urls):
        click.echo(f"Skipped {rule}: it has a variable, so its files have no fixed path.", err=True)
    missing = set(NAMES.values()) - {coding.name for coding in codings()}
    if missing:
        click.echo(f"Not compressed with {' and '.join(sorted(missing))}: pip install 'costrel[compress]'.", err=True)
    copies = sum(path.suffix in NAMES for path in written)
    click.echo(f"Wrote {len(written) - copies} files and {copies} compressed copies to {target}.")


def _target(app: Costrel, directory: Path | None) -> Path:
    if directory is not None:
        return directory
    build = app.config.get("STATIC_BUILD")
    if build is None:
        raise click.UsageError("Pass a folder, as in 'costrel static build dist', or set STATIC_BUILD.")
    return Path(app.root_path, build)


static_group = AppGroup(
    "static", help="Prepare the static files for a CDN or another web server.", commands=[build_command]
)
