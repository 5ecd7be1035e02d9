"""Whether a view could be typed: asked of each view at the start, so that untyped applications load nothing more."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

TYPED: t.Final = "__costrel_typed__"
"""The attribute of a function that `typed` has made: the function within."""


MAX_DECORATORS: t.Final = 100


def typed_within(view: object) -> Callable[..., t.Any] | None:
    """The function below the decorator `typed`, if that has made `view` itself."""
    if hasattr(view, "__wrapped__"):  # another decorator, which has copied the attributes
        return None
    found: Callable[..., t.Any] | None = getattr(view, TYPED, None)
    return found


def decorated(view: object) -> Iterator[object]:
    """The functions that other decorators stand around, from the outside in."""
    for _ in range(MAX_DECORATORS):
        view = getattr(view, "__wrapped__", None)
        if view is None:
            return
        yield view


def may_be_typed(function: object, chosen: bool) -> bool:
    """Whether a view has any annotation that could make it typed: asked first, since it costs next to nothing."""
    if typed_within(function) or any(map(typed_within, decorated(function))):
        return True
    annotations = getattr(function, "__annotations__", None)
    if annotations is None:
        annotations = getattr(getattr(type(function), "__call__", None), "__annotations__", None)  # noqa: B004
    return annotations is not None and len(annotations) > (not chosen and "return" in annotations)
