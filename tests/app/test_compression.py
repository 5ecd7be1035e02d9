"""Compression: which responses are compressed, for which requests, and that all headers agree with it."""

import asyncio
import gzip
import io
import logging
import threading
import time
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from costrel import Costrel, Response, after_response, make_response, request, send_file, session, stream_with_context
from costrel.app.application import Flask
from costrel.edges import compressed
from costrel.guards import compression
from costrel.sse import event_stream

PATIENCE = 30
TEXT = "Text that repeats itself. " * 100
ETAG = '"one"'


@pytest.fixture(params=["wsgi", "asgi"])
def edge(request):
    return request.param


@pytest.fixture
def app():
    app = Costrel("compression", static_folder=None)
    app.config.update(TESTING=True, SECRET_KEY="a key that is long enough for signatures")
    app.add_url_rule("/", "index", lambda: TEXT)
    return app


@pytest.fixture
def client(app, edge):
    return app.test_client(edge=edge)


def get(client, path="/", accept="gzip", method="GET", **headers):
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.open(path, method=method, headers={"Accept-Encoding": accept, **fields}, buffered=True)


def decoded(response):
    coding = response.headers.get("Content-Encoding")
    if coding is None:
        return response.data
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(response.data)
    return gzip.decompress(response.data) if coding == "gzip" else brotli.decompress(response.data)


def is_compressed(response):
    return "Content-Encoding" in response.headers


# -- what is compressed


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
def test_a_text_is_sent_in_the_coding_that_is_asked_for(client, coding):
    response = get(client, accept=coding)
    assert coding == response.headers["Content-Encoding"]
    assert "Accept-Encoding" == response.headers["Vary"]
    assert str(len(response.data)) == response.headers["Content-Length"]
    assert len(response.data) < len(TEXT) / 2
    assert TEXT.encode() == decoded(response)


def test_flask_does_not_compress_unless_it_is_told(edge):
    app = Flask("flask", static_folder=None)
    app.add_url_rule("/", "index", lambda: TEXT)
    response = get(app.test_client(edge=edge))
    assert ("Vary" in response.headers, is_compressed(response)) == (False, False)

    told = Flask("flask", static_folder=None)
    told.config["COMPRESS"] = True
    told.add_url_rule("/", "index", lambda: TEXT)
    assert is_compressed(get(told.test_client(edge=edge)))


def test_costrel_can_be_told_not_to(app, client):
    app.config["COMPRESS"] = False
    assert not is_compressed(get(client))


TYPES = {
    "text/html; charset=utf-8": True,
    "text/css": True,
    "TEXT/CSV": True,
    "application/json": True,
    "application/problem+json": True,
    "application/x-ndjson": True,
    "application/xml": True,
    "application/atom+xml": True,
    "application/javascript": True,
    "image/svg+xml": True,
    "application/wasm": True,
    "text/event-stream": False,
    "text/event-stream; charset=utf-8": False,
    "image/png": False,
    "application/octet-stream": False,
    "application/zip": False,
    "font/woff2": False,
    "video/mp4": False,
    "": False,
    "json": False,
    "text/" + "x" * 300: False,
}


@pytest.mark.parametrize("content_type", TYPES)
def test_the_type_decides(app, client, content_type):
    app.add_url_rule("/type", "type", lambda: Response(TEXT, content_type=content_type))
    response = get(client, "/type")
    assert TYPES[content_type] == is_compressed(response) == ("Vary" in response.headers)


@pytest.mark.parametrize(("size", "expected"), [(0, False), (1023, False), (1024, True), (100_000, True)])
@pytest.mark.parametrize("pieces", [1, 2])
def test_a_kilobyte_is_the_smallest_body(app, client, size, expected, pieces):
    parts = [b"x" * (size // pieces), b"x" * (size - size // pieces)][: 2 if pieces == 2 else 1]
    app.add_url_rule("/size", "size", lambda: Response(parts))
    response = get(client, "/size")
    assert expected == is_compressed(response) == ("Vary" in response.headers)
    assert b"x" * size == decoded(response)


KEPT = {
    "coded": {"Content-Encoding": "br"},
    "digest": {"Content-Digest": "sha-256=:x:"},
    "no-transform": {"Cache-Control": "public, No-Transform"},
}


@pytest.mark.parametrize("kind", KEPT)
def test_bytes_that_must_not_change_do_not(app, client, kind):
    app.add_url_rule("/kept", "kept", lambda: (TEXT, KEPT[kind]))
    response = get(client, "/kept")
    assert TEXT.encode() == response.data
    assert "Vary" not in response.headers


@pytest.mark.parametrize(("status", "expected"), [(200, True), (201, True), (404, True), (500, True), (204, False)])
def test_a_body_of_any_status_is_compressed(app, client, status, expected):
    app.add_url_rule("/status", "status", lambda: (TEXT, status))
    assert expected == is_compressed(get(client, "/status"))


def test_an_error_page_of_a_handler_is_compressed(app, client):
    app.register_error_handler(404, lambda error: (TEXT, 404))
    assert is_compressed(get(client, "/missing"))


def test_json_of_a_view_is_compressed(app, client):
    app.add_url_rule("/json", "json", lambda: [{"number": number} for number in range(200)])
    response = get(client, "/json", accept="br")
    assert b'{"number":199}' in decoded(response).replace(b" ", b"")


def test_a_view_can_opt_out(app, client):
    @app.route("/secret")
    def secret():
        response = make_response(TEXT)
        response.compress = False
        return response

    response = get(client, "/secret")
    assert TEXT.encode() == response.data
    assert "Vary" not in response.headers


def test_a_view_can_ask_for_a_type_that_is_not_text(app, client):
    @app.route("/binary")
    def binary():
        response = Response(b"\0" * 5000, mimetype="application/octet-stream")
        response.compress = True
        return response

    assert b"\0" * 5000 == decoded(get(client, "/binary"))


@pytest.mark.parametrize(
    ("vary", "expected"),
    [("Cookie", "Cookie, Accept-Encoding"), ("accept-encoding", "accept-encoding"), ("*", "*")],
)
def test_vary_keeps_its_names(app, client, vary, expected):
    app.add_url_rule("/vary", "vary", lambda: (TEXT, {"Vary": vary}))
    assert [expected] == get(client, "/vary").headers.getlist("Vary")


def test_two_fields_vary_become_one(app, client):
    @app.route("/vary")
    def vary():
        response = make_response(TEXT)
        response.headers.add("Vary", "Cookie")
        response.headers.add("Vary", "Origin")
        return response

    assert ["Cookie, Origin, Accept-Encoding"] == get(client, "/vary").headers.getlist("Vary")


def test_vary_is_there_for_clients_that_accept_no_coding(client):
    response = get(client, accept="identity")
    assert (TEXT.encode(), "Accept-Encoding") == (response.data, response.headers["Vary"])


def test_functions_after_the_request_and_receivers_see_the_text(app, client):
    seen = []

    @app.after_request
    def look(response):
        seen.append(response.get_data(as_text=True))
        return response

    assert is_compressed(get(client))
    assert [TEXT] == seen


def test_a_response_that_writes_itself_out_is_left_alone(app, client):
    class Own(Response):
        def iter_encoded(self):
            return iter([TEXT.upper().encode()])

    app.add_url_rule("/own", "own", lambda: Own(TEXT, headers={"Content-Length": str(len(TEXT))}))
    assert TEXT.upper().encode() == get(client, "/own").data


def test_the_session_is_saved_beside_it(app, client):
    @app.route("/session")
    def visit():
        session["visits"] = session.get("visits", 0) + 1
        return TEXT

    response = get(client, "/session")
    assert {"Cookie", "Accept-Encoding"} == {name.strip() for name in response.headers["Vary"].split(",")}
    assert is_compressed(response)


def test_a_large_body_is_compressed_in_a_thread(app, monkeypatch):
    seen = []
    compress = compression.content_coding.compress

    def noting(coding, data):
        seen.append(threading.current_thread().name.startswith("costrel-worker"))
        return compress(coding, data)

    monkeypatch.setattr(compression.content_coding, "compress", noting)

    @app.route("/large")
    async def large():
        return "x" * 100_000

    @app.route("/small")
    async def small():
        return TEXT

    client = app.test_client(edge="asgi")
    assert is_compressed(get(client, "/large"))
    assert is_compressed(get(client, "/small"))
    assert [True, False] == seen


# -- BREACH


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, True),
        ({"Cookie": "a=b"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Cookie": "a=b"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer x"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Cookie": "a=b"}, True),
        ({"Sec-Fetch-Site": "same-site", "Authorization": "Bearer x"}, True),
        ({"Sec-Fetch-Site": "none", "Cookie": "a=b"}, True),
    ],
)
@pytest.mark.parametrize("accept", ["gzip", "br", "identity;q=0, zstd"])
def test_a_request_of_another_site_with_credentials_gets_no_compressed_response(app, headers, expected, accept):
    client = app.test_client(use_cookies=False)
    response = client.get("/", headers={"Accept-Encoding": accept, **headers})
    assert expected == is_compressed(response)
    assert "Accept-Encoding" == response.headers["Vary"]


# -- validators, ranges and methods


def resource(app):
    """A resource with validators and ranges."""

    @app.route("/resource", methods=["GET", "POST"])
    def resource():
        response = Response(TEXT)
        response.set_etag("one")
        return response.make_conditional(request, accept_ranges=True, complete_length=len(TEXT))


def test_the_etag_of_a_compressed_response_is_weak(app, client):
    resource(app)
    assert "W/" + ETAG == get(client, "/resource").headers["ETag"]
    assert ETAG == get(client, "/resource", accept="identity").headers["ETag"]


def test_ranges_are_those_of_the_identity(app, client):
    resource(app)
    part = get(client, "/resource", Range="bytes=0-9")
    assert (206, TEXT[:10].encode(), ETAG) == (part.status_code, part.data, part.headers["ETag"])
    assert "Accept-Encoding" == part.headers["Vary"]
    assert "Accept-Ranges" not in get(client, "/resource").headers
    assert "bytes" == get(client, "/resource", accept="identity").headers["Accept-Ranges"]


CODINGS = st.sampled_from(["gzip", "br", "zstd", "identity", "*", "deflate"])
QUALITIES = st.sampled_from(["", ";q=0", ";q=0.5", ";q=1"])
ACCEPTED = st.lists(st.tuples(CODINGS, QUALITIES).map("".join), max_size=4).map(", ".join)
TAGS = st.sampled_from([None, ETAG, "W/" + ETAG, '"two"', 'W/"two"', "*", f'"two", W/{ETAG}'])
RANGES = st.sampled_from([None, "bytes=0-9", "bytes=-5", "bytes=0-1,5-6", "bytes=5000-", "lines=1-2"])


@given(
    accept=ACCEPTED, none_match=TAGS, match=TAGS, if_range=TAGS, part=RANGES, method=st.sampled_from(["GET", "HEAD"])
)
def test_status_etag_vary_and_body_agree(accept, none_match, match, if_range, part, method):
    """Against a model: the identity decides the status, and the coding only changes the 200 and the 304."""
    asked = {"If-None-Match": none_match, "If-Match": match, "If-Range": if_range, "Range": part}
    headers = {name: value for name, value in asked.items() if value is not None}
    identity = ASKED.open("/resource", method=method, headers=headers)
    response = ASKED.open("/resource", method=method, headers={"Accept-Encoding": accept, **headers})
    full = ASKED.get("/resource", headers={"Accept-Encoding": accept})

    assert identity.status_code == response.status_code
    if response.status_code in (200, 206, 304):
        assert "Accept-Encoding" == response.headers["Vary"] == full.headers["Vary"]
    if response.status_code in (200, 304):
        assert full.headers["ETag"] == response.headers["ETag"]
        assert ETAG == response.headers["ETag"].removeprefix("W/")
    if response.status_code == 200:
        assert full.headers.get("Content-Encoding") == response.headers.get("Content-Encoding")
        assert is_compressed(response) == response.headers["ETag"].startswith("W/")
        assert is_compressed(response) != ("Accept-Ranges" in response.headers)
        assert method == "HEAD" or TEXT.encode() == decoded(response)
    else:
        assert not is_compressed(response)
        assert identity.data == response.data or "multipart" in response.headers["Content-Type"]
    if response.status_code == 206:
        assert ETAG == response.headers["ETag"]
    if method == "HEAD":
        assert b"" == response.data


def asked():
    app = Costrel("compression", static_folder=None)
    app.testing = True
    resource(app)
    return app.test_client()


ASKED = asked()


def test_a_client_revalidates_with_the_weak_etag(app, client):
    resource(app)
    etag = get(client, "/resource").headers["ETag"]
    again = get(client, "/resource", If_None_Match=etag)
    assert (304, etag, "Accept-Encoding") == (again.status_code, again.headers["ETag"], again.headers["Vary"])


def test_a_304_of_the_view_itself_has_the_weak_etag_too(app, client):
    app.add_url_rule("/own", "own", lambda: ("", 304, {"ETag": ETAG}))
    response = get(client, "/own", If_None_Match="W/" + ETAG)
    assert ("W/" + ETAG, "Accept-Encoding") == (response.headers["ETag"], response.headers["Vary"])


def test_head_has_the_headers_of_get(app, client):
    resource(app)
    found, head = get(client, "/resource", accept="br"), get(client, "/resource", accept="br", method="HEAD")
    assert b"" == head.data
    names = ("Content-Encoding", "Content-Length", "Content-Type", "ETag", "Vary")
    assert [found.headers[name] for name in names] == [head.headers[name] for name in names]


# -- files


@pytest.mark.parametrize("size", [1_000, 10_000, 300_000])
def test_files_are_compressed_if_they_are_text(app, client, tmp_path, size):
    content = (TEXT * 200).encode()[:size]
    (tmp_path / "a.txt").write_bytes(content)
    (tmp_path / "a.png").write_bytes(content)
    app.add_url_rule("/<name>", "file", lambda name: send_file(tmp_path / name))

    response = get(client, "/a.txt")
    assert (size >= 1024) == is_compressed(response)
    assert content == decoded(response)
    assert not is_compressed(get(client, "/a.png"))
    etag = response.headers["ETag"]
    again = get(client, "/a.txt", If_None_Match=etag)
    assert (304, etag, response.headers.get("Vary")) == (
        again.status_code,
        again.headers["ETag"],
        again.headers.get("Vary"),
    )
    part = get(client, "/a.txt", Range="bytes=0-9")
    assert (206, content[:10]) == (part.status_code, part.data)
    head = get(client, "/a.txt", method="HEAD")
    assert (response.headers.get("Content-Encoding"), etag) == (
        head.headers.get("Content-Encoding"),
        head.headers["ETag"],
    )


def test_an_open_file_is_closed(app, client):
    files = []

    def send():
        files.append(io.BytesIO(TEXT.encode() * 50))
        return send_file(files[-1], mimetype="text/plain")

    app.add_url_rule("/file", "file", send)
    assert TEXT.encode() * 50 == decoded(get(client, "/file"))
    assert files[0].closed


# -- streams


def pieces():
    for number in range(500):
        yield f"line {number}\n"


WHOLE = "".join(pieces()).encode()


async def async_pieces():
    for piece in pieces():
        yield piece


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
@pytest.mark.parametrize("make", [pieces, async_pieces], ids=["sync", "async"])
def test_a_stream_is_compressed(app, client, coding, make):
    app.add_url_rule("/stream", "stream", lambda: Response(make(), headers={"Content-Length": str(len(WHOLE))}))
    response = get(client, "/stream", accept=coding)
    assert (coding, None) == (response.headers["Content-Encoding"], response.headers.get("Content-Length"))
    assert WHOLE == decoded(response)


@pytest.mark.parametrize("make", [pieces, async_pieces], ids=["sync", "async"])
def test_pieces_that_follow_each_other_are_compressed_together_under_asgi(app, make, monkeypatch):
    monkeypatch.setattr(compressed, "FLUSH_AFTER", PATIENCE)  # a busy machine may take long between two pieces
    app.add_url_rule("/stream", "stream", lambda: Response(make()))
    response = get(app.test_client(edge="asgi"), "/stream")
    assert len(response.data) < len(WHOLE) / 2


def test_a_stream_that_keeps_its_context_and_holds_functions(app, client):
    ran = []

    @app.route("/stream")
    def stream():
        after_response(ran.append, "after")
        return Response(stream_with_context(f"{request.path} {number}\n" for number in range(300)))

    assert decoded(get(client, "/stream")).endswith(b"/stream 299\n")
    assert ["after"] == ran


@pytest.mark.parametrize("is_async", [True, False])
def test_a_piece_is_flushed_if_no_other_follows(app, is_async):
    """The second piece comes only after the client has decoded the first one."""
    decode = zlib.decompressobj(31).decompress
    go = threading.Event()

    def waiting():
        yield "first\n"
        yield "second\n"
        assert go.wait(PATIENCE)
        yield "third\n"

    async def async_waiting():
        yield "first\n"
        yield "second\n"
        while not go.is_set():
            await asyncio.sleep(0.001)
        yield "third\n"

    app.add_url_rule("/stream", "stream", lambda: Response(async_waiting() if is_async else waiting()))

    async def read():
        text = b""
        async with app.async_test_client().stream("/stream", headers={"Accept-Encoding": "gzip"}) as response:
            async for chunk in response.iter_chunks():
                text += decode(chunk)
                if text == b"first\nsecond\n":
                    go.set()
        return text

    assert b"first\nsecond\nthird\n" == asyncio.run(asyncio.wait_for(read(), PATIENCE))


def test_each_piece_is_flushed_under_wsgi(app):
    decode = zlib.decompressobj(31).decompress
    taken = []

    def waiting():
        for number in range(3):
            taken.append(number)
            yield f"line {number}\n"

    app.add_url_rule("/stream", "stream", lambda: Response(waiting()))
    response = app.test_client().get("/stream", headers={"Accept-Encoding": "gzip"})
    read = [(decode(chunk), len(taken)) for chunk in response.response]
    assert [(b"line 0\n", 1), (b"line 1\n", 2), (b"line 2\n", 3), (b"", 3)] == read


def test_large_pieces_of_a_stream_are_compressed_whole(app, client):
    app.add_url_rule("/stream", "stream", lambda: Response(TEXT * 100 for _ in range(3)))
    assert (TEXT * 300).encode() == decoded(get(client, "/stream"))


def test_an_error_leaves_a_compressed_stream_without_its_end(app, client):
    def failing():
        yield TEXT
        raise RuntimeError("half-way")

    app.add_url_rule("/stream", "stream", lambda: Response(failing()))
    with pytest.raises(RuntimeError, match="half-way"):
        get(client, "/stream")


@pytest.mark.parametrize("make", [pieces, async_pieces], ids=["sync", "async"])
def test_head_of_a_stream_reads_nothing(app, client, make):
    app.add_url_rule("/stream", "stream", lambda: Response(make()))
    head = get(client, "/stream", method="HEAD")
    assert (b"", "gzip") == (head.data, head.headers["Content-Encoding"])


def test_a_generator_is_closed_when_the_client_leaves(app, caplog):
    ended = threading.Event()

    def endless():
        try:
            while True:
                yield TEXT
                time.sleep(0)
        finally:
            ended.set()

    app.add_url_rule("/stream", "stream", lambda: Response(endless()))

    async def leave():
        async with app.async_test_client().stream("/stream", headers={"Accept-Encoding": "gzip"}) as response:
            async for _ in response.iter_chunks():
                break

    with caplog.at_level(logging.CRITICAL):
        asyncio.run(asyncio.wait_for(leave(), PATIENCE))
    assert ended.wait(PATIENCE)


@pytest.mark.parametrize("wanted", [True, None])
def test_events_are_compressed_only_if_asked_for(app, client, wanted):
    @app.route("/events")
    def events():
        response = event_stream({"number": number} for number in range(3))
        response.compress = wanted
        return response

    response = get(client, "/events")
    assert bool(wanted) == is_compressed(response)
    assert b'data: {"number":2}' in decoded(response).replace(b'": 2', b'":2')
