"""The gallery on a folder of its own, reached by the test client or served by a real process."""

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from examples.gallery import create_app

ROOT = Path(__file__).parents[2]


def png(width: int = 4, height: int = 4) -> bytes:
    """A small picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xb4\x55\x2d" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def app(tmp_path):
    return create_app({"TESTING": True, "INSTANCE": str(tmp_path), "SAMPLES": False})


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def ada(client):
    """A client that is signed in as ada."""
    client.post("/sign-up", data={"name": "ada", "password": "a long password"})
    return client


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def commands(port: int) -> dict[str, list[str]]:
    """How the gallery is served: by `costrel run` over ASGI, and by gunicorn over WSGI."""
    return {
        "costrel": [sys.executable, "-m", "costrel", "--app", "examples/gallery", "run", "--port", str(port)],
        "gunicorn": [
            *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "4"),
            "examples.gallery:create_app()",
        ],
    }


@pytest.fixture(params=["costrel", "gunicorn"])
def address(request, tmp_path) -> Iterator[str]:
    """The address of a gallery that a real server serves; the server ends with the test."""
    port = free_port()
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples", project / "examples", ignore=shutil.ignore_patterns("instance", "__pycache__"))
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(commands(port)[request.param], cwd=project, env=environ, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: answers(port), process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=10)
        if process.poll() is None:
            process.kill()
            process.communicate()


def answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/api/pictures")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"The server ended: {process.communicate()[1].decode()}")
        if ready():
            return
        time.sleep(0.05)
    pytest.fail("The server did not answer in time.")
