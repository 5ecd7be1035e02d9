"""Multi-dicts and the other containers, driven through the same histories as Werkzeug's own."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import typing as t
import warnings
from functools import partial

import pytest
import werkzeug.datastructures
import werkzeug.datastructures.mixins
import werkzeug.datastructures.structures
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from costrel.http import callback, header_set, immutable, multidict
from costrel.legacy import ordered_multidict

from .outcomes import outcome_of

CLASSES: dict[str, tuple[t.Any, t.Any]] = {
    name: (getattr(werkzeug.datastructures, name), getattr(module, name))
    for module, names in [
        (
            multidict,
            [
                *["TypeConversionDict", "ImmutableTypeConversionDict", "MultiDict", "ImmutableMultiDict"],
                "CombinedMultiDict",
            ],
        ),
        (immutable, ["ImmutableDict", "ImmutableList"]),
        (callback, ["CallbackDict"]),
        (header_set, ["HeaderSet"]),
    ]
    for name in names
}
CLASSES |= {
    name: (getattr(werkzeug.datastructures.structures, name), getattr(ordered_multidict, name))
    for name in ["_OrderedMultiDict", "_ImmutableOrderedMultiDict"]
}
CLASSES |= {
    name: (getattr(werkzeug.datastructures.mixins, name), getattr(module, name))
    for module, names in [
        (immutable, ["ImmutableListMixin", "ImmutableDictMixin", "ImmutableMultiDictMixin", "ImmutableHeadersMixin"]),
        (callback, ["UpdateDictMixin"]),
    ]
    for name in names
}

keys = st.sampled_from(["a", "b", "A", "", 1])
values = st.sampled_from(["1", "x", 2, None, ()])
value_lists = st.lists(values, max_size=3)
pairs = st.lists(st.tuples(keys, values), max_size=6)
collections = value_lists | value_lists.map(tuple) | st.sets(values) | values
mappings = st.dictionaries(keys, collections, max_size=4)
odd = st.sampled_from([None, "ab", "a", 5, [("a",)], [("a", 1, 2)], [[[], 1]], b"ab", {}, ()])


def plain(value: t.Any) -> t.Any:
    """A result without the name of its module."""
    if isinstance(value, (werkzeug.datastructures.MultiDict, multidict.MultiDict)):
        return (
            type(value).__name__,
            value.__dict__.get("_hash_cache"),
            [*sorted(map(repr, value.lists())), "in all", *value.items(multi=True)],
        )
    if isinstance(value, dict):
        return type(value).__name__, list(value.items())
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(item) for item in value]
    if isinstance(value, (str, int, set, frozenset)) or value is None:
        return value
    if hasattr(value, "__iter__"):
        return [plain(item) for item in value]
    return value


outcome = partial(outcome_of, plain)


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_the_same_bases_and_methods(name: str) -> None:
    theirs, ours = CLASSES[name]
    assert [cls.__name__ for cls in theirs.__mro__] == [cls.__name__ for cls in ours.__mro__]
    for method in dir(theirs):
        if method.startswith("_") and method not in ("__init__", "_iter_hashitems"):
            continue
        expected, actual = inspect.getattr_static(theirs, method), inspect.getattr_static(ours, method)
        if inspect.isfunction(expected) or isinstance(expected, classmethod):
            expected, actual = getattr(theirs, method), getattr(ours, method)
            assert describe(expected) == describe(actual), method


def describe(method: t.Any) -> t.Any:
    return [
        (p.name, p.kind, p.default if isinstance(p.default, (int, str, type(None))) else "other")
        for p in inspect.signature(method).parameters.values()
    ]


@given(st.sampled_from(["MultiDict", "ImmutableMultiDict", "_OrderedMultiDict"]), pairs | mappings | odd)
def test_multi_dicts_are_made_alike(name: str, source: t.Any) -> None:
    theirs, ours = CLASSES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = outcome(lambda: repr(theirs(source)))
        assert expected == outcome(lambda: repr(ours(source)))
        if expected[0] != "raised":
            assert outcome(lambda: repr(theirs(theirs(source)))) == outcome(lambda: repr(ours(ours(source))))
            expected = outcome(lambda: theirs(iter(theirs(source).items(multi=True))).to_dict(False))
            assert expected == outcome(lambda: ours(iter(ours(source).items(multi=True))).to_dict(False))


@given(pairs | mappings | odd)
def test_pairs_are_found_alike(source: t.Any) -> None:
    expected = outcome(lambda: list(werkzeug.datastructures.iter_multi_items(source)))
    assert expected == outcome(lambda: list(multidict.iter_multi_items(source)))


def as_int(value: t.Any) -> int:
    return int(value)


def as_other_error(value: t.Any) -> int:
    raise AttributeError(value)


types = st.sampled_from([None, as_int, str, as_other_error])

READS: dict[str, t.Callable[[t.Any], t.Any]] = {
    "dict": dict,
    "star": lambda d: {**d},
    "list": list,
    "len": len,
    "bool": bool,
    "repr": repr,
    "str": str,
    "items": lambda d: list(d.items()),
    "items multi": lambda d: list(d.items(multi=True)),
    "values": lambda d: list(d.values()),
    "keys": lambda d: list(d.keys()),
    "lists": lambda d: list(d.lists()),
    "listvalues": lambda d: list(d.listvalues()),
    "to_dict": lambda d: d.to_dict(),
    "to_dict lists": lambda d: d.to_dict(False),
    "copy": lambda d: d.copy(),
    "copy.copy": copy.copy,
    "deepcopy": lambda d: d.deepcopy(),
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda d: pickle.loads(pickle.dumps(d)),
    "json": lambda d: json.dumps(list(d.items())),
    "hash": lambda d: hash(d) and None,
    "getstate": lambda d: d.__getstate__(),
    "reversed": lambda d: list(reversed(d)),
    "is itself": lambda d: (copy.copy(d) is d, d.copy() is d),
    "equals": lambda d: (d == d.copy(), d == d.to_dict(), d == d.to_dict(False), d == 5, d != d.copy()),
}
reads = st.sampled_from(list(READS))


class Histories(RuleBasedStateMachine):
    """Both multi-dicts go through the same calls and must return the same and look the same."""

    name = "MultiDict"

    @initialize(source=pairs)
    def begin(self, source: t.Any) -> None:
        theirs, ours = CLASSES[self.name]
        self.theirs, self.ours = theirs(source), ours(source)

    def both(self, call: t.Callable[[t.Any], t.Any]) -> None:
        assert outcome(call, self.theirs) == outcome(call, self.ours)

    @invariant()
    def they_look_the_same(self) -> None:
        if hasattr(self, "ours"):
            self.both(lambda d: d)

    @rule(read=reads)
    def read(self, read: str) -> None:
        self.both(READS[read])

    @rule(key=keys, type=types, default=values)
    def get(self, key: t.Any, type: t.Any, default: t.Any) -> None:
        self.both(lambda d: d[key])
        self.both(lambda d: d.get(key))
        self.both(lambda d: d.get(key, default, type))
        self.both(lambda d: d.get(key, type=type))
        self.both(lambda d: d.getlist(key))
        self.both(lambda d: d.getlist(key, type))
        self.both(lambda d: key in d)

    @rule(key=keys, value=values)
    def change_one(self, key: t.Any, value: t.Any) -> None:
        self.both(lambda d: d.add(key, value))

    @rule(key=keys, value=values)
    def set_item(self, key: t.Any, value: t.Any) -> None:
        self.both(lambda d: d.__setitem__(key, value))

    @rule(key=keys)
    def delete(self, key: t.Any) -> None:
        self.both(lambda d: d.__delitem__(key))

    @rule(key=keys, new=value_lists | value_lists.map(tuple))
    def set_list(self, key: t.Any, new: t.Any) -> None:
        self.both(lambda d: d.setlist(key, new))

    @rule(key=keys, value=values)
    def set_default(self, key: t.Any, value: t.Any) -> None:
        self.both(lambda d: d.setdefault(key, value))
        self.both(lambda d: d.setdefault(key))

    @rule(key=keys, new=value_lists | st.none())
    def set_list_default(self, key: t.Any, new: t.Any) -> None:
        self.both(lambda d: d.setlistdefault(key, new))

    @rule(key=keys, value=values)
    def change_the_stored_list(self, key: t.Any, value: t.Any) -> None:
        self.both(lambda d: d.setlistdefault(key).append(value))

    @rule(key=keys, default=values, given=st.booleans())
    def pop(self, key: t.Any, default: t.Any, given: bool) -> None:
        self.both(lambda d: d.pop(key, default) if given else d.pop(key))

    @rule(key=keys)
    def pop_list(self, key: t.Any) -> None:
        self.both(lambda d: d.poplist(key))

    @rule()
    def pop_item(self) -> None:
        self.both(lambda d: d.popitem())

    @rule()
    def pop_item_list(self) -> None:
        self.both(lambda d: d.popitemlist())

    @rule(other=pairs | mappings | odd)
    def update(self, other: t.Any) -> None:
        self.both(lambda d: d.update(other))

    @rule(other=pairs | mappings | odd)
    def update_in_place(self, other: t.Any) -> None:
        self.both(lambda d: d.__ior__(other))

    @rule(other=pairs | mappings | odd)
    def unite(self, other: t.Any) -> None:
        self.both(lambda d: d | other)
        self.both(lambda d: other | d)

    @rule()
    def clear(self) -> None:
        self.both(lambda d: d.clear())


class ImmutableHistories(Histories):
    """The same calls, all of which but the reading ones are refused."""

    name = "ImmutableMultiDict"


class OrderedHistories(Histories):
    """The deprecated kind, which keeps the order of all pairs."""

    name = "_OrderedMultiDict"

    @rule()
    def clear(self) -> None:
        """Werkzeug's forgets the keys and keeps the pairs; ours is empty then."""
        self.ours.clear()
        assert list(self.ours.items(multi=True)) == []
        self.theirs = type(self.theirs)()

    @rule(read=st.sampled_from([read for read in READS if read != "equals"]))
    def read(self, read: str) -> None:
        """Werkzeug's answers to `!=` with the order of its buckets, so that one differs from its own copy."""
        self.both(READS[read])
        assert self.ours == self.ours.copy()
        assert not self.ours != self.ours.copy()  # noqa: SIM202

    @rule(other=pairs)
    def compare(self, other: t.Any) -> None:
        theirs, ours = CLASSES["_OrderedMultiDict"]
        assert (self.theirs == theirs(other)) == (self.ours == ours(other))
        assert (self.theirs == werkzeug.datastructures.MultiDict(other)) == (self.ours == multidict.MultiDict(other))


