"""The documentation: its Python runs, its links lead somewhere, its tables are whole."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SNIPPET = re.compile(r"^( *)```python\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)|!\[[^\]]*\]\(([^)\s]+)\)")

FENCED = re.compile(r"^ *(```|~~~).*?^ *\1 *$", re.MULTILINE | re.DOTALL)
DELIMITER = re.compile(r"\|?( *:?-+:? *\|)+( *:?-+:? *)?")
CELL_END = re.compile(r"(?<!\\)\|")
"""What ends a cell. In a code span too: there a bar that is meant needs the backslash as anywhere else (GFM §4.10)."""


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


def snippets(page: Path) -> list[str]:
    """The Python of a page. Blocks whose info string says more than ``python`` are not run."""
    found = []
    for indent, code in SNIPPET.findall(page.read_text()):
        found.append("\n".join(line.removeprefix(indent) for line in code.splitlines()))
    return found


# A process that has imported what most pages import, and makes a copy of itself for each page.
RUNNER = """
import asyncio, gc, json, os, runpy, sys
import costrel, costrel.edges.asgi, costrel.services.jinja, costrel.testing.app_client, costrel.typed.planning
gc.collect()
gc.freeze()  # or each copy would go through all modules at its end
for line in sys.stdin:
    script = line.rstrip()
    child = os.fork()
    if not child:
        os.chdir(os.path.dirname(script))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open("stdout", os.O_WRONLY | os.O_CREAT, 0o600), 1)
        os.dup2(os.open("stderr", os.O_WRONLY | os.O_CREAT, 0o600), 2)
        sys.argv, sys.path[0] = [script], os.path.dirname(script)
        runpy.run_path(script, run_name="__main__")
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def runner() -> Iterator[subprocess.Popen[str]]:
    """The process that runs pages, each as a script of its own."""
    command = [sys.executable, "-c", RUNNER]
    environ = {**os.environ, "PYTHONWARNINGS": "error", "PYTHONPATH": ""}
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.communicate(timeout=60)


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page)], ids=names)
def test_the_snippets_of_a_page_run_one_after_the_other(
    page: Path, tmp_path: Path, runner: subprocess.Popen[str]
) -> None:
    script = tmp_path / "page.py"
    script.write_text("\n\n".join(snippets(page)) + "\n")
    print(script, file=runner.stdin, flush=True)
    assert runner.stdout.readline() == "0\n", f"{names(page)}:\n{(tmp_path / 'stderr').read_text()}"


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = [first or second for first, second in LINK.findall(page.read_text())]
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []


def cells(row: str) -> list[str]:
    """What stands in the cells of a line of a table."""
    inner = re.sub(r"(?<!\\)\|$", "", row.strip().removeprefix("|"))
    return [cell.strip() for cell in CELL_END.split(inner)]


def torn_rows(text: str) -> list[str]:
    """The rows of tables that have more or fewer cells than their heading, each with its line's number."""
    lines = FENCED.sub(lambda block: "\n" * block[0].count("\n"), text).splitlines()
    torn = []
    columns = 0  # of the table that the line belongs to
    for number, line in enumerate(lines, 1):
        if number < len(lines) and DELIMITER.fullmatch(lines[number].strip()) and "|" in line:
            columns = len(cells(line))
        elif not line.strip():
            columns = 0
        if columns and len(cells(line)) != columns:
            torn.append(f"{number}: {len(cells(line))} cells under {columns} headings: {line}")
    return torn


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_the_rows_of_a_page_have_as_many_cells_as_their_heading(page: Path) -> None:
    assert torn_rows(page.read_text()) == []


@pytest.mark.parametrize(
    ("row", "torn"),
    [
        ("| a | b |", False),
        ("| a | |", False),
        (r"| a \| b | `c \| d` |", False),
        ("a | b", False),
        ("| a b |", True),
        ("| a | b | c |", True),
        ("| a | `b | c` |", True),
    ],
)
def test_a_torn_row_is_found(row: str, torn: bool) -> None:
    table = (
        f"text\n\n| x | y |\n|---|--:|\n| 1 | 2 |\n{row}\n\na | bar, no table\n\n```\n| z |\n|---|\n| 1 | 2 |\n```\n"
    )
    assert [found.partition(":")[0] for found in torn_rows(table)] == ["6"] * torn
