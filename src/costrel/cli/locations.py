"""The file and line of a view, as a terminal shows them."""

from __future__ import annotations

import functools
import inspect
import os
import typing as t
from collections.abc import Callable
from pathlib import Path

_OWN: t.Final = str(Path(__file__).parents[1])


class Place(t.NamedTuple):
    """A file, by its path from the working directory if it is below it, and a line."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def place_of(view: Callable[..., object] | None) -> Place | None:
    """The place of a view, without its decorators; None for views of Costrel itself and of compiled code."""
    if view is None:
        return None
    found: object = getattr(view, "view_class", None) or inspect.unwrap(view)
    while isinstance(found, functools.partial):
        found = inspect.unwrap(found.func)
    if not isinstance(found, type) and not inspect.isroutine(found):
        found = type(found)  # an object that can be called
    try:
        file = inspect.getsourcefile(t.cast("type", found))
        line = inspect.getsourcelines(t.cast("type", found))[1]
    except (OSError, TypeError):
        return None
    if file is None or os.path.abspath(file).startswith(_OWN + os.sep):
        return None
    return Place(_shortened(file), line)


def _shortened(file: str) -> str:
    file = os.path.abspath(file)
    below = os.path.relpath(file)
    return file if below.startswith(os.pardir) else below
