"""mypy --strict accepts a typed application, with the types that one expects."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ci

ROOT = Path(__file__).parents[2]

PROGRAM = """
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated as A, assert_type

from msgspec import Struct

from costrel import (
    ApiKey,
    Bearer,
    Blueprint,
    Checked,
    Costrel,
    EventStream,
    Form,
    Query,
    SessionCookie,
    Status,
    current_principal,
    login_user,
    logout_user,
    partial,
    typed,
    websocket,
)

app = Costrel(__name__, typed=True, security=["bearer", ("key", "session")])


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


class User(Struct):
    id: int


def find_user(token: str) -> User | None:
    return None


async def find_by_key(key: str) -> User | None:
    return None


async def load_user(user_id: int) -> User | None:
    return None


app.auth_schemes["bearer"] = Bearer(verify=find_user)
app.auth_schemes["key"] = ApiKey(header="X-Key", verify=find_by_key)
app.auth_schemes["session"] = SessionCookie(load=load_user, identify=lambda user: user.id)
blueprint = Blueprint("api", __name__, security=[])


@app.get("/me", security=["bearer"])
def me(user: User) -> User:
    assert_type(current_principal(User), User | None)
    return user


@blueprint.post("/login")
def login(token: A[str, Bearer()]) -> str:
    assert_type(login_user(User(1), permanent=True), None)
    return token


@app.post("/logout")
def logout() -> None:
    assert_type(logout_user(), None)


@app.get("/form")
def show_form() -> str:
    blank = Checked.blank(Order, name="x")
    assert_type(blank, Checked[Order])
    blank.add_error("name", "taken")
    return blank.field("name").label


assert_type(me(User(1)), User)
assert_type(create(Order("x")), Order)
assert_type(points(1), list[Point] | None)
assert_type(partial(Order), type[Order])
with app.providing(Order, Order("x")):
    pass
"""


WRONG = """
from costrel import ApiKey, Bearer, Blueprint, Costrel, SessionCookie

app = Costrel(__name__)
app.auth_schemes["bearer"] = lambda token: None
Bearer(verify="secret")
ApiKey(place="X-Key")
SessionCookie(load=7)
Blueprint("a", __name__, security={"bearer"})
"""


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The errors that mypy --strict finds, by program: it is run once for both."""
    folder = tmp_path_factory.mktemp("typed")
    for name, text in (("right.py", PROGRAM), ("wrong.py", WRONG)):
        (folder / name).write_text(text.lstrip())
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--cache-dir", str(folder / "cache")]
    environ = {**os.environ, "MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(
        [*command, "right.py", "wrong.py"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert lines, done.stdout + done.stderr
    return {name: [line for line in lines if line.startswith(name)] for name in ("right.py", "wrong.py")}


def test_a_typed_application_passes_mypy(errors: dict[str, list[str]]) -> None:
    assert errors["right.py"] == []


def test_mypy_finds_mistakes_in_authentication(errors: dict[str, list[str]]) -> None:
    assert sorted({int(line.split(":")[1]) for line in errors["wrong.py"]}) == [4, 5, 6, 7, 8]
