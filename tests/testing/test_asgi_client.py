"""The test client over ASGI calls the application as an ASGI server does."""

import asyncio
import gc
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from costrel import Costrel, Response, request
from costrel.testing import EnvironBuilder, FlaskClient
from costrel.testing.asgi_call import CHUNK, RequestBody
from costrel.testing.scope import http_scope


@pytest.fixture
def app():
    app = Costrel(__name__, static_folder=None)
    app.testing = True
    yield app
    app.asgi.workers.close()


def scope_for(app, *args, **kwargs):
    return http_scope(EnvironBuilder(app, *args, **kwargs).get_environ())


def test_a_scope_is_that_of_a_server(app):
    assert {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/app/café",
        "raw_path": b"/app/caf%C3%A9",
        "root_path": "/app",
        "query_string": b"q=%26",
        "headers": [
            (b"host", b"example.org:8443"), (b"x-tag", b"1, 2"), (b"content-type", b"text/plain"),
            (b"content-length", b"2"),
        ],
        "client": ("10.0.0.1", 50_000),
        "server": ("example.org", 8443),
        "state": {},
        "extensions": {},
    } == scope_for(
        app, "/café?q=%26", "https://example.org:8443/app", method="POST", data=b"ab", content_type="text/plain",
        headers=[("X-Tag", "1"), ("X-Tag", "2")], environ_base={"REMOTE_ADDR": "10.0.0.1"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "raw_path"),
    [
        ("/a%2Fb", b"/a%2Fb"),
        ("/a b/é", b"/a%20b/%C3%A9"),
        ("/%7Ea?x", b"/%7Ea"),
        ("/100%25", b"/100%25"),
        ("http://other/a", b"/a"),
    ],
)
def test_the_raw_path_is_as_the_test_wrote_it(app, path, raw_path):
    assert raw_path == scope_for(app, path)["raw_path"]


def test_the_raw_path_follows_an_override(app):
    assert b"/other/%25" == scope_for(app, "/a", environ_overrides={"PATH_INFO": "/other/%"})["raw_path"]


def test_only_what_a_scope_has_no_place_for_is_handed_over_beside_it(app):
    errors = io.StringIO()
    scope = scope_for(app, errors_stream=errors, environ_overrides={"REMOTE_USER": "ann", "HTTP_X_TAG": "1"})
    assert {"REMOTE_USER": "ann", "wsgi.errors": errors} == scope["costrel.environ"]
    assert (b"x-tag", b"1") in scope["headers"]


def test_a_header_that_is_not_latin_1_is_sent_as_utf_8(app):
    headers = dict(scope_for(app, headers={"X-Latin": "é", "X-Other": "ł"})["headers"])
    assert ("é".encode("latin-1"), "ł".encode()) == (headers[b"x-latin"], headers[b"x-other"])


def test_a_body_comes_in_chunks(app):
    body = RequestBody(EnvironBuilder(app, data=b"x" * (CHUNK + 1)).get_environ())
    messages = [body.next_message(), body.next_message()]
    assert [(CHUNK, True), (1, False)] == [(len(message["body"]), message["more_body"]) for message in messages]
    assert body.complete


def test_a_chunked_body_ends_with_its_stream(app):
    headers = {"Transfer-Encoding": "chunked"}
    body = RequestBody(EnvironBuilder(app, input_stream=io.BytesIO(b"ab"), headers=headers).get_environ())
    assert [b"ab", b""] == [body.next_message()["body"], body.next_message()["body"]]
    assert body.complete


def test_views_run_where_the_asgi_edge_runs_them(app):
    app.add_url_rule("/sync", "sync", lambda: threading.current_thread().name)

    @app.route("/async")
    async def on_loop():
        return [threading.current_thread().name, request.environ["asgi.scope"]["type"]]

    client = app.test_client(edge="asgi")
    assert client.get("/sync").text.startswith("costrel-worker-")
    assert ["costrel-test-client", "http"] == client.get("/async").json


def test_all_requests_of_a_client_run_on_one_loop(app):
    app.loops = []
    app.jobs = []

    @app.route("/")
    async def index():
        app.loops.append(asyncio.get_running_loop())
        app.jobs.append(asyncio.create_task(asyncio.sleep(0, "done")))
        await asyncio.gather(*app.jobs[:-1])  # of the requests before
        return [job.result() for job in app.jobs[:-1]]

    client = app.test_client(edge="asgi")
    assert [[], ["done"]] == [client.get("/").json, client.get("/").json]
    assert app.loops[0] is app.loops[1]


