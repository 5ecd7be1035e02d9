"""Redirects stay on the site, and within the lengths that browsers accept."""

from urllib.parse import urljoin

import pytest

from costrel.messages.redirects import append_slash_redirect, redirect
from costrel.messages.response import Response

ENVIRON = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "HTTP_HOST": "ex.org"}


def location(response):
    return dict(response.get_wsgi_response(ENVIRON)[2])["Location"]


def slashed(path, query=""):
    environ = {"PATH_INFO": path.encode().decode("latin1"), "QUERY_STRING": query}
    return location(append_slash_redirect(environ))


def test_a_redirect_is_a_page_with_a_link():
    response = redirect('/a?b=<c>&"d"', 303)
    assert [response.status_code, response.mimetype, location(response)] == [303, "text/html", "/a?b=%3Cc%3E&%22d%22"]
    assert 'href="/a?b=&lt;c&gt;&amp;&#34;d&#34;"' in response.get_data(as_text=True)


def test_a_redirect_is_of_the_class_that_is_asked_for():
    class Own(Response):
        pass

    assert type(redirect("/", Response=Own)) is Own


def test_a_location_that_nobody_follows_is_refused():
    assert redirect("/" + "x" * 16_383).status_code == 302
    with pytest.raises(ValueError, match=r"has 1,000,000 characters, at most 16,384 are allowed"):
        redirect("\ufdfa" * 1_000_000)


@pytest.mark.parametrize("break_", ["\r", "\n", "\0"])
def test_a_location_cannot_begin_another_header(break_):
    with pytest.raises(ValueError, match="Header values must not contain"):
        redirect(f"/{break_}x")


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/a", "", "a/"),
        ("/a/b", "x=%C3%BC&y", "b/?x=%C3%BC&y"),
        ("/", "", "./"),
        ("/ü", "", "%C3%BC/"),
        ("/a?b", "", "a%3Fb/"),
        ("/a%2f", "", "a%252f/"),
        ("/a:b", "", "./a:b/"),
        ("/javascript:alert(1)", "", "./javascript:alert(1)/"),
        ("/\\evil.example", "", "%5Cevil.example/"),
        ("/a/\\\\evil.example", "", "%5C%5Cevil.example/"),
        ("/a", 'b"c d', "a/?b%22c%20d"),
    ],
)
def test_a_slash_is_appended_on_the_same_site(path, query, expected):
    assert slashed(path, query) == expected
    assert urljoin("http://ex.org" + path.partition("?")[0], expected).startswith("http://ex.org/")
