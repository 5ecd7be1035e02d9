"""Checks of redirect targets: their scheme, and for a target that a client names, that it is a path on this site."""

from __future__ import annotations

import typing as t

from ..support.patterns import LatePattern

# RFC 3986 §3.1. Browsers ignore spaces and control characters before a scheme, and tabs and line breaks within it.
_scheme_of = LatePattern(r"[\x00-\x20]*([A-Za-z][A-Za-z0-9+.\t\r\n-]*):").match
_remove_breaks = LatePattern(r"[\t\r\n]").sub
_is_path = LatePattern(r"/(?![/\\])[^\\\x00-\x1f\x7f]*").fullmatch


def check_location(location: str, schemes: t.Collection[str] | None) -> None:
    """Raise ValueError if the scheme of a location is not one of `schemes`. None allows all schemes."""
    if schemes is None:
        return
    found = _scheme_of(location)
    if found is None:
        return
    scheme = _remove_breaks("", found[1]).lower()
    if scheme not in schemes:
        raise ValueError(
            f"A redirect to {location[:100]!r} is refused: its scheme {scheme!r} is not among REDIRECT_SCHEMES"
            f" ({', '.join(schemes)}). If the target comes from a client, use safe_next()."
        )


def safe_next(target: str | None, fallback: str = "/") -> str:
    """`target` if it is a path on this site, else `fallback`: for the ``next`` parameter of a login form.

    Refused are targets that browsers resolve to another host, such as ``//evil``, ``/\\evil`` or ``https:evil``, and
    any target with a backslash or a control character.
    """
    return target if target is not None and _is_path(target) else fallback
