"""Run every benchmark and print ratios: ``python -m benchmarks [SCENARIO ...]``."""

from __future__ import annotations

import json
import subprocess
import sys

PEERS = ("flask", "as_flask", "costrel")
TURNS = 3


def in_process(peer: str, only: list[str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.in_process", peer, *only]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=600).stdout
    results: dict[str, float] = json.loads(out)
    return results


def best_of_turns(only: list[str]) -> dict[str, dict[str, float]]:
    """Peer → scenario → seconds; the peers take turns, so that a slow moment of the machine meets them all."""
    best: dict[str, dict[str, float]] = {peer: {} for peer in PEERS}
    for _ in range(TURNS):
        for peer in PEERS:
            for name, seconds in in_process(peer, only).items():
                best[peer][name] = min(seconds, best[peer].get(name, seconds))
    return best


def main() -> None:
    best = best_of_turns(sys.argv[1:])
    print(f"{'scenario':<14}{'Flask µs':>10}{'as Flask':>10}{'ratio':>7}{'Costrel':>10}{'ratio':>7}")
    for name, flask in best["flask"].items():
        alias, own = best["as_flask"][name], best["costrel"][name]
        row = f"{flask * 1e6:>10.1f}{alias * 1e6:>10.2f}{flask / alias:>7.1f}{own * 1e6:>10.2f}{flask / own:>7.1f}"
        print(f"{name:<14}{row}")


if __name__ == "__main__":
    main()
