"""`Cache-Control`, of requests and of responses (RFC 9111 §5.2, RFC 5861, RFC 8246)."""

from __future__ import annotations

import typing as t
from collections import abc

from .callback import CallbackDict
from .grammar import dump_header, parse_dict_header
from .immutable import ImmutableDictMixin


def cache_control_property(key: str, empty: t.Any, type: type[t.Any] | None, *, doc: str | None = None) -> t.Any:
    """Make a property for a directive, for subclasses that know more of them.

    :param empty: the value where the directive stands without one.
    :param type: converts the value; `bool` asks only whether the directive is there, None leaves a string.
    """
    return property(
        lambda self: self._get_cache_value(key, empty, type),
        lambda self, value: self._set_cache_value(key, value, type),
        lambda self: self._del_cache_value(key),
        doc or f"The `{key}` directive.",
    )


class _CacheControl(CallbackDict[str, str | None]):
    """Directives by name; None is the value of one that stands alone.

    Setting a directive's property to None or False removes it, True writes it without a value.
    """

    no_store: bool = cache_control_property("no-store", None, bool)
    max_age: int | None = cache_control_property("max-age", None, int)
    no_transform: bool = cache_control_property("no-transform", None, bool)
    stale_if_error: int | None = cache_control_property("stale-if-error", None, int)

    def __init__(
        self,
        values: abc.Mapping[str, t.Any] | abc.Iterable[tuple[str, t.Any]] | None = (),
        on_update: abc.Callable[[_CacheControl], None] | None = None,
    ):
        super().__init__(values or (), on_update)
        self.provided = values is not None

    @classmethod
    def from_header(cls, value: str | None, on_update: abc.Callable[[_CacheControl], None] | None = None) -> t.Self:
        """Read a header; a missing one has no directives."""
        return cls(parse_dict_header(value) if value else (), on_update)

    def _get_cache_value(self, key: str, empty: t.Any, type: type[t.Any] | None) -> t.Any:
        if type is bool:
            return key in self
        if key not in self:
            return None
        value = self[key]
        if value is None:
            return empty
        if type is None:
            return value
        try:
            return type(value)
        except ValueError:
            return None

    def _set_cache_value(self, key: str, value: t.Any, type: type[t.Any] | None) -> None:
        if value is None or value is False or (type is bool and not value):
            self.pop(key, None)
        elif value is True or type is bool:
            self[key] = None
        else:
            self[key] = str(value if type is None else type(value))

    def _del_cache_value(self, key: str) -> None:
        if key in self:
            del self[key]

    def to_header(self) -> str:
        """Write the directives as they stand in a header."""
        return dump_header(self)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        directives = " ".join([f"{key}={value!r}" for key, value in sorted(self.items())])
        return f"<{type(self).__name__} {directives}>"

    cache_property = staticmethod(cache_control_property)


class RequestCacheControl(ImmutableDictMixin[str, str | None], _CacheControl):  # type: ignore[misc]  # the mixin forbids what the dict allows
    """What a client asks of caches (RFC 9111 §5.2.1); it cannot be changed."""

    no_cache: bool = cache_control_property("no-cache", None, bool)
    max_stale: int | t.Literal[True] | None = cache_control_property("max-stale", True, int)
    min_fresh: int | None = cache_control_property("min-fresh", None, int)
    only_if_cached: bool = cache_control_property("only-if-cached", None, bool)


class ResponseCacheControl(_CacheControl):
    """What a server allows caches to do (RFC 9111 §5.2.2)."""

    no_cache: str | t.Literal[True] | None = cache_control_property("no-cache", True, None)
    public: bool = cache_control_property("public", None, bool)
    private: str | t.Literal[True] | None = cache_control_property("private", True, None)
    must_revalidate: bool = cache_control_property("must-revalidate", None, bool)
    proxy_revalidate: bool = cache_control_property("proxy-revalidate", None, bool)
    s_maxage: int | None = cache_control_property("s-maxage", None, int)
    immutable: bool = cache_control_property("immutable", None, bool)
    must_understand: bool = cache_control_property("must-understand", None, bool)
    stale_while_revalidate: int | None = cache_control_property("stale-while-revalidate", None, int)


_CacheControlT = t.TypeVar("_CacheControlT", bound=_CacheControl)


@t.overload
def parse_cache_control_header(
    value: str | None, on_update: abc.Callable[[_CacheControl], None] | None = None
) -> RequestCacheControl: ...
@t.overload
def parse_cache_control_header(
    value: str | None,
    on_update: abc.Callable[[_CacheControl], None] | None = None,
    cls: type[_CacheControlT] = ...,
) -> _CacheControlT: ...
def parse_cache_control_header(
    value: str | None,
    on_update: abc.Callable[[_CacheControl], None] | None = None,
    cls: type[_CacheControl] | None = None,
) -> _CacheControl:
    """Read the value of `Cache-Control`, by default as that of a request."""
    return (cls or RequestCacheControl).from_header(value, on_update)
