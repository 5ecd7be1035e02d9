"""The inputs that are sent as text: query, form, headers and cookies. Those of one source are read at once.

One private Struct per source holds all of its values, so that msgspec is called once per request.
"""

from __future__ import annotations

import decimal
import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from ..support.properties import cached_property
from .collecting import FAILED, Collector, DecHook
from .expressions import NoneType, TypeExpr, class_of, members, spelled
from .placing import is_many, item_types, takes_text
from .problems import Problem, Step
from .pydantic_models import fields_of, read_object
from .shapes import ModelShape, ObjectShape, is_pydantic, shape_of
from .signatures import MISSING

if t.TYPE_CHECKING:
    from ..messages.request import Request

Values: t.TypeAlias = dict[str, t.Any]

_WORDS: t.Final = {"on": "true", "yes": "true", "off": "false", "no": "false"}
"""How forms spell a bool."""

_NOT_FINITE: t.Final = frozenset({"nan", "snan", "inf", "infinity"})
CSRF_FIELD: t.Final = "csrf_token"


class TextSource(t.Protocol):
    """The values that were sent: a MultiDict, or the headers."""

    def get(self, key: str) -> str | None: ...
    def getlist(self, key: str) -> list[str]: ...
    def __iter__(self) -> t.Iterator[t.Any]: ...


SOURCES: t.Final[Mapping[str, Callable[[Request], TextSource]]] = {
    "query": lambda request: request.args,
    "form": lambda request: request.form,
    "header": lambda request: request.headers,
    "cookie": lambda request: request.cookies,
}


class Text(t.NamedTuple):
    """One value: the field of the Struct that it is for, and how its text is prepared."""

    field: str
    name: str
    many: bool
    split: str | None
    drops_empty: bool
    prepare: Callable[[str], str] | None

    @classmethod
    def of(
        cls, field: str, name: str, expr: TypeExpr, where: str, split: str | None = None, allow_nan: bool = False
    ) -> Text:
        """How the value `name` of a type is read."""
        types = item_types(expr)
        is_text = str in types or t.Any in types
        prepare: Callable[[str], str] | None = None
        if not is_text:
            if bool in types:
                prepare = _as_bool
            elif not allow_nan and not {float, decimal.Decimal}.isdisjoint(types):
                prepare = _as_finite
        drops_empty = where in ("query", "form") and not takes_text(expr)
        return cls(field, name, is_many(expr), split, drops_empty, prepare)

    def all(self, source: TextSource) -> list[str]:
        """All values that were sent for a list."""
        values = source.getlist(self.name)
        if self.split is not None:
            values = [part.strip() for value in values for part in value.split(self.split)] if any(values) else []
        if self.drops_empty:
            values = [value for value in values if value]
        return values if self.prepare is None else [self.prepare(value) for value in values]


def read_texts(texts: list[Text], source: TextSource) -> Values:
    """The texts that were sent, by the fields of the Struct."""
    get = source.get
    raw: Values = {}
    for each in texts:
        field, name, many, _, drops_empty, prepare = each
        if many:
            values = each.all(source)
            if values:
                raw[field] = values
            continue
        text = get(name)
        if text is not None and (text or not drops_empty):
            raw[field] = text if prepare is None else prepare(text)
    return raw


def _as_bool(text: str) -> str:
    lower = text.lower()
    return _WORDS.get(lower, lower)


def _as_finite(text: str) -> str:
    """The text of a number; for NaN and the infinities an empty text, which is not a number."""
    return "" if text.strip().lstrip("+-").lower() in _NOT_FINITE else text


class TextOptions(t.NamedTuple):
    """The options for reading texts."""

    dec_hook: DecHook | None
    allow_nan: bool


class NamedText(t.NamedTuple):
    """A parameter that is sent as a text of its own; `default` is MISSING if it must be sent."""

    parameter: str
    name: str
    expr: TypeExpr
    default: object
    split: str | None


