"""Converting a client's text by a function of the application, which may refuse it."""

from __future__ import annotations

import typing as t

from .errors import HTTPException

T = t.TypeVar("T")
U = t.TypeVar("U")
V = t.TypeVar("V")

Refusals: t.TypeAlias = tuple[type[Exception], ...]

REFUSALS: t.Final[Refusals] = (ValueError, ArithmeticError, LookupError, RecursionError)
"""The errors by which `int`, `Decimal`, a dict's lookup and others refuse the text of a client."""

UNCONVERTIBLE: t.Final[Refusals] = (*REFUSALS, TypeError)
"""The same for values that need not be text."""


def convert(value: V, default: U, type: t.Callable[[V], T], refusals: Refusals = UNCONVERTIBLE) -> T | U:
    """The converted value, or the default if `type` raises one of `refusals`; HTTP errors pass."""
    try:
        return type(value)
    except HTTPException:
        raise
    except refusals:
        return default
