"""The chapters of the tutorial show the code of their examples: all of it that is new, and nothing else."""

import difflib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "tutorial").glob("*.md"))
BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
LINKED = {
    *("README.md", "AGENTS.md", ".env.example"),
    *("tests/test_accounts.py", "tests/test_api.py", "tests/test_files.py", "tests/test_settings.py"),
}
"""The files of chapter 8 that the page names or links, and does not show."""


def chapter(number: int) -> Path:
    return ROOT / "examples" / "tutorial" / f"chapter{number}"


def shown(page: Path) -> list[tuple[str, str]]:
    """The files and the code of the blocks that name a file."""
    return BLOCK.findall(page.read_text())


def files(folder: Path) -> dict[str, list[str]]:
    ignored = {"__pycache__", "instance", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
    paths = [path for path in folder.rglob("*") if path.is_file() and not ignored & set(path.parts)]
    return {str(path.relative_to(folder)): path.read_text().splitlines() for path in paths}


def stands_in(code: str, text: str) -> bool:
    """Whether a block is a part of a file. Definitions that are not neighbours may follow each other in one block."""
    return all(
        f"\n{part.strip(chr(10))}\n" in f"\n{text}\n" for part in re.split(r"\n\n(?=\S| {4}[\w@])", code.rstrip())
    )


def test_there_is_a_page_for_each_chapter() -> None:
    assert [page.name[0] for page in PAGES] == ["1", "2", "3", "4", "5", "6", "7", "8"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_chapter_stands_in_its_files(page: Path) -> None:
    folder = chapter(int(page.name[0]))
    other = [name for name, code in shown(page) if not stands_in(code, (folder / name).read_text())]
    assert other == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_chapter_shows_all_that_is_new(page: Path, tmp_path: Path) -> None:
    number = int(page.name[0])
    before = files(chapter(number - 1)) if number > 1 else {}
    if number == 8:
        command = [sys.executable, "-m", "costrel", "new", "tasks", "--web"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
        before = files(tmp_path / "tasks") | {name: renamed(lines) for name, lines in before.items()}

    seen: dict[str, set[str]] = {}
    for name, code in shown(page):
        seen.setdefault(name, set()).update(code.splitlines())
    missing = []
    for name, lines in files(chapter(number)).items():
        if name not in LINKED:
            added = (line for line in difflib.ndiff(before.get(name, []), lines) if line.startswith("+ "))
            missing += [
                f"{name}: {line[2:]}" for line in added if line[2:].strip() and line[2:] not in seen.get(name, ())
            ]
    assert missing == []


def renamed(lines: list[str]) -> list[str]:
    """Rename the views as chapter 8 describes."""
    return [re.sub(r"""url_for\((["'])(index|show|add|finish)\1""", r"url_for(\1pages.\2\1", line) for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_chapter_begins_with_a_picture_and_ends_with_its_lessons(page: Path) -> None:
    text = page.read_text()
    number = page.name[0]

    assert re.match(rf"# {number}\. .+\n\nAt the end of this chapter, ", text)
    assert text.index(f"pictures/tutorial/chapter{number}.webp") < text.index("\n## ")
    assert "\n## What you have learned\n\n- " in text
    assert f"](../../examples/tutorial/chapter{number})" in text
