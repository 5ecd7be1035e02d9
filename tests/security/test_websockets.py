"""Group G, of WebSockets: odd handshakes, pages of other sites, frames without end."""

from pathlib import Path

import pytest

from costrel import websocket
from costrel.testing.websocket import WebSocketRefused

from ..edges.raw_websocket import BINARY, CLOSE, CONTINUATION, TEXT, RawWebSocket, frame
from ..faults.processes import served
from ..processes import wait_until

EXAMPLES = str(Path(__file__).parents[2] / "examples")
MEGABYTE = 1024 * 1024


@pytest.fixture
def app(make):
    app = make()

    @app.websocket("/echo")
    async def echo():
        async for message in websocket:
            await websocket.send(message)

    app.add_url_rule("/page", "page", lambda: "page")
    yield app
    app.asgi.workers.close()


def status_of(app, path, **headers):
    """The status that a handshake is refused with, or 101."""
    try:
        with app.test_client().websocket(path, headers=headers):
            return 101
    except WebSocketRefused as refused:
        return refused.status_code


@pytest.fixture(scope="module")
def echo_server():
    with served(app="echo:app", PYTHONPATH=EXAMPLES) as server:
        yield server


def test_g18_bytes_that_are_no_subprotocol_leave_the_server_alive(echo_server):
    with RawWebSocket(echo_server.port, Sec_WebSocket_Protocol="\x80\xff") as ws:
        assert ws.status in (101, 400)
    with RawWebSocket(echo_server.port) as ws:
        ws.send(frame(TEXT, b"there?"))
        assert (TEXT, b"there?") == ws.frame()


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost.evil.example", "http://localhost:81"]
)
def test_g19_a_page_of_another_site_is_refused_natively(app, make, origin):
    assert (403 if make.native else 101) == status_of(app, "/echo", Origin=origin)
    assert 101 == status_of(app, "/echo", Origin="http://localhost")


def test_g19_the_other_profile_refuses_it_by_the_setting(app):
    app.config["WEBSOCKET_ALLOWED_ORIGINS"] = ["http://friend.example"]
    assert 403 == status_of(app, "/echo", Origin="http://evil.example")
    assert 101 == status_of(app, "/echo", Origin="http://friend.example")


@pytest.mark.parametrize(("path", "status"), [("/page", 400), ("/static/a.txt", 404), ("/missing", 404)])
def test_g20_a_websocket_to_what_is_none_is_refused(app, path, status):
    assert status == status_of(app, path)


@pytest.mark.parametrize(("size", "number"), [(1, 100_000), (64_000, 2_000)])
def test_g20_fragments_pile_up_nowhere(echo_server, size, number):
    """Granian puts a message together by itself, up to 64 MB; the application's limit is held when it is complete."""
    before = echo_server.rss()
    with RawWebSocket(echo_server.port) as ws:
        ws.send(frame(BINARY, b"x", fin=False))
        for _ in range(100):
            ws.send(frame(CONTINUATION, b"x" * size, fin=False) * (number // 100))
    wait_until(lambda: echo_server.rss() - before < 32 * MEGABYTE, "the memory is given back")
    with RawWebSocket(echo_server.port) as ws:
        ws.send(frame(TEXT, b"there?"))
        assert (TEXT, b"there?") == ws.frame()


@pytest.mark.parametrize("second", [frame(TEXT, b"y"), frame(BINARY, b"y", fin=False)])
def test_g20_a_message_that_begins_within_another_ends_both(echo_server, second):
    with RawWebSocket(echo_server.port) as ws:
        ws.send(frame(TEXT, b"x", fin=False) + second)
        frames = ws.frames()
    assert [] == [payload for opcode, payload in frames if opcode != CLOSE]
    assert {payload[:2] for _, payload in frames} <= {(1002).to_bytes(2, "big"), b""}
