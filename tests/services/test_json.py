"""JSON as an application writes and reads it, and without one."""

import dataclasses
import datetime
import decimal
import io
import json
import uuid
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costrel.app.application import Costrel
from costrel.services import json as costrel_json
from costrel.services import json_provider
from costrel.services.json_provider import DefaultJSONProvider, JSONProvider
from costrel.sessions.tagged_json import TaggedJSONSerializer


@pytest.fixture
def app():
    return Costrel("shop")


@dataclasses.dataclass
class Point:
    x: int
    when: object = None


class Badge:
    def __html__(self):
        return "<b>1</b>"


class TestDefault:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (datetime.date(2020, 1, 2), '"Thu, 02 Jan 2020 00:00:00 GMT"'),
            (datetime.datetime(2020, 1, 2, 3, 4, 5), '"Thu, 02 Jan 2020 03:04:05 GMT"'),
            (decimal.Decimal("1.20"), '"1.20"'),
            (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
            (Point(1, datetime.date(2020, 1, 2)), '{"when": "Thu, 02 Jan 2020 00:00:00 GMT", "x": 1}'),
            (Badge(), '"<b>1</b>"'),
        ],
    )
    def test_it_says_more_than_json(self, app, value, expected):
        assert app.json.dumps(value) == expected

    def test_but_not_everything(self, app):
        with pytest.raises(TypeError, match="Object of type set is not JSON serializable"):
            app.json.dumps({"a": {1}})


class TestDumps:
    def test_keys_are_sorted_and_text_is_escaped(self, app):
        assert app.json.dumps({"b": "é", "a": [1, None]}) == '{"a": [1, null], "b": "\\u00e9"}'

    def test_attributes_count_from_one_call_to_the_next(self, app):
        app.json.sort_keys = False
        assert app.json.dumps({"b": "é", "a": 1}) == '{"b": "\\u00e9", "a": 1}'
        app.json.ensure_ascii = False
        assert app.json.dumps({"b": "é", "a": 1}) == '{"b": "é", "a": 1}'
        app.json.default = repr
        assert app.json.dumps({1j}) == '"{1j}"'

    def test_arguments_win_over_attributes(self, app):
        assert app.json.dumps({"b": 1, "a": "é"}, sort_keys=False, ensure_ascii=False) == '{"b": 1, "a": "é"}'
        assert app.json.dumps({1}, default=list) == "[1]"

    @pytest.mark.parametrize("layout", [{"indent": 2}, {"indent": "--"}, {"separators": [";", "="]}, {"indent": 0}])
    def test_the_layout_is_an_argument(self, app, layout):
        value = {"a": [1, {"b": 2}]}
        assert app.json.dumps(value, **layout) == json.dumps(value, **layout)

    def test_a_subclass_may_have_a_default_of_its_own(self, app):
        class Provider(DefaultJSONProvider):
            def default(self, o):
                return f"<{o!r}>" if isinstance(o, complex) else DefaultJSONProvider.default(o)

        provider = Provider(app)
        assert provider.dumps([1j, decimal.Decimal(1)]) == '["<1j>", "1"]'

    def test_a_circle_is_told_from_depth(self, app):
        circle = []
        circle.append(circle)
        with pytest.raises(ValueError, match="Circular reference detected"):
            app.json.dumps(circle)
        deep = []
        for _ in range(200_000):
            deep = [deep]
        with pytest.raises(RecursionError):
            app.json.dumps(deep)
        while deep:  # taken apart from the outside, since freeing it at once would recurse too
            deep = deep.pop()

    def test_encoders_do_not_pile_up(self, app):
        for number in range(100):
            app.json.default = lambda o, number=number: number
            assert app.json.dumps(1j) == str(number)
        assert len(app.json._encoders) <= 16

    def test_it_works_without_the_c_encoder(self, app, monkeypatch):
        monkeypatch.setattr(json.encoder, "c_make_encoder", None)
        assert app.json.dumps({"b": decimal.Decimal(1), "a": "é"}) == '{"a": "\\u00e9", "b": "1"}'

    def test_a_file_is_written(self, app):
        file = io.StringIO()
        app.json.dump({"a": 1}, file, indent=None)
        assert file.getvalue() == '{"a": 1}'


