"""The walk that collects all problems agrees with `msgspec.convert`, which stops at the first one."""

import dataclasses
import datetime
import enum
import os
import typing as t
from typing import Annotated as A

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct

from costrel.typed.collecting import FAILED, Collector
from costrel.typed.problems import Problem

EXAMPLES = {"fuzz": 50_000, "ci": 200}.get(os.environ.get("HYPOTHESIS_PROFILE", ""), 50)

T = t.TypeVar("T")


class Kind(enum.Enum):
    A = "a"
    B = "b"


class Inner(Struct, forbid_unknown_fields=True):
    a: int
    b: A[str, Meta(max_length=3)] = "x"


class First(Struct, tag="first"):
    n: int


class Second(Struct, tag="second"):
    s: str
    deep: list[Inner] = []


class Node(Struct):
    v: int
    kids: "list[Node]" = []


class Page(Struct, t.Generic[T]):
    items: list[T]
    next: str | None = None


class Camel(Struct, rename="camel"):
    first_name: str
    last_name: A[str, Meta(min_length=2)] = "xx"


class Checked(Struct):
    x: int
    inner: Inner | None = None

    def __post_init__(self):
        if self.x == 5:
            raise ValueError("unlucky")


@dataclasses.dataclass
class Data:
    x: float
    y: bool = False
    z: Inner | None = None
    w: int = dataclasses.field(init=False, default=1)


@dataclasses.dataclass
class Box(t.Generic[T]):
    content: T
    more: list[T] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class IntBox(Box[int]):
    label: str = ""


@attrs.define
class Attrs:
    a: int = attrs.field(validator=attrs.validators.ge(0))
    b: str = "x"


class Dictionary(t.TypedDict):
    u: int
    v: t.NotRequired[list[str]]


class Tree(t.TypedDict):
    leaf: int
    left: t.NotRequired["Tree | None"]


class Pair(t.NamedTuple):
    a: int
    b: str = "x"


class Everything(Struct):
    i: int
    f: A[float, Meta(ge=0)]
    s: str
    o: int | None
    l: A[list[int], Meta(min_length=1)]  # noqa: E741
    m: dict[str, Inner]
    keys: dict[int, str]
    n: Inner
    u: First | Second | None
    d: Data
    box: Box[Inner]
    int_box: IntBox
    td: Dictionary
    tree: Tree
    at: Attrs
    k: Kind
    literal: t.Literal["x", 1]
    tup: tuple[int, str]
    many: tuple[int, ...]
    unique: set[int]
    date: datetime.date
    tagged: list[First | Second]
    mixed: int | str | list[int]
    node: Node
    page: Page[Camel]
    post: Checked
    pair: Pair
    raw: msgspec.Raw
    anything: t.Any


GOOD = {
    "i": 1, "f": 1.5, "s": "s", "o": None, "l": [1], "m": {"k": {"a": 1}}, "keys": {"1": "x"}, "n": {"a": 1},
    "u": {"type": "first", "n": 1}, "d": {"x": 1.0}, "box": {"content": {"a": 1}, "more": [{"a": 2}]},
    "int_box": {"content": 1, "label": "x"}, "td": {"u": 1}, "tree": {"leaf": 1, "left": {"leaf": 2, "left": None}},
    "at": {"a": 1}, "k": "a", "literal": "x", "tup": [1, "a"], "many": [1, 2], "unique": [1], "date": "2020-01-01",
    "tagged": [{"type": "second", "s": "x", "deep": [{"a": 1}]}], "mixed": 3,
    "node": {"v": 1, "kids": [{"v": 2, "kids": [{"v": 3}]}]},
    "page": {"items": [{"firstName": "a", "lastName": "bb"}]}, "post": {"x": 1, "inner": {"a": 1}}, "pair": [1, "x"],
    "raw": {"a": [1]}, "anything": {"a": None},
}  # fmt: skip

ODD = [
    0, 1, -5, 5, 2.5, 2**70, "x", "abcd", "", None, True, [], {}, [1], ["a"], {"a": 1}, {"a": "q"}, "2020-01-01", "a",
    {"type": "first", "n": 1}, {"type": "second", "s": 3}, {"type": "zz"}, {"x": 5}, {"v": 1, "kids": [{}]}, "1",
]  # fmt: skip

REMOVED = object()


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of all values within a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in inner for place in ((*path, key), *places(item, (*path, key)))]


def copied(value: t.Any) -> t.Any:
    return msgspec.json.decode(msgspec.json.encode(value))


@st.composite
def values(draw: st.DrawFn) -> dict[str, t.Any]:
    """A good value in which some places hold something else, or nothing."""
    value = copied(GOOD)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.sampled_from(places(value)))
        inside = value
        for key in at[:-1]:
            inside = inside[key]
        odd = draw(st.sampled_from([REMOVED, *ODD]))
        if odd is REMOVED:
            del inside[at[-1]]
        else:
            inside[at[-1]] = copied(odd)
    return value


def accepts(value: object) -> bool:
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=Everything)
    except msgspec.ValidationError:
        return False
    return True


@settings(max_examples=EXAMPLES)
@given(values())
def test_there_are_problems_exactly_if_msgspec_refuses_the_value(value: dict[str, t.Any]) -> None:
    collector = Collector("body", strict=True)
    made = collector.walk(value, Everything)

    assert (made is FAILED, bool(collector.problems)) == (not accepts(value), not accepts(value))


@settings(max_examples=EXAMPLES // 4)
@given(values())
def test_a_value_without_problems_is_the_value_that_msgspec_makes(value: dict[str, t.Any]) -> None:
    made = Collector("body", strict=True).walk(value, Everything)

    if made is not FAILED:
        expected = msgspec.json.decode(msgspec.json.encode(value), type=Everything)
        made.raw = expected.raw = msgspec.Raw(b"")
        assert expected == made


class Texts(Struct, kw_only=True):
    """The types that a query or a form may be read as."""

    i: int
    f: float = 0.0
    b: bool = False
    s: A[str, Meta(max_length=3)] = ""
    o: int | None = None
    k: Kind = Kind.A
    literal: t.Literal["x", "y"] = "x"
    date: datetime.date | None = None
    numbers: A[list[int], Meta(max_length=2)] = []
    kinds: set[Kind] = set()
    bounded: A[int, Meta(ge=1, multiple_of=2)] = 2
    mixed: int | float | str = 0


TEXTS = ["", "1", "-5", "2.5", "x", "y", "a", "b", "true", "null", "abcd", "2020-01-01", "nan", "1e3", " 1", "6.0"]


@settings(max_examples=EXAMPLES)
@given(
    st.dictionaries(
        st.sampled_from(["i", "f", "b", "s", "o", "k", "literal", "date", "bounded", "mixed"]), st.sampled_from(TEXTS)
    ),
    st.dictionaries(st.sampled_from(["numbers", "kinds"]), st.lists(st.sampled_from(TEXTS), max_size=3)),
)
def test_texts_have_problems_exactly_if_msgspec_refuses_them(
    texts: dict[str, str], lists: dict[str, list[str]]
) -> None:
    value: dict[str, object] = {**texts, **lists}
    collector = Collector("query", strict=False)
    made = collector.walk(value, Texts)
    try:
        expected = repr(msgspec.convert(value, Texts, strict=False))
    except msgspec.ValidationError:
        expected = repr(FAILED)

    assert (expected, expected == repr(FAILED)) == (repr(made), bool(collector.problems))


def problems(value: object, expr: object) -> list[tuple[str, str]]:
    collector = Collector("body", strict=True)
    collector.walk(value, expr)
    return [(problem.pointer, problem.code) for problem in collector.problems]


@pytest.mark.parametrize(
    ("value", "expr", "expected"),
    [
        ({"a": "x", "b": 2}, Attrs, [("#/a", "type"), ("#/b", "type")]),
        ({"a": -1}, Attrs, [("#", "value")]),
        ({"items": [{"firstName": 1, "lastName": "b"}, {}]}, Page[Camel],
         [("#/items/0/firstName", "type"), ("#/items/0/lastName", "length"), ("#/items/1/firstName", "missing")]),
        ({"v": 1, "kids": [{"v": "x", "kids": [{}]}]}, Node,
         [("#/kids/0/v", "type"), ("#/kids/0/kids/0/v", "missing")]),
        ({"type": "first", "n": "x"}, First | Second, [("#/n", "type")]),
        ({"type": "third"}, First | Second, [("#/type", "union")]),
        ({"n": 1}, First | Second, [("#/type", "missing")]),
        ([{"firstName": 1}, 5], list[Camel], [("#/0/firstName", "type"), ("#/1", "type")]),
        ({"x": 5}, Checked, [("#", "value")]),
        ({"a/b": {"n": "x"}, "~": 1}, dict[str, First], [("#/a~1b/n", "type"), ("#/~0", "type")]),
        ({"a": 1, "c": 2}, Inner, [("#/c", "unknown")]),
        ({"k": "v"}, dict[int, str], [("#/k", "type")]),
        ([1], tuple[int, str], [("#", "length")]),
        (["x", 2], tuple[int, str], [("#/0", "type"), ("#/1", "type")]),
        ("c", Kind, [("#", "enum")]),
        ("2020-13-01", datetime.date, [("#", "format")]),
        (3, A[int, Meta(multiple_of=2)], [("#", "multiple")]),
        ("b", A[str, Meta(pattern="^a")], [("#", "pattern")]),
        (0, A[int, Meta(gt=0)], [("#", "range")]),
        ({"content": {"a": "x"}, "more": [{}]}, Box[Inner], [("#/content/a", "type"), ("#/more/0/a", "missing")]),
        ({"content": "x"}, IntBox, [("#/content", "type")]),
        ({"leaf": "x", "left": {}}, Tree, [("#/leaf", "type"), ("#/left/leaf", "missing")]),
        (["x", 1], Pair, [("#/0", "type")]),
    ],
    ids=str,
)  # fmt: skip
def test_each_problem_has_its_place_and_code(value: object, expr: object, expected: list[tuple[str, str]]) -> None:
    assert expected == problems(value, expr)


@pytest.mark.parametrize(
    ("value", "expr"),
    [
        ("hunter2", Kind),
        ("hunter2", t.Literal["x"]),
        ({"type": "hunter2"}, First | Second),
        ({"a": "hunter2"}, Inner),
        ("hunter2", datetime.datetime),
        (["hunter2"], list[int]),
        ({"hunter2": 1}, dict[int, int]),
        ("hunter2", int | None),
    ],
    ids=str,
)
def test_no_detail_repeats_the_value(value: object, expr: object) -> None:
    collector = Collector("body", strict=True)
    collector.walk(value, expr)

    assert [] != collector.problems
    assert [] == [problem.detail for problem in collector.problems if "hunter2" in problem.detail]


def test_allowed_values_are_listed() -> None:
    collector = Collector("body", strict=True)
    collector.walk({"k": "c", "l": "z", "u": {"type": "third"}}, msgspec.defstruct(
        "Choices", [("k", Kind), ("l", t.Literal["x", 1] | None), ("u", First | Second)]
    ))  # fmt: skip

    expected = ["Expected 'a' or 'b'", "Expected 'x' or 1", "Expected 'first' or 'second'"]
    assert expected == [problem.detail for problem in collector.problems]


def test_an_own_error_text_stands_unless_it_contains_the_value() -> None:
    class Secret(Struct):
        word: str

        def __post_init__(self):
            raise ValueError("The word is too weak." if self.word == "abc" else f"{self.word} is too weak.")

    collector = Collector("body", strict=True)
    collector.walk({"word": "hunter2"}, Secret)
    collector.walk({"word": "abc"}, Secret)

    assert ["Invalid `Secret`", "The word is too weak."] == [problem.detail for problem in collector.problems]


def test_an_integer_may_be_spelled_as_a_float() -> None:
    made = Collector("body", strict=True).walk({"a": 6.0}, Inner)

    assert Inner(6) == made
    assert [("#/a", "type")] == problems({"a": 6.5}, Inner)
    assert [("#/a", "type")] == problems({"a": 1e300}, Inner)


def test_at_most_a_hundred_problems_are_reported() -> None:
    assert 100 == len(problems(["x"] * 1000, list[int]))


def test_the_walk_is_linear() -> None:
    """Each node is converted once, however deep it is; counted, not timed."""
    made = []

    class Counted(Struct):
        kid: "Counted | None" = None
        bad: int = 0

        def __post_init__(self):
            made.append(self)

    Counted.__annotations__["kid"] = Counted | None
    globals()["Counted"] = Counted
    value: dict[str, t.Any] = {}
    for _ in range(50):
        value = {"kid": value}
    Collector("body", strict=True).walk(value, Counted)

    assert 51 == len(made)


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ((), "#"),
        (("lines", 0, "sku"), "#/lines/0/sku"),
        (("100%", "%s"), "#/100%/%s"),
        (("a/b", 1, "~c", "/~1"), "#/a~1b/1/~0c/~1~01"),
        (("",), "#/"),
        (("x" * 300, "y"), f"#/{'x' * 100}/y"),
        (tuple("abcdefghij" * 8), "#/" + "/".join("abcdefghij" * 8)),
    ],
)
def test_a_pointer_escapes_its_keys_and_cuts_long_ones(path: tuple[str | int, ...], pointer: str) -> None:
    assert pointer == Problem("body", path, "type", "Expected `int`").pointer


@pytest.mark.parametrize("expr", [int, A[str, Meta(min_length=3)], list[int], dict[str, int], int | datetime.date])
def test_the_path_of_a_problem_at_the_root_is_empty(expr: object) -> None:
    collector = Collector("body", strict=True)
    collector.walk("x", expr)

    assert [()] == [problem.path for problem in collector.problems]
