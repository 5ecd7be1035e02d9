"""The test client builds the same requests, keeps the same cookies and follows the same redirects as Werkzeug's.

Bodies are those of browsers, which encode more characters and do not begin with a line break: their forms are the same.
"""

import inspect
from io import BytesIO
from urllib.parse import parse_qsl

import pytest
import werkzeug.datastructures
import werkzeug.test
from hypothesis import given
from hypothesis import strategies as st

import costrel.http.headers
import costrel.http.multidict
import costrel.http.uploads
from costrel.legacy import preamble
from costrel.testing import client, environ_builder, form_body

BOUNDARY = "a boundary that nothing else holds"


def outcome(call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except Exception as error:
        return type(error).__name__


words = st.text("abé %+&=;,/~'\"<>\\|{}", max_size=5)
words_without_slash = words.map(lambda word: word.replace("/", ""))
paths = st.lists(words_without_slash | st.sampled_from(["%2F", "%C3%A9", "..", ".", "a"]), max_size=3).map(
    lambda parts: "/" + "/".join(parts).lstrip("/")
)
queries = st.none() | words | st.dictionaries(words, words | st.lists(words, max_size=2) | st.none(), max_size=3)
base_urls = st.none() | st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["localhost", "example.com", "bücher.example", "127.0.0.1"]),
    st.sampled_from(["", ":80", ":443", ":8080"]),
    st.sampled_from(["", "/", "/app", "/app/", "/a b/é", "/app?query", "/app#part"]),
)
headers = st.lists(
    st.tuples(
        st.sampled_from(["X-Tag", "x-tag", "Accept", "Content-Type", "Content-Length", "Host", "Cookie"]),
        st.sampled_from(["1", "a, b", "text/plain", "text/html; charset=x"]),
    ),
    max_size=4,
)
fields = st.dictionaries(words, words | st.integers() | st.lists(words, max_size=2), max_size=3)
bodies = st.sampled_from(["", "x", "ü", b"", b"x\xff"]) | fields | st.none()
options = st.fixed_dictionaries(
    {"path": paths | st.sampled_from(["", "a", "/a?b=c", "/a?", "?q", "http://example.com/a?b", "/a#part"])},
    optional={
        "base_url": base_urls,
        "query_string": queries,
        "method": st.sampled_from(["GET", "POST", "post", "OTHER"]),
        "headers": headers,
        "data": bodies,
        "json": st.none() | st.integers() | st.lists(st.text(max_size=2), max_size=2),
        "content_type": st.sampled_from(["text/plain", "application/x-www-form-urlencoded", "a/b; c=d"]),
        "content_length": st.integers(0, 5),
        "mimetype": st.sampled_from(["text/html", "image/svg+xml", "image/png", "application/json"]),
        "auth": st.tuples(words, words),
        "environ_base": st.just({"REMOTE_ADDR": "1", "PATH_INFO": "base"}),
        "environ_overrides": st.just({"QUERY_STRING": "over"}),
        "multithread": st.booleans(),
        "multiprocess": st.booleans(),
        "run_once": st.booleans(),
    },
)


def entries_and_form(environ, is_form):
    """The entries of an environ, and its body; the fields instead, if that is an urlencoded form."""
    body = environ.pop("wsgi.input").read()
    if is_form and environ.get("CONTENT_TYPE") == environ_builder.URLENCODED:
        assert len(body) == int(environ.pop("CONTENT_LENGTH"))
        body = parse_qsl(body.decode("ascii"), keep_blank_values=True)
    return environ, body


@given(options)
def test_environs(options):
    def build(module):
        return entries_and_form(module.create_environ(**options), isinstance(options.get("data"), dict))

    assert outcome(build, environ_builder) == outcome(build, werkzeug.test)


