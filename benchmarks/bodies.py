"""Uploads and downloads of 1 GiB: how fast, and how much memory the server takes: ``python -m benchmarks bodies``."""

from __future__ import annotations

import os
import statistics
import sys
from typing import Any

from . import load, results
from .results import TURNS
from .served_apps.bodies import DOWNLOAD, SIZE
from .servers import serving

UPLOADS = {
    "Flask on Granian": ("granian wsgi", "benchmarks.served_apps.flask_sync:app"),
    "Costrel, costrel serve": ("costrel serve", "benchmarks.served_apps.costrel_sync:app"),
    "Flask on gunicorn": ("gunicorn", "benchmarks.served_apps.flask_sync:app"),
    "Costrel on gunicorn": ("gunicorn", "benchmarks.served_apps.costrel_sync:app"),
}
DOWNLOADS = dict(UPLOADS)
"""Name → server and application."""


def transfer(kind: str, server_kind: str, app: str) -> dict[str, float]:
    """One transfer to a fresh server: MiB a second, and MiB of memory before and at the most."""
    with serving(server_kind, app) as server:
        load.child("mixed", server.port, 200)  # load the lazy imports before the measurement
        before, cpu = server.memory(), server.cpu_seconds()
        server.forget_peak()
        seconds = load.child(kind, server.port, SIZE)["seconds"]
        return {
            "MiB a second": SIZE / load.MEGABYTE / seconds,
            "memory before": before / load.MEGABYTE,
            "memory at most": server.peak() / load.MEGABYTE,
            "CPU seconds": server.cpu_seconds() - cpu,
        }


def best(kind: str, cases: dict[str, tuple[str, str]]) -> dict[str, dict[str, float]]:
    """The fastest of TURNS, with the most memory of any; the cases take turns."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in cases}
    for _ in range(TURNS):
        for name, case in cases.items():
            found[name].append(transfer(kind, *case))
    return {
        name: {
            "MiB a second": max(each["MiB a second"] for each in rounds),
            "CPU seconds": min(each["CPU seconds"] for each in rounds),
            "memory before": statistics.median(each["memory before"] for each in rounds),
            "memory at most": max(each["memory at most"] for each in rounds),
        }
        for name, rounds in found.items()
    }


def main() -> None:
    figures: dict[str, Any] = {"bytes": SIZE}
    try:
        with DOWNLOAD.open("wb") as file:
            for _ in range(SIZE // load.MEGABYTE):
                file.write(os.urandom(load.MEGABYTE))
        for kind, cases in (("upload", UPLOADS), ("download", DOWNLOADS)):
            figures[kind] = best(kind, cases)
            print(f"\n{kind:<26}{'MiB/s':>8}{'CPU, s':>8}{'before, MiB':>13}{'at most':>9}")
            for name, each in figures[kind].items():
                print(
                    f"{name:<26}{each['MiB a second']:>8.0f}{each['CPU seconds']:>8.2f}{each['memory before']:>13.1f}"
                    f"{each['memory at most']:>9.1f}"
                )
    finally:
        DOWNLOAD.unlink(missing_ok=True)
    if SIZE == 2**30:
        results.save("bodies", figures)
    else:
        print("Not kept: BENCH_BODY_BYTES is not 1 GiB.", file=sys.stderr)
