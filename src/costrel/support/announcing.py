"""Containers that announce their changes."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

P = t.ParamSpec("P")
T = t.TypeVar("T")


def announced(change: Callable[P, T], announce: Callable[[t.Any], object]) -> Callable[P, T]:
    """Return a method that calls `change` and then `announce` with the container, also if the change fails half-way.

    :param change: a method of `list` or `dict` that changes the container.
    """

    def method(*args: P.args, **kwargs: P.kwargs) -> T:
        """Change the container as the method of `dict` or `list` does."""
        try:
            return change(*args, **kwargs)
        finally:
            announce(args[0])

    method.__name__ = change.__name__
    method.__qualname__ = change.__qualname__
    return method
