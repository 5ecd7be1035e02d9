"""Containers that announce their changes."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from functools import wraps


def announced(change: Callable[..., t.Any], announce: Callable[[t.Any], object]) -> t.Any:
    """Return a method that calls `change` and then `announce` with the container, also if the change fails half-way.

    :param change: a method of `list` or `dict` that changes the container.
    """

    @wraps(change)
    def method(self: t.Any, *args: object, **kwargs: object) -> object:
        try:
            return change(self, *args, **kwargs)
        finally:
            announce(self)

    return method
