"""Falcon, from its binary wheel; Jinja called by the responder, as its documentation shows."""

from __future__ import annotations

from typing import Any

import falcon
import falcon.asgi
from jinja2 import Environment, FileSystemLoader, select_autoescape

from . import ROWS, STATIC, TEMPLATES

PAGES = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape())


class Teapot(Exception):
    pass


class Before:
    """A component of the middleware: its two functions run before and after each request."""

    def process_request(self, req, resp):
        return None

    def process_response(self, req, resp, resource, req_succeeded):
        return None

    async def process_request_async(self, req, resp):
        return None

    async def process_response_async(self, req, resp, resource, req_succeeded):
        return None


class Hello:
    def on_get(self, req, resp):
        resp.content_type = falcon.MEDIA_HTML
        resp.text = "Hello"


class Json:
    def on_get(self, req, resp):
        resp.media = {"message": "Hello", "numbers": [1, 2, 3]}


class Params:
    def on_get(self, req, resp, id, slug):
        resp.content_type = falcon.MEDIA_HTML
        resp.text = f"{id} {slug} {req.get_param('page')}"


class Form:
    def on_post(self, req, resp):
        values = req.get_media()
        resp.content_type = falcon.MEDIA_HTML
        resp.text = f"{values['name']} {values['city']}"


class PostJson:
    def on_post(self, req, resp):
        data = req.get_media()
        resp.media = {"name": data["name"], "count": len(data["tags"])}


class Upload:
    def on_post(self, req, resp):
        values = {}
        for part in req.get_media():
            values[part.name] = part.stream.read() if part.filename else part.text
        resp.content_type = falcon.MEDIA_HTML
        resp.text = f"{values['title']} {values['tag']} {len(values['file'])}"


class Template:
    def on_get(self, req, resp):
        resp.content_type = falcon.MEDIA_HTML
        resp.text = PAGES.get_template("page.html").render(title="Rows", rows=ROWS)


class Abort:
    def on_get(self, req, resp):
        raise Teapot


class Hooked:
    def on_get(self, req, resp):
        resp.content_type = falcon.MEDIA_HTML
        resp.text = "hooked"


def on_teapot(req, resp, error, params):
    resp.status = falcon.HTTP_418
    resp.text = "teapot"


class AsyncHello:
    async def on_get(self, req, resp):
        Hello.on_get(self, req, resp)


class AsyncJson:
    async def on_get(self, req, resp):
        Json.on_get(self, req, resp)


class AsyncParams:
    async def on_get(self, req, resp, id, slug):
        Params.on_get(self, req, resp, id, slug)


class AsyncForm:
    async def on_post(self, req, resp):
        values = await req.get_media()
        resp.content_type = falcon.MEDIA_HTML
        resp.text = f"{values['name']} {values['city']}"


class AsyncPostJson:
    async def on_post(self, req, resp):
        data = await req.get_media()
        resp.media = {"name": data["name"], "count": len(data["tags"])}


class AsyncUpload:
    async def on_post(self, req, resp):
        values = {}
        async for part in await req.get_media():
            values[part.name] = await part.stream.read() if part.filename else await part.text
        resp.content_type = falcon.MEDIA_HTML
        resp.text = f"{values['title']} {values['tag']} {len(values['file'])}"


class AsyncTemplate:
    async def on_get(self, req, resp):
        Template.on_get(self, req, resp)


class AsyncAbort:
    async def on_get(self, req, resp):
        raise Teapot


class AsyncHooked:
    async def on_get(self, req, resp):
        Hooked.on_get(self, req, resp)


async def on_teapot_async(req, resp, error, params):
    on_teapot(req, resp, error, params)


PATHS = ["/", "/json", "/user/{id:int}/post/{slug}", "/form", "/postjson", "/upload", "/template", "/abort"]
SYNC = [Hello, Json, Params, Form, PostJson, Upload, Template, Abort]
ASYNC = [AsyncHello, AsyncJson, AsyncParams, AsyncForm, AsyncPostJson, AsyncUpload, AsyncTemplate, AsyncAbort]


def complete(app: Any, resources: list[type], hooked: type, on_error: Any) -> Any:
    for path, resource in zip(PATHS, resources, strict=True):
        app.add_route(path, resource())
    app.add_route("/outer/inner/", hooked())
    app.add_static_route("/static", STATIC)
    app.add_error_handler(Teapot, on_error)
    return app


def wsgi(scenario: str) -> Any:
    middleware = [Before() for _ in range(5)] if scenario == "hooks" else []
    return complete(falcon.App(middleware=middleware), SYNC, Hooked, on_teapot)


def asgi(scenario: str) -> Any:
    middleware = [Before() for _ in range(5)] if scenario == "hooks" else []
    return complete(falcon.asgi.App(middleware=middleware), ASYNC, AsyncHooked, on_teapot_async)
