"""Requests as browsers send them, to each peer on the server that its documentation recommends and on Granian.

A section of ``python -m benchmarks served``.
"""

from __future__ import annotations

import importlib.util
from typing import Any

from .rounds import Case, Target, json_of, measured, text_of
from .scenarios import BY_NAME

APPS = "benchmarks.served_apps.of_peers"
FORM = BY_NAME["form"]
TARGETS = [
    Target("json", "/json", json_of),
    Target("params", "/user/42/post/a-slug?page=7", text_of),
    Target("page", "/template", text_of),
    Target("form", "/form", text_of, FORM.body, FORM.content_type),
]

RECOMMENDED = [
    ("Flask", "wsgi", "flask", "gunicorn"),
    ("Django", "wsgi", "django", "gunicorn"),
    ("Quart", "asgi", "quart", "hypercorn"),
    ("Starlette", "asgi", "starlette", "uvicorn"),
    ("FastAPI", "asgi", "fastapi", "uvicorn"),
    ("Litestar", "asgi", "litestar", "uvicorn"),
    ("Falcon", "asgi", "falcon", "uvicorn"),
    ("BlackSheep", "asgi", "blacksheep", "uvicorn"),
]
"""Title, gateway and name of a peer, and the server in its documentation."""

OWN = [
    ("Costrel, def", "asgi", "costrel_sync", "costrel serve"),
    ("Costrel, async def", "asgi", "costrel", "costrel serve"),
]


def cases() -> list[Case]:
    """All cases whose packages are installed."""
    found = []
    for title, gateway, peer, server in (*OWN, *RECOMMENDED):
        for kind in (server, f"granian {gateway}"):
            for logs in (True, False):
                name = f"{gateway}_{peer}"
                # Hypercorn looks into the module's dict, so that a module's __getattr__ is no help.
                app = f'{APPS}:application("{name}")' if kind == "hypercorn" else f"{APPS}:{name}"
                found.append(Case(title, kind, app, peer.partition("_")[0], logs))
    return [case for case in found if importlib.util.find_spec(case.needs) is not None]


def users(peers: list[str]) -> dict[str, Any]:
    """Case → target → figures; with names of peers, only those and Costrel."""
    chosen = [case for case in cases() if not peers or case.needs in ("costrel", *peers)]
    return measured(chosen, TARGETS)
