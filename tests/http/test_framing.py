"""How messages are framed: lengths, chunks, and the responses without a body."""

import pytest

from costrel.http.framing import body_length, forbids_content_length, has_no_body, is_chunked, parse_content_length


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("12", 12), (" 12\t", 12), ("9" * 19, int("9" * 19))])
def test_a_length_is_a_number_of_bytes(text, expected):
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
