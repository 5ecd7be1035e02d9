"""The cost of starting: importing, and an application with 10,000 rules up to its first response.

``python -m benchmarks startup``; each measurement is a process of its own, by
``python -m benchmarks.startup import NAME`` or ``python -m benchmarks.startup rules PEER NUMBER``.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from . import results

TURNS = 7
MANY = 10_000
MODULES = [
    "flask", "quart", "bottle", "django.http", "falcon", "starlette.applications", "fastapi", "litestar", "blacksheep",
    "sanic", "costrel",
]  # fmt: skip
PEERS = ["flask", "as_flask", "costrel"]


def resident() -> int:
    """Bytes of memory that this process holds now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def of_import(name: str) -> dict[str, float]:
    """Seconds of CPU time and bytes of memory that importing a module takes."""
    memory, start = resident(), time.process_time()
    importlib.import_module(name)
    return {"seconds": time.process_time() - start, "bytes": resident() - memory}


def of_rules(peer: str, number: int) -> dict[str, float]:
    """Seconds for registering that many rules and answering the first request, and for finding one afterwards."""
    from .gateways import Wsgi
    from .peers import find
    from .scenarios import BY_NAME

    app = find("wsgi", peer).build("wsgi", "params")
    start = time.process_time()
    for i in range(number):
        rule = f"/api/v{i % 7}/thing{i}/<int:id>/part/<name>" if i % 2 else f"/page{i}/about"
        app.add_url_rule(rule, f"e{i}", _view)
    found = {}
    for scenario in ("hello", "params"):
        call = Wsgi(app, BY_NAME[scenario])
        if call.answer().status != 200:
            raise RuntimeError(f"{scenario} fails among {number} rules.")
        if scenario == "hello":
            found["first answer"] = time.process_time() - start
        found[scenario] = min(call.run(500) for _ in range(15)) / 500
    return found


def _view(**values: Any) -> str:
    return ""


def child(*arguments: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.startup", *arguments]
    # Write bytecode for all of them, as an installation does, even if the environment turns that off.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "costrel-benchmark-bytecode")
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300, env=environ).stdout
    return dict(json.loads(out))


def best(arguments: list[tuple[str, ...]], turns: int) -> list[dict[str, float]]:
    """The best of several turns, figure by figure."""
    found: list[dict[str, float]] = [{} for _ in arguments]
    for _ in range(turns):
        for figures, each in zip(found, arguments, strict=True):
            for name, value in child(*each).items():
                figures[name] = min(value, figures.get(name, value))
    return found


def main() -> None:
    modules = [name for name in MODULES if importlib.util.find_spec(name.partition(".")[0])]
    imports = dict(zip(modules, best([("import", name) for name in modules], TURNS), strict=True))
    print(f"{'import':<26}{'ms':>8}{'MiB':>8}")
    for name, each in imports.items():
        print(f"{name:<26}{each['seconds'] * 1e3:>8.0f}{each['bytes'] / 2**20:>8.1f}")
    pairs = [(peer, number) for peer in PEERS for number in (10, MANY)]
    figures = best([("rules", peer, str(number)) for peer, number in pairs], 3)
    rules = {f"{peer} {number}": each for (peer, number), each in zip(pairs, figures, strict=True)}
    print(f"\n{'rules':<20}{'first answer, s':>16}{'hello, µs':>12}{'params, µs':>12}")
    for name, each in rules.items():
        print(f"{name:<20}{each['first answer']:>16.3f}{each['hello'] * 1e6:>12.2f}{each['params'] * 1e6:>12.2f}")
    results.save("startup", {"imports": imports, "rules": rules})


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    print(json.dumps(of_import(rest[0]) if kind == "import" else of_rules(rest[0], int(rest[1]))))
