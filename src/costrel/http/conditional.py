"""Conditional requests (RFC 9110 §13), and which header fields go with an answer without a body."""

from __future__ import annotations

import typing as t
from datetime import datetime

from .dates import datetime_as_utc, parse_date
from .etags import ETags, generate_etag, unquote_etag
from .ranges import IfRange

if t.TYPE_CHECKING:
    from .headers import Headers

# Those that describe a body, which an answer without one must not carry (RFC 2616 §7.1).
ENTITY_HEADERS = frozenset(
    [
        "allow",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "expires",
        "last-modified",
    ]
)
# Those that concern one connection only, not to be passed on (RFC 9110 §7.6.1).
HOP_BY_HOP_HEADERS = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)


def is_resource_modified(
    http_range: str | None = None,
    http_if_range: str | None = None,
    http_if_modified_since: str | None = None,
    http_if_none_match: str | None = None,
    http_if_match: str | None = None,
    etag: str | None = None,
    data: bytes | None = None,
    last_modified: datetime | str | None = None,
    ignore_if_range: bool = True,
) -> bool:
    """Tell from a request's conditions whether the resource has to be sent (RFC 9110 §13.2.2).

    :param etag: the resource's tag; `data` asks to make it from the body instead.
    :param ignore_if_range: False lets `If-Range`, where there is a `Range`, take the place of the other conditions.
    :raises TypeError: both etag and data are given.
    """
    if data is not None:
        if etag is not None:
            raise TypeError("both data and etag given")
        etag = generate_etag(data)
    if_range = None if ignore_if_range or http_range is None else IfRange.from_header(http_if_range)
    is_known = etag and http_if_none_match == etag and if_range is None and not http_if_match
    if is_known and etag and etag[0] == etag[-1] == '"' and etag.count('"') == 2:
        return False  # PERF: not_modified. Most clients send a single strong tag, which is this one.
    tag = unquote_etag(etag)[0] if etag else None
    if tag is not None:
        if if_range is not None and if_range.etag is not None:
            return if_range.etag != tag
        if http_if_match and (match := ETags.from_header(http_if_match)):
            # RFC 9110 §13.1.1: "An origin server MUST use the strong comparison function".
            return match.is_strong(tag)
        if http_if_none_match and (none_match := ETags.from_header(http_if_none_match)):
            # RFC 9110 §13.1.2: "A recipient MUST use the weak comparison function when comparing entity tags".
            return not none_match.contains_weak(tag)
    since = if_range.date if if_range is not None and if_range.date is not None else parse_date(http_if_modified_since)
    return not _is_older(last_modified, since)


def _is_older(last_modified: datetime | str | None, since: datetime | None) -> bool:
    """Whether the last change lies, in whole seconds, no later than the client's copy."""
    if since is None:
        return False
    moment = parse_date(last_modified) if isinstance(last_modified, str) else last_modified
    if moment is None:
        return False
    return datetime_as_utc(moment.replace(microsecond=0)) <= since


def is_entity_header(header: str) -> bool:
    """Whether a field describes a body, by its name in any case."""
    return header.lower() in ENTITY_HEADERS


def is_hop_by_hop_header(header: str) -> bool:
    """Whether a field concerns one connection only, by its name in any case."""
    return header.lower() in HOP_BY_HOP_HEADERS


_ALLOWED: t.Final = ("expires", "content-location")
_REMOVED: t.Final = ENTITY_HEADERS.difference(_ALLOWED)


def remove_entity_headers(headers: Headers | list[tuple[str, str]], allowed: t.Iterable[str] = _ALLOWED) -> None:
    """Take out, in place, the fields that describe a body, but for the allowed ones."""
    removed = _REMOVED if allowed is _ALLOWED else ENTITY_HEADERS.difference([name.lower() for name in allowed])
    headers[:] = [(name, value) for name, value in headers if name.lower() not in removed]


def remove_hop_by_hop_headers(headers: Headers | list[tuple[str, str]]) -> None:
    """Take out, in place, the fields that concern one connection only."""
    headers[:] = [(name, value) for name, value in headers if not is_hop_by_hop_header(name)]
