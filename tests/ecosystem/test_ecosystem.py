"""Flask's extensions, unchanged, with Costrel under Flask's name: each in a small use of it, in a process of its own.

The same files pass with Flask itself: ``python -m pytest tests/ecosystem/flask_login_use.py``.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.ci

ROOT = Path(__file__).parents[2]
FILES = sorted(Path(__file__).parent.glob("*_use.py"))
ASGI_FILES = sorted(Path(__file__).parent.glob("*_asgi.py"))
"""Components of ASGI around and below an application of Costrel, which Flask has no place for."""

OWN_OPTIONS = {"pytest_flask_use.py": ["-o", "addopts=--import-mode=importlib"]}
"""pytest-flask is loaded as in its users' projects: by itself. This project's own options keep it out."""


def run(path, *options):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FLASK", "COSTREL"))}
    command = [sys.executable, "-m", "pytest", "-q", *options, *OWN_OPTIONS.get(path.name, [])]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", path], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_runs_unchanged(path):
    package = path.stem.removesuffix("_use")
    if not package.startswith("idioms") and find_spec(package) is None:
        pytest.skip(f"{package} is not installed: it is in the dependency group 'ecosystem'")

    done = run(path, "-p", "costrel.as_flask.pytest")

    assert 0 == done.returncode, done.stdout[-20_000:] + done.stderr


@pytest.mark.parametrize("path", ASGI_FILES, ids=lambda path: path.stem)
def test_components_of_asgi(path):
    package = path.stem.removesuffix("_asgi")
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed: it is in the dependency group 'ecosystem'")

    done = run(path)

    assert 0 == done.returncode, done.stdout[-20_000:] + done.stderr
