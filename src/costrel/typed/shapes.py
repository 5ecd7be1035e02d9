"""The shape of a type: an object with fields, an array, a map, a union; None for everything that has no parts."""

from __future__ import annotations

import dataclasses
import sys
import typing as t
from collections import abc
from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from .expressions import NoneType, TypeExpr, class_hints, class_of, is_union, members, plain

ARRAYS: t.Final = (list, set, frozenset, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Set, abc.MutableSet)
MAPS: t.Final = (dict, abc.Mapping, abc.MutableMapping)
NOTHINGS: t.Final = (NoneType, msgspec.UnsetType)
"""The types of an absent value."""


class Field(t.NamedTuple):
    """A field of an object: its attribute, its type, and whether it must be sent."""

    attribute: str
    type: TypeExpr
    required: bool


class ObjectShape(t.NamedTuple):
    """A Struct, dataclass, attrs class or TypedDict."""

    cls: type
    fields: Mapping[str, Field]
    """By the names that are sent."""
    forbids: bool
    """Whether other names are an error."""
    tag_field: str | None = None
    tag: str | int | None = None
    is_dict: bool = False

    def is_tagged(self, value: Mapping[str, object]) -> bool:
        """Whether an object has the tag of this class."""
        return self.tag is not None and value.get(self.tag_field or "") == self.tag


class ArrayShape(t.NamedTuple):
    """A list or set, or a tuple of one type of items."""

    item: TypeExpr


class TupleShape(t.NamedTuple):
    """A tuple with a type for each item."""

    items: tuple[TypeExpr, ...]


class MapShape(t.NamedTuple):
    """A dict."""

    key: TypeExpr
    value: TypeExpr


class UnionShape(t.NamedTuple):
    """A union, without None and `UnsetType`."""

    members: tuple[TypeExpr, ...]


class ModelShape(t.NamedTuple):
    """A pydantic model, which validates itself."""

    cls: type


Shape: t.TypeAlias = ObjectShape | ArrayShape | TupleShape | MapShape | UnionShape | ModelShape


def present(expr: TypeExpr) -> tuple[TypeExpr, ...]:
    """The members of a type that stand for a value: all but None and `UnsetType`."""
    return tuple(member for member in members(expr) if member not in NOTHINGS)


def shape_of(expr: TypeExpr) -> Shape | None:
    """The shape of a type."""
    try:
        return _known_shape(expr)
    except TypeError:  # metadata that cannot be hashed
        return _shape(expr)


def _shape(expr: TypeExpr) -> Shape | None:
    if is_union(expr):
        return UnionShape(present(expr))
    bare = plain(expr)
    cls = class_of(bare)
    if cls is None:
        return None
    args = t.get_args(bare)
    if cls is tuple and args:
        return ArrayShape(args[0]) if args[1:] == (...,) else TupleShape(args)
    if cls in ARRAYS:
        return ArrayShape(args[0] if args else t.Any)
    if cls in MAPS:
        return MapShape(*args) if args else MapShape(str, t.Any)
    if is_pydantic(cls):
        return ModelShape(cls)
    return object_shape(bare, cls)


# The search for the problems of a request asks for the shape of each node.
_known_shape = lru_cache(maxsize=1024)(_shape)


def object_shape(expr: TypeExpr, cls: type) -> ObjectShape | None:
    """The fields of a class, or None if it is no model."""
    for matches, read in _READERS:
        if matches(cls):
            return read(expr, cls)
    return None


def _struct(expr: TypeExpr, cls: type) -> ObjectShape | None:
    config: msgspec.structs.StructConfig = cls.__struct_config__  # type: ignore[attr-defined]
    if config.array_like:
        return None
    fields = {
        field.encode_name: Field(field.name, field.type, field.required)
        for field in msgspec.structs.fields(t.cast("type[msgspec.Struct]", expr))
    }
    return ObjectShape(cls, fields, config.forbid_unknown_fields, config.tag_field, config.tag)


def _dataclass(expr: TypeExpr, cls: type) -> ObjectShape:
    hints = dict(class_hints(expr))
    missing = dataclasses.MISSING
    fields = {
        field.name: Field(field.name, hints[field.name], field.default is missing and field.default_factory is missing)
        for field in dataclasses.fields(cls)
    }
    return ObjectShape(cls, fields, False)


def _attrs(expr: TypeExpr, cls: type) -> ObjectShape:
    hints, nothing = dict(class_hints(expr)), sys.modules["attr"].NOTHING
    fields = {
        attribute.name: Field(attribute.name, hints.get(attribute.name, t.Any), attribute.default is nothing)
        for attribute in cls.__attrs_attrs__  # type: ignore[attr-defined]
    }
    return ObjectShape(cls, fields, False)


def _typed_dict(expr: TypeExpr, cls: type) -> ObjectShape:
    required: frozenset[str] = cls.__required_keys__  # type: ignore[attr-defined]
    fields = {name: Field(name, _unqualified(hint), name in required) for name, hint in class_hints(expr)}
    return ObjectShape(cls, fields, False, is_dict=True)


def _unqualified(hint: TypeExpr) -> TypeExpr:
    """The type within `Required` and `NotRequired`."""
    return t.get_args(hint)[0] if t.get_origin(hint) in (t.Required, t.NotRequired) else hint


def _is_struct(cls: type) -> bool:
    return issubclass(cls, msgspec.Struct)


def is_attrs(cls: type) -> bool:
    """Whether a class was made by attrs, which is not imported for it."""
    return hasattr(cls, "__attrs_attrs__") and "attr" in sys.modules


_READERS: t.Final[tuple[tuple[Callable[[type], bool], Callable[[TypeExpr, type], ObjectShape | None]], ...]] = (
    (_is_struct, _struct),
    (dataclasses.is_dataclass, _dataclass),
    (is_attrs, _attrs),
    (t.is_typeddict, _typed_dict),
)


def is_pydantic(cls: type) -> bool:
    """Whether a class is a pydantic model; pydantic is not imported for it."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and issubclass(cls, pydantic.BaseModel)


def is_model_class(cls: type) -> bool:
    """Whether a class describes a value with named fields."""
    return (
        _is_struct(cls)
        or dataclasses.is_dataclass(cls)
        or is_attrs(cls)
        or t.is_typeddict(cls)
        or is_pydantic(cls)
        or (issubclass(cls, tuple) and hasattr(cls, "_fields"))
    )


def reaches_model(expr: TypeExpr) -> bool:
    """Whether a type is a model, or contains one: a list, map, tuple or union of models."""
    bare = plain(expr)
    if is_union(bare):
        return any(reaches_model(member) for member in members(bare))
    cls = class_of(bare)
    if cls is not None and is_model_class(cls):
        return True
    return cls in (*ARRAYS, *MAPS, tuple) and any(reaches_model(arg) for arg in t.get_args(bare) if arg is not ...)
