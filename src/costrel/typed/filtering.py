"""A value as its declared type: rebuilt node by node, so that only declared fields are left."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

import msgspec

from ..support.properties import cached_property
from .collecting import DecHook
from .exactness import Check, checker
from .expressions import TypeExpr, class_of, spelled
from .pydantic_models import read_object
from .shapes import ArrayShape, MapShape, ModelShape, ObjectShape, Shape, TupleShape, UnionShape, shape_of
from .wording import explain

_ABSENT: t.Final = object()


class WrongResult(TypeError):
    """The result of a view does not fit its return annotation."""


class _Unfit(Exception):
    """A pydantic model cannot be made of a value."""


class Filter:
    """Makes values of one declared type: objects of subclasses, dicts and other objects with attributes are rebuilt."""

    def __init__(self, expr: TypeExpr, dec_hook: DecHook) -> None:
        self.expr = expr
        self.dec_hook = dec_hook

    @cached_property
    def _is_exact(self) -> Check | None:
        """Made with the first value: a start with hundreds of views does not wait for the checkers of all results."""
        return checker(self.expr)

    def declared(self, value: object, owner: str) -> object:
        """`value` itself if it is exact, else a value of the declared type with the same fields.

        :raises WrongResult: if it does not fit, with the place and without the value.
        """
        is_exact = self._is_exact
        if is_exact is None or is_exact(value):
            return value
        try:
            rebuilt = self._rebuild(value, self.expr)
        except _Unfit as error:
            raise WrongResult(f"The result of {owner!r} is not a {spelled(self.expr)}: {error}.") from None
        try:
            return msgspec.convert(rebuilt, self.expr, dec_hook=self.dec_hook)
        except msgspec.ValidationError as error:
            path, _, detail = explain(error, rebuilt, self.expr)
            place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
            raise WrongResult(
                f"The result of {owner!r} is not a {spelled(self.expr)}: {detail}, at result{place}."
            ) from None

    def _rebuild(self, value: object, expr: TypeExpr) -> object:
        shape = shape_of(expr)
        match shape:
            case ObjectShape():
                return self._object(value, shape)
            case ArrayShape() if _is_many(value):
                return [self._rebuild(item, shape.item) for item in value]
            case TupleShape() if _is_many(value):
                pairs = zip(value, shape.items, strict=False)
                return [self._rebuild(item, each) for item, each in pairs] + [*value][len(shape.items) :]
            case MapShape() if isinstance(value, Mapping):
                return {key: self._rebuild(item, shape.value) for key, item in value.items()}
            case UnionShape():
                member = _member_for(value, shape)
                return value if member is _ABSENT else self._rebuild(value, member)
            case ModelShape():
                return self._model(value, shape)
        return self._array_like(value, expr)

    def _object(self, value: object, shape: ObjectShape) -> object:
        if isinstance(value, (str, bytes, int, float, list, tuple, set, frozenset, type(None))):
            return value  # it does not fit, and msgspec says so
        found: dict[str, object] = {}
        for name, field in shape.fields.items():
            item = _get(value, name, field.attribute)
            if item is not _ABSENT and item is not msgspec.UNSET:
                found[name] = self._rebuild(item, field.type)
        if shape.tag_field is not None:
            found[shape.tag_field] = shape.tag
        return found

    def _model(self, value: object, shape: ModelShape) -> object:
        made, problems = read_object(shape.cls, _fields_of_model(value), "result", from_attributes=True)
        if problems:
            raise _Unfit(f"{problems[0].detail}, at {problems[0].name or 'its root'} of {shape.cls.__qualname__}")
        return made

    def _array_like(self, value: object, expr: TypeExpr) -> object:
        cls = class_of(expr)
        if cls is not None and issubclass(cls, msgspec.Struct) and isinstance(value, cls):
            fields = msgspec.structs.fields(cls)
            return [self._rebuild(getattr(value, field.name), field.type) for field in fields]
        return value


def _is_many(value: object) -> t.TypeGuard[Iterable[object]]:
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))


def _get(value: object, name: str, attribute: str) -> object:
    if isinstance(value, Mapping):
        return value.get(name, value.get(attribute, _ABSENT))
    return getattr(value, attribute, _ABSENT)


def _fields_of_model(value: object) -> object:
    """The fields of a value alone: pydantic accepts an object of a subclass unchanged."""
    dump: t.Callable[..., object] | None = getattr(value, "model_dump", None)
    return value if dump is None else dump(by_alias=True)


def _member_for(value: object, shape: UnionShape) -> TypeExpr:
    """The member of a union that a value is meant for: by its class, the nearest first, by its tag, or the only one."""
    models = [(m, s) for m in shape.members if (s := shape_of(m)) is not None]
    for cls in type(value).__mro__:
        for member, each in models:
            if _class_of_shape(each) is cls:
                return member
    if isinstance(value, Mapping):
        for member, each in models:
            if isinstance(each, ObjectShape) and each.is_tagged(value):
                return member
    if isinstance(value, (str, bytes, int, float, type(None))):
        return _ABSENT
    arrays = (ArrayShape, TupleShape)
    kinds = arrays if isinstance(value, (list, tuple, set, frozenset)) else (ObjectShape, MapShape, ModelShape)
    fitting = [member for member, each in models if isinstance(each, kinds)]
    return fitting[0] if len(fitting) == 1 else _ABSENT


def _class_of_shape(shape: Shape) -> type | None:
    return shape.cls if isinstance(shape, (ObjectShape, ModelShape)) else None
