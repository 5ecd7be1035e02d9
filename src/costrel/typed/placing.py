"""The source of a parameter's value: the first row of a table that fits its type.

No row depends on another parameter or on the HTTP method.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import typing as t
import uuid
from collections.abc import Collection

import msgspec

from ..http.uploads import FileStorage
from .expressions import TypeExpr, class_of, members, plain, spelled
from .shapes import ARRAYS, MAPS, NOTHINGS, is_model_class

SCALARS: t.Final = (
    str,
    int,
    float,
    bool,
    decimal.Decimal,
    uuid.UUID,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    enum.Enum,
)
"""With their subclasses, such as `datetime`."""

_MANY: t.Final = (*ARRAYS, tuple)

HOW_TO_DECLARE: t.Final = (
    "Mark it with Annotated[..., Query()] (or Header, Cookie, Form, File, Body), give it a default, or register its"
    " type with app.provide or app.typed_codec"
)


class Unplaced(TypeError):
    """The type of a parameter has no place that a value could come from."""


def kinds_of(expr: TypeExpr, codecs: Collection[type]) -> set[str]:
    """``model``, ``scalar``, ``file``, ``many`` (a container of scalars) and ``other``: one per member of a union."""
    found: set[str] = set()
    for member in members(expr):
        bare = plain(member)
        if bare in NOTHINGS:
            continue
        found.add(_kind(bare, codecs))
    return found


def _kind(bare: TypeExpr, codecs: Collection[type]) -> str:
    if t.get_origin(bare) is t.Literal:
        return "scalar"
    cls = class_of(bare)
    if cls is None:
        return "other"
    if cls in codecs or issubclass(cls, SCALARS):
        return "scalar"
    if issubclass(cls, FileStorage):
        return "file"
    if cls is msgspec.Raw or cls in MAPS or is_model_class(cls):
        return "model"
    if cls in _MANY:
        items = [arg for arg in t.get_args(bare) if arg is not ...]
        return _kind_of_items(items, codecs)
    return "other"


def _kind_of_items(items: list[TypeExpr], codecs: Collection[type]) -> str:
    kinds = set().union(*(kinds_of(item, codecs) for item in items)) if items else {"model"}
    if kinds == {"scalar"}:
        return "many"
    return "file" if kinds == {"file"} else "model"


def place_of(expr: TypeExpr, codecs: Collection[type]) -> str | None:
    """``file``, ``body`` or ``query`` for a type without a marker; None for a type that cannot be read.

    :raises Unplaced: for a union of a model and a scalar.
    """
    kinds = kinds_of(expr, codecs)
    if "other" in kinds or not kinds:
        return None
    if kinds == {"file"}:
        return "file"
    if kinds == {"model"}:
        return "body"
    if kinds <= {"scalar", "many"}:
        return "query"
    raise Unplaced(
        f"{spelled(expr)} is a union of a model and a scalar, so that its value could come from the body or from the"
        " query. Mark it with Body() or Query()"
    )


def is_many(expr: TypeExpr) -> bool:
    """Whether a type takes several values: a list, set or tuple, also an optional one."""
    return any(class_of(member) in _MANY for member in members(expr))


def item_types(expr: TypeExpr) -> tuple[TypeExpr, ...]:
    """The types that a single value may have: the members of a union, the item types of a list."""
    found: list[TypeExpr] = []
    for member in members(expr):
        bare = plain(member)
        if class_of(bare) in _MANY:
            found += [part for arg in t.get_args(bare) if arg is not ... for part in members(arg)]
        else:
            found.append(bare)
    return tuple(plain(each) for each in found)


def takes_text(expr: TypeExpr) -> bool:
    """Whether an empty text is a value of the type."""
    for each in item_types(expr):
        cls = class_of(each)
        if each is str or each is t.Any:
            return True
        if t.get_origin(each) is t.Literal and "" in t.get_args(each):
            return True
        if cls is not None and issubclass(cls, enum.Enum) and any(item.value == "" for item in cls):
            return True
    return False
