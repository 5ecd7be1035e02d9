"""CPU time of one call of an application with a prepared environ: ``python -m benchmarks.in_process PEER``.

Prints one JSON object: scenario → seconds per call, the best of several rounds. Each peer runs in a process of its own.
"""

from __future__ import annotations

import gc
import io
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from .flask_api import build
from .scenarios import SCENARIOS, Scenario

ROUNDS = 7
SECONDS_A_ROUND = 0.05


def call(app: Callable[..., Any], environ: dict[str, Any]) -> tuple[str, bytes, list[tuple[str, str]]]:
    """Call a WSGI application as a server does, and give status, body and headers."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [status, headers]

    body = app(environ, start_response)
    try:
        content = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    return started[0], content, started[1]


def check(app: Callable[..., Any], scenario: Scenario) -> None:
    """Refuse to measure what does not answer as it should."""
    status, content, _ = call(app, prepared(app, scenario))
    if int(status[:3]) != scenario.status or scenario.contains not in content:
        sys.exit(f"{scenario.name}: answered {status} {content[:200]!r}")


def prepared(app: Callable[..., Any], scenario: Scenario) -> dict[str, Any]:
    """The environ of a scenario, with what an earlier answer gave: a session cookie, an entity tag."""
    environ: dict[str, Any] = scenario.environ()
    if scenario.name in ("session", "not_modified"):
        first = dict(call(app, scenario.environ())[2])
        if scenario.name == "session":
            environ["HTTP_COOKIE"] = first["Set-Cookie"].partition(";")[0]
        else:
            environ["HTTP_IF_NONE_MATCH"] = first["ETag"]
    return environ


def ignore(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
    """A start_response that costs next to nothing."""


def environs(template: dict[str, Any], body: bytes, count: int) -> list[dict[str, Any]]:
    """`count` environs that nobody has used yet, each with a body of its own."""
    return [{**template, "wsgi.input": io.BytesIO(body)} for _ in range(count)]


def run(app: Callable[..., Any], prepared_environs: list[dict[str, Any]]) -> float:
    """Seconds of CPU time for one call with each environ, the body read to its end and closed."""
    start = time.process_time()
    for environ in prepared_environs:
        body = app(environ, ignore)
        for _ in body:
            pass
        if hasattr(body, "close"):
            body.close()
    return time.process_time() - start


def measure(app: Callable[..., Any], scenario: Scenario) -> float:
    """Seconds of CPU time per call, the best of ROUNDS."""
    template = prepared(app, scenario)
    count = 20
    while run(app, environs(template, scenario.body, count)) < SECONDS_A_ROUND:
        count *= 2
    gc.collect()
    return min(run(app, environs(template, scenario.body, count)) for _ in range(ROUNDS)) / count


def main(peer: str, *only: str) -> None:
    results = {}
    for scenario in SCENARIOS:
        if not only or scenario.name in only:
            app = build(peer, scenario.name)
            check(app, scenario)
            results[scenario.name] = measure(app, scenario)
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
