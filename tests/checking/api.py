"""Typed views of all kinds as their authors would write them, for mypy --strict and for pyright in strict mode."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated as A
from typing import assert_type

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
