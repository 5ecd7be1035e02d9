"""FastAPI: parameters declared by their types, sessions and hooks as middleware."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Form, HTTPException, Request, UploadFile
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel
from starlette.middleware.sessions import SessionMiddleware

from . import ROWS, SECRET, STATIC, TEMPLATES

PAGES = Jinja2Templates(TEMPLATES)


class Person(BaseModel):
    name: str
    tags: list[str]
    n: int


def asgi(scenario: str) -> Any:
    app = FastAPI()

    @app.get("/", response_class=HTMLResponse)
    async def hello():
        return "Hello"

    @app.get("/json")
    async def json():
        return {"message": "Hello", "numbers": [1, 2, 3]}

    @app.get("/user/{id}/post/{slug}", response_class=HTMLResponse)
    async def params(id: int, slug: str, page: str):
        return f"{id} {slug} {page}"

    @app.post("/form", response_class=HTMLResponse)
    async def form(name: Annotated[str, Form()], city: Annotated[str, Form()], age: Annotated[str, Form()]):
        return f"{name} {city}"

    @app.post("/postjson")
    async def postjson(person: Person):
        return {"name": person.name, "count": len(person.tags)}

    @app.post("/upload", response_class=HTMLResponse)
    async def upload(title: Annotated[str, Form()], tag: Annotated[str, Form()], file: UploadFile):
        return f"{title} {tag} {len(await file.read())}"

    @app.get("/session", response_class=HTMLResponse)
    async def visits(request: Request):
        request.session["visits"] = request.session.get("visits", 0) + 1
        return f"visits: {request.session['visits']}"

    @app.get("/template", response_class=HTMLResponse)
    async def template(request: Request):
        return PAGES.TemplateResponse(request, "page.html", {"title": "Rows", "rows": ROWS})

    @app.get("/abort")
    async def abort():
        raise HTTPException(418)

    @app.exception_handler(418)
    async def teapot(request: Request, error: Exception):
        return HTMLResponse("teapot", 418)

    app.mount("/static", StaticFiles(directory=STATIC))
    if scenario == "session":
        app.add_middleware(SessionMiddleware, secret_key=SECRET)
    if scenario == "hooks":
        add_hooks(app)
    return app


def add_hooks(app: FastAPI) -> None:
    """Two routers deep, and five functions around each request."""
    outer, inner = APIRouter(prefix="/outer"), APIRouter(prefix="/inner")

    @inner.get("/", response_class=HTMLResponse)
    async def hooked():
        return "hooked"

    outer.include_router(inner)
    app.include_router(outer)

    async def around(request: Request, call_next: Any):
        return await call_next(request)

    for _ in range(5):
        app.middleware("http")(around)
