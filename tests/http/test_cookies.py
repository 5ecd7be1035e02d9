"""Cookies: any input is read, and only safe output is written."""

from datetime import UTC, datetime, timedelta

import pytest

from costrel.http.cookies import dump_cookie, find_cookie, parse_cookie


def test_cookies_are_read_in_order_with_all_their_values():
    cookies = parse_cookie('a=1; b="x y"; a=2; c')
    assert list(cookies.items(multi=True)) == [("a", "1"), ("a", "2"), ("b", "x y"), ("c", "")]


def test_another_class_may_hold_them():
    assert parse_cookie("a=1; b=2", cls=dict) == {"a": "1", "b": "2"}
    assert parse_cookie(None, cls=list) == []


@pytest.mark.parametrize(
    "field",
    [
        "", "a", "a=", "a=1", " a = 1 ; a=2", "aa=0; a=1", "b=a; a=1; c", "a=x y; a=1", "a;a=1", "a==1", "a-b=1; a.b=2",
        'a="1"; a-b="x\\054y"', 'b="; a=1"; a=2', "A=1", ";;a=1;;", "=1; a=2", "é=1; a=é",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a", "b", "a-b", "a.b", "é", "", "a b", "a=", ";", "(", "missing"])
def test_one_cookie_is_found_as_all_are_read(field, name):
    assert parse_cookie(field).get(name) == find_cookie(field, name)


@pytest.mark.parametrize("value", ["", "plain", 'a "quoted" \\ value', "a;b,c", "é☃\n\x00\x1f\x7f", "=&/?"])
def test_any_value_comes_back(value):
    assert parse_cookie(dump_cookie("a", value, path=None))["a"] == value


def test_an_escaped_line_break_makes_a_pair_none():
    assert parse_cookie('a="\\\n"; ok=1').to_dict() == {"ok": "1"}
    assert parse_cookie('a="\n"; ok=1').to_dict() == {"a": "\n", "ok": "1"}


# SECURITY B1
@pytest.mark.parametrize("header", ["=__Host-t=bad", "==x", " = y", '="z"'])
def test_b1_a_cookie_without_a_name_is_none(header):
    assert parse_cookie(f"{header}; ok=1").to_dict() == {"ok": "1"}


# SECURITY B2
@pytest.mark.parametrize(
    "kwargs",
    [
        {"key": "a;b"},
        {"key": "a=b"},
        {"key": "a\nb"},
        {"key": "a\0"},
        {"key": ""},
        {"domain": "a.com; HttpOnly"},
        {"domain": "a.com,b.com"},
        {"domain": "a.com\r\nX: y"},
        {"domain": "a b"},
        {"path": "/;x"},
        {"path": "/\nx"},
        {"path": b"/;x"},
        {"path": b"/\nx"},
        {"expires": "Thu, 01 Jan 1970 00:00:00 GMT; Domain=evil"},
        {"max_age": "5; Domain=evil", "sync_expires": False},
        {"secure": "x; Domain=evil"},
        {"samesite": "Lax; Domain=evil"},
    ],
    ids=repr,
)
def test_b2_no_part_can_begin_another_attribute(kwargs):
    with pytest.raises(ValueError):
        dump_cookie(**{"key": "a", **kwargs})


def test_the_errors_name_the_part_and_the_character():
    for kwargs, message in [
        ({"key": "a;b"}, r"'a;b' cannot be the name of a cookie: it contains ';'"),
        ({"key": ""}, r"'' cannot be the name of a cookie: it is empty"),
        ({"path": "/;x"}, r"'/;x' cannot be the Path of a cookie: ';' would end it"),
        ({"domain": "a b"}, r"'a b' cannot be the Domain of a cookie: it contains ' '"),
        ({"samesite": "x"}, r"SameSite must be 'Strict', 'Lax', or 'None'"),
    ]:
        with pytest.raises(ValueError, match=message):
            dump_cookie(**{"key": "a", **kwargs})


# SECURITY B5
@pytest.mark.parametrize("bad", ["a=\x01", "a=b c", 'a="b', "a=\x7f", "\x00=b", 'a"b=c', "a=\\", '"', "\xff=\xff"])
def test_b5_a_malformed_cookie_does_not_hide_the_others(bad):
    assert parse_cookie(f"{bad}; ok=1")["ok"] == "1"
    assert parse_cookie(f"ok=1; {bad}")["ok"] == "1"


# SECURITY B4
def test_b4_bad_cookies_are_not_logged(caplog, recwarn):
    parse_cookie("; ".join(['a="x'] * 5000))
    assert (caplog.records, list(recwarn)) == ([], [])


def test_all_attributes_are_written():
    moment = datetime(2020, 1, 2, tzinfo=UTC)
    field = dump_cookie("a", "b", timedelta(hours=1), moment, "/x y", ".Ü.com:80", True, True, samesite="lax")
    assert field == (
        "a=b; Domain=xn--tda.com; Expires=Thu, 02 Jan 2020 00:00:00 GMT; Max-Age=3600; Secure; HttpOnly;"
        " Path=/x%20y; SameSite=Lax"
    )
    assert dump_cookie("a", partitioned=True) == "a=; Secure; Path=/; Partitioned"
    assert dump_cookie("a", max_age=5, sync_expires=False, path=None) == "a=; Max-Age=5"


def test_a_domain_that_is_false_is_none():
    assert dump_cookie("a", domain=False) == dump_cookie("a")


def test_a_path_may_be_bytes():
    assert dump_cookie("a", path=b"/") == "a=; Path=/"
    assert dump_cookie("a", path=b"/x y\xc3\xa9") == "a=; Path=/x%20y%C3%A9"


def test_a_name_beyond_ascii_is_sent_as_utf_8():
    assert dump_cookie("é", "x", path=None).encode("latin1") == "é=x".encode()


def test_a_long_cookie_warns_where_it_was_made():
    with pytest.warns(UserWarning, match="The 'a' cookie is too large: the value was 4092 bytes") as caught:
        dump_cookie("a", "b" * 4092)
    assert caught[0].filename == __file__
    assert len(dump_cookie("a", "b" * 5000, max_size=0)) > 5000
