"""No header and no body makes a parser slower than in proportion to its length."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from costrel.http.accept import CharsetAccept, LanguageAccept, MIMEAccept
from costrel.http.authentication import Authorization, WWWAuthenticate
from costrel.http.cache_control import ResponseCacheControl
from costrel.http.dates import parse_age, parse_date
from costrel.http.errors import HTTPException
from costrel.http.etags import ETags
from costrel.http.grammar import parse_dict_header, parse_list_header, parse_options_header, unquote_header_value
from costrel.http.policies import ContentSecurityPolicy
from costrel.http.ranges import ContentRange, IfRange, Range
from costrel.legacy.multipart import Epilogue, MultipartDecoder, NeedData

from ..shapes import assert_linear

KILOBYTE = 1024

# Each is repeated to the length wanted; some stand behind a beginning, and some are closed by an end.
HEADERS = [
    ("", '"', ""),
    ("", "\\", ""),
    ("", ";", ""),
    ("", ",", ""),
    ("", " ", "x"),
    ("", "\t", ""),
    ("a", " ", "b"),
    ('"', "\\", ""),
    ('"', '\\"', '"'),
    ('"', "a,", ""),
    ('a="', "\\\\", ""),
    ("", '",', ""),
    ("", '"a",', ""),
    ("", '"a" ', ""),
    ("", '"a"x,"', ""),
    ("a", ";b", ""),
    ("a", ";b=c", ""),
    ("a", ';b="', ""),
    ("a", ';b=";', ""),
    ("a", '; b="\\""', ""),
    ("a; b=", "c", ""),
    ("a; ", "b", ""),
    ("a", "; b*0=c", ""),
    ("a", "; b*0*=utf-8''%41", ""),
    ("a; b*", "1", "=c"),
    ("a; b", "*1", "=c"),
    ("a; b*=", "'", "x"),
    ("a; b*=utf-8''", "%41", ""),
    ("a;q=0.", "1", ""),
    ("a;q=", "1", ""),
    ("", "a;q=0.5,", ""),
    ("", "a/b;c=d ; ", ""),
    ("text/html", " ; a=b", ""),
    ("", "/", ""),
    ("", "*/*,", ""),
    ("", "en-", ""),
    ("", "utf-8,", ""),
    ("", "W/", ""),
    ("", "W/a,", ""),
    ("", "=", ""),
    ("", "a=b,", ""),
    ("Basic ", "A", ""),
    ("Basic ", "=", ""),
    ("Digest ", 'a="b",', ""),
    ("bytes=", "0-,", ""),
    ("bytes=", "1-2,", "5-6"),
    ("bytes=", "9", "-"),
    ("bytes=", "-", ""),
    ("bytes 0-", "9", "/5"),
    ("bytes ", " ", "0-1/2"),
    ("Sun, 06 Nov 1994 08:49:37 ", "(", ""),
    ("Sun, ", "0", " Nov 1994 08:49:37 GMT"),
    ("", "1994 ", ""),
    ("", ":", ""),
    ("", "a b;", ""),
]

PARSERS = [
    parse_list_header,
    parse_dict_header,
    parse_options_header,
    unquote_header_value,
    parse_date,
    parse_age,
    ETags.from_header,
    Range.from_header,
    IfRange.from_header,
    ContentRange.from_header,
    ResponseCacheControl.from_header,
    ContentSecurityPolicy.from_header,
    Authorization.from_header,
    WWWAuthenticate.from_header,
    lambda value: MIMEAccept.from_header(value).best_match(["text/html", "application/json"]),
    lambda value: LanguageAccept.from_header(value).best_match(["en", "de"]),
    lambda value: CharsetAccept.from_header(value).best_match(["utf-8"]),
]
PARSER_NAMES = [getattr(parser, "__qualname__", "") for parser in PARSERS]


@pytest.mark.parametrize("parser", PARSERS, ids=[f"{i}-{name}" for i, name in enumerate(PARSER_NAMES)])
def test_a_header_is_read_in_linear_time(parser: Callable[[str], object]) -> None:
    for start, middle, end in HEADERS:
        assert_linear(partial(read_header, parser, start, middle, end), 8 * KILOBYTE)


def read_header(parser: Callable[[str], object], start: str, middle: str, end: str, size: int) -> None:
    try:
        # An even number of times, so that quotes open or close at both sizes alike.
        parser(start + middle * (size // len(middle) // 2 * 2) + end)
    except ValueError as error:
        pytest.fail(f"{parser} raised {error!r} for {start + middle!r}")


HEAD = b'--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n'
END = b"\r\n--b--\r\n"
BODIES = {
    "content of CR": (HEAD, b"\r", END),
    "content of LF": (HEAD, b"\n", END),
    "content of half boundaries": (HEAD, b"\r\n--", END),
    "content of false boundaries": (HEAD, b"\n--bX", END),
    "content of dashes": (HEAD, b"-", END),
    "parts": (b"", HEAD[:-2] + b"\r\nx\r\n", END[2:]),
    "preamble of line breaks": (b"", b"\r\n", END),
    "preamble of dashes": (b"", b"-", END),
    "preamble of boundaries": (b"x", b"--b", END),
    "epilogue": (HEAD + END, b"\r\n", b""),
    "header lines": (b"--b\r\n", b"A: b\r\n", b""),
    "one header line": (b"--b\r\nA: ", b"x", b""),
    "header folded": (b"--b\r\nA: ", b"\r\n ", b""),
    "header options": (HEAD[:-4], b'; a="\\""', b"\r\n\r\n" + END),
    "padding": (HEAD + b"\r\n--b", b" ", b""),
    "nothing but padding": (b"", b" \t", b""),
}


def decode(start: bytes, middle: bytes, end: bytes, step: int, size: int) -> None:
    body = start + middle * (size // len(middle)) + end
    decoder = MultipartDecoder(b"b")
    try:
        for position in range(0, len(body), step):
            decoder.receive_data(body[position : position + step])
            while not isinstance(decoder.next_event(), NeedData | Epilogue):
                pass
        decoder.receive_data(None)
        while not isinstance(decoder.next_event(), Epilogue):
            pass
    except (ValueError, HTTPException):
        pass


@pytest.mark.parametrize("name", BODIES)
def test_a_multipart_body_is_read_in_linear_time(name: str) -> None:
    for step in (16 * KILOBYTE, 1024 * KILOBYTE):
        assert_linear(partial(decode, *BODIES[name], step), 128 * KILOBYTE)


@pytest.mark.parametrize("name", BODIES)
def test_a_multipart_body_that_comes_byte_by_byte_is_read_in_linear_time(name: str) -> None:
    assert_linear(partial(decode, *BODIES[name], 1), 8 * KILOBYTE)


@pytest.mark.parametrize(
    "boundary", [b"-" * 200, b"x--", b"-" * 200 + b"x", b"x" * 256], ids=["dashes", "x--", "-x", "x"]
)
def test_no_boundary_makes_reading_slower(boundary: bytes) -> None:
    def read(size: int) -> None:
        decoder = MultipartDecoder(boundary)
        decoder.receive_data(b"--" + boundary + b"y" + b"-" * size + b"x" * size)
        with suppress(ValueError):
            decoder.next_event()

    assert_linear(read, 64 * KILOBYTE)
