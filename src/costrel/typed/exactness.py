"""Whether every model in a value is an object of exactly the declared class, so that it can be encoded as it is.

msgspec encodes an object by its own class. An object of a subclass would bring the fields of the subclass along.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable
from functools import lru_cache

import msgspec

from .expressions import NoneType, TypeExpr, class_of
from .shapes import ArrayShape, MapShape, ModelShape, ObjectShape, TupleShape, UnionShape, is_model_class, shape_of

Check: t.TypeAlias = Callable[[t.Any], bool]

_CONTAINERS: t.Final = frozenset({list, tuple, set, frozenset})
_PLAIN: t.Final = (str, bytes, int, float, bool, NoneType, msgspec.UnsetType)


def checker(expr: TypeExpr) -> Check | None:
    """A function that checks whether a value is exact; None for a type without models, of which any value is."""
    try:
        return _known_checker(expr)
    except TypeError:  # metadata that cannot be hashed
        return _Checkers().of(expr)


@lru_cache(maxsize=1024)
def _known_checker(expr: TypeExpr) -> Check | None:
    """The same for a type that several views return."""
    return _Checkers().of(expr)


class _Checkers:
    """Makes the checkers of a type. A recursive type gets one that calls itself."""

    def __init__(self) -> None:
        self._made: dict[object, Check | None] = {}

    def of(self, expr: TypeExpr) -> Check | None:
        key = _key(expr)
        if key in self._made:
            return self._made[key]
        if shape_of(expr) is not None:
            self._made[key] = lambda value: t.cast(Check, self._made[key])(value)  # until the fields are known
        made = self._made[key] = self._make(expr)
        return made

    def _make(self, expr: TypeExpr) -> Check | None:
        shape = shape_of(expr)
        match shape:
            case ObjectShape():
                return self._object(shape)
            case ArrayShape():
                return self._array(self.of(shape.item), self._only_class(shape.item))
            case TupleShape():
                return self._tuple([self.of(item) for item in shape.items])
            case MapShape():
                return self._map(self.of(shape.value))
            case UnionShape():
                return self._union([self.of(member) for member in shape.members])
            case ModelShape():
                return _of_class(shape.cls)
        cls = class_of(expr)
        return _of_class(cls) if cls is not None and is_model_class(cls) else None

    def _object(self, shape: ObjectShape) -> Check:
        cls, names = shape.cls, frozenset(field.attribute for field in shape.fields.values())
        inner = [
            (field.attribute, check) for field in shape.fields.values() if (check := self.of(field.type)) is not None
        ]
        if shape.is_dict:
            return lambda value: (
                type(value) is dict
                and value.keys() <= names
                and all(check(value[name]) for name, check in inner if name in value)
            )
        if not issubclass(cls, msgspec.Struct) and "__slots__" not in vars(cls):
            # msgspec writes exactly what is in the __dict__: other attributes too, and no default that it left out.
            return lambda value: (
                type(value) is cls
                and value.__dict__.keys() == names
                and all(check(getattr(value, name)) for name, check in inner)
            )
        if not inner:
            return _of_class(cls)
        if len(inner) == 1:  # the items of an order
            ((attribute, check),) = inner
            return lambda value: type(value) is cls and check(getattr(value, attribute))
        return lambda value: type(value) is cls and all(check(getattr(value, name)) for name, check in inner)

    def _array(self, check: Check | None, cls: type | None) -> Check | None:
        if check is None:
            return None
        if cls is not None:  # a model of scalars: one comparison for all
            only = {cls}
            return lambda value: type(value) in _CONTAINERS and only.issuperset(map(type, value))
        return lambda value: type(value) in _CONTAINERS and all(map(check, value))

    def _only_class(self, expr: TypeExpr) -> type | None:
        """The class of a Struct that contains no other models, whose check is one comparison."""
        shape = shape_of(expr)
        if not isinstance(shape, ObjectShape) or not issubclass(shape.cls, msgspec.Struct):
            return None
        return None if any(self.of(field.type) for field in shape.fields.values()) else shape.cls

    def _tuple(self, checks: list[Check | None]) -> Check | None:
        if not any(checks):
            return None
        return lambda value: (
            type(value) in _CONTAINERS
            and len(value) == len(checks)
            and all(check is None or check(item) for check, item in zip(checks, value, strict=True))
        )

    def _map(self, check: Check | None) -> Check | None:
        return None if check is None else lambda value: type(value) is dict and all(map(check, value.values()))

    def _union(self, checks: Iterable[Check | None]) -> Check | None:
        kept = [check for check in checks if check is not None]
        if not kept:
            return None
        return lambda value: isinstance(value, _PLAIN) or any(check(value) for check in kept)


def _key(expr: TypeExpr) -> object:
    """A hashable key for a type, whose metadata may be unhashable."""
    try:
        hash(expr)
    except TypeError:
        return id(expr)
    return expr


def _of_class(cls: type) -> Check:
    return lambda value: type(value) is cls
