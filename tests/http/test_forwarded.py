"""The entries of X-Forwarded-*: valid addresses, and the end of a chain of proxies."""

import pytest

from costrel.http.errors import BadRequest
from costrel.http.forwarded import (
    forwarded_port,
    forwarded_prefix,
    forwarded_scheme,
    last_vouched_for,
    parse_address,
    split_forwarded,
)


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4000", "203.0.113.9"),
        ("203.0.113.9:", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:0DB8:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%12]:80", "fe80::1"),
    ],
)
def test_an_address_loses_its_port_its_brackets_and_its_zone(entry, address):
    assert address == str(parse_address(entry))


@pytest.mark.parametrize(
    "entry",
    [
        *("", '"', '"1.1.1.1"', "unknown", "_hidden", "<script>", "example.org", "localhost", "1.1.1", "01.1.1.1"),
        *("1.1.1.1:80:80", "1.1.1.1:x", "1.1.1.1:123456", "[1.1.1.1]", "[::1", "::1]", "[::1]80", "[[::1]]", "::1]:80"),
        *(
            "for=1.1.1.1",
            "1.1.1.1 2.2.2.2",
            "1.1.1.1;x",
            "fe80::1%",
            "fe80::1%<script>",
            "1.1.1.1%eth0",
            "unix:",
            "\u0661.1.1.1",
        ),
    ],
)
def test_anything_else_is_no_address(entry):
    assert parse_address(entry) is None


def test_entries_keep_their_positions_whatever_is_in_them():
    assert ["", '"a', 'b"', ""] == split_forwarded(' , "a,\tb" ,')


@pytest.mark.parametrize(
    ("field", "hops", "client"),
    [
        ("1.1.1.1, 2.2.2.2", 1, "2.2.2.2"),
        ("1.1.1.1, 2.2.2.2", 2, "1.1.1.1"),
        ("1.1.1.1, 2.2.2.2", 3, "1.1.1.1"),
        ("unknown, 2.2.2.2", 2, "2.2.2.2"),
        ("1.1.1.1, unknown, 2.2.2.2", 3, "2.2.2.2"),
        ("1.1.1.1,", 1, None),
        ("1.1.1.1, unknown", 2, None),
        ('"', 1, None),
        ('", 2.2.2.2', 1, "2.2.2.2"),
        ('1.1.1.1, ", 2.2.2.2, "', 1, None),
    ],
)
def test_an_entry_that_is_no_address_ends_the_chain(field, hops, client):
    assert client == last_vouched_for(split_forwarded(field), hops)


def test_schemes_are_those_of_http():
    seen = [forwarded_scheme(entry) for entry in ("https", "HTTP", "wss", "ws", "javascript", "ftp", "", '"https"')]
    assert ["https", "http", "https", "http", None, None, None, None] == seen


def test_ports_are_numbers():
    seen = [forwarded_port(entry) for entry in ("8443", "65535", "0", "65536", "x", "-1", "\uff18", "1/")]
    assert ["8443", "65535", *[None] * 6] == seen


@pytest.mark.parametrize("prefix", ["/", "/shop", "/shop/", "/a/b", "/a//b", "/%C3%BC", "/\xc3\xbc", "/a:b;c=d@e"])
def test_a_prefix_is_a_path(prefix):
    assert prefix == forwarded_prefix(prefix)


@pytest.mark.parametrize(
    "prefix",
    [
        *(
            "//evil.example",
            "/\\evil.example",
            "\\\\evil",
            "evil",
            "https://evil.example",
            "/\t/evil",
            "/ /evil",
            "/a\n",
        ),
        *("/a?b", "/a#b", '/"><script>', "/a\\b", "?", "///"),
    ],
)
def test_any_other_prefix_is_a_bad_request(prefix):
    with pytest.raises(BadRequest, match="X-Forwarded-Prefix"):
        forwarded_prefix(prefix)
