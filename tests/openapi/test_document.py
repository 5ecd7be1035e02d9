"""The API document: the signatures of typed views as a valid OpenAPI 3.1 document."""

import dataclasses
import datetime
import enum
import subprocess
import sys
import typing as t
from typing import Annotated as A
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest
from jsonschema import Draft202012Validator
from msgspec import Meta, Struct
from openapi_spec_validator import OpenAPIV31SpecValidator

from costrel import (
    Blueprint,
    Body,
    Checked,
    Conflict,
    Cookie,
    Costrel,
    Download,
    EventStream,
    File,
    FileStorage,
    Form,
    Header,
    JSONLines,
    MethodView,
    NotFound,
    OpenAPI,
    Path,
    Query,
    Response,
    Status,
    partial,
    typed,
)
from costrel.app.application import Flask
from costrel.openapi.document import document_of, dumps
from costrel.openapi.errors import DocumentError
from costrel.routing import Rule

T = t.TypeVar("T")

BINARY = {"schema": {"type": "string", "format": "binary"}}


class Line(Struct):
    sku: A[str, Meta(min_length=3)]
    qty: A[int, Meta(ge=1)] = 1


class Order(Struct):
    """An order of a customer."""

    customer: str
    lines: A[list[Line], Meta(min_length=1)]


class Page(Struct, t.Generic[T]):
    items: list[T]
    next: str | None = None


class Problem(Struct):
    title: str


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


@attrs.define
class Size:
    width: int


class Option(t.TypedDict):
    name: str
    value: t.NotRequired[int]


class Street(pydantic.BaseModel):
    name: str
    color: Color = Color.RED


class Customer(pydantic.BaseModel):
    name: A[str, pydantic.Field(min_length=2)]
    streets: list[Street] = []
    parent: "Customer | None" = None


class Box(pydantic.BaseModel, t.Generic[T]):
    content: T


class Tree(Struct):
    children: "list[Tree]" = []


class Cat(Struct, tag="cat"):
    lives: int


class Dog(Struct, tag="dog"):
    name: str


def valid(app: Costrel, options: OpenAPI | None = None) -> dict[str, t.Any]:
    document = document_of(app, options)
    OpenAPIV31SpecValidator(document).validate()
    assert dumps(document) == dumps(document_of(app, options))
    return document