TestHistories = Histories.TestCase
TestHistories.settings = settings(stateful_step_count=8)
TestImmutableHistories = ImmutableHistories.TestCase
TestImmutableHistories.settings = settings(stateful_step_count=3)
TestOrderedHistories = pytest.mark.filterwarnings("ignore:'OrderedMultiDict' is deprecated")(OrderedHistories.TestCase)
TestOrderedHistories.settings = settings(stateful_step_count=8)


@given(st.lists(pairs, max_size=3), keys, types, values, st.sampled_from(sorted({*READS} - {"hash", "deepcopy"})))
def test_combined_dicts_read_alike(sources: t.Any, key: t.Any, type: t.Any, default: t.Any, read: str) -> None:
    both = []
    for module in (werkzeug.datastructures, multidict):
        both.append(module.CombinedMultiDict([module.MultiDict(source) for source in sources]))  # type: ignore
    for call in (
        lambda d: d[key],
        lambda d: d.get(key),
        lambda d: d.get(key, default, type),
        lambda d: d.getlist(key),
        lambda d: d.getlist(key, type),
        lambda d: key in d,
        lambda d: len(d),
        lambda d: bool(d),
        lambda d: repr(d),
        lambda d: sorted(map(repr, d.keys())),
        lambda d: sorted(map(repr, d)),
        lambda d: list(d.items()),
        lambda d: list(d.items(multi=True)),
        lambda d: list(d.lists()),
        lambda d: list(d.listvalues()),
        lambda d: list(d.values()),
        lambda d: d.to_dict(),
        lambda d: d.to_dict(False),
        lambda d: d.copy(),
        lambda d: d | {"a": [1]},
        lambda d: d.add("a", 1),
        lambda d: d.update({}),
        lambda d: d.__ior__({}),
        lambda d: repr(pickle.loads(pickle.dumps(d))),
        lambda d: type_of(d).fromkeys("ab"),
        lambda d: d == d.copy(),
        lambda d: [list(source.items(multi=True)) for source in d.dicts],
    ):
        assert outcome(call, both[0]) == outcome(call, both[1])


