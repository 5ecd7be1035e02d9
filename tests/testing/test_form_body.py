"""Forms are written as a browser writes them."""

import gc
import re
from io import BytesIO

from costrel.http.headers import Headers
from costrel.http.multidict import MultiDict
from costrel.http.uploads import FileStorage
from costrel.testing.form_body import encode_multipart, encode_urlencoded, stream_encode_multipart


class Named(BytesIO):
    name = "notes.txt"


def parts_of(values):
    _, body = encode_multipart(values, boundary="B")
    return body.removeprefix(b"--B\r\n").removesuffix(b"\r\n--B--\r\n").split(b"\r\n--B\r\n")


def test_fields():
    assert parts_of({"a": ["1", 2], "b": b"\xff", "c": "ü"}) == [
        b'Content-Disposition: form-data; name="a"\r\n\r\n1',
        b'Content-Disposition: form-data; name="a"\r\n\r\n2',
        b'Content-Disposition: form-data; name="b"\r\n\r\n\xff',
        b'Content-Disposition: form-data; name="c"\r\n\r\n\xc3\xbc',
    ]


def test_a_multidict_keeps_all_of_its_values():
    assert len(parts_of(MultiDict([("a", "1"), ("a", "2"), ("b", "3")]))) == 3


def test_a_file_has_a_name_and_a_type():
    assert parts_of({"f": Named(b"hello")}) == [
        b'Content-Disposition: form-data; name="f"; filename="notes.txt"\r\nContent-Type: text/plain\r\n\r\nhello'
    ]
    headers = Headers({"Content-Disposition": "none", "X-Tag": "1"})
    assert parts_of({"f": FileStorage(BytesIO(b"x"), "f.bin", content_type="a/b", headers=headers)}) == [
        b'Content-Disposition: form-data; name="f"; filename="f.bin"\r\nX-Tag: 1\r\nContent-Type: a/b\r\n\r\nx'
    ]


def test_a_stream_without_a_name_is_a_field_with_a_type():
    assert parts_of({"f": BytesIO(b"hello")}) == [
        b'Content-Disposition: form-data; name="f"\r\nContent-Type: application/octet-stream\r\n\r\nhello'
    ]


def test_an_empty_form():
    assert encode_multipart({}, boundary="B") == ("B", b"--B--\r\n")


def test_a_body_is_that_of_chromium():
    """The bytes that Chromium sends for a form with these entries, but for the boundary."""
    form = {'say "hi"': "ü", "f": FileStorage(BytesIO(b"x"), 'a"b\r\nc.txt')}
    boundary, body = encode_multipart(form)
    assert re.fullmatch("----WebKitFormBoundary[A-Za-z0-9]{16}", boundary)
    assert (
        body
        == (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="say %22hi%22"\r\n\r\n'
            "ü\r\n"
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="f"; filename="a%22b%0D%0Ac.txt"\r\n'
            "Content-Type: text/plain\r\n\r\n"
            "x\r\n"
            f"--{boundary}--\r\n"
        ).encode()
    )


def test_an_urlencoded_body_leaves_what_browsers_leave():
    kept = "azAZ09*-._"
    assert encode_urlencoded([(kept, kept)]) == f"{kept}={kept}".encode()
    assert encode_urlencoded([("a b", "~!'(),;/?:@&=+$#%"), ("ü", "\r\n"), ("none", None), ("n", 1)]) == (
        b"a+b=%7E%21%27%28%29%2C%3B%2F%3F%3A%40%26%3D%2B%24%23%25&%C3%BC=%0D%0A&n=1"
    )


def test_each_body_has_a_boundary_of_its_own():
    first, _ = encode_multipart({"a": "1"})
    second, _ = encode_multipart({"a": "1"})
    assert first != second


def test_a_long_body_is_kept_on_disk():
    stream, length, _ = stream_encode_multipart({"a": b"x" * 1000, "f": Named(b"y" * 100_000)}, threshold=500)
    assert stream._rolled
    assert len(stream.read()) == length
    del stream
    gc.collect()


def test_memory_alone():
    stream, _, _ = stream_encode_multipart({"a": "x"}, use_tempfile=False)
    assert isinstance(stream, BytesIO)
