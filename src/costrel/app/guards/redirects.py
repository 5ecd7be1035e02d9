"""Where a redirect may lead: to web pages, and, for a target that a client names, only within the site."""

from __future__ import annotations

import typing as t

from ...support.patterns import LatePattern

# RFC 3986 §3.1; browsers skip blanks and control characters before a scheme, and tabs and line breaks within it.
_scheme_of = LatePattern(r"[\x00-\x20]*([A-Za-z][A-Za-z0-9+.\t\r\n-]*):").match
_remove_breaks = LatePattern(r"[\t\r\n]").sub
_is_path = LatePattern(r"/(?![/\\])[^\\\x00-\x1f\x7f]*").fullmatch


def check_location(location: str, schemes: t.Collection[str] | None) -> None:
    """Raise ValueError for a location whose scheme is not one of `schemes`; None allows all."""
    if schemes is None:
        return
    found = _scheme_of(location)
    if found is None:
        return
    scheme = _remove_breaks("", found[1]).lower()
    if scheme not in schemes:
        raise ValueError(
            f"A redirect to {location[:100]!r} is refused: its scheme {scheme!r} is not among REDIRECT_SCHEMES"
            f" ({', '.join(schemes)}). Where the target comes from a client, use safe_next()."
        )


def safe_next(target: str | None, fallback: str = "/") -> str:
    """`target` where it is a path on this site, else `fallback`: for the ``next`` of a login form.

    Refused is what browsers take for another host, such as ``//evil``, ``/\\evil`` or ``https:evil``, and anything
    with a backslash or a control character.
    """
    return target if target is not None and _is_path(target) else fallback
