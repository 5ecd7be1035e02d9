"""The rules for names of new projects."""

from __future__ import annotations

import keyword
import re
import sys
import typing as t
from importlib.machinery import PathFinder
from pathlib import Path

MAX_LENGTH: t.Final = 40
"""The maximum length. Lines of a project that contain its name are formatted for this length."""

_PATTERN: t.Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
_RESERVED: t.Final = {
    "costrel": "Costrel's own package",
    "flask": "a package that Costrel stands in for",
    "werkzeug": "a package that Costrel stands in for",
    "mypy": "the type checker of the project",
    "pytest": "the package that runs the project's tests",
    "ruff": "the linter of the project",
    "test": "a package of Python itself",
    "tests": "the folder of the project's tests",
    "wheels": "a folder of the project",
    "wsgi": "a module of the project",
}


class ProjectName(str):
    """The name of a project as the user wrote it, and the names derived from it."""

    @property
    def package(self) -> str:
        """The name of the project's package."""
        return self.lower().replace("-", "_")

    @property
    def prefix(self) -> str:
        """The prefix of the project's environment variables."""
        return self.package.upper()


def problem_of(name: str) -> str | None:
    """The message for a name that a project cannot have; None if it can."""
    if "/" in name or "\\" in name or name in (".", ".."):
        return f"{name!r} is a path. Change to the parent folder, and use only the name."
    if not _PATTERN.fullmatch(name):
        return (
            f"{name!r} is not a valid name. Use letters, digits, '-' and '_', starting with a letter and ending with a"
            " letter or digit."
        )
    if len(name) > MAX_LENGTH:
        return f"{name!r} has {len(name)} characters; at most {MAX_LENGTH} are allowed."
    package = ProjectName(name).package
    if keyword.iskeyword(package) or keyword.iskeyword(name):
        return f"{name!r} is a Python keyword, so no module can have this name. Try {package + '_app'!r}."
    taken = _RESERVED.get(package) or _owner_of(package)
    if taken is not None:
        return f"{package!r} is the name of {taken}, which the project would shadow. Try {package + '_app'!r}."
    return None


def _owner_of(package: str) -> str | None:
    """A description of the installed module with this name; None if there is none. Nothing is imported."""
    if package in sys.stdlib_module_names:
        return "a module of Python itself"
    # The current folder is left out, since it may contain an empty folder with the project's name.
    here = Path.cwd()
    paths = [path for path in sys.path if path and Path(path).resolve() != here]
    others = [finder for finder in sys.meta_path if finder is not PathFinder]  # for editable installations
    if PathFinder.find_spec(package, paths) or any(finder.find_spec(package, None) for finder in others):
        return "an installed module"
    return None
