"""Litestar's."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, MediaType, get
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template.config import TemplateConfig

from ..peers import TEMPLATES
from .queries import MESSAGE, Async

database = Async()


@get("/", media_type=MediaType.HTML)
async def hello() -> str:
    return "Hello"


@get("/json")
async def json() -> dict[str, str]:
    return MESSAGE


@get("/db")
async def db() -> dict[str, int]:
    return await database.world()


@get("/queries")
async def queries() -> list[dict[str, int]]:
    return await database.worlds()


@get("/updates")
async def updates() -> list[dict[str, int]]:
    return await database.updated()


@get("/fortunes")
async def fortunes() -> Template:
    context: dict[str, Any] = {"fortunes": await database.fortunes()}
    return Template("fortunes.html", context=context)


app = Litestar(
    [hello, json, db, queries, updates, fortunes],
    template_config=TemplateConfig(directory=TEMPLATES, engine=JinjaTemplateEngine),
)
