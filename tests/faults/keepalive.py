"""Keep-alive clients, directly and through nginx, over HTTP/1.1 and HTTP/2; all requests are counted."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import threading
import time
import typing as t
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import h2.config
import h2.connection
import h2.events

from ..processes import PATIENCE, wait_until
from .clients import Threads

PATHS = ("/mirror", "/mirror-async")


class KeepAlive(Threads):
    """Threads that post numbered bodies on one connection each until the block ends, and compare the answers."""

    def __init__(self, port: int, clients: int = 12, pause: float = 0.0, unix: str | None = None) -> None:
        self.port = port
        self.pause = pause
        self.unix = unix
        self.answered = 0
        self.parted = 0
        """How often a server has ended a connection in agreement."""
        self.lost: Counter[str] = Counter()
        self._lock = threading.Lock()
        super().__init__(partial(self._run, number) for number in range(clients))

    def wait_for(self, requests: int, patience: float = PATIENCE) -> None:
        """Wait until so many requests were answered."""
        wait_until(lambda: self.answered >= requests, f"{requests} answers", patience)

    def _run(self, client: int) -> None:
        connection = self.connection()
        number = 0
        while not self.stopped.wait(self.pause):
            number += 1
            body = f"{client}-{number}-{'x' * 100}".encode()
            try:
                status, answer, ends = self.ask(connection, PATHS[number % 2], body)
            except (OSError, http.client.HTTPException) as error:
                self._lose(repr(error))
                ends = True
            else:
                if (status, answer) != (200, body):
                    self._lose(f"status {status}")
                with self._lock:
                    self.answered += 1
                    self.parted += ends
            if ends:
                connection.close()
                connection = self.connection()
        connection.close()

    def _lose(self, why: str) -> None:
        with self._lock:
            self.lost[why] += 1

    def connection(self) -> t.Any:
        """A new connection, which is opened with its first request."""
        if self.unix is not None:
            return UnixConnection(self.unix)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(self, connection: t.Any, path: str, body: bytes) -> tuple[int, bytes, bool]:
        """Status and body of the answer, and whether the server ends the connection with it."""
        connection.request("POST", path, body, {"Content-Type": "application/octet-stream"})
        response = connection.getresponse()
        return response.status, response.read(), response.will_close


class UnixConnection(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self) -> None:
        """Connect to the path."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


class KeepAlive2(KeepAlive):
    """The same over HTTP/2 without TLS. A request after the last one that the server takes is sent again (RFC 9113)."""

    def connection(self) -> Connection2:
        """A new connection."""
        return Connection2(self.port)

    def ask(self, connection: Connection2, path: str, body: bytes) -> tuple[int, bytes, bool]:
        """As above."""
        status, answer = connection.ask(path, body)
        if status == AGAIN:
            with Connection2(self.port) as another:
                status, answer = another.ask(path, body)
        return status, answer, connection.is_ending


AGAIN = -1


class _Http2(h2.connection.H2Connection):
    def _receive_goaway_frame(self, frame: t.Any) -> tuple[list[t.Any], list[h2.events.Event]]:
        # The library gives up the connection, although requests up to the last stream are still answered (§6.8).
        event = h2.events.ConnectionTerminated()
        event.last_stream_id = frame.last_stream_id
        return [], [event]


class Connection2:
    """One HTTP/2 connection with a request at a time."""

    def __init__(self, port: int) -> None:
        self.is_ending = False
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._http = _Http2(h2.config.H2Configuration(client_side=True))
        self._http.initiate_connection()
        self._flush()

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def ask(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; the status AGAIN if the server has not taken the request."""
        stream = self._http.get_next_available_stream_id()
        head = {":method": "POST", ":path": path, ":scheme": "http", ":authority": "localhost"}
        self._http.send_headers(stream, [*head.items(), ("content-length", str(len(body)))])
        self._http.send_data(stream, body, end_stream=True)
        self._flush()
        status, answer = 0, b""
        while data := self._sock.recv(65_536):
            for event in self._http.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers)[b":status"])
                elif isinstance(event, h2.events.DataReceived):
                    answer += event.data
                    self._http.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, h2.events.ConnectionTerminated):
                    self.is_ending = True
                    if stream > (event.last_stream_id or 0):
                        return AGAIN, b""
                elif isinstance(event, h2.events.StreamEnded):
                    with suppress(OSError):  # acknowledgements alone
                        self._flush()
                    return status, answer
            self._flush()
        raise ConnectionError("the connection has ended")

    def ping(self) -> None:
        """Send a PING, and read the received data. Raises OSError if the connection has ended."""
        self._http.ping(b"12345678")
        self._flush()
        with suppress(BlockingIOError):
            if not self._sock.recv(65_536, socket.MSG_DONTWAIT):
                raise ConnectionError("the connection has ended")

    def _flush(self) -> None:
        self._sock.sendall(self._http.data_to_send())

    def close(self) -> None:
        """Close it."""
        self._sock.close()


NGINX = """\
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 1000000;
    client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    upstream application {{ {servers} keepalive 16; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://application; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header Host $host;
        }}
    }}
}}
"""

NGINX_COMMAND = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@contextmanager
def nginx(folder: Path, servers: Sequence[str]) -> Iterator[int]:
    """nginx in front of these servers, until the block ends; its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "nginx.conf"
    listed = " ".join(f"server {server} max_fails=0;" for server in servers)
    config.write_text(NGINX.format(folder=folder, servers=listed, port=port))
    command = [str(NGINX_COMMAND), "-c", str(config), "-p", str(folder), "-e", str(folder / "start.err")]
    process = subprocess.Popen(command)
    try:
        wait_until(lambda: _accepts(port), "nginx accepts connections")
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        time.sleep(0.05)
        return False
    return True
