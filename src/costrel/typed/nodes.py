"""The types that the search for problems walks: all that does not depend on the values is found once per type."""

from __future__ import annotations

import typing as t
from functools import lru_cache

import msgspec

from ..support.properties import cached_property
from .expressions import TypeExpr
from .shapes import ArrayShape, MapShape, ObjectShape, TupleShape, UnionShape, shape_of


class FieldNode(t.NamedTuple):
    """A field of an object: the name that is sent, its type, and whether it must be sent."""

    name: str
    node: Node
    required: bool


class Node:
    """A type, its shape, and the nodes of its parts. They are made when needed: a type may be recursive."""

    def __init__(self, expr: TypeExpr) -> None:
        self.expr = expr
        self.shape = shape_of(expr)

    @cached_property
    def fields(self) -> tuple[FieldNode, ...]:
        """The fields of an object."""
        if not isinstance(self.shape, ObjectShape):
            return ()
        return tuple(FieldNode(name, node_of(each.type), each.required) for name, each in self.shape.fields.items())

    @cached_property
    def parts(self) -> tuple[Node, ...]:
        """The item of an array, the items of a tuple, key and value of a map, or the members of a union."""
        match self.shape:
            case ArrayShape(item):
                return (node_of(item),)
            case TupleShape(each) | UnionShape(each):
                return tuple(map(node_of, each))
            case MapShape(key, value):
                return node_of(key), node_of(value)
        return ()

    @cached_property
    def holder(self) -> t.Any:
        """An array with a single item of this type. msgspec keeps what it knows about a Struct, not about other types.

        The path of an error begins with the item's index.
        """
        return msgspec.defstruct("Holder", [("value", t.cast(type, self.expr))], array_like=True)


def node_of(expr: TypeExpr) -> Node:
    """The node of a type."""
    try:
        return _known_node(expr)
    except TypeError:  # metadata that cannot be hashed
        return Node(expr)


_known_node = lru_cache(maxsize=1024)(Node)
