"""`costrel openapi --check` distinguishes breaking changes from compatible ones."""

import copy
import json
import sys
import typing as t
from datetime import date
from typing import Annotated as A
from typing import Literal
from uuid import UUID

import pytest
from msgspec import Meta, Struct, defstruct

from costrel import Blueprint, Costrel, OpenAPI
from costrel.cli import FlaskGroup
from costrel.openapi.changes import changes_between
from costrel.openapi.document import document_of, dumps

REF = "#/components/schemas/"
DOCUMENT: dict[str, t.Any] = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "paths": {
        "/orders": {
            "get": {
                "operationId": "orders",
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                    {"name": "sort", "in": "query", "schema": {"enum": ["name", "date"]}},
                ],
                "responses": {
                    "200": {"description": "OK", "content": {"application/json": {"schema": {"$ref": REF + "Order"}}}},
                    "404": {"description": "Not Found"},
                },
            },
            "post": {
                "operationId": "create",
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": REF + "Draft"}}},
                    "required": False,
                },
                "responses": {"204": {"description": "No Content"}},
            },
        },
        "/old": {"get": {"operationId": "old", "responses": {"204": {"description": "No Content"}}}},
    },
    "components": {
        "schemas": {
            "Order": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"},
                    "state": {"enum": ["open", "paid"]},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "children": {"type": "array", "items": {"$ref": REF + "Order"}},
                },
                "required": ["id", "state"],
            },
            "Draft": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "maxLength": 20},
                    "price": {"type": "number"},
                    "kind": {"enum": ["a", "b"]},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
                "required": ["name"],
            },
        }
    },
}


def changed(change: t.Callable[[t.Any, t.Any, t.Any, t.Any], object]) -> list[str]:
    """The changes after an edit of the paths, the GET operation, the class that is received, and that is sent."""
    new = copy.deepcopy(DOCUMENT)
    paths, components = new["paths"], new["components"]["schemas"]
    change(paths, paths["/orders"]["get"], components["Order"], components["Draft"])
    return [str(each) for each in changes_between(DOCUMENT, new)]


class Cat(Struct, tag=True):
    lives: int


class Dog(Struct, tag=True):
    barks: bool


class Cow(Struct, tag=True):
    milk: int


def body(paths):
    return paths["/orders"]["post"]["requestBody"]


BREAKING = {
    "path removed": lambda p, g, o, d: p.pop("/old"),
    "method removed": lambda p, g, o, d: p["/orders"].pop("post"),
    "status removed": lambda p, g, o, d: g["responses"].pop("404"),
    "content removed": lambda p, g, o, d: g["responses"]["200"].pop("content"),
    "parameter newly required": lambda p, g, o, d: g["parameters"][0].update(required=True),
    "required parameter added": lambda p, g, o, d: g["parameters"].append(
        {"name": "q", "in": "query", "required": True, "schema": {}}
    ),
    "body newly required": lambda p, g, o, d: body(p).update(required=True),
    "field newly required": lambda p, g, o, d: d["required"].append("price"),
    "required field added": lambda p, g, o, d: (d["properties"].update(x={}), d["required"].append("x")),
    "type of a parameter": lambda p, g, o, d: g["parameters"][0]["schema"].update(type="boolean"),
    "type narrowed": lambda p, g, o, d: d["properties"]["price"].update(type="integer"),
    "bound raised": lambda p, g, o, d: g["parameters"][0]["schema"].update(minimum=2),
    "bound lowered": lambda p, g, o, d: d["properties"]["name"].update(maxLength=10),
    "bound added": lambda p, g, o, d: d["properties"]["price"].update(minimum=0),
    "pattern added": lambda p, g, o, d: d["properties"]["name"].update(pattern="^a"),
    "enum narrowed": lambda p, g, o, d: d["properties"]["kind"]["enum"].pop(),
    "enum of a parameter narrowed": lambda p, g, o, d: g["parameters"][1]["schema"]["enum"].pop(),
    "null refused": lambda p, g, o, d: d["properties"].update(note={"type": "string"}),
    "response field removed": lambda p, g, o, d: o["properties"].pop("note"),
    "response field nullable": lambda p, g, o, d: o["properties"].update(
        id={"anyOf": [{"type": "integer"}, {"type": "null"}]}
    ),
    "response type widened": lambda p, g, o, d: o["properties"]["id"].update(type="number"),
    "response enum extended": lambda p, g, o, d: o["properties"]["state"]["enum"].append("sent"),
    "operationId renamed": lambda p, g, o, d: g.update(operationId="list_orders"),
    "security added": lambda p, g, o, d: g.update(security=[{"bearer": []}]),
    "unknown fields refused": lambda p, g, o, d: d.update(additionalProperties=False),
}

