"""The memory of a worker after 100,000 mixed requests, and its growth: ``python -m benchmarks memory``."""

from __future__ import annotations

from typing import Any

from . import load, results
from .servers import serving

LEGS = 10
REQUESTS_A_LEG = 10_000
CASES = {
    "Flask on Granian": ("granian wsgi", "benchmarks.served_apps.flask_sync:app"),
    "Costrel, costrel serve": ("costrel serve", "benchmarks.served_apps.costrel_sync:app"),
    "Costrel on Granian over WSGI": ("granian wsgi", "benchmarks.served_apps.costrel_sync:app"),
}


def over_time(server_kind: str, app: str) -> dict[str, Any]:
    """MiB after each leg, and the growth per 100,000 requests over the second half of them."""
    with serving(server_kind, app) as server:
        load.child("mixed", server.port, 200)
        sizes, seconds = [server.memory() / load.MEGABYTE], 0.0
        for _ in range(LEGS):
            seconds += load.child("mixed", server.port, REQUESTS_A_LEG)["seconds"]
            sizes.append(server.memory() / load.MEGABYTE)
    half = sizes[LEGS // 2 :]
    growth = (half[-1] - half[0]) / ((len(half) - 1) * REQUESTS_A_LEG) * 100_000
    return {"MiB": sizes, "growth per 100,000": growth, "per second": LEGS * REQUESTS_A_LEG / seconds}


def main() -> None:
    figures = {}
    for name, case in CASES.items():
        figures[name] = each = over_time(*case)
        sizes = " ".join(f"{size:.1f}" for size in each["MiB"])
        print(f"{name:<30}MiB: {sizes}; {each['growth per 100,000']:+.2f} MiB per 100,000 at the end")
    results.save("memory", {"requests a leg": REQUESTS_A_LEG, "cases": figures})
