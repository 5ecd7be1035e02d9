"""FastAPI's."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from ..peers import TEMPLATES
from .queries import MESSAGE, Async

PAGES = Jinja2Templates(TEMPLATES)
app = FastAPI()
database = Async()


@app.get("/", response_class=HTMLResponse)
async def hello():
    return "Hello"


@app.get("/json")
async def json():
    return MESSAGE


@app.get("/db")
async def db():
    return await database.world()


@app.get("/queries")
async def queries():
    return await database.worlds()


@app.get("/updates")
async def updates():
    return await database.updated()


@app.get("/fortunes", response_class=HTMLResponse)
async def fortunes(request: Request):
    return PAGES.TemplateResponse(request, "fortunes.html", {"fortunes": await database.fortunes()})
