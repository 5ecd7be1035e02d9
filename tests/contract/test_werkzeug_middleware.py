"""The WSGI middleware, called beside Werkzeug's."""

from __future__ import annotations

import gc
import io
import os
import socket
import threading
import time
import typing as t
import warnings
from collections import abc

import pytest
import werkzeug.middleware.dispatcher
import werkzeug.middleware.http_proxy
import werkzeug.middleware.lint
import werkzeug.middleware.profiler
import werkzeug.middleware.proxy_fix
import werkzeug.middleware.shared_data
from hypothesis import given
from hypothesis import strategies as st

from costrel.legacy import http_proxy, lint, profiler
from costrel.middleware import dispatcher, proxy_fix, shared_data


def outcome(call: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> t.Any:
    try:
        return call(*args, **kwargs)
    except Exception as error:
        return type(error)


def environ_of(**keys: t.Any) -> dict[str, t.Any]:
    environ: dict[str, t.Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "server",
        "SERVER_PORT": "80",
        "HTTP_HOST": "host:8080",
        "REMOTE_ADDR": "10.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(b"abc\ndef\n"),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ.update(keys)
    return {key: value for key, value in environ.items() if value is not None}


def call(app: t.Any, environ: dict[str, t.Any]) -> tuple[t.Any, t.Any, bytes]:
    """Call a WSGI application as a server does."""
    started: list[t.Any] = []
    written: list[bytes] = []

    def start_response(status: t.Any, headers: t.Any, exc_info: t.Any = None) -> t.Any:
        started[:] = [status, headers]
        return written.append

    body = app(environ, start_response)
    try:
        written.extend(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    return *started, b"".join(written)


# Proxies

addresses = st.sampled_from(
    ["1.1.1.1", "2.2.2.2:80", "[::1]", "[::1]:80", "::1", "example.org", "a:b:c", "host:", "unknown"]
)
forwarded = st.none() | st.lists(addresses, max_size=3).map(", ".join)
# Entries that are no IP addresses, or have ports, are taken as they are there, and read in tests/middleware here.
clients = st.none() | st.lists(st.sampled_from(["1.1.1.1", "2.2.2.2", "::1"]), max_size=3).map(", ".join)
trust = st.integers(0, 3)


@given(
    values=st.fixed_dictionaries(
        {
            "HTTP_X_FORWARDED_FOR": clients,
            "HTTP_X_FORWARDED_PROTO": st.none() | st.sampled_from(["https", "http,https", ""]),
            "HTTP_X_FORWARDED_HOST": forwarded,
            "HTTP_X_FORWARDED_PORT": st.none() | st.sampled_from(["8443", "1, 2", ""]),
            "HTTP_X_FORWARDED_PREFIX": st.none() | st.sampled_from(["/a", "/a/, /b", ""]),
            "HTTP_HOST": st.none() | addresses,
            "REMOTE_ADDR": st.none() | addresses,
        }
    ),
    counts=st.tuples(trust, trust, trust, trust, trust),
)
def test_proxies_are_believed_alike(values: dict[str, t.Any], counts: tuple[int, ...]) -> None:
    seen = []
    for module in (werkzeug.middleware.proxy_fix, proxy_fix):
        environ = environ_of(**values)
        module.ProxyFix(lambda environ, start_response: [], *counts)(environ, lambda *args: None)
        seen.append({key: value for key, value in environ.items() if not key.startswith("wsgi.") or "scheme" in key})
    assert seen[0] == seen[1]


# Mounts

paths = st.lists(st.sampled_from(["/", "a", "b", "/a", "/a/b", "//", ""]), max_size=5).map("".join)


@given(st.none() | st.lists(paths, max_size=4), st.none() | paths, st.none() | st.sampled_from(["", "/s"]))
def test_paths_are_dispatched_alike(mounts: list[str] | None, path: str | None, script: str | None) -> None:
    def app_named(name: str) -> t.Any:
        return lambda environ, start_response: [name, environ["SCRIPT_NAME"], environ["PATH_INFO"]]

    apps = None if mounts is None else {mount: app_named(mount) for mount in mounts}
    seen = [
        cls(app_named("default"), apps)(environ_of(PATH_INFO=path, SCRIPT_NAME=script), None)
        for cls in (werkzeug.middleware.dispatcher.DispatcherMiddleware, dispatcher.DispatcherMiddleware)
    ]
    assert seen[0] == seen[1]


# Files

FILES = {"a.txt": b"text", "b.html": b"<p>", "noext": b"?", ".hidden": b"h", "c.tar.gz": b"gz", "sub/d.css": b"p{}"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("shared")
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1_000_000_000, 1_000_000_000.5))
    return str(root)


def not_found(environ: t.Any, start_response: t.Any) -> list[bytes]:
    start_response("404 Not Found", [])
    return [environ["PATH_INFO"].encode()]


SHARED_PATHS = [
    "/s",
    "/s/",
    "/s/../a.txt",
    "/s/sub/../a.txt",
    "/s//a.txt",
    "/s/./a.txt",
    "/s/a.txt/",
    "/s/sub",
    "/x",
    "",
]
SHARED_PATHS += [f"/s/{name}" for name in FILES] + [
    "/f",
    "/f/x",
    "/p/style.css",
    "/p/nope",
    "/p",
    "/p/../x",
    "/s/\0",
    "/t/a.txt",
]
CONDITIONS: list[dict[str, str]] = [
    {},
    {"HTTP_IF_NONE_MATCH": "*"},
    {"HTTP_IF_NONE_MATCH": '"x"'},
    {"HTTP_IF_MODIFIED_SINCE": "Sun, 09 Sep 2001 01:46:40 GMT"},
    {"HTTP_IF_MODIFIED_SINCE": "Sun, 09 Sep 2001 01:46:39 GMT"},
    {"HTTP_RANGE": "bytes=0-1", "REQUEST_METHOD": "HEAD"},
]


@pytest.fixture
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep both libraries from seeing the second change between their answers."""
    now = int(time.time())
    for module in (werkzeug.middleware.shared_data, shared_data):
        real = module.http_date
        monkeypatch.setattr(module, "time", lambda: now)
        monkeypatch.setattr(module, "http_date", lambda moment=None, real=real: real(now if moment is None else moment))


@pytest.mark.usefixtures("standing_clock")
@pytest.mark.parametrize(
    "options",
    [{}, {"cache": False}, {"cache_timeout": 5}, {"disallow": "*.txt"}, {"fallback_mimetype": "a/b"}],
    ids=str,
)
def test_files_are_shared_alike(directory: str, options: dict[str, t.Any]) -> None:
    exports = {"/s": directory, "/f": f"{directory}/a.txt", "/p": ("werkzeug.debug", "shared"), "/t/": directory}
    ours = shared_data.SharedDataMiddleware(not_found, exports, **options)
    theirs = werkzeug.middleware.shared_data.SharedDataMiddleware(not_found, list(exports.items()), **options)
    for path in SHARED_PATHS:
        for condition in CONDITIONS:
            expected = call(theirs, environ_of(PATH_INFO=path, **condition))
            assert expected == call(ours, environ_of(PATH_INFO=path, **condition)), (path, condition)
    for name in FILES:
        assert theirs.is_allowed(name) == ours.is_allowed(name)


# Profiles


def writing_app(environ: t.Any, start_response: t.Any) -> abc.Iterator[bytes]:
    start_response("200 OK", [("X", "y")])(b"a")
    yield b"b"
    yield b"c"


@pytest.mark.parametrize("path", ["/", "", "/a/b", "/x.y//z/"])
def test_requests_are_profiled_alike(path: str, tmp_path: t.Any) -> None:
    seen = []
    for module in (werkzeug.middleware.profiler, profiler):
        stream = io.StringIO()
        for kept in tmp_path.iterdir():
            kept.unlink()
        app = module.ProfilerMiddleware(
            writing_app, stream, ["cumulative"], [3], str(tmp_path), "{method}-{path}-{time:.1s}-{elapsed:.0f}"[:15]
        )
        answer = call(app, environ_of(PATH_INFO=path))
        lines = stream.getvalue().splitlines()
        seen.append([answer, os.listdir(tmp_path), lines[:2], lines[-4:-1]])
    assert seen[0] == seen[1]


# Lint


def recorded(scenario: t.Callable[[t.Any], t.Any], module: t.Any) -> tuple[t.Any, list[str]]:
    """What a scenario returns or raises, and the kinds of warnings that it gets; their words are our own."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = outcome(scenario, module)
        gc.collect()
    return result, [warning.category.__name__ for warning in caught]


def lint_app(
    status: t.Any = "200 OK",
    headers: t.Any = (),
    body: t.Any = (b"x",),
    exc_info: t.Any = None,
    using: t.Callable[[t.Any], t.Any] | None = None,
    writes: t.Iterable[t.Any] = (),
) -> t.Any:
    def app(environ: t.Any, start_response: t.Any) -> t.Any:
        if using is not None:
            using(environ)
        write = start_response(status, list(headers) if isinstance(headers, tuple) else headers, exc_info)
        for data in writes:
            write(data)
        return list(body) if isinstance(body, tuple) else body

    return app


def linted(app: t.Any, **keys: t.Any) -> t.Callable[[t.Any], t.Any]:
    def scenario(module: t.Any) -> t.Any:
        status, headers, body = call(module.LintMiddleware(app), environ_of(**keys))
        return status, type(headers), body

    return scenario


def unfinished(module: t.Any) -> None:
    module.LintMiddleware(lint_app())(environ_of(), lambda *args: lambda data: None)


def after_close(module: t.Any) -> bytes:
    body = module.LintMiddleware(lint_app())(environ_of(), lambda *args: lambda data: None)
    body.close()
    return next(body)


def unstarted(environ: t.Any, start_response: t.Any) -> list[bytes]:
    return [b"x"]


def starting(*args: t.Any, **kwargs: t.Any) -> t.Any:
    def app(environ: t.Any, start_response: t.Any) -> list[bytes]:
        start_response(*args, **kwargs)
        return []

    return app


STATUSES = [
    "200",
    "200OK",
    "2000 OK",
    "abc OK",
    "99 X",
    "200 ",
    200,
    b"200 OK",
    "",
    "-10 X",
    "100 Continue",
    "204 No Content",
]
HEADERS: list[t.Any] = [
    5,
    None,
    {"a": "b"},
    [("a",)],
    ["ab"],
    [("Status", "x")],
    [("a", 5)],
    [(5, "a")],
    [["a", "b"]],
    [("Content-Length", "x")],
    [("Content-Length", "1")],
    [("Content-Length", "5")],
    [("X", "a\n")],
    *[[("ETag", tag)] for tag in ("x", '"x"', 'W/"x"', 'w/"x"', "W/x", '"x', "", 'x"y"')],
    *[[("Location", url)] for url in ("/x", "http://a/b", "//a/b", "x", "mailto:x")],
]
ENTITY = [("Content-Type", "a"), ("Content-Length", "1"), ("Expires", "0"), ("Content-Location", "/"), ("ETag", '"x"')]
USES: list[t.Callable[[t.Any], t.Any]] = [
    lambda environ: environ["wsgi.input"].read(),
    lambda environ: environ["wsgi.input"].read(1),
    lambda environ: environ["wsgi.input"].read(1, 2),
    lambda environ: environ["wsgi.input"].readline(),
    lambda environ: environ["wsgi.input"].readline(2),
    lambda environ: environ["wsgi.input"].readline(1, 2),
    lambda environ: list(environ["wsgi.input"]),
    lambda environ: environ["wsgi.input"].close(),
    lambda environ: environ["wsgi.input"].readlines(),
    lambda environ: environ["wsgi.errors"].write("x"),
    lambda environ: environ["wsgi.errors"].write(b"x"),
    lambda environ: environ["wsgi.errors"].writelines(["a", 5]),
    lambda environ: environ["wsgi.errors"].flush(),
    lambda environ: environ["wsgi.errors"].close(),
]
SCENARIOS: list[t.Callable[[t.Any], t.Any]] = [
    linted(lint_app()),
    linted(unstarted),
    unfinished,
    after_close,
    *[linted(lint_app(status=status)) for status in STATUSES],
    *[linted(lint_app(headers=headers)) for headers in HEADERS],
    *[linted(lint_app(body=body)) for body in ("abc", ("a",), (5,), (bytearray(b"x"),), (b"", b"x"))],
    *[linted(lint_app(using=using)) for using in USES],
    *[linted(lint_app(exc_info=exc_info)) for exc_info in ("x", [1], (1, 2, 3))],
    *[
        linted(lint_app(status=status, headers=headers, body=body))
        for status in ("304 X", "204 X", "199 X", "205 X")
        for headers in ((), tuple(ENTITY[:2]), tuple(ENTITY[1:]), (("Content-Length", "0"),))
        for body in ((), (b"x",))
    ],
    linted(lint_app(writes=[b"ab"], body=(), headers=(("Content-Length", "2"),))),
    linted(lint_app(writes=["ab"])),
    linted(starting()),
    linted(starting("200 OK")),
    linted(starting("200 OK", [], None, 1)),
    linted(starting("200 OK", headers=[])),
    linted(starting("200 OK", [])),
    *[
        linted(lint_app(), **{key: value})
        for key in environ_of()
        for value in (None, 5)
        if key != "wsgi.errors"  # to be missing there is no fault of the application's
    ],
    *[linted(lint_app(), **{key: "x"}) for key in ("SCRIPT_NAME", "PATH_INFO")],
    lambda module: module.LintMiddleware(lint_app())(),
    lambda module: module.LintMiddleware(lint_app())(environ_of(), start_response=None),
    lambda module: module.LintMiddleware(lint_app())([], None),
    lambda module: module.check_type("x", 5),
    lambda module: module.check_type("x", True, int),
    lambda module: module.check_type("x", "y"),
]


@pytest.mark.usefixtures("short_rounds")
@pytest.mark.parametrize("index", range(len(SCENARIOS)))
def test_mistakes_are_warned_of_alike(index: int) -> None:
    expected = recorded(SCENARIOS[index], werkzeug.middleware.lint)
    assert expected == recorded(SCENARIOS[index], lint)


# Other servers


class Upstream:
    """A server that sends the same bytes for each request and stores the requests."""

    def __init__(self) -> None:
        self.answer = b""
        self.requests: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            with connection, connection.makefile("rb") as stream:
                head = bytearray(stream.readline())
                if head == b"stop\r\n":
                    return
                while head and not head.endswith(b"\r\n\r\n"):
                    head += stream.readline()
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self.requests.append(bytes(head) + stream.read(int(length or 0)))
                connection.sendall(self.answer)

    def close(self) -> None:
        with socket.create_connection(self.socket.getsockname()) as connection:
            connection.sendall(b"stop\r\n")
        self.thread.join()
        self.socket.close()


@pytest.fixture
def upstream() -> t.Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


PLAIN = b"HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nConnection: close\r\nX: 1\r\nX: 2\r\n\r\nhello"
ANSWERS = [
    PLAIN,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nKeep-Alive: 5\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /z\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\n\r\nnone",
    b"HTTP/1.1 200\r\n\r\nx",
]
REQUESTS: list[dict[str, t.Any]] = [
    {"PATH_INFO": "/api/x"},
    {"PATH_INFO": "/api/x", "QUERY_STRING": "a=b&c=%20", "HTTP_ACCEPT": "x", "HTTP_TE": "y", "HTTP_X_Y": "z"},
    {"PATH_INFO": "/api/x y;z@"},
    {"PATH_INFO": "/api/x", "REQUEST_METHOD": "POST", "CONTENT_LENGTH": "7", "CONTENT_TYPE": "t/x"},
    {"PATH_INFO": "/api/x", "REQUEST_METHOD": "POST", "CONTENT_LENGTH": "0"},
    {"PATH_INFO": "/api/x", "REQUEST_METHOD": "HEAD"},
    {"PATH_INFO": "/api/"},
    {"PATH_INFO": "/api"},
    {"PATH_INFO": "/apix"},
    {"PATH_INFO": "/other"},
]
OPTIONS: list[dict[str, t.Any]] = [
    {},
    {"host": None},
    {"host": "example.org", "headers": {"X-Added": "1", "Accept": "ours"}},
    {"remove_prefix": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_requests_are_passed_on_alike(upstream: Upstream, options: dict[str, t.Any]) -> None:
    upstream.answer = PLAIN
    targets = {
        prefix: {"target": f"{upstream.url}{path}", **options} for prefix, path in {"/api": "", "b": "/base/"}.items()
    }
    for request in REQUESTS:
        seen = []
        for module in (werkzeug.middleware.http_proxy, http_proxy):
            upstream.requests.clear()
            app = module.ProxyMiddleware(not_found, {prefix: dict(options) for prefix, options in targets.items()})
            answers = [call(app, environ_of(**request, **{"wsgi.input": io.BytesIO(b"content")}))]
            path = request["PATH_INFO"].replace("/api", "/b")
            answers.append(
                call(app, environ_of(**{**request, "PATH_INFO": path, "wsgi.input": io.BytesIO(b"content")}))
            )
            seen.append((answers, upstream.requests.copy(), app.targets))
        assert seen[0] == seen[1], request


@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)  # by Werkzeug
@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_are_passed_back_alike(upstream: Upstream, answer: bytes) -> None:
    upstream.answer = answer
    seen = [
        call(module.ProxyMiddleware(not_found, {"/api": {"target": upstream.url}}), environ_of(PATH_INFO="/api/x"))
        for module in (werkzeug.middleware.http_proxy, http_proxy)
    ]
    assert seen[0] == seen[1]


def test_a_target_that_does_not_answer_is_a_bad_gateway_alike() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    seen = [
        call(module.ProxyMiddleware(not_found, {"/api": {"target": url}}), environ_of(PATH_INFO="/api/x"))[::2]
        for module in (werkzeug.middleware.http_proxy, http_proxy)
    ]
    assert seen[0] == seen[1]
    for module in (werkzeug.middleware.http_proxy, http_proxy):
        app = module.ProxyMiddleware(not_found, {"/api": {"target": "ftp://127.0.0.1"}})
        with pytest.raises(RuntimeError, match="Target scheme must be 'http' or 'https', got 'ftp'"):
            call(app, environ_of(PATH_INFO="/api/x"))
