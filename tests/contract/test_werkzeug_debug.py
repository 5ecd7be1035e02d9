"""`werkzeug.debug` beside its counterpart: the reprs of values, tracebacks, the names and signatures."""

import collections
import inspect
import re

import pytest
import werkzeug.debug
import werkzeug.debug.console
import werkzeug.debug.repr
import werkzeug.debug.tbtools
from hypothesis import given
from hypothesis import strategies as st

from costrel.devtools import console, debugger, html_repr, pin
from costrel.legacy import tracebacks

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=100)
    | st.binary(max_size=100),
    lambda inner: (
        st.lists(inner, max_size=12)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=8)
        | st.frozensets(st.integers(), max_size=12)
        | st.builds(collections.deque, st.lists(inner, max_size=10))
    ),
    max_leaves=12,
)


@given(values)
def test_values_have_the_same_html(value):
    assert werkzeug.debug.repr.debug_repr(value) == html_repr.debug_repr(value)


class Broken:
    def __repr__(self):
        raise ValueError("no <x>")


class Own(list):
    pass


class OwnText(str):
    pass


@pytest.mark.parametrize(
    "value",
    [Broken(), Own([1]), OwnText("a"), re.compile("a'"), re.compile(b"a"), int, print, collections.OrderedDict(a=1)],
    ids=lambda value: type(value).__name__,
)
def test_objects_have_the_same_html(value):
    assert werkzeug.debug.repr.debug_repr(value) == html_repr.debug_repr(value)


def test_what_contains_itself_has_the_same_html():
    inner: list = [1]
    inner.append(inner)
    mapping: dict = {"a": inner}
    mapping["b"] = mapping
    assert werkzeug.debug.repr.debug_repr(mapping) == html_repr.debug_repr(mapping)


@pytest.mark.parametrize("value", [{"a": 1}, {1: 2}, 3, "text", Own([1])])
def test_dumps_are_the_same(value):
    real, ours = werkzeug.debug.repr.DebugReprGenerator(), html_repr.DebugReprGenerator()
    addresses = re.compile("0x[0-9a-f]+")
    assert addresses.sub("", real.dump_object(value)) == addresses.sub("", ours.dump_object(value))
    assert real.dump_locals({"a": value}) == ours.dump_locals({"a": value})
    assert real.render_object_dump([], "Title", None) == ours.render_object_dump([], "Title", None)


@pytest.mark.parametrize("code", ["1", "'<b>'", "print('<x>')", "None", "x = 1", "", "[1, 'a']", "help"])
def test_consoles_show_the_same(code):
    real = werkzeug.debug.console.Console({"a": 1}, {"b": 2})
    ours = console.Console({"a": 1}, {"b": 2})
    assert real.eval(code).rstrip("\n") == ours.eval(code).rstrip("\n")


def error() -> BaseException:
    try:
        try:
            raise KeyError("first")
        except KeyError as first:
            raise ValueError("second") from first
    except ValueError as second:
        return second


def test_tracebacks_are_the_same_as_text():
    real, ours = werkzeug.debug.tbtools.DebugTraceback(error()), tracebacks.DebugTraceback(error())
    assert real.render_traceback_text() == ours.render_traceback_text()
    assert str(real) == str(ours)
    assert [label for label, _ in real.all_tracebacks] == [label for label, _ in ours.all_tracebacks]
    of = [(f.filename, f.lineno, f.name, f.line, f.info, f.is_library) for f in real.all_frames]
    assert of == [(f.filename, f.lineno, f.name, f.line, f.info, f.is_library) for f in ours.all_frames]


def test_tracebacks_are_the_same_as_html_but_for_pointers():
    def plain(text):
        text = re.sub(r'frame-\d+"', "", text)
        return re.sub(r'\n<span class="ws">[^<]*</span>[ ^~]*</pre>', "</pre>", text)

    real, ours = werkzeug.debug.tbtools.DebugTraceback(error()), tracebacks.DebugTraceback(error())
    assert plain(real.render_traceback_html()) == plain(ours.render_traceback_html())


def hidden():
    __traceback_hide__ = True
    raise ValueError("hidden")


def test_frames_are_skipped_and_hidden_alike():
    def caught():
        try:
            hidden()
        except ValueError as found:
            return found

    for options in ({}, {"skip": 1}, {"hide": False}, {"skip": 1, "hide": False}):
        real = werkzeug.debug.tbtools.DebugTraceback(caught(), **options)
        ours = tracebacks.DebugTraceback(caught(), **options)
        assert [f.name for f in real.all_frames] == [f.name for f in ours.all_frames]


def test_a_syntax_error_is_shown_alike():
    def caught():
        try:
            compile("a b", "<given>", "exec")
        except SyntaxError as found:
            return found

    real, ours = werkzeug.debug.tbtools.DebugTraceback(caught()), tracebacks.DebugTraceback(caught())
    assert real.render_traceback_text() == ours.render_traceback_text()


def test_frames_evaluate():
    frame = tracebacks.DebugTraceback(error()).all_frames[0]
    assert "ValueError" in frame.eval("ValueError")
    assert "<!doctype html>" in tracebacks.DebugTraceback(error()).render_debugger_html(True, "secret", True)
    assert 'data-secret="secret"' in tracebacks.render_console_html("secret", True)


PAIRS = [
    (werkzeug.debug.DebuggedApplication, debugger.DebuggedApplication),
    (werkzeug.debug.repr.DebugReprGenerator, html_repr.DebugReprGenerator),
    (werkzeug.debug.console.Console, console.Console),
    (werkzeug.debug.console.HTMLStringO, console.HTMLStringO),
    (werkzeug.debug.tbtools.DebugTraceback, tracebacks.DebugTraceback),
    (werkzeug.debug.tbtools.DebugFrameSummary, tracebacks.DebugFrameSummary),
]


@pytest.mark.parametrize(("real", "ours"), PAIRS, ids=lambda cls: cls.__name__)
def test_classes_have_the_same_methods(real, ours):
    for name, member in inspect.getmembers(real, inspect.isroutine):
        if (name.startswith("_") and name != "__init__") or name in ("count", "index"):
            continue
        expected = [(p.name, p.default) for p in inspect.signature(member).parameters.values()]
        assert expected == [(p.name, p.default) for p in inspect.signature(getattr(ours, name)).parameters.values()]


def test_values_of_the_module():
    assert werkzeug.debug.PIN_TIME == pin.PIN_TIME
    assert werkzeug.debug.repr.HELP_HTML % {"title": "t", "text": "x"} == html_repr.HELP_HTML % {
        "title": "t",
        "text": "x",
    }
    assert 1 == len(inspect.signature(pin.hash_pin).parameters)
