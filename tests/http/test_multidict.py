"""Dicts with several values for a key, and immutable containers."""

import copy
import pickle

import pytest

from costrel.http.callback import CallbackDict
from costrel.http.errors import BadRequestKeyError
from costrel.http.immutable import ImmutableDict, ImmutableHeadersMixin, ImmutableList
from costrel.http.multidict import (
    CombinedMultiDict,
    ImmutableMultiDict,
    ImmutableTypeConversionDict,
    MultiDict,
    TypeConversionDict,
    iter_multi_items,
)
from costrel.legacy.ordered_multidict import ImmutableOrderedMultiDict, OrderedMultiDict

PAIRS = [("a", "1"), ("b", "x"), ("a", "2")]


def test_one_value_is_shown_and_all_are_kept():
    form = MultiDict(PAIRS)
    assert (form["a"], form.get("a"), form.getlist("a")) == ("1", "1", ["1", "2"])
    assert list(form.items(multi=True)) == [("a", "1"), ("a", "2"), ("b", "x")]
    assert dict(form) == {**form} == form.to_dict() == {"a": "1", "b": "x"}
    assert form.to_dict(flat=False) == {"a": ["1", "2"], "b": ["x"]}


@pytest.mark.parametrize("count", [3, 40])
def test_many_pairs_are_kept_like_few(count):
    pairs = [(str(number % 7), number) for number in range(count)]
    expected = {}
    for key, number in pairs:
        expected.setdefault(key, []).append(number)
    assert MultiDict(pairs).to_dict(flat=False) == expected
    assert MultiDict(iter(pairs)).to_dict(flat=False) == expected
    assert MultiDict(MultiDict(pairs)).to_dict(flat=False) == expected


def test_a_missing_key_is_a_key_error_and_a_bad_request():
    with pytest.raises(KeyError) as caught:
        MultiDict()["token"]
    assert isinstance(caught.value, BadRequestKeyError)
    assert caught.value.args == ("token",)


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [({}, "x"), ({"type": int}, None), ({"type": int, "default": 7}, 7), ({"type": str.upper}, "X")],
)
def test_a_value_is_converted_or_the_default_stands_in(kwargs, expected):
    assert MultiDict(PAIRS).get("b", **kwargs) == expected


def test_other_errors_of_a_conversion_are_not_hidden():
    with pytest.raises(AttributeError):
        MultiDict(PAIRS).get("b", type=lambda value: value.missing)


def test_get_asks_an_overridden_getitem():
    class Upper(MultiDict):
        def __getitem__(self, key):
            return super().__getitem__(key).upper()

    class Louder(Upper):
        pass

    class Own(Upper):
        def get(self, key, default=None, type=None):
            return "own"

    assert Upper(PAIRS).get("b") == Louder(PAIRS).get("b") == "X"
    assert Upper(PAIRS).get("c", "default") == "default"
    assert Own(PAIRS).get("b") == "own"


def test_update_adds_where_a_dict_would_replace():
    form = MultiDict([("a", "1")])
    form.update({"a": ["2", "3"], "b": "4"})
    assert form.to_dict(flat=False) == {"a": ["1", "2", "3"], "b": ["4"]}
    form |= [("b", "5")]
    assert (form | {"b": ("6",)}).getlist("b") == ["4", "5", "6"]
    assert form.getlist("b") == ["4", "5"]


@pytest.mark.parametrize("method", ["__or__", "__ior__"])
def test_what_holds_no_pairs_cannot_be_united(method):
    assert getattr(MultiDict(), method)(5) is NotImplemented


def test_lists_of_an_empty_key_stay_empty():
    form = MultiDict()
    form.setlist("a", ())
    assert ("a" in form, form.get("a", "d"), form.getlist("a"), form.setlistdefault("a")) == (True, "d", [], [])
    with pytest.raises(BadRequestKeyError):
        form["a"]
    with pytest.raises(BadRequestKeyError):
        form.popitem()


def test_removing_returns_the_first_value_or_all():
    form = MultiDict(PAIRS)
    assert (form.pop("a"), form.pop("a", None), form.poplist("b"), form.poplist("b")) == ("1", None, ["x"], [])
    with pytest.raises(BadRequestKeyError):
        form.pop("a")
    with pytest.raises(BadRequestKeyError, match="400"):
        form.popitemlist()


def test_copies_share_values_and_deep_copies_do_not():
    form = MultiDict([("a", ["list"])])
    shallow, deep = copy.copy(form), copy.deepcopy(form)
    assert form == shallow == deep
    assert shallow["a"] is form["a"]
    assert deep["a"] is not form["a"]
    shallow.add("a", "more")
    assert form.getlist("a") == [["list"]]


def test_pickles_keep_all_values():
    for cls in (MultiDict, ImmutableMultiDict):
        restored = pickle.loads(pickle.dumps(cls(PAIRS)))
        assert (type(restored), restored.getlist("a")) == (cls, ["1", "2"])


def test_immutable_dicts_can_be_hashed_and_not_changed():
    one, other = ImmutableMultiDict(PAIRS), ImmutableMultiDict(reversed(PAIRS))
    assert hash(one) == hash(other)
    assert copy.copy(one) is one
    for change in (
        lambda d: d.add("a", "3"),
        lambda d: d.setlist("a", []),
        lambda d: d.setlistdefault("a"),
        lambda d: d.poplist("a"),
        lambda d: d.popitemlist(),
        lambda d: d.__setitem__("a", "3"),
        lambda d: d.__delitem__("a"),
    ):
        with pytest.raises(TypeError, match="'ImmutableMultiDict' objects are immutable"):
            change(one)
    changed = one.copy()
    changed.add("a", "3")
    assert (type(changed), one.getlist("a")) == (MultiDict, ["1", "2"])


