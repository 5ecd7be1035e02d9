"""`costrel serve` as a process that the tests of faults start, look into and end; other servers likewise."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import sys
import tempfile
import threading
import typing as t
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ..processes import PATIENCE, LoggedProcess, children, environ, wait_until

HERE = Path(__file__).parent


GRACE = 90
"""What requests at the end get in seconds. More than PATIENCE: a test that waits for the end fails by itself."""


class Server(LoggedProcess):
    """A server's process, in a folder of its own; its output is in the file `log`."""

    def __init__(self, command: list[str], folder: Path, **variables: str) -> None:
        self.folder = folder
        variables = {"PYTHONPATH": str(HERE), "COSTREL_SERVE_GRACE": str(GRACE), **variables}
        super().__init__(command, folder, environ(**variables), folder / "log.txt")

    # -- what it did

    def notes(self) -> list[str]:
        """What the application noted, in order."""
        path = self.folder / "notes.txt"
        return path.read_text().splitlines() if path.exists() else []

    def wait_for_note(self, text: str, times: int = 1, patience: float = PATIENCE) -> float:
        return wait_until(lambda: self.notes().count(text) >= times, f"the note {text!r} in {self.notes()}", patience)

    # -- its workers, as the system sees them

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        return [child for child in children(self.process.pid) if "resource_tracker" not in _command(child)]

    def rss(self) -> int:
        """Bytes of memory that the workers have."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.workers())
        return pages * os.sysconf("SC_PAGE_SIZE")

    def sizes(self) -> dict[int, int]:
        """Bytes that the supervising process and each worker have of their own, by process id."""
        return {pid: own_memory(pid) for pid in (self.process.pid, *self.workers())}

    def cpu(self) -> float:
        """Seconds of processor time that the workers have taken."""
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.workers()]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")

    def threads(self) -> int:
        return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in self.workers())

    def open_files(self) -> list[str]:
        """What the workers have open; files without a name end in "(deleted)"."""
        found = []
        for pid in self.workers():
            for number in os.listdir(f"/proc/{pid}/fd"):
                with suppress(FileNotFoundError):
                    found.append(os.readlink(f"/proc/{pid}/fd/{number}"))
        return found

    def temporary_files(self) -> list[str]:
        """The unnamed files that the workers have open: current uploads, or leaks."""
        return [path for path in self.open_files() if path.endswith("(deleted)")]

    # -- requests

    def connect(self, timeout: float = PATIENCE) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def ask(self, path: str = "/", method: str = "GET", body: t.Any = None, **headers: str) -> tuple[int, bytes]:
        """The status and body of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def state(self) -> dict[str, int]:
        """What the worker that answers holds."""
        found: dict[str, int] = json.loads(self.ask("/state")[1])
        return found

    def exchange(self, data: bytes, shut: bool = False) -> bytes:
        """All that comes for these bytes until the end of the connection; a reset shows as ``<RESET>``."""
        with self.connect() as connection:
            connection.sendall(data)
            if shut:
                connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    def send_body(self, path: str, body: bytes, content_type: str = "application/octet-stream") -> tuple[int, bytes]:
        """Status and body of an answer that may come, with the end of the connection, while the body is still sent."""
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"

        def send() -> None:
            with suppress(ConnectionError):
                connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)

        with self.connect() as connection:
            sending = threading.Thread(target=send)
            sending.start()
            answer = read_all(connection)
            sending.join()
        return int(answer[9:12] or 0), answer.partition(b"\r\n\r\n")[2]


def own_memory(pid: int) -> int:
    """Bytes of memory without the pages of files, which the system drops and reads again as it likes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return sum(int(size) * 1024 for size in re.findall(r"^(?:RssAnon|VmSwap):\s+(\d+) kB$", status, re.MULTILINE))


def limited(option: str) -> Sequence[str]:
    """For `through`: a command that runs another one with less, as ``ulimit`` says it (``-n 64``)."""
    return ("sh", "-c", f'ulimit {option} && exec "$0" "$@"')


def read_all(connection: socket.socket) -> bytes:
    """What comes until the end of a connection; a reset shows as ``<RESET>``."""
    received = b""
    try:
        while data := connection.recv(65_536):
            received += data
    except (ConnectionResetError, BrokenPipeError):
        received += b"<RESET>"
    return received


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return "resource_tracker"  # it has just ended


@contextmanager
def served(
    *arguments: str,
    app: str = "fault_app:app",
    workers: int = 1,
    folder: Path | None = None,
    through: Sequence[str] = (),
    **variables: str,
) -> Iterator[Server]:
    """`costrel serve` on a free port until the block ends; `through` is a command that starts another one."""
    with tempfile.TemporaryDirectory() as made:
        options = ["--bind", "127.0.0.1:0", "--workers", str(workers), *arguments]
        command = [*through, sys.executable, "-m", "costrel", "serve", app, *options]
        with Server(command, folder or Path(made), **variables) as server:
            server.wait_for("Serving, with the processes")
            yield server


DEVELOPMENT = """
from costrel.devserver.wsgi_serving import run_simple
from costrel.support.importing import import_string
run_simple("127.0.0.1", 0, import_string("{app}"), threaded=True)
"""

OTHERS: dict[str, list[str]] = {
    "uvicorn": ["-m", "uvicorn", "--port", "0", "--no-access-log", "{app}.asgi"],
    "gunicorn": ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--threads", "4", "{app}"],
    "waitress": ["-m", "waitress", "--listen", "127.0.0.1:0", "{app}"],
    "development": ["-c", DEVELOPMENT],
}
"""Other servers of the same application; "development" is the one that stands for werkzeug.serving."""


@contextmanager
def served_by(name: str, folder: Path, app: str = "fault_app:app", **variables: str) -> Iterator[Server]:
    """Another server on a free port until the block ends."""
    command = [sys.executable, *(part.format(app=app) for part in OTHERS[name])]
    with Server(command, folder, **variables) as server:
        wait_until(lambda: _answers(server), f"{name} answers")
        yield server


def _answers(server: Server) -> bool:
    try:
        return server.ask("/")[0] > 0
    except OSError:
        return False
