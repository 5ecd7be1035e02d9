"""`costrel new`: creates a project that passes its own linter, type checker and tests."""

from __future__ import annotations

from pathlib import Path

import click

from .project_names import ProjectName, problem_of
from .projects import KINDS, write_project


@click.command("new", short_help="Create a project.")
@click.argument("name")
@click.option("--web", "kind", flag_value="web", default=True, help="Create pages with templates. This is the default.")
@click.option("--api", "kind", flag_value="api", help="Create a JSON API with an OpenAPI document.")
def new_command(name: str, kind: str) -> None:
    """Create a project in the folder NAME.

    It has an application factory, a blueprint of typed views, settings from the environment, tests, a container,
    continuous integration, and notes for the people and programs that work on it.
    """
    problem = problem_of(name)
    if problem is not None:
        raise click.BadParameter(problem, param_hint="NAME")
    folder = Path.cwd() / name
    try:
        write_project(folder, ProjectName(name), KINDS[kind])
    except OSError as error:
        raise click.ClickException(f"Cannot create {folder}: {error.strerror or error}.") from error
    click.echo(f"Wrote {folder}. Next:\n\n    cd {name}\n    costrel run --debug\n\nREADME.md describes the rest.")
