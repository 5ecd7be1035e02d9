"""Costrel with views that read and check their values by hand: over WSGI as `def`, over ASGI as `async def`."""

from __future__ import annotations

from typing import Any

from costrel import Costrel, abort, jsonify, request

ROWS = [
    {"id": number, "title": f"row {number}", "price": number * 1.5, "available": number % 2 == 0}
    for number in range(50)
]
WORDS = {"true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "off": False, "no": False}


def values() -> tuple[str, int, int, bool]:
    """The four values of a search. Aborts with 400 for a value that is missing or invalid."""
    args = request.args
    q = args.get("q")
    try:
        limit = int(args.get("limit", 20))
        page = int(args.get("page", 1))
        archived = WORDS[args.get("archived", "false").lower()]
    except (ValueError, KeyError):
        abort(400)
    if q is None or not 1 <= limit <= 100 or page < 1:
        abort(400)
    return q, limit, page, archived


def wsgi(scenario: str) -> Any:
    app = Costrel("instructions")
    app.config["COMPRESS"] = False  # the peers do not compress

    @app.route("/untyped")
    def untyped():
        return f"page {request.args.get('page')} {request.cookies.get('theme')}"

    @app.get("/search")
    def search():
        q, limit, page, archived = values()
        return f"{q} {limit} {page} {archived}"

    @app.post("/orders")
    def create():
        return jsonify(request.get_json()), 201

    @app.get("/rows")
    def rows():
        return jsonify(ROWS)

    return app


def asgi(scenario: str) -> Any:
    app = Costrel("instructions")
    app.config["COMPRESS"] = False  # the peers do not compress

    @app.route("/untyped")
    async def untyped():
        return f"page {request.args.get('page')} {request.cookies.get('theme')}"

    @app.get("/search")
    async def search():
        q, limit, page, archived = values()
        return f"{q} {limit} {page} {archived}"

    @app.post("/orders")
    async def create():
        return jsonify(request.get_json()), 201

    @app.get("/rows")
    async def rows():
        return jsonify(ROWS)

    return app.asgi
