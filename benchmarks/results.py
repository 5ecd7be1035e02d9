"""The storage of the figures: one JSON file per part, from which the tables and plots are drawn."""

from __future__ import annotations

import json
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

TURNS = int(os.environ.get("BENCH_TURNS", "3"))
"""The number of turns of each peer."""

FOLDER = Path(__file__).parent.parent / "docs" / "performance"
PACKAGES = [
    "blacksheep", "bottle", "django", "falcon", "fastapi", "flask", "granian", "gunicorn", "jinja2", "litestar",
    "hypercorn", "psycopg", "quart", "sanic", "starlette", "uvicorn", "uvloop", "werkzeug",
]  # fmt: skip


def save(part: str, figures: Any) -> None:
    """Store the figures of a part, with the machine on which they were measured."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {"machine": machine(), "figures": figures}
    (FOLDER / f"{part}.json").write_text(json.dumps(found, indent=1) + "\n")


def load(part: str) -> dict[str, Any] | None:
    """The figures of a part that were stored last, or None."""
    try:
        return dict(json.loads((FOLDER / f"{part}.json").read_text()))
    except FileNotFoundError:
        return None


def machine() -> dict[str, Any]:
    """The data about the machine that a comparison of figures needs."""
    return {
        "day": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs ({processor()})",
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
