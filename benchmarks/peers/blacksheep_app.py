"""BlackSheep: handlers with values bound by their types; sessions in a signed cookie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

os.environ["APP_JINJA_EXTENSION"] = ".html"  # BlackSheep reads it when it is imported

from blacksheep import Application, FromForm, FromJSON, HTTPException, Request, Response, Router, html, json
from blacksheep.server.rendering.jinja2 import JinjaRenderer
from blacksheep.server.responses import view
from blacksheep.settings.html import html_settings
from jinja2 import FileSystemLoader

from . import ROWS, SECRET, STATIC, TEMPLATES


@dataclass
class Person:
    name: str
    tags: list[str]
    n: int


@dataclass
class Address:
    name: str
    city: str
    age: str


def asgi(scenario: str) -> Any:
    router = Router()
    app = Application(router=router)
    html_settings.use(JinjaRenderer(FileSystemLoader(TEMPLATES)))

    @router.get("/")
    async def hello() -> Response:
        return html("Hello")

    @router.get("/json")
    async def dictionary() -> Response:
        return json({"message": "Hello", "numbers": [1, 2, 3]})

    @router.get("/user/{int:id}/post/{slug}")
    async def params(id: int, slug: str, page: str) -> Response:
        return html(f"{id} {slug} {page}")

    @router.post("/form")
    async def form(data: FromForm[Address]) -> Response:
        return html(f"{data.value.name} {data.value.city}")

    @router.post("/postjson")
    async def postjson(data: FromJSON[Person]) -> Response:
        return json({"name": data.value.name, "count": len(data.value.tags)})

    @router.post("/upload")
    async def upload(request: Request) -> Response:
        parts = await request.form()
        size = len(parts["file"][0].file.read())
        return html(f"{parts['title']} {parts['tag']} {size}")

    @router.get("/session")
    async def visits(request: Request) -> Response:
        request.session["visits"] = request.session.get("visits", 0) + 1
        return html(f"visits: {request.session['visits']}")

    @router.get("/template")
    async def template() -> Response:
        return view("page", {"title": "Rows", "rows": ROWS})

    @router.get("/abort")
    async def abort() -> Response:
        raise HTTPException(418)

    async def teapot(app: Application, request: Request, error: Exception) -> Response:
        return html("teapot", 418)

    app.exceptions_handlers[418] = teapot
    app.serve_files(STATIC, root_path="static", extensions={".txt"})
    if scenario == "session":
        app.use_sessions(SECRET)
    if scenario == "hooks":
        app = with_hooks()
    return app


def with_hooks() -> Application:
    """A router in a router (prefixes do not add up there), and five functions around each request."""
    inner = Router(prefix="/outer/inner")

    @inner.get("/")
    async def hooked() -> Response:
        return html("hooked")

    async def around(request: Request, handler: Any) -> Response:
        return await handler(request)

    app = Application(router=Router(sub_routers=[inner]))
    app.middlewares.extend([around] * 5)
    return app
