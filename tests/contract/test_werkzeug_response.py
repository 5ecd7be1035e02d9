"""Responses: headers, bodies and the bytes that are sent are the same as in Werkzeug."""

from __future__ import annotations

import datetime as dt
import inspect
import io
import json
import re
import typing as t
from functools import partial
from http import HTTPStatus

import pytest
import werkzeug.datastructures
import werkzeug.http
import werkzeug.sansio.response
import werkzeug.utils
import werkzeug.wrappers
import werkzeug.wrappers.response
from hypothesis import assume, given
from hypothesis import strategies as st

from costrel.http import authentication, headers, policies
from costrel.http import ranges as range_types
from costrel.messages import body as bodies
from costrel.messages import redirects
from costrel.messages.request import Request
from costrel.messages.response import Response
from costrel.messages.response_head import ResponseHead, get_content_type

Theirs = werkzeug.wrappers.Response
ENVIRON = {
    "REQUEST_METHOD": "GET",
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "ex.org",
    "SCRIPT_NAME": "/app",
    "PATH_INFO": "/x",
}

DATE = re.compile(r"(\d\d:\d\d):\d\d GMT")


def shown(value: t.Any) -> t.Any:
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(shown(item) for item in value)
    if isinstance(value, str):
        # Werkzeug writes one header as "Content-Security-policy-report-only".
        return DATE.sub(r"\1", value).replace("policy-report-only", "Policy-Report-Only")
    if isinstance(value, (bytes, int, type(None))):
        return value
    if isinstance(value, dt.datetime):
        return value.replace(second=0, microsecond=0)
    return type(value).__name__.lstrip("_"), re.sub(" at 0x[0-9a-f]+", "", repr(value))


def outcome(call: t.Callable[[], t.Any]) -> t.Any:
    try:
        return shown(call())
    except Exception as error:
        return "raised", type(error).__name__


def state(response: t.Any) -> t.Any:
    return [
        response.status,
        response.status_code,
        list(response.headers),
        response.response,
        response.direct_passthrough,
    ]


def sent(response: t.Any, environ: dict[str, t.Any]) -> t.Any:
    body, status, pairs = response.get_wsgi_response(environ)
    content = list(body)
    if hasattr(body, "close"):
        body.close()
    return b"".join(content), status, pairs


# -- construction and sending

statuses = st.none() | st.sampled_from(
    [200, 201, 204, 304, 101, 404, 299, 0, -1, 1000, "200", "404 Foo", "foo", "0 foo", " 200 x", "", "20", "200 OK ",
     True, HTTPStatus.NOT_FOUND, 200.0, b"200 OK"]
)  # fmt: skip
BODIES: list[t.Callable[[], t.Any]] = [
    lambda: None,
    lambda: "",
    lambda: "hé",
    lambda: b"bytes",
    lambda: bytearray(b"array"),
    lambda: ["a", "é"],
    lambda: ("a", b"b"),
    lambda: [b"one"],
    lambda: iter(["a", b"b"]),
    lambda: (piece for piece in ["x", "y"]),
    lambda: io.BytesIO(b"ab\ncd"),
    lambda: {"a"},
    lambda: 5,
]
names = st.sampled_from(
    ["A", "content-type", "Content-Type", "Content-Length", "Location", "content-location", "ETag", "Vary"]
)
texts = st.sampled_from(["", "b", "5", "text/x", "/ü?a=ü", "foo", "http://ü.de/a b", '"tag"', "a\nb", "//x/y"])
header_sources = st.one_of(
    st.none(),
    st.just(()),
    st.lists(st.tuples(names, texts), max_size=3),
    st.dictionaries(names, texts | st.lists(texts, max_size=2), max_size=3),
)
media_types = st.none() | st.sampled_from(
    ["", "text/html", "image/png", "application/json", "application/xml", "a/b+xml", "text/html; charset=x", "a\r\nb"]
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "default_status": st.sampled_from([201, 404]),
        "default_mimetype": st.sampled_from(["text/html", "a/b", None]),
        "automatically_set_content_length": st.just(False),
        "autocorrect_location_header": st.just(True),
        "implicit_sequence_conversion": st.just(False),
    },
)


