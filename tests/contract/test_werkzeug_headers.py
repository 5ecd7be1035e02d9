"""Headers, driven through the same histories as Werkzeug's own."""

from __future__ import annotations

import copy
import inspect
import pickle
import typing as t
from functools import partial

import werkzeug.datastructures
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from costrel.http import headers, multidict

from .outcomes import outcome_of

MULTI = {"theirs": werkzeug.datastructures.MultiDict, "ours": multidict.MultiDict}
HEADERS = {"theirs": werkzeug.datastructures.Headers, "ours": headers.Headers}

names = st.sampled_from(["A", "a", "b", "B", "Content-Type", "é"])
values = st.sampled_from(["1", "x y", "", "é\t\u1234", 2, None, True, b"x", ["l"], "two\nlines", "a\rb"])
value_lists = st.lists(values, max_size=3)
pairs = st.lists(st.tuples(names, values), max_size=5)
mappings = st.dictionaries(names, value_lists | value_lists.map(tuple) | st.sets(st.sampled_from("pq")) | values)
odd = st.sampled_from([None, "ab", ["ab"], 5, [("a",)], [("a", "b", "c")], {}, (), [None]])
indices = st.integers(-4, 4)
slices = st.builds(slice, indices | st.none(), indices | st.none())
options = st.dictionaries(
    st.sampled_from(["filename", "a_b", "flag"]), st.sampled_from(["x", "x y", '"', "é", None, 1, True]), max_size=2
)


class Source(t.NamedTuple):
    """What headers are made from; `kind` says of which class on each side."""

    kind: str
    content: t.Any

    def on(self, side: str) -> t.Any:
        if self.kind == "plain":
            return self.content
        return (HEADERS if self.kind == "headers" else MULTI)[side](self.content)


sources = st.builds(Source, st.just("plain"), pairs | mappings | odd)
sources |= st.builds(Source, st.just("multi"), pairs)
sources |= st.builds(Source, st.just("headers"), st.lists(st.tuples(names, st.sampled_from(["1", "2", "x"]))))


def as_int(value: str) -> int:
    return int(value)


def as_type_error(value: str) -> int:
    raise TypeError(value)


types = st.sampled_from([None, as_int, str, as_type_error])


def plain(value: t.Any) -> t.Any:
    """A result without the name of its module."""
    if isinstance(value, (werkzeug.datastructures.Headers, headers.Headers)):
        return type(value).__name__, list(value)
    if isinstance(value, (str, bytes, int, dict)) or value is None or value is NotImplemented:
        return value
    if hasattr(value, "__iter__"):
        return [plain(item) for item in value]
    return value


outcome = partial(outcome_of, plain)


@given(sources | st.builds(Source, st.just("plain"), st.sampled_from([[(1, "x")], [(b"a", "x")], {None: ["x"]}])))
def test_headers_are_made_alike(source: Source) -> None:
    expected = outcome(lambda: HEADERS["theirs"](source.on("theirs")))
    assert expected == outcome(lambda: HEADERS["ours"](source.on("ours")))


READS: dict[str, t.Callable[[t.Any], t.Any]] = {
    "repr": repr,
    "str": str,
    "bool": bool,
    "len": len,
    "list": list,
    "reversed": lambda h: list(reversed(h)),
    "items": lambda h: (h.items(), h.items(lower=True)),
    "keys": lambda h: (h.keys(), h.keys(lower=True)),
    "values": lambda h: h.values(),
    "wsgi": lambda h: h.to_wsgi_list(),
    "wsgi is new": lambda h: h.to_wsgi_list() is h._list,
    "copy": lambda h: (h.copy(), h.copy() is h, h.copy() == h),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda h: pickle.loads(pickle.dumps(h)),
    "equals": lambda h: (h == list(h), h != h.copy(), h == 5, h == type(h)(reversed(list(h))), h == type(h)()),
    "hash": hash,
    "vars": vars,
    "odd keys": lambda h: [outcome(lambda key=key: h[key]) for key in (None, 1.5, b"a", True, slice("a", "b"))],
    "odd gets": lambda h: [outcome(lambda key=key: h.get(key)) for key in (b"a", b"zzz")],
}