class TestLoads:
    @pytest.mark.parametrize("text", ['{"a": [1, 2.5, "é", null]}', '{"a": [1, 2.5, "é", null]}'.encode()])
    def test_text_and_bytes(self, app, text):
        assert app.json.loads(text) == {"a": [1, 2.5, "é", None]}

    def test_subclasses_of_text(self, app):
        assert app.json.loads(type("Text", (str,), {})("[1]")) == [1]
        assert app.json.loads(type("Bytes", (bytes,), {})(b"[1]")) == [1]

    def test_other_encodings(self, app):
        assert app.json.loads('{"a": "é"}'.encode("utf-16")) == {"a": "é"}
        assert app.json.loads('{"a": "é"}'.encode("utf-32-le")) == {"a": "é"}
        assert app.json.loads(b'\xef\xbb\xbf"bom"') == "bom"

    def test_what_only_python_reads(self, app):
        app.config["JSON_ALLOW_NAN"] = True
        assert app.json.loads("[Infinity, 1e999]") == [float("inf"), float("inf")]
        assert app.json.loads('"\\ud800"') == "\ud800"

    def test_arguments_are_those_of_the_standard_library(self, app):
        assert app.json.loads("[1.5]", parse_float=decimal.Decimal) == [decimal.Decimal("1.5")]

    @pytest.mark.parametrize("text", ["", "nope", "[1,]", b"\xff", "\ufeff1", "1" * 5000])
    def test_mistakes_are_value_errors(self, app, text):
        with pytest.raises(ValueError):
            app.json.loads(text)

    @pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
    def test_so_is_endless_nesting(self, app, text):
        with pytest.raises(ValueError, match="nested too deeply"):
            app.json.loads(text)

    def test_what_is_no_text_is_a_type_error(self, app):
        with pytest.raises(TypeError, match="the JSON object must be str, bytes or bytearray, not memoryview"):
            app.json.loads(memoryview(b"1"))

    def test_files_of_text_and_of_bytes(self, app):
        assert app.json.load(io.StringIO("[1]")) == [1]
        assert app.json.load(io.BytesIO(b"[1]"), parse_int=str) == ["1"]


class TestResponse:
    @pytest.mark.parametrize(
        ("args", "kwargs", "expected"),
        [
            ((), {}, b"null\n"),
            ((1,), {}, b"1\n"),
            ((None,), {}, b"null\n"),
            ((1, 2), {}, b"[1,2]\n"),
            ((), {"b": 1, "a": 2}, b'{"a":2,"b":1}\n'),
        ],
    )
    def test_of_one_value_of_several_of_keywords(self, app, args, kwargs, expected):
        response = app.json.response(*args, **kwargs)
        assert response.data == expected
        assert response.mimetype == "application/json"

    def test_not_of_both(self, app):
        with pytest.raises(TypeError, match="takes either args or kwargs, not both"):
            app.json.response(1, a=1)

    @pytest.mark.parametrize(
        ("debug", "compact", "indented"),
        [(False, None, False), (True, None, True), (True, True, False), (False, False, True)],
    )
    def test_indented_in_debug_mode_or_as_compact_says(self, app, debug, compact, indented):
        app.debug = debug
        app.json.compact = compact
        assert app.json.response([1]).data == (b"[\n  1\n]\n" if indented else b"[1]\n")

    def test_the_mimetype_is_an_attribute(self, app):
        app.json.mimetype = "application/vnd.api+json"
        assert app.json.response(1).content_type == "application/vnd.api+json"

    def test_overridden_dumps_are_called(self, app):
        class Provider(DefaultJSONProvider):
            def dumps(self, obj, **kwargs):
                return f"{obj} {kwargs}"

        assert Provider(app).response(1).data == b"1 {'separators': (',', ':')}\n"
        app.json.dumps = Provider(app).dumps
        assert app.json.response(1).data == b"1 {'separators': (',', ':')}\n"


