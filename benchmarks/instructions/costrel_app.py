"""Costrel with `def` views and its own defaults, except that it does not compress: its peers do not either."""

from __future__ import annotations

from typing import Any

import costrel

from .flask_api import build


def wsgi(scenario: str) -> Any:
    app = build(costrel, costrel.Costrel, scenario)
    app.config["COMPRESS"] = False
    return app


def asgi(scenario: str) -> Any:
    return wsgi(scenario).asgi
