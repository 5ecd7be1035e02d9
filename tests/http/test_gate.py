"""The gate alone: accepted statuses and fields, their bytes, and the errors for all others."""

import re
from itertools import product

import pytest

from costrel.http import gate
from costrel.http.gate import MAX_FIELDS, MAX_HEAD, check_fields, check_status, check_status_line, encode_fields


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch):
    """Other tests may have sent the same fields."""
    for kept in ("_encoded", "_last", "_rests"):
        monkeypatch.setattr(gate, kept, {})


@pytest.mark.parametrize("code", [100, 200, 999])
def test_a_status_of_three_digits_passes(code):
    check_status(code)


@pytest.mark.parametrize("code", [-1, 99, 1000])
def test_another_status_is_named(code):
    with pytest.raises(
        ValueError, match=rf"^The status of the response is {code}\. It must be a number from 100 to 999\.$"
    ):
        check_status(code)


@pytest.mark.parametrize(
    ("line", "code"), [("200 OK", 200), ("100", 100), ("999 ", 999), ("404 Gef\xe4hrlich", 404), ("200 a\tb", 200)]
)
def test_a_status_line_has_its_code(line, code):
    assert code == check_status_line(line)


@pytest.mark.parametrize("line", ["099 x", "1000", "20 x", "200OK", "200 a\nb", "200 a\n", "200 \u20ac", ""])
def test_another_line_is_named(line):
    message = f"The status of the response is {line!r}. It must be a number from 100 to 999 and a text."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_status_line(line)


def test_of_a_long_line_the_error_has_the_beginning():
    with pytest.raises(ValueError, match=f"response is '{'x' * 100}'"):
        check_status_line("x" * 101)


def test_names_become_lower_case_and_values_latin_1():
    fields = encode_fields([("X-Name", "\xe9"), ("A!#$%&'*+-.^_`|~9", "tab\there"), ("b", "")])

    assert [(b"x-name", b"\xe9"), (b"a!#$%&'*+-.^_`|~9", b"tab\there"), (b"b", b"")] == fields


@pytest.mark.parametrize("name", ["Transfer-Encoding", "TRANSFER-ENCODING"])
def test_the_server_decides_how_a_body_is_transferred(name):
    assert [(b"a", b"b")] == encode_fields([(name, "chunked"), ("A", "b")])


@pytest.mark.parametrize("name", ["", "A b", "a:", "\xe4", "\u20ac", "a\n", '"a"'])
def test_a_name_that_is_none_is_named(name):
    message = f"{name!r} is not the name of a header field: use letters, digits and !#$%&'*+-.^_`|~."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_fields([("A", "b"), (name, "c")])


@pytest.mark.parametrize("control", ["\0", "\b", "\n", "\r", "\x1f", "\x7f"])
def test_a_control_character_is_shown(control):
    message = f"The header field 'A' has a control character: {'b' + control!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_fields([("A", "b" + control)])


@pytest.mark.parametrize("value", ["\u20ac", "\u0100"])
def test_characters_outside_of_latin_1_are_shown(value):
    message = f"The header field 'A' has characters outside of Latin-1: {value!r}."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_fields([("A", value)])


@pytest.mark.parametrize("end", ["\n", "\u20ac"])
def test_of_a_long_value_the_error_has_the_beginning(end):
    with pytest.raises(ValueError, match=f": '{'x' * 100}'"):
        check_fields([("A", "x" * 100 + end)])


@pytest.mark.parametrize("length", ["0", "9999", "123456789012"])
def test_a_length_is_a_number(length):
    assert [(b"content-length", length.encode())] == encode_fields([("Content-Length", length)])


@pytest.mark.parametrize("length", ["", "-1", "1 ", "\u0665", "\xb2"])
def test_a_length_that_is_none_is_named(length):
    message = f"The Content-Length of the response is {length!r}. It must be a number (RFC 9110 §8.6)."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_fields([("Content-Length", length)])


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("X-Kept", "x" * 256, True),
        ("X-Kept", "x" * 257, False),
        ("Content-Length", "7531", True),
        ("Content-Length", "75310", False),
    ],
)
def test_short_fields_that_repeat_are_kept_and_no_others(name, value, kept):
    fields = [(name, value)]

    (first,), (second,), (third,) = encode_fields(fields), encode_fields(fields), encode_fields(fields)

    assert first == second == third
    assert kept is (second is third)


