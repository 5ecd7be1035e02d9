"""Starlette's, with `def` endpoints: it runs them in threads."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route


def hello(request: Any) -> HTMLResponse:
    return HTMLResponse("Hello")


def json(request: Any) -> JSONResponse:
    return JSONResponse({"message": "Hello", "numbers": [1, 2, 3]})


def params(request: Any) -> HTMLResponse:
    values = request.path_params
    return HTMLResponse(f"{values['id']} {values['slug']} {request.query_params['page']}")


asgi = Starlette(
    routes=[Route("/", hello), Route("/json", json), Route("/user/{id:int}/post/{slug}", params)],
)
