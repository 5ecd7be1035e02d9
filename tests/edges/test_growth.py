"""Whatever of a request grows, its cost grows with it at most: through the whole application, over both edges."""

from __future__ import annotations

import asyncio

import pytest

from costrel import Costrel, request, websocket

from ..security.calls import assert_linear, over_asgi, over_wsgi

CHUNK = 64 * 1024
FORM = [("Content-Type", "application/x-www-form-urlencoded")]
MULTIPART = [("Content-Type", "multipart/form-data; boundary=b")]
JSON = [("Content-Type", "application/json")]
LIMITS = ["MAX_FORM_MEMORY_SIZE", "MAX_FORM_PARTS", "MAX_FORM_FILES", "MAX_CONTENT_LENGTH", "MAX_QUERY_PARAMS"]
PART = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nvalue\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nvalue\r\n'


@pytest.fixture(params=[over_wsgi, over_asgi], ids=["wsgi", "asgi"])
def call(request):
    return request.param


@pytest.fixture
def app():
    """An application that reads all of a request, and that takes as much as a client can send."""
    app = Costrel(__name__)
    app.config.update(dict.fromkeys(LIMITS))

    @app.route("/", methods=["GET", "POST"])
    def read():
        found = [request.args, request.cookies, request.headers, request.form, request.files, request.access_route]
        request.get_json(silent=True)
        return f"{sum(map(len, found))} {request.accept_mimetypes.best_match(['text/html', 'application/json'])}"

    @app.post("/body")
    def body():
        return str(sum(map(len, iter(lambda: request.stream.read(CHUNK), b""))))

    @app.route("/path/<path:first>/end/<path:second>")
    def path(first, second):
        return f"{len(first)} {len(second)}"

    return app


HEADERS = {
    "many headers": lambda size: [(f"X-Header-{i}", "value") for i in range(size // 20)],
    "one header many times": lambda size: [("X-Same", "value")] * (size // 20),
    "cookies": lambda size: [("Cookie", "; ".join(f"name{i}=value" for i in range(size // 14)))],
    "many Cookie headers": lambda size: [("Cookie", f"name{i}=value") for i in range(size // 20)],
    "a long cookie": lambda size: [("Cookie", "session=" + "a." * (size // 2))],
    "accepted types": lambda size: [("Accept", ", ".join(f"text/x-{i};q=0.5" for i in range(size // 16)))],
    "entity tags": lambda size: [("If-None-Match", ", ".join(f'"{i}"' for i in range(size // 8)))],
    "forwarded addresses": lambda size: [("X-Forwarded-For", ", ".join(["192.0.2.1"] * (size // 11)))],
    "a long host": lambda size: [("Host", "a." * (size // 2) + "example")],
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers(app, call, name):
    assert_linear(lambda size: call(app, "/", headers=HEADERS[name](size)), 30_000)


@pytest.mark.parametrize(
    "piece",
    ["a=b&", "name=%C3%BC+x&", "a[]=b&", ";", "%", "&"],
    ids=["pairs", "escapes", "lists", "semicolons", "percents", "ands"],
)
def test_query_values(app, call, piece):
    assert_linear(lambda size: call(app, "/?" + piece * (size // len(piece))), 40_000)


def test_query_values_that_are_too_many(call):
    app = Costrel(__name__)
    app.add_url_rule("/", "read", lambda: str(len(request.args)))
    assert_linear(lambda size: call(app, "/?" + "a=b&" * size), 10_000)


BODIES = {
    "form fields": (FORM, b"name=value&"),
    "form fields of bad bytes": (FORM, b"%ff=\xff&"),
    "multipart fields": (MULTIPART, PART),
    "multipart files": (MULTIPART, FILE),
    "a list": (JSON, b"1, "),
    "objects": (JSON, b'{"a": {"b": [1]}}, '),
    "strings": (JSON, b'"\\u00fc", '),
}


@pytest.mark.parametrize("name", BODIES)
def test_values_of_a_body(app, call, name):
    headers, piece = BODIES[name]

    def run(size):
        body = piece * (size // len(piece))
        if headers is JSON:
            body = b"[" + body + b"1]"
        if headers is MULTIPART:
            body += b"--b--\r\n"
        answered = call(app, "/", "POST", headers, body)
        assert answered.status == 200

    assert_linear(run, 80_000)  # up to 64 KiB a form is read in a shorter way


def test_the_size_of_a_body(app):
    body = b"x" * 8_000_000
    assert_linear(lambda size: over_wsgi(app, "/body", "POST", body=body[:size]), 2_000_000)
    chunks = [b"x" * CHUNK] * 400
    assert_linear(lambda size: over_asgi(app, "/body", "POST", body=chunks[:size]), 100)


def test_the_number_of_pieces_in_which_a_body_comes(app):
    assert_linear(lambda size: over_asgi(app, "/body", "POST", body=[b"x"] * size), 5_000)


@pytest.mark.parametrize("target", ["/path/" + "{}" + "end/x", "/nowhere{}", "{}", "/path{}end/end/"])
def test_path_segments(app, call, target):
    assert_linear(lambda size: call(app, target.format("/a/end" * (size // 6) + "/")), 8_000)


def test_messages_of_a_websocket(app):
    @app.websocket("/echo")
    async def echo():
        async for message in websocket:
            await websocket.send(message)

    async def converse(size):
        async with app.test_client().websocket("/echo") as ws:
            for _ in range(size):
                await ws.send("hello")
                assert await ws.receive() == "hello"

    assert_linear(lambda size: asyncio.run(converse(size)), 200)


def test_the_size_of_a_websocket_message(app):
    @app.websocket("/length")
    async def length():
        async for message in websocket:
            await websocket.send(str(len(message)))

    async def converse(size):
        async with app.test_client().websocket("/length") as ws:
            for _ in range(20):
                await ws.send("x" * size)
                assert await ws.receive() == str(size)

    assert_linear(lambda size: asyncio.run(converse(size)), 250_000)


def test_ranges_of_a_file(call, tmp_path):
    (tmp_path / "file.txt").write_bytes(b"x" * 1000)
    app = Costrel(__name__, static_folder=str(tmp_path), static_url_path="/static")

    def run(size):
        ranges = ",".join(f"{i}-{i}" for i in range(size // 8))
        call(app, "/static/file.txt", headers=[("Range", f"bytes={ranges}")])

    assert_linear(run, 40_000)


def test_rules_and_their_registration():
    def run(size):
        app = Costrel(__name__)
        for i in range(size):
            app.add_url_rule(f"/page{i}/<int:id>", f"e{i}", lambda id: str(id))
        assert over_wsgi(app, "/page7/42").body == b"42"

    assert_linear(run, 500)


def test_functions_around_a_request(call):
    def make(size):
        app = Costrel(__name__)
        for _ in range(size):
            app.before_request(lambda: None)
            app.after_request(lambda response: response)
            app.teardown_request(lambda error: None)
        app.add_url_rule("/", "index", lambda: "index")
        assert call(app, "/").body == b"index"
        return app

    apps = {size: make(size) for size in (500, 2000)}
    assert_linear(lambda size: call(apps[size], "/"), 500)
