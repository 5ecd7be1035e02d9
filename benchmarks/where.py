"""Profile each scenario with cProfile, by function: ``python -m benchmarks where [SCENARIO ...]``."""

from __future__ import annotations

import cProfile
import json
import pstats
import subprocess
import sys
from pathlib import Path

from . import results
from .gateways import GATEWAYS
from .peers import find
from .scenarios import BY_NAME

CALLS = 3000
SHOWN = 6
OVER = {"wsgi": "costrel", "asgi": "costrel"}


def shares(gateway: str, scenario: str) -> list[tuple[str, float, float]]:
    """The functions that took most time: name, share of the whole without callees, calls per request."""
    with GATEWAYS[gateway](find(gateway, OVER[gateway]).build(gateway, scenario), BY_NAME[scenario]) as call:
        call.run(200)
        profile = cProfile.Profile()
        profile.enable()
        call.run(CALLS)
        profile.disable()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # it is documented, but not in its types
    found = {key: value for key, value in stats.items() if not is_foreign(key)}
    whole = sum(value[2] for value in found.values())
    best = sorted(found.items(), key=lambda item: -item[1][2])[:SHOWN]
    return [(readable(key), value[2] / whole, value[1] / CALLS) for key, value in best]


def is_foreign(key: tuple[str, int, str]) -> bool:
    """Whether a function belongs to the harness: it creates requests, sends them, or waits."""
    file, _, name = key
    return ("benchmarks/" in file and "peers" not in file) or "'poll'" in name


def readable(key: tuple[str, int, str]) -> str:
    """The name of a function to search for: its file from the package on, its line, its name."""
    file, line, name = key
    if file == "~":
        return name.strip("<>").removeprefix("built-in method ").replace("method ", "")
    for folder in ("/src/", "/site-packages/", "/lib/python"):
        if folder in file:
            return f"{file.rpartition(folder)[2]}:{line} {name}"
    return f"{Path(file).name}:{line} {name}"


def child(gateway: str, scenario: str) -> list[tuple[str, float, float]]:
    command = [sys.executable, "-m", "benchmarks.where", gateway, scenario]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout
    return [(name, share, calls) for name, share, calls in json.loads(out)]


def main(names: list[str]) -> None:
    figures: dict[str, dict[str, list[tuple[str, float, float]]]] = {}
    for gateway in OVER:
        figures[gateway] = {scenario: child(gateway, scenario) for scenario in names or BY_NAME}
        for scenario, functions in figures[gateway].items():
            print(f"\n{scenario}, {gateway.upper()}")
            for name, share, calls in functions:
                print(f"  {share:>6.1%}  {calls:>6.1f} calls  {name}")
    if not names:
        results.save("where", figures)


if __name__ == "__main__":
    print(json.dumps(shares(*sys.argv[1:])))