@given(
    st.sampled_from(BODIES),
    statuses,
    header_sources,
    media_types,
    media_types,
    st.booleans(),
    SETTINGS,
    st.sampled_from(["GET", "HEAD", "POST"]),
)
def test_responses_are_made_and_sent_alike(
    body: t.Any,
    status: t.Any,
    source: t.Any,
    mimetype: t.Any,
    content_type: t.Any,
    direct: bool,
    settings: t.Any,
    method: str,
) -> None:
    def make(cls: t.Any) -> t.Any:
        own = type("Own", (cls,), settings)
        return own(body(), status, source, mimetype, content_type, direct)

    assert outcome(lambda: state(make(Theirs))) == outcome(lambda: state(make(Response)))
    assert outcome(lambda: repr(make(Theirs))) == outcome(lambda: repr(make(Response)))
    environ = ENVIRON | {"REQUEST_METHOD": method}
    assert outcome(lambda: sent(make(Theirs), environ)) == outcome(lambda: sent(make(Response), environ))


@given(statuses, header_sources, media_types, media_types)
def test_heads_are_made_alike(status: t.Any, source: t.Any, mimetype: t.Any, content_type: t.Any) -> None:
    def make(cls: t.Any) -> t.Any:
        head = cls(status, source, mimetype, content_type)
        return head.status, head.status_code, list(head.headers)

    assert outcome(lambda: make(werkzeug.sansio.response.Response)) == outcome(lambda: make(ResponseHead))


def test_given_headers_are_used_themselves() -> None:
    given_headers = headers.Headers({"A": "b"})
    response = Response("x", headers=given_headers)
    response.headers["C"] = "d"
    assert given_headers is response.headers
    assert given_headers["c"] == "d"


@pytest.mark.parametrize("status", [200, "404", "foo", "418 Tea", HTTPStatus.NOT_FOUND, 299, None, "", b"1"])
@pytest.mark.parametrize("name", ["status", "status_code"])
def test_statuses_are_set_alike(name: str, status: t.Any) -> None:
    def use(cls: t.Any) -> t.Any:
        response = cls("x")
        setattr(response, name, status)
        return response.status, response.status_code

    assert outcome(lambda: use(Theirs)) == outcome(lambda: use(Response))


# -- the headers as attributes

MOMENT = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
VALUES: list[t.Any] = [
    None, "", "a", "a, b", "7", "x", 0, 5, 5.5, True, False, MOMENT, dt.timedelta(seconds=3), ["a", "b c"], ("GET",),
    [], {"a"}, "Wed, 01 Jan 2020 00:00:00 GMT", "text/css", "bytes 0-1/2", "default-src 'self'", 'Basic realm="x"',
]  # fmt: skip
FIELDS = sorted(
    name
    for name, value in vars(werkzeug.sansio.response.Response).items()
    if isinstance(value, (property, werkzeug.utils.header_property)) and name not in {"status", "status_code"}
)


TIMES = {"date", "expires", "last_modified", "retry_after"}
SETS = {"access_control_allow_headers", "access_control_allow_methods", "access_control_expose_headers"}
SPANS = {"content_length", "access_control_max_age", "retry_after", "age"}


def is_malformed(name: str, value: t.Any) -> bool:
    """Whether Werkzeug writes a field that has no meaning: `None`, `0:00:03`, a set of the letters of a text."""
    if value is None:
        return name not in TIMES
    if name in SETS:
        return isinstance(value, str)
    is_moment = name == "retry_after" and isinstance(value, dt.datetime)
    return name in SPANS and not (isinstance(value, str) or is_moment or type(value) is int)


@pytest.mark.parametrize("name", FIELDS)
def test_fields_are_read_and_set_alike(name: str) -> None:
    def use(cls: t.Any, value: t.Any) -> t.Any:
        response = cls("x")
        assigned = outcome(lambda: setattr(response, name, value))
        read = outcome(lambda: getattr(response, name))
        cleared = outcome(lambda: delattr(response, name))
        return assigned, list(response.headers), read, cleared, list(response.headers)

    for value in VALUES:
        if is_malformed(name, value):
            continue
        expected, actual = shown(list(use(Theirs, value))), shown(list(use(Response, value)))
        if "raised" in str(expected[0]):
            assert "raised" in str(actual[0]), value  # with which error does not matter
        else:
            assert expected == actual, value


