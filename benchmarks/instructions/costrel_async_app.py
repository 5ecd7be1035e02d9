"""Costrel with its own defaults and `async def` views, which run on the server's loop."""

from __future__ import annotations

from typing import Any

from costrel import Blueprint, Costrel, request, session

from ..peers import HERE, SECRET


def asgi(scenario: str) -> Any:
    app = Costrel("instructions", root_path=str(HERE))
    app.secret_key = SECRET
    app.config["COMPRESS"] = False  # the peers do not compress
    add_views(app)
    if scenario in ("hooks", "mixed_hooks"):
        add_hooks(app, mixed=scenario == "mixed_hooks")
    return app.asgi


def add_views(app: Costrel) -> None:
    @app.route("/")
    async def hello():
        return "Hello"

    @app.route("/page")
    async def page():
        return f"page {request.args.get('page')} {request.cookies.get('theme')}"

    @app.route("/json")
    async def json():
        return {"message": "Hello"}

    @app.route("/user/<int:id>/post/<slug>")
    async def params(id, slug):
        return f"{id} {slug} {request.args.get('page')}"

    @app.post("/form")
    async def form():
        return f"{request.form['name']} {request.form['city']}"

    @app.post("/postjson")
    async def postjson():
        return {"name": request.get_json()["name"]}

    @app.route("/login")
    async def login():
        session["user"] = 42
        return "in"

    @app.route("/session/read")
    async def read():
        return f"user {session.get('user')}"


def add_hooks(app: Costrel, mixed: bool) -> None:
    """The page once more in a blueprint, with async functions around it, and a `def` among them if `mixed`."""
    shop = Blueprint("shop", "instructions", url_prefix="/shop")

    async def before():
        return None

    async def after(response):
        return response

    async def teardown(error):
        return None

    def preprocess(endpoint, values):
        return None

    for scaffold in (app, shop):
        scaffold.before_request(before)
        scaffold.after_request(after)
    app.teardown_request(teardown)
    if mixed:
        shop.url_value_preprocessor(preprocess)
    shop.context_processor(dict)

    @shop.route("/page")
    async def page():
        return f"page {request.args.get('page')} {request.cookies.get('theme')}"

    app.register_blueprint(shop)
