"""The parameters and the body of a request, as the plan of a view reads them."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping

from ..routing import Rule
from ..routing.converters import (
    AnyConverter,
    BaseConverter,
    FloatConverter,
    IntegerConverter,
    NumberConverter,
    UnicodeConverter,
    UUIDConverter,
)
from ..typed.expressions import TypeExpr, marker_of
from ..typed.inputs import Inputs, InputSource, unchecked
from ..typed.markers import Form, Input, Query
from ..typed.placing import is_many, kinds_of
from ..typed.plan import Plan
from ..typed.signatures import MISSING
from ..typed.texts import sent_name
from .schemas import BINARY, Schema, Schemas

_IN: t.Final = {"query": "query", "header": "header", "cookie": "cookie"}
_SPLITS: t.Final = {",": "form", " ": "spaceDelimited", "|": "pipeDelimited"}
_FORM: t.Final = "application/x-www-form-urlencoded"
_MULTIPART: t.Final = "multipart/form-data"


class Item(t.NamedTuple):
    """One input of a view or of one of its providers."""

    source: InputSource
    marker: Input | None
    default: object


def items_of(plan: Plan) -> list[Item]:
    """The inputs of a view and of its providers, each once."""
    found: dict[tuple[str, str], Item] = {}
    for inputs in (plan.inputs, *(each.inputs for each in plan.providers)):
        for item in _items(inputs):
            found.setdefault((item.source.where, item.source.name.lower()), item)
    return list(found.values())


def _items(inputs: Inputs) -> Iterator[Item]:
    parameters = {parameter.name: parameter for parameter in inputs.signature.parameters}
    for source in inputs.sources:
        parameter = parameters[source.parameter]
        yield Item(source, marker_of(parameter.expr, Input), parameter.default)


class Request:
    """The parameters and the body of one operation, collected input by input."""

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self.parameters: list[Schema] = []
        self._fields: dict[str, Schema] = {}
        self._required: list[str] = []
        self._closed = False
        self._model: Schema | None = None
        self._encoding: dict[str, Schema] = {}
        self._multipart = False
        self._body: Schema | None = None
        self._body_required = False

    def add(self, item: Item) -> None:
        """Add an input; a variable of the URL belongs to `path_parameters`."""
        where = item.source.where
        if where == "body":
            self._body = self.schemas.of(item.source.expr)
            self._body_required = item.source.required
        elif where == "file":
            self._add_file(item)
        elif where == "form":
            self._add_field(item)
        elif where in _IN:
            self._add_parameters(item)

    @property
    def reads_json(self) -> bool:
        """Whether the body is JSON."""
        return self._body is not None

    @property
    def is_multipart(self) -> bool:
        """Whether the body is a form with parts, which can be malformed."""
        return self._multipart

    def body(self, examples: Schema) -> Schema | None:
        """The body of the request; None if the view reads none."""
        if self._body is not None:
            media: Schema = {"schema": self._body, **examples}
            return {"content": {"application/json": media}, "required": self._body_required}
        if not self._fields and self._model is None:
            return None
        media = {"schema": self._form_schema(), **examples}
        if self._encoding:
            media["encoding"] = self._encoding
        content = {_MULTIPART if self._multipart else _FORM: media}
        return {"content": content, "required": bool(self._required)}

    def _form_schema(self) -> Schema:
        if self._model is not None and set(self._fields) == set(self.schemas.resolved(self._model)["properties"]):
            return self._model
        schema: Schema = {"type": "object", "properties": self._fields}
        if self._required:
            schema["required"] = self._required
        return schema

    # -- parameters -----------------------------------------------------------------------------------------------

    def _add_parameters(self, item: Item) -> None:
        source = item.source
        if "model" in kinds_of(source.expr, self.schemas.codecs):
            for name, schema, required in self._spread(source.expr):
                sent = sent_name(source.where, name)
                self._add_parameter(source.where, sent, schema, required and source.required)
            return
        schema = with_default(self._of_text(source.expr, source.required), item.default, self.schemas)
        self._add_parameter(source.where, source.name, schema, source.required, _style(item))

    def _add_parameter(
        self, where: str, name: str, schema: Schema, required: bool, style: Schema | None = None
    ) -> None:
        parameter: Schema = {"name": name, "in": _IN[where]}
        schema = dict(schema)
        if "description" in schema and "$ref" not in schema:
            parameter["description"] = schema.pop("description")
        if schema.pop("deprecated", False):
            parameter["deprecated"] = True
        if required:
            parameter["required"] = True
        self.parameters.append({**parameter, **(style or {}), "schema": schema})

    def _spread(self, expr: TypeExpr) -> Iterator[tuple[str, Schema, bool]]:
        """The fields of a model that is spread, each with its schema, and whether it must be sent."""
        schema = self.schemas.resolved(self.schemas.of_text(expr))
        required = schema.get("required", ())
        for name, field in schema.get("properties", {}).items():
            yield name, field, name in required

    def _of_text(self, expr: TypeExpr, required: bool) -> Schema:
        return self._sent(self.schemas.of_text(expr), required)

    def _sent(self, schema: Schema, required: bool) -> Schema:
        """The schema of a value that is sent as fields: a list without items is not sent."""
        return (
            {**schema, "minItems": schema.get("minItems") or 1}
            if required and schema.get("type") == "array"
            else schema
        )

    # -- forms ----------------------------------------------------------------------------------------------------

    def _add_file(self, item: Item) -> None:
        self._multipart = True
        many: Schema = {"type": "array", "items": dict(BINARY)}
        schema = self._sent(many, item.source.required) if is_many(item.source.expr) else dict(BINARY)
        self._put(item.source.name, schema, item)

    def _add_field(self, item: Item) -> None:
        source = item.source
        expr = unchecked(source.expr)
        if isinstance(item.marker, Form) and item.marker.json:
            self._multipart = True
            self._encoding[source.name] = {"contentType": "application/json"}
            self._put(source.name, self.schemas.of(expr), item)
        elif "model" in kinds_of(expr, self.schemas.codecs):
            self._model = self.schemas.of_text(expr)
            for name, schema, required in self._spread(expr):
                self._fields[name] = schema
                if required and source.required:
                    self._required.append(name)
        else:
            schema = self._of_text(expr, source.required)
            self._put(source.name, with_default(schema, item.default, self.schemas), item)

    def _put(self, name: str, schema: Schema, item: Item) -> None:
        self._fields[name] = schema
        if item.source.required:
            self._required.append(name)


def with_default(schema: Schema, default: object, schemas: Schemas) -> Schema:
    """The schema with the default of a parameter, if that is a value of JSON other than null."""
    if default is MISSING or default is None:
        return schema
    try:
        return {**schema, "default": schemas.to_builtins(default)}
    except TypeError:
        return schema


def _style(item: Item) -> Schema:
    """How several values are written, if not as the same name repeated."""
    split = item.marker.split if isinstance(item.marker, Query) else None
    if split not in _SPLITS:
        return {}
    return {"style": _SPLITS[split], "explode": False}


# -- variables of the URL -----------------------------------------------------------------------------------------


def path_parameters(rule: Rule, names: Mapping[str, str], items: Iterable[Item], schemas: Schemas) -> list[Schema]:
    """The variables of a rule: as converted by `Path()`, with the bounds of a parameter, else by the converter.

    `names` maps the names in the path to the names in the rule.
    """
    sources = {each.source.name: each.source for each in items if each.source.where == "path"}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _variable(rule.converters[own], sources.get(own), schemas),
        }
        for name, own in names.items()
    ]


def _variable(converter: BaseConverter, source: InputSource | None, schemas: Schemas) -> Schema:
    own = converter_schema(converter)
    if source is None:
        return own
    declared = schemas.of_text(source.expr)
    if source.converts and type(converter) is UnicodeConverter:
        return declared
    return {**own, **{key: value for key, value in declared.items() if key not in ("type", "format", "$ref", "anyOf")}}


def converter_schema(converter: BaseConverter) -> Schema:
    """The schema of the texts that a converter takes."""
    if isinstance(converter, NumberConverter):
        return _number(converter)
    if isinstance(converter, UUIDConverter):
        return {"type": "string", "format": "uuid"}
    if isinstance(converter, AnyConverter):
        return {"type": "string", "enum": sorted(converter.items)}
    return {"type": "string"}


def _number(converter: NumberConverter) -> Schema:
    kind = "integer" if isinstance(converter, IntegerConverter) else "number"
    schema: Schema = {"type": kind if isinstance(converter, (IntegerConverter, FloatConverter)) else "string"}
    least = converter.min if converter.signed or converter.min is not None else 0
    bounds: Mapping[str, float | None] = {"minimum": least, "maximum": converter.max}
    return {**schema, **{key: value for key, value in bounds.items() if value is not None}}


def may_be_unknown(rule: Rule, names: Iterable[str], plan: Plan | None) -> bool:
    """Whether a URL of the rule is a 404 for some values of its variables."""
    checked = plan is not None and bool(plan.inputs.checks)
    return checked or any(type(rule.converters[name]) is not UnicodeConverter for name in names)
