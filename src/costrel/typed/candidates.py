"""Whether a view could be typed: checked for each view at the start, so that untyped applications load no more."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

TYPED: t.Final = "__costrel_typed__"
"""The attribute of a function that `typed` has made: the function within."""

MAX_DECORATORS: t.Final = 100

VIEW_METHODS: t.Final = (
    "get",
    "post",
    "head",
    "options",
    "delete",
    "put",
    "trace",
    "patch",
    "dispatch_request",
)
"""The methods of a class-based view that may be typed."""


def typed_within(view: object) -> Callable[..., t.Any] | None:
    """The function below the decorator `typed`, if `typed` made `view` itself."""
    if hasattr(view, "__wrapped__"):  # another decorator, which has copied the attributes
        return None
    found: Callable[..., t.Any] | None = getattr(view, TYPED, None)
    return found


def decorated(view: object) -> Iterator[object]:
    """The functions within decorators, from the outside in."""
    for _ in range(MAX_DECORATORS):
        view = getattr(view, "__wrapped__", None)
        if view is None:
            return
        yield view


def functions_within(view: object) -> list[Callable[..., t.Any]]:
    """A view and the functions within its decorators, from the outside in."""
    around = (each for outer in (view, *decorated(view)) for each in (outer, typed_within(outer)))
    return [each for each in around if callable(each)]


def function_for(view: Callable[..., t.Any], method: str) -> Callable[..., t.Any]:
    """The function that answers a method: the view, or for a class-based view a method of the class."""
    cls: type | None = getattr(view, "view_class", None)
    if cls is None:
        return view
    names = (method.lower(), *(("get",) if method == "HEAD" else ()), "dispatch_request")
    functions: Iterator[Callable[..., t.Any] | None] = (getattr(cls, name, None) for name in names)
    return next(filter(None, functions))


class Coverage(t.NamedTuple):
    """The facts about one endpoint that decide, together with the signature, whether its view is typed."""

    filled: frozenset[str]
    """URL variables of its rules, and keys of their defaults."""
    preprocessed: bool
    """Whether a `url_value_preprocessor` may add further values."""
    chosen: bool
    """Whether ``typed=True`` covers it."""
    by_signature: bool
    """Whether a parameter that nothing else can fill makes a view typed, as in `Costrel` but not in `Flask`."""


def has_typed(function: object) -> bool:
    """Whether a function, or a function within its decorators, was made by `typed`."""
    return typed_within(function) is not None or any(map(typed_within, decorated(function)))


def raw_annotations(function: object) -> dict[str, object]:
    """The annotations of a function as written; for another callable, the annotations of ``__call__``."""
    found: dict[str, object] | None = getattr(function, "__annotations__", None)
    if found is None:
        found = getattr(getattr(type(function), "__call__", None), "__annotations__", None)  # noqa: B004
    return found or {}


def may_be_typed(function: object, coverage: Coverage) -> bool:
    """Whether a view has an annotation that could make it typed, without evaluating the annotations."""
    annotations = raw_annotations(function)
    if coverage.chosen:
        return bool(annotations)
    filled = names_with_default(function) | coverage.filled | {"return"}
    return any(
        name not in filled
        or (name != "return" and (isinstance(annotation, str) or hasattr(annotation, "__metadata__")))
        for name, annotation in annotations.items()
    )


def names_with_default(function: object) -> frozenset[str]:
    """The parameters of a plain function that have a default; none for another callable."""
    code, defaults = getattr(function, "__code__", None), getattr(function, "__defaults__", None) or ()
    if code is None:
        return frozenset()
    positional: tuple[str, ...] = code.co_varnames[: code.co_argcount]
    return frozenset(
        (*positional[len(positional) - len(defaults) :], *(getattr(function, "__kwdefaults__", None) or ()))
    )