HARMLESS = {
    "path added": lambda p, g, o, d: p.update({"/new": p["/old"]}),
    "status added": lambda p, g, o, d: g["responses"].update({"409": {"description": "Conflict"}}),
    "optional parameter added": lambda p, g, o, d: g["parameters"].append({"name": "q", "in": "query", "schema": {}}),
    "optional field added": lambda p, g, o, d: d["properties"].update(x={"type": "string"}),
    "field no longer required": lambda p, g, o, d: d.update(required=[]),
    "bound widened": lambda p, g, o, d: g["parameters"][0]["schema"].update(maximum=200),
    "bound removed": lambda p, g, o, d: d["properties"]["name"].pop("maxLength"),
    "enum extended": lambda p, g, o, d: d["properties"]["kind"]["enum"].append("c"),
    "type widened": lambda p, g, o, d: d["properties"]["name"].update(type=["string", "integer"]),
    "null accepted": lambda p, g, o, d: d["properties"].update(price={"anyOf": [{"type": "number"}, {"type": "null"}]}),
    "response field added": lambda p, g, o, d: o["properties"].update(x={"type": "string"}),
    "response enum narrowed": lambda p, g, o, d: o["properties"]["state"]["enum"].pop(),
    "response no longer null": lambda p, g, o, d: o["properties"].update(note={"type": "string"}),
    "deprecated": lambda p, g, o, d: g.update(deprecated=True),
    "texts": lambda p, g, o, d: g.update(summary="All orders"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_clients_is_found(name):
    found = changed(BREAKING[name])
    assert found
    assert found[0].startswith("breaking: ")


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_not_is_a_compatible_change(name):
    found = changed(HARMLESS[name])
    assert found
    assert all(each.startswith("compatible: ") for each in found), found


# -- in applications --------------------------------------------------------------------------------------------------


def between(before, after):
    """Whether a change of a type breaks clients that send its values, and clients that receive them."""

    def document(sent, received):
        app = Costrel("shop", static_folder=None)

        @app.post("/x")
        def view(value: sent) -> received: ...

        return json.loads(dumps(document_of(app)))

    sent = changes_between(document(before, Same), document(after, Same))
    received = changes_between(document(Same, before), document(Same, after))
    return [any(each.is_breaking for each in found) for found in (sent, received) if found or before is after]


class Same(Struct):
    x: int


def fields(**types):
    return defstruct("Model", [(name, *(each if isinstance(each, tuple) else (each,))) for name, each in types.items()])


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        (fields(a=int), fields(a=float), [False, True]),
        (fields(a=str), fields(a=date), [True, False]),
        (fields(a=date), fields(a=UUID), [True, True]),
        (fields(a=date), fields(a=str), [False, True]),
        (fields(a=list), fields(a=list[int]), [True, False]),
        (fields(a=list[int]), fields(a=list[int | str]), [False, True]),
        (fields(a=dict), fields(a=dict[str, int]), [True, False]),
        (fields(a=dict[str, Literal["x", "y"]]), fields(a=dict[str, Literal["x"]]), [True, False]),
        (fields(a=tuple[int, int]), fields(a=tuple[int, int, int]), [True, False]),
        (fields(a=tuple[int, int, int]), fields(a=tuple[int, int]), [True, True]),
        (fields(a=list[Same]), fields(a=list[Same] | None), [False, True]),
        (fields(a=Literal["x"]), fields(a=Literal["x", "y"]), [False, True]),
        (fields(a=int), fields(a=int, b=int), [True, False]),
        (fields(a=int), fields(a=int, b=(int, 1)), [False, False]),
        (fields(a=int, b=(int, 1)), fields(a=int), [False, True]),
        (fields(a=int), fields(a=(int, 1)), [False, False]),
        (fields(a=A[str, Meta(max_length=9)]), fields(a=A[str, Meta(max_length=5)]), [True, False]),
        (fields(a=A[int, Meta(ge=1)]), fields(a=A[int, Meta(gt=1)]), [True, False]),
        (fields(a=A[list[int], Meta(min_length=1)]), fields(a=list[int]), [False, False]),
        (fields(a=Cat | Dog), fields(a=Cat | Dog | Cow), [False, True]),
        (fields(a=Cat | Dog | Cow), fields(a=Cat | Dog), [True, True]),  # the component Cow was removed
    ],
)
def test_the_type_of_a_field(before, after, breaks):
    assert between(before, after) == breaks


def test_no_change():
    assert changed(lambda p, g, o, d: None) == []