@given(st.sampled_from(FIELDS), st.text("ab, =;\"'/*0123456789-", max_size=10))
def test_fields_are_parsed_alike(name: str, text: str) -> None:
    def use(cls: t.Any) -> t.Any:
        response = cls("x", headers={name.replace("_", "-"): text})
        return getattr(response, name)

    if '""' not in text:  # which Werkzeug reads as an entity tag named None
        assert outcome(lambda: use(Theirs)) == outcome(lambda: use(Response))


LIVE: dict[str, t.Callable[[t.Any, t.Any], t.Any]] = {
    "vary": lambda r, m: (r.vary.add("a"), r.vary.update(["b", "c d"]), r.vary.remove("b")),
    "vary cleared": lambda r, m: (r.vary.add("a"), r.vary.clear()),
    "allow": lambda r, m: r.allow.add("GET"),
    "content_language": lambda r, m: r.content_language.add("de"),
    "cache_control": lambda r, m: (setattr(r.cache_control, "max_age", 5), setattr(r.cache_control, "public", True)),
    "cache_control cleared": lambda r, m: (setattr(r.cache_control, "max_age", 5), r.cache_control.clear()),
    "csp": lambda r, m: setattr(r.content_security_policy, "default_src", "'self'"),
    "csp given": lambda r, m: setattr(r, "content_security_policy", m.ContentSecurityPolicy({"img-src": "*"})),
    "csp cleared": lambda r, m: (
        setattr(r.content_security_policy, "default_src", "'self'"),
        r.content_security_policy.clear(),
    ),
    "csp report": lambda r, m: setattr(r.content_security_policy_report_only, "default_src", "'self'"),
    "content_range": lambda r, m: r.content_range.set(0, 5, 10),
    "content_range given": lambda r, m: setattr(r, "content_range", m.ContentRange("bytes", 0, 5, 10)),
    "content_range unset": lambda r, m: (r.content_range.set(0, 5, 10), r.content_range.unset()),
    "challenge": lambda r, m: setattr(r.www_authenticate, "realm", "x"),
    "challenge given": lambda r, m: _challenge_later(r, m),
    "challenges": lambda r, m: setattr(
        r, "www_authenticate", [m.WWWAuthenticate("basic", {"realm": "a"}), m.WWWAuthenticate("bearer", token="t")]
    ),
    "challenges changed": lambda r, m: (
        setattr(r, "www_authenticate", [m.WWWAuthenticate("basic"), m.WWWAuthenticate("digest")]),
        setattr(r.www_authenticate, "realm", "q"),
    ),
    "challenges gone": lambda r, m: (
        setattr(r, "www_authenticate", [m.WWWAuthenticate("basic"), m.WWWAuthenticate("digest")]),
        setattr(r, "www_authenticate", []),
    ),
    "mimetype_params": lambda r, m: (
        r.mimetype_params.update({"charset": "x", "y": "a b"}),
        r.mimetype_params.pop("charset"),
    ),
    "opener": lambda r, m: setattr(r, "cross_origin_opener_policy", m.COOP.SAME_ORIGIN),
    "embedder": lambda r, m: setattr(r, "cross_origin_embedder_policy", m.COEP.REQUIRE_CORP),
    "etag": lambda r, m: (r.set_etag("a"), r.get_etag()),
    "weak etag": lambda r, m: (r.set_etag("a", weak=True), r.get_etag()),
    "bad etag": lambda r, m: r.set_etag('a"b'),
    "no etag": lambda r, m: r.get_etag(),
    "added etag": lambda r, m: (r.add_etag(), r.add_etag(weak=True), r.get_etag()),
    "added etag anew": lambda r, m: (r.set_etag("x"), r.add_etag(overwrite=True, weak=True), r.get_etag()),
    "cookie": lambda r, m: r.set_cookie("a", "b c", 5, None, "/x", "ex.org", True, True, "lax", True),
    "cookies": lambda r, m: (r.set_cookie("a"), r.set_cookie("b", expires=0, path=None), r.delete_cookie("c", "/d")),
    "no type": lambda r, m: (r.headers.clear(), r.mimetype, r.mimetype_params, r.is_json, r.content_type),
}


