"""All problems of one value: a walk of its type, done only after msgspec has refused the value with its first error.

The children of a node come first. A node is converted from its converted children, so that its own checks run once
(`__post_init__`, lengths), and the walk is linear.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import msgspec

from .expressions import TypeExpr
from .problems import MAX_PROBLEMS, Problem, Step
from .pydantic_models import read_object
from .shapes import ArrayShape, MapShape, ModelShape, ObjectShape, TupleShape, UnionShape, shape_of
from .wording import explain

Path: t.TypeAlias = tuple[Step, ...]
DecHook: t.TypeAlias = Callable[[type, t.Any], t.Any]

FAILED: t.Final = object()
"""Stands for a value with problems."""

_MAX_EXACT: t.Final = 2**53
"""Up to here, a float can represent every integer."""


class Collector:
    """Collects the problems of one source. With `strict`, a string is not accepted as a number, as in JSON."""

    def __init__(self, where: str, strict: bool, dec_hook: DecHook | None = None) -> None:
        self.where = where
        self.strict = strict
        self.dec_hook = dec_hook
        self.problems: list[Problem] = []

    def add(self, path: Path, code: str, detail: str) -> None:
        """Add a problem, up to `MAX_PROBLEMS`."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.where, path, code, detail))

    def explain(self, error: Exception, raw: object, expr: TypeExpr, path: Path = ()) -> None:
        """Add the problem that an error describes."""
        steps, code, detail = explain(error, raw, expr)
        self.add(path + steps, code, detail)

    def walk(self, raw: object, expr: TypeExpr, path: Path = ()) -> object:
        """`raw` as a value of the type, or FAILED if there are problems in it.

        :raises RecursionError: for a value that is nested too deeply.
        """
        if len(self.problems) >= MAX_PROBLEMS:
            return FAILED
        shape = shape_of(expr)
        if shape is None:
            return self._leaf(raw, expr, path)
        if isinstance(shape, ObjectShape) and isinstance(raw, dict):
            return self._object(raw, expr, shape, path)
        if isinstance(shape, ArrayShape) and isinstance(raw, (list, tuple)):
            items = [self.walk(item, shape.item, (*path, index)) for index, item in enumerate(raw)]
            return self._whole(items, raw, expr, path)
        if isinstance(shape, TupleShape) and isinstance(raw, (list, tuple)) and len(raw) == len(shape.items):
            pairs = enumerate(zip(raw, shape.items, strict=True))
            return self._whole([self.walk(item, each, (*path, i)) for i, (item, each) in pairs], raw, expr, path)
        if isinstance(shape, MapShape) and isinstance(raw, dict):
            return self._map(raw, expr, shape, path)
        if isinstance(shape, UnionShape) and raw is not None:
            chosen = self._pick(raw, shape)
            if chosen is not None:
                return self.walk(raw, chosen, path)
        if isinstance(shape, ModelShape):
            return self._model(raw, shape, path)
        return self._leaf(raw, expr, path)

    def _object(self, raw: dict[str, object], expr: TypeExpr, shape: ObjectShape, path: Path) -> object:
        before = len(self.problems)
        values: dict[str, object] = {}
        for name, field in shape.fields.items():
            if name in raw:
                values[name] = self.walk(raw[name], field.type, (*path, name))
            elif field.required:
                self.add((*path, name), "missing", "Field is required")
        if shape.forbids:
            known = {*shape.fields, shape.tag_field}
            for name in raw:
                if name not in known:
                    self.add((*path, name), "unknown", "Unknown field")
        if shape.tag_field in raw:
            values[shape.tag_field] = raw[shape.tag_field]
        if len(self.problems) > before:
            return FAILED
        # A TypedDict stays a dict, and every dict around it would convert its values again.
        return values if shape.is_dict else self._convert(values, raw, expr, path)

    def _map(self, raw: dict[str, object], expr: TypeExpr, shape: MapShape, path: Path) -> object:
        before = len(self.problems)
        values: dict[object, object] = {}
        for key, item in raw.items():
            made_key = self._convert(key, key, shape.key, (*path, key), str_keys=True)
            value = self.walk(item, shape.value, (*path, key))
            if len(self.problems) == before:
                values[made_key] = value
        return FAILED if len(self.problems) > before else self._convert(values, raw, expr, path)

    def _whole(self, items: list[object], raw: object, expr: TypeExpr, path: Path) -> object:
        """The container of these items, with its own checks."""
        return FAILED if any(item is FAILED for item in items) else self._convert(items, raw, expr, path)

    def _model(self, raw: object, shape: ModelShape, path: Path) -> object:
        value, problems = read_object(shape.cls, raw, self.where, path)
        for problem in problems:
            self.add(problem.path, problem.code, problem.detail)
        return FAILED if problems else value

    def _leaf(self, raw: object, expr: TypeExpr, path: Path) -> object:
        if type(raw) is float and raw.is_integer() and abs(raw) <= _MAX_EXACT:
            # 6.0 is an integer in JSON Schema; msgspec decides by the spelling.
            try:
                return msgspec.convert(int(raw), expr, strict=self.strict, dec_hook=self.dec_hook)
            except msgspec.ValidationError:
                pass
        return self._convert(raw, raw, expr, path)

    def _convert(self, value: object, raw: object, expr: TypeExpr, path: Path, str_keys: bool = False) -> object:
        if expr is msgspec.Raw:
            return msgspec.Raw(msgspec.json.encode(value))
        try:
            return msgspec.convert(value, expr, strict=self.strict and not str_keys, dec_hook=self.dec_hook)
        except msgspec.ValidationError as error:
            self.explain(error, raw, expr, path)
            return FAILED

    def _pick(self, raw: object, shape: UnionShape) -> TypeExpr | None:
        """The member that a value is meant for: by its tag, else the only object or array among them."""
        shapes = [(member, shape_of(member)) for member in shape.members]
        if isinstance(raw, dict):
            objects = [(m, s) for m, s in shapes if isinstance(s, (ObjectShape, MapShape, ModelShape))]
            for member, each in objects:
                if isinstance(each, ObjectShape) and each.is_tagged(raw):
                    return member
            return objects[0][0] if len(objects) == 1 else None
        if isinstance(raw, list):
            arrays = [member for member, each in shapes if isinstance(each, (ArrayShape, TupleShape))]
            return arrays[0] if len(arrays) == 1 else None
        return None
