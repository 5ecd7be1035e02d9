"""The gallery on a folder of its own, reached by the test client or served by a real process."""

import contextlib
import os
import shutil
import struct
import sys
import zlib
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from examples.gallery import create_app
from selenium import webdriver
from selenium.webdriver.common.by import By

from ..processes import LoggedProcess, wait_until
from ..redis_servers import RedisServer, running_redis

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


def costrel(*arguments: str) -> list[str]:
    """A command of Costrel's for the gallery."""
    return [sys.executable, "-m", "costrel", "--app", "examples/gallery", *arguments]


RUN = costrel("run", "--port", "0")
SERVE = costrel("serve", "--workers", "2", "--bind", "127.0.0.1:0", "--grace", "2")
GUNICORN = [
    *(sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--threads", "4"),
    "examples.gallery:create_app()",
]


class Served(LoggedProcess):
    """A gallery that a real server serves, with a copy of its own."""

    def __init__(self, folder: Path, command: list[str], environ: dict[str, str]) -> None:
        self.folder = folder
        project = folder / "project"
        left_out = shutil.ignore_patterns("instance", "__pycache__")
        shutil.copytree(ROOT / "examples", project / "examples", ignore=left_out)
        inherited = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
        path = {"PYTHONPATH": f"{ROOT / 'src'}:{project}"}
        super().__init__(command, project, inherited | path | environ, folder / "log.txt")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def serving(folder: Path, command: list[str], **environ: str) -> Iterator[Served]:
    """Serve a copy of the gallery, with a database of its own; the server ends with the block."""
    with Served(folder, command, environ) as served:
        wait_until(lambda: answers(served), "the server answers")
        yield served


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
        pytest.fail(f"The server ended:\n{served.text()}")
    connection = HTTPConnection("127.0.0.1", served.port, timeout=2)
    try:
        connection.request("GET", "/api/pictures")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server
