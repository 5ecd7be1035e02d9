"""Adds fields to a response that does not have them, at the end of its way."""

from __future__ import annotations

import typing as t

Pairs: t.TypeAlias = list[tuple[str, str]]


def is_untouched(response: t.Any) -> bool:
    """Whether there is nothing in a response's headers but its type, its length and what `add` has added.

    PERF: profiles. Then no name has to be looked for, and no `Headers` is made.
    """
    if getattr(response, "_headers", True) is not None:
        return False
    pairs = response._header_pairs
    return pairs is not None and len(pairs) == response._plain_pairs


def add(response: t.Any, pairs: Pairs) -> None:
    """Add those of the fields that a response does not have. No two callers have fields of the same name."""
    if is_untouched(response):
        response._header_pairs.extend(pairs)
        response._plain_pairs += len(pairs)
        return
    headers = response.headers
    present = {name.lower() for name, _ in headers}
    for name, value in pairs:
        if name.lower() not in present:
            headers.add(name, value)
