"""The declared result of a view: its JSON is written as the declared type, whatever object the view returned."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from http import HTTPStatus

import msgspec

from ..context import RequestContext
from ..http.errors import HTTPException
from ..http.headers import Headers
from ..messages.response import Response
from ..support.closing import call_aclose, call_close
from .codecs import Encode
from .collecting import DecHook
from .expressions import (
    ANNOTATED,
    NoneType,
    TypeExpr,
    Unresolved,
    class_of,
    marker_of,
    members,
    plain,
    unmarked,
)
from .filtering import Filter, WrongResult
from .markers import EventStream, JSONLines, Status
from .shapes import reaches_model
from .signatures import MISSING, Signature, SignatureError

EventStreamMaker: t.TypeAlias = Callable[[t.Any, Callable[[object], str]], Response]
Write: t.TypeAlias = Callable[[RequestContext, t.Any], object]

JSON_LINES: t.Final = "application/jsonl"
_ANSWERS: t.Final = (Response, HTTPException)
_STREAMS: t.Final[tuple[tuple[object, str], ...]] = ((EventStream, "text/event-stream"), (JSONLines, JSON_LINES))


class Tools(t.NamedTuple):
    """The parts of the application that writers use."""

    dec_hook: DecHook
    enc_hook: Encode
    event_stream: EventStreamMaker


class Variant(t.NamedTuple):
    """One of the results that a view declares, with its status."""

    expr: TypeExpr
    status: int | None


def variants_of(expr: TypeExpr) -> list[Variant]:
    """The results of a return annotation: one, or several with a status each."""
    whole = _variant(expr)
    if whole.status is not None or isinstance(expr, ANNOTATED):
        return [whole]
    found = [_variant(member) for member in members(expr)]
    return [whole] if all(variant.status is None for variant in found) else found


def _variant(expr: TypeExpr) -> Variant:
    status = marker_of(expr, Status)
    return Variant(unmarked(expr, Status), None if status is None else status.code)


def writer_of(signature: Signature, tools: Tools) -> Write | None:
    """The writer that turns a view's result into a response; None if the result is handled as in Flask."""
    expr = signature.result
    if expr is MISSING or isinstance(expr, Unresolved):
        return None
    if expr is NoneType:
        return _write_nothing
    media_type = stream_type(expr)
    if media_type is not None:
        item = JSONWriter(signature.name, item_of_stream(expr), tools)
        return LinesWriter(item) if media_type == JSON_LINES else EventWriter(item, tools.event_stream)
    variants = variants_of(expr)
    if any(reaches_model(variant.expr) for variant in variants) and not is_flasks(expr):
        return ResultWriter(signature.name, [Variant(of_tuple(each.expr), each.status) for each in variants], tools)
    status = variants[0].status
    return None if status is None else StatusWriter(status)


def stream_type(expr: TypeExpr) -> str | None:
    """The media type of a stream; None for any other result."""
    cls = class_of(expr)
    return next((media_type for kind, media_type in _STREAMS if cls is kind), None)


def item_of_stream(expr: TypeExpr) -> TypeExpr:
    """The type of a stream's items; `Any` if the annotation has none."""
    item: TypeExpr = (t.get_args(plain(expr)) or (t.Any,))[0]
    return item


def is_flasks(expr: TypeExpr) -> bool:
    """Whether a type is a response or an HTTP error, which are sent as they are."""
    cls = class_of(expr)
    return cls is not None and issubclass(cls, _ANSWERS)


def of_tuple(expr: TypeExpr) -> TypeExpr:
    """The model of an annotation such as ``tuple[Order, int]``, a result with a status."""
    args = t.get_args(plain(expr))
    is_result = class_of(expr) is tuple and len(args) in (2, 3) and class_of(args[1]) in (int, dict, HTTPStatus)
    return args[0] if is_result else expr


def _write_nothing(ctx: RequestContext, rv: object) -> object:
    """The response of a view that is declared to return None: 204."""
    return ctx.app.response_class(status=204) if rv is None else rv


class StatusWriter:
    """A result as in Flask, with a declared status."""

    def __init__(self, status: int) -> None:
        self.status = status

    def __call__(self, ctx: RequestContext, rv: object) -> object:
        if rv is None:
            return ctx.app.response_class(status=self.status)
        return rv if isinstance(rv, (tuple, Response, HTTPException)) else (rv, self.status)


class JSONWriter:
    """Writes values of one type as JSON."""

    def __init__(self, owner: str, expr: TypeExpr, tools: Tools) -> None:
        refuse_unresolved(owner, expr)
        self.owner = owner
        self.expr = expr
        self.filter = Filter(expr, tools.dec_hook)
        self.encode = msgspec.json.Encoder(enc_hook=tools.enc_hook).encode

    def json(self, value: object) -> bytes:
        """The JSON of a value. Raises WrongResult for a value that does not fit."""
        return self.encode(self.filter.declared(value, self.owner))

    def text(self, value: object) -> str:
        """The same as a string."""
        return self.json(value).decode()


