"""Costrel with `def` views that are traced with OpenTelemetry. No span is exported: that is a cost of the exporter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import costrel

from .flask_api import build


def traced(setting: object) -> tuple[Callable[[str], Any], Callable[[str], Any]]:
    """The functions `wsgi` and `asgi` of a module with an application."""

    def wsgi(scenario: str) -> Any:
        app = build(costrel, costrel.Costrel, scenario)
        app.config["OPENTELEMETRY"] = setting
        return app

    return wsgi, lambda scenario: wsgi(scenario).asgi
