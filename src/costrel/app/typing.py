"""Types of the values that users pass to an application: views and their results, hooks, handlers, filters."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from ..http.headers import Headers
    from ..messages.response import Response

    class StructLike(t.Protocol):
        """An object of a subclass of `msgspec.Struct`."""

        __struct_fields__: t.ClassVar[tuple[str, ...]]

    class DataclassLike(t.Protocol):
        """An object of a dataclass."""

        __dataclass_fields__: t.ClassVar[dict[str, t.Any]]

    class AttrsLike(t.Protocol):
        """An object of an attrs class."""

        __attrs_attrs__: t.ClassVar[t.Any]

    class PydanticLike(t.Protocol):
        """A pydantic model."""

        __pydantic_validator__: t.ClassVar[t.Any]

    Model: t.TypeAlias = StructLike | DataclassLike | AttrsLike | PydanticLike

F = t.TypeVar("F")

Values: t.TypeAlias = dict[str, t.Any]
"""Named values that users choose: options, URL values, variables of a template."""

# Names in quotes exist for type checkers only: the aliases are evaluated when the module is imported.

ResponseValue: t.TypeAlias = t.Union[
    "Response",
    str,
    bytes,
    list[t.Any],
    # For a type checker a TypedDict is a Mapping, but not a dict.
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
"""The name of a blueprint, or None for the application itself."""

Registry: t.TypeAlias = dict[AppOrBlueprintKey, list[F]]
"""The functions that were registered on each blueprint, or with None for every request."""

AfterRequestCallable: t.TypeAlias = (
    Callable[[ResponseClass], ResponseClass] | Callable[[ResponseClass], Awaitable[ResponseClass]]
)
BeforeFirstRequestCallable: t.TypeAlias = Callable[[], None] | Callable[[], Awaitable[None]]
BeforeRequestCallable: t.TypeAlias = (
    Callable[[], ResponseReturnValue | None] | Callable[[], Awaitable[ResponseReturnValue | None]]
)
ShellContextProcessorCallable: t.TypeAlias = Callable[[], Values] | Callable[[], Awaitable[Values]]
TeardownCallable: t.TypeAlias = (
    Callable[[BaseException | None], None] | Callable[[BaseException | None], Awaitable[None]]
)
TemplateContextProcessorCallable: t.TypeAlias = Callable[[], Values] | Callable[[], Awaitable[Values]]
TemplateFilterCallable: t.TypeAlias = Callable[..., object]
TemplateGlobalCallable: t.TypeAlias = Callable[..., object]
TemplateTestCallable: t.TypeAlias = Callable[..., bool] | Callable[..., Awaitable[bool]]
URLDefaultCallable: t.TypeAlias = Callable[[str, Values], None] | Callable[[str, Values], Awaitable[None]]
URLValuePreprocessorCallable: t.TypeAlias = (
    Callable[[str | None, Values | None], None] | Callable[[str | None, Values | None], Awaitable[None]]
)
URLBuildErrorCallable: t.TypeAlias = (
    Callable[[Exception, str, Values], str | None] | Callable[[Exception, str, Values], Awaitable[str | None]]
)

# The parameter of a handler is the error class that it is registered for, which these types cannot express.
ErrorHandlerCallable: t.TypeAlias = (
    Callable[[t.Any], ResponseReturnValue] | Callable[[t.Any], Awaitable[ResponseReturnValue]]
)
TypedResult: t.TypeAlias = t.Union[
    ResponseReturnValue,
    "Model",
    "tuple[Model, int]",
    "tuple[Model, HeadersValue]",
    "tuple[Model, int, HeadersValue]",
    Iterable[t.Any],
    AsyncIterable[t.Any],
    None,
]
"""Further results of a typed view: a model, or a stream of models."""

RouteCallable: t.TypeAlias = Callable[..., TypedResult] | Callable[..., Awaitable[TypedResult]]

WebSocketCallable: t.TypeAlias = Callable[..., Awaitable[object]]
AfterWebSocketCallable: t.TypeAlias = Callable[[t.Any], object]
ServingCallable: t.TypeAlias = Callable[[], object]
