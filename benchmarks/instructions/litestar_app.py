"""Litestar: the same inputs and results as `typed_app.py`, with Structs of msgspec."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Litestar, MediaType, Request, get, post
from litestar.params import Parameter
from msgspec import Meta, Struct


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


@get("/untyped", media_type=MediaType.TEXT)
async def untyped(request: Request) -> str:
    return f"page {request.query_params.get('page')} {request.cookies.get('theme')}"


@get("/search", media_type=MediaType.TEXT)
async def search(
    q: str,
    limit: Annotated[int, Parameter(ge=1, le=100)] = 20,
    page: Annotated[int, Parameter(ge=1)] = 1,
    archived: bool = False,
) -> str:
    return f"{q} {limit} {page} {archived}"


@post("/orders")
async def create(data: Order) -> Order:
    return data


@post("/traced-orders")
async def create_traced(
    data: Order, dry: bool = False, x_trace: Annotated[UUID | None, Parameter(header="X-Trace")] = None
) -> Order:
    return data


@get("/rows")
async def rows() -> list[Row]:
    return ROWS


def asgi(scenario: str) -> Any:
    return Litestar([untyped, search, create, create_traced, rows], openapi_config=None)
