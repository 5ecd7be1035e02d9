"""Typed views, the sources of their inputs, and the errors for missing and invalid values."""

import dataclasses
import datetime
import decimal
import enum
import functools
import io
import typing as t
from typing import Annotated as A
from uuid import UUID

import attrs
import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from costrel import (
    Blueprint,
    Checked,
    Cookie,
    Costrel,
    File,
    Form,
    Header,
    Path,
    Query,
    ValidationFailed,
    changes,
    partial,
    typed,
)
from costrel.app.application import Flask
from costrel.http.uploads import FileStorage
from costrel.typed.signatures import SignatureError
from costrel.views import MethodView, View


class Line(Struct):
    sku: A[str, Meta(min_length=3)]
    qty: A[int, Meta(ge=1)] = 1


class Order(Struct):
    customer: str
    lines: A[list[Line], Meta(min_length=1)]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


@attrs.define
class Size:
    w: int


class Options(t.TypedDict):
    deep: bool


@pytest.fixture
def app():
    app = Costrel(__name__, static_folder=None)
    app.config["CSRF_PROTECTION"] = False
    return app


def errors(response):
    """The place and the code of each problem."""
    assert response.content_type == "application/problem+json"
    return [(each["in"], each.get("name", each.get("pointer")), each["code"]) for each in response.json["errors"]]


def shown(value):
    return {"value": repr(value)}


# -- rule 0: which views are typed ------------------------------------------------------------------------------------


def test_a_view_that_flask_could_call_reads_nothing_by_itself(app):
    def page(slug, template: str = "page.html", admin: bool = False):
        return f"{slug} {template} {admin}"

    app.add_url_rule("/<slug>", view_func=page)
    assert app.test_client().get("/x?admin=1&template=y").text == "x page.html False"
    assert app.view_functions["page"] is page


def test_a_parameter_that_nothing_can_fill_makes_a_view_typed(app, edge):
    @app.get("/<int:shop>")
    def page(shop: int, limit: int, dry: bool = False):
        return f"{shop} {limit} {dry}"

    client = app.test_client(edge=edge)
    assert client.get("/3?limit=7&dry=on").text == "3 7 True"
    assert errors(client.get("/3?dry=x")) == [("query", "limit", "missing"), ("query", "dry", "type")]


@pytest.mark.parametrize("annotation", [int, "int"])
def test_a_marker_makes_a_view_typed(app, annotation):
    def page(limit=5):
        return str(limit)

    page.__annotations__["limit"] = A[annotation, Query()]
    app.add_url_rule("/", view_func=page)
    assert app.test_client().get("/?limit=7").text == "7"
    assert app.test_client().get("/").text == "5"


def test_under_flask_only_markers_and_the_decorator_make_a_view_typed():
    app = Flask(__name__)

    @app.get("/plain")
    def plain(limit: int):
        return "never"

    @app.get("/marked")
    def marked(limit: A[int, Query()]):
        return str(limit)

    @app.get("/decorated")
    @typed
    def decorated(limit: int):
        return str(limit)

    client = app.test_client()
    assert client.get("/plain?limit=1").status_code == 500
    assert client.get("/marked?limit=1").text == "1"
    assert client.get("/decorated?limit=1").text == "1"
    assert app.view_functions["plain"] is plain


@pytest.mark.parametrize("where", ["application", "blueprint", "outer blueprint"])
def test_typed_covers_all_views_below_it(where):
    app = Costrel(__name__, typed=where == "application")
    outer = Blueprint("outer", __name__, typed=True if where == "outer blueprint" else None)
    shop = Blueprint("shop", __name__, typed=True if where == "blueprint" else None)

    @shop.get("/")
    def page(limit: int = 1, _admin: bool = False):
        return f"{limit} {_admin}"

    outer.register_blueprint(shop)
    app.register_blueprint(outer)
    assert app.test_client().get("/?limit=7&_admin=1").text == "7 False"


def test_a_blueprint_can_be_left_out(app):
    app = Costrel(__name__, typed=True)
    old = Blueprint("old", __name__, typed=False)

    @old.get("/")
    def page(limit: int = 1):
        return str(limit)

    app.register_blueprint(old)
    assert app.test_client().get("/?limit=7").text == "1"


