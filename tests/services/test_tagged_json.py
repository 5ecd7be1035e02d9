"""JSON that keeps tuples, bytes, markup, UUIDs and times."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from markupsafe import Markup

from costrel.sessions.tagged_json import JSONTag, TaggedJSONSerializer


@pytest.fixture
def serializer():
    return TaggedJSONSerializer()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((1, 2), '{" t":[1,2]}'),
        (b"a", '{" b":"YQ=="}'),
        (Markup("<b>"), '{" m":"<b>"}'),
        (UUID(int=1), '{" u":"00000000000000000000000000000001"}'),
        (datetime(2020, 1, 1, tzinfo=UTC), '{" d":"Wed, 01 Jan 2020 00:00:00 GMT"}'),
        ({" t": 1}, '{" di":{" t__":1}}'),
        ({" other": 1}, '{" other":1}'),
        ({"a": 1, "b": None}, '{"a":1,"b":null}'),
        ([{"a": (b"a", [1.5, True])}], '[{"a":{" t":[{" b":"YQ=="},[1.5,true]]}}]'),
        ("text", '"text"'),
    ],
)
def test_values_come_back_as_they_were(serializer, value, text):
    assert serializer.dumps(value) == text
    again = serializer.loads(text)
    assert again == value
    assert type(again) is type(value)


def test_tagging_leaves_the_value_as_it_is(serializer):
    value = {"a": 1, "b": 2}
    tagged = serializer.tag(value)
    tagged["c"] = 3
    assert value == {"a": 1, "b": 2}


class Foo:
    def __init__(self, data):
        self.data = data


class TagFoo(JSONTag):
    __slots__ = ()
    key = " f"

    def check(self, value):
        return isinstance(value, Foo)

    def to_json(self, value):
        return self.serializer.tag(value.data)

    def to_python(self, value):
        return Foo(value)


class TagText(JSONTag):
    key = " s"

    def check(self, value):
        return isinstance(value, str)

    def to_json(self, value):
        return value.upper()

    def to_python(self, value):
        return value.lower()


def test_a_tag_of_ones_own(serializer):
    serializer.register(TagFoo)
    text = serializer.dumps({"foo": Foo((1,)), "n": 1})
    assert text == '{"foo":{" f":{" t":[1]}},"n":1}'
    assert serializer.loads(text)["foo"].data == (1,)


def test_a_tag_may_be_for_what_needs_none(serializer):
    serializer.register(TagText, index=0)
    text = serializer.dumps({"a": "x", "b": ["y", 1]})
    assert text == '{"a":{" s":"X"},"b":[{" s":"Y"},1]}'
    assert serializer.loads(text) == {"a": "x", "b": ["y", 1]}


def test_the_place_in_the_order(serializer):
    serializer.register(TagFoo, index=-1)
    assert type(serializer.order[-2]) is TagFoo
    serializer.register(TagText)
    assert type(serializer.order[-1]) is TagText


def test_a_key_is_taken_once_unless_forced(serializer):
    class TagOther(TagFoo):
        key = " b"

    with pytest.raises(KeyError, match="Tag ' b' is already registered"):
        serializer.register(TagOther)
    serializer.register(TagOther, force=True, index=0)
    assert type(serializer.tags[" b"]) is TagOther


def test_a_subclass_brings_its_own_tags():
    class Texts(TaggedJSONSerializer):
        default_tags = [TagText]

    assert Texts().dumps("a") == '{" s":"A"}'
    assert Texts().tag([1, "a"]) == [1, "a"]


def test_the_interface_leaves_the_work_to_others(serializer):
    tag = JSONTag(serializer)
    for method in (tag.check, tag.to_json, tag.to_python):
        with pytest.raises(NotImplementedError):
            method(None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":{"\\u0020t":[1]}}', {"a": (1,)}),
        ('{ " t" : [1] }', (1,)),
        ('[{" b":"YQ=="}]', [b"a"]),
        ('{"a":" t"}', {"a": " t"}),
        ('{"t":1}', {"t": 1}),
    ],
)
def test_a_tag_is_found_however_it_is_written(serializer, text, value):
    again = serializer.loads(text)
    assert again == value
    assert type(again) is type(value)


def test_a_tag_need_not_begin_with_a_blank(serializer):
    class TagBang(TagFoo):
        key = "!"

    serializer.register(TagBang)
    assert serializer.loads('{"foo":{"!":1}}')["foo"].data == 1


def test_a_subclass_may_scan_what_has_no_tag():
    class Upper(TaggedJSONSerializer):
        def _untag_scan(self, value):
            return value.upper()

    assert Upper().loads('"a"') == "A"


def test_every_value_goes_through_methods_that_a_subclass_replaces():
    class Shouting(TaggedJSONSerializer):
        def tag(self, value):
            return value.upper() if isinstance(value, str) else super().tag(value)

        def untag(self, value):
            return {**super().untag(value), "read": True}

    assert Shouting().dumps("x") == '"X"'
    assert Shouting().dumps({"a": "x", "b": ["y"]}) == '{"a":"X","b":["Y"]}'
    assert Shouting().loads('{"a":"x","b":{"c":1}}') == {"a": "x", "b": {"c": 1, "read": True}, "read": True}


def test_so_does_every_value_while_a_method_is_patched(serializer, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(TaggedJSONSerializer, "tag", lambda self, value: "patched")
        patch.setattr(TaggedJSONSerializer, "untag", lambda self, value: "patched")
        assert serializer.dumps({"a": 1}) == '"patched"'
        assert serializer.loads('{"a":1}') == "patched"

    assert serializer.dumps({"a": 1}) == '{"a":1}'
    assert serializer.loads('{"a":1}') == {"a": 1}
