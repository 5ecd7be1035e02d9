"""The errors of msgspec in our own words: code, detail and path, never the value.

msgspec prints the value for an enum, a literal, a tag and an unknown field. Our text lists the allowed values instead.
"""

from __future__ import annotations

import enum
import re
import typing as t
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from .expressions import TypeExpr, class_of, members, plain
from .problems import Step
from .shapes import ObjectShape, shape_of

MAX_LISTED: t.Final = 20

_HELD: t.Final = " - at `$[0]`"
"""The end of almost all messages, for an error in the single item of `Node.holder`."""
_STEP: t.Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_QUOTED: t.Final = re.compile(r"`(.*)`", re.DOTALL)
_WITH_VALUES: t.Final = ("Object ", "Invalid enum value", "Invalid value")
"""How the messages begin that contain something which was sent. All others name types and bounds."""
_CODES: t.Final = (
    ("matching regex", "pattern"),
    ("`, got `", "type"),
    ("of length", "length"),
    ("multiple of", "multiple"),
    ("out of range", "range"),
    (">", "range"),
    ("<", "range"),
    ("timezone component", "format"),
    ("Invalid", "format"),
    ("Expected `", "type"),
)

Explanation: t.TypeAlias = tuple[tuple[Step, ...], str, str]
"""Path, code and detail."""


def explain(error: Exception, raw: object, expr: TypeExpr) -> Explanation:
    """The problem that `error` reports about `raw` as a value of the type `expr`."""
    text, path = _split(str(error))
    cause = error.__cause__ if isinstance(error, msgspec.ValidationError) else error
    return _worded(text, path, expr) if cause is None else (path, "value", _own_words(str(cause), raw, expr))


def _split(message: str) -> tuple[str, tuple[Step, ...]]:
    """The text of a message, and the place that it ends with, such as ``- at `$.a[0]` `` or ``- at `key` in `$` ``."""
    if message.endswith(_HELD):
        return message[: -len(_HELD)], (0,)
    text, found, place = message.rpartition(" - at `")
    place = place.removeprefix("key` in `")
    if not found or not place.startswith("$") or not place.endswith("`"):
        return message, ()
    return text, _steps(place[1:-1])


def _steps(place: str) -> tuple[Step, ...]:
    return tuple(int(index) if index.isdigit() else key or "*" for key, index in _STEP.findall(place))


def _worded(text: str, path: tuple[Step, ...], expr: TypeExpr) -> Explanation:
    if not text.startswith(_WITH_VALUES):
        return path, _code_of(text), text
    if text.startswith("Object "):
        quoted = _QUOTED.search(text)
        name = quoted[1] if quoted else "*"
        if "missing" in text:
            return (*path, name), "missing", "Field is required"
        return (*path, name), "unknown", "Unknown field"
    if text.startswith("Invalid enum value"):
        return path, "enum", allowed(expr)
    return path, "union", tags_of(expr)


@lru_cache(maxsize=256)
def _code_of(text: str) -> str:
    return next((code for part, code in _CODES if part in text), "value")


def allowed(expr: TypeExpr) -> str:
    """The values of an enum or a literal, as a sentence."""
    values = list(dict.fromkeys(_values(expr)))
    return f"Expected {listed(values)}" if values else "Expected another value"


def _values(expr: TypeExpr) -> Iterator[object]:
    for member in members(expr):
        bare = plain(member)
        cls = class_of(bare)
        if t.get_origin(bare) is t.Literal:
            yield from t.get_args(bare)
        elif cls is not None and issubclass(cls, enum.Enum):
            yield from (item.value for item in cls)


def tags_of(expr: TypeExpr) -> str:
    """The tags of a union's members, as a sentence."""
    tags = [
        shape.tag
        for member in members(expr)
        if isinstance(shape := shape_of(member), ObjectShape) and shape.tag is not None
    ]
    return f"Expected {listed(tags)}" if tags else "Expected another value"


def listed(values: t.Sequence[object]) -> str:
    """Values as a choice: ``'a', 'b' or 'c'``."""
    shown = [repr(value) for value in values[:MAX_LISTED]]
    if len(values) > MAX_LISTED:
        return f"one of {', '.join(shown)} and {len(values) - MAX_LISTED} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _own_words(text: str, raw: object, expr: TypeExpr) -> str:
    """The text of an error that the application raised, unless it contains the value."""
    cls = class_of(expr)
    return f"Invalid `{cls.__name__ if cls else 'value'}`" if not text or mentions(text, raw) else text


def mentions(text: str, raw: object) -> bool:
    """Whether a text contains one of the values in `raw`; keys and short numbers may be there by chance."""
    if isinstance(raw, dict):
        return any(mentions(text, item) for item in raw.values())
    if isinstance(raw, (list, tuple, set, frozenset)):
        return any(mentions(text, item) for item in raw)
    if raw is None or isinstance(raw, bool):
        return False
    written = str(raw)
    return (isinstance(raw, str) and repr(raw) in text) or (len(written) > 2 and written in text)
