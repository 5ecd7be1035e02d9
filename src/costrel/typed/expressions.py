"""Type expressions: taken apart, and resolved from their annotations."""

from __future__ import annotations

import sys
import types
import typing as t
from collections.abc import Callable, Iterator, Mapping

from .markers import Input

TypeExpr: t.TypeAlias = object
"""A type as annotations write it: a class, a union, `Annotated` and so on."""

NoneType: t.Final = type(None)
ANNOTATED: t.Final = type(t.Annotated[int, ""])
_UNIONS: t.Final = (t.Union, types.UnionType)

M = t.TypeVar("M")


class Unresolved(t.NamedTuple):
    """An annotation that cannot be evaluated: it has names that only type checkers know, or is no expression."""

    text: str
    reason: str

    def __str__(self) -> str:
        return f"{self.text!r}, which cannot be evaluated ({self.reason}). Typed views need their types at run time"


def annotations_of(function: Callable[..., object]) -> dict[str, TypeExpr]:
    """The annotations of a function. Strings are evaluated, or become `Unresolved`."""
    found: Mapping[str, TypeExpr] = getattr(function, "__annotations__", None) or {}
    if not any(isinstance(annotation, str) for annotation in found.values()):
        return {name: NoneType if annotation is None else annotation for name, annotation in found.items()}
    names = globals_of(function)
    return {name: _evaluated(name, annotation, names) for name, annotation in found.items()}


def _evaluated(name: str, annotation: TypeExpr, names: dict[str, object]) -> TypeExpr:
    scope = types.SimpleNamespace(__annotations__={name: annotation})
    try:
        evaluated: TypeExpr = t.get_type_hints(scope, names, include_extras=True)[name]
    except Exception as error:  # evaluating it runs code of the application, or parses a sentence
        return Unresolved(str(annotation), str(error))
    return evaluated


def globals_of(function: Callable[..., object]) -> dict[str, object]:
    """The names that the annotations of `function` can use: from its module, and from the functions around it."""
    code = getattr(function, "__code__", None)
    names: dict[str, object] = dict(getattr(function, "__globals__", None) or vars(sys.modules[function.__module__]))
    cells = getattr(function, "__closure__", None)
    if code is not None and cells:
        for name, cell in zip(code.co_freevars, cells, strict=True):
            try:
                names[name] = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
    return names


def plain(expr: TypeExpr) -> TypeExpr:
    """The type without `Annotated`, `NewType` and aliases around it."""
    while not isinstance(expr, type):
        if isinstance(expr, ANNOTATED):
            expr = t.get_args(expr)[0]
        elif isinstance(expr, t.NewType):
            expr = expr.__supertype__
        elif type(expr).__name__ == "TypeAliasType":  # Python 3.12's statement `type`
            expr = expr.__value__  # type: ignore[attr-defined]
        elif t.get_origin(expr) in (t.Required, t.NotRequired):
            expr = t.get_args(expr)[0]
        else:
            break
    return expr


def metadata_of(expr: TypeExpr) -> tuple[object, ...]:
    """The metadata that `Annotated` adds to a type."""
    return t.get_args(expr)[1:] if isinstance(expr, ANNOTATED) else ()


def marker_of(expr: TypeExpr, kind: type[M]) -> M | None:
    """The marker of a kind that `Annotated` gives a type, or None. A class stands for its instance."""
    for item in metadata_of(expr):
        if isinstance(item, type) and issubclass(item, kind):
            item = item()
        if isinstance(item, kind):
            return item
    return None


def unmarked(expr: TypeExpr, *others: type) -> TypeExpr:
    """A type without the markers of inputs and of `others`: a schema describes the value alone."""
    if not isinstance(expr, ANNOTATED):
        return expr
    kinds = (Input, *others)
    kept = tuple(item for item in metadata_of(expr) if not _is_marker(item, kinds))
    bare = t.get_args(expr)[0]
    return t.Annotated[(bare, *kept)] if kept else bare


def _is_marker(item: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(item, kinds) or (isinstance(item, type) and issubclass(item, kinds))


def members(expr: TypeExpr) -> tuple[TypeExpr, ...]:
    """The types of a union, flat; for any other type, that type alone."""
    if isinstance(expr, type) or not is_union(expr):
        return (expr,)
    return tuple(part for member in t.get_args(plain(expr)) for part in members(member))


def is_union(expr: TypeExpr) -> bool:
    """Whether a type is a union, also an optional type."""
    bare = plain(expr)
    return not isinstance(bare, type) and t.get_origin(bare) in _UNIONS


def class_of(expr: TypeExpr) -> type | None:
    """The class that a type is, without its parameters; None for a union, a literal and others."""
    bare = expr if isinstance(expr, type) else plain(expr)
    if isinstance(bare, type):
        return bare
    origin = t.get_origin(bare)
    return origin if isinstance(origin, type) else None


def spelled(expr: TypeExpr) -> str:
    """A type as it is written in source code."""
    if expr is NoneType:
        return "None"
    if isinstance(expr, type) and t.get_origin(expr) is None:
        return expr.__qualname__.rpartition("<locals>.")[2]
    if isinstance(expr, ANNOTATED):
        return spelled(t.get_args(expr)[0])
    if is_union(expr):
        return " | ".join(spelled(member) for member in members(expr))
    args = t.get_args(expr)
    cls = class_of(expr)
    if cls is not None and args:
        return f"{cls.__qualname__}[{', '.join(map(spelled, args))}]"
    return str(expr).replace("typing.", "")


def type_variables(cls: type, args: tuple[TypeExpr, ...]) -> dict[TypeExpr, TypeExpr]:
    """The types that replace the type variables of a generic class and of its bases."""
    found: dict[TypeExpr, TypeExpr] = dict(zip(getattr(cls, "__parameters__", ()), args, strict=False))
    for base in getattr(cls, "__orig_bases__", ()):
        origin = t.get_origin(base)
        if isinstance(origin, type) and origin is not t.Generic:
            given = tuple(substituted(arg, found) for arg in t.get_args(base))
            found = {**type_variables(origin, given), **found}
    return found


def substituted(expr: TypeExpr, variables: Mapping[TypeExpr, TypeExpr]) -> TypeExpr:
    """A type with its type variables replaced."""
    if isinstance(expr, t.TypeVar):
        return variables.get(expr, object)
    parameters = getattr(expr, "__parameters__", ())
    if not parameters or (isinstance(expr, type) and t.get_origin(expr) is None):
        return expr
    return expr[tuple(variables.get(parameter, object) for parameter in parameters)]  # type: ignore[index]


def class_hints(expr: TypeExpr) -> Iterator[tuple[str, TypeExpr]]:
    """The names and types of the attributes of a class, with its type variables replaced."""
    cls = class_of(expr)
    if cls is None:
        return
    hints = t.get_type_hints(cls, include_extras=True)
    variables = type_variables(cls, t.get_args(plain(expr)))
    for name, hint in hints.items():
        yield name, substituted(hint, variables) if variables else hint
