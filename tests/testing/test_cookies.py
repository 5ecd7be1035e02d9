"""The client stores cookies, and sends them as a browser does."""

from datetime import UTC, datetime

import pytest

from costrel.testing.client import Client
from costrel.testing.cookie_jar import Cookie


def app(environ, start_response):
    """Set the cookies that the request names, and return the cookies that it sent."""
    cookies = [("Set-Cookie", header) for header in environ.get("HTTP_X_SET", "").split("|") if header]
    start_response("200 OK", [("Content-Type", "text/plain"), *cookies])
    return [environ.get("HTTP_COOKIE", "").encode("latin-1")]


def client_with(*headers, path="/", base_url=None):
    client = Client(app)
    client.get(path, base_url=base_url, headers={"X-Set": "|".join(headers)})
    return client


def test_a_cookie_is_sent_back():
    client = client_with("a=b", "c=d; Path=/x")
    assert client.get("/").text == "a=b"
    assert client.get("/x/y").text == "a=b; c=d"


def test_a_cookie_has_a_name_value_and_attributes():
    header = (
        'a="\\303\\274"; Domain=example.com; Path=/app; Expires=Thu, 01 Jan 2099 00:00:00 GMT;'
        " Max-Age=10; Secure; HttpOnly; SameSite=Lax"
    )
    cookie = client_with(header).get_cookie("a", "example.com", "/app")
    assert cookie == Cookie(
        key="a",
        value='"\\303\\274"',
        decoded_key="a",
        decoded_value="ü",
        expires=datetime(2099, 1, 1, tzinfo=UTC),
        max_age=10,
        domain="example.com",
        origin_only=False,
        path="/app",
        secure=True,
        http_only=True,
        same_site="Lax",
    )


@pytest.mark.parametrize(("path", "expected"), [("/", "/"), ("/x", "/"), ("/x/y", "/x"), ("/x/y/", "/x/y")])
def test_a_cookie_without_a_path_is_for_the_directory(path, expected):
    assert client_with("a=b", path=path).get_cookie("a", path=expected).path == expected


def test_a_cookie_belongs_to_the_path_below_the_application_root():
    client = client_with("a=b", path="/x/y", base_url="http://example.com:8080/app")
    assert client.get_cookie("a", domain="example.com", path="/app/x").value == "b"


@pytest.mark.parametrize(
    ("cookie_path", "path", "sent"),
    [
        ("/p", "/p", True),
        ("/p", "/p/x", True),
        ("/p", "/px", False),
        ("/p/", "/p/x", True),
        ("/p/", "/p", False),
        ("/%C3%A9", "/é", True),
        ("/", "/x", True),
    ],
)
def test_a_cookie_is_sent_below_its_path(cookie_path, path, sent):
    assert client_with(f"a=b; Path={cookie_path}").get(path).text == ("a=b" if sent else "")


@pytest.mark.parametrize(
    ("attribute", "base_url", "sent"),
    [
        ("", "http://example.com:8080", True),
        ("", "http://sub.example.com", False),
        ("; Domain=example.com", "http://example.com", True),
        ("; Domain=example.com", "http://sub.example.com", True),
        ("; Domain=.example.com", "http://sub.example.com", True),
        ("; Domain=example.com", "http://badexample.com", False),
        ("; Domain=", "http://example.com", True),
        ("; Secure", "http://example.com", True),
    ],
)
def test_a_cookie_is_sent_to_its_host(attribute, base_url, sent):
    client = client_with(f"a=b{attribute}", base_url="http://example.com")
    assert client.get("/", base_url=base_url).text == ("a=b" if sent else "")


@pytest.mark.parametrize("attribute", ["Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_cookie_is_deleted_by_the_server(attribute):
    client = client_with("a=b", "c=d")
    client.get("/", headers={"X-Set": f"a=; {attribute}"})
    assert client.get("/").text == "c=d"


@pytest.mark.parametrize("header", ["=x", ";a=b", " ; Path=/"])
def test_a_header_without_a_name_sets_nothing(header):
    assert client_with(header).get("/").text == ""


@pytest.mark.parametrize("attribute", ["Max-Age=soon", "Expires=later", "Unknown=1"])
def test_an_attribute_that_makes_no_sense_is_ignored(attribute):
    assert client_with(f"a=b; {attribute}").get("/").text == "a=b"


def test_a_cookie_can_be_set_and_deleted_by_hand():
    client = Client(app)
    client.set_cookie("a", 'ü "x;')
    client.set_cookie("b", "1", domain="example.com", origin_only=False, path="/p", httponly=True)
    assert client.get_cookie("a").decoded_value == 'ü "x;'
    assert client.get("/").text == 'a="\\303\\274 \\"x\\073"'
    assert client.get("/p", base_url="http://sub.example.com").text == "b=1"
    client.delete_cookie("a")
    client.delete_cookie("never set")
    client.delete_cookie("b", domain="example.com", path="/p")
    assert (client.get_cookie("a"), client.get_cookie("b", "example.com", "/p")) == (None, None)
    client.set_cookie("a", "1")
    client.set_cookie("a", max_age=0)
    assert client.get_cookie("a") is None


def test_a_cookie_needs_a_name():
    for name in ("", " "):
        with pytest.raises(ValueError, match="cannot be the name of a cookie"):
            Client(app).set_cookie(name, "x")


def test_cookies_of_the_jar_replace_those_of_the_request():
    client = Client(app)
    assert client.get("/", headers={"Cookie": "own=1"}).text == ""
    client.set_cookie("a", "1")
    assert client.get("/", headers={"Cookie": "own=1"}).text == "a=1"


def test_a_client_without_cookies():
    client = Client(app, use_cookies=False)
    message = "Cookies are disabled. Create a client with 'use_cookies=True'."
    for call in (client.get_cookie, client.set_cookie, client.delete_cookie):
        with pytest.raises(TypeError) as error:
            call("a")
        assert str(error.value) == message
    assert client.get("/", headers={"Cookie": "own=1", "X-Set": "a=b"}).text == "own=1"
    assert client.get("/").text == ""


def test_a_request_without_a_host_is_for_the_server():
    client = Client(app)
    client.set_cookie("a", "1", domain="example.com")
    environ = {"SERVER_NAME": "example.com"}
    client._add_cookies_to_wsgi(environ)
    assert environ["HTTP_COOKIE"] == "a=1"
