"""Run every benchmark and print ratios: ``python -m benchmarks [SCENARIO ...]``."""

from __future__ import annotations

import json
import subprocess
import sys

PEERS = ("flask", "costrel")
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
    print(f"{'scenario':<14}{'flask µs':>10}{'costrel µs':>12}{'flask / costrel':>17}")
    for name, flask in best["flask"].items():
        own = best["costrel"][name]
        print(f"{name:<14}{flask * 1e6:>10.1f}{own * 1e6:>12.2f}{flask / own:>17.1f}")


if __name__ == "__main__":
    main()
