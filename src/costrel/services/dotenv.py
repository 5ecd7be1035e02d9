"""Environment variables from the files ``.env``, ``.costrelenv`` and ``.flaskenv``, read by python-dotenv."""

from __future__ import annotations

import os

FILE_NAMES = (".env", ".costrelenv", ".flaskenv")
"""The files read by default; if two set the same variable, the first file of this list wins."""

_from_files: dict[str, str] = {}
"""The variables that this process has taken from files."""


def load_dotenv(path: str | os.PathLike[str] | None = None, load_defaults: bool = True) -> bool:
    """Set the environment variables of dotenv files, and return whether there were any.

    The default files are searched for in the working directory and above it. A variable that is set already is not
    changed, and the file at `path` wins over the default files. Without python-dotenv nothing is read; if there is a
    file, a line on standard error tells so.
    """
    try:
        import dotenv
    except ImportError:
        _hint_at_missing_package(path)
        return False

    files = [dotenv.find_dotenv(name, usecwd=True) for name in reversed(FILE_NAMES)] if load_defaults else []
    if path is not None:
        files.append(os.fspath(path))
    found: dict[str, str | None] = {}
    for file in files:
        if file and os.path.isfile(file):
            found |= dotenv.dotenv_values(file, encoding="utf-8")
    for key, value in found.items():
        if value is not None and key not in os.environ:
            os.environ[key] = value
            _from_files[key] = value
    return bool(found)


def environment_without_files() -> dict[str, str]:
    """The environment for a process that reads the dotenv files itself, so that it sees changes in them.

    Variables of the Python interpreter (``PYTHON…``) are kept, since they have an effect only from its start.
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
        f" * Not read: {', '.join(present)}. Install python-dotenv for that: pip install python-dotenv",
        fg="yellow",
        err=True,
    )
