"""Marks: values that decorators store on views and blueprints, and that guards look up by endpoint.

The innermost mark applies: that on the view, otherwise that on its blueprint, otherwise that on the enclosing
blueprint. Without a mark, the setting applies.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

if t.TYPE_CHECKING:
    from .contract import MarkedApp, View

T = t.TypeVar("T")
Marked = t.TypeVar("Marked")

_NOTHING: t.Final = object()
_EMPTY: t.Final[dict[str, object]] = {}


class Mark(t.Generic[T]):
    """A kind of mark: an attribute `name` with values of one type."""

    def __init__(self, name: str) -> None:
        self.name = name

    def put(self, value: T) -> Callable[[Marked], Marked]:
        """A decorator that stores `value` on a view, view class or blueprint."""

        def decorator(marked: Marked) -> Marked:
            setattr(marked, self.name, value)
            return marked

        return decorator

    def on(self, holder: object) -> T | None:
        """The mark on a view, view class or blueprint; None without a mark, or if that is its value."""
        value = self._get(holder)
        return None if value is _NOTHING else t.cast("T", value)

    def of_endpoint(self, app: MarkedApp, endpoint: str) -> Iterator[tuple[str | None, T]]:
        """The marks of an endpoint, innermost first: (None, value) for the view, then (name, value) per blueprint."""
        yield from self._read(None, *_holders(app.view_functions.get(endpoint)))
        scope = endpoint
        while "." in scope:
            scope = scope.rpartition(".")[0]
            yield from self._read(scope, app.blueprints.get(scope))

    def is_used_in(self, app: MarkedApp) -> bool:
        """Whether any view or blueprint of `app` has a mark of this kind."""
        if any(self._get(blueprint) is not _NOTHING for blueprint in app.blueprints.values()):
            return True
        # Most views are functions without attributes. Speed matters, since in tests this runs for each request.
        return any(
            getattr(view, "__dict__", None) and any(self._get(holder) is not _NOTHING for holder in _holders(view))
            for view in app.view_functions.values()
        )

    def _get(self, holder: object) -> object:
        """The mark on one object, or `_NOTHING`. Attributes that exist only through `__getattr__` do not count."""
        if holder is None:
            return _NOTHING
        attributes: dict[str, object] = getattr(holder, "__dict__", _EMPTY)
        if self.name in attributes:
            return attributes[self.name]
        return getattr(holder if isinstance(holder, type) else type(holder), self.name, _NOTHING)

    def _read(self, scope: str | None, *holders: object) -> Iterator[tuple[str | None, T]]:
        """The first mark on `holders`, with their scope."""
        for holder in holders:
            value = self._get(holder)
            if value is not _NOTHING:
                yield scope, t.cast("T", value)
                return


def _holders(view: View | None) -> tuple[object, object, object]:
    """The objects that may carry the marks of a view: the view, its class, and the function of a WebSocket view."""
    return view, getattr(view, "view_class", None), getattr(view, "function", None)


class ByEndpoint(t.Generic[T]):
    """A cache of `find` by endpoint. A result is computed again if the endpoint gets another view."""

    def __init__(self, app: MarkedApp, find: Callable[[str], T]) -> None:
        self._app = app
        self._find = find
        self._found: dict[str, tuple[View | None, T]] = {}

    def __getitem__(self, endpoint: str) -> T:
        view = self._app.view_functions.get(endpoint)
        known = self._found.get(endpoint)
        if known is None or known[0] is not view:
            known = self._found[endpoint] = (view, self._find(endpoint))
        return known[1]


OPEN: t.Final = Mark[bool]("_open_to_all")
"""Marks views of Costrel itself, to which the ``security=`` of an application or blueprint does not apply."""
