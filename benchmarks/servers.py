"""Server processes for the figures that need them: started on a separate core, watched, and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
SERVER_CORE, LOAD_CORE = 0, (os.cpu_count() or 1) - 1
START_SECONDS = 30

GRANIAN = [
    str(BIN / "granian"), "--host", "127.0.0.1", "--port", "{port}", "--workers", "1", "--no-ws",
    "--log-level", "warning",
]  # fmt: skip
COMMANDS = {
    "costrel serve": [
        str(BIN / "costrel"), "serve", "{app}", "--bind", "127.0.0.1:{port}", "--workers", "1", "--no-access-log",
    ],
    "costrel serve, access log": [
        str(BIN / "costrel"), "serve", "{app}", "--bind", "127.0.0.1:{port}", "--workers", "1",
    ],
    "granian wsgi": [*GRANIAN, "--interface", "wsgi", "--blocking-threads", "32", "{app}"],
    "granian asgi": [*GRANIAN, "--interface", "asgi", "{app}"],
    "gunicorn": [
        str(BIN / "gunicorn"), "--bind", "127.0.0.1:{port}", "--workers", "1", "--threads", "8",
        "--log-level", "warning", "{app}",
    ],
    "uvicorn": [
        str(BIN / "uvicorn"), "--host", "127.0.0.1", "--port", "{port}", "--workers", "1", "--log-level", "warning",
        "--no-access-log", "{app}",
    ],
    "hypercorn": [str(BIN / "hypercorn"), "--bind", "127.0.0.1:{port}", "--workers", "1", "{app}"],
}  # fmt: skip
"""How each server is started: one worker, no log of requests."""

LOGGING = {
    "costrel serve": lambda command: [word for word in command if word != "--no-access-log"],
    "granian wsgi": lambda command: [*command[:-1], "--log-level", "info", "--access-log", command[-1]],
    "granian asgi": lambda command: [*command[:-1], "--log-level", "info", "--access-log", command[-1]],
    "gunicorn": lambda command: [*command[:-1], "--access-logfile", "-", command[-1]],
    "uvicorn": lambda command: [*command[:-4], "--log-level", "info", "--access-log", command[-1]],
    "hypercorn": lambda command: [*command[:-1], "--access-logfile", "-", command[-1]],
}
"""The same commands with a log of requests on standard output."""


@dataclass(frozen=True)
class Server:
    """A server that listens on `port`; `pid` is its first process."""

    pid: int
    port: int

    def workers(self) -> list[int]:
        """The children of the first process, or the first process if it has none."""
        return _descendants(self.pid) or [self.pid]

    def memory(self) -> int:
        """Bytes of memory that its largest process holds now."""
        return max(_status(pid, "VmRSS") for pid in self.workers())

    def peak(self) -> int:
        """Bytes of memory that its largest process has held at most, since `forget_peak`."""
        return max(_status(pid, "VmHWM") for pid in self.workers())

    def forget_peak(self) -> None:
        for pid in self.workers():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def cpu_seconds(self) -> float:
        """The processor time that all of its processes have used."""
        ticks = 0
        for pid in {self.pid, *self.workers()}:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def _status(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    return 0


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_descendants(int(child))]
    # Python's resource tracker is not a process of the server.
    return [each for each in found if b"resource_tracker" not in Path(f"/proc/{each}/cmdline").read_bytes()]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def pinned(command: list[str], core: int | None) -> list[str]:
    """The command, on one core; on all cores if `core` is None, or if the system does not support it."""
    return command if core is None or not shutil.which("taskset") else ["taskset", "-c", str(core), *command]


@contextmanager
def serving(
    kind: str, app: str, core: int | None = SERVER_CORE, workers: int = 1, logs: bool = False
) -> Iterator[Server]:
    """The application named ``module:name`` on a server of COMMANDS, until the block ends.

    Raises RuntimeError, with the output of the server, if it does not answer in time.
    """
    port = free_port()
    words = LOGGING[kind](COMMANDS[kind]) if logs else COMMANDS[kind]
    command = [word.format(app=app, port=port) for word in words]
    if workers != 1:
        command[command.index("--workers") + 1] = str(workers)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            pinned(command, core), stdout=subprocess.DEVNULL, stderr=output, start_new_session=True
        )
        try:
            _wait_until_it_listens(process, port, output)
            yield Server(process.pid, port)
        finally:
            _end(process)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, output: object) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as sock:
                sock.settimeout(2)
                sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if sock.recv(1):
                    return
        except OSError:
            time.sleep(0.05)
    output.seek(0)  # type: ignore[attr-defined]  # a temporary file
    raise RuntimeError(f"The server does not answer: {output.read().decode(errors='replace')[-2000:]}")  # type: ignore[attr-defined]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server with all of its processes: they are a group of their own."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