def type_of(value: t.Any) -> t.Any:
    return type(value)


@pytest.mark.parametrize("name", ["ImmutableDict", "ImmutableTypeConversionDict", "ImmutableMultiDict"])
@given(source=st.dictionaries(keys, st.sampled_from(["1", 2, None])), key=keys, type=types)
def test_immutable_dicts_behave_alike(name: str, source: t.Any, key: t.Any, type: t.Any) -> None:
    theirs, ours = CLASSES[name]
    for call in (
        lambda cls: cls(source),
        lambda cls: repr(cls(source)),
        lambda cls: hash(cls(source)),
        lambda cls: cls(source) == source,
        lambda cls: cls(source).copy(),
        lambda cls: type_of(cls(source).copy()).__name__,
        lambda cls: type_of(copy.copy(cls(source))).__name__,
        lambda cls: type_of(copy.deepcopy(cls(source))).__name__,
        lambda cls: type_of(pickle.loads(pickle.dumps(cls(source)))).__name__,
        lambda cls: pickle.loads(pickle.dumps(cls(source))),
        lambda cls: cls.fromkeys(source, 5),
        lambda cls: cls.fromkeys(source),
        lambda cls: cls(source) | {"q": 1},
        lambda cls: cls(source).get(key),
        lambda cls: cls(source).get(key, 7),
        lambda cls: cls(source).get(key, 7, type),
        lambda cls: cls(source).__setitem__(key, 1),
        lambda cls: cls(source).__delitem__(key),
        lambda cls: cls(source).__ior__({}),
        lambda cls: cls(source).setdefault(key, 1),
        lambda cls: cls(source).update({}),
        lambda cls: cls(source).update(),
        lambda cls: cls(source).pop(key),
        lambda cls: cls(source).popitem(),
        lambda cls: cls(source).clear(),
    ):
        assert outcome(call, theirs) == outcome(call, ours)


