"""Declared results: encoded as the declared type, filtered at every depth, with the declared status."""

import dataclasses
import datetime
import json
import typing as t
from typing import Annotated as A

import attrs
import msgspec
import pydantic
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from costrel import Costrel, Download, EventStream, JSONLines, Response, Status, abort, redirect, send_file, typed
from costrel.http.errors import Conflict

T = t.TypeVar("T")
SECRET = "hunter2"


class Line(Struct):
    sku: str


class SecretLine(Line):
    password: str = SECRET


class Order(Struct):
    line: Line
    lines: list[Line] = []


class SecretOrder(Order):
    password: str = SECRET


class Page(Struct, t.Generic[T]):
    items: list[T]
    next: str | None = None


@dataclasses.dataclass
class Data:
    sku: str


@dataclasses.dataclass
class SecretData(Data):
    password: str = SECRET


@attrs.define(slots=False)
class Attrs:
    sku: str


@attrs.define
class SecretAttrs(Attrs):
    password: str = SECRET


class Model(pydantic.BaseModel):
    sku: str


class SecretModel(Model):
    password: str = SECRET


class Dictionary(t.TypedDict):
    sku: str


@dataclasses.dataclass
class WithDefault:
    x: int
    y: int = 0
    z: list[int] = dataclasses.field(default_factory=list)


class Row:
    """An object of an ORM."""

    def __init__(self, sku):
        self.sku = sku
        self.password = SECRET


class Problem(Struct):
    reason: str


class First(Struct, tag="first"):
    sku: str


class SecretFirst(First, tag="first"):
    password: str = SECRET


class Second(Struct, tag="second"):
    size: int


@pytest.fixture
def app():
    return Costrel(__name__, static_folder=None, typed=True)


def answer(app, expr, value, edge="wsgi"):
    """The response of a view that returns `value` and declares `expr`."""

    def view():
        return value

    view.__annotations__["return"] = expr
    app.add_url_rule("/", view_func=view)
    return app.test_client(edge=edge).get("/")


WITH_SECRETS = [
    (Line, SecretLine),
    (Data, SecretData),
    (Attrs, SecretAttrs),
    (Model, lambda sku: SecretModel(sku=sku)),
    (Line, lambda sku: {"sku": sku, "password": SECRET}),
    (Data, lambda sku: {"sku": sku, "password": SECRET}),
    (Dictionary, lambda sku: {"sku": sku, "password": SECRET}),
    (Model, lambda sku: {"sku": sku, "password": SECRET}),
    (Line, Row),
    (Data, Row),
    (Attrs, Row),
    (Model, Row),
    (Line, Data),
]


def with_attribute(sku):
    made = Attrs(sku)
    made.password = SECRET
    return made


WITH_SECRETS.append((Attrs, with_attribute))


@pytest.mark.parametrize(("cls", "make"), WITH_SECRETS)
def test_nothing_leaves_that_the_type_does_not_declare(cls, make):
    sku = {"sku": "a"}
    wrapped = msgspec.defstruct("Wrapped", [("inner", cls), ("more", list[cls], [])])
    twice = msgspec.defstruct("Twice", [("wrapped", wrapped)])
    shapes = [
        (cls, make("a"), sku),
        (list[cls], [make("a"), make("a")], [sku, sku]),
        (dict[str, cls], {"k": make("a")}, {"k": sku}),
        (tuple[cls, str], (make("a"), "x"), [sku, "x"]),
        (tuple[cls, ...], (make("a"),), [sku]),
        (cls | None, make("a"), sku),
        (Page[cls], Page([make("a")]), {"items": [sku], "next": None}),
        (wrapped, wrapped(make("a"), [make("a")]), {"inner": sku, "more": [sku]}),
        (twice, twice(wrapped(make("a"))), {"wrapped": {"inner": sku, "more": []}}),
        (list[twice], [twice(wrapped(make("a")))], [{"wrapped": {"inner": sku, "more": []}}]),
        (dict[str, list[cls]], {"k": [make("a")]}, {"k": [sku]}),
    ]
    for expr, value, expected in shapes:
        response = answer(Costrel(__name__, static_folder=None, typed=True), expr, value)
        assert (response.status_code, response.content_type) == (200, "application/json"), (expr, response.text)
        assert response.json == expected, expr