def _challenge_later(response: t.Any, module: t.Any) -> None:
    challenge = module.WWWAuthenticate("basic", {"realm": "a"})
    response.www_authenticate = challenge
    challenge.realm = "later"


class _Ours:
    ContentSecurityPolicy = policies.ContentSecurityPolicy
    COOP = policies.COOP
    COEP = policies.COEP
    ContentRange = range_types.ContentRange
    WWWAuthenticate = authentication.WWWAuthenticate


class _Theirs:
    ContentSecurityPolicy = werkzeug.datastructures.ContentSecurityPolicy
    COOP = werkzeug.http.COOP
    COEP = werkzeug.http.COEP
    ContentRange = werkzeug.datastructures.ContentRange
    WWWAuthenticate = werkzeug.datastructures.WWWAuthenticate


@pytest.mark.parametrize("name", LIVE)
def test_live_fields_change_their_headers_alike(name: str) -> None:
    def use(cls: t.Any, module: t.Any) -> t.Any:
        response = cls("x", content_type="text/html; charset=utf-8")
        return outcome(lambda: LIVE[name](response, module)), shown(list(response.headers))

    assert use(Theirs, _Theirs) == use(Response, _Ours)


# -- the body

STEPS: list[t.Callable[[t.Any], t.Any]] = [
    lambda r: r.get_data(),
    lambda r: r.get_data(as_text=True),
    lambda r: r.data,
    lambda r: r.set_data("né"),
    lambda r: r.set_data(b"new"),
    lambda r: setattr(r, "data", "text"),
    lambda r: setattr(r, "response", ["later"]),
    lambda r: r.response.append("more"),
    lambda r: list(r.iter_encoded()),
    lambda r: r.calculate_content_length(),
    lambda r: r.make_sequence(),
    lambda r: (r.is_streamed, r.is_sequence),
    lambda r: r.stream.write(b"w"),
    lambda r: r.stream.write("text"),
    lambda r: r.stream.writelines([b"x", b"y"]),
    lambda r: (r.stream.tell(), r.stream.isatty(), r.stream.flush(), r.stream.encoding, r.stream.mode, r.stream.closed),
    lambda r: r.stream.close(),
    lambda r: r.freeze(),
    lambda r: r.add_etag(),
    lambda r: r.get_json(),
    lambda r: r.get_json(force=True, silent=True),
    lambda r: r.json,
    lambda r: r.headers.set("Content-Length", "3"),
    lambda r: r.headers.remove("Content-Length"),
    lambda r: setattr(r, "headers", type(r.headers)({"B": "c"})),
    lambda r: setattr(r, "status_code", 204),
    lambda r: setattr(r, "mimetype", "application/json"),
    lambda r: setattr(r, "direct_passthrough", True),
    lambda r: r.headers.add("X-A", "b"),
]


@given(
    st.sampled_from(BODIES[:-1]),
    st.sampled_from([None, "application/json", "text/html"]),
    st.lists(st.sampled_from(STEPS), max_size=4),
    SETTINGS,
    st.sampled_from(["GET", "HEAD"]),
)
def test_bodies_change_alike(body: t.Any, mimetype: t.Any, steps: list[t.Any], settings: t.Any, method: str) -> None:
    theirs, ours = (type("Own", (cls,), settings)(body(), mimetype=mimetype) for cls in (Theirs, Response))
    for step in steps:
        assert outcome(partial(step, theirs)) == outcome(partial(step, ours))
        assert shown(state(theirs)) == shown(state(ours))
    environ = ENVIRON | {"REQUEST_METHOD": method}
    assert outcome(lambda: sent(theirs, environ)) == outcome(lambda: sent(ours, environ))


