"""Quart: Flask's API on asyncio."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Quart, abort, render_template, request, session

from . import HERE, ROWS, SECRET


def asgi(scenario: str) -> Any:
    app = Quart("benchmark", root_path=str(HERE))
    app.secret_key = SECRET

    @app.route("/")
    async def hello():
        return "Hello"

    @app.route("/json")
    async def json():
        return {"message": "Hello", "numbers": [1, 2, 3]}

    @app.route("/user/<int:id>/post/<slug>")
    async def params(id, slug):
        return f"{id} {slug} {request.args['page']}"

    @app.post("/form")
    async def form():
        values = await request.form
        return f"{values['name']} {values['city']}"

    @app.post("/postjson")
    async def postjson():
        data = await request.get_json()
        return {"name": data["name"], "count": len(data["tags"])}

    @app.post("/upload")
    async def upload():
        values = await request.form
        size = len((await request.files)["file"].read())
        return f"{values['title']} {values['tag']} {size}"

    @app.route("/session")
    async def visits():
        session["visits"] = session.get("visits", 0) + 1
        return f"visits: {session['visits']}"

    @app.route("/template")
    async def template():
        return await render_template("page.html", title="Rows", rows=ROWS)

    @app.route("/abort")
    async def teapot():
        abort(418)

    @app.errorhandler(418)
    async def is_a_teapot(error):
        return "teapot", 418

    if scenario == "hooks":
        add_hooks(app)
    return app


def add_hooks(app: Quart) -> None:
    """Two blueprints deep, and five functions before and after each request there."""
    outer = Blueprint("outer", "benchmark", url_prefix="/outer")
    inner = Blueprint("inner", "benchmark", url_prefix="/inner")

    async def before():
        return None

    async def after(response):
        return response

    for blueprint, number in ((outer, 3), (inner, 2)):
        for _ in range(number):
            blueprint.before_request(before)
            blueprint.after_request(after)

    @inner.route("/")
    async def index():
        return "hooked"

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
