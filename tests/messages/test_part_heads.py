"""The heads of parts: found in one go or line by line, they say the same."""

from __future__ import annotations

import pytest

from costrel.messages.parts import FormatError, HeadTooLarge, Part, PartParser

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
    'Content-Disposition: form-data; name="ä€"; filename="ü.txt"\r\nContent-Type: text/ü'.encode(),
    b'Content-Disposition: form-data; name="\xff"',
    b'Content-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: \xff',
    b'Content-Disposition: form-data; name="' + b"a" * 9000 + b'"',
    b'Content-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: ' + b"a" * 8180,
    b'Content-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: ' + b"a" * 8160,
]


def events(body: bytes, size: int, **limits: int) -> list[object]:
    """What a parser says of a body that comes in pieces of `size` bytes, the pieces of a content joined."""
    parser, found, content = PartParser(b"x", **limits), [], b""
    try:
        for start in range(0, len(body), size):
            for event in parser.parse(body[start : start + size]):
                if isinstance(event, bytes):
                    content += event
                elif isinstance(event, Part):
                    found.append((event.name, event.filename, event.lines, list(event.headers), event.kept_size))
                else:
                    found.append(content)
                    content = b""
        parser.finish()
    except (FormatError, HeadTooLarge) as error:
        found.append((type(error), str(error)))
    return found


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize("content", [b"", b"abc", b"\r\n\r\n"])
@pytest.mark.parametrize("head", HEADS, ids=range(len(HEADS)))
def test_a_head_in_one_piece_is_read_as_one_in_many(head: bytes, content: bytes, newline: bytes) -> None:
    part = newline.join([b"--x", head, b"", content, b""])
    body = part * 2 + b"--x--" + newline
    assert events(body, len(body)) == events(body, 1)


@pytest.mark.parametrize("limits", [{"max_headers": 1}, {"max_header_size": 50}])
def test_limits_hold_for_a_head_in_one_piece(limits: dict[str, int]) -> None:
    body = b"--x\r\n" + HEADS[2] + b"\r\n\r\n\r\n--x--\r\n"
    whole = events(body, len(body), **limits)
    assert whole == events(body, 1, **limits)
    assert whole[0][0] is HeadTooLarge
