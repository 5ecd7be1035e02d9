"""Starlette's."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from ..peers import TEMPLATES
from .queries import MESSAGE, Async

PAGES = Jinja2Templates(TEMPLATES)
database = Async()


async def hello(request):
    return HTMLResponse("Hello")


async def json(request):
    return JSONResponse(MESSAGE)


async def db(request):
    return JSONResponse(await database.world())


async def queries(request):
    return JSONResponse(await database.worlds())


async def updates(request):
    return JSONResponse(await database.updated())


async def fortunes(request):
    return PAGES.TemplateResponse(request, "fortunes.html", {"fortunes": await database.fortunes()})


app = Starlette(
    routes=[
        Route("/", hello),
        Route("/json", json),
        Route("/db", db),
        Route("/queries", queries),
        Route("/updates", updates),
        Route("/fortunes", fortunes),
    ]
)
