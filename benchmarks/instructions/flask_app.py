"""Flask; if Costrel is installed under its name, Costrel as Flask."""

from __future__ import annotations

from typing import Any

import flask

from .flask_api import build


def wsgi(scenario: str) -> Any:
    return build(flask, flask.Flask, scenario)
