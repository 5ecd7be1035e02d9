"""Conditional requests (RFC 9110 §13), and the header fields that describe a body or a connection."""

from __future__ import annotations

import typing as t
from datetime import datetime

from .dates import datetime_as_utc, parse_date, parse_http_date
from .etags import ETags, generate_etag, unquote_etag

if t.TYPE_CHECKING:
    from .headers import Headers

# Fields that describe a body: a response without one must not have them (RFC 2616 §7.1).
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
# Fields that concern a single connection: proxies do not forward them (RFC 9110 §7.6.1).
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


def precondition_status(
    if_match: str | None,
    if_unmodified_since: str | None,
    if_none_match: str | None,
    if_modified_since: str | None,
    etag: str | None,
    last_modified: datetime | str | None,
) -> t.Literal[304, 412] | None:
    """The status that the conditions of a GET or HEAD require, in the order of RFC 9110 §13.2.2; None to proceed.

    The arguments are the values of the fields; an absent field is None or empty. A date that is not an HTTP-date is
    ignored (§13.1.3, §13.1.4).

    :param etag: the tag of the representation, with its quotes.
    :param last_modified: the date of the representation.
    """
    if if_match:
        if not _matches_strongly(if_match, etag):
            return 412
    elif if_unmodified_since and _is_older(last_modified, parse_http_date(if_unmodified_since)) is False:
        return 412
    if if_none_match:
        return 304 if _matches_weakly(if_none_match, etag) else None
    if if_modified_since and _is_older(last_modified, parse_http_date(if_modified_since)):
        return 304
    return None


def _matches_strongly(if_match: str, etag: str | None) -> bool:
    """RFC 9110 §13.1.1: a star matches any representation, a tag only the same strong tag."""
    tags = ETags.from_header(if_match.strip())
    if tags.star_tag:
        return True
    tag, weak = unquote_etag(etag)
    return tag is not None and not weak and tags.is_strong(tag)


def _matches_weakly(if_none_match: str, etag: str | None) -> bool:
    """RFC 9110 §13.1.2: a star matches any representation, a tag only the same tag, weak or not."""
    if if_none_match == etag and etag[0] == etag[-1] == '"' and etag.count('"') == 2:
        return True  # PERF: not_modified. Most clients send a single strong tag, which is this one.
    tags = ETags.from_header(if_none_match.strip())
    if tags.star_tag:
        return True
    tag = unquote_etag(etag)[0]
    return tag is not None and tags.contains_weak(tag)


def is_range_current(if_range: str, etag: str | None, last_modified: datetime | str | None) -> bool:
    """Whether `If-Range` names exactly this representation, so that `Range` applies (RFC 9110 §13.1.5).

    A tag must be the same strong tag, a date exactly the same date.
    """
    if_range = if_range.strip()
    date = parse_http_date(if_range)
    if date is not None:
        moment = _moment(last_modified)
        return moment is not None and moment == date
    asked, asked_weakly = unquote_etag(if_range)
    tag, weak = unquote_etag(etag)
    return tag is not None and asked == tag and not weak and not asked_weakly


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

    :param etag: the resource's tag; `data` is the body to compute it from instead.
    :param ignore_if_range: with False, if there is a `Range`, `If-Range` replaces the other conditions.
    :raises TypeError: both etag and data are given.
    """
    if data is not None:
        if etag is not None:
            raise TypeError("both data and etag given")
        etag = generate_etag(data)
    if not ignore_if_range and http_range is not None and http_if_range is not None:
        return not is_range_current(http_if_range, etag, last_modified)
    status = precondition_status(http_if_match, None, http_if_none_match, http_if_modified_since, etag, last_modified)
    return status is None


def _is_older(last_modified: datetime | str | None, since: datetime | None) -> bool | None:
    """Whether the last change is, in whole seconds, no later than `since`; None if one of them is unknown."""
    moment = None if since is None else _moment(last_modified)
    return None if moment is None or since is None else moment <= since


def _moment(last_modified: datetime | str | None) -> datetime | None:
    moment = parse_date(last_modified) if isinstance(last_modified, str) else last_modified
    return None if moment is None else datetime_as_utc(moment.replace(microsecond=0))


def is_entity_header(header: str) -> bool:
    """Whether a field describes a body, by its name in any case."""
    return header.lower() in ENTITY_HEADERS


def is_hop_by_hop_header(header: str) -> bool:
    """Whether a field concerns a single connection, by its name in any case."""
    return header.lower() in HOP_BY_HOP_HEADERS


_ALLOWED: t.Final = ("expires", "content-location")
OF_CONTENT: t.Final = ENTITY_HEADERS.difference(_ALLOWED)
"""The fields that a response without content by its status does not have."""


def remove_entity_headers(headers: Headers | list[tuple[str, str]], allowed: t.Iterable[str] = _ALLOWED) -> None:
    """Remove the fields that describe a body, except the allowed fields."""
    removed = OF_CONTENT if allowed is _ALLOWED else ENTITY_HEADERS.difference([name.lower() for name in allowed])
    headers[:] = [pair for pair in headers if pair[0].lower() not in removed]


def remove_hop_by_hop_headers(headers: Headers | list[tuple[str, str]]) -> None:
    """Remove, in place, the fields that concern a single connection."""
    headers[:] = [(name, value) for name, value in headers if not is_hop_by_hop_header(name)]
