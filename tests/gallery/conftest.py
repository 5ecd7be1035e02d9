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
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest
from examples.gallery import create_app
from selenium import webdriver
from selenium.webdriver.common.by import By

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


def costrel(*arguments: str) -> list[str]:
    """A command of Costrel's for the gallery; ``{port}`` stands for the port."""
    return [sys.executable, "-m", "costrel", "--app", "examples/gallery", *arguments]


RUN = costrel("run", "--port", "{port}")
SERVE = costrel("serve", "--workers", "2", "--bind", "127.0.0.1:{port}", "--grace", "2")
GUNICORN = [
    *(sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--threads", "4"),
    "examples.gallery:create_app()",
]


@dataclass
class Served:
    """A gallery that a real server serves."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()


@contextlib.contextmanager
def serving(folder: Path, command: list[str], **environ: str) -> Iterator[Served]:
    """Serve a copy of the gallery, with a database of its own; the server ends with the block."""
    port = free_port()
    project = folder / "project"
    shutil.copytree(ROOT / "examples", project / "examples", ignore=shutil.ignore_patterns("instance", "__pycache__"))
    inherited = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [part.format(port=port) for part in command],
            cwd=project,
            env={**inherited, "PYTHONPATH": f"{ROOT / 'src'}:{project}", **environ},
            stdout=log,
            stderr=log,
        )
    served = Served(port, process, folder)
    try:
        wait_until(lambda: answers(served), "the server did not answer in time")
        yield served
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()
        process.wait()


@pytest.fixture(params=["costrel", "gunicorn"])
def address(request, tmp_path) -> Iterator[str]:
    """The address of a gallery on `costrel run` over ASGI, and on gunicorn over WSGI."""
    with serving(tmp_path, RUN if request.param == "costrel" else GUNICORN) as served:
        yield served.address


def fill(browser: webdriver.Chrome, **fields: str) -> None:
    """Fill in the form of a page, and send it."""
    for name, value in fields.items():
        browser.find_element(By.NAME, name).send_keys(value)
    browser.find_element(By.CSS_SELECTOR, "main form button.button").click()


def answers(served: Served) -> bool:
    if served.process.poll() is not None:
        pytest.fail(f"The server ended:\n{served.log}")
    connection = HTTPConnection("127.0.0.1", served.port, timeout=2)
    try:
        connection.request("GET", "/api/pictures")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until(ready: Callable[[], bool], problem: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(0.05)
    pytest.fail(problem)


class Redis:
    """A redis-server on a free port of this computer, which keeps nothing when it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", self.folder]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, "redis-server did not start")

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
        except OSError:
            return False
        return True

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis(tmp_path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        if os.environ.get("COSTREL_TEST_REDIS") == "required":
            pytest.fail("redis-server is not installed, and COSTREL_TEST_REDIS=required")
        pytest.skip("needs redis-server (Debian: apt-get install redis-server)")
    server = Redis(tmp_path)
    try:
        yield server
    finally:
        server.end()