def refuse_unresolved(owner: str, expr: TypeExpr) -> None:
    """Raise SignatureError for a result with a type that is named in a string and does not exist at run time."""
    try:
        msgspec.json.Decoder(expr)
    except NameError as error:
        raise SignatureError(f"The result of {owner!r} cannot be written: {error}.") from None
    except TypeError:  # msgspec writes some types that it cannot read, such as a union of two dataclasses
        pass


class ResultWriter:
    """Writes the result of a view that declares one or more models."""

    def __init__(self, owner: str, variants: list[Variant], tools: Tools) -> None:
        self.owner = owner
        self.writers = [(JSONWriter(owner, variant.expr, tools), variant.status) for variant in variants]
        self.only: JSONWriter | None = None
        self.status: int | None = None
        if len(self.writers) == 1:
            self.only, self.status = self.writers[0]
        self.classes = [[cls for member in members(each.expr) if (cls := class_of(member))] for each in variants]
        self.takes_tuples = any(tuple in classes for classes in self.classes)
        self.values = frozenset(cls for classes in self.classes for cls in classes if not issubclass(cls, _ANSWERS))
        """The classes of values that are no answers by themselves."""

    def __call__(self, ctx: RequestContext, rv: object) -> object:
        """The response; a response, an HTTP error and a WSGI application are passed on."""
        status: t.Any = None
        headers: t.Any = None
        value = rv
        if type(rv) is tuple and 2 <= len(rv) <= 3 and not self.takes_tuples:
            value, status, headers = _unpacked(rv)
        if type(value) not in self.values and isinstance(value, _ANSWERS):
            return rv
        try:
            if self.only is None:
                body, declared = self._write(value)
            else:
                body, declared = self.only.json(value), self.status
        except WrongResult:
            if callable(value) or (isinstance(value, (str, bytes)) and type(value) in self.values):
                return rv
            raise
        status = declared if status is None else status
        return ctx.app.response_class(body, status=status, headers=headers, mimetype="application/json")

    def _write(self, value: object) -> tuple[bytes, int | None]:
        """JSON and status of a value: of the variant for its class, else of the first that accepts it."""
        error: WrongResult | None = None
        order = sorted(range(len(self.writers)), key=lambda index: -suits(value, self.classes[index]))
        for writer, status in (self.writers[index] for index in order):
            if writer.expr is NoneType:
                if value is None:
                    return b"", status
                continue
            try:
                return writer.json(value), status
            except WrongResult as caught:
                error = caught if error is None else error
        raise error or WrongResult(f"The result of {self.owner!r} is none of those that it declares.")


def suits(value: object, classes: list[type]) -> int:
    """How well a value suits: 2 for an object of one of the classes, 1 for an instance, else 0."""
    if type(value) in classes:
        return 2
    return int(any(isinstance(value, cls) for cls in classes if not t.is_typeddict(cls)))


def _unpacked(rv: tuple[t.Any, ...]) -> tuple[object, object, object]:
    if len(rv) == 3:
        return rv
    if isinstance(rv[1], (Headers, dict, tuple, list)):
        return rv[0], None, rv[1]
    return rv[0], rv[1], None


class EventWriter:
    """Sends the items of a generator as server-sent events."""

    def __init__(self, item: JSONWriter, make: EventStreamMaker) -> None:
        self.item = item
        self.make = make

    def __call__(self, ctx: RequestContext, rv: object) -> object:
        return rv if isinstance(rv, (Response, tuple, HTTPException)) else self.make(rv, self.item.text)


class LinesWriter:
    """Sends the items of a generator as lines of JSON."""

    def __init__(self, item: JSONWriter) -> None:
        self.item = item

    def __call__(self, ctx: RequestContext, rv: t.Any) -> object:
        if isinstance(rv, (Response, tuple, HTTPException)):
            return rv
        lines = _lines_async(rv, self.item) if isinstance(rv, AsyncIterable) else _lines(rv, self.item)
        return ctx.app.response_class(lines, mimetype=JSON_LINES)


def _lines(items: Iterable[object], writer: JSONWriter) -> Iterator[bytes]:
    try:
        for item in items:
            yield writer.json(item) + b"\n"
    finally:
        call_close(items)


async def _lines_async(items: AsyncIterable[object], writer: JSONWriter) -> AsyncIterator[bytes]:
    try:
        async for item in items:
            yield writer.json(item) + b"\n"
    finally:
        await call_aclose(items)
