"""``python -m benchmarks instructions``: counts, shows the figures, and writes the tables of docs/performance.md.

Only a run of whole tables is kept: without names, and with all frameworks installed.
"""

from __future__ import annotations

import sys

from .. import results
from ..report import PAGE, between_marks
from .callgrind import instructions
from .frameworks import BY_NAME, FRAMEWORKS, Framework
from .scenarios import OVER
from .tables import HARNESS, REGIONS, Figures, ratios


def main(names: list[str], wanted: list[str], group: str = "") -> None:
    """Count the scenarios of these names with these frameworks; without names, all of them, or those of one table."""
    refuse_unknown("table", [group] if group else [], list(OVER))
    whole = [each for each in FRAMEWORKS if group in ("", each.group)]
    frameworks = [each for each in chosen(names, wanted) if group in ("", each.group)]
    figures: Figures = {}
    for framework in frameworks:
        figures[framework.name] = instructions(framework, names)
        show(framework, names, figures[framework.name])
    for table_name in OVER:
        if text := ratios(table_name, figures):
            print(f"\n{table_name}, ratios\n{text}")
    if names or wanted:
        return
    if frameworks != whole:
        sys.exit("Nothing is kept, since some frameworks are not installed: make instructions installs them.")
    known = results.load("instructions") or {"figures": {}}
    figures = {**known["figures"], **figures}
    results.save("instructions", figures)
    page = PAGE.read_text()
    for mark, table in REGIONS.items():
        if group in mark:
            page = between_marks(page, mark, table(figures))
    PAGE.write_text(page)


def chosen(names: list[str], wanted: list[str]) -> list[Framework]:
    """The installed frameworks of these names that have such a scenario. Exits if a name is unknown."""
    refuse_unknown("framework", wanted, list(BY_NAME))
    refuse_unknown("scenario", names, list(dict.fromkeys(each.name for group in OVER.values() for each in group)))
    return [
        each
        for each in (BY_NAME.values() if wanted else FRAMEWORKS)
        if (not wanted or each.name in wanted) and each.is_installed and each.scenarios(names)
    ]


def refuse_unknown(kind: str, names: list[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            sys.exit(f"Unknown {kind} {name!r}. Known are {', '.join(known)}.")


def show(framework: Framework, names: list[str], found: dict[str, int]) -> None:
    """Print the figures of one framework, without the harness and with it."""
    print(f"\n{framework.title}, {framework.gateway.upper()} (--framework {framework.name})")
    print(f"{'':<20}{'net':>12}{'with harness':>16}")
    for scenario in framework.scenarios(names):
        gross = found[scenario.name]
        print(f"{scenario.name:<20}{gross - found[HARNESS]:>12,}{gross:>16,}", flush=True)