def test_the_loop_ends_with_its_client(app):
    ended = threading.Event()

    async def wait():
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    @app.route("/")
    async def index():
        app.job = asyncio.create_task(wait())
        await asyncio.sleep(0)
        return ""

    app.test_client(edge="asgi").get("/")
    gc.collect()
    assert ended.wait(5)
    assert app.job.cancelled()


def test_threads_may_share_a_client(app):
    barrier = threading.Barrier(4)
    app.add_url_rule("/", "index", lambda: str(barrier.wait(5)))
    client = app.test_client(edge="asgi")
    with ThreadPoolExecutor(4) as pool:
        assert {"0", "1", "2", "3"} == set(pool.map(lambda _: client.get("/").text, range(4)))


def test_an_async_test_may_use_it(app):
    async def view():
        await asyncio.sleep(0)
        return "there"

    async def test():
        return app.test_client(edge="asgi").get("/").text

    app.add_url_rule("/", "index", view)
    assert "there" == asyncio.run(test())


def test_a_view_reads_a_long_body_as_it_arrives(app):
    @app.post("/", stream_body=True)
    async def measure():
        return str([len(chunk) async for chunk in request.chunks()].count(CHUNK))

    assert "3" == app.test_client(edge="asgi").post("/", data=b"x" * (3 * CHUNK + 1)).text


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_exit_in_a_view_reaches_the_test(app, kind, error):
    def sync():
        raise error("stop")

    async def on_loop():
        raise error("stop")

    app.add_url_rule("/", "exit", sync if kind == "sync" else on_loop)
    app.add_url_rule("/after", "after", lambda: "served")
    client = app.test_client(edge="asgi")
    with pytest.raises(error, match="stop"):
        client.get("/")
    assert "served" == client.get("/after").text


def test_a_length_that_is_no_number_is_for_the_application_to_refuse(app):
    app.add_url_rule("/", "read", lambda: request.get_data(), methods=["POST"])
    client = app.test_client(edge="asgi")
    assert 400 == client.post("/", data=b"x", environ_overrides={"CONTENT_LENGTH": "many"}).status_code


def test_an_application_that_sends_no_end_is_told(app):
    async def quiet(scope, receive, send):
        await send({"type": "http.response.start", "status": 299, "headers": []})

    app.__dict__["_asgi"], asgi = quiet, app.asgi
    try:
        with pytest.raises(RuntimeError, match="returned before its response was complete"):
            app.test_client(edge="asgi").get("/")
    finally:
        app.__dict__["_asgi"] = asgi


def test_a_client_that_leaves_ends_the_view(app):
    seen = []

    @app.route("/")
    async def endless():
        async def pieces():
            try:
                while True:
                    yield b"more"
            finally:
                seen.append("closed")

        return Response(pieces())

    response = app.test_client(edge="asgi").get("/")
    assert b"more" == next(iter(response.response))
    response.close()
    assert ["closed"] == seen


def test_a_websocket_and_a_request_meet_on_one_loop(app):
    @app.websocket("/feed")
    async def feed():
        app.queue = asyncio.Queue()
        await app.sockets.accept()
        await app.sockets.send(await app.queue.get())

    @app.post("/publish")
    async def publish():
        app.queue.put_nowait(request.get_data(as_text=True))
        return ""

    from costrel import websocket

    app.sockets = websocket
    client = app.test_client(edge="asgi")
    with client.websocket("/feed") as ws:
        client.post("/publish", data="news")
        assert "news" == ws.receive()


# -- which client ----------------------------------------------------------------------------------------------------


def test_wsgi_is_the_default(app):
    assert ["wsgi", "wsgi", "asgi"] == [
        app.test_client().edge, app.test_client(edge="wsgi").edge, app.test_client(edge="asgi").edge,
    ]  # fmt: skip


def test_another_edge_is_refused(app):
    with pytest.raises(ValueError) as error:
        app.test_client(edge="cgi")
    assert "Unknown edge 'cgi'. The edges of a test client are 'wsgi' and 'asgi'." == str(error.value)


def test_a_class_with_an_edge_of_its_own_keeps_it(app):
    class Mine(FlaskClient):
        def __init__(self, *args, edge="left", **kwargs):
            super().__init__(*args, **kwargs)
            self.side = edge

    app.test_client_class = Mine
    assert ["left", "right"] == [app.test_client().side, app.test_client(edge="right").side]


def test_a_class_that_is_no_client_of_ours_cannot_change_the_edge(app):
    class Other:
        def __init__(self, *args, **kwargs):
            self.kwargs = kwargs

    app.test_client_class = Other
    assert {"use_cookies": True, "name": "ann"} == app.test_client(edge="wsgi", name="ann").kwargs
    with pytest.raises(TypeError, match=r"^The client class 'Other' cannot make requests over ASGI"):
        app.test_client(edge="asgi")
