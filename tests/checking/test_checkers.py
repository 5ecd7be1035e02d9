"""An application with typed views, tests and commands passes type checkers in their strict modes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ci

ROOT = Path(__file__).parents[2]
SHOP = Path(__file__).with_name("shop.py")
API = Path(__file__).with_name("api.py")


def test_mypy_accepts_an_application(tmp_path):
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", tmp_path, SHOP, API]
    done = subprocess.run(command, cwd=ROOT / "src", capture_output=True, text=True)

    assert (0, "Success: no issues found in 2 source files\n") == (done.returncode, done.stdout)


def test_pyright_accepts_an_application(tmp_path):
    config = tmp_path / "pyrightconfig.json"
    options = {"include": [str(SHOP), str(API)], "typeCheckingMode": "strict", "extraPaths": [str(ROOT / "src")]}
    config.write_text(json.dumps(options))
    # The fork of Pyright that PyPI has with its interpreter; its mode "strict" is Pyright's.
    command = [sys.executable, "-m", "basedpyright", "--project", config, "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert (0, "0 errors, 0 warnings, 0 notes") == (done.returncode, done.stdout.strip())
