"""The grammar that header fields share: tokens, quoted strings, lists, parameters."""

import pytest

from costrel.http import grammar


def test_a_list_keeps_commas_in_quotes_and_drops_empty_members():
    assert grammar.parse_list_header('a, "b, c" ,, d') == ["a", "b, c", "d"]


def test_a_list_whose_quotes_do_not_end_is_no_list():
    assert grammar.parse_list_header('a, "b') == []


def test_members_without_a_value_are_none():
    assert grammar.parse_dict_header('a, b=, c="d e", =x') == {"a": None, "b": "", "c": "d e"}


def test_an_extended_value_is_decoded():
    assert grammar.parse_dict_header("title*=UTF-8'de'%E2%82%AC") == {"title": "€"}


def test_a_charset_that_is_not_known_leaves_the_value_encoded():
    assert grammar.parse_options_header("f; a*=koi8-r''%C1") == ("f", {"a": "%C1"})


def test_parameters_read_in_any_case_and_unquoted():
    expected = ("text/html", {"charset": "utf-8", "title": 'a "b"; c'})
    assert grammar.parse_options_header('text/html; Charset=utf-8; title="a \\"b\\"; c"') == expected


def test_continued_parameters_are_joined():
    header = "f; name*0*=UTF-8''%41; name*1*=%42; name*2=C; name*3=\"%22D\""
    assert grammar.parse_options_header(header) == ("f", {"name": 'ABC"D'})


def test_parameters_that_break_the_grammar_are_left_out():
    assert grammar.parse_options_header("f; a = b; =c; d; e=f g; h=é; i=j") == ("f", {"e": "f", "i": "j"})


def test_no_header_has_neither_value_nor_parameters():
    assert grammar.parse_options_header(None) == ("", {})
    assert grammar.parse_options_header("; a=b") == ("", {})


def test_in_a_form_an_extended_name_does_not_replace_the_plain_one():
    # SECURITY A12: what reads the form on its way sees the plain name.
    for header in ("form-data; name=a; name*=utf-8''b", "form-data; name*0=b; name=a; name*0=b; name*1=c"):
        assert grammar.parse_disposition_parameters(header) == {"name": "a"}
    assert grammar.parse_disposition_parameters("form-data; name*=utf-8''b") == {"name": "b"}


def test_values_are_quoted_where_they_are_no_tokens():
    assert grammar.dump_header({"a": None, "b": "c d", "e*": "UTF-8''f", "g": 1}) == "a, b=\"c d\", e*=UTF-8''f, g=1"
    assert grammar.dump_header(["a", 'b"c', ""]) == 'a, "b\\"c", ""'
    assert grammar.quote_header_value("a", allow_token=False) == '"a"'


def test_options_that_are_none_are_not_written():
    assert grammar.dump_options_header("f", {"a": None, "b": "c/d"}) == 'f; b="c/d"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        (" -5 ", -5),
        ("+5", None),
        ("\u0665", None),
        ("1_0", None),
        ("", None),
        ("0x1", None),
        ("9" * 5000, None),
    ],
)
def test_plain_integers_have_ascii_digits_only(text, expected):
    assert grammar.parse_plain_int(text) == expected
