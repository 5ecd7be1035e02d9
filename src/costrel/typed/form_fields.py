"""The fields of a form for a template: labels, inputs, values as they were entered, and errors."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import typing as t
from collections.abc import Mapping, Sequence

import msgspec

from .expressions import NoneType, TypeExpr, class_of, members, metadata_of, plain
from .placing import is_many
from .shapes import ModelShape, ObjectShape, shape_of
from .signatures import MISSING

_INPUTS: t.Final = (
    (bool, "checkbox"),
    (int, "number"),
    (float, "number"),
    (decimal.Decimal, "number"),
    (datetime.datetime, "datetime-local"),
    (datetime.date, "date"),
    (datetime.time, "time"),
)
_PLAIN: t.Final = (str, int, float, decimal.Decimal, enum.Enum, datetime.date, datetime.time, tuple)
"""Types of defaults that are shown; the default of an attrs class may also be a factory."""

_FORMATS: t.Final = {"email": "email", "uri": "url", "password": "password"}
_TRUE: t.Final = frozenset({"true", "1", "on", "yes"})


class Option(t.NamedTuple):
    """One option of a select."""

    value: str
    label: str
    selected: bool


class FormField(t.NamedTuple):
    """One field: `type` is the type of its input, or ``"select"``."""

    name: str
    label: str
    type: str
    value: str
    """The text that was entered, or the default. Always empty for a password."""
    checked: bool
    options: Sequence[Option]
    multiple: bool
    required: bool
    hint: str | None
    error: str | None
    attributes: Mapping[str, str]
    """Further attributes of the input: its bounds."""


class _Described(t.NamedTuple):
    """A field of a model."""

    name: str
    expr: TypeExpr
    required: bool
    default: object
    title: str | None = None
    description: str | None = None
    bounds: Mapping[str, object] = {}
    format: str | None = None


def fields_of_form(
    model: TypeExpr, raw: Mapping[str, object], errors: Mapping[str, str], *, sent: bool
) -> list[FormField]:
    """The fields of a model. Without `sent`, `raw` has values for some of them; the others have their defaults.

    :raises TypeError: for anything but one model.
    """
    return [_field(each, raw, errors.get(each.name), sent) for each in _described(model)]


def _field(each: _Described, raw: Mapping[str, object], error: str | None, sent: bool) -> FormField:
    present = [member for member in members(each.expr) if member is not NoneType]
    many = is_many(each.expr)
    choices = _choices(t.get_args(plain(present[0]))[0] if many and t.get_args(plain(present[0])) else each.expr)
    kind = "select" if choices else _input_type(each, present)
    value = raw.get(each.name, MISSING if sent else each.default)
    texts = [_text(item, kind) for item in value] if isinstance(value, (list, tuple, set)) else [_text(value, kind)]
    needs_text = kind != "checkbox" and (str not in present or bool(each.bounds.get("minlength")))
    attributes = {name: str(bound) for name, bound in each.bounds.items() if bound is not None}
    if kind == "number" and int not in present:
        attributes["step"] = "any"
    return FormField(
        name=each.name,
        label=each.title or each.name.replace("_", " ").capitalize(),
        type=kind,
        value="" if kind == "password" else texts[0] if texts else "",
        checked=kind == "checkbox" and texts[0].lower() in _TRUE,
        options=[Option(value, label, value in texts) for value, label in choices],
        multiple=many,
        required=each.required and needs_text,
        hint=each.description,
        error=error,
        attributes=attributes,
    )


def _input_type(each: _Described, present: Sequence[TypeExpr]) -> str:
    if each.format in _FORMATS:
        return _FORMATS[each.format]
    if each.name.lower().endswith("password") or any(_is_secret(member) for member in present):
        return "password"
    cls = class_of(present[0]) if len(present) == 1 else None
    return next((kind for known, kind in _INPUTS if cls is not None and issubclass(cls, known)), "text")


def _is_secret(expr: TypeExpr) -> bool:
    cls = class_of(expr)
    return cls is not None and hasattr(cls, "get_secret_value")  # pydantic's SecretStr


def _choices(expr: TypeExpr) -> list[tuple[str, str]]:
    """The values and labels of an Enum or Literal. If the field is optional, the first value is empty."""
    present = [member for member in members(expr) if member is not NoneType]
    bare = plain(present[0]) if len(present) == 1 else None
    if t.get_origin(bare) is t.Literal:
        found = [(_text(value), _text(value)) for value in t.get_args(bare)]
    elif isinstance(bare, type) and issubclass(bare, enum.Enum):
        found = [(_text(each), each.name.replace("_", " ").capitalize()) for each in bare]
    else:
        return []
    return [("", ""), *found] if len(present) < len(members(expr)) else found


def _text(value: object, kind: str = "text") -> str:
    if value is MISSING or value is None or value is msgspec.UNSET:
        return ""
    if isinstance(value, enum.Enum):
        return _text(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime) and kind == "datetime-local":
        return value.replace(tzinfo=None).isoformat(timespec="minutes")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


# -- the fields of a model --------------------------------------------------------------------------------------------


def _described(model: TypeExpr) -> list[_Described]:
    expr = next((member for member in members(model) if member is not NoneType), model)
    shape = shape_of(expr)
    if isinstance(shape, ModelShape):
        return _of_pydantic(shape.cls)
    if not isinstance(shape, ObjectShape):
        raise TypeError(f"A form is shown by the fields of a model, and {model!r} is none: pass Checked.blank(Model).")
    defaults = _defaults_of(shape)
    return [
        _of_type(name, field.type, field.required, defaults.get(field.attribute, MISSING))
        for name, field in shape.fields.items()
    ]


def _defaults_of(shape: ObjectShape) -> dict[str, object]:
    """The defaults of attributes; the results of factories are left out if calling them fails."""
    cls = shape.cls
    if issubclass(cls, msgspec.Struct):
        found = {field.name: (field.default, field.default_factory) for field in msgspec.structs.fields(cls)}
        nothing: object = msgspec.NODEFAULT
    elif dataclasses.is_dataclass(cls):
        found = {field.name: (field.default, field.default_factory) for field in dataclasses.fields(cls)}
        nothing = dataclasses.MISSING
    else:
        attributes: Sequence[t.Any] = getattr(cls, "__attrs_attrs__", ())
        return {each.name: each.default for each in attributes if isinstance(each.default, _PLAIN)}
    made = {name: factory() for name, (_, factory) in found.items() if factory is not nothing}
    return {**{name: default for name, (default, _) in found.items() if default is not nothing}, **made}


def _of_type(name: str, expr: TypeExpr, required: bool, default: object) -> _Described:
    title = description = format_ = None
    bounds: dict[str, object] = {}
    for part in (expr, *members(expr)):
        for meta in metadata_of(part):
            if isinstance(meta, msgspec.Meta):
                title, description = meta.title or title, meta.description or description
                format_ = str((meta.extra_json_schema or {}).get("format", format_ or "")) or None
                bounds |= {
                    "min": meta.ge,
                    "max": meta.le,
                    "step": meta.multiple_of,
                    "minlength": meta.min_length or None,
                    "maxlength": meta.max_length,
                }
    return _Described(name, expr, required, default, title, description, bounds, format_)


class _PydanticField(t.Protocol):
    """A field of a pydantic model, as far as it is shown."""

    annotation: object
    alias: str | None
    title: str | None
    description: str | None
    metadata: Sequence[object]
    default: object

    def is_required(self) -> bool: ...
    def get_default(self, *, call_default_factory: bool) -> object: ...


def _of_pydantic(cls: type) -> list[_Described]:
    infos: Mapping[str, _PydanticField] = cls.model_fields  # type: ignore[attr-defined]
    found = []
    for name, info in infos.items():
        bounds = {
            attribute: next((getattr(meta, key) for meta in info.metadata if hasattr(meta, key)), None)
            for key, attribute in (
                ("ge", "min"),
                ("le", "max"),
                ("multiple_of", "step"),
                ("min_length", "minlength"),
                ("max_length", "maxlength"),
            )
        }
        required = info.is_required()
        default = MISSING if required else info.get_default(call_default_factory=True)
        label, hint = info.title, info.description
        found.append(_Described(info.alias or name, info.annotation, required, default, label, hint, bounds))
    return found