def test_the_result_of_a_decorator_is_not_looked_through(app):
    def fills(view):
        @functools.wraps(view)
        def filled(*args, **kwargs):
            return view(*args, **kwargs, order=Order("by the decorator", []))

        return filled

    @app.post("/")
    @fills
    def create(order: Order):
        return order.customer

    assert app.test_client().post("/", json={}).text == "by the decorator"
    assert app.view_functions["create"] is create


def test_typed_binds_below_other_decorators(app, edge):
    calls = []

    def login_required(view):
        @functools.wraps(view)
        def checked(*args, **kwargs):
            calls.append("login")
            return view(*args, **kwargs)

        return checked

    @app.post("/<int:shop>")
    @login_required
    @typed
    def create(shop: int, order: Order):
        calls.append("view")
        return f"{shop} {order.customer}"

    client = app.test_client(edge=edge)
    assert errors(client.post("/1", json={"customer": "x"})) == [("body", "#/lines", "missing")]
    assert calls == ["login"]
    good = {"customer": "x", "lines": [{"sku": "abc"}]}
    assert client.post("/1", json=good).text == "1 x"
    assert calls == ["login", "login", "view"]


def test_typed_above_another_decorator_is_an_error():
    def decorate(view):
        return functools.wraps(view)(lambda *args, **kwargs: view(*args, **kwargs))

    with pytest.raises(TypeError, match="directly above 'def'"):
        typed(decorate(lambda order: None))
    with pytest.raises(TypeError, match="directly above 'def'"):
        typed(lambda *args, **kwargs: None)


def test_errors_below_decorators_are_found_at_the_seal(app):
    @app.get("/")
    @functools.lru_cache  # any decorator that sets __wrapped__
    @typed
    def page(thing: object):
        return ""

    with pytest.raises(SignatureError, match="'thing' of 'page' is of the type object"):
        app.open_for_requests()


async def answer_async(limit: int):
    return str(limit)


def test_an_async_view(app, edge):
    app.add_url_rule("/", view_func=answer_async)
    app.add_url_rule("/typed", "typed", typed(answer_async))
    client = app.test_client(edge=edge)
    assert client.get("/?limit=3").text == "3"
    assert client.get("/typed?limit=3").text == "3"
    assert errors(client.get("/?limit=x")) == [("query", "limit", "type")]


class Orders(MethodView):
    def get(self, limit: int = 10, after: A[str, Query()] = ""):
        return f"{limit} {after}"

    async def post(self, order: Order):
        return order.customer

    def delete(self):
        return "deleted"


class Shared(Orders):
    init_every_request = False


@pytest.mark.parametrize("cls", [Orders, Shared])
def test_each_method_of_a_method_view_has_its_own_plan(app, edge, cls):
    seen = []

    def note(view):
        def noted(**kwargs):
            seen.append(sorted(kwargs))
            return view(**kwargs)

        return noted

    cls = type(cls.__name__, (cls,), {"decorators": [note]})
    app.add_url_rule("/", view_func=cls.as_view("orders"))
    client = app.test_client(edge=edge)
    assert client.get("/?limit=3&after=x").text == "3 x"
    assert client.head("/?limit=y").status_code == 422
    assert errors(client.post("/", json={})) == [("body", "#/customer", "missing"), ("body", "#/lines", "missing")]
    assert client.post("/", json={"customer": "y", "lines": [{"sku": "abc"}]}).text == "y"
    assert client.delete("/").text == "deleted"
    assert seen == [[]] * 5  # decorators run before the validation


def test_a_plain_view_class_can_be_typed(app, edge):
    class Show(View):
        def dispatch_request(self, number: int, limit: int):
            return f"{number} {limit}"

    app.add_url_rule("/<int:number>", view_func=Show.as_view("show"))
    assert app.test_client(edge=edge).get("/1?limit=2").text == "1 2"


def test_a_view_that_replaces_a_typed_one_is_planned(app):
    @app.get("/")
    def page(limit: int):
        return f"limit {limit}"

    client = app.test_client()
    assert client.get("/?limit=1").text == "limit 1"

    def other(size: int):
        return f"size {size}"

    app.view_functions["page"] = other
    assert client.get("/?size=2").text == "size 2"


def test_a_view_without_a_rule_is_no_error(app):
    @app.endpoint("lonely")
    def view(limit: int):
        return ""

    app.open_for_requests()


