"""`costrel new`: writes a project that passes its own lint, types and tests."""

from __future__ import annotations

from pathlib import Path

import click

from .project_names import ProjectName, problem_of
from .projects import KINDS, write_project


@click.command("new", short_help="Create a project.")
@click.argument("name")
@click.option("--web", "kind", flag_value="web", default=True, help="Write pages with templates. This is the default.")
@click.option("--api", "kind", flag_value="api", help="Write a JSON API with its OpenAPI document.")
def new_command(name: str, kind: str) -> None:
    """Write a new project into the folder NAME.

    It has a factory, a blueprint of typed views, settings from the environment, tests, a container, continuous
    integration, and notes for people and programs who work on it.
    """
    problem = problem_of(name)
    if problem is not None:
        raise click.BadParameter(problem, param_hint="NAME")
    folder = Path.cwd() / name
    try:
        write_project(folder, ProjectName(name), KINDS[kind])
    except OSError as error:
        raise click.ClickException(f"{folder} was not written: {error.strerror or error}.") from error
    click.echo(f"Wrote {folder}. Next:\n\n    cd {name}\n    costrel run --debug\n\nREADME.md describes the rest.")
