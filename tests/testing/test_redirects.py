"""The client follows redirects as a browser does, within the application."""

from io import BytesIO

import pytest

from costrel.testing.client import Client, ClientRedirectError


def redirecting(routes, events=None):
    """An application that redirects from some paths, and describes the request at all others."""

    def app(environ, start_response):
        path = environ["PATH_INFO"]
        body = environ["wsgi.input"].read(-1).decode()
        if path in routes:
            status, location = routes[path]
            start_response(status, [("Location", location), ("Content-Type", "text/plain"), ("Set-Cookie", "seen=1")])
            return Closing(events)
        start_response("200 OK", [("Content-Type", "text/plain")])
        entries = ["REQUEST_METHOD", "wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"]
        told = [environ[name] for name in entries] + [environ.get("CONTENT_TYPE", "-"), body]
        return ["|".join(told).encode()]

    return app


class Closing(list):
    def __init__(self, events):
        super().__init__([b"redirecting"])
        self.events = events

    def close(self):
        if self.events is not None:
            self.events.append("closed")


def follow(location, path="/a/c", status="302 Found", client=None, **kwargs):
    client = Client(redirecting({path: (status, location)}), **(client or {}))
    return client.open(path, follow_redirects=True, **kwargs).text


@pytest.mark.parametrize("code", [301, 302, 303, 305])
def test_the_body_stays_behind(code):
    text = follow("/b?x=1", status=f"{code} Moved", method="POST", data={"a": "1"})
    assert text == "GET|http|localhost||/b|x=1|-|"


@pytest.mark.parametrize("code", [307, 308])
@pytest.mark.parametrize("data", [{"a": "1"}, b"a=1", "a=1"])
def test_the_body_goes_along(code, data):
    text = follow(
        "/b", status=f"{code} Moved", method="PUT", data=data, content_type="application/x-www-form-urlencoded"
    )
    assert text == "PUT|http|localhost||/b||application/x-www-form-urlencoded|a=1"


def test_a_body_that_began_in_the_middle_goes_along_from_there():
    stream = BytesIO(b"skipped, sent")
    stream.seek(9)
    assert follow("/b", status="307 Moved", method="POST", input_stream=stream).endswith("|sent")


def test_no_body_goes_along_where_there_was_none():
    assert follow("/b", status="307 Moved", method="POST") == "POST|http|localhost||/b||-|"
    assert follow("/b", status="307 Moved", method="POST", content_length=5) == "POST|http|localhost||/b||-|"


def test_the_query_of_the_page_stays_with_a_location_that_has_none():
    routes = {"/a": ("302 Found", "#part")}
    client = Client(redirecting(routes))
    response = client.get("/a?x=1")
    routes.clear()
    assert client.resolve_redirect(response).text == "GET|http|localhost||/a|x=1|-|"


def test_head_stays_head():
    client = Client(redirecting({"/a": ("303 See Other", "/b")}))
    assert client.head("/a", follow_redirects=True).text.startswith("HEAD|")


@pytest.mark.parametrize("code", [300, 304, 306])
def test_other_codes_are_no_redirects(code):
    client = Client(redirecting({"/a": (f"{code} X", "/b")}))
    assert client.get("/a", follow_redirects=True).status_code == code


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/b", "GET|http|localhost||/b||-|"),
        ("b", "GET|http|localhost||/a/b||-|"),
        ("../b", "GET|http|localhost||/b||-|"),
        ("/b#part", "GET|http|localhost||/b||-|"),
        ("/%C3%A9?q=%C3%A9", "GET|http|localhost||/Ã©|q=%C3%A9|-|"),
        ("/b c", "GET|http|localhost||/b c||-|"),
        ("http://localhost/b", "GET|http|localhost||/b||-|"),
        ("http://localhost//b", "GET|http|localhost||//b||-|"),
        ("https://localhost:8443/b", "GET|https|localhost:8443||/b||-|"),
        ("//localhost/b", "GET|http|localhost||/b||-|"),
        ("http://LOCALHOST/b", "GET|http|LOCALHOST||/b||-|"),
    ],
)
def test_a_location_is_resolved(location, expected):
    assert follow(location) == expected


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/app/b", "GET|http|localhost|/app|/b||-|"),
        ("/app", "GET|http|localhost|/app|||-|"),
        ("/b", "GET|http|localhost||/b||-|"),
        ("/apple/b", "GET|http|localhost||/apple/b||-|"),
        ("b", "GET|http|localhost|/app|/a/b||-|"),
    ],
)
def test_a_location_is_divided_at_the_application_root(location, expected):
    assert follow(location, base_url="http://localhost/app") == expected


@pytest.mark.parametrize(
    ("location", "message"),
    [
        (
            "http://other/b",
            "Following external redirects is not supported. 'http://other/b' leaves 'localhost'.",
        ),
        (
            "http://notlocalhost/b",
            "Following external redirects is not supported. 'http://notlocalhost/b' leaves 'localhost'.",
        ),
        ("mailto:x", "Following external redirects is not supported. 'mailto:x' is no URL of HTTP."),
        (
            "http://sub.localhost/b",
            (
                "Following subdomain redirects is not enabled. 'http://sub.localhost/b' leaves 'localhost'."
                " Create a client with 'allow_subdomain_redirects=True'."
            ),
        ),
    ],
)
def test_other_hosts_are_refused(location, message):
    with pytest.raises(RuntimeError) as error:
        follow(location)
    assert str(error.value) == message


def test_subdomains_can_be_followed():
    text = follow("http://sub.localhost/b", client={"allow_subdomain_redirects": True})
    assert text == "GET|http|sub.localhost||/b||-|"


@pytest.mark.parametrize("buffered", [False, True])
def test_the_redirects_are_the_history(buffered):
    events = []
    routes = {"/a": ("302 Found", "/b"), "/b": ("301 Moved", "/c")}
    client = Client(redirecting(routes, events))
    response = client.get("/a", follow_redirects=True, buffered=buffered)
    assert [(r.status_code, r.request.path, r.text) for r in response.history] == [
        (302, "/a", "redirecting"),
        (301, "/b", "redirecting"),
    ]
    assert [len(r.history) for r in response.history] == [0, 1]
    assert events == ["closed", "closed"]
    assert client.get_cookie("seen").value == "1"


def test_a_loop_is_noticed():
    client = Client(redirecting({"/a": ("302 Found", "/b"), "/b": ("302 Found", "/a")}))
    with pytest.raises(ClientRedirectError) as error:
        client.get("/a", follow_redirects=True)
    assert str(error.value) == "Loop detected: A 302 redirect to /b was already made."


def test_one_redirect_can_be_resolved_by_hand():
    client = Client(redirecting({"/a": ("302 Found", "/b")}))
    assert client.resolve_redirect(client.get("/a")).text.startswith("GET|http|localhost||/b")


def test_headers_go_along():
    def app(environ, start_response):
        if environ["PATH_INFO"] == "/a":
            start_response("302 Found", [("Location", "/b"), ("Content-Type", "text/plain")])
            return []
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["HTTP_AUTHORIZATION"].encode()]

    assert Client(app).get("/a", auth=("u", "p"), follow_redirects=True).text == "Basic dTpw"
