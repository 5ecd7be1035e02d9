"""Servers under load in interleaved rounds: all of them run, and each gets a short load in turn.

The speed of a shared machine goes up and down, so that only figures of the same minutes can be compared.
"""

from __future__ import annotations

import html
import http.client
import json
import os
import re
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from . import load
from .instructions.scenarios import CHROMIUM, COOKIES
from .servers import Server, serving

SECONDS = int(os.environ.get("BENCH_SERVED_SECONDS", "1"))
ROUNDS = int(os.environ.get("BENCH_SERVED_ROUNDS", "4"))
"""The seconds of each load, a whole number for wrk, and how often each gets its turn."""

HEADERS = (*((name, value) for name, value in CHROMIUM if name != "host"), ("cookie", COOKIES))
"""The header fields of a browser, with three cookies."""

KEYS = ("per second", "p50", "p99", "CPU", "MiB")


@dataclass(frozen=True)
class Case:
    """An application on a server. `app` is ``module:name``."""

    title: str
    server: str
    app: str
    needs: str
    logs: bool = False

    @property
    def name(self) -> str:
        return f"{self.title}, {self.server}{', access log' if self.logs else ''}"


@dataclass(frozen=True)
class Target:
    """A request, and a check that returns the comparable part of its response, or raises ValueError."""

    name: str
    path: str
    check: Callable[[bytes], object]
    body: bytes = b""
    content_type: str = ""

    def headers(self) -> tuple[tuple[str, str], ...]:
        return (*HEADERS, ("content-type", self.content_type)) if self.body else HEADERS


def text_of(body: bytes) -> object:
    """The text of a page, however it is indented and escaped."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r">\s+<", "><", body.decode()))).strip()


def json_of(body: bytes) -> object:
    return json.loads(body)


def measured(cases: list[Case], targets: list[Target], connections: int = 32) -> dict[str, dict[str, dict[str, Any]]]:
    """Case → target → the medians of all rounds, and under ``rounds`` the CPU time of each.

    All responses are compared before anything is timed. Raises RuntimeError if two differ, or if a server fails.
    """
    begun = time.monotonic()
    found: dict[str, dict[str, list[dict[str, float]]]] = {case.name: {} for case in cases}
    with ExitStack() as stack:
        servers = {}
        for number, case in enumerate(cases, 1):
            tell(f"starting {number} of {len(cases)}: {case.name}")
            servers[case.name] = stack.enter_context(serving(case.server, case.app, logs=case.logs))
        compare(servers, targets)
        for turn in range(ROUNDS):
            for number, case in enumerate(cases, 1):
                for target in targets:
                    result = loaded(servers[case.name], target, connections, first=not turn)
                    found[case.name].setdefault(target.name, []).append(result)
                last = {name: f"{each[-1]['per second']:.0f}" for name, each in found[case.name].items()}
                place = f"round {turn + 1} of {ROUNDS}, {number} of {len(cases)}, {time.monotonic() - begun:.0f} s"
                tell(f"{place}: {case.name}: {' '.join(f'{name} {rate}' for name, rate in last.items())}")
    return {case: {name: summary(rounds) for name, rounds in targets.items()} for case, targets in found.items()}


def summary(rounds: list[dict[str, float]]) -> dict[str, Any]:
    medians = {key: statistics.median(each[key] for each in rounds) for key in KEYS}
    return {**medians, "rounds": [round(each["CPU"], 2) for each in rounds]}


def loaded(server: Server, target: Target, connections: int, first: bool) -> dict[str, float]:
    """The results of wrk, the microseconds of CPU time of all processes of the server for a request, and its memory."""
    url = f"http://127.0.0.1:{server.port}{target.path}"
    if first:
        load.wrk(url, 1, connections, target.headers(), target.body)
    before = server.cpu_seconds()
    found = load.wrk(url, SECONDS, connections, target.headers(), target.body)
    if not found["requests"]:
        raise RuntimeError(f"{url} is not answered.")
    cpu = (server.cpu_seconds() - before) / found["requests"] * 1e6
    return found | {"CPU": cpu, "MiB": server.memory() / 2**20}


def compare(servers: dict[str, Server], targets: list[Target]) -> None:
    """Raise RuntimeError unless all servers answer each target alike."""
    for target in targets:
        expected: tuple[str, object] | None = None
        for name, server in servers.items():
            try:
                answer = target.check(asked(server, target))
            except (ValueError, KeyError, TypeError) as error:
                raise RuntimeError(f"{name} answers {target.path} wrongly: {error}") from error
            if expected is None:
                expected = name, answer
            elif answer != expected[1]:
                raise RuntimeError(f"{target.path}: {expected[0]} answers {expected[1]!r}, but {name} {answer!r}")
    tell(f"{len(servers)} servers answer {len(targets)} requests alike")


def asked(server: Server, target: Target) -> bytes:
    """The body of a response. Raises ValueError for a status other than 200."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        method = "POST" if target.body else "GET"
        connection.request(method, target.path, target.body or None, dict(target.headers()))
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise ValueError(f"status {response.status}, {body[:500]!r}")
    return body


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def by_rate(figures: dict[str, dict[str, dict[str, Any]]], target: str) -> list[str]:
    """The names of the cases, the fastest first."""
    return sorted(figures, key=lambda name: -figures[name][target]["per second"])


def ratio(figures: Any, target: str, key: str, first: str, second: str) -> float:
    """`first` ÷ `second` of the medians; of CPU times, the median of the ratios of each round."""
    one, other = figures[first][target], figures[second][target]
    if key == "CPU":
        return statistics.median(a / b for a, b in zip(one["rounds"], other["rounds"], strict=True))
    return float(one[key] / other[key])
