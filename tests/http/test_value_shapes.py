"""No cookie, URL or host makes reading it slower than in proportion to its length."""

from contextlib import suppress

import pytest

from costrel.http.cookies import dump_cookie, parse_cookie
from costrel.http.headers import Headers
from costrel.http.hosts import get_current_url, host_is_trusted
from costrel.http.multidict import MultiDict
from costrel.http.urls import iri_to_uri, uri_to_iri

from .. import shapes

SIZE = 16 * 1024

READERS = {
    "cookie": parse_cookie,
    "cookie after a quote": lambda text: parse_cookie('a="' + text),
    "cookie before a quote": lambda text: parse_cookie(text + '"'),
    "cookie after a name": lambda text: parse_cookie("a" + text),
    "cookie after blanks": lambda text: parse_cookie('a="b"; c  = ' + text),
    "written cookie": lambda text: dump_cookie("a", text, max_size=0),
    "path to IRI": lambda text: uri_to_iri("/" + text),
    "query to IRI": lambda text: uri_to_iri("/?" + text),
    "host to IRI": lambda text: uri_to_iri(f"http://{text}/"),
    "encoded host to IRI": lambda text: uri_to_iri(f"http://xn--{text}/"),
    "path to URI": lambda text: iri_to_uri("/" + text),
    "host": host_is_trusted,
    "host with an end": lambda text: host_is_trusted(text + "/"),
    "bracketed host": lambda text: host_is_trusted(f"[:{text}"),
    "current URL": lambda text: get_current_url("http", "a.com", "/", text, text.encode()),
}

PIECES = [
    *'";=\\ \t,a.:-%é',
    'a="x;',
    'a="\\";',
    "a=x ;",
    "a ",
    'a="',
    '\\"',
    'a="\\012',
    "a=b;",
    'a=" ',
    'a="b"c;',
    "a  = b;",
    "\\012",
    "\\",
    "%ff",
    "%2f",
    "%c3%a9",
    "%e2%98",
    "a.",
    "xn--a.",
    "9a",
]


def assert_linear(call, make):
    def read(value):
        with suppress(ValueError):
            call(value)

    # Two doublings in one: a dict that grows takes its time at some sizes and not at others.
    shapes.assert_linear(read, SIZE, make, times=4, most=2.5**2, noise=0.0005)


SLOW = {"current URL"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in READERS]
)
def test_reading_takes_linear_time(name):
    for piece in PIECES:
        assert_linear(READERS[name], lambda size, piece=piece: piece * (size // len(piece) // 2 * 2))


def test_b3_an_escaped_cookie_is_unquoted_quickly():
    assert_linear(parse_cookie, lambda size: 'a="' + "\\012" * (size // 4) + '"')


def test_many_pairs_are_grouped_in_linear_time():
    assert_linear(MultiDict, lambda size: [("a", "b")] * (size // 8))
    assert_linear(MultiDict, lambda size: [(str(number), "b") for number in range(size // 8)])


def test_g4_repeated_headers_are_updated_in_linear_time():
    assert_linear(
        lambda source: Headers([("x", "y")]).update(source),
        lambda size: Headers([("a", "b")] * (size // 16)),
    )
