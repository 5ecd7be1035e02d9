"""Urlencoded text: what is not UTF-8 stays quoted."""

from costrel.messages.urlencoded import decode_form, parse_query


def test_fields_are_split_at_ampersands_alone():
    assert parse_query("a=1&x=;a=2") == [("a", "1"), ("x", ";a=2")]


def test_a_field_may_lack_its_value_or_its_name():
    assert parse_query("&a&=b&c=&&") == [("a", ""), ("", "b"), ("c", "")]


def test_bytes_that_are_not_utf_8_stay_quoted():
    assert parse_query("a=%ff%C3%BC+%C3") == [("a", "%FFü %C3")]
    assert parse_query(decode_form(b"a=\xff&b=\xc3\xbc")) == [("a", "%FF"), ("b", "ü")]
