"""A WebSocket client that can send any bytes, including those that RFC 6455 forbids."""

import contextlib
import socket
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
HANDSHAKE = {
    "Host": "127.0.0.1",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
MASK = b"\x37\xfa\x21\x3d"
PATIENCE = 20.0


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True, length: int | None = None
) -> bytes:
    """One frame; `length` replaces the real length in its head."""
    size = len(payload) if length is None else length
    first = fin << 7 | rsv << 4 | opcode
    if size < 126:
        head = struct.pack("!BB", first, masked << 7 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, masked << 7 | 126, size)
    else:
        head = struct.pack("!BBQ", first, masked << 7 | 127, size)
    return head + (MASK + mask(payload) if masked else payload)


def mask(payload: bytes) -> bytes:
    key = (MASK * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(len(payload))


def close(code: int, reason: bytes = b"") -> bytes:
    """A frame that closes with a code."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


class RawWebSocket:
    """One connection. The handshake is made at once; `status` and `headers` are the server's answer to it."""

    def __init__(self, port: int, **headers: str | None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.buffer = b""
        given = HANDSHAKE | {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{name}: {value}" for name, value in given.items() if value is not None]
        self.send("\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode())
        status, *answered = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in answered)}

    def __enter__(self) -> "RawWebSocket":
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes, unless the server has already closed the connection."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)

    def frame(self) -> tuple[int, bytes] | None:
        """The opcode and the payload of the next frame; None at the end of the connection."""
        try:
            first, second = self._read(2)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(self._read(2 if size == 126 else 8))
            assert (first & 0x70, second & 0x80) == (0, 0), "a server sends no reserved bits and no masks"
            return first & 0x0F, self._read(size)
        except (ConnectionError, EOFError):
            return None

    def frames(self) -> list[tuple[int, bytes]]:
        """All frames to the end of the connection, which the server has to bring about."""
        found = []
        while (received := self.frame()) is not None:
            found.append(received)
            if received[0] == CLOSE:
                self.send(frame(CLOSE, received[1]))
        return found

    def _read(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def _until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            self._more()
        data, _, self.buffer = self.buffer.partition(end)
        return data

    def _more(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError
        self.buffer += data