def test_plain_immutable_containers_copy_into_ones_that_change():
    assert type(ImmutableDict(a=1).copy()) is dict
    assert type(ImmutableTypeConversionDict(a=1).copy()) is TypeConversionDict
    assert copy.copy(ImmutableTypeConversionDict(a=1)) == {"a": 1}
    assert repr(ImmutableDict(a=1)) == "ImmutableDict({'a': 1})"
    assert hash(ImmutableList([1])) == hash(ImmutableList([1]))
    assert hash(ImmutableDict(a=1)) == hash(ImmutableDict(a=1))


def test_immutable_headers_refuse_every_change():
    class Fixed(ImmutableHeadersMixin):
        pass

    fixed = Fixed()
    for change in (
        lambda h: h.__delitem__("a"),
        lambda h: h.__setitem__("a", "b"),
        lambda h: h.set("a", "b"),
        lambda h: h.setlist("a", []),
        lambda h: h.add("a", "b"),
        lambda h: h.add_header("a", "b"),
        lambda h: h.remove("a"),
        lambda h: h.extend([]),
        lambda h: h.update([]),
        lambda h: h.__ior__([]),
        lambda h: h.insert(0, "a"),
        lambda h: h.pop(),
        lambda h: h.popitem(),
        lambda h: h.setdefault("a", "b"),
        lambda h: h.setlistdefault("a", []),
    ):
        with pytest.raises(TypeError, match="'Fixed' objects are immutable"):
            change(fixed)


def test_combined_dicts_show_what_changes_below_them():
    query, form = MultiDict([("a", "1")]), MultiDict([("a", "2"), ("b", "3")])
    values = CombinedMultiDict([query, form])
    assert (values["a"], values.getlist("a"), values["b"], len(values)) == ("1", ["1", "2"], "3", 2)
    query.add("c", "4")
    assert ("c" in values, values["c"], sorted(values)) == (True, "4", ["a", "b", "c"])
    with pytest.raises(BadRequestKeyError):
        values["z"]
    with pytest.raises(TypeError, match="cannot create 'CombinedMultiDict' instances by fromkeys"):
        CombinedMultiDict.fromkeys("ab")


def test_a_combined_dict_converts_the_first_value_that_can_be():
    assert CombinedMultiDict().get("a", "d") == "d"
    values = CombinedMultiDict([MultiDict([("a", "x")]), MultiDict([("a", "5")])])
    assert (values.get("a", type=int), values.getlist("a", int)) == (5, [5])


def test_a_deep_copy_of_a_combined_dict_reads_like_it():
    values = CombinedMultiDict([MultiDict([("a", ["1"])]), MultiDict([("a", "2")])])
    deep = copy.deepcopy(values)
    assert deep.getlist("a") == [["1"], "2"]
    assert deep["a"] is not values["a"]


def test_items_of_other_mappings_are_read_with_their_lists():
    assert list(iter_multi_items({"a": ["1", "2"], "b": "3", "c": ()})) == [("a", "1"), ("a", "2"), ("b", "3")]


@pytest.mark.parametrize("cls", [OrderedMultiDict, ImmutableOrderedMultiDict])
def test_the_ordered_kinds_warn_and_keep_the_order(cls):
    with pytest.warns(DeprecationWarning, match="Use 'MultiDict' instead") as caught:
        ordered = cls(PAIRS)
    assert (len(caught), caught[0].filename) == (1, __file__)
    assert list(ordered.items(multi=True)) == PAIRS
    assert list(ordered.items()) == [("a", "1"), ("b", "x")]
    assert (["1", "x"], [["1", "2"], ["x"]]) == (list(ordered.values()), list(ordered.listvalues()))


@pytest.mark.filterwarnings("ignore:'OrderedMultiDict' is deprecated")
def test_ordered_dicts_compare_their_order():
    ordered = OrderedMultiDict(PAIRS)
    assert ordered == MultiDict(PAIRS)
    assert ordered == OrderedMultiDict(PAIRS)
    assert ordered != OrderedMultiDict(reversed(PAIRS))
    assert ordered != {"a": [0, 2], "b": [1]}
    assert ordered != 5
    ordered.clear()
    assert ordered == {}
    assert list(ordered.items(multi=True)) == []


@pytest.mark.filterwarnings("ignore:'OrderedMultiDict' is deprecated")
def test_ordered_dicts_restore_their_state():
    ordered = OrderedMultiDict(PAIRS)
    other = OrderedMultiDict()
    other.__setstate__(ordered.__getstate__())
    assert list(other.items(multi=True)) == PAIRS
    with pytest.raises(TypeError, match="unsupported for ordered multi dicts"):
        ordered.setlistdefault("a")


def test_dicts_call_back_after_each_change():
    seen = []
    state = CallbackDict({"a": 1}, lambda changed: seen.append(dict(changed)))
    state["b"] = 2
    state.setdefault("b", 3)
    state.pop("c", None)
    state.update(c=3)
    del state["c"]
    assert seen == [{"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2}]
    assert repr(state) == "<CallbackDict {'a': 1, 'b': 2}>"


def test_dicts_without_a_callback_just_change():
    state = CallbackDict()
    state |= {"a": 1}
    assert state.popitem() == ("a", 1)
