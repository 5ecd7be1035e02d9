"""Requests: values are parsed on first use, and malformed ones are refused."""

import io
import json

import pytest

from costrel.http.errors import BadRequest, SecurityError
from costrel.http.headers import Headers
from costrel.http.multidict import MultiDict
from costrel.messages.environ import EnvironHeaders
from costrel.messages.properties import StoredProperty
from costrel.messages.request import Request
from costrel.messages.request_head import RequestHead


def environ(**values):
    return {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "http", **values}


def posted(body, mimetype="application/json"):
    return Request(
        environ(
            **{"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": mimetype},
            REQUEST_METHOD="POST",
        )
    )


def test_making_a_request_computes_next_to_nothing():
    given = environ()
    request = Request(given)
    computed = {name for name, value in vars(request).items() if value is not None}
    assert computed <= {"_source", "environ", "method"}
    assert given["werkzeug.request"] is request


def test_a_shallow_request_keeps_its_hands_off_the_body():
    given = environ(**{"wsgi.input": io.BytesIO(b"x")})
    request = Request(given, shallow=True)
    assert "werkzeug.request" not in given
    with pytest.raises(RuntimeError, match="shallow=True"):
        request.get_data()


def test_the_back_reference_can_be_left_out():
    given = environ()
    Request(given, populate_request=False)
    assert "werkzeug.request" not in given


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/a", "/a"), ("", "/"), ("a", "/a"), ("//a", "/a"), ("/\xc3\xbc", "/ü"), ("/\xff", "/\ufffd"), ("/", "/")],
)
def test_paths_begin_with_one_slash(path, expected):
    assert Request(environ(PATH_INFO=path)).path == expected


def test_what_is_computed_can_be_assigned_and_forgotten():
    request = Request(environ(QUERY_STRING="a=1", HTTP_HOST="ex.org"))
    request.args = {"b": "2"}
    request.url = "http://elsewhere/"
    assert [request.args, request.url] == [{"b": "2"}, "http://elsewhere/"]
    del request.args, request.url
    assert [request.args["a"], request.url] == ["1", "http://ex.org/?a=1"]
    request.values = "own"
    request.args = {"plain": "dictionary"}
    del request.values
    assert request.values["plain"] == "dictionary"


def test_a_class_may_have_limits_as_properties():
    class Own(Request):
        @property
        def max_content_length(self):
            return len(self.path)

    request = Own(environ(PATH_INFO="/ab", CONTENT_LENGTH="4", **{"wsgi.input": io.BytesIO(b"long")}))
    with pytest.raises(Exception, match="MAX_CONTENT_LENGTH allows 3"):
        request.get_data()


def test_two_descendants_can_be_joined():
    class Left(Request):
        parameter_storage_class = MultiDict

    class Right(Request):
        def __init__(self, environ, populate_request=True, shallow=False):
            super().__init__(environ, populate_request, shallow)
            self.right = True

    class Joined(Left, Right):
        pass

    request = Joined(environ(QUERY_STRING="a=b"))
    assert [type(request.args), request.right] == [MultiDict, True]


# -- hosts


@pytest.mark.parametrize("host", ["a/admin?x=", "a,b", "a b", "a@b", "a:b", "ü", "[::1", "a\x00", "a:99999"])
def test_a_malformed_host_is_refused(host):
    request = Request(environ(HTTP_HOST=host, PATH_INFO="/public"))
    with pytest.raises(SecurityError) as caught:
        request.url
    assert caught.value.code == 400
    assert caught.value.description == f"The request's Host header is {host!r}, which is not the name of a host."
    assert request.path == "/public"
    assert "invalid URL" in repr(request)


@pytest.mark.parametrize("host", ["ü" * 70, "ü." + "a" * 64, "\u3002ü", "ü..a"])
def test_a_host_of_other_letters_that_is_no_name_is_refused_before_the_view(host):
    with pytest.raises(SecurityError, match="is not the name of a host"):
        Request(environ(HTTP_HOST=host)).check_host()


def test_only_trusted_hosts_are_answered():
    class Own(Request):
        trusted_hosts = ["example.com", ".example.org"]

    hosts = ["example.com", "example.com:8000", "a.example.org"]
    assert [Own(environ(HTTP_HOST=host)).host for host in hosts] == hosts
    for host in ("exampleXcom", "evil.com", "example.com.evil.com"):
        with pytest.raises(SecurityError, match="is not trusted"):
            Own(environ(HTTP_HOST=host)).host


