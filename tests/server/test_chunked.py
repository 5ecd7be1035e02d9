"""Chunked bodies: decoding, and refused bodies."""

import io

import pytest

from costrel.devserver.chunked import DechunkedInput
from costrel.http.errors import BadRequest


def read(body):
    return io.BufferedReader(DechunkedInput(io.BytesIO(body))).read()


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"0\r\n\r\n", b""),
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"3;name=value\r\nabc\r\n0;last\r\n\r\n", b"abc"),
        (b"3 \r\nabc\r\n000\r\n\r\n", b"abc"),
        (b"3\nabc\n0\n\n", b"abc"),
        (b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n", b"abc"),
    ],
)
def test_the_body_is_what_the_chunks_hold(body, content):
    assert read(body) == content


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Invalid chunk header"),
        (b"zz\r\nabc\r\n0\r\n\r\n", "Invalid chunk header"),
        (b"-3\r\nabc\r\n0\r\n\r\n", "Invalid chunk header"),
        (b"0x3\r\nabc\r\n0\r\n\r\n", "Invalid chunk header"),
        (b"1_0\r\nabc\r\n0\r\n\r\n", "Invalid chunk header"),
        (b"3", "Invalid chunk header"),
        (b"3;" + b"a" * 10_000 + b"\r\nabc\r\n0\r\n\r\n", "Invalid chunk header"),
        (b"3\r\nabcXX0\r\n\r\n", "Missing chunk terminating newline"),
        (b"3\r\nab", "The body ended inside a chunk"),
        (b"3\r\nabc\r\n", "Invalid chunk header"),
        (b"3\r\nabc\r\n0\r\n", "The trailer section does not end"),
        (b"0\r\nX: 1\r\n", "The trailer section does not end"),
        (b"0\r\n" + b"X: 1\r\n" * 200 + b"\r\n", "The trailer section does not end"),
    ],
)
def test_what_is_not_chunks_is_refused(body, message):
    with pytest.raises(OSError) as caught:
        read(body)

    assert isinstance(caught.value, BadRequest)
    assert caught.value.description == message


def test_it_reads_piece_by_piece():
    stream = DechunkedInput(io.BytesIO(b"5\r\nhello\r\n0\r\n\r\n"))

    assert stream.readable()
    assert [stream.read(2), stream.read(2), stream.read(2), stream.read(2), stream.read(2)] == [
        b"he",
        b"ll",
        b"o",
        b"",
        b"",
    ]


def test_nothing_is_read_into_nothing():
    assert DechunkedInput(io.BytesIO(b"")).readinto(bytearray()) == 0
