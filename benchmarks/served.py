"""Servers on one core, wrk on the other: ``python -m benchmarks served [SECTION ...]``.

The sections: users (browsers' requests to all peers), databases (TechEmpower's tests), concurrency, workers; and rates
(bare requests), which runs only if it is named. With `--peers flask,starlette`, users and databases have only these and
Costrel. The environment variables BENCH_SERVED_SECONDS (of each load, 1) and BENCH_SERVED_ROUNDS (4) make it longer or
shorter; by default it takes about twenty minutes.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from . import load, report, results
from .databases import databases
from .results import TURNS
from .servers import Server, serving
from .users import users

SECONDS = float(os.environ.get("BENCH_SERVED_SECONDS", "2"))
ATTEMPTS = 3
APPS = "benchmarks.served_apps"
PATHS = {"hello": "/", "params": "/user/42/post/a-slug?page=7"}
CASES = {
    "Flask, def, Granian": ("granian wsgi", f"{APPS}.flask_sync:app"),
    "Flask, def, gunicorn": ("gunicorn", f"{APPS}.flask_sync:app"),
    "Starlette, def, Granian": ("granian asgi", f"{APPS}.starlette_sync:asgi"),
    "Costrel, def, Granian": ("granian asgi", f"{APPS}.costrel_sync:asgi"),
    "Costrel, def, costrel serve": ("costrel serve", f"{APPS}.costrel_sync:app"),
    "Costrel, def, Granian over WSGI": ("granian wsgi", f"{APPS}.costrel_sync:app"),
    "Starlette, async, Granian": ("granian asgi", f"{APPS}.starlette_async:asgi"),
    "Costrel, async, Granian": ("granian asgi", f"{APPS}.costrel_async:asgi"),
    "Costrel, async, costrel serve": ("costrel serve", f"{APPS}.costrel_async:app"),
}
GROWING = {name: CASES[name] for name in ("Flask, def, Granian", "Costrel, def, costrel serve")}
CONNECTIONS = [1, 4, 16, 64, 256]
WORKERS = [1, 2, 4]


def loaded(server: Server, path: str, seconds: float, connections: int = 32) -> dict[str, float]:
    """The results of wrk, and the microseconds of CPU time that all processes of the server use for a request.

    Raises RuntimeError if three runs in a row get no response.
    """
    for _ in range(ATTEMPTS):
        before = server.cpu_seconds()
        found = load.wrk(url(server.port, path), seconds, connections)
        if found["requests"]:
            return found | {"CPU": (server.cpu_seconds() - before) / found["requests"] * 1e6}
        print(f"{path} was not answered once with {connections} connections: again.", file=sys.stderr)
    raise RuntimeError(f"{path} is not answered with {connections} connections.")


def url(port: int, path: str = "/") -> str:
    return f"http://127.0.0.1:{port}{path}"


def rates() -> dict[str, Any]:
    """Case → path → the best of TURNS; the cases take turns, since the speed of a shared machine goes up and down."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {name: {path: [] for path in PATHS} for name in CASES}
    for _ in range(TURNS):
        for name, case in CASES.items():
            with serving(*case) as server:
                load.wrk(url(server.port), 1)
                for path_name, path in PATHS.items():
                    found[name][path_name].append(loaded(server, path, SECONDS))
            print(f"{name}: {found[name]['hello'][-1]['per second']:.0f}", file=sys.stderr)
    figures = {name: {path: _best(each) for path, each in paths.items()} for name, paths in found.items()}
    print(f"{'requests a second':<34}" + "".join(f"{path:>10}{'p99, ms':>10}" for path in PATHS))
    for name, paths in figures.items():
        cells = "".join(f"{each['per second']:>10.0f}{each['p99']:>10.1f}" for each in paths.values())
        print(f"{name:<34}{cells}")
    return figures


def _best(rounds: list[dict[str, float]]) -> dict[str, float]:
    return max(rounds, key=lambda each: each["per second"])


def concurrency() -> dict[str, Any]:
    """Case → for each number of connections: requests a second and latencies."""
    figures = {}
    for name, case in GROWING.items():
        with serving(*case) as server:
            load.wrk(url(server.port), 1)
            figures[name] = [loaded(server, "/", 2, number) for number in CONNECTIONS]
        print(f"{name:<34}" + " ".join(f"{each['per second']:.0f}" for each in figures[name]) + f" for {CONNECTIONS}")
    return {"sizes": CONNECTIONS, "cases": figures}


def workers() -> dict[str, Any]:
    """Case → for each number of workers, on all cores with the load among them: requests a second."""
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in GROWING}
    for name, case in GROWING.items():
        for number in WORKERS:
            with serving(*case, core=None, workers=number) as server:
                load.wrk(url(server.port), 1)
                figures[name].append(loaded(server, "/", 2, 64) | {"MiB a worker": server.memory() / 2**20})
        print(f"{name:<34}" + " ".join(f"{each['per second']:.0f}" for each in figures[name]) + f" for {WORKERS}")
    return {"sizes": WORKERS, "cases": figures}


SECTIONS = {"rates": rates, "concurrency": concurrency, "workers": workers}
OF_PEERS = {"users": users, "databases": databases}
"""The sections that compare peers."""

DEFAULT = ("users", "databases", "concurrency", "workers")


def main(names: list[str], peers: list[str]) -> None:
    """Run these sections, and write the tables of docs/performance.md from the kept figures.

    Only a run of all peers is kept.
    """
    if unknown := [name for name in names if name not in SECTIONS and name not in OF_PEERS]:
        sys.exit(f"Unknown section {unknown[0]!r}. Known are {', '.join([*OF_PEERS, *SECTIONS])}.")
    kept = results.load("served")
    figures = kept["figures"] if kept else {}
    for name in names or DEFAULT:
        if name in SECTIONS:
            figures[name] = SECTIONS[name]()
        else:
            found = OF_PEERS[name](peers)
            print(report.of_section(name, found))
            if peers:
                continue
            figures[name] = found
        results.save("served", figures)
    if not peers:
        report.main()
