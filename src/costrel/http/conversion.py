"""Convert a client's text with a function of the application, which may reject it."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from .errors import HTTPException

T = t.TypeVar("T")
U = t.TypeVar("U")
V = t.TypeVar("V")

Refusals: t.TypeAlias = tuple[type[Exception], ...]

REFUSALS: t.Final[Refusals] = (ValueError, ArithmeticError, LookupError, RecursionError)
"""The errors with which `int`, `Decimal`, a dict lookup and others reject a client's text."""

UNCONVERTIBLE: t.Final[Refusals] = (*REFUSALS, TypeError)
"""The same for values that need not be text."""

_FAILED: t.Final[t.Any] = object()


def convert(value: V, default: U, type: t.Callable[[V], T], refusals: Refusals = UNCONVERTIBLE) -> T | U:
    """The converted value, or the default if `type` raises one of `refusals`; HTTP errors propagate."""
    try:
        return type(value)
    except HTTPException:
        raise
    except refusals:
        return default


def convert_all(values: Iterable[V], type: t.Callable[[V], T], refusals: Refusals = UNCONVERTIBLE) -> list[T]:
    """The converted values, without those for which `type` raises one of `refusals`."""
    converted = (convert(value, _FAILED, type, refusals) for value in values)
    return [value for value in converted if value is not _FAILED]
