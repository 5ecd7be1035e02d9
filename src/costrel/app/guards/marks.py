"""What a decorator leaves on a view or a blueprint, and what therefore holds for an endpoint.

The nearest word counts: the view's, else that of its blueprint, else that of the one around it, else the setting's.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

T = t.TypeVar("T")
Marked = t.TypeVar("Marked")

NOTHING: t.Final[t.Any] = object()


def mark(name: str, value: t.Any) -> Callable[[Marked], Marked]:
    """A decorator that leaves `value` on a view, a view class or a blueprint, for the guards to find."""

    def decorator(marked: Marked) -> Marked:
        setattr(marked, name, value)
        return marked

    return decorator


def mark_of(view: t.Any, name: str) -> t.Any:
    """What stands on a view, on the class that it was made of, or on the function behind it; else NOTHING."""
    for holder in (view, getattr(view, "view_class", None), getattr(view, "function", None)):
        value = getattr(holder, name, NOTHING)
        if value is not NOTHING:
            return value
    return NOTHING


def marks_of(app: t.Any, endpoint: str, name: str) -> Iterator[tuple[str | None, t.Any]]:
    """The marks for an endpoint, the nearest first: (None, the view's), then (its name, a blueprint's)."""
    own = mark_of(app.view_functions.get(endpoint), name)
    if own is not NOTHING:
        yield None, own
    scope = endpoint
    while "." in scope:
        scope = scope.rpartition(".")[0]
        value = getattr(app.blueprints.get(scope), name, NOTHING)
        if value is not NOTHING:
            yield scope, value


def has_marks(app: t.Any, name: str) -> bool:
    """Whether any view or blueprint of `app` has such a mark."""
    if any(hasattr(blueprint, name) for blueprint in app.blueprints.values()):
        return True
    # Nearly all views are functions with nothing on them. Tests have this asked at each of their requests.
    return any(
        getattr(view, "__dict__", None) and mark_of(view, name) is not NOTHING for view in app.view_functions.values()
    )


class ByEndpoint(t.Generic[T]):
    """What `find` says of each endpoint, asked once for each view: endpoints have views put in their place late."""

    def __init__(self, app: t.Any, find: Callable[[str], T]) -> None:
        self._app = app
        self._find = find
        self._found: dict[str, tuple[t.Any, T]] = {}

    def __getitem__(self, endpoint: str) -> T:
        view = self._app.view_functions.get(endpoint)
        known = self._found.get(endpoint)
        if known is None or known[0] is not view:
            known = self._found[endpoint] = (view, self._find(endpoint))
        return known[1]
