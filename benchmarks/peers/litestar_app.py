"""Litestar: typed handlers; its cookie sessions are always encrypted."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

from litestar import Litestar, MediaType, Request, Response, Router, get, post
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType, ScopeType
from litestar.exceptions import HTTPException
from litestar.middleware import ASGIMiddleware
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.params import Body
from litestar.response import Template
from litestar.static_files import create_static_files_router
from litestar.template.config import TemplateConfig

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


@dataclass
class Upload:
    title: str
    tag: str
    file: UploadFile


@get("/", media_type=MediaType.HTML)
async def hello() -> str:
    return "Hello"


@get("/json")
async def json() -> dict[str, Any]:
    return {"message": "Hello", "numbers": [1, 2, 3]}


@get("/user/{id:int}/post/{slug:str}", media_type=MediaType.HTML)
async def params(id: int, slug: str, page: str) -> str:
    return f"{id} {slug} {page}"


@post("/form", media_type=MediaType.HTML, status_code=200)
async def form(data: Annotated[Address, Body(media_type=RequestEncodingType.URL_ENCODED)]) -> str:
    return f"{data.name} {data.city}"


@post("/postjson", status_code=200)
async def postjson(data: Person) -> dict[str, Any]:
    return {"name": data.name, "count": len(data.tags)}


@post("/upload", media_type=MediaType.HTML, status_code=200)
async def upload(data: Annotated[Upload, Body(media_type=RequestEncodingType.MULTI_PART)]) -> str:
    return f"{data.title} {data.tag} {len(await data.file.read())}"


@get("/session", media_type=MediaType.HTML)
async def visits(request: Request) -> str:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return f"visits: {request.session['visits']}"


@get("/template")
async def template() -> Template:
    return Template("page.html", context={"title": "Rows", "rows": ROWS})


@get("/abort")
async def abort() -> None:
    raise HTTPException(status_code=418)


def teapot(request: Request, error: Exception) -> Response[str]:
    return Response("teapot", status_code=418, media_type=MediaType.HTML)


@get("/", media_type=MediaType.HTML)
async def hooked() -> str:
    return "hooked"


class Around(ASGIMiddleware):
    """The hooks before and after each request, in Litestar's form."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope, receive, send, next_app) -> None:
        await next_app(scope, receive, send)


def routes(scenario: str) -> list[Any]:
    if scenario == "hooks":
        inner = Router("/inner", route_handlers=[hooked], middleware=[Around(), Around()])
        return [Router("/outer", route_handlers=[inner], middleware=[Around(), Around(), Around()])]
    static = create_static_files_router("/static", directories=[STATIC])
    return [hello, json, params, form, postjson, upload, visits, template, abort, static]


def asgi(scenario: str) -> Any:
    sessions = CookieBackendConfig(secret=sha256(SECRET.encode()).digest())
    return Litestar(
        route_handlers=routes(scenario),
        middleware=[sessions.middleware] if scenario == "session" else [],
        exception_handlers={418: teapot},
        template_config=TemplateConfig(directory=TEMPLATES, engine=JinjaTemplateEngine),
        openapi_config=None,
        logging_config=None,
    )
