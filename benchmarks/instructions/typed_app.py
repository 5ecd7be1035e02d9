"""Costrel with typed views: over WSGI as `def`, over ASGI as `async def`."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from costrel import Costrel, Header, Query, Status, request


class Line(Struct):
    sku: Annotated[str, Meta(min_length=3)]
    qty: Annotated[int, Meta(ge=1)] = 1


class Order(Struct):
    customer: str
    lines: Annotated[list[Line], Meta(min_length=1)]


class Row(Struct):
    id: int
    title: str
    price: float
    available: bool


ROWS = [Row(number, f"row {number}", number * 1.5, number % 2 == 0) for number in range(50)]

Limit = Annotated[int, Meta(ge=1, le=100)]
Page = Annotated[int, Meta(ge=1)]
Trace = Annotated[UUID | None, Header()]


def wsgi(scenario: str) -> Any:
    app = Costrel("instructions", typed=True)
    app.config["COMPRESS"] = False  # the peers do not compress

    @app.route("/untyped")
    def untyped():
        return f"page {request.args.get('page')} {request.cookies.get('theme')}"

    @app.get("/search")
    def search(q: Annotated[str, Query()], limit: Limit = 20, page: Page = 1, archived: bool = False) -> str:
        return f"{q} {limit} {page} {archived}"

    @app.post("/orders")
    def create(order: Order) -> Annotated[Order, Status(201)]:
        return order

    @app.post("/traced-orders")
    def create_traced(order: Order, dry: bool = False, x_trace: Trace = None) -> Annotated[Order, Status(201)]:
        return order

    @app.get("/rows")
    def rows() -> list[Row]:
        return ROWS

    return app


def asgi(scenario: str) -> Any:
    app = Costrel("instructions", typed=True)
    app.config["COMPRESS"] = False  # the peers do not compress

    @app.route("/untyped")
    async def untyped():
        return f"page {request.args.get('page')} {request.cookies.get('theme')}"

    @app.get("/search")
    async def search(q: Annotated[str, Query()], limit: Limit = 20, page: Page = 1, archived: bool = False) -> str:
        return f"{q} {limit} {page} {archived}"

    @app.post("/orders")
    async def create(order: Order) -> Annotated[Order, Status(201)]:
        return order

    @app.post("/traced-orders")
    async def create_traced(order: Order, dry: bool = False, x_trace: Trace = None) -> Annotated[Order, Status(201)]:
        return order

    @app.get("/rows")
    async def rows() -> list[Row]:
        return ROWS

    return app.asgi