def test_breaking_changes_come_first_and_name_their_places():
    def change(paths, get, order, draft):
        get["responses"]["409"] = {"description": "Conflict"}
        order["properties"].pop("note")
        draft["required"].append("price")

    assert changed(change) == [
        "breaking: Draft.price: is now required",
        "breaking: Order.note: the field was removed in responses",
        "compatible: GET /orders, 409: the status is new",
    ]


def test_a_renamed_component():
    new = json.loads(json.dumps(DOCUMENT).replace("Draft", "OrderDraft"))
    assert [str(each) for each in changes_between(DOCUMENT, new)] == [
        "breaking: Draft: the component was renamed to OrderDraft",
        "breaking: POST /orders, body: Draft was replaced by OrderDraft",
        "compatible: OrderDraft: the component is new",
    ]


def test_unions_of_classes():
    def document(sent, received):
        new = copy.deepcopy(DOCUMENT)
        body(new["paths"])["content"]["application/json"]["schema"] = {"anyOf": [{"$ref": REF + n} for n in sent]}
        content = new["paths"]["/orders"]["get"]["responses"]["200"]["content"]
        content["application/json"]["schema"] = {"anyOf": [{"$ref": REF + n} for n in received]}
        return new

    both, one = ["Draft", "Order"], ["Draft"]
    narrowed = changes_between(document(both, both), document(one, one))
    widened = changes_between(document(one, one), document(both, both))
    assert [str(each) for each in narrowed if each.is_breaking] == [
        "breaking: POST /orders, body: can no longer be Order"
    ]
    assert [str(each) for each in widened if each.is_breaking] == ["breaking: GET /orders, 200: can also be Order"]


# -- the command ------------------------------------------------------------------------------------------------------


class Line(Struct):
    sku: str


def make() -> Costrel:
    app = Costrel("shop", static_folder=None)

    @app.get("/lines")
    def lines(page: int) -> list[Line]: ...

    app.add_url_rule("/plain", "plain", lambda: "")
    return app


def run(app, *args):
    group = FlaskGroup(create_app=lambda: app)
    return app.test_cli_runner().invoke(group, ["openapi", *args])


def test_the_command_prints_the_document():
    done = run(make())
    assert done.exit_code == 0
    assert [*json.loads(done.output)["paths"]] == ["/lines"]
    assert [*json.loads(run(make(), "--untyped").output)["paths"]] == ["/lines", "/plain"]


def test_it_uses_the_options_of_the_application():
    app = make()
    app.openapi = OpenAPI("Shop", "3", untyped=True)
    document = json.loads(run(app).output)
    assert document["info"] == {"title": "Shop", "version": "3"}
    assert [*document["paths"]] == ["/lines", "/plain"]


def test_files_and_yaml(tmp_path):
    saved, other = tmp_path / "api.json", tmp_path / "api.yaml"
    assert run(make(), "-o", str(saved)).output == ""
    assert run(make(), "-o", str(other), "--format", "yaml").exit_code == 0
    assert other.read_text().startswith("openapi: 3.1.0\n")
    for path in (saved, other):
        done = run(make(), "--check", str(path))
        assert (done.exit_code, done.output) == (0, "The document is unchanged.\n")


def test_check_fails_with_a_line_per_change(tmp_path):
    saved = tmp_path / "api.json"
    run(make(), "-o", str(saved))
    app = make()
    app.add_url_rule("/new", "new", lambda: "", hidden=False)
    document = json.loads(saved.read_text())
    document["paths"]["/gone"] = document["paths"]["/lines"]
    saved.write_text(json.dumps(document))
    done = run(app, "--check", str(saved))
    assert done.exit_code == 1
    assert done.output == "breaking: GET /gone: the path was removed\ncompatible: GET /new: is new\n"


@pytest.mark.parametrize(("text", "problem"), [("{", "not JSON"), ("[]", "no member 'openapi'")])
def test_a_file_that_is_no_document_is_an_error(tmp_path, text, problem):
    path = tmp_path / "api.json"
    path.write_text(text)
    done = run(make(), "--check", str(path))
    assert done.exit_code == 1
    assert problem in done.output


def test_without_pyyaml_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    done = run(make(), "--format", "yaml")
    assert done.exit_code == 1
    assert "pip install PyYAML" in done.output


def test_a_clash_is_an_error_without_a_traceback():
    app = make()
    app.add_url_rule("/x", "a", lambda: "", hidden=False, operation_id="lines")
    done = run(app)
    assert done.exit_code == 1
    assert "operationId 'lines'" in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_a_command_of_the_application_takes_precedence():
    app = make()
    blueprint = Blueprint("openapi", __name__)
    blueprint.cli.command("print")(lambda: print("mine"))
    app.register_blueprint(blueprint)
    assert run(app, "print").output == "mine\n"
