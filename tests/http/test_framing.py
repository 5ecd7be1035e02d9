"""How messages are framed: lengths, chunks, and the responses without a body."""

import pytest

from costrel.http import framing
from costrel.http.framing import (
    body_length,
    forbids_content_length,
    has_no_body,
    is_chunked,
    length_fields,
    parse_content_length,
)


@pytest.fixture(autouse=True)
def no_length_is_known(monkeypatch):
    """Other tests may have asked for the same lengths."""
    monkeypatch.setattr(framing, "_known_lengths", {})
    length_fields.clear()


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("12", 12), (" 12\t", 12), ("9" * 19, int("9" * 19))])
def test_a_length_is_a_number_of_bytes(text, expected):
    assert parse_content_length(text) == expected
    assert parse_content_length(text) == expected


@pytest.mark.parametrize("text", ["", " ", "-1", "+1", "1_0", "1.0", "0x1", "1,1", "1 1", "٣", "²", "9" * 20])
def test_nothing_else_is_a_length(text):
    assert parse_content_length(text) is None


@pytest.mark.parametrize(
    ("coding", "expected"),
    [("chunked", True), ("Chunked", True), ("gzip, chunked", True), ("gzip", False), ("", False), ("xchunked", False)],
)
def test_a_coding_may_be_chunks(coding, expected):
    assert is_chunked(coding) is expected


@pytest.mark.parametrize(
    ("length", "coding", "expected"),
    [(None, None, None), ("5", None, 5), ("5", "chunked", None), ("5", "gzip", 5), ("five", None, 0), ("", "", 0)],
)
def test_chunks_have_precedence_over_a_length(length, coding, expected):
    assert body_length(length, coding) == expected


def test_some_responses_have_no_body():
    assert [status for status in (100, 103, 200, 204, 205, 206, 304, 404) if has_no_body(status)] == [
        100,
        103,
        204,
        304,
    ]
    assert has_no_body(200, "HEAD")
    assert [status for status in (101, 200, 204, 304) if forbids_content_length(status)] == [101, 204]


def test_the_bounds_of_informational_statuses():
    bounds = (99, 100, 199, 200)
    assert [False, True, True, False] == [has_no_body(status) for status in bounds]
    assert [False, True, True, False] == [forbids_content_length(status) for status in bounds]


@pytest.mark.parametrize(
    ("length", "expected"),
    [("9" * 19, int("9" * 19)), ("9" * 20, 0), (" 5", 5), ("\u0665", 0), ("\xb2", 0), ("-5", 0), ("0", 0)],
)
def test_a_length_of_a_body_is_read_as_strictly(length, expected):
    assert expected == body_length(length, None)


@pytest.mark.parametrize("coding", ["chunked,gzip", "gzip ,chunked ", "GZIP, CHUNKED"])
def test_codings_are_a_list(coding):
    assert is_chunked(coding)


@pytest.mark.parametrize(("length", "kept"), [(0, True), (9_999, True), (10_000, False)])
def test_the_field_of_a_short_length_is_always_the_same(length, kept):
    field = length_fields[length]

    assert ("Content-Length", str(length)) == field
    assert kept is (length_fields[length] is field)
