"""FastAPI: the same inputs and results as `typed_app.py`, with pydantic models."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field


class Line(BaseModel):
    sku: Annotated[str, Field(min_length=3)]
    qty: Annotated[int, Field(ge=1)] = 1


class Order(BaseModel):
    customer: str
    lines: Annotated[list[Line], Field(min_length=1)]


class Row(BaseModel):
    id: int
    title: str
    price: float
    available: bool


ROWS = [Row(id=number, title=f"row {number}", price=number * 1.5, available=number % 2 == 0) for number in range(50)]


def asgi(scenario: str) -> Any:
    app = FastAPI()

    @app.get("/untyped", response_class=PlainTextResponse)
    async def untyped(request: Request):
        return f"page {request.query_params.get('page')} {request.cookies.get('theme')}"

    @app.get("/search", response_class=PlainTextResponse)
    async def search(
        q: str,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        page: Annotated[int, Query(ge=1)] = 1,
        archived: bool = False,
    ):
        return f"{q} {limit} {page} {archived}"

    @app.post("/orders", status_code=201)
    async def create(order: Order) -> Order:
        return order

    @app.post("/traced-orders", status_code=201)
    async def create_traced(order: Order, dry: bool = False, x_trace: Annotated[UUID | None, Header()] = None) -> Order:
        return order

    @app.get("/rows")
    async def rows() -> list[Row]:
        return ROWS

    return app