@given(st.dictionaries(keys, values), keys, types, values)
def test_converting_dicts_read_alike(source: t.Any, key: t.Any, type: t.Any, default: t.Any) -> None:
    theirs, ours = CLASSES["TypeConversionDict"]
    for call in (
        lambda d: d.get(key),
        lambda d: d.get(key, default),
        lambda d: d.get(key, default, type),
        lambda d: d.get(key, type=type),
        lambda d: d.get([]),
        lambda d: d,
        repr,
    ):
        assert outcome(call, theirs(source)) == outcome(call, ours(source))


@given(st.lists(values), st.integers(-2, 2), values)
def test_immutable_lists_behave_alike(source: t.Any, index: int, value: t.Any) -> None:
    theirs, ours = CLASSES["ImmutableList"]
    for call in (
        lambda d: d,
        repr,
        hash,
        lambda d: d == source,
        lambda d: type_of(copy.copy(d)).__name__,
        lambda d: type_of(copy.deepcopy(d)).__name__,
        lambda d: pickle.loads(pickle.dumps(d)),
        lambda d: d[index],
        lambda d: [*d, 1],
        lambda d: d.__add__([1]),
        lambda d: d * 2,
        lambda d: d.copy(),
        lambda d: d.index(value),
        lambda d: d.append(value),
        lambda d: d.extend([]),
        lambda d: d.insert(0, value),
        lambda d: d.pop(),
        lambda d: d.remove(value),
        lambda d: d.reverse(),
        lambda d: d.sort(),
        lambda d: d.sort(key=None, reverse=True),
        lambda d: d.__iadd__([]),
        lambda d: d.__imul__(1),
        lambda d: d.__setitem__(index, value),
        lambda d: d.__delitem__(index),
    ):
        assert outcome(call, theirs(source)) == outcome(call, ours(source))


