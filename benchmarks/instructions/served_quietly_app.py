"""Costrel, served without a log: see `served_app.py`."""

from .served_app import Served


def asgi(scenario: str) -> Served:
    return Served(scenario, None)
