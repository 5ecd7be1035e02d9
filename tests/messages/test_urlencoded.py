"""Urlencoded text: bytes that are not UTF-8 remain quoted."""

import pytest

from costrel.http.multidict import MultiDict
from costrel.messages.urlencoded import decode_form, load_query, parse_query


def test_fields_are_split_at_ampersands_alone():
    assert parse_query("a=1&x=;a=2") == [("a", "1"), ("x", ";a=2")]


def test_a_field_may_lack_its_value_or_its_name():
    assert parse_query("&a&=b&c=&&") == [("a", ""), ("", "b"), ("c", "")]


def test_bytes_that_are_not_utf_8_stay_quoted():
    assert parse_query("a=%ff%C3%BC+%C3") == [("a", "%FFü %C3")]
    assert parse_query(decode_form(b"a=\xff&b=\xc3\xbc")) == [("a", "%FF"), ("b", "ü")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a+b=c+d", [("a b", "c d")]),
        ("a=b+c&d=e", [("a", "b c"), ("d", "e")]),
        ("a%2Bb=%20", [("a+b", " ")]),
        ("a=%zz%4", [("a", "%zz%4")]),
        ("%61=%C3%BC%c3%bc", [("a", "üü")]),
        ("a=b=c", [("a", "b=c")]),
        ("", []),
    ],
)
def test_escapes_and_blanks(text, expected):
    assert expected == parse_query(text)


def test_fields_of_one_name_keep_their_order():
    query = load_query("a=1&b=2&a=%33", MultiDict)

    assert type(query) is MultiDict
    assert [("a", ["1", "3"]), ("b", ["2"])] == [*query.lists()]


def test_a_class_with_its_own_constructor_gets_the_pairs():
    class Own(MultiDict):
        def __init__(self, pairs):
            self.given = pairs
            super().__init__(pairs)

    assert [("a", "1"), ("b", "2"), ("a", "3")] == load_query("a=1&b=2&a=3", Own).given


@pytest.mark.parametrize(
    ("body", "charset", "expected"),
    [(b"a=b", "utf-8", "a=b"), (b"a=\xe9", "latin-1", "a=é"), (b"a=\xe9", "utf-8", "a=%E9"), (b"\x80", "ascii", "%80")],
)
def test_bodies_are_decoded_without_a_loss(body, charset, expected):
    assert expected == decode_form(body, charset)
