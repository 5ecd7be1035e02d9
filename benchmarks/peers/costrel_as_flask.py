"""Costrel with Flask's table of defaults, as under the alias: the like-for-like comparison."""

from __future__ import annotations

from typing import Any

import costrel
from costrel.app.application import Flask

from .flask_api import build


def wsgi(scenario: str) -> Any:
    return build(costrel, Flask, scenario)