def documented(rule: str, view: t.Callable[..., object], **options: t.Any) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The operation of a view, and the components of its document."""
    app = Costrel("shop", static_folder=None, typed=True)
    app.add_url_rule(rule, view_func=view, **options)
    document = valid(app)
    (path,) = document["paths"].values()
    (operation,) = path.values()
    return operation, document.get("components", {}).get("schemas", {})


def parameters(operation: dict[str, t.Any]) -> dict[str, t.Any]:
    return {f"{each['in']} {each['name']}": each for each in operation.get("parameters", ())}


def json_of(operation: dict[str, t.Any], status: int = 200) -> object:
    return operation["responses"][str(status)]["content"]["application/json"]["schema"]


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


# -- inputs -----------------------------------------------------------------------------------------------------------


def test_the_parameters_of_every_place_with_their_schemas():
    def view(
        shop: int,
        after: str,
        limit: A[int, Meta(ge=1, le=100, description="How many.")] = 20,
        tag: A[list[str], Query(split=",")] = [],  # noqa: B006
        x_trace: A[UUID | None, Header()] = None,
        theme: A[t.Literal["light", "dark"], Cookie()] = "light",
        size: A[int, Query("page-size")] = 5,
        _hidden: int = 3,
    ): ...

    operation, _ = documented("/shops/<int:shop>", view)
    assert operation["parameters"] == [
        {"name": "shop", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}},
        {"name": "after", "in": "query", "required": True, "schema": {"type": "string"}},
        {
            "name": "limit",
            "in": "query",
            "description": "How many.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        },
        {
            "name": "tag",
            "in": "query",
            "style": "form",
            "explode": False,
            "schema": {"type": "array", "items": {"type": "string"}, "default": []},
        },
        {"name": "X-Trace", "in": "header", "schema": {"type": "string", "format": "uuid"}},
        {"name": "theme", "in": "cookie", "schema": {"enum": ["dark", "light"], "default": "light"}},
        {"name": "page-size", "in": "query", "schema": {"type": "integer", "default": 5}},
    ]


@pytest.mark.parametrize(
    ("rule", "schema"),
    [
        ("/<x>", {"type": "string"}),
        ("/<path:x>", {"type": "string"}),
        ("/<uuid:x>", {"type": "string", "format": "uuid"}),
        ("/<float:x>", {"type": "number", "minimum": 0}),
        ("/<int(min=3, max=9):x>", {"type": "integer", "minimum": 3, "maximum": 9}),
        ("/<int(signed=True):x>", {"type": "integer"}),
        ("/<any(b, a):x>", {"type": "string", "enum": ["a", "b"]}),
    ],
)
def test_a_variable_is_described_by_its_converter(rule, schema):
    def view(x): ...

    operation, _ = documented(rule, typed(view))
    assert parameters(operation)["path x"]["schema"] == schema


def test_a_variable_with_bounds_and_one_that_is_converted():
    def view(number: A[int, Meta(le=9)], day: A[datetime.date, Path()], text: int): ...

    operation, _ = documented("/<int:number>/<day>/<text>", view)
    found = {name: each["schema"] for name, each in parameters(operation).items()}
    assert found["path number"] == {"type": "integer", "minimum": 0, "maximum": 9}
    assert found["path day"] == {"type": "string", "format": "date"}
    assert found["path text"] == {"type": "string"}  # the converter counts: the annotation converts nothing
    assert "404" in operation["responses"]


def test_a_model_in_the_query_is_spread():
    class Filter(Struct, rename="camel"):
        max_price: int
        color: Color = Color.RED

    def view(filter: A[Filter, Query()]): ...

    operation, components = documented("/", view)
    assert parameters(operation) == {
        "query maxPrice": {"name": "maxPrice", "in": "query", "required": True, "schema": {"type": "integer"}},
        "query color": {"name": "color", "in": "query", "schema": {**ref("Color"), "default": "red"}},
    }
    assert "Filter" not in components
    assert "Color" in components


def test_a_model_in_the_headers_of_a_pydantic_class():
    class Wanted(pydantic.BaseModel):
        x_kind: str

    def view(wanted: A[Wanted, Header()]): ...

    operation, _ = documented("/", view)
    assert parameters(operation)["header X-Kind"]["required"] is True


@pytest.mark.parametrize(
    ("model", "schema", "names"),
    [
        (Order, ref("Order"), {"Order", "Line"}),
        (Point, ref("Point"), {"Point"}),
        (Size, ref("Size"), {"Size"}),
        (Option, ref("Option"), {"Option"}),
        (Tree, ref("Tree"), {"Tree"}),
        (Customer, ref("Customer"), {"Customer", "Street", "Color"}),
        (Box[Street], ref("BoxOfStreet"), {"BoxOfStreet", "Street", "Color"}),
        (Page[Line], ref("PageOfLine"), {"PageOfLine", "Line"}),
        (Page[Page[Line]], ref("PageOfPageOfLine"), {"PageOfPageOfLine", "PageOfLine", "Line"}),
        (Page[int], ref("PageOfInt"), {"PageOfInt"}),
        (partial(Line), ref("PartialLine"), {"PartialLine"}),
        (list[Line], {"type": "array", "items": ref("Line")}, {"Line"}),
        (dict[str, Point], {"type": "object", "additionalProperties": ref("Point")}, {"Point"}),
        (Line | None, {"anyOf": [ref("Line"), {"type": "null"}]}, {"Line"}),
        (Customer | None, {"anyOf": [ref("Customer"), {"type": "null"}]}, {"Customer", "Street", "Color"}),
        (msgspec.Raw, {}, set()),
    ],
)
def test_the_body_and_its_components(model, schema, names):
    def view(body: A[model, Body()]): ...

    operation, components = documented("/", view, methods=["POST"])
    assert operation["requestBody"] == {"content": {"application/json": {"schema": schema}}, "required": True}
    assert {*components} - {"InvalidValue", "ProblemDetails", "ValidationProblem"} == names


def test_a_union_by_its_tag():
    def view(pet: Cat | Dog): ...

    operation, _ = documented("/", view, methods=["POST"])
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["discriminator"]["mapping"] == {"cat": ref("Cat")["$ref"], "dog": ref("Dog")["$ref"]}


def test_tags_that_are_numbers():
    first, second = (msgspec.defstruct(name, [("x", int)], tag=tag) for tag, name in enumerate(["First", "Second"]))

    def view(body: A[first | second, Body()]): ...

    operation, _ = documented("/", view, methods=["POST"])
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["discriminator"]["mapping"] == {"0": ref("First")["$ref"], "1": ref("Second")["$ref"]}


def test_a_field_with_a_default_is_not_required():
    def view(line: Line = None) -> Line: ...

    operation, components = documented("/", view, methods=["POST"])
    assert operation["requestBody"]["required"] is False
    assert components["Line"]["required"] == ["sku"]


class Signup(Struct):
    name: str
    age: int = 0


def test_a_form_is_its_model():
    def view(form: A[Checked[Signup], Form()]): ...

    operation, _ = documented("/", view, methods=["POST"])
    content = {"application/x-www-form-urlencoded": {"schema": ref("Signup")}}
    assert operation["requestBody"] == {"content": content, "required": True}


def test_a_form_with_files_and_json():
    def view(
        photo: FileStorage, more: list[FileStorage], line: A[Line, Form(json=True)], form: A[Signup, Form()],
        raw: A[bytes, File()] = b"", note: A[str, Form()] = "-",
    ): ...  # fmt: skip

    operation, _ = documented("/", view, methods=["POST"])
    (media,) = operation["requestBody"]["content"].values()
    binary = {"type": "string", "format": "binary"}
    assert media["encoding"] == {"line": {"contentType": "application/json"}}
    assert media["schema"] == {
        "type": "object",
        "properties": {
            "photo": binary,
            "more": {"type": "array", "items": binary, "minItems": 1},
            "line": ref("Line"),
            "name": {"type": "string"},
            "age": {"type": "integer", "default": 0},
            "raw": binary,
            "note": {"type": "string", "default": "-"},
        },
        "required": ["photo", "more", "line", "name"],
    }


def test_the_inputs_of_providers():
    class Session:
        pass

    app = Costrel("shop", static_folder=None)

    @app.provide
    def session(x_key: A[str, Header()]) -> Session: ...

    @app.get("/")
    def index(session: Session, page: int): ...

    (operation,) = valid(app)["paths"]["/"].values()
    assert set(parameters(operation)) == {"query page", "header X-Key"}


def test_a_type_with_a_codec():
    class Money:
        pass

    app = Costrel("shop", static_folder=None)
    app.typed_codec(Money, decode=lambda text: Money(), schema={"type": "string", "pattern": r"^\d+\.\d\d$"})

    @app.get("/")
    def index(least: Money): ...

    (operation,) = valid(app)["paths"]["/"].values()
    assert operation["parameters"][0]["schema"] == {"type": "string", "pattern": r"^\d+\.\d\d$"}


# -- results ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "status", "content"),
    [
        (Order, "200", {"application/json": {"schema": ref("Order")}}),
        (A[Order, Status(201)], "201", {"application/json": {"schema": ref("Order")}}),
        (list[Order], "200", {"application/json": {"schema": {"type": "array", "items": ref("Order")}}}),
        (Order | None, "200", {"application/json": {"schema": {"anyOf": [ref("Order"), {"type": "null"}]}}}),
        (Order | Response, "200", {"application/json": {"schema": ref("Order")}}),
        (tuple[Order, int], "200", {"application/json": {"schema": ref("Order")}}),
        (None, "204", None),
        (A[None, Status(202)], "202", None),
        (A[str, Status(202)], "202", {"text/html": {"schema": {"type": "string"}}}),
        (str, "200", {"text/html": {"schema": {"type": "string"}}}),
        (dict[str, t.Any], "200", {"application/json": {"schema": {"type": "object"}}}),
        (Response, "200", None),
        (A[Response, Download("application/pdf")], "200", {"application/pdf": BINARY}),
        (EventStream[Line], "200", {"text/event-stream": {"schema": {"type": "string"}, "x-item-schema": ref("Line")}}),
        (JSONLines[Line], "200", {"application/jsonl": {"schema": {"type": "string"}, "x-item-schema": ref("Line")}}),
        (Customer, "200", {"application/json": {"schema": ref("Customer")}}),
    ],
)  # fmt: skip
def test_the_declared_result(result, status, content):
    def view(page: int): ...

    view.__annotations__["return"] = result
    operation, _ = documented("/", view)
    assert {*operation["responses"]} == {status, "422"}
    assert operation["responses"][status].get("content") == content


def test_variants_by_status():
    def view(page: int) -> A[Order, Status(201)] | A[Problem, Status(404)] | A[None, Status(204)]: ...

    operation, _ = documented("/", view)
    assert json_of(operation, 201) == ref("Order")
    assert json_of(operation, 404) == ref("Problem")
    assert "content" not in operation["responses"]["204"]


def test_a_response_beside_variants_is_not_described():
    def view(page: int) -> A[Order, Status(201)] | A[Problem, Status(404)] | Response: ...

    operation, _ = documented("/", view)
    assert {*operation["responses"]} == {"201", "404", "422"}


def test_the_error_format_of_a_blueprint():
    app = Costrel("shop", static_folder=None)
    app.config["ERROR_FORMAT"] = "html"
    api = Blueprint("api", __name__, error_format="problem")
    for scope, path in ((app, "/page"), (api, "/api")):
        scope.add_url_rule(path, "x", lambda: "", hidden=False, raises=[NotFound])
    app.register_blueprint(api)
    paths = valid(app)["paths"]
    assert [*paths["/page"]["get"]["responses"]["404"]["content"]] == ["text/html"]
    assert [*paths["/api"]["get"]["responses"]["404"]["content"]] == ["application/problem+json"]


def test_what_the_route_adds():
    def view(page: int) -> Order: ...

    operation, components = documented(
        "/", view, responses={409: Problem, 418: "A teapot.", 503: None}, raises=[NotFound, Conflict]
    )
    assert operation["responses"]["418"] == {"description": "A teapot."}
    assert operation["responses"]["503"] == {"description": "Service Unavailable"}
    assert {*operation["responses"]["404"]["content"]} == {"application/problem+json", "text/html"}
    assert {*operation["responses"]["409"]["content"]} == {"application/json", "application/problem+json", "text/html"}
    assert {"Problem", "ProblemDetails"} <= {*components}


@pytest.mark.parametrize(
    ("settings", "types"),
    [
        ({}, ["application/problem+json", "text/html"]),
        ({"ERROR_FORMAT": "problem"}, ["application/problem+json"]),
        ({"ERROR_FORMAT": "html"}, ["application/problem+json", "text/html"]),
    ],
)
def test_the_422_as_it_is_sent(settings, types):
    app = Costrel("shop", static_folder=None)
    app.config.update(settings)

    @app.post("/")
    def index(order: Order, page: int): ...

    document = valid(app)
    assert [*document["paths"]["/"]["post"]["responses"]["422"]["content"]] == types
    sent = app.test_client().post("/?page=x", json={"customer": 1})
    assert sent.content_type in types
    schema = {**ref("ValidationProblem"), "components": document["components"]}
    Draft202012Validator(schema).validate(sent.json)


def test_validation_status_and_a_handler_of_the_application():
    app = Costrel("shop", static_folder=None)
    app.config["VALIDATION_STATUS"] = 400

    @app.get("/")
    def index(page: int): ...

    (operation,) = valid(app)["paths"]["/"].values()
    assert {*operation["responses"]} == {"200", "400"}
    app.register_error_handler(400, lambda error: ("wrong", 400))
    (operation,) = valid(app)["paths"]["/"].values()
    assert operation["responses"]["400"] == {"description": "Bad Request"}


def test_a_class_with_the_name_of_one_of_ours_keeps_it():
    class ProblemDetails(Struct):
        text: str

    def view(body: ProblemDetails) -> ProblemDetails: ...

    operation, components = documented("/", view, methods=["POST"])
    assert [*components["ProblemDetails"]["properties"]] == ["text"]
    assert "title" in operation["responses"]["400"]["content"]["application/problem+json"]["schema"]["properties"]


# -- names ------------------------------------------------------------------------------------------------------------


def test_two_classes_of_one_name_are_an_error_that_names_both_modules():
    other = msgspec.defstruct("Line", [("x", int)], module="other.place")

    def view(line: Line) -> other: ...

    with pytest.raises(DocumentError) as caught:
        documented("/", view, methods=["POST"])
    assert "other.place" in str(caught.value)
    assert Line.__module__ in str(caught.value)
    assert "__schema_name__" in str(caught.value)


@pytest.mark.parametrize("first", ["msgspec", "pydantic"])
def test_so_are_two_of_which_one_is_a_pydantic_model(first):
    one, other = msgspec.defstruct("Street", [("x", int)]), Street
    one, other = (one, other) if first == "msgspec" else (other, one)

    def view(body: one) -> list[other]: ...

    with pytest.raises(DocumentError, match="Street"):
        documented("/", view, methods=["POST"])


def test_a_class_can_have_another_name():
    other = msgspec.defstruct("Line", [("x", int)], namespace={"__schema_name__": "OtherLine"})

    def view(line: Line) -> Page[other]: ...

    operation, components = documented("/", view, methods=["POST"])
    assert json_of(operation) == ref("PageOfOtherLine")
    assert components["PageOfOtherLine"]["properties"]["items"]["items"] == ref("OtherLine")


def test_ids_are_endpoints_and_do_not_contain_paths():
    app = Costrel("shop", static_folder=None, typed=True)
    shop = Blueprint("shop", __name__, url_prefix="/x")

    @shop.route("/orders", methods=["POST", "GET"])
    def create_order(page: int = 1): ...

    class Lines(MethodView):
        def patch(self, page: int) -> None: ...
        def get(self, page: int) -> None: ...

    shop.add_url_rule("/lines", view_func=Lines.as_view("lines"))
    app.register_blueprint(shop)

    @app.get("/pages/")
    @app.get("/pages/<int:page>")
    def pages(page: int = 1): ...

    document = valid(app)
    ids = {
        f"{method} {path}": operation["operationId"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert ids == {
        "post /x/orders": "shop_create_order",
        "get /x/orders": "shop_create_order_get",
        "patch /x/lines": "shop_lines",
        "get /x/lines": "shop_lines_get",
        "get /pages/{page}": "pages",
        "get /pages/": "pages_2",
    }
    assert document["paths"]["/x/lines"]["get"]["tags"] == ["shop"]
    assert [tag["name"] for tag in document["tags"]] == ["shop"]


def test_a_duplicate_id_is_an_error():
    app = Costrel("shop", static_folder=None, typed=True)
    app.add_url_rule("/a", "a", lambda: "", operation_id="x", hidden=False)
    app.add_url_rule("/b", "b", lambda: "", operation_id="x", hidden=False)
    with pytest.raises(DocumentError, match=r"GET /a \('a'\) and GET /b \('b'\) have the same operationId 'x'"):
        document_of(app)


def test_two_rules_that_openapi_cannot_tell_apart_are_an_error():
    app = Costrel("shop", static_folder=None)
    app.add_url_rule("/<int:id>", "a", lambda id: "", hidden=False)
    app.add_url_rule("/<name>", "b", lambda name: "", hidden=False)
    with pytest.raises(DocumentError, match="hidden=True"):
        document_of(app)


def test_two_methods_of_one_path_share_the_names_of_its_variables():
    app = Costrel("shop", static_folder=None)
    app.add_url_rule("/<int:id>/x", "a", lambda id: "", hidden=False)
    app.add_url_rule("/<name>/x", "b", lambda name: "", methods=["POST"], hidden=False)
    document = valid(app)
    assert [*document["paths"]] == ["/{id}/x"]
    assert document["paths"]["/{id}/x"]["post"]["parameters"][0]["name"] == "id"


# -- texts and options ------------------------------------------------------------------------------------------------


def test_docstrings_are_summary_and_description():
    def view(page: int):
        """Take an order.

        It is sent
        at once.
        """

    operation, _ = documented("/", view)
    assert operation["summary"] == "Take an order."
    assert operation["description"] == "It is sent\nat once."
    operation, _ = documented("/", view, summary="Order")
    assert operation["summary"] == "Order"


def test_deprecated_and_sunset_are_documented_and_sent():
    app = Costrel("shop", static_folder=None, typed=True)
    day = datetime.date(2027, 1, 31)

    @app.get("/", deprecated=day, sunset=datetime.datetime(2027, 6, 30, 12, tzinfo=datetime.UTC))
    def index(page: int = 1) -> dict[str, int]:
        return {"page": page}

    @app.get("/old", deprecated=True)
    def old(page: int = 1) -> dict[str, int]:
        return {}

    paths = valid(app)["paths"]
    assert paths["/"]["get"]["deprecated"] is True
    assert {*paths["/"]["get"]["responses"]["200"]["headers"]} == {"Deprecation", "Sunset"}
    assert paths["/old"]["get"]["deprecated"] is True
    client = app.test_client()
    response = client.get("/?page=x")
    assert response.status_code == 422
    assert response.headers["Deprecation"] == "@1801353600"
    assert response.headers["Sunset"] == "Wed, 30 Jun 2027 12:00:00 GMT"
    assert "Deprecation" not in client.get("/old").headers


def test_examples_are_written_as_they_are_sent():
    def view(order: Order): ...

    example = Order("Ada", [Line("pen")])
    operation, _ = documented("/", view, methods=["POST"], examples={"small": example})
    media = operation["requestBody"]["content"]["application/json"]
    assert media["examples"] == {"small": {"value": {"customer": "Ada", "lines": [{"sku": "pen", "qty": 1}]}}}

    def listed(page: int) -> list[Line]: ...

    operation, _ = documented("/", listed, examples={"one": [Line("pen")]})
    assert operation["responses"]["200"]["content"]["application/json"]["examples"]["one"]["value"][0]["sku"] == "pen"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"responses": {"409": Problem}}, "status"),
        ({"responses": {99: Problem}}, "status"),
        ({"raises": [ValueError]}, "NotFound"),
        ({"raises": [NotFound()]}, "NotFound"),
        ({"deprecated": "2027-01-31"}, "date"),
        ({"sunset": True}, "date"),
        ({"examples": [1]}, "names"),
    ],
)
def test_a_wrong_option_is_an_error_at_the_route(options, problem):
    app = Costrel("shop", static_folder=None)
    with pytest.raises((TypeError, ValueError), match=problem):
        app.get("/", **options)(lambda: "")


@pytest.mark.parametrize("cls", [Costrel, Flask])
def test_a_class_of_rules_that_has_the_option_gets_it(cls):
    class Titled(Rule):
        def __init__(self, string, *, summary=None, **options):
            self.title = summary
            super().__init__(string, **options)

    app = cls("shop", static_folder=None)
    app.url_rule_class = Titled
    app.add_url_rule("/", "index", lambda: "", summary="own", **({"hidden": False} if cls is Costrel else {}))
    (rule,) = app.url_map.iter_rules()
    assert rule.title == "own"


def test_a_class_of_rules_that_takes_any_keyword_gets_it_under_flask_only():
    class Open(Rule):
        def __init__(self, string, **options):
            self.title = options.pop("summary", None)
            super().__init__(string, **options)

    for cls, title in ((Flask, "own"), (Costrel, None)):
        app = cls("shop", static_folder=None)
        app.url_rule_class = Open
        app.openapi = OpenAPI()
        app.add_url_rule("/", "index", lambda: "", summary="own")
        assert [rule.title for rule in app.url_map.iter_rules("index")] == [title]


def test_the_text_of_a_tag():
    app = Costrel("shop", static_folder=None)
    told, silent = Blueprint("told", __name__), Blueprint("silent", "shop")
    for blueprint in (told, silent):
        blueprint.add_url_rule(f"/{blueprint.name}", "x", lambda: "", hidden=False)
        app.register_blueprint(blueprint)
    assert valid(app)["tags"] == [{"name": "silent"}, {"name": "told", "description": sys.modules[__name__].__doc__}]


def test_which_views_appear():
    app = Costrel("shop")
    app.add_url_rule("/typed", "typed", lambda: "")

    @app.get("/shown")
    def shown(page: A[int, Query()]): ...

    @app.get("/hidden", hidden=True)
    def hidden(page: A[int, Query()]): ...

    @app.websocket("/socket")
    async def socket(): ...

    app.add_url_rule("/asked/<int:x>", "asked", lambda x: "", hidden=False)
    app.add_url_rule("/alias", "shown", alias=True)
    assert [*valid(app)["paths"]] == ["/asked/{x}", "/shown"]
    assert [*valid(app, OpenAPI(untyped=True))["paths"]] == ["/asked/{x}", "/shown", "/typed"]

    def static(page: int): ...

    assert documented("/static", static)[0]["operationId"] == "static"


def test_a_view_that_is_typed_below_other_decorators():
    from functools import wraps

    def login_required(view):
        @wraps(view)
        def checked(*args, **kwargs):
            return view(*args, **kwargs)

        return checked

    app = Costrel("shop", static_folder=None)

    @app.get("/")
    @login_required
    @typed
    def index(page: int) -> Line:
        """All lines."""

    (operation,) = valid(app)["paths"]["/"].values()
    assert operation["summary"] == "All lines."
    assert json_of(operation) == ref("Line")


def test_the_document_of_flasks_class():
    app = Flask("shop", static_folder=None)

    @app.get("/")
    def index(page: A[int, Query()]) -> Line: ...

    (operation,) = valid(app)["paths"]["/"].values()
    assert json_of(operation) == ref("Line")


def test_the_setup_may_go_on_after_a_document_was_made():
    app = Costrel("shop", static_folder=None)

    @app.get("/")
    def index(page: int): ...

    document_of(app)
    app.url_value_preprocessor(lambda endpoint, values: values.update(page=7))
    assert document_of(app)["paths"] == {}


def test_title_description_and_servers():
    app = Costrel("shop", static_folder=None)
    app.config["APPLICATION_ROOT"] = "/api"
    assert valid(app)["info"] == {"title": "shop", "version": "0.0.0"}
    assert valid(app)["servers"] == [{"url": "/api"}]
    options = OpenAPI("Shop", "2.1", description="*All*", servers=["https://example.org"])
    assert valid(app, options)["info"] == {"title": "Shop", "version": "2.1", "description": "*All*"}
    assert valid(app, options)["servers"] == [{"url": "https://example.org"}]


STABLE = """
from typing import Literal
from msgspec import Struct
from costrel import Costrel
from costrel.openapi.document import document_of, dumps

class A(Struct):
    kind: Literal["x", "y", "z"]
    tags: set[str] = set()

app = Costrel("shop", static_folder=None)
for name in "cab":
    @app.route(f"/{name}", endpoint=name, methods={"PUT", "POST", "DELETE", "PATCH"})
    def view(a: A, q: int | str | None = None) -> A | dict[str, int]: ...
print(dumps(document_of(app)))
"""


def test_the_document_is_the_same_in_each_process():
    made = {
        subprocess.run(
            [sys.executable, "-c", STABLE], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, timeout=60
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(made) == 1
    assert b"operationId" in made.pop()