def test_a_subclass_at_any_depth_is_filtered(app):
    value = SecretOrder(SecretLine("a"), [Line("b"), SecretLine("c")])
    assert answer(app, Order, value).json == {"line": {"sku": "a"}, "lines": [{"sku": "b"}, {"sku": "c"}]}


def test_a_union_is_filtered_by_the_nearest_class(app):
    assert answer(app, list[First | Second], [SecretFirst("a"), Second(1)]).json == [
        {"type": "first", "sku": "a"}, {"type": "second", "size": 1},
    ]  # fmt: skip


def test_exact_objects_are_encoded_without_a_second_validation(app):
    made = []

    class Counted(Struct):
        n: int

        def __post_init__(self):
            made.append(self)

    value = [Counted(1), Counted(2)]
    assert answer(app, list[Counted], value).json == [{"n": 1}, {"n": 2}]
    assert len(made) == 2


class Node(Struct):
    v: int
    kids: "list[Node]" = []


class SecretNode(Node):
    password: str = SECRET


def test_a_recursive_type_is_filtered(app):
    assert answer(app, Node, Node(1, [Node(2, [SecretNode(3)])])).json == {
        "v": 1, "kids": [{"v": 2, "kids": [{"v": 3, "kids": []}]}],
    }  # fmt: skip


class Times(Struct, rename="camel"):
    created_at: datetime.datetime
    patch: int | UnsetType = UNSET


def test_values_are_encoded_by_type(app):
    row = Row("x")
    row.created_at = datetime.datetime(2026, 1, 2)
    assert answer(app, Times, row).json == {"createdAt": "2026-01-02T00:00:00"}


@pytest.mark.parametrize("value", [object(), {"sku": 1, "x": SECRET}, SECRET, None, 3])
def test_a_value_that_does_not_fit_is_a_500_that_names_the_place(app, caplog, value):
    response = answer(app, Page[Order], {"items": [{"line": value}]})
    assert response.status_code == 500
    assert "The result of 'answer.<locals>.view' is not" in caplog.text or "result.items[0].line" in caplog.text
    assert SECRET not in caplog.text.replace("password: str = SECRET", "")
    assert SECRET not in response.text


@pytest.mark.parametrize("value", [{"sku": {"x": SECRET}}, SECRET, {"more": SECRET}])
def test_a_value_that_is_no_pydantic_model_is_a_500_without_the_value(app, caplog, value):
    assert answer(app, list[Model], [value]).status_code == 500
    assert "is not a list[Model]" in caplog.text
    assert SECRET not in caplog.text


STATUSES = [
    (A[Line, Status(201)], Line("a"), 201, {"sku": "a"}),
    (A[Line, Status(200)] | A[Problem, Status(404)], Problem("gone"), 404, {"reason": "gone"}),
    (A[Line, Status(200)] | A[Problem, Status(404)], SecretLine("a"), 200, {"sku": "a"}),
    (A[Line, Status(200)] | A[Problem, Status(404)], {"reason": "x"}, 404, {"reason": "x"}),
    (A[Line | None, Status(202)], None, 202, None),
    (Line | None, None, 200, None),
    (Line, (Line("a"), 203), 203, {"sku": "a"}),
    (Line, (Line("a"), 203, {"X-A": "b"}), 203, {"sku": "a"}),
    (Line, (Line("a"), {"X-A": "b"}), 200, {"sku": "a"}),
    (tuple[Line, int], (SecretLine("a"), 203), 203, {"sku": "a"}),
    (dict[str, int], {"a": 1}, 200, {"a": 1}),
    (list[str], ["a"], 200, ["a"]),
    (A[dict, Status(201)], {"a": 1}, 201, {"a": 1}),
]


