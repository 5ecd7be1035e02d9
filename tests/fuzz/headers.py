"""Targets: the values of header fields. What was read and written is read as the same again."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime

from costrel.http.accept import Accept, CharsetAccept, LanguageAccept, MIMEAccept
from costrel.http.authentication import Authorization, WWWAuthenticate
from costrel.http.cache_control import RequestCacheControl, ResponseCacheControl
from costrel.http.conditional import is_resource_modified
from costrel.http.cookies import dump_cookie, parse_cookie
from costrel.http.dates import dump_age, http_date, parse_age, parse_date
from costrel.http.etags import ETags, unquote_etag
from costrel.http.grammar import (
    TOKEN_CHARS,
    dump_header,
    dump_options_header,
    parse_dict_header,
    parse_disposition_parameters,
    parse_list_header,
    parse_options_header,
)
from costrel.http.header_set import HeaderSet
from costrel.http.policies import ContentSecurityPolicy
from costrel.http.ranges import ContentRange, IfRange, Range
from costrel.http.user_agent import UserAgent

OFFERS = ["text/html", "application/json", "text/html;level=1", "en", "en-GB", "de_CH", "utf-8", "gzip", "*", "*/*"]


def text_of(data: bytes) -> str:
    """A header's value as PEP 3333 hands it on."""
    return data.decode("latin-1")


def accept(data: bytes) -> None:
    text = text_of(data)
    for kind in (Accept, MIMEAccept, LanguageAccept, CharsetAccept):
        accepted = kind.from_header(text)
        assert all(0 <= quality <= 1 and not math.isnan(quality) for _, quality in accepted)
        offers = [offer for offer in OFFERS if "/" in offer] if kind is MIMEAccept else OFFERS
        best = accepted.best_match(offers)
        assert best is None or accepted[best] > 0 or kind is LanguageAccept
        for offer in offers:
            assert (offer in accepted) == (accepted.find(offer) >= 0)
        # What needs quotes is written without; a quality below a thousandth is no quality any more (RFC 9110 §12.4.2).
        if (
            '"' not in text
            and "*" not in text.partition(";")[2]
            and all(value and (quality == 0 or quality >= 0.001) for value, quality in accepted)
        ):
            assert list(accepted) == list(kind.from_header(str(accepted)))
    mime = MIMEAccept.from_header(text)
    assert mime.accept_html in (True, False)
    assert mime.accept_json in (True, False)


def ranges(data: bytes) -> None:
    text = text_of(data)
    asked = Range.from_header(text)
    if asked is not None:
        again = Range.from_header(str(asked))
        assert again is not None
        assert (asked.units, asked.ranges) == (again.units, again.ranges)
        for length in (0, 1, 10, 1_000):
            span = asked.range_for_length(length)
            assert span is None or 0 <= span[0] < span[1] <= length
            header = asked.to_content_range_header(length)
            assert (header is None) == (span is None)
    content = ContentRange.from_header(text)
    if content is not None:
        assert str(content) == str(ContentRange.from_header(str(content)))
    condition = IfRange.from_header(text)
    if condition.date is None and '"' not in (condition.etag or ""):
        again_condition = IfRange.from_header(str(condition))
        assert condition.etag == again_condition.etag or again_condition.date is not None or not condition.etag


def etags(data: bytes) -> None:
    text = text_of(data)
    tags = ETags.from_header(text)
    again = ETags.from_header(str(tags))
    assert (tags.as_set(True), tags.as_set(), tags.star_tag) == (again.as_set(True), again.as_set(), again.star_tag)
    for tag in tags:
        assert tag in tags
        assert tags.contains_weak(tag)
    tag, _ = unquote_etag(text)
    for match in ({"http_if_match": text}, {"http_if_none_match": text}, {"http_if_none_match": text, "data": data}):
        assert is_resource_modified(**match) in (True, False)
    assert tag is None or is_resource_modified(http_if_none_match=text, etag=tag) in (True, False)


def dates(data: bytes) -> None:
    text = text_of(data)
    moment = parse_date(text)
    if moment is not None:
        assert moment.tzinfo is not None
        if 1000 < moment.year < 9999:
            assert moment.replace(microsecond=0) == parse_date(http_date(moment))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for conditions in ({"http_if_modified_since": text}, {"http_range": "bytes=0-", "http_if_range": text}):
        assert is_resource_modified(**conditions, last_modified=now, ignore_if_range=False) in (True, False)
    age = parse_age(text)
    assert age is None or age == parse_age(dump_age(age)) or age.total_seconds() == 0


def credentials(data: bytes) -> None:
    text = text_of(data)
    for kind in (Authorization, WWWAuthenticate):
        found = kind.from_header(text)
        if found is None:
            continue
        assert repr(found)
        assert found.realm is None or isinstance(found.realm, str)
        # A parameter without a value looks like a token, and is written as Werkzeug does it.
        readable = None not in found.parameters.values()
        if readable and _is_token(found.type) and all(map(_is_token, found.parameters)):
            again = kind.from_header(str(found))
            assert again is not None
            assert found.type == again.type
            assert (found.token or "", found.parameters or {}) == (again.token or "", again.parameters or {})


def _is_token(name: str) -> bool:
    return bool(name) and TOKEN_CHARS.issuperset(name) and "*" not in name


def options(data: bytes) -> None:
    text = text_of(data)
    value, parameters = parse_options_header(text)
    parse_disposition_parameters(text)
    if value and all(map(_is_token, parameters)):
        # Parts that are put together are written in one piece, and `%22` as the quotation mark that it stands for.
        once = parse_options_header(dump_options_header(value, parameters))
        assert once == parse_options_header(dump_options_header(*once))
        assert (value, parameters.keys()) == (once[0], once[1].keys())


def lists(data: bytes) -> None:
    text = text_of(data)
    members = parse_list_header(text)
    assert members == parse_list_header(dump_header(members))
    pairs = parse_dict_header(text)
    if all(map(_is_token, pairs)):
        assert pairs == parse_dict_header(dump_header(pairs))
    tokens = HeaderSet.from_header(text)
    assert tokens.as_set() == HeaderSet.from_header(str(tokens)).as_set()
    for token in tokens.as_set():
        assert token in tokens
        tokens.discard(token)
    assert not tokens


def cache_control(data: bytes) -> None:
    text = text_of(data)
    for kind in (RequestCacheControl, ResponseCacheControl):
        control = kind.from_header(text)
        for name in ("no_cache", "no_store", "max_age", "no_transform", "stale_if_error", "max_stale", "s_maxage"):
            getattr(control, name, None)
        if all(map(_is_token, control)):
            assert control == kind.from_header(str(control))


def policies(data: bytes) -> None:
    text = text_of(data)
    policy = ContentSecurityPolicy.from_header(text)
    assert policy == ContentSecurityPolicy.from_header(str(policy))
    assert repr(policy)
    assert text == str(UserAgent(text))


def cookies(data: bytes) -> None:
    for name, value in parse_cookie(text_of(data)).items(multi=True):
        assert name
        assert not set(name) & set(';="')
        if not name.isascii():
            continue
        with suppress(ValueError):  # of a name with control characters
            field = dump_cookie(name, value, max_size=0, path=None)
            assert field.isascii()
            assert field.isprintable()
            assert [(name, value)] == list(parse_cookie(field).items(multi=True))
