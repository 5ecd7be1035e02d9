"""The private functions of Werkzeug that packages import from ``werkzeug._internal``."""

from __future__ import annotations

import logging
import re

from ..http.grammar import parse_plain_int

plain_int_pattern = re.compile(r"-?\d+", re.ASCII)


class Missing:
    """The type of `missing`."""

    def __repr__(self) -> str:
        return "no value"

    def __reduce__(self) -> str:
        return "_missing"  # pickle finds it under the name that Werkzeug gave it


Missing.__name__ = Missing.__qualname__ = "_Missing"
Missing.__module__ = "werkzeug._internal"

missing = Missing()
"""Stands for an argument that was not given."""


def environ_of(obj: object) -> dict[str, object]:
    """The environ of a request, or `obj` itself. Raises AssertionError, as Werkzeug does, if that is not a dict."""
    environ = getattr(obj, "environ", obj)
    if not isinstance(environ, dict):
        raise AssertionError(f"{type(environ).__name__!r} is not a WSGI environment (has to be a dict)")
    return environ


def plain_int(value: str) -> int:
    """The number in a text of ASCII digits, with an optional minus sign. Raises ValueError for any other text."""
    number = parse_plain_int(value)
    if number is None:
        raise ValueError(f"{value[:40]!r} is not a plain whole number.")
    return number


logger: logging.Logger | None = None
"""Werkzeug keeps the logger of its server here once it was used; Costrel never sets it."""
