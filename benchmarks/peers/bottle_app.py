"""Bottle, with Jinja for its templates; its "session" is a signed cookie, its only kind of session."""

from __future__ import annotations

from typing import Any

import bottle
from bottle import jinja2_template, request, response, static_file

from . import ROWS, SECRET, STATIC, TEMPLATES

LOOKUP = [str(TEMPLATES)]  # Bottle keeps a template by the identity of this list


def wsgi(scenario: str) -> Any:
    app = bottle.Bottle()

    @app.get("/")
    def hello():
        return "Hello"

    @app.get("/json")
    def json():
        return {"message": "Hello", "numbers": [1, 2, 3]}

    @app.get("/user/<id:int>/post/<slug>")
    def params(id, slug):
        return f"{id} {slug} {request.query['page']}"

    @app.post("/form")
    def form():
        return f"{request.forms['name']} {request.forms['city']}"

    @app.post("/postjson")
    def postjson():
        data = request.json
        return {"name": data["name"], "count": len(data["tags"])}

    @app.post("/upload")
    def upload():
        size = len(request.files["file"].file.read())
        return f"{request.forms['title']} {request.forms['tag']} {size}"

    @app.get("/session")
    def visits():
        number = int(request.get_cookie("visits", secret=SECRET) or 0) + 1
        response.set_cookie("visits", str(number), secret=SECRET)
        return f"visits: {number}"

    @app.get("/template")
    def template():
        return jinja2_template("page.html", title="Rows", rows=ROWS, template_lookup=LOOKUP)

    @app.get("/static/<filename:path>")
    def static(filename):
        return static_file(filename, root=str(STATIC))

    @app.get("/abort")
    def abort():
        bottle.abort(418)

    @app.error(418)
    def teapot(error):
        return "teapot"

    if scenario == "hooks":
        add_hooks(app)
    return app


def add_hooks(app: bottle.Bottle) -> None:
    """An application mounted in one that is mounted, and five functions before and after each request there."""
    outer, inner = bottle.Bottle(), bottle.Bottle()

    def around():
        return None

    for mounted, number in ((outer, 3), (inner, 2)):
        for _ in range(number):
            mounted.add_hook("before_request", around)
            mounted.add_hook("after_request", around)

    @inner.get("/")
    def index():
        return "hooked"

    outer.mount("/inner/", inner)
    app.mount("/outer/", outer)
