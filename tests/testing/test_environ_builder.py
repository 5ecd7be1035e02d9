"""An environ builder describes a request that no server has received."""

import gc
import sys
from io import BytesIO

import pytest

from costrel.http.authentication import Authorization
from costrel.http.headers import Headers
from costrel.http.multidict import MultiDict
from costrel.http.uploads import FileMultiDict
from costrel.messages.request import Request
from costrel.testing.environ_builder import EnvironBuilder, create_environ, split_host


def body_of(**kwargs):
    environ = create_environ(method="POST", **kwargs)
    return environ["wsgi.input"].read(), environ.get("CONTENT_TYPE"), environ.get("CONTENT_LENGTH")


def test_the_default_request():
    environ = create_environ()
    assert environ.pop("wsgi.input").read() == b""
    assert environ == {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "REQUEST_URI": "/",
        "RAW_URI": "/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def test_a_url_is_divided_between_server_application_and_path():
    environ = create_environ("/a%20b/é?x=1", base_url="https://example.com:8443/app/")
    assert environ["SERVER_NAME"] == "example.com"
    assert environ["SERVER_PORT"] == "8443"
    assert environ["HTTP_HOST"] == "example.com:8443"
    assert environ["SCRIPT_NAME"] == "/app"
    assert environ["PATH_INFO"] == "/a b/Ã©"
    assert environ["QUERY_STRING"] == "x=1"
    assert environ["REQUEST_URI"] == "/a%20b/Ã©?x=1"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("example.com", ("example.com", "")),
        ("example.com:80", ("example.com", "80")),
        ("[::1]", ("[::1]", "")),
        ("[::1]:8080", ("[::1]", "8080")),
        ("", ("", "")),
    ],
)
def test_a_host_is_divided_from_its_port(host, expected):
    assert split_host(host) == expected


def test_a_server_without_a_port_has_that_of_the_scheme():
    assert create_environ(base_url="https://example.com")["SERVER_PORT"] == "443"
    assert create_environ(base_url="http://[::1]")["SERVER_PORT"] == "80"
    builder = EnvironBuilder()
    builder.host = "example.com:http"
    assert builder.server_port == 80


def test_a_base_url_holds_no_query():
    with pytest.raises(ValueError) as error:
        EnvironBuilder(base_url="http://example.com/?a")
    assert str(error.value) == ("base url must not contain a query string or fragment, as 'http://example.com/?a' does")


def test_the_base_url_can_be_read_and_set():
    builder = EnvironBuilder(base_url="https://example.com/app")
    assert builder.base_url == "https://example.com/app/"
    builder.base_url = None
    assert (builder.base_url, builder.script_root) == ("http://localhost/", "")


def test_the_query_is_given_once():
    with pytest.raises(ValueError) as error:
        EnvironBuilder("/?a=1", query_string="b=2")
    assert str(error.value) == "The path has a query already: pass it there or as 'query_string', not both."


def test_the_query_is_a_string_or_a_dict():
    builder = EnvironBuilder(query_string={"a": ["1", "2"], "b": None, "c": "/ü &"})
    assert builder.query_string == "a=1&a=2&c=/%C3%BC+%26"
    assert builder.args.getlist("a") == ["1", "2"]
    builder.query_string = "x=y"
    with pytest.raises(AttributeError) as error:
        builder.args
    assert str(error.value) == "a query string is defined: set it to None to use 'args' instead"
    builder.query_string = None
    assert builder.query_string == ""
    assert builder.args == MultiDict()
    builder.args = MultiDict({"q": "1"})
    assert builder.query_string == "q=1"
    given = MultiDict({"a": "1"})
    assert EnvironBuilder(query_string=given).args is given


def test_headers_become_entries():
    headers = Headers([("X-Tag", "1"), ("X-Tag", "2"), ("Host", "other"), ("Content-Length", "99")])
    environ = create_environ(headers=headers, content_type="text/plain")
    assert environ["HTTP_X_TAG"] == "1, 2"
    assert environ["HTTP_HOST"] == "other"
    assert environ["CONTENT_TYPE"] == "text/plain"
    assert "HTTP_CONTENT_TYPE" not in environ
    assert "CONTENT_LENGTH" not in environ
    assert create_environ(headers={"Cookie": "a=b"})["HTTP_COOKIE"] == "a=b"


def test_entries_below_and_above_the_request():
    environ = create_environ(
        environ_base={"REMOTE_ADDR": "10.0.0.1", "PATH_INFO": "/base"}, environ_overrides={"QUERY_STRING": "over"}
    )
    assert (environ["REMOTE_ADDR"], environ["PATH_INFO"], environ["QUERY_STRING"]) == ("10.0.0.1", "/", "over")


def test_credentials_become_a_header():
    expected = "Basic YWRhOnNlY3JldA=="
    assert create_environ(auth=("ada", "secret"))["HTTP_AUTHORIZATION"] == expected
    authorization = Authorization("basic", {"username": "ada", "password": "secret"})
    assert create_environ(auth=authorization)["HTTP_AUTHORIZATION"] == expected


def test_a_body_of_text_or_bytes():
    assert body_of(data="ü") == (b"\xc3\xbc", None, "2")
    assert body_of(data=b"abc", content_type="text/plain") == (b"abc", "text/plain", "3")
    assert body_of(data=BytesIO(b"abc")) == (b"abc", None, "3")
    assert body_of(data=b"abc", content_length=7)[2] == "3"


