"""Requests: heads and bodies are parsed as in Werkzeug."""

from __future__ import annotations

import datetime as dt
import inspect
import io
import json
import typing as t

import pytest
import werkzeug.datastructures
import werkzeug.sansio.request
import werkzeug.utils
import werkzeug.wrappers
from hypothesis import assume, given
from hypothesis import strategies as st

from costrel.http.headers import Headers
from costrel.messages import properties
from costrel.messages.environ import EnvironHeaders
from costrel.messages.request import Request
from costrel.messages.request_head import RequestHead

Theirs = werkzeug.wrappers.Request

WORDS = [
    "a",
    "b",
    "1",
    "-1",
    "0",
    ",",
    ";",
    "=",
    '"',
    " ",
    "*",
    "/",
    "q=0.5",
    "text/html",
    "utf-8",
    "gzip",
    "de-AT",
    "W/",
]
WORDS += [
    "bytes=",
    "0-5",
    "Basic YTpi",
    "Bearer x",
    "no-cache",
    "max-age=5",
    "Wed, 01 Jan 2020 00:00:00 GMT",
    "\xff",
    "\xc3\xbc",
]
# Werkzeug reads an empty entity tag as the text "None".
values = st.lists(st.sampled_from(WORDS), max_size=5).map("".join).filter(lambda value: '""' not in value)
NAMES = [
    "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Cookie", "Authorization", "Cache-Control",
    "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range", "User-Agent",
    "X-Forwarded-For", "Pragma", "Max-Forwards", "Referer", "Origin", "Content-Encoding", "Content-MD5", "Date",
    "Access-Control-Request-Headers", "Access-Control-Request-Method", "Content-Length", "Content-Type",
]  # fmt: skip
heads = st.dictionaries(st.sampled_from(NAMES), values, max_size=6).filter(
    lambda head: (
        head.get("Authorization", "").isascii()  # else Werkzeug raises a ValueError, which nobody catches
        and not {" ", '"'} & set(head.get("Cookie", ""))  # Werkzeug drops cookies that browsers send
    )
)
READ = sorted(
    name
    for name in dir(werkzeug.sansio.request.Request)
    if not name.startswith("_") and not name.endswith("_class") and name != "trusted_hosts"
)
urls = st.text("a/ü%? +\xff\xc3\xbc;:@&=", max_size=8).map(lambda text: text.encode().decode("latin1"))


def comparable(value: t.Any) -> t.Any:
    """A value with its class name, as in both libraries, and its representation."""
    if hasattr(value, "to_header") or isinstance(value, (list, dict)):
        return type(value).__name__, repr(value), str(value)
    if isinstance(value, (str, bytes, int, dt.datetime, tuple, type(None))):
        return value
    return type(value).__name__, repr(value)


def outcome(call: t.Callable[[], t.Any]) -> t.Any:
    try:
        return comparable(call())
    except Exception as error:
        return type(error).__name__, getattr(error, "description", None)


def read(request: t.Any, name: str) -> t.Any:
    return outcome(lambda: getattr(request, name))


