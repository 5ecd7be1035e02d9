"""Random requests of all kinds, sent as fast as the server accepts them."""

from __future__ import annotations

import http.client
import itertools
import socket
import struct
import typing as t
from collections import Counter
from contextlib import suppress

from websockets.sync.client import connect

from ..processes import PATIENCE
from .clients import Clients
from .processes import Server

RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: the connection ends by a reset."""

BOUNDARY = "----boundary"


def form(size: int) -> bytes:
    """A multipart body with a file of `size` bytes."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    return head.encode() + b"x" * size + f"\r\n--{BOUNDARY}--\r\n".encode()


FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


class Traffic(Clients):
    """Clients that ask for all kinds of things. `counted` has how many of each kind were answered as they should be."""

    def __init__(
        self, server: Server, clients: int = 4, pause: float = 0.0, kinds: t.Sequence[Kind] | None = None
    ) -> None:
        super().__init__(server, clients, pause)
        self.kinds = KINDS if kinds is None else kinds
        self.counted: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self._numbers = itertools.count()

    def run(self) -> None:
        while not self.stopped.wait(self.pause):
            number = next(self._numbers)
            kind = self.kinds[number % len(self.kinds)]
            try:
                kind(self, number)
                self.counted[kind.__name__] += 1
            except Exception as error:
                self.unexpected.append(f"{kind.__name__}: {type(error).__name__}: {error}")

    def had_all(self) -> bool:
        """Whether there was each kind of request, three times or more."""
        return all(self.counted[kind.__name__] >= 3 for kind in self.kinds)

    def _ask(self, expected: int, path: str, method: str = "GET", body: t.Any = None, **headers: str) -> None:
        status, _ = self.server.ask(path, method, body, **headers)
        if status != expected:
            raise AssertionError(f"{method} {path} is answered by {status}, not by {expected}")

    def plain(self, number: int) -> None:
        """Several requests on one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        try:
            for _ in range(10):
                connection.request("GET", "/")
                if (answer := connection.getresponse().read()) != b"hello":
                    raise AssertionError(answer)
        finally:
            connection.close()

    def unique(self, number: int) -> None:
        self._ask(200, f"/unique/{number}", X_Unique=f"u{number}", Cookie=f"unique={number}", Host=f"h{number}.example")

    def nowhere(self, number: int) -> None:
        self._ask(404, f"/nowhere/{number}")

    def page(self, number: int) -> None:
        self._ask(200, "/page")

    def session(self, number: int) -> None:
        self._ask(200, "/count", Cookie=f"session=not-signed-{number}")

    def upload(self, number: int) -> None:
        self._ask(200, "/upload", "POST", form(700_000), Content_Type=FORM_TYPE)

    def upload_async(self, number: int) -> None:
        self._ask(200, "/upload-async", "POST", form(700_000), Content_Type=FORM_TYPE)

    def bad_form(self, number: int) -> None:
        self._ask(400, "/upload", "POST", form(10_000)[:-10], Content_Type=FORM_TYPE)

    def too_large(self, number: int) -> None:
        head = b"POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\nConnection: close\r\n\r\n"
        if b" 413 " not in self.server.exchange(head)[:20]:
            raise AssertionError("a body over the limit was not refused")

    def leaves_upload(self, number: int) -> None:
        body = form(1_000_000)
        head = f"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
        with self.server.connect() as connection:
            connection.sendall(head.encode() + body[: number * 7919 % len(body)])
            _end(connection, reset=number % 2 == 0)

    def leaves_download(self, number: int) -> None:
        with self.server.connect() as connection:
            connection.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            connection.recv(100)
            _end(connection, reset=number % 2 == 0)

    def leaves_view(self, number: int) -> None:
        with self.server.connect() as connection:
            connection.sendall(b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n")

    def download(self, number: int) -> None:
        self._ask(200, "/file/300000")

    def fails(self, number: int) -> None:
        with suppress(http.client.IncompleteRead, ConnectionError):
            self._ask(200, "/fails/raise")
            raise AssertionError("a stream that failed looked whole")

    def nonsense(self, number: int) -> None:
        self.server.exchange(b"\x16\x03\x01 nonsense\r\n\r\n")

    def echo(self, number: int) -> None:
        with connect(f"ws://127.0.0.1:{self.server.port}/echo") as websocket:
            websocket.send(f"message {number}")
            if websocket.recv(PATIENCE) != f"message {number}":
                raise AssertionError("another message came back")


def _end(connection: socket.socket, reset: bool) -> None:
    """End a connection in order, or by a reset."""
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


Kind: t.TypeAlias = t.Callable[[Traffic, int], None]

KINDS: t.Final = [
    Traffic.plain,
    Traffic.unique,
    Traffic.nowhere,
    Traffic.page,
    Traffic.session,
    Traffic.upload,
    Traffic.bad_form,
    Traffic.unique,
    Traffic.too_large,
    Traffic.leaves_upload,
    Traffic.plain,
    Traffic.leaves_download,
    Traffic.upload_async,
    Traffic.unique,
    Traffic.leaves_view,
    Traffic.download,
    Traffic.fails,
    Traffic.nonsense,
    Traffic.echo,
]
"""In the order in which they come, again and again."""

NO_WSGI: t.Final = [Traffic.leaves_view, Traffic.echo]
"""What a server of WSGI applications does not have: it notices no client that leaves, and no WebSocket."""
