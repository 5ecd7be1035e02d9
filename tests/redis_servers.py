"""Redis for the tests that need one: a process of their own, which they may pause and end."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator

import pytest

from .processes import PATIENCE, free_port, wait_until

real_redis = pytest.mark.ci
"""The mark of tests for which Redis is started: `make test` leaves them to `make test-all`."""


def with_marks(stores: Iterable[str]) -> list[object]:
    """Parameters for the names of stores, those that need Redis with the mark."""
    return [pytest.param(name, marks=real_redis) if "redis" in name else name for name in stores]


class RedisServer:
    """A redis-server on a free port of this computer, which can store its data in a file."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        for attempt in range(5):
            self.port = free_port()
            self.start()
            if self.process.poll() is None:
                break
            assert attempt < 4, "redis-server finds the port in use each time"
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", self.folder]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.process.poll() is not None or self.answers(), "redis-server answers")

    def answers(self) -> bool:
        try:
            return self.command(b"PING") == b"+PONG\r\n"
        except OSError:
            return False

    def command(self, line: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(line + b"\r\n")
            return connection.recv(100)

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self, save: bool = False) -> None:
        if save:
            self.command(b"SAVE")
        self.go_on()
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A server until the block ends. Without one, the test is skipped, unless COSTREL_TEST_REDIS requires it."""
    if shutil.which("redis-server") is None:
        if os.environ.get("COSTREL_TEST_REDIS") == "required":
            pytest.fail("redis-server is not installed, and COSTREL_TEST_REDIS=required")
        pytest.skip("needs redis-server (Debian: apt-get install redis-server)")
    pytest.importorskip("redis")
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(folder)
        try:
            yield server
        finally:
            server.end()