def test_an_extension_can_wrap_a_planned_view(app):
    @app.get("/")
    def page(limit: int):
        return f"limit {limit}"

    client = app.test_client()
    client.get("/")
    planned = app.view_functions["page"]
    app.view_functions["page"] = functools.wraps(planned)(lambda **kwargs: planned(**kwargs) + "!")
    assert client.get("/?limit=1").text == "limit 1!"


# -- rule 1: where a value comes from ---------------------------------------------------------------------------------


def test_variables_of_the_url_are_converted_by_the_converter_alone(app, edge):
    @app.get("/<id>/<n>/<int:bounded>")
    def page(id: int, n: A[int, Path()], bounded: A[int, Meta(le=5)], limit: int):
        return repr((id, n, bounded))

    client = app.test_client(edge=edge)
    assert client.get("/1/2/3?limit=1").text == "('1', 2, 3)"
    assert client.get("/1/x/3?limit=1").status_code == 404
    assert client.get("/1/2/6?limit=1").status_code == 404


def test_a_variable_of_any_rule_is_never_read_from_the_query(app, edge):
    @app.get("/")
    @app.get("/<int:page>")
    @typed
    def show(page: int = 1):
        return str(page)

    client = app.test_client(edge=edge)
    assert [client.get(url).text for url in ("/", "/7", "/?page=7")] == ["1", "7", "1"]


def test_a_default_of_a_rule_is_never_read_from_the_query(app, edge):
    @app.get("/all", defaults={"kind": "all"})
    @app.get("/some/<kind>")
    @typed
    def show(kind: str):
        return kind

    client = app.test_client(edge=edge)
    assert [client.get(url).text for url in ("/all?kind=x", "/some/one")] == ["all", "one"]


def test_a_value_of_a_url_value_preprocessor_wins(app, edge):
    @app.url_value_preprocessor
    def add(endpoint, values):
        values["lang"] = "de"

    @app.get("/")
    @typed
    def page(lang: str, limit: int = 1):
        return f"{lang} {limit}"

    client = app.test_client(edge=edge)
    assert client.get("/?lang=en&limit=2").text == "de 2"
    assert errors(client.get("/?limit=x")) == [("query", "limit", "type")]


def test_with_a_preprocessor_an_unmarked_view_stays_as_in_flask(app, edge):
    @app.url_value_preprocessor
    def add(endpoint, values):
        values["order"] = "loaded"

    @app.get("/")
    def page(order: Order):
        return str(order)

    assert app.test_client(edge=edge).get("/").text == "loaded"


def test_each_marker_has_its_place(app, edge):
    @app.post("/")
    def page(
        size: A[int, Query("page-size")],
        x_trace: A[UUID, Header()],
        agent: A[str, Header("User-Agent")],
        visitor: A[int, Cookie()],
        name: A[str, Form()],
        age: A[int, Form("the-age")] = 1,
    ):
        return repr((size, x_trace.int, agent, visitor, name, age))

    client = app.test_client(edge=edge)
    client.set_cookie("visitor", "5")
    headers = {"X-Trace": str(UUID(int=1)), "User-Agent": "ua"}
    response = client.post("/?page-size=2", data={"name": "n", "the-age": "7"}, headers=headers)
    assert response.text == "(2, 1, 'ua', 5, 'n', 7)"
    expected = [
        ("query", "page-size", "missing"), ("header", "X-Trace", "format"), ("cookie", "visitor", "type"),
        ("form", "name", "missing"), ("form", "the-age", "type"),
    ]  # fmt: skip
    client.set_cookie("visitor", "x")
    assert errors(client.post("/", data={"the-age": "x"}, headers={"X-Trace": "x"})) == expected


MODELS = [
    (Order, {"customer": "x", "lines": [{"sku": "abc"}]}),
    (Point, {"x": 1}),
    (Size, {"w": 1}),
    (Options, {"deep": True}),
    (list[Point], [{"x": 1}]),
    (dict[str, int], {"a": 1}),
    (list[dict[str, int]], [{"a": 1}]),
    (Point | None, None),
    (msgspec.Raw, {"a": 1}),
]


