"""``python -m benchmarks instructions``: counts, and shows instructions per request and what others take for one."""

from __future__ import annotations

import sys

from .callgrind import instructions
from .child import HARNESS
from .frameworks import BY_NAME, FRAMEWORKS, Framework


def chosen(wanted: list[str]) -> list[Framework]:
    """The frameworks of these names, or all that are installed. Exits with those that there are for an unknown name."""
    for name in wanted:
        if name not in BY_NAME:
            sys.exit(f"Unknown framework {name!r}. Known are {', '.join(BY_NAME)}.")
    return [each for each in FRAMEWORKS if (not wanted or each.name in wanted) and each.is_installed]


def main(names: list[str], wanted: list[str]) -> None:
    for framework in chosen(wanted):
        if not framework.scenarios(names):
            continue
        found = instructions(framework, names)
        harness = found.pop(HARNESS)
        print(f"\n{framework.title}, {framework.gateway.upper()} (harness: {harness:,})")
        print(f"{'':<20}{'net':>12}{'with harness':>16}")
        for scenario in framework.scenarios(names):
            gross = found[scenario.name]
            print(f"{scenario.name:<20}{gross - harness:>12,}{gross:>16,}", flush=True)
