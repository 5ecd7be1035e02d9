"""The snippets of the notes that the project was wished from, run under Flask's name in a process of their own."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_every_snippet_does_what_the_notes_say() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "costrel.as_flask.pytest", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [*command, str(HERE / "snippets_under_flask_name.py")], capture_output=True, text=True, check=False, timeout=100
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout
    assert "failed" not in result.stdout
