"""pydantic models, which validate themselves. They are found through `sys.modules`: pydantic is not imported here."""

from __future__ import annotations

import sys
import typing as t

from .problems import Problem, Step
from .wording import mentions

_CODES: t.Final = (
    ("int_parsing", "type"),
    ("float_parsing", "type"),
    ("bool_parsing", "type"),
    ("missing", "missing"),
    ("extra_forbidden", "unknown"),
    ("multiple_of", "multiple"),
    ("greater_than", "range"),
    ("less_than", "range"),
    ("finite_number", "range"),
    ("too_long", "length"),
    ("too_short", "length"),
    ("pattern", "pattern"),
    ("enum", "enum"),
    ("literal_error", "enum"),
    ("union_tag", "union"),
    ("value_error", "value"),
    ("assertion_error", "value"),
    ("_type", "type"),
    ("_parsing", "format"),
    ("_from_", "format"),
)
"""Parts of pydantic's kinds of errors, and our codes; the first that fits counts."""


class Details(t.TypedDict):
    """One error of pydantic."""

    type: str
    loc: tuple[Step, ...]
    msg: str
    input: object
    ctx: t.NotRequired[dict[str, object]]


class PydanticError(t.Protocol):
    """A ValidationError of pydantic."""

    def errors(self, *, include_url: bool) -> list[Details]: ...


class Validator(t.Protocol):
    """The compiled validator of a model."""

    def validate_json(self, data: bytes | str) -> object: ...
    def validate_python(self, value: object, *, from_attributes: bool = ...) -> object: ...


def validator_of(cls: type) -> Validator:
    """The validator of a model."""
    validator: Validator = cls.__pydantic_validator__  # type: ignore[attr-defined]  # a pydantic model
    return validator


def error_class() -> type[Exception]:
    """pydantic's ValidationError."""
    found: type[Exception] = sys.modules["pydantic"].ValidationError
    return found


class FieldInfo(t.Protocol):
    """One field of a model."""

    annotation: object
    alias: str | None


def fields_of(cls: type) -> tuple[dict[str, object], bool]:
    """The types of a model's fields by the names that are sent, and whether other names are an error."""
    infos: dict[str, FieldInfo] = cls.model_fields  # type: ignore[attr-defined]
    config: dict[str, object] = cls.model_config  # type: ignore[attr-defined]
    return {info.alias or name: info.annotation for name, info in infos.items()}, config.get("extra") == "forbid"


def is_syntax_error(error: PydanticError) -> bool:
    """Whether pydantic found that a text is not JSON."""
    return any(each["type"] == "json_invalid" for each in error.errors(include_url=False))


def read_object(
    cls: type, raw: object, where: str, path: tuple[Step, ...] = (), *, from_attributes: bool = False
) -> tuple[object, list[Problem]]:
    """A model made of Python values, or of an object's attributes, and the problems that pydantic found in them."""
    try:
        return validator_of(cls).validate_python(raw, from_attributes=from_attributes), []
    except error_class() as error:
        return None, problems_of(t.cast("PydanticError", error), where, path)


def problems_of(error: PydanticError, where: str, path: tuple[Step, ...] = ()) -> list[Problem]:
    """The problems that pydantic found, without the values."""
    return [
        Problem(where, (*path, *each["loc"]), _code(each["type"]), _detail(each))
        for each in error.errors(include_url=False)
    ]


def _code(kind: str) -> str:
    return next((code for part, code in _CODES if part in kind), "value")


def _detail(each: Details) -> str:
    kind, context = each["type"], each.get("ctx", {})
    if kind == "missing":
        return "Field is required"
    if kind == "extra_forbidden":
        return "Unknown field"
    if kind in ("enum", "literal_error") and "expected" in context:
        return f"Expected {context['expected']}"
    if kind == "union_tag_invalid":
        return f"Expected {context.get('expected_tags', 'another tag')}"
    return "Invalid value" if mentions(each["msg"], each["input"]) else each["msg"]