def test_closing_runs_in_the_same_order() -> None:
    def use(cls: t.Any, how: str) -> list[str]:
        seen: list[str] = []

        class Body:
            def __iter__(self) -> t.Iterator[str]:
                return iter(["a"])

            def close(self) -> None:
                seen.append("body")

        response = cls(Body())
        assert response.call_on_close(print) is print
        response._on_close.clear()
        response.call_on_close(lambda: seen.append("callback"))
        if how == "sequence":
            response.make_sequence()
        if how in {"GET", "HEAD"}:
            app_iter = response.get_app_iter(ENVIRON | {"REQUEST_METHOD": how})
            seen.extend(piece.decode() for piece in app_iter)
            app_iter.close()
        elif how == "with":
            with response:
                pass
        else:
            response.close()
        return seen

    for how in ("GET", "HEAD", "with", "sequence", "close"):
        assert use(Theirs, how) == use(Response, how), how


# -- conditions and ranges

# Only requests that Werkzeug answers as RFC 9110 says: tests/app/test_conditional_requests.py has the others.
conditions = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_IF_NONE_MATCH": st.sampled_from(['"a"', 'W/"a"', '"b"']),
        "HTTP_IF_MODIFIED_SINCE": st.sampled_from(["Wed, 01 Jan 2020 00:00:00 GMT", "Wed, 01 Jan 2010 00:00:00 GMT"]),
    },
) | st.fixed_dictionaries(
    {"HTTP_RANGE": st.sampled_from(["bytes=0-1", "bytes=2-", "bytes=-2", "bytes=9-"])},
    optional={"HTTP_IF_RANGE": st.sampled_from(['"b"', "Wed, 01 Jan 2020 00:00:00 GMT", ""])},
)
validators = st.fixed_dictionaries(
    {},
    optional={
        "ETag": st.sampled_from(['"a"', 'W/"a"']),
        "Last-Modified": st.just("Wed, 01 Jan 2020 00:00:00 GMT"),
        "Date": st.just("Wed, 01 Jan 2020 00:00:00 GMT"),
    },
)


@given(
    st.sampled_from(
        [lambda: "hello", lambda: ["he", "l", "lo"], lambda: iter([b"he", b"llo"]), lambda: io.BytesIO(b"hello")]
    ),
    st.sampled_from(["GET", "HEAD", "POST"]),
    conditions,
    validators,
    st.sampled_from([False, True, "bytes", ""]),
    st.sampled_from([None, 0, 5]),
    st.booleans(),
)
def test_conditions_are_met_alike(
    body: t.Any, method: str, asked: t.Any, known: t.Any, accept: t.Any, length: t.Any, as_request: bool
) -> None:
    assume(method != "HEAD" or "HTTP_RANGE" not in asked)
    assume("HTTP_IF_NONE_MATCH" not in asked or "ETag" in known)
    environ = ENVIRON | asked | {"REQUEST_METHOD": method}

    def use(cls: t.Any, request_class: t.Any) -> t.Any:
        response = cls(body(), headers=known)
        target = request_class(dict(environ), populate_request=False) if as_request else environ
        assert response is response.make_conditional(target, accept, length)
        return response.status, list(response.headers), sent(response, environ)

    assert outcome(lambda: use(Theirs, werkzeug.wrappers.Request)) == outcome(lambda: use(Response, Request))


# -- other ways to make one


def application(environ: t.Any, start_response: t.Any) -> t.Any:
    start_response("202 Fine", [("X", "y"), ("Content-Type", "a/b")])
    yield b"a"
    yield b"b"


def untyped(environ: t.Any, start_response: t.Any) -> t.Any:
    start_response("200 OK", [("X", "y")])
    return [b"a"]


def test_responses_are_taken_from_applications_alike() -> None:
    def use(cls: t.Any, buffered: bool) -> t.Any:
        response = cls.from_app(application, ENVIRON, buffered)
        return type(response) is cls, response.is_streamed, response.status, list(response.headers), response.data

    for buffered in (True, False):
        assert use(Theirs, buffered) == use(Response, buffered)


