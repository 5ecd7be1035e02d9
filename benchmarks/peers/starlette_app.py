"""Starlette: functions of a request on a list of routes, sessions and hooks as middleware."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from . import ROWS, SECRET, STATIC, TEMPLATES

PAGES = Jinja2Templates(TEMPLATES)


async def hello(request):
    return HTMLResponse("Hello")


async def json(request):
    return JSONResponse({"message": "Hello", "numbers": [1, 2, 3]})


async def params(request):
    values = request.path_params
    return HTMLResponse(f"{values['id']} {values['slug']} {request.query_params['page']}")


async def form(request):
    async with request.form() as values:
        return HTMLResponse(f"{values['name']} {values['city']}")


async def postjson(request):
    data = await request.json()
    return JSONResponse({"name": data["name"], "count": len(data["tags"])})


async def upload(request):
    async with request.form() as values:
        size = len(await values["file"].read())
        return HTMLResponse(f"{values['title']} {values['tag']} {size}")


async def visits(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return HTMLResponse(f"visits: {request.session['visits']}")


async def template(request):
    return PAGES.TemplateResponse(request, "page.html", {"title": "Rows", "rows": ROWS})


async def abort(request):
    raise HTTPException(418)


async def teapot(request, error):
    return HTMLResponse("teapot", 418)


async def hooked(request):
    return HTMLResponse("hooked")


class Around(BaseHTTPMiddleware):
    """The hooks before and after each request, in Starlette's form for functions of a request and a response."""

    async def dispatch(self, request, call_next):
        return await call_next(request)


MIDDLEWARE = {"session": [Middleware(SessionMiddleware, secret_key=SECRET)]}


def routes(scenario: str) -> list[Any]:
    if scenario == "hooks":
        inner = Mount("/inner", routes=[Route("/", hooked)], middleware=[Middleware(Around)] * 2)
        return [Mount("/outer", routes=[inner], middleware=[Middleware(Around)] * 3)]
    return [
        Route("/", hello),
        Route("/json", json),
        Route("/user/{id:int}/post/{slug}", params),
        Route("/form", form, methods=["POST"]),
        Route("/postjson", postjson, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/session", visits),
        Route("/template", template),
        Route("/abort", abort),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


def asgi(scenario: str) -> Any:
    middleware = MIDDLEWARE.get(scenario, [])
    return Starlette(routes=routes(scenario), middleware=middleware, exception_handlers={418: teapot})
