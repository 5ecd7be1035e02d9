"""mypy --strict accepts a typed application, with the types that one expects."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ci

ROOT = Path(__file__).parents[2]

PROGRAM = (ROOT / "tests" / "checking" / "api.py").read_text()


WRONG = """
from costrel import ApiKey, Bearer, Blueprint, Costrel, SessionCookie

app = Costrel(__name__)
app.auth_schemes["bearer"] = lambda token: None
Bearer(verify="secret")
ApiKey(place="X-Key")
SessionCookie(load=7)
Blueprint("a", __name__, security={"bearer"})
"""


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The errors that mypy --strict finds, by program: it is run once for both."""
    folder = tmp_path_factory.mktemp("typed")
    for name, text in (("right.py", PROGRAM), ("wrong.py", WRONG)):
        (folder / name).write_text(text.lstrip())
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--cache-dir", str(folder / "cache")]
    environ = {**os.environ, "MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(
        [*command, "right.py", "wrong.py"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert lines, done.stdout + done.stderr
    return {name: [line for line in lines if line.startswith(name)] for name in ("right.py", "wrong.py")}


def test_a_typed_application_passes_mypy(errors: dict[str, list[str]]) -> None:
    assert errors["right.py"] == []


def test_mypy_finds_mistakes_in_authentication(errors: dict[str, list[str]]) -> None:
    assert sorted({int(line.split(":")[1]) for line in errors["wrong.py"]}) == [4, 5, 6, 7, 8]
