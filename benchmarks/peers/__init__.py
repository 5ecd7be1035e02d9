"""The frameworks that are measured, one file each, written as its own documentation advises.

A peer's file has `wsgi(scenario)`, `asgi(scenario)`, or both: each gives the application for the scenario of that name.
Features that only one scenario needs (a session, functions around each request) are left out of its other applications.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent
STATIC = HERE / "static"
TEMPLATES = HERE / "templates"
SECRET = "a secret key for the benchmark, long enough"
ROWS = [f"row {i}" for i in range(20)]


@dataclass(frozen=True)
class Peer:
    """One column of a table. `lacks` has the reasons for missing scenarios; `only` names the only ones that it has."""

    name: str
    title: str
    module: str
    needs: str
    lacks: dict[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()

    @property
    def is_installed(self) -> bool:
        return importlib.util.find_spec(self.needs) is not None

    def has(self, scenario: str) -> bool:
        return scenario not in self.lacks and (not self.only or scenario in self.only)

    def build(self, gateway: str, scenario: str) -> Any:
        """The application of a scenario, for ``wsgi`` or ``asgi``."""
        return getattr(importlib.import_module(f"benchmarks.peers.{self.module}"), gateway)(scenario)


NO_SESSION = {"session": "it has no sessions of its own"}
NO_304 = {"not_modified": "it sends the file again"}

WSGI = [
    Peer("jinja", "Jinja alone", "jinja_alone", "jinja2", only=("template",)),
    Peer("flask", "Flask", "flask_app", "flask"),
    Peer("bottle", "Bottle", "bottle_app", "bottle"),
    Peer("django", "Django", "django_app", "django"),
    Peer("falcon", "Falcon", "falcon_app", "falcon", NO_SESSION),
    Peer("as_flask", "Costrel, as Flask", "costrel_as_flask", "costrel"),
    Peer("costrel", "Costrel", "costrel_app", "costrel"),
]
ASGI = [
    Peer("flask", "Flask", "flask_app", "flask"),
    Peer("quart", "Quart", "quart_app", "quart"),
    Peer("django", "Django", "django_app", "django"),
    Peer("falcon", "Falcon", "falcon_app", "falcon", NO_SESSION),
    Peer("starlette", "Starlette", "starlette_app", "starlette"),
    Peer("fastapi", "FastAPI", "fastapi_app", "fastapi"),
    Peer("litestar", "Litestar", "litestar_app", "litestar", NO_304),
    Peer("blacksheep", "BlackSheep", "blacksheep_app", "blacksheep"),
    Peer("sanic", "Sanic", "sanic_app", "sanic", NO_SESSION),
    Peer("costrel_sync", "Costrel, def views", "costrel_app", "costrel"),
    Peer("costrel", "Costrel, async views", "costrel_async", "costrel"),
]
GATEWAYS = {"wsgi": WSGI, "asgi": ASGI}


def find(gateway: str, name: str) -> Peer:
    """The peer of that name. Raises LookupError with the known names."""
    for peer in GATEWAYS[gateway]:
        if peer.name == name:
            return peer
    known = ", ".join(peer.name for peer in GATEWAYS[gateway])
    raise LookupError(f"There is no peer {name!r} over {gateway}: there are {known}.")