@pytest.mark.parametrize(("expr", "value", "status", "expected"), STATUSES, ids=str)
def test_the_status_is_the_declared_one(app, expr, value, status, expected):
    response = answer(app, expr, value)
    assert (response.status_code, response.json) == (status, expected)


@pytest.mark.parametrize(("expr", "status"), [(None, 204), (A[None, Status(205)], 205)])
def test_a_view_that_returns_none_has_no_body(app, expr, status):
    response = answer(app, expr, None)
    assert (response.status_code, response.data) == (status, b"")


class Moved(Response):
    """A response of the application's own class."""


@pytest.mark.parametrize("make", [lambda: Response("own", 202), lambda: Moved("own", 202), lambda: (Moved("own"), 202)])
@pytest.mark.parametrize("expr", [Order | Response, Response | Order, Order | Moved, list[Line] | Moved])
def test_a_response_is_sent_as_it_is_also_if_the_annotation_names_its_class(app, expr, make):
    response = answer(app, expr, make())

    assert (202, "own") == (response.status_code, response.text)


@pytest.mark.parametrize("value", ["text", b"bytes", {"a": 1}, Response("r"), ("x", 201)])
def test_without_a_declared_model_a_result_is_as_in_flask(app, value):
    with Costrel(__name__).test_request_context():
        expected = app.make_response(value)
    response = answer(app, Response, value)
    assert (response.status_code, response.data) == (expected.status_code, expected.data)


def test_responses_pass_unchanged(app):
    @app.get("/redirect")
    def moved() -> Line:
        return redirect("/elsewhere")

    @app.get("/error")
    def error() -> Line:
        return Conflict()

    @app.get("/abort")
    def aborted() -> Line:
        abort(410)

    @app.get("/wsgi")
    def wsgi() -> Line:
        return Response("own")

    client = app.test_client()
    assert [client.get(url).status_code for url in ("/redirect", "/error", "/abort", "/wsgi")] == [302, 409, 410, 200]


def test_defaults_of_a_dataclass_that_were_not_sent_are_written(app):
    app.config["CSRF_PROTECTION"] = False

    @app.post("/")
    def echo(value: WithDefault) -> WithDefault:
        return value

    assert app.test_client().post("/", json={"x": 1}).json == {"x": 1, "y": 0, "z": []}


def test_without_typed_a_return_annotation_means_nothing():
    app = Costrel(__name__, static_folder=None)

    def view() -> None:
        return "text"

    app.add_url_rule("/", view_func=view)
    assert app.test_client().get("/").text == "text"


@pytest.mark.parametrize("is_async", [False, True])
def test_streams_are_encoded_by_type(app, edge, is_async):
    def items():
        yield Line("a")
        yield SecretLine("b")

    async def items_async():
        yield Line("a")
        yield SecretLine("b")

    def events():
        return items_async() if is_async else items()

    events.__annotations__["return"] = EventStream[Line]
    app.add_url_rule("/events", view_func=events)

    def lines():
        return items_async() if is_async else items()

    lines.__annotations__["return"] = JSONLines[Line]
    app.add_url_rule("/lines", view_func=lines)
    client = app.test_client(edge=edge)
    response = client.get("/events")
    assert (response.mimetype, response.text) == ("text/event-stream", 'data: {"sku":"a"}\n\ndata: {"sku":"b"}\n\n')
    response = client.get("/lines")
    assert (response.mimetype, response.text) == ("application/jsonl", '{"sku":"a"}\n{"sku":"b"}\n')


def test_a_generator_view_can_be_a_stream(app, edge):
    @app.get("/")
    def prices(n: int) -> EventStream[Line]:
        for i in range(n):
            yield Line(str(i))

    assert app.test_client(edge=edge).get("/?n=2").text == 'data: {"sku":"0"}\n\ndata: {"sku":"1"}\n\n'


def test_a_download_is_sent_as_it_is(app, tmp_path):
    (tmp_path / "f.pdf").write_bytes(b"pdf")

    @app.get("/")
    def report() -> A[Response, Download("application/pdf")]:
        return send_file(tmp_path / "f.pdf")

    response = app.test_client().get("/")
    assert (response.mimetype, response.data) == ("application/pdf", b"pdf")


