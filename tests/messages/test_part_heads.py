"""The heads of parts: read in one piece or byte by byte, they give the same form or the same error."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from costrel.http.errors import HTTPException, RequestEntityTooLarge
from costrel.http.part_head import USUAL_HEAD, FormatError, PartHead, headers_of, read_head, usual_head
from costrel.messages.forms import MultiPartParser
from costrel.messages.parts import PartLimits

HEADS = [
    b'Content-Disposition: form-data; name="a"',
    b'Content-Disposition: form-data; name=""',
    b'Content-Disposition: form-data; name="a"; filename="b.txt"\r\nContent-Type: text/plain',
    b'Content-Disposition: form-data; name="a"; filename=""\r\nContent-Type: application/octet-stream',
    b'Content-Disposition: form-data; name="a"; filename="b.txt"\r\nContent-Type:',
    b'Content-Disposition: form-data; name="a"; filename="b.txt"',
    b'Content-Disposition: form-data; name="a"; filename="b.txt"\r\nContent-Type: text/plain\r\nContent-Length: 3',
    b'Content-Disposition: form-data; name="a"; filename="b.txt"\r\nContent-Type: text/plain\r\n ; charset=utf-8',
    b'Content-Type: text/plain\r\nContent-Disposition: form-data; name="a"; filename="b.txt"',
    b'content-disposition: form-data; name="a"',
    b'Content-Disposition: form-data; name="%22a"',
    b'Content-Disposition: form-data; name="a\\"b"',
    b'Content-Disposition: form-data; name="a\tb"',
    b'Content-Disposition: form-data; name="a\x00b"',
    b'Content-Disposition: form-data; name="a\nb"',
    b'Content-Disposition: form-data; name="a"\nX-More: b',
    b'Content-Disposition: form-data; name="a"\r\n--x: b',
    'Content-Disposition: form-data; name="ä€"; filename="ü.txt"\r\nContent-Type: text/ü'.encode(),
    b'Content-Disposition: form-data; name="\xff"',
    b'Content-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: \xff',
    b'Content-Disposition: form-data; name="' + b"a" * 9000 + b'"',
    b'Content-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: ' + b"a" * 8180,
    b'Content-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: ' + b"a" * 8160,
    b"",
]


def outcome(body: bytes, size: int, limits: PartLimits | None = None) -> object:
    """The form in a body that is read `size` bytes at a time, or its error."""
    parser = MultiPartParser(stream_factory=lambda **_about: io.BytesIO(), buffer_size=size)
    parser.limits = limits or PartLimits()
    try:
        fields, files = parser.parse(io.BytesIO(body), b"x", len(body))
    except HTTPException as error:
        return type(error), error.description
    found = [(name, file.filename, list(file.headers), file.read()) for name, file in files.items(multi=True)]
    return list(fields.items(multi=True)), found


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize("content", [b"", b"abc", b"\r\n\r\n"])
@pytest.mark.parametrize("head", HEADS, ids=range(len(HEADS)))
def test_a_head_in_one_piece_is_read_as_one_in_many(head: bytes, content: bytes, newline: bytes) -> None:
    part = newline.join([b"--x", head, b"", content, b""])
    body = part * 2 + b"--x--" + newline
    whole = outcome(body, len(body))
    assert whole == outcome(body, 1)
    assert whole == outcome(body, 7)


@pytest.mark.parametrize(
    "body",
    [
        b"--x\r\n" + HEADS[0] + b"\r\n\r\n--x\r\n" + HEADS[2] + b"\r\n\r\n--x--",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n--x--',
        b'--x  \r\nContent-Disposition: form-data; name="a"\r\n\r\n-\r\n--x\t--x\r\n--x--',
        b'\r\n--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--\r\n--x--\r\n--x\r\nepilogue',
        b"--x\r\n--x--",
        b"--x--",
    ],
)  # fmt: skip
def test_boundaries_in_one_piece_are_read_as_those_in_many(body: bytes) -> None:
    whole = outcome(body, len(body))
    assert [whole] * 3 == [outcome(body, size) for size in (1, 2, 7)]


@pytest.mark.parametrize("limits", [PartLimits(headers=1), PartLimits(header_size=50)])
def test_limits_hold_for_a_head_in_one_piece(limits: PartLimits) -> None:
    body = b"--x\r\n" + HEADS[2] + b"\r\n\r\n\r\n--x--\r\n"
    whole = outcome(body, len(body), limits)
    assert whole == outcome(body, 1, limits)
    assert isinstance(whole, tuple)
    assert whole[0] is RequestEntityTooLarge


def test_a_folded_header_is_one_header() -> None:
    body = b'--x\r\nContent-Disposition: form-data;\r\n\tname="a"; filename="b"\r\n\r\n1\r\n--x--'
    disposition = 'form-data; name="a"; filename="b"'
    assert outcome(body, 99) == ([], [("a", "b", [("Content-Disposition", disposition)], b"1")])


PIECES = [
    b"Content-Disposition: form-data", b'; name="a"', b'; filename="b"', b'; filename=""', b'; name="\xc3\xbc"', b";",
    b'; name="\xff"', b'; filename="%22"', b'; filename="\\"', b'; name="a;b=c"', b"; name*=x", b'; name="\x7f"',
    b"\r\n", b"\r\nContent-Type: text/plain", b"\r\nContent-Type: a/b; c=d", b"\r\nContent-Type:  a/b ",
    b"\r\nContent-Length: 3", b"\n", b" ", b"\t", b"\xc2\xa0", b'"',
]  # fmt: skip


def known_of(head: PartHead) -> tuple[object, ...]:
    name, filename, content_type, content_length, _, _ = head
    return name, filename, content_type, content_length, list(headers_of(head))


@given(st.lists(st.sampled_from(PIECES), max_size=5).map(b"".join))
@example(b'Content-Disposition: form-data; name=""')
@example(b'Content-Disposition: form-data; name="a"; filename="\xc2\x85"\r\nContent-Type: text/plain; charset=utf-8')
@example(b'Content-Disposition: form-data; name="a"\r\nContent-Type: \xff')
def test_the_usual_head_is_read_as_any_other(lines: bytes) -> None:
    found = USUAL_HEAD.match(b"\r\n" + lines + b"\r\n\r\n")
    if found is None:
        return
    try:
        usual = known_of(usual_head(found))
    except FormatError as error:
        with pytest.raises(FormatError, match=str(error)):
            read_head(lines)
    else:
        assert known_of(read_head(lines)) == usual


@pytest.mark.parametrize("head", HEADS[:6])
def test_the_heads_that_browsers_send_are_usual(head: bytes) -> None:
    assert (USUAL_HEAD.match(b"\r\n" + head + b"\r\n\r\n") is None) == (head == HEADS[4])
