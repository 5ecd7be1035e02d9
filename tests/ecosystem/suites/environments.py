"""Virtual environments of the suites, one for each, made from lock files and kept in the cache.

Costrel is not installed in them: its source folder is on ``PYTHONPATH``, so that an environment outlives a checkout.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from .definitions import Suite
from .fetching import cache, pip

BASE = ("flask==3.1.3", "werkzeug==3.1.9", "granian>=2.8,<2.9", "msgspec>=0.19", "pytest>=8,<9", "pytest-timeout>=2.3")
"""Flask, which is compared with; what Costrel itself imports; and what runs the tests."""


def key(suite: Suite) -> str:
    """A digest of everything that an environment is made of."""
    parts = (sys.version, suite.lock.read_text())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def interpreter(suite: Suite) -> Path:
    """The Python of the suite's environment, which is made if it is not in the cache."""
    folder = cache() / "environments" / f"{suite.name}-{key(suite)}"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=False)
        pip("install", "-q", "--no-deps", "-r", suite.lock, python=python)
        (folder / ".ready").touch()
    return python


def lock(suite: Suite) -> None:
    """Write the lock file of a suite: the newest releases that its requirements allow."""
    folder = cache() / "environments" / f"{suite.name}-lock"
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip("install", "-q", f"{suite.name}=={suite.version}", *BASE, *suite.requires, python=python)
    command = [sys.executable, "-m", "pip", "--python", python, "freeze", "--all"]
    frozen = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    suite.lock.parent.mkdir(exist_ok=True)
    suite.lock.write_text(frozen)
    final = folder.with_name(f"{suite.name}-{key(suite)}")
    shutil.rmtree(final, ignore_errors=True)
    shutil.rmtree(folder)
