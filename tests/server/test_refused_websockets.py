"""WebSockets that are refused after their client has disconnected: one line in the log, without a traceback."""

import socket
import struct
import time

import pytest

from ..processes import PATIENCE, wait_until
from .served import serving

APP = """\
import asyncio
import costrel
from costrel import abort, websocket

app = costrel.Costrel("shop", static_folder=None)

@app.route("/")
def index():
    return "here"

@app.websocket("/aborts")
async def aborts():
    await asyncio.sleep(0.2)
    abort(403)

@app.websocket("/closes")
async def closes():
    await asyncio.sleep(0.2)
    await websocket.close()

@app.websocket("/accepts")
async def accepts():
    await asyncio.sleep(0.2)
    await websocket.accept()
    await websocket.send("x")

@app.websocket("/returns")
async def returns():
    await asyncio.sleep(0.2)
    return "no", 400

@app.before_websocket
async def check():
    if websocket.path == "/hook":
        await asyncio.sleep(0.2)
        abort(401)

@app.websocket("/hook")
async def hook():
    pass
"""

HANDSHAKE = (
    "GET {} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{}\r\n"
)
ELSEWHERE = "Origin: http://elsewhere.example\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refused")
    (folder / "shop.py").write_text(APP)
    with serving(folder, workers=1) as served:
        yield served


@pytest.mark.parametrize("path", ["/aborts", "/closes", "/accepts", "/returns", "/hook", "/nowhere"])
@pytest.mark.parametrize("origin", ["", ELSEWHERE], ids=["same", "elsewhere"])
def test_a_client_that_has_left_is_no_error(served, path, origin):
    lines = len(served.output)
    for reset in (False, True):
        for pause in (0, 0.05):
            with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
                connection.sendall(HANDSHAKE.format(path, origin).encode())
                time.sleep(pause)
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # A request that is reset at once need not reach the application.
    wait_until(lambda: sum(f'"GET {path} ' in line for line in served.output[lines:]) >= 2, "its lines")
    time.sleep(0.3)
    assert served.get() == (200, "here")

    assert not [line for line in served.lines_so_far() if "Traceback" in line or "flow error" in line]
