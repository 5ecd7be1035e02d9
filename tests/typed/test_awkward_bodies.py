"""Unusual bodies: each results in its value or in all of its errors, on both edges."""

import json
import typing as t
from typing import Annotated as A

import attrs
import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from costrel import Costrel

T = t.TypeVar("T")


@attrs.define
class Point:
    a: int
    b: str = "x"


class Page(Struct, t.Generic[T]):
    items: list[T]
    next: str | None = None


class Node(Struct):
    v: int
    kids: "list[Node]" = []


class Name(Struct, rename="camel"):
    first_name: str
    last_name: A[str, Meta(min_length=2)]


class Change(Struct):
    name: str | UnsetType = UNSET
    age: int | UnsetType | None = UNSET


class First(Struct, tag="c1"):
    n: int


class Second(Struct, tag="c2"):
    s: str


class Lucky(Struct):
    x: int

    def __post_init__(self):
        if self.x == 13:
            raise ValueError("unlucky")


TYPES = {
    "attrs": Point,
    "page": Page[Name],
    "node": Node,
    "camel": Name,
    "patch": Change,
    "union": First | Second,
    "list": list[Name],
    "lucky": Lucky,
    "map": dict[str, First],
    "optional": First | None,
}
BIG = 2**70
DEEP = b'{"v":1,"kids":' * 3000 + b"[]" + b"}" * 3000

VALUES = [
    ("attrs", {"a": 1}, {"a": 1, "b": "x"}),
    ("patch", {}, {}),
    ("patch", {"age": None}, {"age": None}),
    ("lucky", {"x": BIG}, {"x": BIG}),
    ("optional", None, None),
    ("camel", b'{"firstName":"a","firstName":"b","lastName":"cc"}', {"firstName": "b", "lastName": "cc"}),
    ("node", {"v": 1, "kids": [{"v": 2}]}, {"v": 1, "kids": [{"v": 2, "kids": []}]}),
]

ERRORS = [
    ("attrs", {"a": "x", "b": 2}, [("#/a", "type"), ("#/b", "type")]),
    (
        "page",
        {"items": [{"firstName": "a", "lastName": "bb"}, {"firstName": 1, "lastName": "b"}, {}]},
        [
            ("#/items/1/firstName", "type"),
            ("#/items/1/lastName", "length"),
            ("#/items/2/firstName", "missing"),
            ("#/items/2/lastName", "missing"),
        ],
    ),
    (
        "node",
        {"v": 1, "kids": [{"v": "x", "kids": [{"v": 2, "kids": [{"q": 1}]}]}]},
        [("#/kids/0/v", "type"), ("#/kids/0/kids/0/kids/0/v", "missing")],
    ),
    ("camel", {"first_name": "a"}, [("#/firstName", "missing"), ("#/lastName", "missing")]),
    ("patch", {"age": "x", "name": None}, [("#/name", "type"), ("#/age", "type")]),
    ("union", {"type": "c1", "n": "x"}, [("#/n", "type")]),
    ("union", {"type": "c3"}, [("#/type", "union")]),
    ("union", {"n": 1}, [("#/type", "missing")]),
    ("list", [{"firstName": 1}, 5], [("#/0/firstName", "type"), ("#/0/lastName", "missing"), ("#/1", "type")]),
    ("lucky", {"x": 13}, [("#", "value")]),
    ("map", {"a/b": {"type": "c1", "n": "x"}, "~": 1}, [("#/a~1b/n", "type"), ("#/~0", "type")]),
    ("optional", {"type": "c1"}, [("#/n", "missing")]),
    ("camel", b'{"firstName":"a","firstName":1,"lastName":"bb"}', [("#/firstName", "type")]),
]

NO_JSON = [
    ("node", DEEP),
    ("node", b"\xff"),
    ("camel", b'{"firstName":"\xff\xfe","lastName":"bb"}'),
    ("camel", b'{"firstName":'),
]


@pytest.fixture
def post(edge):
    app = Costrel("awkward", static_folder=None)

    def view_of(expr):
        def view(body):
            return msgspec.json.encode(body), {"Content-Type": "application/json"}

        view.__annotations__["body"] = expr
        return view

    for name, expr in TYPES.items():
        app.post(f"/{name}", endpoint=name)(view_of(expr))
    client = app.test_client(edge=edge)

    def post(name, body):
        data = body if isinstance(body, bytes) else json.dumps(body)
        return client.post(f"/{name}", data=data, content_type="application/json")

    return post


@pytest.mark.parametrize(("name", "body", "expected"), VALUES)
def test_a_valid_body(post, name, body, expected):
    response = post(name, body)
    assert (200, expected) == (response.status_code, json.loads(response.data))


@pytest.mark.parametrize(("name", "body", "expected"), ERRORS)
def test_all_errors_of_a_body(post, name, body, expected):
    response = post(name, body)
    assert 422 == response.status_code
    assert expected == [(each["pointer"], each["code"]) for each in response.json["errors"]]


@pytest.mark.parametrize(("name", "body"), NO_JSON)
def test_a_body_that_is_no_json(post, name, body):
    assert 400 == post(name, body).status_code
