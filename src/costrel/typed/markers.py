"""Markers for `Annotated` at parameters and results. They are cheap to import, since applications name them."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, Callable, Iterable

from ..support.values import Value

T = t.TypeVar("T")


class Input(Value):
    """The source of a parameter's value.

    :param name: the name that clients send; by default the parameter's own.
    """

    where: t.ClassVar[str]
    name: str | None

    def __init__(self, name: str | None = None) -> None:
        self.__dict__["name"] = name


class Query(Input):
    """A parameter of the query. With `split`, one value such as ``1,2`` is taken apart for a list."""

    where = "query"
    split: str | None

    def __init__(self, name: str | None = None, *, split: str | None = None) -> None:
        self.__dict__.update(name=name, split=split)


class Header(Input):
    """A header field: for a parameter ``x_trace``, ``X-Trace``."""

    where = "header"


class Cookie(Input):
    """A cookie."""

    where = "cookie"


class Form(Input):
    """A field of a form, or for a model all of its fields. With `json`, one field or part that contains JSON."""

    where = "form"
    json: bool

    def __init__(self, name: str | None = None, *, json: bool = False) -> None:
        self.__dict__.update(name=name, json=json)


class File(Input):
    """An uploaded file of a multipart form: a `FileStorage`, or its content as ``bytes``; a list for several files."""

    where = "file"


class Body(Input):
    """The whole body, as JSON."""

    where = "body"


class Path(Input):
    """A variable of the URL, converted to the parameter's type. Without this marker, the rule's converter decides."""

    where = "path"


class Status(Value):
    """The status of a result: ``Annotated[Order, Status(201)]``. Raises ValueError for one outside of 100 to 599."""

    code: int

    def __init__(self, code: int) -> None:
        if not 100 <= code <= 599:
            raise ValueError(f"A status is a number from 100 to 599, not {code!r}.")
        self.__dict__["code"] = code


class Download(Value):
    """Documents a response with a file: ``Annotated[Response, Download("application/pdf")]``."""

    media_type: str

    def __init__(self, media_type: str = "application/octet-stream") -> None:
        self.__dict__["media_type"] = media_type


class Use(Value):
    """Provides a parameter by a function, if its type is not enough: ``Annotated[Rows, Use(load_rows)]``."""

    provider: Callable[..., object]

    def __init__(self, provider: Callable[..., object]) -> None:
        self.__dict__["provider"] = provider


if t.TYPE_CHECKING:
    # mypy accepts the union for async generators and for functions that return any generator. For a sync generator
    # function it asks for a return statement.
    EventStream: t.TypeAlias = Iterable[T] | AsyncIterable[T]
    JSONLines: t.TypeAlias = Iterable[T] | AsyncIterable[T]
else:

    class EventStream(t.Generic[T]):
        """The result of a generator whose items are sent as server-sent events, each as JSON of its type."""

    class JSONLines(t.Generic[T]):
        """The result of a generator whose items are sent as lines of JSON, ``application/jsonl``."""