@given(options)
def test_members_of_builders(options):
    def build(cls):
        builder = cls(**options)
        names = "base_url content_type mimetype content_length query_string server_name server_port path request_uri"
        members = {name: getattr(builder, name) for name in names.split()}
        members |= {name: outcome(lambda name=name: dict(getattr(builder, name).lists())) for name in ("args", "form")}
        return members | {"mimetype_params": dict(builder.mimetype_params), "closed": builder.closed}

    assert outcome(build, environ_builder.EnvironBuilder) == outcome(build, werkzeug.test.EnvironBuilder)


@given(options)
def test_environs_of_environs(options):
    if any(mark in options["path"] for mark in "%?#"):
        return  # Werkzeug decodes a path once more there, and takes what was an encoded ? or # for a mark

    def build(module):
        environ = module.EnvironBuilder.from_environ(module.create_environ(**options)).get_environ()
        del environ["REQUEST_URI"], environ["RAW_URI"]  # as the first request had them, which Werkzeug decodes
        return entries_and_form(environ, isinstance(options.get("data"), dict))

    assert outcome(build, environ_builder) == outcome(build, werkzeug.test)


file_names = st.none() | st.sampled_from(["a.txt", "b.png", "c", "ü.bin", ""])
values = words | st.integers() | st.lists(words, max_size=2) | st.tuples(st.binary(max_size=3), file_names)


@given(st.dictionaries(words.map(lambda word: word.replace('"', "")), values, max_size=4))
def test_multipart_bodies(form):
    def encode(module, storage):
        data = {
            name: storage(BytesIO(value[0]), value[1]) if isinstance(value, tuple) else value
            for name, value in form.items()
        }
        return module.encode_multipart(data, boundary=BOUNDARY)

    theirs = encode(werkzeug.test, werkzeug.datastructures.FileStorage)
    if b"\r\n\r\n--" in theirs[1]:
        return  # they leave out the line break in front of the boundary that follows an empty field
    assert encode(form_body, costrel.http.uploads.FileStorage) == (BOUNDARY, theirs[1].removeprefix(b"\r\n"))


@given(st.lists(st.tuples(words.map(lambda word: word.replace('"', "")), words.filter(bool)), max_size=4))
def test_multipart_bodies_of_multidicts(pairs):
    theirs = werkzeug.test.encode_multipart(werkzeug.datastructures.MultiDict(pairs), BOUNDARY)
    ours = form_body.encode_multipart(costrel.http.multidict.MultiDict(pairs), BOUNDARY)
    assert ours == (BOUNDARY, theirs[1].removeprefix(b"\r\n"))


def keeps_cookies(environ, start_response):
    cookies = [("Set-Cookie", header) for header in environ.get("set", [])]
    start_response("200 OK", [("Content-Type", "text/plain"), *cookies])
    return [environ.get("HTTP_COOKIE", "-").encode("latin-1")]


cookie_headers = st.builds(
    "{}={}{}".format,
    st.sampled_from(["a", "b", " c ", "__Host-d"]),
    st.sampled_from(["", "1", '"q u"', '"\\303\\274"', "x=y", "%20"]),
    st.lists(
        st.sampled_from([
            "; Path=/", "; Path=/p", "; path=/p/", "; Path=", "; Domain=localhost", "; domain=example.com",
            "; Max-Age=0", "; Max-Age=9", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Partitioned",
            "; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "; Expires=Thu, 01 Jan 2099 00:00:00 GMT", "; Expires=x", ";",
        ]),
        max_size=3,
    ).map("".join),
)  # fmt: skip
targets = st.tuples(
    st.sampled_from(["/", "/p", "/p/", "/p/x", "/px", "/x/y"]),
    st.sampled_from(["http://localhost", "http://sub.localhost", "http://example.com", "http://localhost:80/p"]),
)
cookie_steps = st.one_of(
    st.tuples(st.just("visit"), targets, st.lists(cookie_headers, max_size=2)),
    st.tuples(
        st.just("set"), st.sampled_from("ab"), st.sampled_from(["1", "ü;"]),
        st.fixed_dictionaries({}, optional={
            "path": st.sampled_from(["/", "/p"]), "domain": st.sampled_from(["localhost", "example.com"]),
            "origin_only": st.booleans(), "secure": st.booleans(), "samesite": st.just("Lax"),
        }),
    ),
    st.tuples(st.just("delete"), st.sampled_from("ab"), st.sampled_from(["/", "/p"])),
)  # fmt: skip


