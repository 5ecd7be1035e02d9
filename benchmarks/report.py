"""Writes the tables and plots of docs/performance.md from the kept figures: ``python -m benchmarks report``."""

from __future__ import annotations

import sys
from typing import Any

from . import results
from .tables import REGIONS

PAGE = results.FOLDER.parent / "performance.md"


def filled(page: str) -> str:
    """The page with the text between each pair of marks replaced, if there are figures for it."""
    for name, (part, make) in REGIONS.items():
        found = results.load(part)
        if found is None:
            print(f"There are no figures for {name}: python -m benchmarks {part} makes them.", file=sys.stderr)
            continue
        page = between_marks(page, name, make(found["figures"]))
    return page


def of_section(name: str, figures: Any) -> str:
    """The table of a section of `served`."""
    from .tables import compared

    return compared(name)({name: figures})


def between_marks(page: str, name: str, text: str) -> str:
    """The page with `text` between the two marks of that name. Raises ValueError if they are missing."""
    begin, end = f"<!-- figures: {name} -->", f"<!-- end: {name} -->"
    before, found, rest = page.partition(begin)
    _, also_found, after = rest.partition(end)
    if not found or not also_found:
        raise ValueError(f"docs/performance.md has no place for {name}: {begin} … {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def main() -> None:
    PAGE.write_text(filled(PAGE.read_text()))
    try:
        from .plots import PLOTS
    except ImportError as error:
        sys.exit(f"No plots: {error}. matplotlib is in the group `bench`, which make bench installs.")
    for part, draw in PLOTS.items():
        if found := results.load(part):
            draw(found["figures"])
