"""Checks redirect targets: the scheme of every target, and whether a target from a client is a path on this site."""

from __future__ import annotations

import typing as t

from ..support.patterns import LatePattern

# RFC 3986 §3.1. Browsers ignore spaces and control characters before a scheme, and tabs and line breaks inside it.
_scheme_of = LatePattern(r"[\x00-\x20]*([A-Za-z][A-Za-z0-9+.\t\r\n-]*):").match
_remove_breaks = LatePattern(r"[\t\r\n]").sub
_is_path = LatePattern(r"/(?![/\\])[^\\\x00-\x1f\x7f]*").fullmatch


def check_location(location: str, schemes: t.Collection[str] | None) -> None:
    """Raise ValueError if the scheme of `location` is not one of `schemes`. None allows all schemes."""
    if schemes is None:
        return
    match = _scheme_of(location)
    if match is None:
        return
    scheme = _remove_breaks("", match[1]).lower()
    if scheme not in schemes:
        raise ValueError(
            f"A redirect to {location[:100]!r} was refused: its scheme {scheme!r} is not in REDIRECT_SCHEMES"
            f" ({', '.join(schemes)}). If the target comes from a client, use safe_next()."
        )


def safe_next(target: str | None, fallback: str = "/") -> str:
    """Return `target` if it is a path on this site, otherwise `fallback`. For the ``next`` parameter of a login form.

    Targets that browsers resolve to another host are refused, such as ``//evil``, ``/\\evil`` or ``https:evil``, and so
    are all targets with a backslash or a control character.
    """
    return target if target is not None and _is_path(target) else fallback
