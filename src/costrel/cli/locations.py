"""The source locations of views, as the terminal shows them."""

from __future__ import annotations

import functools
import inspect
import os
import typing as t
from collections.abc import Callable
from pathlib import Path

_COSTREL: t.Final = str(Path(__file__).parents[1])


class Location(t.NamedTuple):
    """A line of a file. The path is relative if the file is below the working directory."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def location_of(view: Callable[..., object] | None) -> Location | None:
    """The location of a view under its decorators; None for views of Costrel itself and for compiled code."""
    if view is None:
        return None
    definition: object = getattr(view, "view_class", None) or inspect.unwrap(view)
    while isinstance(definition, functools.partial):
        definition = inspect.unwrap(definition.func)
    if not isinstance(definition, type) and not inspect.isroutine(definition):
        definition = type(definition)  # a callable object
    try:
        file = inspect.getsourcefile(t.cast("type", definition))
        line = inspect.getsourcelines(t.cast("type", definition))[1]
    except (OSError, TypeError):
        return None
    if file is None or os.path.abspath(file).startswith(_COSTREL + os.sep):
        return None
    return Location(_shortened(file), line)


def _shortened(file: str) -> str:
    file = os.path.abspath(file)
    below = os.path.relpath(file)
    return file if below.startswith(os.pardir) else below