@pytest.mark.parametrize("name", ["Set-Cookie", "ETag", "Date", "Last-Modified", "Location"])
def test_of_a_field_that_changes_the_last_value_is_kept(name):
    first, again = (encode_fields([(name, "/a")])[0] for _ in range(2))
    other, later = (encode_fields([(name, value)])[0] for value in ("/b", "/a"))

    assert first is again
    assert (name.lower().encode(), b"/b") == other
    assert first == later
    assert first is not later
    assert {} == gate._encoded


def test_the_same_fields_are_the_same_bytes_each_time():
    fields = [("Content-Type", "text/plain"), ("Content-Length", "5"), ("X-A", "a"), ("X-B", "b")]
    expected = [(b"content-type", b"text/plain"), (b"content-length", b"5"), (b"x-a", b"a"), (b"x-b", b"b")]

    assert [expected] * 4 == [encode_fields(list(fields)) for _ in range(4)]
    assert expected == encode_fields(iter(fields))
    assert expected == encode_fields(tuple(fields))


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_field_that_differs_from_the_last_response_is_sent_as_it_is(place):
    fields = [("Content-Type", "text/plain"), ("Content-Length", "5"), ("X-A", "a"), ("X-B", "b")]
    before = [encode_fields(list(fields)) for _ in range(3)][-1]

    fields[place] = (fields[place][0], "7")

    assert [*before[:place], (before[place][0], b"7"), *before[place + 1 :]] == encode_fields(fields)


def test_kept_fields_have_a_limit(monkeypatch):
    monkeypatch.setattr(gate, "_MAX_ENCODED", 2)

    fields = [encode_fields([("X-Kept", value)]) for value in "abc"]

    assert [[(b"x-kept", b"a")], [(b"x-kept", b"b")], [(b"x-kept", b"c")]] == fields
    assert [("X-Kept", "a"), ("X-Kept", "b")] == list(gate._encoded)


def test_fields_that_change_are_not_kept_with_the_response():
    for token in ("a", "b"):
        encode_fields([("Content-Type", "text/plain"), ("Content-Length", "5"), ("Set-Cookie", token)])

    assert {} == gate._rests


def test_the_spellings_of_a_field_that_changes_have_a_limit():
    names = ["Set-Cookie", *("".join(letters) for letters in product(*zip("location", "LOCATION", strict=True)))]

    sent = {encode_fields([(name, "a")])[0] for name in names}
    again, later = (encode_fields([("Set-Cookie", "b")])[0] for _ in range(2))

    assert {(b"set-cookie", b"a"), (b"location", b"a")} == sent
    assert gate._MAX_SPELLINGS == len(gate._last)
    assert again is later


def test_the_number_of_fields_has_a_limit():
    fields = [("A", "b")] * MAX_FIELDS

    assert MAX_FIELDS == len(encode_fields(fields))
    with pytest.raises(ValueError, match=r"^The response has 10,001 header fields; at most 10,000 can be sent\.$"):
        encode_fields([*fields, ("A", "b")])


def test_the_size_of_all_fields_has_a_limit():
    fields = [("A", "b")] * 64
    most = "x" * (MAX_HEAD - 64 * 2 - 1)

    assert 65 == len(encode_fields([*fields, ("C", most)]))
    with pytest.raises(
        ValueError,
        match=r"^The header fields of the response have 1,048,577 bytes; at most 1,048,576 can be sent\.$",
    ):
        encode_fields([*fields, ("C", most + "x")])


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_the_same_number_of_fields_again_and_other_ones(count):
    usual = [("Content-Type", "text/html"), ("Content-Length", "5"), ("X-Frame-Options", "DENY")][:count]
    others = [("X-First", "1"), ("X-Second", "2"), ("X-Third", "3")][:count]

    for fields in (usual, usual, others, usual, tuple(usual)):
        assert [(name.lower().encode(), value.encode()) for name, value in fields] == encode_fields(fields)


def test_a_field_that_is_left_out_does_not_change_the_others():
    fields = [("Content-Type", "text/html"), ("Transfer-Encoding", "chunked")]

    for _ in range(3):
        assert [(b"content-type", b"text/html")] == encode_fields(fields)
    assert [(b"content-type", b"text/html"), (b"x-a", b"b")] == encode_fields([fields[0], ("X-A", "b")])
