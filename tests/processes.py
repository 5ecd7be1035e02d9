"""Processes that a test starts: it can wait for their output, and they end with it."""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import threading
import time
import typing as t
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

PATIENCE = 30.0
"""Seconds that are waited for what should happen at once: several processes are slow to start on a busy computer."""

STEERING = ("COSTREL_", "FLASK_", "WERKZEUG_", "GRANIAN_", "FAULT_")
"""How the variables begin that would change what a server does."""


def environ(**variables: str) -> dict[str, str]:
    """The environment for a server: the current one, without variables for other servers."""
    return {name: value for name, value in os.environ.items() if not name.startswith(STEERING)} | variables


def wait_until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> float:
    """Wait for `condition`; the seconds that it took."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > patience:
            raise AssertionError(f"{what}: not within {patience} seconds")
        time.sleep(0.02)
    return time.monotonic() - begun


class Process:
    """A process whose lines can be waited for; it ends with the block."""

    def __init__(
        self,
        command: list[str],
        folder: Path,
        environ: Mapping[str, str],
        *,
        stdin: int = subprocess.DEVNULL,
        stderr: int = subprocess.PIPE,
    ) -> None:
        self.popen = subprocess.Popen(
            command,
            cwd=folder,
            # A process that hangs says where when it is sent SIGABRT.
            env={"PYTHONFAULTHANDLER": "1", **environ},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        self.lines: list[str] = []
        """What it wrote to standard error (or both, where that is standard output), as far as it was waited for."""
        self.output: list[str] = []
        """What it wrote to standard output alone."""
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        log = self.popen.stderr or self.popen.stdout
        self._readers = [threading.Thread(target=self._read_log, args=[log])]
        if log is not self.popen.stdout:
            self._readers.append(threading.Thread(target=self._read_output, args=[self.popen.stdout]))
        for reader in self._readers:
            reader.start()

    def _read_log(self, stream: t.IO[str]) -> None:
        for line in stream:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def _read_output(self, stream: t.IO[str]) -> None:
        self.output.extend(line.rstrip("\n") for line in stream)

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.popen.poll() is None:
            self.popen.kill()  # a server's workers end with it
            self.popen.wait()
        for reader in self._readers:
            reader.join(PATIENCE)
        for stream in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if stream is not None:
                stream.close()
        self._take_lines()

    def _take_lines(self) -> None:
        is_over = False
        while not self._queue.empty():
            line = self._queue.get()
            if line is None:
                is_over = True
            else:
                self.lines.append(line)
        if is_over:
            self._queue.put(None)

    def lines_so_far(self) -> list[str]:
        """All lines until now: those that were waited for, and those that have come since."""
        self._take_lines()
        return self.lines

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The match in the first line that has one, of those that were not waited for yet."""
        deadline = time.monotonic() + PATIENCE
        problem = f"not within {PATIENCE} seconds"
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._queue.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                self._queue.put(None)
                problem = "and nothing more will come"
                break
            self.lines.append(line)
            match = re.search(pattern, line)
            if match:
                return match
        raise AssertionError(f"no line like {pattern!r}, {problem}: {self.lines}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell the process to end; its exit status."""
        self.popen.send_signal(number)
        return self.status()

    def status(self) -> int:
        """The exit status of a process that is ending; if it does not end, the error describes its state."""
        if _ends(self.popen):
            return self.popen.returncode
        for reader in self._readers:
            reader.join(PATIENCE)
        self._take_lines()
        raise AssertionError(f"not ended within {PATIENCE} seconds:\n" + "\n".join(self.lines))


class LoggedProcess:
    """A process that writes to a file, as much as it likes; it ends with the block."""

    def __init__(self, command: list[str], folder: Path, environ: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={"PYTHONFAULTHANDLER": "1", "PYTHONUNBUFFERED": "1", **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()

    def text(self) -> str:
        """What it has written."""
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern: str, patience: float = PATIENCE) -> re.Match[str]:
        """Wait until there is such a text in the log."""
        wait_until(
            lambda: re.search(pattern, self.text()) or self.process.poll() is not None, f"{pattern!r} in it", patience
        )
        found = re.search(pattern, self.text())
        if found is None:
            raise AssertionError(f"the process ended without {pattern!r}:\n{self.text()}")
        return found

    @cached_property
    def port(self) -> int:
        """The port of a server that has chosen a free one; servers print their addresses."""
        return int(self.wait_for(r"https?://127\.0\.0\.1:(\d+)")[1])

    def end(self, number: int = signal.SIGTERM) -> int:
        """Terminate the process, and return its exit status; if it does not end, the error describes its state."""
        self.process.send_signal(number)
        return self.status()

    def status(self) -> int:
        """The exit status of a process that is about to end."""
        if _ends(self.process):
            return self.process.returncode
        raise AssertionError(f"not ended within {PATIENCE} seconds:\n{self.text()}")


def _ends(process: subprocess.Popen[t.Any]) -> bool:
    """Whether a process ends soon; one that does not is made to say where it and its children are, and ended."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
        return True
    for pid in (*children(process.pid), process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGABRT)
    process.wait()
    return False


def children(pid: int) -> list[int]:
    """The child processes of a process; none if there is no /proc."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_gone(pid: int) -> bool:
    """Whether a process has ended, even if its status was not read yet."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except FileNotFoundError:  # there is no /proc, or it has ended just now
        return False


def free_port() -> int:
    """A free port. If a server can choose a free port itself, let it: another process may take this one first."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
