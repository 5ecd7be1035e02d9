"""mypy --strict accepts a typed application, with the types that one expects."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated as A, assert_type

from msgspec import Struct

from costrel import Checked, Costrel, EventStream, Form, Query, Status, partial, typed, websocket

app = Costrel(__name__, typed=True)


class Order(Struct):
    name: str


@dataclass
class Point:
    x: int


@app.post("/")
def create(order: Order, limit: A[int, Query()] = 1) -> A[Order, Status(201)]:
    return order


@app.get("/points")
@typed
def points(x: int) -> list[Point] | None:
    return [Point(x)]


@app.get("/tuple")
async def with_status() -> tuple[Order, int]:
    return Order("x"), 201


@app.get("/events")
def events() -> EventStream[Order]:
    return iter([Order("x")])


@app.get("/async-events")
async def async_events() -> EventStream[Order]:
    yield Order("x")


@app.post("/form")
def form(form: A[Checked[Order], Form()]) -> str:
    assert_type(form.value, Order | None)
    return ""


@app.provide
def order() -> Iterator[Order]:
    yield Order("x")


@app.provide(first=True)
async def point() -> Point:
    return Point(1)


@app.websocket("/play")
async def play() -> None:
    assert_type(await websocket.receive_as(Order), Order)


assert_type(create(Order("x")), Order)
assert_type(points(1), list[Point] | None)
assert_type(partial(Order), type[Order])
with app.providing(Order, Order("x")):
    pass
"""


def test_a_typed_application_passes_mypy(tmp_path: Path) -> None:
    program = tmp_path / "typed_program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)]
    environ = {**os.environ, "MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout
