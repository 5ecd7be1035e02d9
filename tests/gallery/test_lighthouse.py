"""The gallery's front page on `costrel serve`, audited by Lighthouse, which `make lighthouse` installs."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import SERVE, serving

FOLDER = Path(__file__).parent / "lighthouse"
MODULES = FOLDER / "node_modules"
CATEGORIES = ("performance", "best-practices")
GOAL = 0.95
RUNS = 3
"""The performance depends on the load of the machine: the best of so many runs counts."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("COSTREL_TEST_LIGHTHOUSE") != "required", reason="run by make lighthouse: needs npm and Chromium"
    ),
]


def audit(address: str, folder: Path) -> dict[str, object]:
    """Lighthouse's report about a page, as a phone shows it."""
    report = folder / "report.json"
    command = [
        MODULES / ".bin" / "lighthouse",
        address,
        f"--only-categories={','.join(CATEGORIES)}",
        "--output=json",
        f"--output-path={report}",
        "--quiet",
        "--chrome-flags=--headless --no-sandbox --disable-gpu --disable-dev-shm-usage",
    ]
    environ = {**os.environ, "CHROME_PATH": shutil.which("chromium") or ""}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(report.read_text())


def failures(report: dict) -> list[str]:
    """The audits without a full score."""
    return [
        f"{each['id']}: {each['score']} {each.get('displayValue', '')}"
        for each in report["audits"].values()
        if each["score"] is not None and each["score"] < 1
    ]


@pytest.mark.timeout(400)
def test_the_front_page_scores_95(tmp_path: Path) -> None:
    with serving(tmp_path, SERVE) as served:
        for _ in range(RUNS):
            report = audit(served.address, tmp_path)
            scores = {name: report["categories"][name]["score"] for name in CATEGORIES}
            print(scores)
            if min(scores.values()) >= GOAL:
                return
        pytest.fail(f"{scores}: {failures(report)}")
