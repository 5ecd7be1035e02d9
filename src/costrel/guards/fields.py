"""Adds header fields to a finished response, unless it already has them."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ..messages.response import Response

Pairs: t.TypeAlias = list[tuple[str, str]]

KNOWN: t.Final = frozenset(
    {
        "accept-ranges",
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "etag",
        "expires",
        "last-modified",
        "set-cookie",
        "vary",
    }
)
"""The fields that a response with plain headers may have, not counting those that `add` adds."""


def may_be_known(names: t.Iterable[str]) -> bool:
    """Whether one of the names is in `KNOWN`, ignoring case."""
    return not KNOWN.isdisjoint([name.lower() for name in names])


def add(response: Response, pairs: Pairs, may_exist: bool = False) -> None:
    """Add the fields that a response does not have yet. Names and values must be valid for `Headers`.

    No two callers add fields with the same name. `may_exist` must be true if one of the fields may be in `KNOWN`.
    """
    if not may_exist and response._headers is None and (plain := response._header_pairs) is not None:
        plain.extend(pairs)
        return
    headers = response.headers
    present = {name.lower() for name, _ in headers}
    for name, value in pairs:
        if name.lower() not in present:
            headers.add(name, value)
