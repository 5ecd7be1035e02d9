"""The figures as tables: in thousands of instructions a request, without those of the harness."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .frameworks import FRAMEWORKS
from .scenarios import OVER

HARNESS = "harness"

Figures = dict[str, dict[str, int]]
"""Framework → scenario → instructions per call; ``harness`` is among the scenarios."""

RATIOS = {
    "wsgi": [("flask", "costrel"), ("flask", "costrel-as-flask")],
    "asgi": [("starlette", "costrel-async"), ("starlette-def", "costrel-def")],
    "typed": [
        ("by-hand", "typed"),
        ("by-hand-async", "typed-async"),
        ("fastapi", "typed-async"),
        ("litestar", "typed-async"),
    ],
}


def net(figures: Figures, framework: str, scenario: str) -> int | None:
    """Instructions of the framework alone, or None if they were not counted."""
    found = figures.get(framework, {})
    return found[scenario] - found[HARNESS] if scenario in found else None


def ratio(figures: Figures, pair: tuple[str, str], scenario: str) -> str:
    first, second = (net(figures, name, scenario) for name in pair)
    return f"{first / second:.2f}" if first and second else "-"


def table(gateway: str) -> Callable[[Figures], str]:
    """Markdown: a line for each scenario, a column for each framework and each ratio."""

    def make(figures: Figures) -> str:
        group = [each for each in FRAMEWORKS if each.group == gateway]
        titles = {each.name: each.title for each in group}
        head = [
            "thousands",
            *titles.values(),
            *(f"{titles[first]} ÷ {titles[second]}" for first, second in RATIOS[gateway]),
        ]
        rows = [head, ["---", *["--:"] * (len(head) - 1)]]
        for scenario in (each.name for each in OVER[gateway]):
            found = [net(figures, each.name, scenario) for each in group]
            cells = [f"{number / 1000:.1f}" if number is not None else "-" for number in found]
            rows.append([f"`{scenario}`", *cells, *(ratio(figures, pair, scenario) for pair in RATIOS[gateway])])
        return "\n".join("| " + " | ".join(row) + " |" for row in rows)

    return make


def ratios(gateway: str, figures: Figures) -> str:
    """The ratios of what was counted, for a terminal; nothing if there is nothing to compare."""
    pairs = [pair for pair in RATIOS[gateway] if figures.keys() >= set(pair)]
    scenarios = [each.name for each in OVER[gateway] if any(ratio(figures, pair, each.name) != "-" for pair in pairs)]
    if not scenarios:
        return ""
    return lines([["", *(" ÷ ".join(pair) for pair in pairs)]] + [
        [name, *(ratio(figures, pair, name) for pair in pairs)] for name in scenarios
    ])  # fmt: skip


def lines(rows: Iterable[list[str]]) -> str:
    return "\n".join(f"{row[0]:<20}" + "".join(f"{cell:>30}" for cell in row[1:]) for row in rows)


REGIONS: dict[str, Callable[[Figures], str]] = {
    "instructions-wsgi": table("wsgi"),
    "instructions-asgi": table("asgi"),
    "instructions-typed": table("typed"),
}
"""Mark in docs/performance.md → the function that writes its table."""
