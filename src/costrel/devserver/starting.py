"""Starts and restarts the program, with a standby process for the next restart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from . import ahead


class Starter:
    """Starts this program in a serving process, with `environ` and the listening socket `fd`."""

    def __init__(self, environ: Mapping[str, str], fd: int | None) -> None:
        self._environ = dict(environ)
        self._passed = () if fd is None else (fd,)
        self._waiting: tuple[subprocess.Popen[bytes], int] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start the program, in the standby process if there is one."""
        process = self._wake()
        return self._run(self._environ, self._passed) if process is None else process

    def mark_as_reloaded(self) -> None:
        """Tell the program at its next starts that it was restarted after a change."""
        self._environ["COSTREL_RELOADED"] = "true"

    def prepare(self) -> None:
        """Start a standby process, if that is possible and there is none."""
        if self._waiting is None and ahead.is_possible():
            with suppress(OSError):  # too many processes or open files: the next restart just takes longer
                self._waiting = self._run_ahead()

    def _run_ahead(self) -> tuple[subprocess.Popen[bytes], int]:
        reading, writing = os.pipe()
        environ = {**self._environ, "COSTREL_RELOADED": "true", ahead.VARIABLE: str(reading)}
        try:
            with _interrupts_blocked():
                return self._run(environ, (*self._passed, reading)), writing
        except OSError:
            os.close(writing)
            raise
        finally:
            os.close(reading)

    def close(self) -> None:
        """Kill the standby process."""
        if self._waiting is not None:
            process, writing = self._waiting
            self._waiting = None
            os.close(writing)
            process.kill()
            process.wait()

    def _wake(self) -> subprocess.Popen[bytes] | None:
        if self._waiting is None:
            return None
        process, writing = self._waiting
        try:
            os.write(writing, b"1")
        except BrokenPipeError:  # the standby process was killed
            self.close()
            return None
        self._waiting = None
        os.close(writing)
        return process

    def _run(self, environ: Mapping[str, str], passed: tuple[int, ...]) -> subprocess.Popen[bytes]:
        inherited: dict[str, t.Any] = {"pass_fds": passed} if passed else {}
        environ = {**environ, ahead.STARTED: str(time.time())}
        return subprocess.Popen(_command(), env=environ, **inherited)  # noqa: S603 - this program again


def _command() -> list[str]:
    return [sys.executable, *sys.orig_argv[1:]]


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block SIGINT in processes that start here: Ctrl-C reaches them too, and would interrupt their imports."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
