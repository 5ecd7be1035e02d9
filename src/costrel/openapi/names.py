"""The names of components: the names of their classes, and ``PageOfLine`` for ``Page[Line]``."""

from __future__ import annotations

import re
import typing as t

from ..typed.expressions import NoneType, TypeExpr, class_of, is_union, members, plain
from .errors import DocumentError

SCHEMA_NAME: t.Final = "__schema_name__"

_REFUSED: t.Final = re.compile(r"[^A-Za-z0-9._-]")


class Names:
    """The classes of one document by the names of their components."""

    def __init__(self) -> None:
        self._classes: dict[str, TypeExpr] = {}

    def add(self, expr: TypeExpr) -> str:
        """The name of a class or of a generic one with its types.

        :raises DocumentError: if another class has it.
        """
        name = name_of(expr)
        known = self._classes.setdefault(name, expr)
        if known != expr:
            raise DocumentError(
                f"Two classes are named {name!r}: that of {_home(known)} and that of {_home(expr)}. Rename one of them,"
                f' or set its class attribute {SCHEMA_NAME} = "AnotherName".'
            )
        return name

    def __contains__(self, name: str) -> bool:
        return name in self._classes


def name_of(expr: TypeExpr) -> str:
    """The name of a type within the name of a component."""
    if expr is NoneType:
        return "None"
    if is_union(expr):
        return "Or".join(map(name_of, members(expr)))
    bare = plain(expr)
    metadata: dict[str, t.Any] = getattr(bare, "__pydantic_generic_metadata__", None) or {}
    args: tuple[object, ...] = metadata.get("args") or t.get_args(bare)
    cls = metadata.get("origin") or class_of(bare)
    if cls is None:
        return _REFUSED.sub("", str(bare).replace("typing.", ""))
    own: str = cls.__dict__.get(SCHEMA_NAME) or cls.__name__
    shown = own if cls.__module__ != "builtins" else own.capitalize()
    name = f"{shown}Of{'And'.join(name_of(arg) for arg in args if arg is not ...)}" if args else shown
    return _REFUSED.sub("_", name)


def _home(expr: TypeExpr) -> str:
    cls = class_of(expr)
    return str(expr) if cls is None else f"{cls.__module__} ({cls.__qualname__})"
