"""An application of sixty typed views that uses every feature, to compare its document with its responses."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated as A
from typing import Generic, Literal, NewType, TypedDict, TypeVar
from uuid import UUID

import attrs
import pydantic
from msgspec import UNSET, Meta, Struct, UnsetType

from costrel import (
    Blueprint,
    Body,
    Checked,
    Cookie,
    Costrel,
    Download,
    EventStream,
    File,
    Form,
    Header,
    JSONLines,
    NotFound,
    OpenAPI,
    Path,
    Query,
    Response,
    Status,
    Use,
    abort,
    changes,
    partial,
    send_file,
    typed,
)
from costrel.http.errors import Conflict, Gone
from costrel.http.uploads import FileStorage
from costrel.views import MethodView

T = TypeVar("T")
Sku = NewType("Sku", str)
Count = A[int, Meta(ge=0, le=1000)]
Name = A[str, Meta(min_length=1, max_length=40)]


class State(Enum):
    OPEN = "open"
    PAID = "paid"


class Line(Struct):
    """One line of an order."""

    sku: A[str, Meta(min_length=3, max_length=12, pattern="^[A-Za-z0-9-]+$", examples=["BAR-2019"])]
    qty: A[int, Meta(ge=1, le=999)] = 1


class Order(Struct, kw_only=True):
    """An order of a customer."""

    customer: Name
    lines: A[list[Line], Meta(min_length=1, max_length=20)]
    state: State = State.OPEN
    note: str | None = None


class Taken(Struct):
    number: int
    customer: str


class Problem(Struct):
    title: str


class Strict(Struct, forbid_unknown_fields=True):
    name: Name


class Camel(Struct, rename="camel"):
    first_name: Name
    born_on: date


class Cat(Struct, tag="cat"):
    lives: A[int, Meta(ge=0, le=9)]


class Dog(Struct, tag="dog"):
    is_good: bool


class Node(Struct):
    name: Name
    children: list[Node] = []


class Page(Struct, Generic[T]):
    items: list[T]
    next: str | None = None


class Patch(Struct):
    name: Name | UnsetType = UNSET
    price: A[float, Meta(ge=0)] | UnsetType | None = UNSET


class Filter(Struct):
    state: State | None = None
    limit: A[int, Meta(ge=1, le=100)] = 20


class Trace(Struct):
    x_trace: UUID | None = None
    x_level: A[int, Meta(ge=0, le=9)] = 0


class Signup(Struct):
    name: A[str, Meta(min_length=2, max_length=40)]
    age: A[int, Meta(ge=0, le=150)]
    news: bool = False


class Times(Struct):
    day: date
    at: A[datetime, Meta(tz=True)]
    clock: A[time, Meta(tz=True)]
    lasts: timedelta
    id: UUID
    price: Decimal


class Row(TypedDict):
    name: str
    count: Count


@dataclass
class Point:
    x: int
    y: int = 0


@attrs.define
class Box:
    width: A[int, Meta(ge=1)]
    height: A[int, Meta(ge=1)] = 1


class Customer(pydantic.BaseModel):
    name: A[str, pydantic.Field(min_length=2, max_length=40)]
    tags: list[str] = []


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


class Session:
    def __init__(self) -> None:
        self.is_open = True


class User(Struct):
    name: str


def rows(limit: A[int, Query("row-limit"), Meta(ge=0, le=5)] = 2) -> list[int]:
    return [*range(limit)]


def read_money(text: str) -> Money:
    pounds, _, pence = text.partition(".")
    if not (pounds.isascii() and pounds.isdecimal() and len(pence) == 2 and pence.isascii() and pence.isdecimal()):
        raise ValueError("Expected pounds and pence, as in 12.50")
    return Money(int(pounds) * 100 + int(pence))


app = Costrel(__name__, static_folder=None, typed=True)
app.openapi = OpenAPI("Everything", "1.0", description="Each feature of *typed views*.")
app.typed_codec(
    Money,
    decode=read_money,
    encode=lambda money: f"{money.cents // 100}.{money.cents % 100:02}",
    schema={"type": "string", "pattern": r"^[0-9]+\.[0-9]{2}$"},
)
url = Blueprint("url", __name__, url_prefix="/url")
query = Blueprint("query", __name__, url_prefix="/query")
body = Blueprint("body", __name__, url_prefix="/body")
form = Blueprint("form", __name__, url_prefix="/form")
result = Blueprint("result", __name__, url_prefix="/result")
other = Blueprint("other", __name__, url_prefix="/other", owns_errors=True, error_format="problem")


@app.provide
def session() -> Iterator[Session]:
    made = Session()
    yield made
    made.is_open = False


@app.provide
async def user(opened: Session, x_user: A[Name, Header()]) -> User:
    return User(x_user if opened.is_open else "")


# -- the URL ----------------------------------------------------------------------------------------------------------


@url.get("/int/<int:id>")
def an_int(id: int) -> Taken:
    """An integer.

    The converter decides which texts match.
    """
    return Taken(id, "Ada")


@url.get("/bounds/<int:id>")
def bounds(id: A[int, Meta(ge=1, le=99)]) -> Taken:
    return Taken(id, "Ada")


@url.get("/float/<float:value>")
def a_float(value: float) -> dict[str, float]:
    return {"value": value}


@url.get("/uuid/<uuid:id>")
def a_uuid(id: UUID) -> dict[str, UUID]:
    return {"id": id}


@url.get("/any/<any(red, green):colour>")
def a_colour(colour: str) -> dict[str, str]:
    return {"colour": colour}


@url.get("/text/<name>")
def a_text(name: str) -> dict[str, str]:
    return {"name": name}


@url.get("/converted/<day>")
def converted(day: A[State, Path()]) -> dict[str, str]:
    return {"state": day.value}


@url.get("/two/<int:shop>/lines/<int:line>")
def two(shop: int, line: int) -> list[int]:
    return [shop, line]


# -- the query, headers and cookies -----------------------------------------------------------------------------------


@query.get("/scalars")
def scalars(text: str, number: int, ratio: float = 0.5, flag: bool = False) -> list[str]:
    return [text, str(number), str(ratio), str(flag)]


@query.get("/optional")
def optional(text: str | None = None, number: Count | None = None) -> dict[str, int | None]:
    return {"number": number}


@query.get("/times")
def times(day: date, id: UUID) -> dict[str, str]:
    return {"day": day.isoformat(), "id": str(id)}


@query.get("/choice")
def choice(state: State, sort: Literal["name", "date"] = "name") -> dict[str, str]:
    return {"state": state.value, "sort": sort}


@query.get("/many")
def many(number: A[list[int], Query()], tag: A[set[str], Query(split=",")] = set()) -> dict[str, int]:  # noqa: B006
    return {"count": len(number) + len(tag)}


@query.get("/renamed")
def renamed(size: A[int, Query("page-size"), Meta(ge=1, le=50)] = 10) -> dict[str, int]:
    return {"size": size}


@query.get("/money")
def money(least: Money) -> dict[str, int]:
    return {"cents": least.cents}


@query.get("/new-type")
def new_type(sku: Sku) -> dict[str, str]:
    return {"sku": sku}


@query.get("/spread")
def spread(wanted: A[Filter, Query()]) -> Filter:
    return wanted


@query.get("/header")
def header(x_trace: A[UUID | None, Header()] = None, x_level: A[Count, Header("X-Log-Level")] = 0) -> dict[str, int]:
    return {"level": x_level}


@query.get("/headers")
def headers(trace: A[Trace, Header()]) -> dict[str, int]:
    return {"level": trace.x_level}


@query.get("/required-header")
def required_header(x_key: A[Name, Header()]) -> dict[str, int]:
    return {"length": len(x_key)}


@query.get("/cookie")
def cookie(theme: A[Literal["light", "dark"], Cookie()] = "light") -> dict[str, str]:
    return {"theme": theme}


# -- JSON -------------------------------------------------------------------------------------------------------------


@body.post("/struct", examples={"small": Order(customer="Ada", lines=[Line("BAR-2019")])})
def struct(order: Order, dry: bool = False) -> A[Order, Status(201)]:
    """Take an order."""
    return order


@body.post("/strict")
def strict(item: Strict) -> Strict:
    return item


@body.post("/camel")
def camel(person: Camel) -> Camel:
    return person


@body.post("/union")
def union(pet: Cat | Dog) -> Cat | Dog:
    return pet


@body.post("/recursive")
def recursive(node: Node) -> Node:
    return node


@body.post("/list")
def a_list(lines: list[Line]) -> list[Line]:
    return lines


@body.post("/map")
def a_map(counts: dict[str, Count]) -> dict[str, Count]:
    return counts


@body.post("/optional")
def optional_body(line: Line | None = None) -> Line | None:
    return line


@body.post("/dataclass")
def a_dataclass(point: Point) -> Point:
    return point


@body.post("/attrs")
def an_attrs_class(box: Box) -> Box:
    return box


@body.post("/typed-dict")
def a_typed_dict(row: Row) -> Row:
    return row


@body.post("/pydantic")
def a_pydantic_model(customer: Customer) -> Customer:
    return customer


@body.post("/generic")
def generic(page: Page[Line]) -> Page[Line]:
    return page


@body.post("/times")
def times_in_a_body(moment: Times) -> Times:
    return moment


@body.patch("/patch")
def patch(sent: Patch) -> Patch:
    return sent


@body.patch("/partial")
def partly(sent: partial(Line)) -> dict[str, str | int]:  # type: ignore[valid-type]
    return changes(sent)


@body.put("/number")
def number(value: A[Count, Body()]) -> dict[str, int]:
    return {"value": value}


# -- forms and files --------------------------------------------------------------------------------------------------


@form.post("/fields")
def fields(name: A[Name, Form()], age: A[Count, Form()] = 0) -> dict[str, int]:
    return {"age": age}


@form.post("/model")
def model(signup: A[Signup, Form()]) -> Signup:
    return signup


@form.post("/checked", responses={422: "The form with its errors"})
def checked(signup: A[Checked[Signup], Form()]) -> Response:
    return Response("Thanks" if signup else "Again", status=200 if signup else 422, mimetype="text/html")


@form.post("/file")
def a_file(photo: FileStorage, title: A[str, Form()] = "") -> dict[str, int]:
    return {"size": len(photo.read())}


@form.post("/files")
def files(photos: list[FileStorage]) -> dict[str, int]:
    return {"count": len(photos)}


@form.post("/part")
def part(photo: A[bytes, File()], line: A[Line, Form(json=True)]) -> Line:
    return line


# -- results ----------------------------------------------------------------------------------------------------------


@result.get("/variants/<int:number>", responses={409: Problem}, raises=[Gone])
def variants(number: int) -> A[Taken, Status(200)] | A[Problem, Status(404)]:
    return Taken(number, "Ada") if number < 5 else Problem("Not here")


@result.delete("/nothing/<int:number>", raises=[NotFound])
def nothing(number: int) -> None:
    if number > 5:
        raise NotFound


@result.get("/perhaps/<int:number>")
def perhaps(number: int) -> Taken | None:
    return Taken(number, "Ada") if number else None


@result.get("/page")
def page(after: str = "", limit: A[int, Meta(ge=1, le=5)] = 2) -> Page[Line]:
    return Page([Line(f"pen{index}") for index in range(limit)], next="more")


@result.get("/events")
def events(count: A[int, Meta(ge=0, le=3)] = 1) -> EventStream[Line]:
    for index in range(count):
        yield Line(f"pen{index}")


@result.get("/lines")
def lines(count: A[int, Meta(ge=0, le=3)] = 1) -> JSONLines[Line]:
    for index in range(count):
        yield Line(f"pen{index}")


@result.get("/download")
def download(name: A[str, Meta(pattern="^[a-z]{1,8}$")] = "bill") -> A[Response, Download("application/pdf")]:
    return send_file(io.BytesIO(b"%PDF-1.7"), mimetype="application/pdf", download_name=f"{name}.pdf")


@result.get("/html")
def html(name: Name = "Ada") -> str:
    return "<p>Hello</p>"


@result.get("/old", deprecated=date(2027, 1, 31), sunset=date(2027, 6, 30), operation_id="old_list")
def old(limit: Count = 1) -> list[Taken]:
    """The old list."""
    return []


@result.get("/filtered")
def filtered(count: A[int, Meta(ge=0, le=3)] = 1) -> list[User]:
    return [{"name": "Ada", "password": "secret"} for _ in range(count)]  # type: ignore[misc]


# -- providers, class-based views, other errors -----------------------------------------------------------------------


@other.get("/me")
def me(who: User) -> User:
    return who


@other.get("/used")
def used(found: A[list[int], Use(rows)]) -> list[int]:
    return found


@other.get("/session")
async def with_session(opened: Session, limit: Count = 1) -> dict[str, bool]:
    return {"is_open": opened.is_open}


@other.post("/conflict", raises=[Conflict])
def conflict(line: Line) -> Line:
    if line.qty > 5:
        abort(409)
    return line


@other.route("/both", methods=["POST", "PUT"])
def both(line: Line) -> A[Line, Status(202)]:
    return line


@other.get("/many/<int:first>")
@other.get("/many/<int:first>/<int:second>")
def several_rules(first: int, second: int = 0) -> list[int]:
    return [first, second]


class Items(MethodView):
    init_every_request = False

    @typed
    def get(self, limit: Count = 1) -> list[Line]:
        """The items."""
        return []

    @typed
    def post(self, line: Line) -> A[Line, Status(201)]:
        """Add an item."""
        return line


other.add_url_rule("/items", view_func=Items.as_view("items"))

for blueprint in (url, query, body, form, result, other):
    app.register_blueprint(blueprint)
