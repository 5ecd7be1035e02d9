"""BlackSheep's."""

from __future__ import annotations

import os

os.environ["APP_JINJA_EXTENSION"] = ".html"  # BlackSheep reads it when it is imported

from blacksheep import Application, Response, Router, html, json
from blacksheep.server.rendering.jinja2 import JinjaRenderer
from blacksheep.server.responses import view
from blacksheep.settings.html import html_settings
from jinja2 import FileSystemLoader

from ..peers import TEMPLATES
from .queries import MESSAGE, Async

router = Router()
app = Application(router=router)
html_settings.use(JinjaRenderer(FileSystemLoader(TEMPLATES)))
database = Async()


@router.get("/")
async def hello() -> Response:
    return html("Hello")


@router.get("/json")
async def message() -> Response:
    return json(MESSAGE)


@router.get("/db")
async def db() -> Response:
    return json(await database.world())


@router.get("/queries")
async def queries() -> Response:
    return json(await database.worlds())


@router.get("/updates")
async def updates() -> Response:
    return json(await database.updated())


@router.get("/fortunes")
async def fortunes() -> Response:
    return view("fortunes", {"fortunes": await database.fortunes()})
