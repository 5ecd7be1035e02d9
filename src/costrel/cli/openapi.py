"""`costrel openapi`: writes the API document, or compares it with a saved one."""

from __future__ import annotations

import json
import typing as t
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click

from .. import context
from ..services.commands import with_appcontext

if t.TYPE_CHECKING:
    from ..app.application import Costrel


@click.command("openapi", short_help="Write the API document.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option("--format", "format_", type=click.Choice(["json", "yaml"]), default="json", show_default=True)
@click.option("--api", help="Write the document of this version, as named by Blueprint(api=...).")
@click.option("--untyped", is_flag=True, help="Include the views that are not typed.")
@click.option(
    "--check",
    "saved",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare with this saved document. List the changes, breaking ones first, and exit with 1 if there are any.",
)
@with_appcontext
def openapi_command(output: Path | None, format_: str, api: str | None, untyped: bool, saved: Path | None) -> None:
    """Write the API document (OpenAPI 3.1) of the typed views."""
    from ..openapi.document import dumps  # only this command needs it

    document = _document(untyped, api)
    if saved is not None:
        _check(_read(saved), document)
        return
    text = dumps(document) if format_ == "json" else _yaml().safe_dump(document, sort_keys=False, allow_unicode=True)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _document(untyped: bool, api: str | None) -> dict[str, t.Any]:
    from ..app.api_document import OpenAPI, versions_of
    from ..openapi.document import document_of
    from ..openapi.errors import DocumentError

    app = t.cast("Costrel", context.current().app)
    options = app.openapi if isinstance(app.openapi, OpenAPI) else OpenAPI()
    versions = versions_of(app)
    if api is not None and api not in versions:
        raise click.BadParameter(f"Unknown version {api!r}. {_known(versions)}", param_hint="--api")
    try:
        return document_of(app, options, untyped=untyped or options.untyped, api=api)
    except (DocumentError, TypeError) as error:
        raise click.ClickException(str(error)) from None


def _known(versions: list[str]) -> str:
    if not versions:
        return "No blueprint declares a version. Use Blueprint(api=...)."
    return f"The versions are: {', '.join(versions)}."


def _check(saved: dict[str, t.Any], document: dict[str, t.Any]) -> None:
    """List the changes. Exits with 1 if there are any."""
    from ..openapi.changes import changes_between

    changes = changes_between(saved, json.loads(json.dumps(document)))
    for change in changes:
        click.echo(str(change))
    if changes:
        raise click.exceptions.Exit(1)
    click.echo("The document is unchanged.")


def _read(path: Path) -> dict[str, t.Any]:
    """Load a saved document. Raises click.ClickException if the file does not contain one."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".yaml", ".yml"):
        document: object = _yaml().safe_load(text)
    else:
        try:
            document = json.loads(text)
        except ValueError as error:
            raise click.ClickException(f"{path} is not JSON: {error}") from None
    if not isinstance(document, dict) or "openapi" not in document:
        raise click.ClickException(f"{path} is not an OpenAPI document: it has no member 'openapi'.")
    return t.cast("dict[str, t.Any]", json.loads(json.dumps(document, default=str)))


def _yaml() -> ModuleType:
    """PyYAML, which is not a dependency of Costrel. Raises click.ClickException if it is not installed."""
    try:
        return import_module("yaml")
    except ImportError:
        raise click.ClickException("YAML requires PyYAML: pip install PyYAML. Or use JSON.") from None
