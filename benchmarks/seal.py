"""The start of an application with typed views: CPU time per view, of Costrel and of FastAPI.

Costrel plans its views when the application is sealed; FastAPI does so when a view is registered.
"""

from __future__ import annotations

import gc
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

from . import results

VIEWS = 300
ROUNDS = 7

COSTREL = """
from typing import Annotated
from uuid import UUID
from costrel import Costrel, Header, Status
from msgspec import Meta, Struct
app = Costrel("seal")
"""
COSTREL_VIEW = """
class Line{n}(Struct):
    sku: Annotated[str, Meta(min_length=3)]
    qty: Annotated[int, Meta(ge=1)] = 1
class Order{n}(Struct):
    customer: str
    lines: Annotated[list[Line{n}], Meta(min_length=1)]
def view{n}(
    shop: int, order: Order{n}, dry: bool = False, x_trace: Annotated[UUID | None, Header()] = None
) -> Annotated[Order{n}, Status(201)]:
    return order
"""
FASTAPI = """
from typing import Annotated
from uuid import UUID
from fastapi import FastAPI, Header
from pydantic import BaseModel, Field
app = FastAPI()
"""
FASTAPI_VIEW = """
class Line{n}(BaseModel):
    sku: Annotated[str, Field(min_length=3)]
    qty: Annotated[int, Field(ge=1)] = 1
class Order{n}(BaseModel):
    customer: str
    lines: Annotated[list[Line{n}], Field(min_length=1)]
def view{n}(
    shop: int, order: Order{n}, dry: bool = False, x_trace: Annotated[UUID | None, Header()] = None
) -> Order{n}:
    return order
"""


def defined(head: str, view: str) -> dict[str, Any]:
    """A module with an application and its views, which are not registered yet."""
    module: dict[str, Any] = {"__name__": "seal"}
    source = head + "".join(view.replace("{n}", str(number)) for number in range(VIEWS))
    exec(compile(source, "seal.py", "exec", dont_inherit=True), module)  # the annotations are no strings
    return module


def costrel() -> Callable[[], None]:
    module = defined(COSTREL, COSTREL_VIEW)
    app = module["app"]
    for number in range(VIEWS):
        app.post(f"/shops/<int:shop>/orders{number}")(module[f"view{number}"])
    return app.open_for_requests


def fastapi() -> Callable[[], None]:
    module = defined(FASTAPI, FASTAPI_VIEW)
    app = module["app"]

    def register() -> None:
        for number in range(VIEWS):
            app.post(f"/shops/{{shop}}/orders{number}", status_code=201)(module[f"view{number}"])

    return register


FRAMEWORKS = {"Costrel": costrel, "FastAPI": fastapi}


def milliseconds(run: Callable[[], None]) -> float:
    """The CPU time of a call, per view."""
    gc.collect()
    started = time.process_time()
    run()
    return (time.process_time() - started) * 1000 / VIEWS


def main() -> None:
    """Measure the frameworks that are installed, in turns; keep the figures if all are."""
    found: dict[str, list[float]] = {
        name: [] for name in FRAMEWORKS if importlib.util.find_spec(name.lower()) is not None
    }
    for _ in range(ROUNDS):
        for name, figures in found.items():
            figures.append(milliseconds(FRAMEWORKS[name]()))
    print(table(found))
    if found.keys() == FRAMEWORKS.keys():
        results.save("seal", found)


def table(found: dict[str, list[float]]) -> str:
    """Markdown: a line for each framework."""
    rows = ["| CPU time per view | least | median |", "| --- | --: | --: |"]
    rows += [
        f"| {name} | {min(figures):.2f} ms | {statistics.median(figures):.2f} ms |" for name, figures in found.items()
    ]
    return "\n".join(rows)
