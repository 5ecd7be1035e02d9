"""The tests of TechEmpower on a real PostgreSQL: JSON, one query, 20 queries, fortunes, updates.

A section of ``python -m benchmarks served``. The queries are the same code for all frameworks (`queries.py`): psycopg 3
with its pools of connections. So frameworks differ only by their own cost.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from ..rounds import Case, Target, json_of, measured, text_of
from .postgresql import running
from .queries import CONNECTIONS, DSN, QUERIES

APPS = "benchmarks.databases"
CASES = [
    Case("Costrel, def", "costrel serve", f"{APPS}.costrel_apps:sync", "costrel"),
    Case("Costrel, async def", "costrel serve", f"{APPS}.costrel_apps:asynchronous", "costrel"),
    Case("Costrel, def", "granian wsgi", f"{APPS}.costrel_apps:sync", "costrel"),
    Case("Flask", "granian wsgi", f"{APPS}.flask_app:app", "flask"),
    Case("Django", "granian wsgi", f"{APPS}.django_app:app", "django"),
    Case("Starlette", "granian asgi", f"{APPS}.starlette_app:app", "starlette"),
    Case("FastAPI", "granian asgi", f"{APPS}.fastapi_app:app", "fastapi"),
    Case("Litestar", "granian asgi", f"{APPS}.litestar_app:app", "litestar"),
    Case("BlackSheep", "granian asgi", f"{APPS}.blacksheep_app:app", "blacksheep"),
]


def worlds(body: bytes) -> object:
    """The names and types in rows of random numbers."""
    found = json_of(body)
    rows = found if isinstance(found, list) else [found]
    for row in rows:
        if not (1 <= row["id"] <= 10_000 and 1 <= row["randomNumber"] <= 10_000):
            raise ValueError(f"{row} is not a row.")
    return type(found).__name__, len(rows), sorted(rows[0])


TARGETS = [
    Target("json", "/json", json_of),
    Target("query", "/db", worlds),
    Target("queries", "/queries", worlds),
    Target("fortunes", "/fortunes", text_of),
    Target("updates", "/updates", worlds),
]
"""``/queries`` and ``/updates`` read and write 20 rows."""


def databases(peers: list[str]) -> dict[str, Any]:
    """Case → target → figures; with names of peers, only those and Costrel.

    Raises RuntimeError if PostgreSQL or psycopg is missing.
    """
    if importlib.util.find_spec("psycopg_pool") is None:
        raise RuntimeError("psycopg is not installed: it is in the group `bench`, which make bench installs.")
    chosen = [case for case in CASES if importlib.util.find_spec(case.needs) is not None]
    chosen = [case for case in chosen if not peers or case.needs in ("costrel", *peers)]
    with running(len(chosen) * (CONNECTIONS + 1) + 10) as dsn:
        os.environ[DSN] = dsn
        return measured(chosen, TARGETS, connections=QUERIES)
