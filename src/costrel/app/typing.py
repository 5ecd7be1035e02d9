"""The types of what users give the application: views and what they return, hooks, handlers, template functions."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator, Mapping, Sequence

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from ..http.headers import Headers
    from ..messages.response import Response

# Names in quotes are known to type checkers only: the aliases are values, made when the module is imported.

ResponseValue: t.TypeAlias = t.Union[
    "Response",
    str,
    bytes,
    list[t.Any],
    # A TypedDict is a Mapping and no dict for a type checker.
    Mapping[str, t.Any],
    Iterator[str],
    Iterator[bytes],
    AsyncIterable[str],
    AsyncIterable[bytes],
]

HeaderValue: t.TypeAlias = str | list[str] | tuple[str, ...]

HeadersValue: t.TypeAlias = t.Union["Headers", Mapping[str, HeaderValue], Sequence[tuple[str, HeaderValue]]]

ResponseReturnValue: t.TypeAlias = t.Union[
    ResponseValue,
    tuple[ResponseValue, HeadersValue],
    tuple[ResponseValue, int],
    tuple[ResponseValue, int, HeadersValue],
    "WSGIApplication",
]

ResponseClass = t.TypeVar("ResponseClass", bound="Response")

AppOrBlueprintKey: t.TypeAlias = str | None
"""A blueprint's name, or None for the application itself."""

AfterRequestCallable: t.TypeAlias = (
    Callable[[ResponseClass], ResponseClass] | Callable[[ResponseClass], Awaitable[ResponseClass]]
)
BeforeFirstRequestCallable: t.TypeAlias = Callable[[], None] | Callable[[], Awaitable[None]]
BeforeRequestCallable: t.TypeAlias = (
    Callable[[], ResponseReturnValue | None] | Callable[[], Awaitable[ResponseReturnValue | None]]
)
ShellContextProcessorCallable: t.TypeAlias = Callable[[], dict[str, t.Any]]
TeardownCallable: t.TypeAlias = (
    Callable[[BaseException | None], None] | Callable[[BaseException | None], Awaitable[None]]
)
TemplateContextProcessorCallable: t.TypeAlias = (
    Callable[[], dict[str, t.Any]] | Callable[[], Awaitable[dict[str, t.Any]]]
)
TemplateFilterCallable: t.TypeAlias = Callable[..., t.Any]
TemplateGlobalCallable: t.TypeAlias = Callable[..., t.Any]
TemplateTestCallable: t.TypeAlias = Callable[..., bool]
URLDefaultCallable: t.TypeAlias = Callable[[str, dict[str, t.Any]], None]
URLValuePreprocessorCallable: t.TypeAlias = Callable[[str | None, dict[str, t.Any] | None], None]

# A handler takes the error that it is registered for, which no type can say; so does a generic view its URL values.
ErrorHandlerCallable: t.TypeAlias = (
    Callable[[t.Any], ResponseReturnValue] | Callable[[t.Any], Awaitable[ResponseReturnValue]]
)
RouteCallable: t.TypeAlias = Callable[..., ResponseReturnValue] | Callable[..., Awaitable[ResponseReturnValue]]

WebSocketCallable: t.TypeAlias = Callable[..., Awaitable[t.Any]]
AfterWebSocketCallable: t.TypeAlias = Callable[[t.Any], t.Any]
