"""A request reads from its source: an environ, or an ASGI scope that is converted on demand."""

import pytest

from costrel.edges.scope import ENVIRON, read_scope
from costrel.messages.request import Request
from costrel.messages.source import Fields, ScopeSource


def scope(*headers, **changes):
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": "/a",
        "raw_path": b"/a",
        "query_string": b"b=c",
        "root_path": "",
        "headers": [(b"host", b"shop.example.com"), *headers],
        "client": ("192.0.2.1", 5000),
        "server": ("192.0.2.2", 443),
        **changes,
    }


def source_of(scope):
    return read_scope(scope)[0]


def test_a_scope_is_read_under_the_names_of_an_environ():
    source = source_of(scope((b"cookie", b"a=b"), (b"x-one", b"1")))
    assert type(source) is ScopeSource
    keys = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_HOST", "HTTP_COOKIE", "HTTP_X_ONE", "REMOTE_ADDR")
    assert [source[key] for key in keys] == ["GET", "/a", "b=c", "shop.example.com", "a=b", "1", "192.0.2.1"]
    assert source["wsgi.url_scheme"] == "https"
    assert [source.get("HTTP_X_TWO"), source.get("HTTP_UPGRADE", "no"), source.get("SERVER_PORT")] == [
        None,
        "no",
        "443",
    ]
    for key in ("HTTP_X_TWO", "HTTP_UPGRADE", "HTTP_PROXY", "HTTP_CONTENT_TYPE"):
        with pytest.raises(KeyError):
            source[key]


def test_a_proxy_header_is_never_seen():
    source = source_of(scope((b"proxy", b"http://evil.example"), (b"content-type", b"text/plain")))
    assert [source.get("HTTP_PROXY"), source.get("HTTP_CONTENT_TYPE"), source["CONTENT_TYPE"]] == [
        None,
        None,
        "text/plain",
    ]


@pytest.mark.parametrize(
    "given",
    [
        scope((b"x-one", b"1"), (b"x-one", b"2")),
        scope(root_path="/shop", path="/shop/a", raw_path=b"/shop/a"),
        scope(raw_path=b"/a%20b", path="/a b"),
        scope(raw_path=None),
    ],
    ids=["repeated", "root path", "escapes", "no raw path"],
)
def test_a_rare_scope_becomes_an_environ_at_once(given):
    assert type(source_of(given)) is dict


@pytest.mark.parametrize("kind", [{}, {"raw_path": b"/a%20b", "path": "/a b"}], ids=["scope", "environ"])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (scope(), False),
        (scope(http_version="1.0"), False),
        (scope((b"content-length", b"3")), True),
        (scope((b"content-length", b"0")), True),
        (scope((b"transfer-encoding", b"chunked")), True),
        (scope(http_version="2"), True),
        (scope(http_version="3"), True),
        ({key: value for key, value in scope().items() if key != "http_version"}, False),
    ],
    ids=["none", "1.0", "length", "empty", "chunked", "2", "3", "no version"],
)
def test_http_1_announces_a_body_and_http_2_need_not(given, expected, kind):
    source, may_have_body = read_scope({**given, **kind})
    assert may_have_body is expected
    assert isinstance(source, ScopeSource) is (not kind)


def test_a_length_among_the_entries_of_the_test_client_announces_a_body():
    assert read_scope(scope(**{ENVIRON: {"CONTENT_LENGTH": "3"}}))[1] is True


def test_the_environ_of_a_request_is_made_on_demand_and_is_the_source_from_then_on():
    request = Request(source_of(scope((b"x-one", b"1"))))
    assert "environ" not in vars(request)
    assert (request.path, request.args["b"], request.headers["X-One"]) == ("/a", "c", "1")
    request.environ["HTTP_X_ONE"] = "2"
    request.environ["HTTP_COOKIE"] = "a=b"
    assert (request.headers["X-One"], request.cookies["a"]) == ("2", "b")
    assert request.environ["werkzeug.request"] is request
    assert request.environ["REMOTE_ADDR"] == "192.0.2.1"


def test_what_was_taken_out_stays_out():
    source = source_of(scope((b"x-forwarded-for", b"198.51.100.1")))
    assert source.pop("HTTP_X_FORWARDED_FOR") == "198.51.100.1"
    source["REMOTE_ADDR"] = "198.51.100.2"
    assert source.get("HTTP_X_FORWARDED_FOR") is None
    request = Request(source)
    assert ("HTTP_X_FORWARDED_FOR" in request.environ, request.remote_addr) == (False, "198.51.100.2")


def test_fields_are_looked_for_in_both_kinds():
    fields = Fields("HTTP_X_ONE", "HTTP_X_TWO")
    with_one, without = scope((b"x-one", b"1")), scope()
    assert not fields.are_absent_from(source_of(with_one))
    assert fields.are_absent_from(source_of(without))
    assert not fields.are_absent_from({"HTTP_X_TWO": "2"})
    assert fields.are_absent_from({})
