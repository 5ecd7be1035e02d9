"""Adds fields to a response that does not have them, at the end of its way."""

from __future__ import annotations

import typing as t

from ...messages.response_head import has_plain_headers

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
"""The fields that a response may have whose headers are plain, besides those that `add` has added."""


def may_be_known(names: t.Iterable[str]) -> bool:
    """Whether one of the names is among `KNOWN`, in any case."""
    return not KNOWN.isdisjoint([name.lower() for name in names])


def add(response: t.Any, pairs: Pairs, look: bool = False) -> None:
    """Add those of the fields that a response does not have; none of them is refused by `Headers`.

    No two callers have fields of the same name. `look` where one of the fields may be `KNOWN`.
    """
    if not look and has_plain_headers(response):  # PERF: profiles, session, static
        response._header_pairs.extend(pairs)
        return
    headers = response.headers
    present = {name.lower() for name, _ in headers}
    for name, value in pairs:
        if name.lower() not in present:
            headers.add(name, value)
