"""URLs as IRIs and URIs, and the host that a request names."""

import pytest

from costrel.http.errors import SecurityError
from costrel.http.hosts import get_current_url, get_host, host_is_trusted
from costrel.http.urls import encode_query, iri_to_uri, uri_to_iri


def test_an_iri_becomes_a_uri_and_comes_back():
    iri = "http://us€r:pä@ü.com:80/ä?q=ö#ß"
    uri = "http://us%E2%82%ACr:p%C3%A4@xn--tda.com:80/%C3%A4?q=%C3%B6#%C3%9F"
    assert (iri_to_uri(iri), uri_to_iri(uri)) == (uri, iri)
    assert iri_to_uri(uri) == uri


def test_what_delimits_a_url_stays_quoted():
    assert uri_to_iri("/%2f%3f%23%25%20?%26%3d%2b#%2f%25") == "/%2f%3f%23%25%20?%26%3d%2b#/%25"


def test_bytes_that_are_no_utf_8_stay_quoted():
    assert uri_to_iri("/%ff%C3%A4%E2%98") == "/%FFä%E2%98"


@pytest.mark.parametrize("host", ["xn--zz-99999.com", "xn--" + "a" * 300 + ".com", "xn--a.xn--\xfc"])
def test_a_host_that_cannot_be_decoded_stays_as_it_is(host):
    assert uri_to_iri(f"http://{host}/") == f"http://{host}/"


@pytest.mark.parametrize(
    "url", ["/", "/a/b.c~d-e_f?g=h&i=j", "http://a.com/", "https://a-b.c:8080/d", "//a/b", "http://[::1]:80/", "a/b"]
)
def test_plain_urls_stay_as_they_are(url):
    assert (iri_to_uri(url), uri_to_iri(url)) == (url, url)


@pytest.mark.parametrize(
    "url",
    [
        "itms-services://?action=download-manifest&url=https://example.com/a.plist",
        "itms-services:///a",
        "myapp:///page",
        "myapp://?token=a#b",
        "a:////b",
        "a://",
        "file:///etc/hosts",
        "mailto:a@b",
        "data:,x",
    ],
)
def test_the_slashes_of_an_empty_authority_stay(url):
    assert (iri_to_uri(url), uri_to_iri(url)) == (url, url)


def test_a_query_is_written_from_lists_and_without_none():
    assert encode_query({"a": ["1", "ö"], "b": None, "c": "x y&/"}) == "a=1&a=%C3%B6&c=x+y%26/"


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("a.com", ["a.com"]),
        ("a.com:8080", ["a.com"]),
        ("x.a.com", [".a.com"]),
        ("a.com", [".a.com"]),
        ("xn--tda.com", ["ü.com"]),
        ("a.com", "a.com"),
        ("[::1]:80", None),
        ("a.com", []),
        ("[::1]", ["[::1]"]),
        ("[::1]:8000", ["a.com", "[::1]"]),
        ("[FE80::1]", ["fe80:0::1"]),
    ],
)
def test_hosts_on_the_list_are_trusted(host, trusted):
    assert host_is_trusted(host, trusted)


# SECURITY D8, D10: no pattern, and nothing that would change a URL.
@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("exampleXcom", ["example.com"]),
        ("xa.com", [".a.com"]),
        ("a.com", ["*.com"]),
        ("a.com.evil", [".a.com"]),
        ("a/admin?x=", None),
        ("a,b", None),
        ("a b", None),
        ("a\n", None),
        ("a@b", None),
        ("a:99999", None),
        ("a:-1", None),
        ("[::2]", ["[::1]"]),
        ("[::1]", [".a.com", "1"]),
        ("[::1", None),
        ("[:1:]", None),
        ("a:80:80", None),
        ("[:71]:8443", None),
        ("", None),
        (None, None),
    ],
)
def test_other_hosts_are_not_trusted(host, trusted):
    assert not host_is_trusted(host, trusted)


def test_the_schemes_own_port_is_left_out():
    assert get_host("http", "a.com:80") == get_host("https", "a.com:443") == "a.com"
    assert get_host("http", "a.com:443") == "a.com:443"
    assert get_host("ftp", "a.com:80") == "a.com:80"


@pytest.mark.parametrize("host", ["a.com:80:80", ":80", "a.com:0:80", "[::1]:80:80"])
def test_what_only_lacks_that_port_to_be_a_host_is_none(host):
    assert get_host("http", host) == ""


def test_the_servers_address_stands_in_for_a_missing_field():
    assert get_host("http", None, ("::1", 8080)) == "[::1]:8080"
    assert get_host("http", None, ("[::1]", 80)) == "[::1]"
    assert get_host("http", None, ("/run/socket", None)) == get_host("http", None) == ""
    assert get_host("http", "", ("a.com", 80)) == ""


def test_a_host_that_is_not_trusted_is_an_error_only_with_a_list():
    assert get_host("http", "a/b") == ""
    with pytest.raises(SecurityError) as caught:
        get_host("http", "evil.com", None, ["a.com"])
    assert caught.value.description == "Host 'evil.com' is not trusted."


def test_the_current_url_is_as_long_as_its_parts_allow():
    assert get_current_url("http", "a.com") == "http://a.com/"
    assert get_current_url("http", "a.com", "/app/") == "http://a.com/app/"
    assert get_current_url("http", "a.com", "/app", "/ä b?") == "http://a.com/app/ä%20b%3F"
    assert get_current_url("http", "xn--tda.com", "", "/p", b"a=\xff&b=c") == "http://ü.com/p?a=%FF&b=c"
