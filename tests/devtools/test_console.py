"""Input in a console, and its results."""

import asyncio
import sys

import pytest
from markupsafe import escape

from costrel.devtools.console import Console, HTMLStringO, ThreadedStream


@pytest.fixture
def console():
    return Console({"a": 1, "shared": "global"}, {"b": 2, "shared": "local"})


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("a + b", '<span class="number">3</span>\n'),
        ("shared", '<span class="string">&#39;local&#39;</span>\n'),
        ("None", ""),
        ("x = 3", ""),
        ("print('<b>')", "&lt;b&gt;\n"),
        ("[a + n for n in range(2)]", '[<span class="number">1</span>, <span class="number">2</span>]\n'),
        ("(lambda: b)()", '<span class="number">2</span>\n'),
        ("a; b", '<span class="number">1</span>\n<span class="number">2</span>\n'),
        ("x = 4\nx", '<span class="number">4</span>\n'),
        ("for n in range(2):\n    n", '<span class="number">0</span>\n<span class="number">1</span>\n'),
        ("help", '<span class="help">Type help(object) for help about object.</span>\n'),
        ("", ""),
    ],
)
def test_values_are_shown(console, code, output):
    assert f">>> {escape(code)}\n{output}" == console.eval(code)


def test_a_block_goes_on_until_an_empty_line(console):
    assert ">>> for n in range(2):\n" == console.eval("for n in range(2):")
    assert console.more
    assert "...     print(n)\n" == console.eval("    print(n)")
    assert "... \n0\n1\n" == console.eval("")
    assert not console.more


def test_the_last_value_is_kept(console):
    console.eval("a + b")
    assert '>>> _ + 1\n<span class="number">4</span>\n' == console.eval("_ + 1")


def test_names_are_those_of_the_frame_not_of_the_module():
    module = {"a": 1}
    console = Console(module, {})
    console.eval("a = 2")
    assert {"a": 1} == module
    assert ">>> a\n" + '<span class="number">2</span>\n' == console.eval("a")


def test_a_coroutine_is_awaited(console):
    console.add(asyncio=asyncio)
    assert '<span class="number">5</span>' in console.eval("await asyncio.sleep(0, 5)")


def test_an_error_shows_only_what_was_typed(console):
    console.eval("def f(): return 1 / 0")
    text = console.eval("f()")
    assert "File &#34;&lt;console " in text
    assert "return 1 / 0" in text
    assert "ZeroDivisionError: division by zero" in text
    assert "costrel" not in text


@pytest.mark.parametrize("code", ["a b", "\0", "f(", "1 +* 2"])
def test_what_is_no_python_is_told(console, code):
    console.eval(code)
    assert "SyntaxError" in Console().eval("a b")


def test_leaving_leaves_only_the_console(console):
    assert "SystemExit" in console.eval("raise SystemExit")
    assert "KeyboardInterrupt" in console.eval("raise KeyboardInterrupt")


def test_dump_shows_the_variables_of_the_frame(console):
    console.eval("c = 3")
    html = console.eval("dump()")
    assert all(f"<th>{name}<td>" in html for name in "bc")
    assert "<th>a<td>" not in html
    assert "<th>append<td>" in console.eval("dump([])")
    assert "Contents of dict" in console.eval("dump({'x': 1})")


def test_help_is_shown(console):
    assert "<div class=box>" in console.eval("help(str)")
    assert "Type help" in console.eval("help()")
    assert "No Python documentation found" in console.eval("help('no such topic')")


def test_only_the_console_is_listened_to(console, capsys):
    before = sys.stdout
    console.eval("print('inside')")
    assert sys.stdout is before
    print("outside")
    assert "outside\n" == capsys.readouterr().out


def test_the_stream_of_a_console():
    ThreadedStream.push()
    stream = sys.stdout
    assert repr(stream) != ""
    assert "write" in dir(stream)
    stream.write("<")
    ThreadedStream.displayhook(1)
    with pytest.raises(AttributeError):
        stream.anything = 1
    assert '&lt;<span class="number">1</span>' == ThreadedStream.fetch()
    assert "" == ThreadedStream.fetch()


def test_outside_of_a_console_values_are_shown_as_ever(capsys):
    ThreadedStream.displayhook(1)
    assert "1\n" == capsys.readouterr().out


def test_a_text_stream_that_makes_html():
    stream = HTMLStringO()
    stream.write("<a>")
    stream.writelines(["&", "b"])
    stream.flush()
    stream.seek(0)
    stream.close()
    assert not stream.isatty()
    assert "&lt;a&gt;" == stream.readline()
    assert "&amp;b" == stream.reset()
    assert "" == stream.readline()


def test_given_names_do_not_hide_those_of_the_frame(console):
    console.add(a=5, request="r")
    assert '<span class="number">1</span>' in console.eval("a")
    assert "<th>request<td>" not in console.eval("dump()")
