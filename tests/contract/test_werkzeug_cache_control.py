"""Cache-Control, read, changed and written beside Werkzeug."""

from __future__ import annotations

import copy
import pickle
import typing as t

import pytest
import werkzeug.datastructures
import werkzeug.http
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures.cache_control import _CacheControl as WerkzeugCacheControl

from costrel.http import cache_control

KINDS = ["RequestCacheControl", "ResponseCacheControl"]
PROPERTIES = sorted(
    {
        name
        for kind in KINDS
        for cls in getattr(werkzeug.datastructures, kind).__mro__
        for name, member in vars(cls).items()
        if isinstance(member, property)
    }
)
DIRECTIVES = [name.replace("_", "-") for name in PROPERTIES]
values = st.none() | st.sampled_from(["5", "x", "", "a b", "1.5", "-1", " 7 ", "٣"])
directives = st.dictionaries(st.sampled_from([*DIRECTIVES, "foo", "Max-Age"]), values, max_size=4)
PARTS = [*DIRECTIVES, *'=,"\\ x5', "=5", ", ", '="a, b"', "max-age=", "no-cache"]
headers = st.none() | st.lists(st.sampled_from(PARTS), max_size=8).map("".join) | st.text(max_size=15)


def summary(control: t.Any) -> t.Any:
    properties = {name: getattr(control, name) for name in PROPERTIES if hasattr(control, name)}
    return dict(control), control.provided, str(control), repr(control), properties


@given(st.sampled_from(KINDS), headers)
def test_headers_read_and_print_alike(kind: str, value: str | None) -> None:
    expected = werkzeug.http.parse_cache_control_header(value, None, getattr(werkzeug.datastructures, kind))
    actual = cache_control.parse_cache_control_header(value, None, getattr(cache_control, kind))
    assert summary(expected) == summary(actual)


def test_a_request_is_the_default() -> None:
    assert cache_control.RequestCacheControl is type(cache_control.parse_cache_control_header("no-cache"))


@given(st.sampled_from(KINDS), st.none() | directives)
def test_they_are_made_alike(kind: str, directives: dict[str, t.Any] | None) -> None:
    expected = getattr(werkzeug.datastructures, kind)(directives)
    assert summary(expected) == summary(getattr(cache_control, kind)(directives))


settable = st.none() | st.booleans() | st.integers(0, 99) | st.sampled_from(["x", "", "5", "a b", 1.7])
changes = st.lists(st.tuples(st.sampled_from(PROPERTIES), settable | st.just("delete")), max_size=5)


def history(cls: t.Any, directives: t.Any, changes: t.Any) -> list[t.Any]:
    reports: list[str] = []
    control = cls(directives, lambda changed: reports.append(str(changed)))
    seen: list[t.Any] = []
    for name, value in changes:
        try:
            if value != "delete":
                setattr(control, name, value)
            elif isinstance(getattr(cls, name, None), property):
                delattr(control, name)
        except (ValueError, TypeError) as error:
            seen.append(type(error))
        seen += [summary(control), *reports]
        reports.clear()
    return seen


@given(st.sampled_from(KINDS), directives, changes)
def test_properties_change_alike(kind: str, directives: dict[str, t.Any], changes: t.Any) -> None:
    expected = history(getattr(werkzeug.datastructures, kind), directives, changes)
    assert expected == history(getattr(cache_control, kind), directives, changes)


kinds = st.sampled_from([None, int, bool, float, str])


@given(kinds, st.none() | st.just("empty"), st.none() | directives, settable)
def test_properties_of_ones_own_behave_alike(kind: t.Any, empty: t.Any, directives: t.Any, value: t.Any) -> None:
    seen = []
    for base in (WerkzeugCacheControl, cache_control._CacheControl):
        own = type("Own", (base,), {"own": base.cache_property("foo", empty, kind)})
        control = own(directives)
        seen.append([control.own])
        try:
            control.own = value
        except ValueError:
            seen[-1].append("refused")
        seen[-1] += [control.own, str(control)]
    assert seen[0] == seen[1]


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_dicts_that_copy_and_pickle(kind: str) -> None:
    for module in (werkzeug.datastructures, cache_control):
        control = getattr(module, kind)({"max-age": "5"})
        assert {"max-age": "5"} == control == copy.copy(control) == copy.deepcopy(control)
        assert control == pickle.loads(pickle.dumps(control))
        assert dict is type(control.copy())


def test_those_of_a_request_cannot_change() -> None:
    control = cache_control.RequestCacheControl({"max-age": "5"})
    with pytest.raises(TypeError, match="immutable"):
        control.max_age = 6
    assert isinstance(hash(control), int)
    with pytest.raises(TypeError, match="unhashable"):
        hash(cache_control.ResponseCacheControl())