class TestPatches:
    """What is patched while the application runs counts from the next call on."""

    def test_dumps_of_the_class(self, app):
        with mock.patch.object(DefaultJSONProvider, "dumps", return_value="patched"), app.app_context():
            assert app.json.response(1).data == b"patched\n"
            assert costrel_json.jsonify(1).data == b"patched\n"
            assert costrel_json.dumps(1) == TaggedJSONSerializer().dumps(1) == "patched"
        assert app.json.response(1).data == b"1\n"

    def test_dumps_of_the_provider(self, app):
        app.json.response(1)
        app.json.dumps = lambda obj, **kwargs: "patched"
        with app.app_context():
            assert app.json.response(1).data == b"patched\n"
            assert TaggedJSONSerializer().dumps(1) == "patched"

    def test_attributes_and_settings(self, app):
        value = {"b": 1, "a": 1.5}
        assert app.json.response(value).data == b'{"a":1.5,"b":1}\n'
        with mock.patch.object(DefaultJSONProvider, "sort_keys", False):
            assert app.json.response(value).data == b'{"b":1,"a":1.5}\n'
        app.json.default = repr
        assert app.json.response({1j}).data == b'"{1j}"\n'
        with pytest.raises(ValueError, match="not JSON compliant"):
            app.json.response(float("nan"))
        app.config["JSON_ALLOW_NAN"] = True
        assert app.json.response(float("nan")).data == b"NaN\n"


def test_the_interface_leaves_reading_and_writing_to_others(app):
    provider = JSONProvider(app)
    with pytest.raises(NotImplementedError):
        provider.dumps(1)
    with pytest.raises(NotImplementedError):
        provider.loads("1")
    with pytest.raises(NotImplementedError):
        provider.response(1)


def test_two_methods_make_a_provider(app):
    class Provider(JSONProvider):
        def dumps(self, obj, **kwargs):
            return repr(obj)

        def loads(self, s, **kwargs):
            return eval(s)

    provider = Provider(app)
    file = io.StringIO()
    provider.dump([1], file)
    assert file.getvalue() == "[1]"
    assert provider.load(io.StringIO("{1}")) == {1}
    assert provider.response((1, 2)).data == b"(1, 2)"


class TestModule:
    """The functions of `costrel.json`."""

    def test_without_an_application_it_is_plain_json_with_our_default(self):
        assert costrel_json.dumps({"b": decimal.Decimal(1), "a": 2}) == '{"b": "1", "a": 2}'
        assert costrel_json.loads(b"[1]") == [1]
        file = io.StringIO()
        costrel_json.dump([uuid.UUID(int=0)], file)
        file.seek(0)
        assert costrel_json.load(file) == ["00000000-0000-0000-0000-000000000000"]

    def test_within_one_its_provider_does_it(self, app):
        class Provider(DefaultJSONProvider):
            sort_keys = False

            def loads(self, s, **kwargs):
                return ["read", super().loads(s, **kwargs)]

        app.json = Provider(app)
        with app.app_context():
            assert costrel_json.dumps({"b": 1, "a": 2}) == '{"b": 1, "a": 2}'
            assert costrel_json.loads("1") == ["read", 1]
            file = io.StringIO()
            costrel_json.dump({"b": 1, "a": 2}, file)
            file.seek(0)
            assert costrel_json.load(file) == ["read", {"b": 1, "a": 2}]
            assert costrel_json.jsonify(b=1, a=2).data == b'{"b":1,"a":2}\n'

    def test_a_response_needs_an_application(self):
        with pytest.raises(RuntimeError, match="Working outside of application context"):
            costrel_json.jsonify(1)

    def test_reading_does_not_depend_on_msgspec(self, monkeypatch):
        def refuse(text):
            raise ValueError(text)

        monkeypatch.setattr(json_provider, "_fast_reader", lambda: refuse)
        assert costrel_json.loads('{"a": 1}') == {"a": 1}


# -- how deep a text is


MEAN = st.text(alphabet='[]{}"\\,aé宛', max_size=5)
NESTED = st.recursive(
    MEAN | st.integers(), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(MEAN, inner, max_size=3)
)


@given(NESTED, st.integers(1, 5), st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_the_brackets_prove_is_so(value, limit, ensure_ascii, encoding):
    text = json.dumps(value, ensure_ascii=ensure_ascii).encode(encoding)
    if json_provider._is_shallow(text, limit):
        json_provider._check_depth(value, limit)


def test_the_brackets_prove_it_of_many_values():
    assert json_provider._is_shallow(b'[{"a\\"]": [1]}, {"b": [2]}]', 3)
    assert not json_provider._is_shallow(b'[{"a\\"]": [1]}, {"b": [2]}]', 2)
    assert not json_provider._is_shallow(b'["' + b"x" * 1000 + b'"]', 3)
