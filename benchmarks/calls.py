"""One peer's part of the comparison, in a process of its own.

``python -m benchmarks.calls GATEWAY PEER [SCENARIO ...]`` prints one JSON object: scenario → seconds of CPU time per
call, the best of several rounds. With ``--answers`` it prints what the peer answers instead, and measures nothing.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from hashlib import sha256
from typing import Any

from .gateways import GATEWAYS
from .peers import Peer, find
from .scenarios import SCENARIOS, Scenario

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS_A_ROUND = float(os.environ.get("BENCH_SECONDS", "0.03"))


def scenarios_of(peer: Peer, only: list[str]) -> list[Scenario]:
    """The scenarios that a peer supports: all of them, or only the named ones."""
    return [each for each in SCENARIOS if peer.has(each.name) and (not only or each.name in only)]


def answers(gateway: str, peer: Peer, only: list[str]) -> dict[str, Any]:
    """Scenario → status and content, in a form in which equal answers are equal."""
    found = {}
    for scenario in scenarios_of(peer, only):
        with GATEWAYS[gateway](peer.build(gateway, scenario.name), scenario) as call:
            answer = call.answer()
        found[scenario.name] = [answer.status, comparable(scenario, answer.body)]
    return found


def comparable(scenario: Scenario, body: bytes) -> Any:
    """JSON as values. The page of an unhandled error is left out: it is each framework's own."""
    if scenario.name == "error404":
        return None
    if scenario.name == "static":
        return sha256(body).hexdigest()
    return json.loads(body) if "json" in scenario.name else body.decode().strip()


def measure(gateway: str, peer: Peer, only: list[str]) -> dict[str, float]:
    """Scenario → seconds of CPU time per call, the best of ROUNDS."""
    results = {}
    for scenario in scenarios_of(peer, only):
        with GATEWAYS[gateway](peer.build(gateway, scenario.name), scenario) as call:
            call.run(50)
            count = max(20, int(SECONDS_A_ROUND / call.run(50) * 50))
            gc.collect()
            results[scenario.name] = min(call.run(count) for _ in range(ROUNDS)) / count
    return results


def main(gateway: str, name: str, *arguments: str) -> None:
    logging.disable()  # for all peers, discard the log of 404s
    only = [each for each in arguments if each != "--answers"]
    found = (answers if "--answers" in arguments else measure)(gateway, find(gateway, name), only)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