def test_types_are_forced_alike() -> None:
    def use(cls: t.Any) -> t.Any:
        own = type("Own", (cls,), {"default_mimetype": "text/html"})
        given_response = cls("x")
        given_response.mark = 1
        forced = own.force_type(given_response)
        from_app = own.force_type(application, ENVIRON)
        return [
            forced is given_response, type(forced) is own, forced.mark, type(from_app) is own, from_app.data,
            list(own.force_type(untyped, ENVIRON).headers), list(own.from_app(untyped, ENVIRON).headers),
            outcome(lambda: own.force_type(application)), outcome(lambda: own.force_type("no app", ENVIRON)),
        ]  # fmt: skip

    assert use(Theirs) == use(Response)


def test_a_response_is_called_alike() -> None:
    def use(cls: t.Any) -> t.Any:
        started: list[t.Any] = []
        body = cls("x", 404)(ENVIRON, lambda *args: started.append(args))
        return list(body), started

    assert use(Theirs) == use(Response)


def test_json_modules_are_asked_alike() -> None:
    def use(cls: t.Any) -> t.Any:
        class Loud:
            @staticmethod
            def loads(data: bytes) -> t.Any:
                return data.upper()

        own = type("Own", (cls,), {"json_module": Loud})
        response = own("{a", mimetype="application/json")
        return response.json, response.get_json(), cls("{", mimetype="application/json").get_json(silent=True)

    assert use(Theirs) == use(Response)
    assert json is Response.json_module


@given(
    st.sampled_from(["/x", "http://ü.de/ü?a=<b>&\"'", "//h", "", "x:y", "/a b%zz", "/a\nb"]),
    st.sampled_from([301, 302, 303, 305, 307, 308, 200]),
)
def test_redirects_are_made_alike(location: str, code: int) -> None:
    def use(module: t.Any, cls: t.Any) -> t.Any:
        response = module.redirect(location, code, cls)
        return response.status, list(response.headers), response.data, sent(response, ENVIRON)

    assert outcome(lambda: use(werkzeug.utils, Theirs)) == outcome(lambda: use(redirects, Response))
    assert outcome(lambda: use(werkzeug.utils, None)) == outcome(lambda: use(redirects, None))


# A colon in a relative reference ends a scheme; `?` and `%` are quoted, so that they stay in the path.
@given(st.text("ab/.-~ü", max_size=8), st.sampled_from(["", "a=b", "a=%C3%BC&b+c"]), st.sampled_from([301, 308]))
def test_slashes_are_appended_alike(path: str, query: str, code: int) -> None:
    def use(module: t.Any, latin1: bool) -> t.Any:
        environ = {"PATH_INFO": path.encode().decode("latin1") if latin1 else path, "QUERY_STRING": query}
        response = module.append_slash_redirect(environ, code)
        return response.status, response.get_wsgi_headers(ENVIRON)["Location"]

    # Werkzeug takes the path for text, although it is bytes in Latin-1 (PEP 3333).
    assert use(werkzeug.utils, False) == use(redirects, True)


@given(
    st.text("abtex/+mlh;", max_size=12)
    | st.sampled_from(["text/html", "application/xml", "application/javascript", "a/b+xml"])
)
def test_charsets_are_added_alike(mimetype: str) -> None:
    assert werkzeug.utils.get_content_type(mimetype, "utf-8") == get_content_type(mimetype, "utf-8")


def test_the_surface_is_the_same() -> None:
    def parameters(call: t.Any) -> list[t.Any]:
        found = inspect.signature(call).parameters.values()
        return [(p.name, p.kind, p.default if isinstance(p.default, (str, int, type(None))) else "…") for p in found]

    stream = werkzeug.wrappers.response.ResponseStream
    pairs = [(werkzeug.sansio.response.Response, ResponseHead), (Theirs, Response), (stream, bodies.ResponseStream)]
    for theirs, ours in pairs:
        assert not [name for name in dir(theirs) if not hasattr(ours, name)]
        for name in dir(theirs):
            if inspect.isroutine(getattr(theirs, name)) and (not name.startswith("_") or name == "__init__"):
                assert parameters(getattr(theirs, name)) == parameters(getattr(ours, name)), name
    for name in ("redirect", "append_slash_redirect"):
        assert parameters(getattr(werkzeug.utils, name)) == parameters(getattr(redirects, name))