def test_without_a_host_the_server_is_meant():
    assert Request(environ(SERVER_NAME="srv", SERVER_PORT="8000")).host == "srv:8000"
    assert Request(environ(SERVER_NAME="srv", SERVER_PORT="8000", HTTP_HOST="")).host == ""


def test_the_route_of_a_request_is_what_the_proxies_say():
    assert Request(environ(HTTP_X_FORWARDED_FOR="a, b", REMOTE_ADDR="c")).access_route == ["a", "b"]
    assert Request(environ(REMOTE_ADDR="c")).access_route == ["c"]
    assert Request(environ()).access_route == []


def test_a_query_that_is_not_utf_8_stays_quoted():
    request = Request(environ(QUERY_STRING="a=%ff&b=\xff"))
    assert [dict(request.args), request.full_path] == [{"a": "%FF", "b": "%FF"}, "/?a=%ff&b=%FF"]


# -- JSON


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"\n[1, x]", "Expecting value: line 2 column 5 (char 5)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"[" * 100_000, "its arrays and objects are nested too deeply"),
        (b'{"a":' * 100_000, "its arrays and objects are nested too deeply"),
    ],
)
def test_json_that_is_none_is_refused_with_the_position(body, reason):
    with pytest.raises(BadRequest) as caught:
        posted(body).get_json()
    assert caught.value.description == f"Failed to decode JSON object: {reason}"
    assert posted(body).get_json(silent=True) is None


def test_long_numbers_are_refused():
    with pytest.raises(BadRequest):
        posted(b"1" * 5000).get_json()


def test_what_is_not_called_json_is_not_read_as_json():
    request = posted(b"{}", "text/plain")
    with pytest.raises(Exception, match="415 Unsupported Media Type"):
        request.get_json()
    assert [request.get_json(silent=True), request.get_json(force=True)] == [None, {}]


def test_json_is_parsed_once_and_by_the_module_of_the_class():
    class Counting:
        calls = 0

        @classmethod
        def loads(cls, data):
            cls.calls += 1
            return json.loads(data)

    class Own(Request):
        json_module = Counting

    request = Own(posted(b"[1]").environ)
    first = request.get_json()
    assert request.json is first
    assert request.get_json(silent=True) is first
    assert Counting.calls == 1
    assert request.get_json(cache=False) == [1]
    assert Counting.calls == 2


# -- other ways to make one


def test_a_head_needs_no_environ():
    head = RequestHead("get", "https", ("srv", 443), "/app/", "x", b"a=b", Headers({"Host": "ex.org"}), "1.2.3.4")
    assert [head.method, head.url, head.args["a"], head.is_secure] == ["GET", "https://ex.org/app/x?a=b", "b", True]


def test_from_values_goes_through_the_builder_that_is_plugged_in(monkeypatch):
    closed = []

    class Builder:
        def __init__(self, path, method="GET"):
            self.environ = environ(PATH_INFO=path, REQUEST_METHOD=method)

        def get_request(self, cls):
            return cls(self.environ)

        def close(self):
            closed.append(True)

    class Own(Request):
        environ_builder = Builder

    request = Own.from_values("/x", method="PUT")
    assert [type(request), request.path, request.method, closed] == [Own, "/x", "PUT", [True]]
    monkeypatch.setattr(Request, "environ_builder", None)
    with pytest.raises(RuntimeError, match="import `costrel` itself"):
        Request.from_values("/")


def test_a_request_closes_what_it_has_opened():
    with Request(environ()) as request:
        pass
    assert "files" not in vars(request)


def test_the_content_type_is_parsed_once():
    request = Request(environ(CONTENT_TYPE="Text/HTML; charset=x"))
    request._parse_content_type()
    del request.environ["CONTENT_TYPE"]
    assert [request.mimetype, request.mimetype_params] == ["text/html", {"charset": "x"}]


def test_a_stored_property_must_know_its_store():
    class Thing:
        name = StoredProperty("name")

    with pytest.raises(NotImplementedError):
        Thing().name


def test_headers_of_an_environ_compare_as_lists_of_pairs():
    assert list(EnvironHeaders({"HTTP_A": "b"})._list) == [("A", "b")]