class Money:
    def __init__(self, cents):
        self.cents = cents


class Price(Struct):
    amount: Money
    more: t.Any = None


def test_own_types_are_written_by_their_codec_or_the_json_provider(app):
    app.typed_codec(Money, encode=lambda money: f"{money.cents} EUR")
    app.json.default = lambda value: "by the provider"
    assert answer(app, Price, Price(Money(5), object())).json == {"amount": "5 EUR", "more": "by the provider"}


def test_typed_encodes_below_a_decorator(edge):
    app = Costrel(__name__)
    app.config["CSRF_PROTECTION"] = False

    def decorate(view):
        def decorated(*args, **kwargs):
            made = view(*args, **kwargs)
            assert isinstance(made, Response)
            return made

        return decorated

    @app.post("/")
    @decorate
    @typed
    def create(line: Line) -> A[Line, Status(201)]:
        return SecretLine(line.sku)

    response = app.test_client(edge=edge).post("/", json={"sku": "a"})
    assert (response.status_code, response.json) == (201, {"sku": "a"})


# -- pydantic ---------------------------------------------------------------------------------------------------------


class Buyer(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    name: A[str, pydantic.Field(min_length=2)]
    age: A[int, pydantic.Field(ge=0)] = 0
    kind: t.Literal["a", "b"] = "a"


class Purchase(Struct):
    buyer: Buyer
    n: int


def test_pydantic_models_are_read_and_written(app, edge):
    app.config["CSRF_PROTECTION"] = False

    @app.post("/")
    def create(buyer: Buyer) -> Buyer:
        return buyer

    @app.post("/within")
    def within(purchase: Purchase) -> Purchase:
        return purchase

    client = app.test_client(edge=edge)
    good = {"name": "ab", "age": 1, "kind": "a"}
    assert client.post("/", json=good).json == good
    assert client.post("/within", json={"buyer": good, "n": 1}).json == {"buyer": good, "n": 1}
    wrong = {"name": "a", "age": -1, "kind": SECRET, SECRET[:3]: SECRET}
    expected = [("#/name", "length"), ("#/age", "range"), ("#/kind", "enum"), ("#/hun", "unknown")]
    response = client.post("/", json=wrong)
    assert [(each["pointer"], each["code"]) for each in response.json["errors"]] == expected
    assert SECRET not in response.text
    response = client.post("/within", json={"buyer": wrong, "n": "x"})
    places = [(f"#/buyer{pointer[1:]}", code) for pointer, code in expected]
    assert [(each["pointer"], each["code"]) for each in response.json["errors"]] == [*places, ("#/n", "type")]
    assert client.post("/", data="{", content_type="application/json").status_code == 400


class Aliased(pydantic.BaseModel):
    first_name: str = pydantic.Field(alias="firstName")


class SecretAliased(Aliased):
    password: str = SECRET


def test_aliases_of_pydantic_are_read_and_written(app):
    app.config["CSRF_PROTECTION"] = False

    @app.post("/")
    def echo(value: Aliased) -> list[Aliased]:
        return [value, SecretAliased(firstName="b")]

    response = app.test_client().post("/", json={"firstName": "a"})
    assert response.json == [{"firstName": "a"}, {"firstName": "b"}]


def test_a_pydantic_form(app):
    app.config["CSRF_PROTECTION"] = False
    from costrel import Form

    @app.post("/")
    def create(buyer: A[Buyer, Form()]) -> Buyer:
        return buyer

    client = app.test_client()
    assert client.post("/", data={"name": "ab", "age": "3"}).json == {"name": "ab", "age": 3, "kind": "a"}
    response = client.post("/", data={"name": "a", "age": "x"})
    places = [(each["in"], each["name"], each["code"]) for each in response.json["errors"]]
    assert places == [("form", "name", "length"), ("form", "age", "type")]


def test_json_is_what_the_meta_says(app):
    assert json.loads(answer(app, A[list[Line], Meta(min_length=1)], [SecretLine("a")]).text) == [{"sku": "a"}]
