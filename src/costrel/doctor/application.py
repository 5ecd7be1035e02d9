"""Runs `child.py` for an application, and reads its description."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import typing as t
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ..server.serve_options import default_workers
from ..services.settings import SETTINGS
from .child import Described
from .findings import Finding

SECONDS: t.Final = 60
"""How long importing the application may take."""


class NotDescribed(Exception):
    """The application could not be imported; the message says why."""


def describe_in_child(path: str, folder: Path) -> Described:
    """Import the application in a process in which Costrel stands in for Flask, and describe it.

    :raises NotDescribed: if it cannot be imported within a minute.
    """
    with tempfile.TemporaryDirectory() as place:
        output = Path(place, "description.json")
        command = [sys.executable, "-m", "costrel.as_flask", "-m", "costrel.doctor.child", path, str(output)]
        status, said = _run(command, folder)
        if not output.exists():
            raise NotDescribed(f"The process ended with status {status}:\n{said[-4_000:]}")
        found = json.loads(output.read_text(encoding="utf-8"))
    if "error" in found:
        raise NotDescribed(str(found["error"]))
    return t.cast("Described", found["app"])


def _run(command: list[str], folder: Path) -> tuple[int | None, str]:
    """Run a command with a limit of time, which holds for the processes that it starts too."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - this Python, with our own module
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
        try:
            status = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise NotDescribed(f"Importing it took longer than {SECONDS} seconds.") from None
        finally:
            _end(process)
        said.seek(0)
        return status, said.read().decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def findings_about(app: Described) -> Iterator[Finding]:
    """The effects of a move on an application that was described."""
    place = app["name"]
    workers, threads = default_workers(), SETTINGS["THREADS"].native
    sync = app["views"]["def"] + app["views"]["generator"]
    yield Finding(
        "note",
        place,
        f"{sync} `def` views run in {threads} threads in each of {workers} processes of costrel serve, and"
        f" {app['views']['async def']} `async def` views on the event loop of the process.",
        "Set --workers and --threads. Data in global variables belongs to one process.",
    )
    for hook, names in app["hooks"].items():
        listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        yield Finding("note", place, f"{len(names)} functions of {hook} run as on Flask: {listed}.", "")
    if app["threads"]:
        yield Finding(
            "change",
            place,
            f"Importing it starts threads ({', '.join(app['threads'][:5])}), which each process of costrel serve does.",
            "Run schedulers and consumers in a process of their own, or with --workers 1.",
        )
    if app["middleware"]:
        yield Finding(
            "note",
            place,
            f"WSGI middleware ({app['middleware']}) is around wsgi_app, and stays around all HTTP requests.",
            "WebSockets do not pass it.",
        )
    for rule, problem in app["routes"]:
        yield Finding(
            "change", rule, f"{problem} STRICT_URLS, the default of Costrel, changes that.", "Set it to False there."
        )
