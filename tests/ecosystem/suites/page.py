"""The table of the suites in docs/compatibility.md."""

from __future__ import annotations

import re

from .comparing import Comparison
from .definitions import HERE

PAGE = HERE.parents[2] / "docs" / "compatibility.md"
HEAD = ("| suite | version | passes on Flask | passes here | differences |", "|---|---|---|---|---|")
_find_row = re.compile(r"^\| ([\w-]+) \| ([\w.]+) \| (\d+) \| (\d+) \| (.*) \|$", re.MULTILINE)


def rows(text: str) -> dict[str, tuple[str, int, int, str]]:
    """Suite → version, tests that pass on Flask, on Costrel, and the reasons of the differences."""
    return {found[1]: (found[2], int(found[3]), int(found[4]), found[5]) for found in _find_row.finditer(text)}


def write(comparisons: list[Comparison]) -> None:
    """Replace the rows of these suites, and keep the others."""
    text = PAGE.read_text()
    table = rows(text) | {each.suite.name: _row(each) for each in comparisons}
    lines = [*HEAD, *(f"| {name} | {' | '.join(map(str, table[name]))} |" for name in sorted(table))]
    start = text.index(HEAD[0])
    end = text.index("\n\n", start)
    PAGE.write_text(text[:start] + "\n".join(lines) + text[end:])


def _row(comparison: Comparison) -> tuple[str, int, int, str]:
    reasons = "; ".join(dict.fromkeys(comparison.listed.values()))
    return comparison.suite.version, comparison.on_flask, comparison.on_costrel, reasons
