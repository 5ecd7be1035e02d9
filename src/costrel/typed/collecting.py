"""All problems of one value: a walk of its type, done only after msgspec has refused the value with its first error.

The children of a node come first. A node is converted from its converted children, so that its own checks run once
(`__post_init__`, lengths), and the walk is linear.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Sequence

import msgspec

from .expressions import TypeExpr
from .nodes import Node, node_of
from .problems import MAX_PROBLEMS, Problem, Step
from .pydantic_models import read_object
from .shapes import ArrayShape, MapShape, ModelShape, ObjectShape, TupleShape, UnionShape
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

    def explain(self, error: Exception, raw: object, expr: TypeExpr) -> None:
        """Add the problem that an error describes."""
        self.add(*explain(error, raw, expr))

    def walk(self, raw: object, expr: TypeExpr) -> object:
        """`raw` as a value of the type, or FAILED if there are problems in it.

        :raises RecursionError: for a value that is nested too deeply.
        """
        return self._walk(raw, node_of(expr), ())

    def _walk(self, raw: object, node: Node, path: Path) -> object:
        if len(self.problems) >= MAX_PROBLEMS:
            return FAILED
        shape = node.shape
        if shape is None:
            return self._leaf(raw, node, path)
        if isinstance(shape, ObjectShape) and isinstance(raw, dict):
            return self._object(raw, node, shape, path)
        if isinstance(shape, ArrayShape) and isinstance(raw, (list, tuple)):
            return self._array(raw, node, path, node.parts * len(raw))
        if isinstance(shape, TupleShape) and isinstance(raw, (list, tuple)) and len(raw) == len(shape.items):
            return self._array(raw, node, path, node.parts)
        if isinstance(shape, MapShape) and isinstance(raw, dict):
            return self._map(raw, node, path)
        if isinstance(shape, UnionShape) and raw is not None:
            chosen = self._pick(raw, node)
            if chosen is not None:
                return self._walk(raw, chosen, path)
        if isinstance(shape, ModelShape):
            return self._model(raw, shape, path)
        return self._leaf(raw, node, path)

    def _object(self, raw: dict[str, object], node: Node, shape: ObjectShape, path: Path) -> object:
        before = len(self.problems)
        values: dict[str, object] = {}
        for name, field, required in node.fields:
            if name in raw:
                values[name] = self._walk(raw[name], field, (*path, name))
            elif required:
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
        return values if shape.is_dict else self._convert(values, raw, node, path)

    def _array(self, raw: Sequence[object], node: Node, path: Path, parts: Sequence[Node]) -> object:
        """An array whose items have the types of `parts`, with its own checks."""
        before = len(self.problems)
        items = [self._walk(item, part, (*path, i)) for i, (item, part) in enumerate(zip(raw, parts, strict=True))]
        return FAILED if len(self.problems) > before else self._convert(items, raw, node, path)

    def _map(self, raw: dict[str, object], node: Node, path: Path) -> object:
        before = len(self.problems)
        values: dict[object, object] = {}
        key_node, value_node = node.parts
        for key, item in raw.items():
            made_key = self._convert(key, key, key_node, (*path, key), str_keys=True)
            value = self._walk(item, value_node, (*path, key))
            if len(self.problems) == before:
                values[made_key] = value
        return FAILED if len(self.problems) > before else self._convert(values, raw, node, path)

    def _model(self, raw: object, shape: ModelShape, path: Path) -> object:
        value, problems = read_object(shape.cls, raw, self.where, path)
        for problem in problems:
            self.add(problem.path, problem.code, problem.detail)
        return FAILED if problems else value

    def _leaf(self, raw: object, node: Node, path: Path) -> object:
        if type(raw) is float and raw.is_integer() and abs(raw) <= _MAX_EXACT:
            # 6.0 is an integer in JSON Schema; msgspec decides by the spelling.
            try:
                return self._converted(int(raw), node, self.strict)
            except msgspec.ValidationError:
                pass
        return self._convert(raw, raw, node, path)

    def _convert(self, value: object, raw: object, node: Node, path: Path, str_keys: bool = False) -> object:
        if node.expr is msgspec.Raw:
            return msgspec.Raw(msgspec.json.encode(value))
        try:
            return self._converted(value, node, self.strict and not str_keys)
        except msgspec.ValidationError as error:
            steps, code, detail = explain(error, raw, node.expr)
            self.add(path + steps[1:], code, detail)
            return FAILED

    def _converted(self, value: object, node: Node, strict: bool) -> object:
        made: object = msgspec.convert((value,), node.holder, strict=strict, dec_hook=self.dec_hook).value
        return made

    def _pick(self, raw: object, node: Node) -> Node | None:
        """The member that a value is meant for: by its tag, else the only object or array among them."""
        if isinstance(raw, dict):
            objects = [each for each in node.parts if isinstance(each.shape, (ObjectShape, MapShape, ModelShape))]
            for each in objects:
                if isinstance(each.shape, ObjectShape) and each.shape.is_tagged(raw):
                    return each
            return objects[0] if len(objects) == 1 else None
        if isinstance(raw, list):
            arrays = [each for each in node.parts if isinstance(each.shape, (ArrayShape, TupleShape))]
            return arrays[0] if len(arrays) == 1 else None
        return None
