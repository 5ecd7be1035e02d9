"""The source of a request: a WSGI environ, or an ASGI scope that is read as if it were one.

Everything that Costrel itself reads of a request comes from its source, under the names of a WSGI environ (PEP 3333).
`Request.environ` turns an ASGI scope into a real environ on first use, and that is the source from then on: changes
that extensions make to it are seen.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping
from functools import lru_cache
from typing import Any, ClassVar

from ..support.asgi_types import Scope

hot: Callable[..., Any] = dict.get
"""``hot(source, key, default=None)`` for the keys in `HOT` and keys that Costrel sets. PERF: page, hello. Only C."""

HOT = frozenset(
    {
        "CONTENT_LENGTH",
        "CONTENT_TYPE",
        "HTTP_COOKIE",
        "HTTP_HOST",
        "HTTP_TRANSFER_ENCODING",
        "HTTP_UPGRADE",
        "PATH_INFO",
        "QUERY_STRING",
        "REQUEST_METHOD",
        "SCRIPT_NAME",
        "asgi.scope",
        "wsgi.input",
        "wsgi.input_terminated",
        "wsgi.url_scheme",
    }
)
"""The keys that a `ScopeSource` holds from the start, if the request has them."""


@lru_cache(maxsize=1024)
def _header_name(key: str) -> bytes:
    return key[5:].lower().replace("_", "-").encode("latin-1", "replace")


def environ_of(source: dict[str, Any]) -> dict[str, Any]:
    """The whole environ of a source."""
    return source.whole() if isinstance(source, ScopeSource) else source


class Fields:
    """Some header fields, by the keys that they have in both kinds of source.

    :param keys: their keys in a WSGI environ.
    """

    def __init__(self, *keys: str) -> None:
        self._keys = keys
        self._names = tuple(map(_header_name, keys))

    def are_absent_from(self, source: dict[str, Any]) -> bool:
        """Whether a request has none of them."""
        if isinstance(source, ScopeSource):
            return source.headers.keys().isdisjoint(self._names)
        return source.keys().isdisjoint(self._keys)


class ScopeSource(dict[str, Any]):
    """An ASGI scope as a source: the keys in `HOT` are items from the start, the others are looked up in the scope."""

    __slots__ = ("_environ", "_removed", "headers")

    make_environ: ClassVar[Callable[[Scope], dict[str, Any]]]
    """Makes the whole environ of a scope; set by the ASGI edge."""
    shared_items: ClassVar[Callable[[Scope], dict[str, Any]]]
    """Returns the items of that environ which depend on the server, not on the request; set by the ASGI edge."""

    headers: Mapping[bytes, bytes]
    """The header fields by their lower-case names; none of them occurs twice."""
    _environ: dict[str, Any] | None
    _removed: set[str] | None

    @classmethod
    def of(cls, items: dict[str, Any], headers: Mapping[bytes, bytes]) -> ScopeSource:
        """A source with these items. A constructor in Python would take twice as long."""
        source = cls(items)
        source.headers = headers
        source._environ = source._removed = None
        return source

    def whole(self) -> dict[str, Any]:
        """The whole environ, with the changes that were made here; it takes all later changes."""
        environ = self._environ
        if environ is None:
            environ = self._environ = type(self).make_environ(self["asgi.scope"])
            environ.update(dict.items(self))
            for key in self._removed or ():
                environ.pop(key, None)
        return environ

    def __missing__(self, key: str) -> Any:
        value = None if key in HOT else self._found(key)
        if value is None:
            raise KeyError(key)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        value = hot(self, key)
        if value is None and key not in HOT:
            value = self._found(key)
        return default if value is None else value

    def _found(self, key: str) -> Any:
        """The value of a key that is not among the items, or None."""
        if self._environ is not None:
            return self._environ.get(key)
        if key in _NOT_HEADERS or (self._removed is not None and key in self._removed):
            return None
        if key[:5] == "HTTP_":
            value = self.headers.get(_header_name(key))
            return None if value is None else value.decode("latin-1")
        scope = self["asgi.scope"]
        if key == "REMOTE_ADDR":
            return scope["client"][0] if scope.get("client") else None
        if key in _ONLY_IN_ENVIRON:
            return self.whole().get(key)
        return type(self).shared_items(scope).get(key)

    def pop(self, key: str, default: Any = None) -> Any:
        value = self.get(key, default)
        dict.pop(self, key, None)
        if self._removed is None:
            self._removed = set()
        self._removed.add(key)
        if self._environ is not None:
            self._environ.pop(key, None)
        return value

    def __contains__(self, key: object) -> bool:
        return hot(self, key) is not None or (isinstance(key, str) and key not in HOT and self._found(key) is not None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole())

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # the view of another dict
        return self.whole().keys()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]  # the view of another dict
        return self.whole().items()


_ONLY_IN_ENVIRON = frozenset({"RAW_URI", "REMOTE_PORT", "REQUEST_URI", "wsgi.errors"})

_NOT_HEADERS = frozenset({"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_PROXY"})
"""Keys that look like headers. The last one would be taken for the proxy setting of libraries (CVE-2016-5385)."""
