"""Sanic, under ASGI: it is made for its own server, which this comparison does not include."""

from __future__ import annotations

from itertools import count
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from sanic import Blueprint, Sanic
from sanic.exceptions import SanicException
from sanic.response import html, json

from . import ROWS, STATIC, TEMPLATES

NUMBERS = count()
PAGES = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape())


class Teapot(SanicException):
    status_code = 418
    quiet = True


def asgi(scenario: str) -> Any:
    number = next(NUMBERS)
    app = Sanic(f"benchmark_{number}", configure_logging=False)
    app.config.ACCESS_LOG = False
    app.config.TOUCHUP = number == 0  # Sanic rewrites its own functions once a process, and fails the second time

    @app.get("/")
    async def hello(request):
        return html("Hello")

    @app.get("/json")
    async def dictionary(request):
        return json({"message": "Hello", "numbers": [1, 2, 3]})

    @app.get("/user/<id:int>/post/<slug:str>")
    async def params(request, id, slug):
        return html(f"{id} {slug} {request.args.get('page')}")

    @app.post("/form")
    async def form(request):
        return html(f"{request.form.get('name')} {request.form.get('city')}")

    @app.post("/postjson")
    async def postjson(request):
        return json({"name": request.json["name"], "count": len(request.json["tags"])})

    @app.post("/upload")
    async def upload(request):
        size = len(request.files.get("file").body)
        return html(f"{request.form.get('title')} {request.form.get('tag')} {size}")

    @app.get("/template")
    async def template(request):
        return html(PAGES.get_template("page.html").render(title="Rows", rows=ROWS))

    @app.get("/abort")
    async def abort(request):
        raise Teapot

    @app.exception(Teapot)
    async def teapot(request, error):
        return html("teapot", 418)

    app.static("/static", STATIC)
    if scenario == "hooks":
        add_hooks(app)
    return app


def add_hooks(app: Sanic) -> None:
    """A blueprint in a group, and five functions before and after each request there."""
    inner = Blueprint("inner", url_prefix="/inner")

    async def before(request):
        return None

    async def after(request, response):
        return None

    @inner.get("/")
    async def hooked(request):
        return html("hooked")

    for _ in range(5):
        inner.on_request(before)
        inner.on_response(after)
    app.blueprint(Blueprint.group(inner, url_prefix="/outer"))
