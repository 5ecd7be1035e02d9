"""The client's side of the served figures: wrk for requests a second, sockets for bodies and for mixed requests.

``python -m benchmarks.load upload|download|mixed PORT NUMBER`` is what the other parts start on a core of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any

from .scenarios import BY_NAME, Scenario
from .servers import LOAD_CORE, pinned

MIXED = [
    "hello", "json", "params", "form", "postjson", "upload", "session", "template", "static", "error404", "abort",
]  # fmt: skip
CONNECTIONS = 8
MEGABYTE = 2**20


def wrk(
    url: str,
    seconds: float,
    connections: int = 32,
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> dict[str, float]:
    """Requests a second and latencies in milliseconds, by wrk on LOAD_CORE; with a body, each is a POST.

    Raises RuntimeError without wrk, and for responses other than 200.
    """
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError(
            "wrk is not installed: it makes the load of the served figures (Debian: apt-get install wrk)."
        )
    command = [program, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "--timeout", "10s"]
    for name, value in headers:
        command += ["-H", f"{name}: {value}"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if body:
            script.write(f"wrk.method = 'POST'\nwrk.body = '{body.decode('ascii')}'\n")
            script.flush()
            command += ["-s", script.name]
        out = subprocess.run(
            pinned([*command, url], LOAD_CORE), check=True, stdout=subprocess.PIPE, text=True, timeout=seconds + 30
        ).stdout
    if wrong := re.search(r"(Non-2xx.*|Socket errors.*)", out):
        raise RuntimeError(f"{url}: {wrong[0]}")
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", out)
    requests = re.search(r"(\d+) requests in", out)
    latencies = dict(re.findall(r"(50|99)%\s+([\d.]+[mu]?s)", out))
    if per_second is None or requests is None:
        raise RuntimeError(f"wrk says nothing of requests a second: {out}")
    counts = {"per second": float(per_second[1]), "requests": float(requests[1])}
    return counts | {f"p{key}": _milliseconds(text) for key, text in latencies.items()}


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([mu]?s)", text).groups()  # type: ignore[union-attr]  # it was found by this
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def child(kind: str, port: int, number: int) -> dict[str, Any]:
    """Run one kind of load in a process on LOAD_CORE, and return its result."""
    command = pinned([sys.executable, "-m", "benchmarks.load", kind, str(port), str(number)], LOAD_CORE)
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=600).stdout
    return dict(json.loads(out))


class Connection:
    """One persistent connection that sends prepared requests, and reads responses with a Content-Length."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), 60)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> None:
        self.sock.sendall(request)

    def read(self) -> tuple[int, bytes]:
        """Status and body of the next answer."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        while len(body) < int(length[1] if length else 0):
            body += self._receive()
        return int(head.split(None, 2)[1]), body

    def _receive(self) -> bytes:
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("The server has closed the connection.")
        return data


def wire(scenario: Scenario) -> bytes:
    """A scenario as the bytes of an HTTP/1.1 request."""
    target = scenario.path + (f"?{scenario.query}" if scenario.query else "")
    headers = {"Host": "127.0.0.1", "Accept": "*/*", "User-Agent": "benchmark", **scenario.headers}
    if scenario.body:
        headers |= {"Content-Type": scenario.content_type, "Content-Length": str(len(scenario.body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{scenario.method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + scenario.body


def mixed(port: int, number: int) -> dict[str, Any]:
    """Send that many requests of all kinds over a few connections, and check the status of each response."""
    scenarios = [BY_NAME[name] for name in MIXED]
    requests = [wire(scenario) for scenario in scenarios]
    connections = [Connection(port) for _ in range(CONNECTIONS)]
    start, sent = time.perf_counter(), 0
    while sent < number:
        for i, connection in enumerate(connections):
            connection.send(requests[(sent + i) % len(requests)])
        for i, connection in enumerate(connections):
            scenario = scenarios[(sent + i) % len(requests)]
            status, body = connection.read()
            if status != scenario.status or scenario.contains not in body:
                raise RuntimeError(f"{scenario.name} is answered with {status}: {body[:200]!r}")
        sent += len(connections)
    return {"requests": sent, "seconds": time.perf_counter() - start}


def upload(port: int, size: int) -> dict[str, Any]:
    """Send a multipart form with one file of `size` bytes, and wait for the answer."""
    boundary = "costrel-benchmark"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n\r\n'.encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    content = os.urandom(MEGABYTE)
    connection = Connection(port)
    start = time.perf_counter()
    connection.send(
        f"POST /big-upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary={boundary}\r\n"
        f"Content-Length: {len(head) + size + len(tail)}\r\n\r\n".encode()
        + head
    )
    for _ in range(size // MEGABYTE):
        connection.send(content)
    connection.send(tail)
    status, body = connection.read()
    if (status, body) != (200, str(size).encode()):
        raise RuntimeError(f"The upload is answered with {status}: {body[:200]!r}")
    return {"seconds": time.perf_counter() - start}


def download(port: int, size: int) -> dict[str, Any]:
    """Read an answer of `size` bytes."""
    connection = Connection(port)
    buffer = bytearray(MEGABYTE)
    start = time.perf_counter()
    connection.send(b"GET /big-download HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection._receive()
    left = size - len(data.partition(b"\r\n\r\n")[2])
    while left > 0:
        number = connection.sock.recv_into(buffer)
        if not number:
            raise RuntimeError(f"The download ends {left} bytes too early.")
        left -= number
    return {"seconds": time.perf_counter() - start}


KINDS = {"mixed": mixed, "upload": upload, "download": download}

if __name__ == "__main__":
    kind, port, number = sys.argv[1:]
    print(json.dumps(KINDS[kind](int(port), int(number))))