@pytest.mark.unvalidated("the headers to set are handed over in an entry of the environ that is a list")
@given(st.lists(cookie_steps, max_size=5))
def test_cookies(steps):
    def run(module):
        browser, seen = module.Client(keeps_cookies), []
        for step in steps:
            if step[0] == "visit":
                (path, base_url), headers = step[1:]
                response = browser.get(path, base_url=base_url, environ_overrides={"set": headers})
                seen.append(response.text)
            elif step[0] == "set":
                browser.set_cookie(step[1], step[2], **step[3])
            else:
                browser.delete_cookie(step[1], path=step[2])
            seen.append({key: vars(cookie) for key, cookie in browser._cookies.items()})
        return seen

    assert run(client) == run(werkzeug.test)


def redirects(environ, start_response):
    """Redirect /start to the ``X-To`` header, and describe the request at all other paths."""
    if environ["PATH_INFO"] == "/start":
        start_response(environ["HTTP_X_STATUS"], [("Location", environ["HTTP_X_TO"]), ("Content-Type", "text/plain")])
        return [b"redirect"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    names = ["REQUEST_METHOD", "wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"]
    told = [environ[name] for name in names] + [environ.get("CONTENT_TYPE"), environ.get("CONTENT_LENGTH")]
    return [repr(told).encode(), environ["wsgi.input"].read(-1)]


locations = st.builds(
    "{}/{}{}".format,
    st.sampled_from(["", "", "http://localhost", "https://localhost", "http://localhost:8080", "http://sub.localhost",
                     "http://other", "/app", "/apple"]),
    st.sampled_from(["", "b", "b/c", "%C3%A9", "b%20c", "a;b"]),
    st.sampled_from(["", "?x=1", "?x=%C3%A9&y", "#part"]),
)  # fmt: skip


@given(
    locations,
    st.sampled_from(["301 A", "302 B", "303 C", "305 D", "307 E", "308 F", "304 G", "200 OK"]),
    st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS"]),
    st.sampled_from([None, "body", {"a": "1"}]),
    st.sampled_from([None, "http://localhost/app"]),
    st.booleans(),
    st.booleans(),
)
def test_redirects(location, status, method, data, base_url, subdomains, buffered):
    def run(module):
        browser = module.Client(redirects, allow_subdomain_redirects=subdomains)
        response = browser.open(
            "/start", base_url=base_url, method=method, data=data, follow_redirects=True, buffered=buffered,
            headers={"X-To": location, "X-Status": status},
        )  # fmt: skip
        return response.status, response.data, response.request.url, [(r.status, r.data) for r in response.history]

    assert outcome(run, client) == outcome(run, werkzeug.test)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (client.Client, werkzeug.test.Client),
        (client.Cookie, werkzeug.test.Cookie),
        (client.TestResponse, werkzeug.test.TestResponse),
        (environ_builder.EnvironBuilder, werkzeug.test.EnvironBuilder),
    ],
)
def test_members_and_parameters(ours, theirs):
    for name, member in vars(theirs).items():
        if name.startswith("_") and name != "__init__":
            continue
        assert hasattr(ours, name), name
        if callable(getattr(theirs, name)):
            assert parameters(getattr(ours, name)) == parameters(getattr(theirs, name)), member


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (client, "run_wsgi_app"),
        (environ_builder, "create_environ"),
        (form_body, "encode_multipart"),
        (form_body, "stream_encode_multipart"),
    ],
)
def test_parameters(module, name):
    assert parameters(getattr(module, name)) == parameters(getattr(werkzeug.test, name))


def parameters(function):
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


def test_under_the_alias_a_form_begins_with_a_line_break_as_werkzeugs_does():
    assert werkzeug.test.encode_multipart({"a": "b"}, BOUNDARY) == preamble.encode_multipart({"a": "b"}, BOUNDARY)
