"""URLs and hosts, called beside Werkzeug's own functions."""

from __future__ import annotations

import re
import typing as t
from ipaddress import IPv6Address

import werkzeug.sansio.utils
import werkzeug.urls
from hypothesis import assume, given
from hypothesis import strategies as st

from costrel.http import hosts, urls

FRAGMENTS = [
    *"aé☃ %/?#&=+;:@[]\\.",
    "%20",
    "%2F",
    "%e9",
    "%C3%A9",
    "%E2%98%83",
    "%E2%98",
    "%F0%9F%98%80",
    "%zz",
    "http:",
    "//",
    "xn--n3h",
    "example",
    ".net",
    "80",
    "[::1]",
]
url_like = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)
whole_urls = st.builds(
    "{}://{}{}{}/{}?{}#{}".format,
    st.sampled_from(["http", "itms-services", ""]),
    st.sampled_from(["", "us%C3%A9r@", "ü:p%40 w@", "a:@", "@"]),
    st.sampled_from(["", "example.com", "ü.com", "xn--n3h.net", "[::1]", "a..b", "1.2.3.4", "EXAMPLE"]),
    st.sampled_from(["", ":80", ":", ":x", ":99999"]),
    url_like,
    url_like,
    url_like,
)
simple_urls = st.builds(
    "{}{}{}/{}{}".format,
    st.sampled_from(["", "http://", "https://", "HTTP://", "ftp://", "//"]),
    st.sampled_from(["", "a.com", "a..b", "a.", ".a", "-", "A.com", "xn--n3h.net", "x" * 63, "x" * 64]),
    st.sampled_from(["", ":80", ":8080", ":0", ":99999", ":"]),
    st.text("ab/.~-_%", max_size=8),
    st.sampled_from(["", "?", "?a=b", "?a=b&c=d", "?a+b", "#", "#a"]),
)
text = st.text(max_size=20)
host_like = st.lists(
    st.sampled_from([*"aZ-._:0ü/ ", "example.com", "[", "::1", "]", ":80", ":443", ":65536", ":8080", "xn--tda"]),
    max_size=5,
).map("".join)


def outcome(call: t.Callable[..., t.Any], *args: t.Any) -> t.Any:
    """What a call returns, or the name and the text of the error that it raises."""
    try:
        return call(*args)
    except Exception as error:
        return type(error).__name__, str(error)


def keeps_its_authority(value: str) -> bool:
    """Whether Werkzeug keeps all slashes: it drops those of an empty authority, or some of them."""
    return re.match(r"\s*(?!https?:|wss?:)[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@?:?(?:[/?#]|$)", value) is None


@given((url_like | whole_urls | simple_urls | text).filter(keeps_its_authority))
def test_iris_become_uris_alike(value: str) -> None:
    assert outcome(werkzeug.urls.iri_to_uri, value) == outcome(urls.iri_to_uri, value)


@given((url_like | whole_urls | simple_urls | text).filter(keeps_its_authority))
def test_uris_become_iris_alike(value: str) -> None:
    expected, actual = outcome(werkzeug.urls.uri_to_iri, value), outcome(urls.uri_to_iri, value)
    # A host that cannot be decoded is no error here: clients send it, and asking for the URL would answer 500.
    assert expected == actual or (expected[0] == "UnicodeError" and actual[0] != "UnicodeError")


@given(st.binary(max_size=12), st.sampled_from(["/{}", "/?{}", "/#{}", "//{}@h/", "//u:{}@h/"]))
def test_percent_encoded_bytes_are_decoded_alike(raw: bytes, template: str) -> None:
    value = template.format("".join(f"%{byte:02x}" for byte in raw))
    assert outcome(werkzeug.urls.uri_to_iri, value) == outcome(urls.uri_to_iri, value)


@given(
    st.dictionaries(text, st.none() | text | st.lists(text, max_size=2)) | st.lists(st.tuples(text, text | st.none()))
)
def test_queries_are_written_alike(query: t.Any) -> None:
    assert outcome(werkzeug.urls._urlencode, query) == outcome(urls.encode_query, query)


def is_ipv6(name: str) -> bool:
    try:
        return bool(IPv6Address(name.partition("]")[0].removeprefix("[")))
    except ValueError:
        return False


def is_host_here_alone(host: str | None) -> bool:
    """Whether a host has an underscore, an empty port, or capital letters, which are not compared there."""
    return host is not None and ("_" in host or host.endswith(":") or host != host.lower())


# An IPv6 address on the list is one here, and there the name before its first colon.
trusted_names = host_like.filter(lambda name: not is_ipv6(name))
trusted_lists = st.none() | trusted_names | st.lists(trusted_names | trusted_names.map(".{}".format), max_size=3)


@given(st.none() | host_like | text, trusted_lists)
def test_hosts_are_trusted_alike(host: str | None, trusted: t.Any) -> None:
    assume(not (host or "").startswith("["))  # what only looks like IPv6 is no host here
    assume(not is_host_here_alone(host))
    expected = outcome(werkzeug.sansio.utils.host_is_trusted, host, trusted)
    assert expected == outcome(hosts.host_is_trusted, host, trusted)


@given(
    st.sampled_from(["http", "https", "ws", "wss", "ftp", ""]),
    st.none() | host_like,
    st.none() | st.tuples(host_like, st.none() | st.sampled_from([80, 443, 8080, 0])),
    trusted_lists,
)
def test_hosts_are_read_alike(scheme: str, header: str | None, server: t.Any, trusted: t.Any) -> None:
    assume(not is_host_here_alone(hosts._server_host(server) if header is None else header))
    expected = outcome(werkzeug.sansio.utils.get_host, scheme, header, server, trusted)
    found = outcome(hosts.get_host, scheme, header, server, trusted)
    if found == "" or isinstance(found, tuple):
        # No host as it came, which may be one there: it has two ports, or only looks like IPv6. Ours is named whole.
        came = hosts._server_host(server) if header is None else header
        assert expected == "" or isinstance(expected, tuple) or not hosts.host_is_trusted(came, trusted)
    else:
        assert found == expected


simple_parts = st.text("ab/.=&", max_size=6)


@given(
    st.sampled_from(["http", "https", ""]),
    host_like,
    st.none() | simple_parts | url_like | text,
    st.none() | simple_parts | url_like | text,
    st.none() | st.binary(max_size=10) | simple_parts.map(str.encode) | url_like.map(str.encode),
)
def test_current_urls_are_built_alike(
    scheme: str, host: str, root: str | None, path: str | None, query: bytes | None
) -> None:
    expected = outcome(werkzeug.sansio.utils.get_current_url, scheme, host, root, path, query)
    actual = outcome(hosts.get_current_url, scheme, host, root, path, query)
    assert expected == actual or (expected[0] == "UnicodeError" and actual[0] != "UnicodeError")
