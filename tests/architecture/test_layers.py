"""The floors of the house: a room imports only from those below it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_room_imports_from_a_higher_floor() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_http_knows_no_environ() -> None:
    naming = [
        path.name
        for path in (ROOT / "src/costrel/http").glob("*.py")
        if path.name != "errors.py"
        and "environ" in path.read_text()  # errors: a parameter's name in a public signature
    ]
    assert naming == []
