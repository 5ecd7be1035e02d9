"""JSON that is hard to write: keys of several types, and errors that name the place of a value."""

import dataclasses
import datetime
import decimal
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costrel import Costrel, jsonify
from costrel.app.application import Flask


@pytest.fixture(params=[Costrel, Flask])
def app(request):
    return request.param("shop", static_folder=None)


@dataclasses.dataclass
class Order:
    items: object


class Colour:
    pass


class TestMixedKeys:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ({1: 2, "a": 3}, '{"1": 2, "a": 3}'),
            ({"b": 1, 10: 2, 9: 3}, '{"10": 2, "9": 3, "b": 1}'),
            ({None: 1, "a": 2, True: 3}, '{"a": 2, "null": 1, "true": 3}'),
            ({None: 1, 1.5: 2}, '{"1.5": 2, "null": 1}'),
            ({"x": [{1: {"b": 1, 2: 2}}]}, '{"x": [{"1": {"2": 2, "b": 1}}]}'),
            (Order({1: 1, "a": 2}), '{"items": {"1": 1, "a": 2}}'),
            ((({1: 1, "a": 2},),), '[[{"1": 1, "a": 2}]]'),
        ],
    )
    def test_are_sorted_by_their_text(self, app, value, expected):
        assert app.json.dumps(value) == expected

    def test_keys_of_one_type_stay_in_their_own_order(self, app):
        assert app.json.dumps({10: 1, 9: {"b": 1, 2: 2}}) == '{"9": {"2": 2, "b": 1}, "10": 1}'

    def test_in_a_response(self, app):
        with app.app_context():
            assert jsonify(orders={1: 2, "a": 3}).get_data() == b'{"orders":{"1":2,"a":3}}\n'

    def test_with_an_indent_and_arguments(self, app):
        assert app.json.dumps({1: 2, "a": 3}, indent=1) == '{\n "1": 2,\n "a": 3\n}'
        assert app.json.dumps({1: "é", "a": 3}, ensure_ascii=False) == '{"1": "é", "a": 3}'

    def test_without_sorting_they_stay_as_they_are(self, app):
        app.json.sort_keys = False
        assert app.json.dumps({"a": 1, 1: 2}) == '{"a": 1, "1": 2}'

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda values: st.lists(values) | st.dictionaries(st.none() | st.integers() | st.text(), values),
        )
    )
    def test_nothing_is_lost(self, value):
        app = Flask("shop", static_folder=None)
        assert json.loads(app.json.dumps(value)) == json.loads(json.dumps(value))


class TestPlaces:
    @pytest.mark.parametrize(
        ("value", "place"),
        [
            (Colour(), "$"),
            ({"orders": [{"items": [{"color": Colour()}]}]}, "$.orders[0].items[0].color"),
            ([1, (2, Colour())], "$[1][1]"),
            ({"a b": Colour()}, '$["a b"]'),
            ({'a"b': Colour()}, '$["a\\"b"]'),
            ({1: Colour()}, '$["1"]'),
            ({"größe": Colour()}, "$.größe"),
            (Order([Colour()]), "$.items[0]"),
            ({1: 2, "a": [Colour()]}, "$.a[0]"),
        ],
    )
    def test_of_a_value_that_json_does_not_have(self, app, value, place):
        with pytest.raises(TypeError) as caught:
            app.json.dumps(value)
        assert str(caught.value) == f"Object of type Colour is not JSON serializable (at {place})"

    def test_with_arguments(self, app):
        with pytest.raises(TypeError, match=r"\(at \$\.a\)$"):
            app.json.dumps({"a": Colour()}, sort_keys=False)

    def test_of_a_key(self, app):
        with pytest.raises(TypeError, match=r"^keys must be str, int, .*, not tuple \(at \$\.prices\[0\]\)$"):
            app.json.dumps({"prices": [{(1, 2): 3}]})

    def test_of_a_circle(self, app):
        value = {"a": []}
        value["a"].append(value)
        with pytest.raises(ValueError, match=r"^Circular reference detected \(at \$\.a\[0\]\)$"):
            app.json.dumps(value)

    def test_of_a_number(self):
        app = Costrel("shop")
        with pytest.raises(ValueError, match=r"not JSON compliant: inf \(at \$\.a\[1\]\)$"):
            app.json.dumps({"a": [1.0, float("inf")]})

    def test_of_an_error_in_the_applications_default(self, app):
        def default(value):
            raise ValueError("no colours")

        app.json.default = default
        with pytest.raises(ValueError, match=r"^no colours \(at \$\.a\)$"):
            app.json.dumps({"a": Colour()})

    def test_a_value_that_is_repeated_is_no_circle(self, app):
        date = [datetime.date(2020, 1, 1), decimal.Decimal(1)]
        with pytest.raises(TypeError, match=r"\(at \$\.b\)$"):
            app.json.dumps({"a": [date, date], "b": {1}})

    def test_a_value_that_is_too_deep_has_the_first_error_alone(self, app):
        value = Colour()
        for _ in range(600):
            value = [value]
        with pytest.raises(TypeError, match=r"Object of type Colour is not JSON serializable$"):
            app.json.dumps(value)

    def test_in_a_view(self):
        app = Costrel("shop", static_folder=None)
        app.testing = True
        app.add_url_rule("/", "index", lambda: {"a": [Colour()]})
        with pytest.raises(TypeError, match=r"\(at \$\.a\[0\]\)$"):
            app.test_client().get("/")
