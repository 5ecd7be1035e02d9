"""Starlette, with `async def` views."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from ..peers import SECRET


async def hello(request):
    return PlainTextResponse("Hello")


async def page(request):
    return PlainTextResponse(f"page {request.query_params.get('page')} {request.cookies.get('theme')}")


async def json(request):
    return JSONResponse({"message": "Hello"})


async def params(request):
    values = request.path_params
    return PlainTextResponse(f"{values['id']} {values['slug']} {request.query_params.get('page')}")


async def form(request):
    values = await request.form()
    return PlainTextResponse(f"{values['name']} {values['city']}")


async def postjson(request):
    return JSONResponse({"name": (await request.json())["name"]})


async def login(request):
    request.session["user"] = 42
    return PlainTextResponse("in")


async def read(request):
    return PlainTextResponse(f"user {request.session.get('user')}")


ROUTES = [
    Route("/", hello),
    Route("/page", page),
    Route("/json", json),
    Route("/user/{id:int}/post/{slug}", params),
    Route("/form", form, methods=["POST"]),
    Route("/postjson", postjson, methods=["POST"]),
    Route("/login", login),
    Route("/session/read", read),
]


def asgi(scenario: str) -> Any:
    sessions = [Middleware(SessionMiddleware, secret_key=SECRET)] if scenario == "session_read" else []
    return Starlette(routes=ROUTES, middleware=sessions)
