"""The JSON schemas of types: one component per class, whether clients send or receive it."""

from __future__ import annotations

import enum
import typing as t
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import inspect as types

from ..http.uploads import FileStorage
from ..typed.codecs import Codecs
from ..typed.expressions import TypeExpr, class_of, is_union, members
from ..typed.pydantic_models import fields_of
from ..typed.results import is_flasks
from ..typed.shapes import is_model_class, is_pydantic, present
from .names import Names

Schema: t.TypeAlias = dict[str, t.Any]
"""A JSON schema, or another part of the document."""

REFS: t.Final = "#/components/schemas/"
BINARY: t.Final[Schema] = {"type": "string", "format": "binary"}


class Schemas:
    """The schemas of one document. Each class that occurs in one becomes a component."""

    def __init__(self, codecs: Codecs, to_builtins: t.Callable[[object], object]) -> None:
        self.codecs = codecs
        self.to_builtins = to_builtins
        self.names = Names()
        self.components: dict[str, Schema] = {}
        self._known: dict[TypeExpr, Schema] = {}

    def of(self, expr: TypeExpr) -> Schema:
        """The schema of a type; an empty one for a type without one.

        :raises DocumentError: if two classes have one name.
        """
        try:
            known = self._known.get(expr)
        except TypeError:  # metadata that cannot be hashed
            return self._of(expr)
        if known is None:
            known = self._known[expr] = self._of(expr)
        return known

    def _of(self, expr: TypeExpr) -> Schema:
        parts = members(expr)
        if any(map(is_flasks, parts)):
            parts = tuple(part for part in parts if not is_flasks(part))
            return self.any_of([self.of(part) for part in parts])
        if is_union(expr) and any(_is_model_of_pydantic(part) for part in parts):
            return self.any_of([self.of(part) for part in parts])
        try:
            info = types.type_info(expr)
        except (TypeError, NameError):
            return {}
        return self._made(expr, info)

    def any_of(self, schemas: list[Schema]) -> Schema:
        """The schema of a value that fits one of several."""
        distinct = [schema for index, schema in enumerate(schemas) if schema not in schemas[:index]]
        if len(distinct) == 1 or {} in distinct:
            return distinct[0] if len(distinct) == 1 else {}
        return {"anyOf": distinct} if distinct else {}

    def of_text(self, expr: TypeExpr) -> Schema:
        """The schema of a value that is sent as text, which is never null."""
        kept = present(expr)
        return self.of(expr) if len(kept) == len(members(expr)) else self.any_of([self.of(part) for part in kept])

    def resolved(self, schema: Schema) -> Schema:
        """The component that a schema refers to, or the schema itself."""
        ref: str | None = schema.get("$ref")
        return schema if ref is None else self.components[ref.removeprefix(REFS)]

    def own(self, name: str, schema: Schema) -> Schema:
        """A schema of our own as a component; as it is if a class of the application has the name."""
        if name in self.names:
            return schema
        self.components.setdefault(name, schema)
        return {"$ref": REFS + name}

    def used(self, document: object) -> dict[str, Schema]:
        """The components that a document refers to, also through others, sorted by name."""
        found: set[str] = set()
        waiting = [*refs_of(document)]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += refs_of(self.components[name])
        return {name: self.components[name] for name in sorted(found)}

    def _made(self, expr: TypeExpr, info: types.Type) -> Schema:
        classes = list(dict.fromkeys(_classes(info, set())))
        names = [self.names.add(cls) for cls in classes]
        template = REFS + "{name}"
        made, components = msgspec.json.schema_components(
            [expr, *classes], schema_hook=self._custom, ref_template=template
        )
        renamed = {each["$ref"]: REFS + name for each, name in zip(made[1:], names, strict=True)}
        for each, cls, name in zip(made[1:], classes, names, strict=True):
            component: Schema = components[each["$ref"].removeprefix(REFS)]
            self._add(name, cls, _renamed(component, renamed))
        return t.cast("Schema", _renamed(made[0], renamed))

    def _add(self, name: str, cls: TypeExpr, component: Schema) -> None:
        title = component.get("title", "")
        if title == getattr(cls, "__name__", None) or "[" in title:
            component = {key: value for key, value in component.items() if key != "title"}
        self.components.setdefault(name, component)

    def _custom(self, cls: type) -> Schema:
        """The schema of a type that msgspec does not know."""
        if is_pydantic(cls):
            return self._model(cls)
        if issubclass(cls, FileStorage):
            return dict(BINARY)
        codec = self.codecs.get(cls)
        return dict(codec.schema) if codec is not None and codec.schema is not None else {}

    def _model(self, cls: type) -> Schema:
        """The schema of a pydantic model, which describes itself."""
        classes = {each.__name__: each for each in _classes_of_model(cls, set())}
        names = {_spelt(name): self.names.add(each) for name, each in classes.items()}
        schema: Schema = cls.model_json_schema(ref_template=REFS + "{model}")  # type: ignore[attr-defined]
        found: dict[str, Schema] = schema.pop("$defs", {})
        found.setdefault(_spelt(cls.__name__), schema)
        renamed = {REFS + old: REFS + names.get(old, old) for old in found}
        for old, each in found.items():
            self._add(names.get(old, old), classes.get(old), _renamed(each, renamed))
        return {"$ref": REFS + names[_spelt(cls.__name__)]}


