"""The source of a request: a WSGI environ, or an ASGI scope that is read as if it were one.

Everything that Costrel itself reads of a request comes from its source, under the names of a WSGI environ (PEP 3333).
`Request.environ` turns an ASGI scope into a real environ on first use, and that is the source from then on: changes
that extensions make to it are seen.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, Sequence
from io import BytesIO
from typing import Any, ClassVar

from ..support.asgi_types import Scope
from .field_layout import FieldLayout

hot: Callable[..., Any] = dict.get
"""``hot(source, key, default=None)`` for the keys in `HOT` and keys that Costrel sets. PERF: page, hello. Only C."""


def environ_of(source: dict[str, Any]) -> dict[str, Any]:
    """The whole environ of a source."""
    return source.whole() if isinstance(source, ScopeSource) else source


class Fields:
    """Some header fields, by the keys that they have in both kinds of source.

    :param keys: their keys in a WSGI environ.
    """

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def joined_with(self, other: Fields) -> Fields:
        """The fields of both."""
        return Fields(*self.keys, *other.keys)

    def are_absent_from(self, source: dict[str, Any]) -> bool:
        """Whether a request has none of them."""
        if isinstance(source, ScopeSource):
            lacked = source.layout.lacked
            found = lacked.get(self)
            if found is None:
                found = lacked[self] = source.layout.places.keys().isdisjoint(self.keys)
            return found
        return source.keys().isdisjoint(self.keys)


class ScopeSource(dict[str, Any]):
    """An ASGI scope as a source: the keys in `HOT` are items from the start, the others are looked up in the scope."""

    __slots__ = ("layout", "made", "pairs", "removed")

    make_environ: ClassVar[Callable[[Scope], dict[str, Any]]]
    """Makes the whole environ of a scope; set by the ASGI edge."""
    shared_items: ClassVar[Callable[[Scope], dict[str, Any]]]
    """Returns the items of that environ which depend on the server, not on the request; set by the ASGI edge."""

    pairs: Sequence[tuple[bytes, bytes]]
    """The header fields by their lower-case names; none of them occurs twice."""
    layout: FieldLayout
    """The places of the fields among them."""
    made: dict[str, Any] | None
    """The whole environ, once it was made."""
    removed: set[str] | None
    """The keys that were removed."""

    def whole(self) -> dict[str, Any]:
        """The whole environ, with the changes that were made here; it takes all later changes."""
        environ = self.made
        if environ is None:
            environ = self.made = type(self).make_environ(self["asgi.scope"])
            environ["wsgi.input"] = BytesIO()
            environ.update(dict.items(self))
            for key in self.removed or ():
                environ.pop(key, None)
        return environ

    def __missing__(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        value = hot(self, key)
        if value is None:
            if self.made is not None:
                value = self.made.get(key)
            elif self.removed is None or key not in self.removed:
                place = self.layout.places.get(key)
                if place is not None:
                    return self.pairs[place][1].decode("latin-1")
                if "HTTP_" in key:
                    return default
                value = self._found_elsewhere(key)
        return default if value is None else value

    def _found_elsewhere(self, key: str) -> Any:
        """The value of a key that belongs to no header field, or None."""
        if key == "wsgi.input":
            self[key] = stream = BytesIO()
            return stream
        scope = self["asgi.scope"]
        if key == "REMOTE_ADDR":
            return scope["client"][0] if scope.get("client") else None
        if key in _ONLY_IN_ENVIRON:
            return self.whole().get(key)
        return type(self).shared_items(scope).get(key)

    def pop(self, key: str, default: Any = None) -> Any:
        value = self.get(key, default)
        dict.pop(self, key, None)
        if self.removed is None:
            self.removed = set()
        self.removed.add(key)
        if self.made is not None:
            self.made.pop(key, None)
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole())

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # the view of another dict
        return self.whole().keys()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]  # the view of another dict
        return self.whole().items()


_ONLY_IN_ENVIRON = frozenset({"RAW_URI", "REMOTE_PORT", "REQUEST_URI", "wsgi.errors"})