@given(
    st.sampled_from(["GET", "post", "foo"]),
    st.sampled_from(["http", "https", "wss"]),
    st.none() | st.tuples(st.sampled_from(["srv", "::1"]), st.none() | st.sampled_from([80, 443, 8])),
    urls,
    urls,
    st.text("ab=&%25+ ;", max_size=8).map(str.encode),
    heads,
    st.none() | st.just("1.2.3.4"),
)
def test_heads_are_read_alike(
    method: str, scheme: str, server: t.Any, root: str, path: str, query: bytes, head: dict[str, str], peer: str | None
) -> None:
    assume('"' not in head.get("X-Forwarded-For", ""))  # there it is read as a list of quoted strings
    theirs = werkzeug.sansio.request.Request(
        method, scheme, server, root, path, query, werkzeug.datastructures.Headers(head), peer
    )
    ours = RequestHead(method, scheme, server, root, path, query, Headers(head), peer)
    for name in (*READ, "method", "scheme", "server", "root_path", "path", "query_string", "remote_addr"):
        assert read(theirs, name) == read(ours, name), name


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "REQUEST_METHOD": st.sampled_from(["GET", "post"]),
            "wsgi.url_scheme": st.sampled_from(["http", "https"]),
            "SERVER_NAME": st.sampled_from(["srv", "::1", ""]),
            "SERVER_PORT": st.sampled_from(["80", "443", "8", "x", ""]),
            "SCRIPT_NAME": urls,
            "PATH_INFO": urls,
            "QUERY_STRING": st.text("ab=&%25+ ;\xc3\xbc", max_size=8).filter(lambda text: not _is_broken(text)),
            "REMOTE_ADDR": st.just("1.2.3.4"),
            "REMOTE_USER": st.just("me"),
            "HTTP_HOST": st.sampled_from(["a", "a:80", "a:443", "[::1]:8", "x.a:9"]),
        },
    ),
    heads,
)
def test_environs_are_read_alike(environ: dict[str, t.Any], head: dict[str, str]) -> None:
    for name, value in head.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_LENGTH", "CONTENT_TYPE"} else f"HTTP_{key}"] = value
    assume('"' not in head.get("X-Forwarded-For", ""))  # there it is read as a list of quoted strings
    theirs, ours = Theirs(dict(environ)), Request(dict(environ))
    names = (*READ, "url_root", "script_root", "want_form_data_parsed", "remote_user", "is_multithread", "input_stream")
    for name in (*names, "method", "scheme", "server", "root_path", "path", "query_string", "remote_addr"):
        assert read(theirs, name) == read(ours, name), name
    assert repr(theirs) == repr(ours)


def _is_broken(text: str) -> bool:
    """Werkzeug answers `full_path` with an error where the query is not UTF-8."""
    try:
        text.encode("latin1").decode()
    except UnicodeDecodeError:
        return True
    return False


@given(st.text("ab=&%25fFü+;\x00 ", max_size=12).map(lambda text: text.encode().decode("latin1")))
def test_queries_are_read_alike(text: str) -> None:
    theirs, ours = Theirs({"QUERY_STRING": text}).args, Request({"QUERY_STRING": text}).args
    assert list(theirs.items(multi=True)) == list(ours.items(multi=True))


# -- headers of an environ

ENVIRON = {
    "HTTP_X_Y": "\xc3",
    "CONTENT_TYPE": "a",
    "CONTENT_LENGTH": "",
    "HTTP_CONTENT_TYPE": "other",
    "HTTP_": "nameless",
    "HTTP_A": "5",
    "HTTP_X__Z": "x",
    "FOO": "no header",
}
CALLS: list[tuple[str, t.Callable[[t.Any], t.Any]]] = [
    ("iteration", list),
    ("len", len),
    ("bool", bool),
    ("str", str),
    ("repr", repr),
    ("item", lambda h: h["x-y"]),
    ("item, underscore", lambda h: h["X_Y"]),
    ("missing item", lambda h: h["nope"]),
    ("number", lambda h: h[0]),
    ("slice", lambda h: h[:1]),
    ("None", lambda h: h[None]),
    ("empty length", lambda h: h["Content-Length"]),
    ("type", lambda h: h["content-type"]),
    ("get", lambda h: (h.get("a"), h.get("a", type=int), h.get("no"), h.get("no", 5), h.get("x-y", 1, int))),
    ("lists", lambda h: (h.getlist("a"), h.getlist("a", int), h.getlist("x-y", int), h.getlist("no"), h.get_all("a"))),
    ("in", lambda h: ("A" in h, "no" in h, 5 in h, "Content-Length" in h)),
    ("keys", lambda h: (list(h.keys()), list(h.keys(lower=True)), list(h.values()), list(h.items(lower=True)))),
    ("to_wsgi_list", lambda h: h.to_wsgi_list()),
    ("copy", lambda h: h.copy()),
    ("or", lambda h: h | {"a": "b"}),
    ("hash", hash),
    ("set", lambda h: h.set("a", "b")),
    ("add", lambda h: h.add("a", "b")),
    ("setitem", lambda h: h.__setitem__("a", "b")),
    ("del", lambda h: h.__delitem__("a")),
    ("pop", lambda h: h.pop("a")),
    ("update", lambda h: h.update({"a": "b"})),
    ("equal to itself", lambda h: h == h),
    ("equal to another", lambda h: h == type(h)(dict(ENVIRON))),
    ("equal to its twin", lambda h: h == type(h)(h.environ)),
    ("equal to a list", lambda h: h == list(h)),
]


