"""Flask's own tests, from its source distribution, with Costrel under Flask's name.

The distribution is fetched once into a cache, ``$XDG_CACHE_HOME/costrel-conformance``.
"""

import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

TESTS = 489
"""How many tests there are; two of them are skipped where cryptography or python-dotenv is missing."""

# It fails on Flask 3.1.3 itself, with Werkzeug 3.1.9.
FAILS_ON_FLASK = "tests/test_reqctx.py::test_bad_environ_raises_bad_request"

PLUGINS = Path(__file__).parent / "plugins"


def fetch(release, cache):
    """The folder with the tests of a Flask release; skips the test where it cannot be fetched."""
    source = cache / f"flask-{release}"
    if (source / "tests").is_dir():
        return source
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    fetched = subprocess.run([*command, "--dest", cache, f"flask=={release}"], capture_output=True, text=True)
    if fetched.returncode:
        pytest.skip(f"Flask's source distribution could not be fetched: {fetched.stderr.strip()[-200:]}")
    with tarfile.open(cache / f"flask-{release}.tar.gz") as archive:
        archive.extractall(cache, filter="data")
    return source


def run_suite(source, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FLASK", "COSTREL"))}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # the suite is Flask's alone: no pytest-flask, no timeouts
    environment["PYTHONPATH"] = os.pathsep.join([str(PLUGINS), *filter(None, [environment.get("PYTHONPATH")])])
    plugins = ["-p", "costrel.as_flask.pytest", "-p", "older_pytest", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, "-c", os.devnull, "--rootdir", ".", "tests", *arguments],
        cwd=source,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.ci
@pytest.mark.timeout(600)
def test_flasks_own_tests_pass():
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "costrel-conformance"

    done = run_suite(fetch(version("flask"), cache), "--deselect", FAILS_ON_FLASK)

    counts = {outcome: int(count) for count, outcome in re.findall(r"(\d+) (\w+)", last_line(done.stdout))}
    counts["passed"] += counts.pop("skipped", 0)
    counts.pop("warnings", None)
    assert counts == {"passed": TESTS, "deselected": 1}, done.stdout[-20_000:] + done.stderr


def last_line(text):
    return re.sub(r" in [\d.]+s.*", "", text.strip().splitlines()[-1])