updates = st.sampled_from(
    [
        ("setdefault", ("a", 1)),
        ("setdefault", ("b",)),
        ("pop", ("a",)),
        ("pop", ("a", 5)),
        ("__setitem__", ("a", 2)),
        ("__delitem__", ("a",)),
        ("clear", ()),
        ("popitem", ()),
        ("update", ({"a": 3},)),
        ("update", ([("b", 3)],)),
        ("update", ()),
        ("update", (None,)),
        ("update", (5,)),
        ("__ior__", ({"c": 3},)),
        ("__ior__", ([("c", 3)],)),
        ("__or__", ({"c": 3},)),
        ("copy", ()),
        ("get", ("a",)),
        ("__repr__", ()),
    ]
)


@given(st.dictionaries(st.sampled_from("abc"), st.integers()), st.lists(updates))
def test_dicts_call_back_alike(source: t.Any, calls: list[tuple[str, t.Any]]) -> None:
    logs = []
    for cls in CLASSES["CallbackDict"]:
        log: list[t.Any] = []
        d = cls(source, lambda changed, log=log: log.append(sorted(changed.items())))
        for name, args in calls:
            log.append(outcome(getattr(d, name), *args))
        d.on_update = None
        d["z"] = 1
        d.update(k=2)
        log.append(repr(d))
        logs.append(log)
    assert logs[0] == logs[1]


tokens = st.sampled_from(["foo", "bar", "a b", '"', "", "ö"])
mixed_tokens = tokens | st.sampled_from(["Foo", "BAR", "bAR"])


def reading_calls(tokens: st.SearchStrategy[str]) -> st.SearchStrategy[t.Any]:
    return st.one_of(
        st.tuples(st.sampled_from(["find", "index", "__contains__", "__getitem__", "add"]), tokens),
        st.tuples(st.just("__getitem__"), st.integers(-3, 3)),
        st.tuples(st.just("__setitem__"), st.integers(-3, 3), tokens),
        st.tuples(st.just("as_set"), st.booleans()),
        st.tuples(st.just("update"), st.lists(tokens, max_size=3)),
        st.tuples(st.sampled_from(["__or__", "__and__", "__sub__", "__eq__", "isdisjoint", "__le__"]), st.sets(tokens)),
        st.tuples(st.just("__ior__"), st.lists(tokens)),
        st.tuples(st.sampled_from(["clear", "as_set", "to_header", "__len__", "__bool__", "__str__", "__repr__"])),
    )


removing_calls = st.one_of(
    st.tuples(st.sampled_from(["remove", "discard"]), tokens),
    st.tuples(st.just("__delitem__"), st.integers(-3, 3)),
    st.tuples(st.sampled_from(["__iand__", "__isub__", "__ixor__"]), st.sets(tokens)),
    st.tuples(st.just("pop")),
)


def drive_header_sets(source: t.Any, calls: list[t.Any]) -> None:
    logs = []
    for cls in CLASSES["HeaderSet"]:
        log: list[t.Any] = []
        headers = cls(source, lambda changed, log=log: log.append(list(changed)))
        for name, *args in calls:
            log.append((name, outcome(getattr(headers, name), *args), list(headers), len(headers)))
        logs.append(log)
    assert logs[0] == logs[1]


@given(st.none() | st.lists(mixed_tokens), st.lists(reading_calls(mixed_tokens)))
def test_header_sets_read_and_grow_alike(source: t.Any, calls: list[t.Any]) -> None:
    drive_header_sets(source, calls)


# In lower case alone, since Werkzeug's keeps what is removed under another case.
@given(st.lists(tokens), st.lists(reading_calls(tokens) | removing_calls))
def test_header_sets_shrink_alike(source: t.Any, calls: list[t.Any]) -> None:
    drive_header_sets(source, calls)


def test_header_sets_remove_in_any_case() -> None:
    headers = header_set.HeaderSet(["Foo", "bar"])
    headers.remove("FOO")
    assert (list(headers), headers.as_set()) == (["bar"], {"bar"})