@pytest.mark.parametrize("call", [call for _, call in CALLS], ids=[name for name, _ in CALLS])
def test_environ_headers_behave_alike(call: t.Callable[[t.Any], t.Any]) -> None:
    theirs = werkzeug.datastructures.EnvironHeaders(dict(ENVIRON))
    assert outcome(lambda: call(theirs)) == outcome(lambda: call(EnvironHeaders(dict(ENVIRON))))


def test_environ_headers_are_live() -> None:
    environ = dict(ENVIRON)
    headers = EnvironHeaders(environ)
    environ["HTTP_NEW"] = "new"
    del environ["HTTP_A"]
    expected = ("new", None, ("New", "new"))
    assert expected == (headers["new"], headers.get("a"), list(headers)[-1])


# -- bodies

bodies = st.sampled_from([b"", b"a=b&c=d", b'{"a": 1}', b"{", b"null", b"\xff", b"[1, 2", "ü".encode(), b"NaN"])
types = st.sampled_from(
    [
        None,
        "",
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "APPLICATION/X+JSON; a=b",
        "text/json",
    ]
)
ACCESS: list[t.Callable[[t.Any], t.Any]] = [
    lambda r: r.get_data(),
    lambda r: r.get_data(as_text=True),
    lambda r: r.get_data(cache=False),
    lambda r: r.get_data(parse_form_data=True),
    lambda r: r.data,
    lambda r: list(r.form.items(multi=True)),
    lambda r: list(r.files.items(multi=True)),
    lambda r: list(r.values.items(multi=True)),
    lambda r: r.stream.read(),
    lambda r: r.stream.read(2),
    lambda r: r.get_json(),
    lambda r: r.get_json(force=True),
    lambda r: r.get_json(silent=True),
    lambda r: r.get_json(force=True, silent=True),
    lambda r: r.get_json(force=True, cache=False),
    lambda r: r.json,
    lambda r: r.is_json,
    lambda r: r.close(),
]


@given(
    st.sampled_from(["GET", "POST", "HEAD", "QUERY"]),
    bodies,
    types,
    st.sampled_from(["exact", "short", "missing", "terminated"]),
    st.lists(st.sampled_from(ACCESS), min_size=1, max_size=5),
    st.booleans(),
)
def test_bodies_are_read_alike(
    method: str, body: bytes, mimetype: str | None, length: str, accesses: list[t.Any], shallow: bool
) -> None:
    if body == b"\xff" and mimetype == "application/x-www-form-urlencoded":
        body = b"a=%ff"  # Werkzeug loses a whole form with one byte that is not UTF-8

    def make(cls: t.Any) -> t.Any:
        environ = {"REQUEST_METHOD": method, "wsgi.input": io.BytesIO(body), "QUERY_STRING": "a=q&x=y"}
        if mimetype is not None:
            environ["CONTENT_TYPE"] = mimetype
        if length in {"exact", "short"}:
            environ["CONTENT_LENGTH"] = str(len(body) + (length == "short"))
        if length == "terminated":
            environ["wsgi.input_terminated"] = True
        return cls(environ, shallow=shallow)

    theirs, ours = make(Theirs), make(Request)
    for access in accesses:
        expected = outcome(lambda: access(theirs))  # noqa: B023  # called at once
        assert expected == outcome(lambda: access(ours))  # noqa: B023
        if isinstance(expected, tuple) and expected[0] == "ClientDisconnected":
            return


def test_json_failures_are_handled_alike() -> None:
    def use(cls: t.Any) -> t.Any:
        class Failing(cls):  # type: ignore[misc]
            def on_json_loading_failed(self, e: ValueError | None) -> t.Any:
                return ["failed", type(e).__name__]

        requests = [
            Failing({"CONTENT_TYPE": kind, "CONTENT_LENGTH": "1", "wsgi.input": io.BytesIO(b"{")})
            for kind in ("application/json", "text/plain")
        ]
        return [(r.get_json(), r.get_json(), r.get_json(silent=True), r._cached_json) for r in requests]

    assert use(Theirs) == use(Request)


