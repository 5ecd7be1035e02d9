"""The echo example before clients that keep to RFC 6455 and before such that do not, on every ASGI server.

The groups are those of Autobahn's fuzzing client. Frames are the server's business: what is held here is that no server
hands on what the RFC forbids, that the connection ends, and that the next one is served.
"""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from ..processes import LoggedProcess
from .raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawWebSocket,
    close,
    frame,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMANDS = {
    "costrel": ["-m", "costrel", "--app", "echo.py", "serve", "--workers", "1", "--bind", "127.0.0.1:0"],
    "uvicorn": ["-m", "uvicorn", "--port", "0", "echo:app.asgi"],
    "hypercorn": ["-m", "hypercorn", "--bind", "127.0.0.1:0", "echo:app.asgi"],
}
LIMIT = 1024 * 1024


@pytest.fixture(
    scope="module",
    params=["costrel", *(pytest.param(name, marks=pytest.mark.ci) for name in COMMANDS if name != "costrel")],
)
def server(request, tmp_path_factory):
    """The name and the port of a server that serves the example."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    command = [sys.executable, *COMMANDS[request.param]]
    log = tmp_path_factory.mktemp("log") / "log.txt"
    with LoggedProcess(command, EXAMPLES, {**os.environ, "PYTHONPATH": str(EXAMPLES)}, log) as process:
        yield request.param, process.port


@pytest.fixture
def port(server):
    """The port; afterwards the server has to serve the next one."""
    yield server[1]
    with connect(f"ws://127.0.0.1:{server[1]}") as ws:
        ws.send("still there?")
        assert ws.recv(20) == "still there?"


# -- framing, fragmentation, UTF-8


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize(
    "message", ["hello", "", "κόσμε \U0001f3fa", b"\x00\xff", b"", "x" * 125, "x" * 126, b"x" * 65_535, b"x" * LIMIT]
)
def test_messages_come_back_as_they_were(port, compression, message):
    with connect(f"ws://127.0.0.1:{port}", compression=compression, max_size=LIMIT) as ws:
        ws.send(message)
        assert ws.recv(20) == message


FRAGMENTS = {
    "of text": [frame(TEXT, b"a", fin=False), frame(CONTINUATION, b"b", fin=False), frame(CONTINUATION, b"c")],
    "with empty ones": [frame(TEXT, fin=False), frame(CONTINUATION, b"abc", fin=False), frame(CONTINUATION)],
    "within a character": [frame(TEXT, b"\xce", fin=False), frame(CONTINUATION, b"\xba")],
    "in single bytes": [bytes([byte]) for byte in frame(TEXT, b"abc")],
}


@pytest.mark.parametrize("case", FRAGMENTS)
def test_fragments_are_one_message(port, case):
    with RawWebSocket(port) as ws:
        for part in FRAGMENTS[case]:
            ws.send(part)
        assert ws.frame() == (TEXT, "κ".encode() if case == "within a character" else b"abc")


def test_pings_are_answered_between_fragments(port):
    with RawWebSocket(port) as ws:
        ws.send(frame(BINARY, b"a", fin=False) + frame(PING, b"there?") + frame(CONTINUATION, b"b"))
        assert [ws.frame(), ws.frame()] == [(PONG, b"there?"), (BINARY, b"ab")]


def test_pings_are_answered_and_pongs_are_not(port):
    payloads = [b"", b"x" * 125, b"\xff\xfe"]
    with RawWebSocket(port) as ws:
        for payload in payloads:
            ws.send(frame(PONG, b"nobody asked") + frame(PING, payload))
            assert ws.frame() == (PONG, payload)


FORBIDDEN = {
    "a reserved bit, 1": frame(TEXT, b"x", rsv=4),
    "a reserved bit, 2": frame(BINARY, b"x", rsv=2),
    "a reserved bit in a ping": frame(PING, b"x", rsv=1),
    **{f"opcode {opcode}": frame(opcode, b"x") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "no mask": frame(TEXT, b"x", masked=False),
    "a continuation of nothing": frame(CONTINUATION, b"x"),
    "the end of nothing": frame(CONTINUATION, b"x", fin=False),
    "a message within a message": frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"),
    "a ping in fragments": frame(PING, b"x", fin=False) + frame(CONTINUATION, b"y"),
    "a close in fragments": frame(CLOSE, b"\x03\xe8", fin=False),
    "a ping of 126 bytes": frame(PING, b"x" * 126),
    "a close of 126 bytes": close(1000, b"x" * 124),
    "a length of over 63 bits": frame(TEXT, b"x", length=1 << 63),
    "half a close code": frame(CLOSE, b"\x03"),
    "a close reason that is no UTF-8": close(1000, b"\xce\xba\xed\xa0\x80"),
    **{f"close code {code}": close(code) for code in (0, 999, 1004, 1005, 1006, 1016, 2999, 5000, 65535)},
}
NO_UTF_8 = {
    "a stray byte": b"\xff",
    "half a character": b"\xce",
    "a surrogate": b"\xed\xa0\x80",
    "too long a form": b"\xc0\xaf",
    "beyond the last character": b"\xf4\x90\x80\x80",
}


@pytest.mark.parametrize("case", FORBIDDEN)
def test_what_breaks_the_protocol_ends_it(port, case):
    with RawWebSocket(port) as ws:
        ws.send(FORBIDDEN[case])
        assert codes(ws.frames()) <= {None, 1002, 1007, 1009}


@pytest.mark.parametrize("fragmented", [False, True])
@pytest.mark.parametrize("case", NO_UTF_8)
def test_text_that_is_no_utf_8_ends_it(port, case, fragmented):
    text = NO_UTF_8[case]
    with RawWebSocket(port) as ws:
        if fragmented:
            ws.send(frame(TEXT, b"good", fin=False) + frame(CONTINUATION, text))
        else:
            ws.send(frame(TEXT, text))
        assert codes(ws.frames()) <= {None, 1007}


def codes(frames):
    """The codes of the frames, all of which must close; None for an empty one."""
    assert [opcode for opcode, _ in frames if opcode != CLOSE] == []
    assert len(frames) <= 1
    return {int.from_bytes(payload[:2]) if payload else None for _, payload in frames}


# -- closing


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
def test_a_close_is_answered_with_its_code(port, code):
    with RawWebSocket(port) as ws:
        ws.send(close(code, b"r" * 123))
        assert codes(ws.frames()) == {code}


def test_a_close_without_a_code_is_answered(port):
    with RawWebSocket(port) as ws:
        ws.send(frame(CLOSE))
        assert codes(ws.frames()) <= {None, 1000}


def test_nothing_is_answered_after_a_close(port):
    with RawWebSocket(port) as ws:
        ws.send(close(1000) + frame(TEXT, b"late") + frame(PING))
        assert codes(ws.frames()) == {1000}


# -- limits


@pytest.mark.parametrize("pieces", [1, 16])
def test_a_message_over_the_limit_ends_it(port, pieces):
    size = LIMIT // pieces + 1
    with RawWebSocket(port) as ws:
        for number in range(pieces):
            ws.send(frame(BINARY if number == 0 else CONTINUATION, b"x" * size, fin=number == pieces - 1))
        assert codes(ws.frames()) == {1009}


def test_a_compressed_message_is_measured_as_it_is(port):
    with connect(f"ws://127.0.0.1:{port}") as ws:
        ws.send(b"\0" * (LIMIT + 1))
        with pytest.raises(ConnectionClosed) as caught:
            ws.recv(20)
    assert caught.value.rcvd.code == 1009


def test_a_frame_that_promises_a_terabyte_ends_it(port, server):
    if server[0] == "hypercorn":
        pytest.skip("it counts the bytes as they come, and waits for them")
    with RawWebSocket(port) as ws:
        ws.send(frame(BINARY, b"x", length=1 << 40))
        assert codes(ws.frames()) <= {None, 1002, 1009}


# -- the handshake


def test_the_first_subprotocol_that_is_offered_is_taken(port):
    with RawWebSocket(port, Sec_WebSocket_Protocol="chat.v2, chat") as ws:
        assert (ws.status, ws.headers["sec-websocket-protocol"]) == (101, "chat.v2")
    with RawWebSocket(port) as ws:
        assert "sec-websocket-protocol" not in ws.headers


def test_the_key_is_answered(port):
    with RawWebSocket(port) as ws:
        assert ws.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 §1.3


@pytest.mark.parametrize("offer", ["permessage-deflate", "permessage-deflate; client_max_window_bits=99", "x-own; a=1"])
def test_extensions_are_taken_or_left(port, offer):
    with RawWebSocket(port, Sec_WebSocket_Extensions=offer) as ws:
        taken = ws.headers.get("sec-websocket-extensions", "")
        assert (ws.status, taken.partition(";")[0].strip()) in [(101, ""), (101, "permessage-deflate"), (400, "")]


@pytest.mark.parametrize(
    "headers",
    [{"Sec_WebSocket_Key": None}, {"Sec_WebSocket_Version": "12"}, {"Sec_WebSocket_Version": None}],
    ids=["no key", "old version", "no version"],
)
def test_a_handshake_that_is_none_opens_nothing(port, headers):
    with RawWebSocket(port, **headers) as ws:
        assert ws.status != 101