def test_no_body():
    assert body_of(data=b"") == (b"", None, None)
    assert body_of(data={}) == (b"", None, None)
    assert body_of(content_length=5) == (b"", None, "5")
    assert body_of(data={"a": "1"}, content_type="text/plain") == (b"", "text/plain", None)


def test_a_body_of_json():
    assert body_of(json={"a": "é"}) == (b'{"a": "\\u00e9"}', "application/json", "15")
    assert body_of(json=0) == (b"0", "application/json", "1")
    assert body_of(json=1, content_type="application/x+json")[1] == "application/x+json"
    with pytest.raises(TypeError) as error:
        EnvironBuilder(json=1, data="x")
    assert str(error.value) == "can't provide both json and data: the request has one body."


def test_a_body_of_fields():
    body = body_of(data={"a": ["1", "2"], "b": 3, "c": "ü &"})
    assert body == (b"a=1&a=2&b=3&c=%C3%BC+%26", "application/x-www-form-urlencoded", "24")
    assert body_of(data=MultiDict([("a", "1"), ("a", "2")]))[0] == b"a=1&a=2"


def test_a_body_with_files():
    body, content_type, length = body_of(data={"name": "ada", "photo": (BytesIO(b"pixels"), "a.png")})
    boundary = content_type.removeprefix("multipart/form-data; boundary=")
    assert (
        body
        == (
            f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\nada'
            f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="a.png"'
            f"\r\nContent-Type: image/png\r\n\r\npixels\r\n--{boundary}--\r\n"
        ).encode()
    )
    assert length == str(len(body))
    assert b'name="f"\r\n' in body_of(data={"f": BytesIO(b"x")})[0]
    assert b'name="a"' in body_of(data={"a": "1"}, mimetype="multipart/form-data")[0]


def test_an_input_stream_is_the_body():
    stream = BytesIO(b"abcdef")
    stream.read(2)
    environ = create_environ(input_stream=stream)
    assert (environ["wsgi.input"], environ["CONTENT_LENGTH"], stream.tell()) == (stream, "4", 2)
    with pytest.raises(TypeError) as error:
        EnvironBuilder(input_stream=stream, data="x")
    assert str(error.value) == "can't provide input stream and data: the request has one body."


def test_an_input_stream_excludes_a_form():
    builder = EnvironBuilder(input_stream=BytesIO())
    with pytest.raises(AttributeError) as error:
        builder.form
    assert str(error.value) == "an input stream is defined: set it to None to use 'form' instead"
    with pytest.raises(AttributeError, match="'files'"):
        builder.files
    builder.form = MultiDict({"a": "1"})
    assert builder.input_stream is None
    builder.files = FileMultiDict()
    builder.files.add_file("f", BytesIO(b"x"), "f.txt")
    assert builder.content_type == "multipart/form-data"
    builder.input_stream = BytesIO(b"abc")
    assert builder.content_type is None


def test_the_content_type_follows_the_form():
    builder = EnvironBuilder()
    assert (builder.content_type, builder.mimetype) == (None, None)
    builder.form["a"] = "1"
    assert builder.content_type == "application/x-www-form-urlencoded"
    builder.content_type = "text/x; a=b"
    assert builder.mimetype == "text/x"
    builder.mimetype_params["c"] = "d"
    assert builder.headers["Content-Type"] == "text/x; a=b; c=d"
    builder.mimetype = "text/html"
    assert builder.content_type == "text/html; charset=utf-8"
    builder.content_length = 5
    assert builder.content_length == 5
    assert EnvironBuilder(mimetype="image/png").content_type == "image/png"


def test_a_request_is_made():
    class Mine(Request):
        pass

    builder = EnvironBuilder("/a?b=c")
    assert builder.get_request().url == "http://localhost/a?b=c"
    assert type(builder.get_request(Mine)) is Mine
    builder.request_class = Mine
    assert type(builder.get_request()) is Mine


def test_closing_closes_the_files():
    first, second = BytesIO(), BytesIO()
    builder = EnvironBuilder(data={"f": [(first, "a"), (second, "b")]})
    builder.close()
    builder.close()
    assert (first.closed, second.closed, builder.closed) == (True, True, True)


def test_a_file_that_cannot_be_closed_is_left():
    class Stuck(BytesIO):
        stuck = True

        def close(self):
            if self.stuck:
                raise OSError("stuck")
            super().close()

    first, second = Stuck(), BytesIO()
    builder = EnvironBuilder(data={"f": [(first, "a"), (second, "b")]})
    builder.close()
    assert second.closed
    first.stuck = False  # the interpreter closes it, too


def test_a_builder_that_is_dropped_closes_its_files():
    stream = BytesIO()
    builder = EnvironBuilder(data={"f": (stream, "a")})
    del builder
    gc.collect()
    assert stream.closed


def test_a_builder_is_made_of_an_environ():
    environ = create_environ(
        "/ü/%3F/%2525?q=ü",
        base_url="https://example.com:1/app",
        method="PUT",
        data="abc",
        content_type="text/x",
        headers={"X-Tag": "1"},
        multithread=True,
    )
    assert EnvironBuilder.from_environ(environ).get_environ() == environ
    assert EnvironBuilder.from_environ(environ, path="/b", method="GET").get_environ()["PATH_INFO"] == "/b"
    environ["PATH_INFO"] = "//b"
    assert EnvironBuilder.from_environ(environ).get_environ()["PATH_INFO"] == "//b"


def test_requests_can_be_made_of_values():
    request = Request.from_values("/a?b=c", method="POST", data={"d": "e"})
    assert (request.path, request.args["b"], request.form["d"]) == ("/a", "c", "e")