def _spelt(name: str) -> str:
    """The name of a class as pydantic writes it in references."""
    return "".join(char if char.isalnum() or char in "._-" else "_" for char in name)


def _is_model_of_pydantic(expr: TypeExpr) -> bool:
    cls = class_of(expr)
    return cls is not None and is_pydantic(cls)


_NAMED: t.Final = (types.StructType, types.TypedDictType, types.DataclassType, types.NamedTupleType, types.EnumType)


def _classes(info: object, seen: set[int]) -> Iterator[TypeExpr]:
    """The classes in a type that become components, each with its type variables."""
    if isinstance(info, (list, tuple)):
        for each in info:
            yield from _classes(each, seen)
    elif isinstance(info, types.Field):
        yield from _classes(info.type, seen)
    elif isinstance(info, types.Type) and id(info) not in seen:
        seen.add(id(info))
        if isinstance(info, _NAMED):
            yield info.cls
        for name in info.__struct_fields__:
            yield from _classes(getattr(info, name), seen)


def _classes_of_model(expr: TypeExpr, seen: set[type]) -> Iterator[type]:
    """The classes in a pydantic model that become components."""
    cls = class_of(expr)
    if cls is not None and cls not in seen and (is_model_class(cls) or issubclass(cls, enum.Enum)):
        seen.add(cls)
        yield cls
        if is_pydantic(cls):
            for annotation in fields_of(cls)[0].values():
                yield from _classes_of_model(annotation, seen)
    for arg in t.get_args(expr):
        yield from _classes_of_model(arg, seen)


def _renamed(value: t.Any, refs: Mapping[str, str]) -> t.Any:
    """A schema with other references."""
    if isinstance(value, dict):  # the keys of a discriminator's mapping may be numbers
        renamed = {
            str(key): refs.get(each, each) if _is_ref(each) else _renamed(each, refs) for key, each in value.items()
        }
        return _as_read(renamed)
    if isinstance(value, list):
        return [_renamed(each, refs) for each in value]
    return value


def _as_read(schema: Schema) -> Schema:
    """A schema of msgspec's as its decoder reads the values.

    A set may be sent with repeated items. Validators do not know the formats of a number or time in text, and durations
    have no years and months, so that these need patterns.
    """
    if schema.get("uniqueItems") is True:
        schema = {key: value for key, value in schema.items() if key != "uniqueItems"}
    pattern = _PATTERNS.get(str(schema.get("format")))
    return {**schema, "pattern": pattern} if pattern is not None and "pattern" not in schema else schema


_PATTERNS: t.Final = {
    "decimal": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$",
    "duration": r"^-?P(?=[0-9T])([0-9]{1,8}D)?(T(?=[0-9])([0-9]{1,8}H)?([0-9]{1,8}M)?([0-9]{1,8}(\.[0-9]+)?S)?)?$",
    "partial-time": r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?$",  # RFC 3339, appendix A
}


def refs_of(value: object) -> Iterator[str]:
    """The names of the components that a part of a document refers to."""
    if isinstance(value, dict):
        for each in value.values():
            if _is_ref(each):
                yield each.removeprefix(REFS)
            else:
                yield from refs_of(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from refs_of(each)


def _is_ref(value: object) -> t.TypeGuard[str]:
    """Whether a value is a reference, in ``$ref`` or in ``discriminator.mapping``."""
    return isinstance(value, str) and value.startswith(REFS)
