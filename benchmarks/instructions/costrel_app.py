"""Costrel with its own defaults and `def` views."""

from __future__ import annotations

from typing import Any

import costrel

from .flask_api import build


def wsgi(scenario: str) -> Any:
    return build(costrel, costrel.Costrel, scenario)


def asgi(scenario: str) -> Any:
    return wsgi(scenario).asgi
