"""Loads environment variables from ``.env``, ``.costrelenv`` and ``.flaskenv``, with python-dotenv."""

from __future__ import annotations

import os

FILE_NAMES = (".env", ".costrelenv", ".flaskenv")
"""The files that are read by default. If several set the same variable, the first file in this list wins."""

_from_files: dict[str, str] = {}
"""The variables that this process has loaded from files."""


def load_dotenv(path: str | os.PathLike[str] | None = None, load_defaults: bool = True) -> bool:
    """Set the environment variables of dotenv files. Returns whether there were any.

    The default files are searched for in the working directory and its parents. Variables that are already set are not
    changed, and the file at `path` takes precedence over the default files. Without python-dotenv, nothing is loaded;
    if there is a file, a message on standard error says so.
    """
    try:
        import dotenv
    except ImportError:
        _hint_at_missing_package(path)
        return False

    files = [dotenv.find_dotenv(name, usecwd=True) for name in reversed(FILE_NAMES)] if load_defaults else []
    if path is not None:
        files.append(os.fspath(path))
    variables: dict[str, str | None] = {}
    for file in files:
        if file and os.path.isfile(file):
            variables |= dotenv.dotenv_values(file, encoding="utf-8")
    for key, value in variables.items():
        if value is not None and key not in os.environ:
            os.environ[key] = value
            _from_files[key] = value
    return bool(variables)


def environment_without_files() -> dict[str, str]:
    """The environment for a process that reads the dotenv files itself, so that it sees changes in them.

    Variables of the Python interpreter (``PYTHON…``) are kept, since the interpreter reads them when it starts.
    """
    return {
        name: value for name, value in os.environ.items() if _from_files.get(name) != value or name.startswith("PYTHON")
    }


def _hint_at_missing_package(path: str | os.PathLike[str] | None) -> None:
    present = [name for name in FILE_NAMES if os.path.isfile(name)]
    if path is not None:
        present.insert(0, os.fspath(path))
    if not present:
        return

    import click

    click.secho(
        f" * Not loaded: {', '.join(present)}. This requires python-dotenv: pip install python-dotenv",
        fg="yellow",
        err=True,
    )
