"""One run of a suite, on Flask or on Costrel under Flask's name, in a fresh copy of its source distribution."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import environments
from .definitions import HERE, Suite
from .fetching import cache, source

ROOT = HERE.parents[2]
PLUGIN = HERE / "plugin"
OWN = HERE / "own"
"""Tests of packages that ship none. A suite names them among its `tests`."""
EACH_TEST = 60
"""The seconds that one test may take."""
OPTIONS = (
    "-q",
    "--tb=short",
    "--continue-on-collection-errors",
    "-p",
    "suite_outcomes",
    "-o",
    "addopts=",
    f"--timeout={EACH_TEST}",
)

Outcomes = dict[str, str]
"""Test → ``passed``, ``failed``, ``error``, ``skipped``, ``xfailed`` or ``not collected``."""


class Run:
    """The outcomes of one run, and its output."""

    def __init__(self, outcomes: Outcomes, output: str) -> None:
        self.outcomes = outcomes
        self.output = output

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return list(self.outcomes.values()).count("passed")


def on_flask(suite: Suite, seconds: float) -> Run:
    """The outcomes on Flask, which are kept in the cache: they change only if the environment does."""
    kept = cache() / "flask" / f"{suite.name}-{environments.key(suite)}.json"
    if kept.exists():
        found = json.loads(kept.read_text())
        if found.get("asked") == [*OPTIONS, *suite.tests]:
            return Run(found["outcomes"], found["output"])
    run = _run(suite, (), seconds)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({"asked": [*OPTIONS, *suite.tests], "outcomes": run.outcomes, "output": run.output}))
    return run


def on_costrel(suite: Suite, seconds: float) -> Run:
    """The outcomes with Costrel under the names `flask` and `werkzeug`."""
    return _run(suite, ("-p", "costrel.as_flask.pytest"), seconds)


def _run(suite: Suite, plugins: tuple[str, ...], seconds: float) -> Run:
    python = environments.interpreter(suite)
    with tempfile.TemporaryDirectory(prefix=f"{suite.name}-") as room:
        copy = Path(room) / "source"
        shutil.copytree(source(suite), copy, symlinks=True)
        for own in (OWN / test for test in suite.tests if (OWN / test).is_file()):
            shutil.copy(own, copy)
        written = Path(room) / "outcomes.json"
        command = [python, "-m", "pytest", *plugins, *OPTIONS, *suite.tests]
        output = _output(command, copy, _environment(suite, python.parent, room, written), seconds)
        outcomes = json.loads(written.read_text()) if written.exists() else {}
    return Run(outcomes, output)


def _output(command: list[str | Path], folder: Path, environment: dict[str, str], seconds: float) -> str:
    """What pytest wrote. A run that takes longer than that ends with a line that says so, and without outcomes."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
        text = output.decode(errors="replace") if isinstance(output, bytes) else output
        return f"{text}\nended after {seconds:.0f} s"
    return done.stdout


def _environment(suite: Suite, programs: Path, room: str, written: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLASK", "COSTREL", "PYTEST"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    paths = [str(PLUGIN), str(ROOT / "src")]
    own = {
        "HOME": room,
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),  # for suites that run `flask`
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(paths),
        "SUITE_OUTCOMES": str(written),
    }
    return {**kept, **own, **suite.environment}
