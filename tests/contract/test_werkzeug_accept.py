"""What a client accepts, read and chosen from beside Werkzeug."""

from __future__ import annotations

import copy
import pickle
import typing as t

import pytest
import werkzeug.datastructures
import werkzeug.http
from hypothesis import given
from hypothesis import strategies as st

from costrel.http import accept

KINDS = ["Accept", "MIMEAccept", "LanguageAccept", "CharsetAccept"]
PARTS = [
    *"ab*/;,=q10. \t\"'-_+x",
    "q=0.5",
    ";q=",
    "text/",
    "html",
    "level=1",
    "en",
    "-US",
    "utf-8",
    "latin1",
    ';a="b,c"',
]
accept_like = st.lists(st.sampled_from(PARTS), max_size=12).map("".join) | st.text(max_size=15)

RANGES = ["text/html", "text/*", "*/*", "text/html;level=1", "text/html; level=1;x=y", "TEXT/HTML", "text/html ; a=B"]
RANGES += ["application/xhtml+xml", "application/json", "application/*", "application/xml", "text/plain", "*", "*/html"]
RANGES += ["a/b/c", "text/", "/", "text", ""]
LANGUAGES = ["en", "en-us", "en_US", "EN", "en-GB", "de", "de-AT", "*", "zh-hans-cn", "zh-hans", "zh", "", "-", "en-"]
CHARSETS = [
    "utf-8",
    "UTF8",
    "utf_8",
    "u8",
    "latin1",
    "ISO-8859-1",
    "L1",
    "ascii",
    "cp1252",
    "*",
    "nonesuch",
    "idn a",
    "é",
]
VALUES = RANGES + LANGUAGES + CHARSETS
QUALITIES = ["", ";q=1", ";q=0", ";q=0.5", ";q=0.50", ";q=0.001", ";q=2", ";q=x"]


def lists_of(values: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(st.sampled_from(values), st.sampled_from(QUALITIES)).map("".join), max_size=5).map(
        ",".join
    )


wellformed = lists_of(RANGES) | lists_of(LANGUAGES) | lists_of(CHARSETS) | lists_of(VALUES)


def outcome(call: t.Callable[..., t.Any], *args: t.Any) -> t.Any:
    try:
        return call(*args)
    except (ValueError, TypeError, IndexError) as error:
        return type(error)


def both(kind: str) -> tuple[t.Any, t.Any]:
    return getattr(werkzeug.datastructures, kind), getattr(accept, kind)


def summary(value: t.Any) -> t.Any:
    return list.__repr__(value), value.provided, str(value), repr(value), value.best, list(value.values())


@given(st.sampled_from(KINDS), st.none() | accept_like | wellformed)
def test_headers_read_and_print_alike(kind: str, value: str | None) -> None:
    theirs, ours = both(kind)
    expected = werkzeug.http.parse_accept_header(value, theirs)
    assert summary(expected) == summary(accept.parse_accept_header(value, ours))


@given(accept_like)
def test_a_plain_accept_is_the_default(value: str) -> None:
    actual = accept.parse_accept_header(value)
    assert accept.Accept is type(actual)
    assert summary(werkzeug.http.parse_accept_header(value)) == summary(actual)


pairs = st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from([0, 0.3, 0.5, 1, 1.0])), max_size=5)
offers = st.sampled_from(VALUES) | st.sampled_from(RANGES) | st.sampled_from(LANGUAGES)


@given(st.sampled_from(KINDS), st.none() | pairs, offers, st.lists(offers, max_size=4), st.none() | st.just("d"))
def test_questions_are_answered_alike(
    kind: str, pairs: list[tuple[str, float]] | None, offer: str, offers: list[str], default: str | None
) -> None:
    expected, actual = (cls(pairs) for cls in both(kind))
    assert summary(expected) == summary(actual)
    for question in ("quality", "index", "find", "__getitem__", "__contains__"):
        assert outcome(getattr(expected, question), offer) == outcome(getattr(actual, question), offer), question
    if kind != "LanguageAccept":
        assert outcome(expected.best_match, offers, default) == outcome(actual.best_match, offers, default)


PRIMARY = ["en", "DE", "zh", "fr"]


@given(st.permutations(PRIMARY), st.lists(st.sampled_from(PRIMARY), max_size=4, unique=True))
def test_languages_are_chosen_alike(wanted: list[str], offers: list[str]) -> None:
    """If the tags are short and no two are wanted as much: of others, Werkzeug chooses otherwise than RFC 4647."""
    value = ",".join([f"{tag};q=0.{9 - index}" for index, tag in enumerate(wanted[:3])])
    expected = werkzeug.http.parse_accept_header(value, werkzeug.datastructures.LanguageAccept).best_match(offers)
    assert expected == accept.LanguageAccept.from_header(value).best_match(iter(offers))


@given(lists_of(RANGES))
def test_media_types_are_recognised_alike(value: str) -> None:
    expected = werkzeug.http.parse_accept_header(value, werkzeug.datastructures.MIMEAccept)
    actual = accept.MIMEAccept.from_header(value)
    for question in ("accept_html", "accept_xhtml", "accept_json"):
        assert getattr(expected, question) == getattr(actual, question), question


@pytest.mark.parametrize("kind", KINDS)
def test_an_accept_is_an_immutable_list(kind: str) -> None:
    for cls in both(kind):
        value = cls([("a", 1), ("b", 0.5), ("*", 0.1)])
        assert ("a", 1) == value[0]
        assert [("a", 1), ("b", 0.5)] == value[:2]
        assert 1 == value.index(("b", 0.5))
        assert -1 == value.find(("b", 0.6))
        assert hash(value) == hash(cls(value))
        assert value == cls(value) == copy.copy(value) == pickle.loads(pickle.dumps(value))
        assert (True, False, False) == (cls(value).provided, cls(None).provided, cls(cls(None)).provided)
        for change in ("append", "remove", "extend"):
            with pytest.raises(TypeError, match="immutable"):
                getattr(value, change)([])
        with pytest.raises(TypeError, match="immutable"):
            value.sort()
