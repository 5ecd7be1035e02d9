"""The documentation: its Python runs, its links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
SNIPPET = re.compile(r"^( *)```python\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)|!\[[^\]]*\]\(([^)\s]+)\)")


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


def snippets(page: Path) -> list[str]:
    """The Python of a page. Blocks whose info string says more than ``python`` are not run."""
    found = []
    for indent, code in SNIPPET.findall(page.read_text()):
        found.append("\n".join(line.removeprefix(indent) for line in code.splitlines()))
    return found


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page)], ids=names)
def test_the_snippets_of_a_page_run_one_after_the_other(page: Path, tmp_path: Path) -> None:
    script = tmp_path / "page.py"
    script.write_text("\n\n".join(snippets(page)) + "\n")
    environ = {**os.environ, "PYTHONWARNINGS": "error", "PYTHONPATH": ""}
    result = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, f"{names(page)}:\n{result.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = [first or second for first, second in LINK.findall(page.read_text())]
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []
