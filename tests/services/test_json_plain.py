"""Plain values are written by msgspec: the text is the standard library's."""

import collections
import dataclasses
import datetime
import decimal
import enum
import json
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costrel import Costrel, Response
from costrel.services import json_provider
from costrel.services.json_plain import is_plain
from costrel.services.json_provider import COMPACT, DefaultJSONProvider


def expected(value, **options):
    return json.dumps(value, separators=COMPACT, sort_keys=True, **options)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


def provider_of(**options):
    app = Costrel("shop")
    app.config["JSON_ALLOW_NAN"] = True
    for name, value in options.items():
        setattr(app.json, name, value)
    return app, app.json


APP, PROVIDER = provider_of()
OTHER_APP, UNESCAPED = provider_of(ensure_ascii=False)


@given(values)
@settings(max_examples=60, deadline=None)
def test_any_value_is_written_as_by_the_standard_library(value):
    assert PROVIDER.dumps(value, separators=COMPACT) == expected(value)
    assert UNESCAPED.dumps(value, separators=COMPACT) == expected(value, ensure_ascii=False)


class Colour(enum.IntEnum):
    RED = 1


class Name(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        {"a": '\x7f\x1f\\"/\n é € 😀'},
        {"é\\u00e9": "\\\\é"},
        {10: 1, 9: 2},
        {True: 1, False: 2},
        {"b": {2: "x", 1: "y"}},
        [1e16, 1e-5, -1e300, 0.1, -0.0, 1e15, 1e-4, float("inf")],
        [10**40, -(2**64)],
        Colour.RED,
        [Name("<a>")],
        collections.OrderedDict(b=1, a=2),
        {"half": "\ud800"},
    ],
)
def test_values_that_msgspec_writes_differently(value):
    assert PROVIDER.dumps(value, separators=COMPACT) == expected(value)


@dataclasses.dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime.date(2020, 1, 2), '"Thu, 02 Jan 2020 00:00:00 GMT"'),
        (datetime.datetime(2020, 1, 2, 3, 4, 5), '"Thu, 02 Jan 2020 03:04:05 GMT"'),
        (decimal.Decimal("1.20"), '"1.20"'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Point(1), '{"x":1}'),
    ],
)
def test_other_values_go_through_the_default_of_the_provider(value, text):
    provider = Costrel("shop").json
    assert provider.dumps([value], separators=COMPACT) == f"[{text}]"
    provider.default = lambda value: "other"
    assert provider.dumps([value], separators=COMPACT) == '["other"]'


@pytest.mark.parametrize("value", [{1}, b"a", bytearray(b"a"), object(), datetime.timedelta(1), datetime.time(1), 1j])
def test_a_value_that_json_cannot_express_is_still_an_error(value):
    assert not is_plain([value])
    with pytest.raises(TypeError, match=r"is not JSON serializable \(at \$\.a\)$"):
        Costrel("shop").json.dumps({"a": value}, separators=COMPACT)


def test_a_circle_and_deep_nesting_are_errors_as_before():
    circle = []
    circle.append(circle)
    deep = []
    for _ in range(100_000):
        deep = [deep]
    provider = Costrel("shop").json
    with pytest.raises(ValueError, match="Circular reference"):
        provider.dumps(circle, separators=COMPACT)
    with pytest.raises(RecursionError):
        provider.dumps(deep, separators=COMPACT)


def text_of(app, value):
    with app.app_context():
        return app.json.response(value).get_data(as_text=True)


class TestTheFormOfResponses:
    """Each option counts from the next response on."""

    value = {"b": "é", "a": 1}
    usual = '{"a":1,"b":"\\u00e9"}\n'

    def test_an_option_of_the_provider(self):
        app = Costrel("shop")
        found = [text_of(app, self.value)]
        for name, value in (("sort_keys", False), ("ensure_ascii", False), ("compact", False)):
            setattr(app.json, name, value)
            found.append(text_of(app, self.value))
            delattr(app.json, name)
        assert found == [
            self.usual, '{"b":"\\u00e9","a":1}\n', '{"a":1,"b":"é"}\n', '{\n  "a": 1,\n  "b": "\\u00e9"\n}\n'
        ]  # fmt: skip
        assert text_of(app, self.value) == self.usual

    def test_the_media_type(self):
        app = Costrel("shop")
        with app.app_context():
            assert app.json.response(1).mimetype == "application/json"
            app.json.mimetype = "application/vnd.api+json"
            assert app.json.response(1).mimetype == "application/vnd.api+json"

    def test_the_class_of_the_provider(self, monkeypatch):
        app = Costrel("shop")
        assert text_of(app, self.value) == self.usual
        with monkeypatch.context() as patched:
            patched.setattr(DefaultJSONProvider, "sort_keys", False)
            assert text_of(app, self.value) == '{"b":"\\u00e9","a":1}\n'
        with monkeypatch.context() as patched:
            patched.setattr(DefaultJSONProvider, "dumps", lambda self, obj, **kwargs: "patched")
            assert text_of(app, self.value) == "patched\n"
        assert text_of(app, self.value) == self.usual

    def test_an_option_that_is_computed(self):
        orders = iter([True, False, True])

        class Provider(DefaultJSONProvider):
            @property
            def sort_keys(self):
                return next(orders)

        app = Costrel("shop")
        app.json = Provider(app)
        found = [text_of(app, self.value) for _ in range(3)]
        assert found == [self.usual, '{"b":"\\u00e9","a":1}\n', self.usual]

    def test_debug_mode(self):
        app = Costrel("shop")
        found = []
        for debug in (False, True, False):
            app.debug = debug
            found.append(text_of(app, [1]))
        assert found == ["[1]\n", "[\n  1\n]\n", "[1]\n"]

    def test_debug_mode_that_an_application_computes(self):
        class App(Costrel):
            is_verbose = False

            @property
            def debug(self):
                return self.is_verbose

        app = App("shop")
        assert text_of(app, [1]) == "[1]\n"
        app.is_verbose = True
        assert text_of(app, [1]) == "[\n  1\n]\n"

    def test_the_setting_of_numbers_that_json_does_not_have(self):
        app, _ = provider_of()
        assert text_of(app, [float("nan")]) == "[NaN]\n"
        app.config["JSON_ALLOW_NAN"] = False
        with pytest.raises(ValueError, match="not JSON compliant"):
            text_of(app, [float("nan")])

    def test_the_class_of_responses(self):
        class Marked(Response):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.headers["X-Marked"] = "yes"

        app = Costrel("shop")
        app.response_class = Marked
        with app.app_context():
            assert app.json.response(a=1).headers["X-Marked"] == "yes"

    def test_a_provider_without_the_c_encoder(self, monkeypatch):
        monkeypatch.setattr(json_provider.json.encoder, "c_make_encoder", None)
        assert text_of(Costrel("shop"), self.value) == self.usual
