"""Flask; under ASGI with asgiref's adapter, as its documentation recommends."""

from __future__ import annotations

from typing import Any

import flask

from .flask_api import build


def wsgi(scenario: str) -> Any:
    return build(flask, flask.Flask, scenario)


def asgi(scenario: str) -> Any:
    from asgiref.wsgi import WsgiToAsgi

    return WsgiToAsgi(wsgi(scenario))