class TextInputs:
    """The parameters of one source, each with its own name.

    Their types are checked when the application is sealed. The Struct is made with the first request, since a start
    with hundreds of views would wait for classes that most of its requests do not use.
    """

    def __init__(self, where: str, options: TextOptions) -> None:
        self.where = where
        self.source = SOURCES[where]
        self.dec_hook = options.dec_hook
        self._allow_nan = options.allow_nan
        self._added: list[NamedText] = []

    def add(self, text: NamedText) -> None:
        """Add a parameter. Raises TypeError for a type that msgspec cannot read."""
        try:
            check_type(text.expr)
        except TypeError:
            check_type(msgspec.defstruct("Values", [(text.parameter, text.expr)]))  # evaluates strings within the type
        self._added.append(text)

    @cached_property
    def texts(self) -> list[Text]:
        """How each value is read."""
        return [
            Text.of(each.parameter, each.name, each.expr, self.where, each.split, self._allow_nan)
            for each in self._added
        ]

    @cached_property
    def struct(self) -> type[msgspec.Struct]:
        """The Struct that holds all values."""
        fields: list[tuple[str, t.Any] | tuple[str, t.Any, t.Any]] = [
            (each.parameter, each.expr)
            if each.default is MISSING
            else (each.parameter, each.expr, _field_default(each.default))
            for each in self._added
        ]
        return msgspec.defstruct("Values", fields, kw_only=True)

    def read(self, request: Request, values: Values, problems: list[Problem]) -> None:
        """Add the values of a request to `values`, or their problems to `problems`."""
        raw = read_texts(self.texts, self.source(request))
        try:
            made = msgspec.convert(raw, self.struct, strict=False, dec_hook=self.dec_hook)
        except msgspec.ValidationError as error:
            problems += self._problems(raw, error)
        else:
            values.update(msgspec.structs.asdict(made))

    def _problems(self, raw: Values, error: Exception) -> list[Problem]:
        found = collect_texts(raw, self.struct, self.where, self.dec_hook, error)
        names = self._names
        return [
            Problem(where, (names.get(path[0], path[0]), *path[1:]), code, detail)
            for where, path, code, detail in found
        ]

    @cached_property
    def _names(self) -> dict[Step, str]:
        return {each.parameter: each.name for each in self._added}


def _field_default(default: object) -> t.Any:
    if default is None or isinstance(default, (str, int, float)):
        return default
    return msgspec.field(default_factory=lambda: default)


def check_type(expr: TypeExpr) -> None:
    """Raise TypeError for a type that msgspec cannot read, before a request does."""
    msgspec.json.Decoder(expr)


def collect_texts(raw: Values, expr: TypeExpr, where: str, dec_hook: DecHook | None, error: Exception) -> list[Problem]:
    """The problems of values that were sent as text, at least the problem that `error` describes."""
    collector = Collector(where, strict=False, dec_hook=dec_hook)
    if collector.walk(raw, expr) is not FAILED or not collector.problems:
        collector.explain(error, raw, expr)
    return collector.problems


class SpreadModel:
    """A model whose fields are the names of one source: all of a form, or a filter in a query."""

    def __init__(self, parameter: str, expr: TypeExpr, default: object, where: str, options: TextOptions) -> None:
        self.parameter = parameter
        self.expr = next((m for m in members(expr) if m is not NoneType), expr)
        self.default = default
        self.where = where
        self.source = SOURCES[where]
        self.dec_hook = options.dec_hook
        fields, self.forbids = spread_fields(self.expr)
        self.texts = [
            Text.of(name, sent_name(where, name), each, where, None, options.allow_nan) for name, each in fields.items()
        ]
        check_type(self.expr)

    def raw(self, request: Request) -> Values:
        """The values that were sent for the model's fields, by name."""
        source = self.source(request)
        found = read_texts(self.texts, source)
        if self.forbids:
            known = {text.name for text in self.texts} | {CSRF_FIELD}
            found.update({name: source.get(name) or "" for name in _names(source) if name not in known})
        return found

    def read(self, request: Request, values: Values, problems: list[Problem]) -> None:
        """Add the model to `values`, or its problems to `problems`."""
        raw = self.raw(request)
        if not raw and self.default is not MISSING:
            values[self.parameter] = self.default
            return
        value, found = self.make(raw)
        if found:
            problems += found
        else:
            values[self.parameter] = value

    def make(self, raw: Values) -> tuple[object, list[Problem]]:
        """The model that the values make, and its problems."""
        cls = class_of(self.expr)
        if cls is not None and is_pydantic(cls):
            return read_object(cls, raw, self.where)
        try:
            made = msgspec.convert(raw, self.expr, strict=False, dec_hook=self.dec_hook)
        except msgspec.ValidationError as error:
            return None, collect_texts(raw, self.expr, self.where, self.dec_hook, error)
        return made, []


def spread_fields(expr: TypeExpr) -> tuple[Mapping[str, TypeExpr], bool]:
    """The fields of a model by the names that are sent, and whether other names are an error.

    :raises TypeError: for anything but one model.
    """
    shape = shape_of(expr)
    if isinstance(shape, ObjectShape):
        return {name: field.type for name, field in shape.fields.items()}, shape.forbids
    if isinstance(shape, ModelShape):
        return fields_of(shape.cls)
    raise TypeError(f"{spelled(expr)} is not a single model, so that its fields cannot be spread")


def _names(source: Iterable[t.Any]) -> Sequence[str]:
    """The names in a source; headers are iterated as pairs."""
    return [each[0] if isinstance(each, tuple) else each for each in source]


def sent_name(where: str, parameter: str) -> str:
    """The name that clients send for a parameter: its own, or for a header ``x_trace`` → ``X-Trace``."""
    return parameter.replace("_", "-").title() if where == "header" else parameter
