"""Whether a view could be typed: asked of each view at the start, so that untyped applications load nothing more."""

from __future__ import annotations

import typing as t

TYPED: t.Final = "__costrel_typed__"
"""The attribute of a function that `typed` has made: the function within."""


def may_be_typed(function: object, chosen: bool) -> bool:
    """Whether a view has any annotation that could make it typed: asked first, since it costs next to nothing."""
    if hasattr(function, TYPED):
        return True
    annotations = getattr(function, "__annotations__", None)
    if annotations is None:
        annotations = getattr(getattr(type(function), "__call__", None), "__annotations__", None)  # noqa: B004
    return annotations is not None and len(annotations) > (not chosen and "return" in annotations)