def test_applications_are_made_alike() -> None:
    def use(cls: t.Any) -> t.Any:
        @cls.application
        def echo(request: t.Any) -> t.Any:
            """Say it."""
            assert isinstance(request, cls)
            return lambda environ, start_response: [request.method.encode()]

        class Site:
            @cls.application
            def method(self, request: t.Any) -> t.Any:
                return lambda environ, start_response: [type(self).__name__.encode()]

        environ = {"REQUEST_METHOD": "PUT"}
        return echo(environ, print), Site().method(environ, print), echo.__name__, echo.__doc__

    assert use(Theirs) == use(Request)


def test_errors_become_responses_alike() -> None:
    def use(cls: t.Any, errors: t.Any) -> t.Any:
        @cls.application
        def missing(request: t.Any) -> t.Any:
            raise errors.NotFound("no such page")

        started: list[t.Any] = []
        body = missing({"REQUEST_METHOD": "GET"}, lambda *args: started.append(args))
        return b"".join(body), started

    import werkzeug.exceptions

    import costrel.http.errors

    assert use(Theirs, werkzeug.exceptions) == use(Request, costrel.http.errors)


# -- attributes

MORE = ["data", "form", "files", "values", "stream", "json", "script_root", "remote_user", "method", "path", "scheme"]
MORE += ["server", "headers", "remote_addr", "environ", "input_stream", "url_root", "shallow"]
ASSIGNED = sorted({*READ, *MORE})


@pytest.mark.parametrize("name", ASSIGNED)
def test_attributes_are_assigned_and_deleted_alike(name: str) -> None:
    def use(cls: t.Any) -> t.Any:
        request = cls({"wsgi.input": io.BytesIO(), "REQUEST_METHOD": "GET"})
        assigned = outcome(lambda: setattr(request, name, "X"))
        changed = outcome(lambda: getattr(request, name)) if assigned is None else None
        return assigned, changed, outcome(lambda: delattr(request, name))

    expected = use(Theirs)
    assert expected == use(Request)


PROPERTIES: list[t.Callable[[t.Any], t.Any]] = [
    lambda r: (r.number, r.missing, r.wrong),
    lambda r: setattr(r, "number", 7) or (r.number, r.store["number"]),
    lambda r: setattr(r, "fixed", 7),
    lambda r: delattr(r, "fixed"),
    lambda r: delattr(r, "number") or (r.number, sorted(r.store)),
    lambda r: delattr(r, "missing"),
    lambda r: repr(type(r).number),
    lambda r: type(r).number.__doc__,
    lambda r: (type(r).number.name, type(r).number.default, type(r).number.read_only),
]


@pytest.mark.parametrize("use", PROPERTIES)
@pytest.mark.parametrize("kind", ["environ_property", "header_property"])
def test_stored_properties_behave_alike(kind: str, use: t.Callable[[t.Any], t.Any]) -> None:
    def make(module: t.Any) -> t.Any:
        prop = getattr(module, kind)

        class Thing:
            number = prop("number", 1, int, str, read_only=False, doc="A number.")
            wrong = prop("wrong", 2, int)
            missing = prop("missing", read_only=False)
            fixed = prop("fixed", read_only=True)

            def __init__(self) -> None:
                self.store = self.environ = self.headers = {"number": "5", "wrong": "x", "fixed": "f"}

        return Thing()

    assert outcome(lambda: use(make(werkzeug.utils))) == outcome(lambda: use(make(properties)))


def test_the_surface_is_the_same() -> None:
    def parameters(call: t.Any) -> list[t.Any]:
        found = inspect.signature(call).parameters.values()
        return [(p.name, p.kind, p.default if isinstance(p.default, (str, int, type(None))) else "…") for p in found]

    for theirs, ours in [(werkzeug.sansio.request.Request, RequestHead), (Theirs, Request)]:
        assert not [name for name in dir(theirs) if not hasattr(ours, name)]
        for name in dir(theirs):
            if inspect.isroutine(getattr(theirs, name)) and (not name.startswith("_") or name == "__init__"):
                assert parameters(getattr(theirs, name)) == parameters(getattr(ours, name)), name
    defaults = ("max_content_length", "max_form_memory_size", "max_form_parts", "trusted_hosts")
    assert [getattr(Theirs, name) for name in defaults] == [getattr(Request, name) for name in defaults]
    assert json is Request.json_module