@pytest.mark.parametrize(("expr", "value"), MODELS, ids=str)
def test_models_come_from_the_body(app, edge, expr, value):
    def page(body):
        return shown(body)

    page.__annotations__["body"] = expr
    app.add_url_rule("/", view_func=page, methods=["POST"])
    client = app.test_client(edge=edge)
    response = client.post("/", data=msgspec.json.encode(value), content_type="application/merge-patch+json")
    assert response.status_code == 200, response.text
    if expr is not msgspec.Raw:
        assert response.json["value"] == repr(msgspec.convert(value, expr))


SCALARS = [
    (str, "x", "x"),
    (str, "", ""),
    (int, "5", 5),
    (float, "2.5", 2.5),
    (bool, "on", True),
    (bool, "No", False),
    (bool, "1", True),
    (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
    (UUID, str(UUID(int=1)), UUID(int=1)),
    (datetime.date, "2026-01-02", datetime.date(2026, 1, 2)),
    (datetime.time, "10:00:00", datetime.time(10)),
    (datetime.datetime, "2026-01-02T10:00:00", datetime.datetime(2026, 1, 2, 10)),
    (datetime.timedelta, "PT1M", datetime.timedelta(minutes=1)),
    (Colour, "red", Colour.RED),
    (t.Literal["a", "b"], "a", "a"),
    (t.NewType("UserId", int), "3", 3),
    (int | None, "3", 3),
    (int | float, "2.5", 2.5),
    (A[int, Meta(ge=1)], "3", 3),
    (list[int], "5", [5]),
    (set[Colour], "red", {Colour.RED}),
    (tuple[int, ...], "5", (5,)),
]


@pytest.mark.parametrize(("expr", "text", "value"), SCALARS, ids=str)
@pytest.mark.parametrize("place", ["query", "form"])
def test_scalars_come_from_the_query_and_may_come_from_forms(app, edge, place, expr, text, value):
    def page(value):
        return shown(value)

    page.__annotations__["value"] = A[expr, Form()] if place == "form" else expr
    app.add_url_rule("/", view_func=page, methods=["POST"])
    sent = {"data": {"value": text}} if place == "form" else {"query_string": {"value": text}}
    assert app.test_client(edge=edge).post("/", **sent).json == shown(value)


WRONG = [
    (int, "x", "type"),
    (bool, "maybe", "type"),
    (float, "nan", "type"),
    (float, "-Infinity", "type"),
    (decimal.Decimal, "NaN", "format"),
    (UUID, "x", "format"),
    (datetime.date, "2026-13-01", "format"),
    (Colour, "green", "enum"),
    (t.Literal["a"], "b", "enum"),
    (A[int, Meta(ge=1)], "0", "range"),
    (A[str, Meta(max_length=1)], "ab", "length"),
    (A[str, Meta(pattern="^a")], "b", "pattern"),
    (A[int, Meta(multiple_of=2)], "3", "multiple"),
    (int, "", "missing"),
    (Colour, "", "missing"),
    (list[int], "", "missing"),
    (int | None, "", "missing"),
]


@pytest.mark.parametrize(("expr", "text", "code"), WRONG, ids=str)
def test_each_mistake_has_a_code(app, edge, expr, text, code):
    def page(value):
        return "never"

    page.__annotations__["value"] = expr
    app.add_url_rule("/", view_func=page)
    response = app.test_client(edge=edge).get("/", query_string={"value": text})
    assert errors(response) == [("query", "value", code)]


def test_lists_take_all_values_and_scalars_the_first(app, edge):
    @app.get("/")
    def page(tag: list[str], n: int, ids: A[list[int], Query(split=",")], one: A[list[int], Query()] = [1]):  # noqa: B006
        return repr((tag, n, ids, one))

    client = app.test_client(edge=edge)
    assert client.get("/?tag=a&tag=&n=1&n=2&ids=1,2,3").text == "(['a', ''], 1, [1, 2, 3], [1])"
    assert errors(client.get("/?tag=a&n=1&ids=1,x&one=y")) == [
        ("query", "ids.1", "type"), ("query", "one.0", "type"),
    ]  # fmt: skip


def test_an_empty_value_of_headers_and_cookies_is_a_value(app, edge):
    @app.get("/")
    def page(x_n: A[int, Header()] = 1):
        return str(x_n)

    client = app.test_client(edge=edge)
    assert client.get("/").text == "1"
    assert errors(client.get("/", headers={"X-N": ""})) == [("header", "X-N", "type")]


@pytest.mark.parametrize(("expr", "problem"), [
    (object, "is of the type object, which nothing provides"),
    (Line | int, "union of a model and a scalar"),
    (t.Callable[[], int], "which nothing provides"),
    (A[int, Path()], "no rule has a variable"),
    (UUID | str, "cannot be read"),
    (list[int] | set[int], "cannot be read"),
])  # fmt: skip
def test_what_cannot_be_is_an_error_at_the_seal(app, edge, expr, problem):
    def page(value):
        return "never"

    page.__annotations__["value"] = expr
    app.add_url_rule("/", view_func=page)
    with pytest.raises(SignatureError, match="'page'") as caught:
        app.try_settings()
    assert problem in str(caught.value)
    with pytest.raises(SignatureError):
        app.test_client(edge=edge).get("/")


def test_an_annotation_that_cannot_be_evaluated_is_an_error_at_the_seal(app):
    def view(order):
        return ""

    view.__annotations__["order"] = "Missing"
    app.add_url_rule("/", view_func=view)
    with pytest.raises(SignatureError, match="name 'Missing' is not defined"):
        app.open_for_requests()


def test_an_annotation_that_only_a_type_checker_knows_does_not_disturb_flask(app, edge):
    def view(order=1):
        return str(order)

    view.__annotations__["order"] = "Missing"
    app.add_url_rule("/<int:order>", view_func=view)
    app.add_url_rule("/", view_func=view)
    assert [app.test_client(edge=edge).get(url).text for url in ("/2", "/")] == ["2", "1"]


def test_the_other_annotations_of_a_view_need_not_be_known(app, edge):
    def view(limit, other=None):
        return f"{limit} {other}"

    view.__annotations__.update({"limit": "int", "other": "Missing", "return": "Missing"})
    app.add_url_rule("/", view_func=view)
    assert app.test_client(edge=edge).get("/?limit=3&other=x").text == "3 None"


def test_a_model_whose_fields_cannot_be_evaluated_is_an_error_at_the_seal(app):
    class Local(Struct):
        x: "Missing"  # noqa: F821

    def view(order: Local):
        return ""

    app.add_url_rule("/", view_func=view)
    with pytest.raises(SignatureError, match="'view' cannot be read: name 'Missing' is not defined"):
        app.open_for_requests()


def test_two_bodies_are_an_error_at_the_seal(app):
    @app.post("/")
    def page(first: Line, second: Order):
        return "never"

    with pytest.raises(SignatureError, match=r"'second' of .* and 'first' both take the whole body"):
        app.open_for_requests()


def test_trying_the_settings_keeps_nothing(app):
    @app.get("/")
    def page(limit: int):
        return str(limit)

    app.try_settings()
    assert app.view_functions["page"] is page


# -- rule 2: missing, empty, null -------------------------------------------------------------------------------------


def test_null_is_accepted_only_if_the_type_includes_none(app, edge):
    @app.post("/optional")
    def optional(order: Line | None):
        return repr(order)

    @app.post("/required")
    def required(order: Line):
        return repr(order)

    client = app.test_client(edge=edge)
    assert client.post("/optional", data="null", content_type="application/json").text == "None"
    assert errors(client.post("/optional")) == [("body", "#", "missing")]
    null = client.post("/required", data="null", content_type="application/json")
    assert errors(null) == [("body", "#", "type")]


def test_an_optional_body(app, edge):
    @app.post("/")
    @typed
    def page(order: Line | None = None):
        return repr(order)

    client = app.test_client(edge=edge)
    assert client.post("/").text == "None"
    assert client.post("/", json={"sku": "abc"}).text == "Line(sku='abc', qty=1)"
    assert client.post("/", data="a=1", content_type="application/x-www-form-urlencoded").status_code == 415


@pytest.mark.parametrize(("data", "content_type", "status"), [
    (b"{", "application/json", 400),
    (b'{"sku": "\xff"}', "application/json", 400),
    (b'{"sku": "abc"}', "text/plain", 415),
    (b'{"sku": "abc"}', None, 415),
    (b'{"sku": "abc"}', "application/vnd.shop+json", 200),
    (b'{"sku": "abc", "sku": "abcd"}', "application/json", 200),
    (b"[" * 3000, "application/json", 400),
    (b'{"sku": "abc", "more": ' + b'{"a":' * 200 + b"1" + b"}" * 201, "application/json", 400),
    (b'{"sku": "abc", "qty": 6.0}', "application/json", 200),
    (b'{"sku": "abc", "qty": 1180591620717411303424}', "application/json", 200),
    (b'{"sku": "abc", "qty": 1e400}', "application/json", 422),
])  # fmt: skip
def test_the_body_must_be_json(app, edge, data, content_type, status):
    app.config["JSON_MAX_DEPTH"] = 100

    @app.post("/")
    def page(line: Line):
        return repr(line)

    response = app.test_client(edge=edge).post("/", data=data, content_type=content_type)
    assert response.status_code == status, response.text


class Node(Struct):
    v: int
    kids: "list[Node]" = []


def test_a_body_of_depth_3000_is_refused(app, edge):
    @app.post("/")
    def page(node: Node):
        return "never"

    data = b'{"v":1,"kids":[' * 3000 + b"]}" * 3000
    response = app.test_client(edge=edge).post("/", data=data, content_type="application/json")
    assert response.status_code == 400


def test_a_body_above_the_limit_is_a_413(app, edge):
    app.config["MAX_CONTENT_LENGTH"] = 10

    @app.post("/")
    def page(line: Line):
        return "never"

    assert app.test_client(edge=edge).post("/", json={"sku": "x" * 50}).status_code == 413


class Patch(Struct):
    name: str | UnsetType = UNSET
    age: int | UnsetType | None = UNSET


def test_patch_tells_null_from_missing(app, edge):
    @app.patch("/")
    def page(patch: Patch):
        return changes(patch)

    @app.patch("/partial")
    def page_partial(patch: partial(Line)):
        return changes(patch)

    client = app.test_client(edge=edge)
    assert client.patch("/", json={}).json == {}
    assert client.patch("/", json={"age": None}).json == {"age": None}
    assert errors(client.patch("/", json={"name": None, "age": "x"})) == [
        ("body", "#/name", "type"), ("body", "#/age", "type"),
    ]  # fmt: skip
    assert client.patch("/partial", json={"qty": 3}).json == {"qty": 3}
    assert errors(client.patch("/partial", json={"qty": 0})) == [("body", "#/qty", "range")]
    assert partial(Line) is partial(Line)


# -- forms, files -----------------------------------------------------------------------------------------------------


class Signup(Struct, forbid_unknown_fields=True):
    name: A[str, Meta(min_length=2)]
    age: int
    tags: list[str] = []
    news: bool = False


def test_a_model_is_spread_over_a_form(app, edge):
    @app.post("/")
    def page(form: A[Signup, Form()]):
        return repr(form)

    client = app.test_client(edge=edge)
    data = {"name": "ab", "age": "5", "tags": ["x", "y"], "news": "on", "csrf_token": "t"}
    assert client.post("/", data=data).text == "Signup(name='ab', age=5, tags=['x', 'y'], news=True)"
    wrong = client.post("/", data={"name": "a", "age": "", "more": "1"})
    assert errors(wrong) == [("form", "name", "length"), ("form", "age", "missing"), ("form", "more", "unknown")]


def test_a_model_is_spread_over_the_query(app, edge):
    @app.get("/")
    def page(point: A[Point, Query()], again: A[Point | None, Query()] = None):
        return repr(point)

    client = app.test_client(edge=edge)
    assert (
        client.get("/?x=1&y=2").text == "test_inputs.Point(x=1, y=2)"
        or "Point(x=1, y=2)" in client.get("/?x=1&y=2").text
    )
    assert errors(client.get("/?y=2")) == [("query", "x", "missing"), ("query", "x", "missing")]


def test_a_checked_form_never_raises(app, edge):
    @app.post("/")
    def page(form: A[Checked[Signup], Form()]):
        return {"ok": bool(form), "value": repr(form.value), "errors": form.errors, "raw": form.raw}

    client = app.test_client(edge=edge)
    wrong = client.post("/", data={"name": "a", "age": "x"}).json
    assert wrong == {
        "ok": False,
        "value": "None",
        "errors": {"name": "Expected `str` of length >= 2", "age": "Expected `int`, got `str`"},
        "raw": {"name": "a", "age": "x"},
    }
    good = client.post("/", data={"name": "ab", "age": "1"}).json
    assert (good["ok"], good["errors"]) == (True, {})


def test_files_and_json_parts_beside_a_form(app, edge):
    @app.post("/")
    def page(
        photo: FileStorage,
        more: list[FileStorage],
        raw: A[bytes, File()],
        order: A[Line, Form(json=True)],
        title: A[str, Form()],
        cover: FileStorage | None = None,
    ):
        names = [file.filename for file in more]
        return repr((photo.filename, names, raw, order.sku, title, cover))

    def part(text, name="f.txt"):
        return (io.BytesIO(text), name)

    client = app.test_client(edge=edge)
    data = {
        "photo": part(b"1", "p.png"), "more": [part(b"2", "a"), part(b"3", "b")], "raw": part(b"4"),
        "order": '{"sku": "abc"}', "title": "t",
    }  # fmt: skip
    assert client.post("/", data=data).text == "('p.png', ['a', 'b'], b'4', 'abc', 't', None)"
    as_blob = {**data, "order": part(b'{"sku": "abc"}', "blob")}
    for each in ("photo", "more", "raw"):
        as_blob[each] = part(b"1")
    assert "'abc'" in client.post("/", data=as_blob).text
    assert errors(client.post("/", data={"order": '{"sku": 1}'})) == [
        ("file", "photo", "missing"), ("file", "more", "missing"), ("file", "raw", "missing"),
        ("form", "order.sku", "type"), ("form", "title", "missing"),
    ]  # fmt: skip
    broken = client.post("/", data={"order": "{"})
    assert ("form", "order", "format") in errors(broken)


# -- rule 3: the error ------------------------------------------------------------------------------------------------


def fourteen(app):
    @app.post("/")
    def page(order: Order, limit: int, page_size: A[int, Query()], colour: Colour, x_trace: A[UUID, Header()],
             x_when: A[datetime.date, Header()], visitor: A[int, Cookie()] = 0):  # fmt: skip
        return "never"

    client = app.test_client()
    client.set_cookie("visitor", "hunter2")
    lines = [{"sku": 1, "qty": "hunter2"}, {}, "hunter2", {"sku": "hunter2", "qty": 0}, {"sku": "h", "qty": None}]
    return client.post(
        "/?limit=hunter2&colour=hunter2",
        json={"customer": {"hunter2": "hunter2"}, "lines": lines},
        headers={"X-Trace": "hunter2", "X-When": "hunter2"},
    )


@pytest.mark.parametrize(("data", "code"), [
    (b"[" * 3000 + b"]" * 3000, "format"),
    (b'{"v": 1, "kids": [' * 200 + b"]}" * 200, "format"),
    (b'{"v": 1, "more": ' + b"[" * 200 + b"]" * 200 + b"}", "format"),
    (b'{"v": "\xff"}', "format"),
    (b'{"v": NaN}', "format"),
    (b"{", "format"),
    (b'{"v": "x"}', "type"),
])  # fmt: skip
@pytest.mark.parametrize("as_file", [False, True])
def test_a_part_that_contains_json_is_held_to_the_limits_of_a_body(app, edge, data, code, as_file):
    app.config["JSON_MAX_DEPTH"] = 100

    @app.post("/")
    def page(node: A[Node, Form(json=True)]):
        return "never"

    sent = {"node": (io.BytesIO(data), "node.json", "application/json") if as_file else data}
    response = app.test_client(edge=edge).post("/", data=sent, content_type="multipart/form-data")

    if b"\xff" in data and not as_file:  # a field of a form is text: the byte is replaced
        code = "type"
    assert [each["code"] for each in response.json["errors"]] == [code]


def test_a_part_of_the_allowed_depth_is_read(app, edge):
    app.config["JSON_MAX_DEPTH"] = 4

    @app.post("/")
    def page(node: A[Node, Form(json=True)]):
        return str(len(node.kids))

    client = app.test_client(edge=edge)
    nested = [f'{{"v": 1, "kids": [{inner}]}}' for inner in ('{"v": 2}', '{"v": 2, "kids": [{"v": 3}]}')]
    assert [client.post("/", data={"node": text}).status_code for text in nested] == [200, 422]


def test_fourteen_mistakes_are_fourteen_errors(app):
    response = fourteen(app)
    assert (response.status_code, len(errors(response))) == (422, 14)
    assert response.json["detail"] == "14 values are invalid."


def test_no_value_is_in_the_response_or_the_log(app, caplog):
    caplog.set_level(0)
    for accept in ("application/json", "text/html"):
        response = fourteen(Costrel(__name__, static_folder=None))
        assert "hunter2" not in response.text, accept
    assert "hunter2" not in caplog.text


def test_the_shape_of_the_error(app):
    @app.get("/")
    def page(limit: int):
        return "never"

    response = app.test_client().get("/?limit=x")
    assert response.json == {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "1 value is invalid.",
        "errors": [{"in": "query", "name": "limit", "code": "type", "detail": "Expected `int`, got `str`"}],
    }
    assert response.headers["Vary"] == "Accept, Sec-Fetch-Mode"


@pytest.mark.parametrize(("headers", "is_html"), [
    ({}, False),
    ({"Accept": "*/*"}, False),
    ({"Accept": "application/json"}, False),
    ({"Accept": "application/problem+json, text/html;q=0.5"}, False),
    ({"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, True),
    ({"Accept": "*/*", "Sec-Fetch-Mode": "navigate"}, True),
    ({"Accept": "*/*", "Sec-Fetch-Mode": "cors"}, False),
])  # fmt: skip
def test_a_client_that_prefers_html_gets_a_page(app, headers, is_html):
    @app.post("/")
    def page(age: A[int, Form()]):
        return "never"

    response = app.test_client().post("/", headers=headers)
    assert response.content_type == ("text/html; charset=utf-8" if is_html else "application/problem+json")
    assert ("<b>age</b> (form): Field is required" in response.text) == is_html


@pytest.mark.parametrize(
    ("chosen", "accept", "is_html"),
    [
        ("html", "*/*", False),
        ("html", "text/html", True),
        ("accept", "text/html", True),
        ("problem", "text/html", False),
    ],
)
def test_the_format_of_errors_is_the_applications(chosen, accept, is_html):
    app = Flask(__name__)
    app.config["ERROR_FORMAT"] = chosen

    @app.get("/")
    def page(age: A[int, Query()]):
        return "never"

    response = app.test_client().get("/", headers={"Accept": accept})
    assert (response.status_code, response.mimetype == "text/html") == (422, is_html)


def test_handlers_hooks_and_the_status_are_those_of_any_http_error(app):
    app.config["VALIDATION_STATUS"] = 400
    seen = []

    @app.get("/")
    def page(limit: int):
        return "never"

    @app.after_request
    def note(response):
        seen.append(response.status_code)
        return response

    client = app.test_client()
    assert (client.get("/").status_code, client.get("/").json["title"]) == (400, "Bad Request")
    assert seen == [400, 400]

    other = Costrel(__name__)
    other.add_url_rule("/", view_func=page)
    other.register_error_handler(422, lambda error: ({"mine": error.errors[0]["code"]}, 422))
    assert other.test_client().get("/").json == {"mine": "missing"}

    third = Costrel(__name__)
    third.add_url_rule("/", view_func=page)
    third.register_error_handler(ValidationFailed, lambda error: ("mine", 418))
    assert third.test_client().get("/").status_code == 418


def test_a_wrong_status_is_an_error_at_the_seal(app):
    app.config["VALIDATION_STATUS"] = 500
    app.add_url_rule("/", view_func=typed(lambda: ""), endpoint="x")
    with pytest.raises(ValueError, match="VALIDATION_STATUS is 500"):
        app.open_for_requests()


# -- own types --------------------------------------------------------------------------------------------------------


class Money:
    def __init__(self, cents):
        self.cents = cents

    @classmethod
    def parse(cls, text):
        return cls(int(text.removesuffix(" EUR")) * 100)


class Price(Struct):
    amount: Money


def test_an_own_type_is_read_by_its_codec(app):
    app.typed_codec(Money, decode=Money.parse)

    @app.post("/")
    def page(price: Price, least: Money):
        return f"{price.amount.cents} {least.cents}"

    client = app.test_client()
    assert client.post("/?least=1 EUR", json={"amount": "5 EUR"}).text == "500 100"
    wrong = client.post("/?least=hunter2", json={"amount": "hunter2"})
    assert errors(wrong) == [("body", "#/amount", "value"), ("query", "least", "value")]
    assert "hunter2" not in wrong.text
