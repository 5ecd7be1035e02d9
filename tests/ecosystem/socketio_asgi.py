"""python-socketio around an application, under `costrel serve`: a real client connects, emits and receives."""

import queue

import pytest
import socketio
from tests.processes import PATIENCE
from tests.server.served import serving

SHOP = """
import socketio
from costrel import Costrel, session

app = Costrel(__name__)
sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")
wrapped = socketio.ASGIApp(sio, app.asgi)

@app.before_serving
def before():
    app.extensions["opened"] = "opened"

@app.get("/")
def index():
    return f"shop {app.extensions['opened']}"

@app.get("/announce/<text>")
async def announce(text):
    await sio.emit("news", text, room="readers")
    return "announced"

@sio.event
async def connect(sid, environ, auth):
    if auth != {"name": "ada"}:
        raise ConnectionRefusedError("who are you?")

@sio.event
async def join(sid, room):
    await sio.enter_room(sid, room)
    return f"joined {room}"

@sio.event
async def echo(sid, data):
    await sio.emit("echoed", {"data": data}, to=sid)
"""


@pytest.fixture
def served(tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    with serving(tmp_path, app="shop:wrapped", workers=1) as served:
        yield served


def test_a_client(served):
    received = queue.Queue()
    client = socketio.Client(reconnection=False)
    client.on("echoed", received.put)
    client.on("news", received.put)
    client.connect(f"http://127.0.0.1:{served.port}", auth={"name": "ada"}, transports=["websocket"])
    try:
        assert "joined readers" == client.call("join", "readers", timeout=PATIENCE)
        client.emit("echo", [1, "two", b"three"])
        assert {"data": [1, "two", b"three"]} == received.get(timeout=PATIENCE)
        assert (200, "announced") == served.get("/announce/spring")
        assert "spring" == received.get(timeout=PATIENCE)
    finally:
        client.disconnect()

    stranger = socketio.Client(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        stranger.connect(f"http://127.0.0.1:{served.port}", auth={"name": "eve"}, transports=["websocket"])
    assert (200, "shop opened") == served.get("/")
    status, text = served.get("/socket.io/?EIO=4&transport=polling")
    assert (200, True) == (status, text.startswith('0{"sid":'))
    assert 0 == served.end()
    assert any('"GET /socket.io/' in line and " 101 " in line for line in served.output)