class Histories(RuleBasedStateMachine):
    """Both headers go through the same calls and must return the same and look the same."""

    @initialize(source=st.lists(st.tuples(names, st.sampled_from(["1", "2", "x"]))))
    def begin(self, source: t.Any) -> None:
        self.theirs, self.ours = HEADERS["theirs"](source), HEADERS["ours"](source)
        self.list = self.ours._list

    def both(self, call: t.Callable[[t.Any], t.Any]) -> None:
        assert outcome(call, self.theirs) == outcome(call, self.ours)

    @invariant()
    def they_look_the_same(self) -> None:
        if hasattr(self, "ours"):
            assert list(self.theirs) == list(self.ours)
            assert self.ours._list is self.list

    @rule(read=st.sampled_from(list(READS)))
    def read(self, read: str) -> None:
        self.both(READS[read])

    @rule(name=names, default=values, type=types)
    def get(self, name: str, default: t.Any, type: t.Any) -> None:
        self.both(lambda h: h[name])
        self.both(lambda h: h.get(name))
        self.both(lambda h: h.get(name, default))
        self.both(lambda h: h.get(name, default, type))
        self.both(lambda h: h.get(name, type=type))
        self.both(lambda h: h.getlist(name))
        self.both(lambda h: h.getlist(name, type))
        self.both(lambda h: h.get_all(name))
        self.both(lambda h: name in h)

    @rule(index=indices | slices)
    def get_index(self, index: t.Any) -> None:
        self.both(lambda h: h[index])

    @rule(name=names, value=values, options=options, method=st.sampled_from(["add", "add_header", "set"]))
    def add(self, name: str, value: t.Any, options: t.Any, method: str) -> None:
        self.both(lambda h: getattr(h, method)(name, value, **options))

    @rule(name=names, value=values)
    def set_item(self, name: str, value: t.Any) -> None:
        self.both(lambda h: h.__setitem__(name, value))

    @rule(index=indices, pair=st.tuples(names, values) | st.sampled_from(["xy", ["n", "v"], ("a", "b", "c")]))
    def set_index(self, index: int, pair: t.Any) -> None:
        self.both(lambda h: h.__setitem__(index, pair))

    @rule(index=slices, new=pairs)
    def set_slice(self, index: slice, new: t.Any) -> None:
        self.both(lambda h: h.__setitem__(index, new))

    @rule(key=names | indices | slices)
    def delete(self, key: t.Any) -> None:
        self.both(lambda h: h.__delitem__(key))

    @rule(name=names)
    def remove(self, name: str) -> None:
        self.both(lambda h: h.remove(name))

    @rule(key=names | indices | st.none(), default=values, given=st.booleans())
    def pop(self, key: t.Any, default: t.Any, given: bool) -> None:
        self.both(lambda h: h.pop(key, default) if given else h.pop(key))

    @rule()
    def pop_last(self) -> None:
        self.both(lambda h: h.pop())
        self.both(lambda h: h.popitem())

    @rule()
    def clear(self) -> None:
        self.both(lambda h: h.clear())

    @rule(name=names, new=value_lists | value_lists.map(tuple))
    def set_list(self, name: str, new: t.Any) -> None:
        self.both(lambda h: h.setlist(name, new))

    @rule(name=names, default=values, new=value_lists)
    def set_default(self, name: str, default: t.Any, new: t.Any) -> None:
        self.both(lambda h: h.setdefault(name, default))
        self.both(lambda h: h.setlistdefault(name.upper() + "2", new))

    def both_take(self, method: str, source: Source, *, kwargs: dict[str, t.Any] | None = None) -> None:
        expected = outcome(lambda: getattr(self.theirs, method)(source.on("theirs"), **(kwargs or {})))
        assert expected == outcome(lambda: getattr(self.ours, method)(source.on("ours"), **(kwargs or {})))

    @rule(method=st.sampled_from(["extend", "update"]), source=sources, kwargs=mappings)
    def take(self, method: str, source: Source, kwargs: t.Any) -> None:
        self.both_take(method, source)
        self.both_take(method, source, kwargs=kwargs)

    @rule(method=st.sampled_from(["__or__", "__ior__"]), source=sources)
    def unite(self, method: str, source: Source) -> None:
        self.both_take(method, source)


TestHistories = Histories.TestCase
TestHistories.settings = settings(stateful_step_count=8)


@given(st.lists(st.tuples(names, st.sampled_from(["1", "2"]))), st.lists(st.tuples(names, st.sampled_from(["1", "2"]))))
def test_headers_are_equal_alike(left: t.Any, right: t.Any) -> None:
    expected = HEADERS["theirs"](left) == HEADERS["theirs"](right)
    assert expected == (HEADERS["ours"](left) == HEADERS["ours"](right))


def test_methods_have_the_same_parameters() -> None:
    for name, method in inspect.getmembers(werkzeug.datastructures.Headers, inspect.isfunction):
        expected = inspect.signature(method).parameters.values()
        actual = inspect.signature(getattr(headers.Headers, name)).parameters.values()
        assert [(p.name, p.kind) for p in expected] == [(p.name, p.kind) for p in actual], name
