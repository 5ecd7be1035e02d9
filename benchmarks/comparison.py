"""Every peer in every scenario, in process: the peers take turns, each in a process of its own.

``python -m benchmarks calls [--peers flask,costrel] [SCENARIO ...]``
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from . import peers, results
from .peers import Peer
from .results import TURNS
from .scenarios import SCENARIOS

Figures = dict[str, dict[str, dict[str, float]]]
"""Gateway → peer → scenario → seconds of CPU time per call."""


def child(gateway: str, peer: Peer, arguments: list[str]) -> dict[str, Any]:
    """The output of `benchmarks.calls` for one peer."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.calls", gateway, peer.name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"{peer.title} over {gateway} fails:\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout))


def chosen(names: list[str]) -> list[tuple[str, Peer]]:
    """The installed peers of both gateways, or those of the names. Reports the missing ones."""
    every = [(gateway, peer) for gateway, group in peers.GATEWAYS.items() for peer in group]
    for name in sorted({peer.needs for _, peer in every if not peer.is_installed}):
        print(f"{name} is not installed, and left out: make bench installs it in .venv-bench.", file=sys.stderr)
    return [(gateway, peer) for gateway, peer in every if peer.is_installed and (not names or peer.name in names)]


def differences(taking_part: list[tuple[str, Peer]], scenarios: list[str]) -> list[str]:
    """One line for each response that differs from Flask's over WSGI."""
    expected = child("wsgi", peers.find("wsgi", "flask"), ["--answers", *scenarios])
    found = []
    for gateway, peer in taking_part:
        for scenario, answer in child(gateway, peer, ["--answers", *scenarios]).items():
            if answer != expected[scenario]:
                found.append(
                    f"{peer.title} over {gateway}, {scenario}: {answer!r:.200}, not {expected[scenario]!r:.200}"
                )
    return found


def measure(taking_part: list[tuple[str, Peer]], scenarios: list[str]) -> Figures:
    """The best of TURNS; the peers take turns, so that a slow moment of the machine meets them all."""
    best: Figures = {gateway: {} for gateway in peers.GATEWAYS}
    for turn in range(TURNS):
        print(f"calls: turn {turn + 1} of {TURNS}", file=sys.stderr)
        for gateway, peer in taking_part:
            figures = best[gateway].setdefault(peer.name, {})
            for scenario, seconds in child(gateway, peer, scenarios).items():
                figures[scenario] = min(seconds, figures.get(scenario, seconds))
    return best


def show(figures: Figures) -> None:
    """Microseconds, one line a scenario."""
    for gateway, group in figures.items():
        print(f"\n{gateway.upper():<14}" + "".join(f"{name[:12]:>13}" for name in group) + "   (µs of CPU time)")
        for scenario in SCENARIOS:
            cells = [each.get(scenario.name) for each in group.values()]
            if any(cells):
                print(f"{scenario.name:<14}" + "".join(f"{c * 1e6:>13.2f}" if c else f"{'-':>13}" for c in cells))


def main(names: list[str], scenarios: list[str]) -> None:
    """Check all responses, measure, print; keep the figures if no peer or scenario was left out."""
    taking_part = chosen(names)
    if wrong := differences(taking_part, scenarios):
        sys.exit("Nothing is timed, since these answers differ:\n" + "\n".join(wrong))
    figures = measure(taking_part, scenarios)
    show(figures)
    if not names and not scenarios:
        results.save("calls", figures)
