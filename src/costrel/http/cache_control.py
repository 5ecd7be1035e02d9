"""`Cache-Control`, of requests and of responses (RFC 9111 §5.2, RFC 5861, RFC 8246)."""

from __future__ import annotations

import typing as t
from collections import abc
from datetime import timedelta

from .callback import CallbackDict
from .grammar import dump_header, parse_dict_header
from .immutable import ImmutableDictMixin

Convert: t.TypeAlias = abc.Callable[[t.Any], object]


def cache_control_property(key: str, empty: object, type: Convert | None, *, doc: str | None = None) -> t.Any:
    """Create a property for a directive, for subclasses with more directives.

    :param empty: the value of a directive without a value.
    :param type: converts the value; `bool` only checks that the directive is present, None returns the string.
    """
    return property(
        lambda self: self._get_cache_value(key, empty, type),
        lambda self, value: self._set_cache_value(key, value, type),
        lambda self: self._del_cache_value(key),
        doc or f"The `{key}` directive.",
    )


def _seconds(value: object) -> object:
    return value.total_seconds() if isinstance(value, timedelta) else value


class _CacheControl(CallbackDict[str, str | None]):
    """Directives by name. The value of a directive without a value is None.

    Setting the property of a directive to None or False removes it; True adds it without a value.
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
        """Parse a header. A missing one has no directives."""
        return cls(parse_dict_header(value) if value else (), on_update)

    def _get_cache_value(self, key: str, empty: object, type: Convert | None) -> object:
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

    def _set_cache_value(self, key: str, value: object, type: Convert | None) -> None:
        if value is None or value is False or (type is bool and not value):
            self.pop(key, None)
        elif value is True or type is bool:
            self[key] = None
        else:
            self[key] = str(value if type is None else type(_seconds(value)))

    def _del_cache_value(self, key: str) -> None:
        if key in self:
            del self[key]

    def to_header(self) -> str:
        """The value of the header."""
        return dump_header(self)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        directives = " ".join([f"{key}={value!r}" for key, value in sorted(self.items())])
        return f"<{type(self).__name__} {directives}>"

    cache_property = staticmethod(cache_control_property)


class RequestCacheControl(ImmutableDictMixin[str, str | None], _CacheControl):  # type: ignore[misc]  # the mixin forbids what the dict allows
    """The directives of a request (RFC 9111 §5.2.1). They are immutable."""

    no_cache: bool = cache_control_property("no-cache", None, bool)
    max_stale: int | t.Literal[True] | None = cache_control_property("max-stale", True, int)
    min_fresh: int | None = cache_control_property("min-fresh", None, int)
    only_if_cached: bool = cache_control_property("only-if-cached", None, bool)


class ResponseCacheControl(_CacheControl):
    """The directives of a response (RFC 9111 §5.2.2)."""

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
    """Parse the value of `Cache-Control`, by default as in a request."""
    return (cls or RequestCacheControl).from_header(value, on_update)
