"""No body, no query and no header makes a request take longer than in proportion to its length."""

import io
import time
from contextlib import suppress

import pytest

from costrel.http.errors import HTTPException
from costrel.messages.request import Request
from costrel.messages.streams import RangeWrapper

from ..shapes import MUCH, assert_linear

FIELD = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
MEGABYTE = 1024 * 1024

# What stands in front, and what is repeated to the length that is wanted.
MULTIPART = {
    "carriage returns": (FILE, b"\r"),
    "line feeds": (FILE, b"\n"),
    "half boundaries": (FILE, b"\r\n--"),
    "boundaries that go on": (FILE, b"\r\n--B"),
    "preamble": (b"", b"\r\n"),
    "preamble of dashes": (b"", b"\n-"),
    "epilogue": (b"--b--", b"\r\n"),
    "padding": (b"--b", b" "),
    "parts": (b"", FIELD),
    "parts with content": (b"", FIELD + b"x\r\n"),
    "headers": (b"--b\r\n", b"X: y\r\n"),
    "a header": (b"--b\r\nX: ", b"y"),
    "folds": (FIELD.removesuffix(b"\r\n\r\n"), b"\r\n x"),
    "parameters": (b"--b\r\nContent-Disposition: form-data", b'; a="\\"'),
    "semicolons": (b'--b\r\nContent-Disposition: form-data; name="', b";"),
    "a field": (FIELD, b"x"),
}
URLENCODED = {
    "ampersands": b"&",
    "empty fields": b"a&",
    "fields": b"a=b&",
    "semicolons": b"a;",
    "equals signs": b"=",
    "percent signs": b"%",
    "escapes": b"%C3",
    "bad bytes": b"\xff",
    "plus signs": b"+",
}


def parse(body, mimetype, read_size=None, **limits):
    stream = io.BytesIO(body)
    if read_size:
        whole = stream.read
        stream.read = lambda size=-1: whole(read_size if size < 0 else min(size, read_size))
    cls = type("Unlimited", (Request,), {"max_form_memory_size": None, "max_form_parts": None, **limits})
    environ = {"wsgi.input": stream, "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": mimetype}
    with suppress(HTTPException), cls(environ) as request:
        request.form


@pytest.mark.parametrize("name", MULTIPART)
@pytest.mark.parametrize("limited", [True, False])
def test_multipart_bodies_take_linear_time(name, limited):
    begin, repeated = MULTIPART[name]
    limits = {"max_form_memory_size": 500_000, "max_form_parts": 1000} if limited else {}

    def run(length):
        body = begin + repeated * (length // len(repeated))
        parse(body, "multipart/form-data; boundary=b", **limits)

    assert_linear(run, MEGABYTE, **MUCH)  # above that, all files lie on disk


@pytest.mark.parametrize("name", ["carriage returns", "half boundaries", "parts with content", "a header", "folds"])
def test_bodies_in_small_pieces_take_linear_time(name):
    begin, repeated = MULTIPART[name]

    def run(length):
        body = begin + repeated * (length // len(repeated))
        parse(body, "multipart/form-data; boundary=b", read_size=7)

    assert_linear(run, 80_000)  # up to 64 KiB the pieces are put together first


@pytest.mark.parametrize("name", MULTIPART)
def test_small_multipart_bodies_take_linear_time(name):
    begin, repeated = MULTIPART[name]

    def run(length):
        parse(begin + repeated * (length // len(repeated)) + b"\r\n--b--", "multipart/form-data; boundary=b")

    assert_linear(run, 30_000)


@pytest.mark.parametrize("name", URLENCODED)
@pytest.mark.parametrize("limited", [True, False])
def test_urlencoded_bodies_take_linear_time(name, limited):
    limits = {"max_form_memory_size": 500_000, "max_form_parts": 1000} if limited else {}

    def run(length):
        body = URLENCODED[name] * (length // len(URLENCODED[name]))
        parse(body, "application/x-www-form-urlencoded", **limits)

    assert_linear(run, 200_000)


def test_too_many_fields_are_refused_before_they_are_read():
    start = time.process_time()
    parse(b"a&" * 2_000_000, "application/x-www-form-urlencoded", max_form_parts=1000)
    parse(FIELD * 80_000, "multipart/form-data; boundary=b", max_form_parts=1000)
    assert time.process_time() - start < 2  # seconds; parsing them would take longer


@pytest.mark.parametrize("name", URLENCODED)
def test_queries_take_linear_time(name):
    def run(length):
        query = (URLENCODED[name] * (length // len(URLENCODED[name]))).decode("latin1")
        request = Request({"QUERY_STRING": query})
        assert request.args is not None
        assert request.full_path

    assert_linear(run, 64 * 1024)


@pytest.mark.parametrize("header", ["Cookie", "Accept", "Range", "If-None-Match", "Authorization", "X-Forwarded-For"])
@pytest.mark.parametrize("repeated", [",", ";", '"', "a=b;", "a,", '"a",', "0-,", "bytes=", "\\"])
def test_headers_take_linear_time(header, repeated):
    def run(length):
        key = "HTTP_" + header.upper().replace("-", "_")
        request = Request({key: repeated * (length // len(repeated)), "wsgi.url_scheme": "http"})
        for name in ("cookies", "accept_mimetypes", "range", "if_none_match", "authorization", "access_route"):
            assert name in dir(request)
            getattr(request, name)

    assert_linear(run, 64 * 1024)


def test_lines_of_a_body_take_linear_time():
    def run(length):
        environ = {"wsgi.input": io.BytesIO(b"x" * length), "CONTENT_LENGTH": str(length)}
        assert sum(map(len, Request(environ).stream)) == length

    assert_linear(run, MEGABYTE, **MUCH)


def test_ranges_of_many_pieces_take_linear_time():
    def run(length):
        assert sum(map(len, RangeWrapper(iter([b"x"] * length), 5, length))) == length - 5

    assert_linear(run, 50_000)
