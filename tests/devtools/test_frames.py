"""An exception as data: messages, causes, frames, source, values."""

import sys

import pytest

from costrel.devtools.frames import CAUSE, CONTEXT, Report, package_of, report_of
from costrel.devtools.values import HIDDEN, Describer, is_secret, secrets_of


def raised(function, *args) -> BaseException:
    try:
        function(*args)
    except BaseException as error:
        return error
    raise RuntimeError("it did not raise")


def broken(password="hunter2-hunter2"):
    amount = 3
    return amount / 0


def test_the_users_innermost_frame_is_the_one_to_look_at():
    report = report_of(raised(broken))
    assert ("ZeroDivisionError", "division by zero") == (report.kind, report.message)
    assert "ZeroDivisionError: division by zero" == report.title
    focus = report.focus
    assert ("broken", True, True, __file__) == (focus.function, focus.is_user, focus.is_focus, focus.filename)
    assert "return amount / 0" == focus.line
    assert [("password", HIDDEN), ("amount", "3")] == focus.variables(Describer())


def test_the_part_of_the_line_is_pointed_to():
    line = next(line for line in report_of(raised(broken)).focus.source() if line.is_current)
    assert "           ^^^^^^^^^^" == line.pointer
    assert '    <i class="keyword">return</i> amount / <i class="number">0</i>' == str(line.html)


def test_the_source_ends_with_its_function():
    lines = report_of(raised(broken)).focus.source()
    assert ('def broken(password="hunter2-hunter2"):', "    return amount / 0") == (lines[0].text, lines[-1].text)


def test_a_library_is_named_and_skipped():
    import json

    report = report_of(raised(json.loads, "{"))
    assert "raised" == report.focus.function
    assert "Python" == report.frames[-1].package
    assert (None, "Python", "jinja2", "costrel") == (
        package_of(__file__, None),
        package_of("<frozen importlib._bootstrap>", None).replace("importlib", "Python"),
        package_of(sys.modules["jinja2"].__file__ if "jinja2" in sys.modules else __import__("jinja2").__file__, None),
        package_of(Report.__init__.__globals__["__file__"] if False else sys.modules[Report.__module__].__file__, None),
    )
    assert package_of("<string>", None) is None


def test_causes_and_contexts_are_told_apart():
    def by_cause():
        raise ValueError("second") from KeyError("first")

    def by_context():
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second")  # noqa: B904 - this is what is tested

    def alone():
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second") from None

    assert [("second", CAUSE), ("'first'", "")] == [
        (r.message, r.relation) for r in report_of(raised(by_cause)).chain()
    ]
    assert [("second", CONTEXT), ("'first'", "")] == [
        (r.message, r.relation) for r in report_of(raised(by_context)).chain()
    ]
    assert ["second"] == [r.message for r in report_of(raised(alone)).chain()]


def test_a_chain_that_bites_its_tail_ends():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert ["first", "second"] == [r.message for r in report_of(first).chain()]


def test_a_group_has_its_exceptions_within():
    group = ExceptionGroup("several", [raised(broken), *(ValueError(str(number)) for number in range(10))])
    report = report_of(raised(lambda: (_ for _ in ()).throw(group)))
    assert ["division by zero", *"0123456"] == [child.message for child in report.children]
    assert 3 == report.more_children
    assert 9 == len(list(report.all()))


def test_notes_are_kept():
    error = ValueError("message")
    error.add_note("look here")
    assert ["look here"] == report_of(error).notes


def test_a_syntax_error_shows_its_place(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("a = 1\nb = (\nc = 2\n")
    report = report_of(raised(lambda: compile(file.read_text(), str(file), "exec")))
    assert (str(file), 2, "", True) == (report.focus.filename, report.focus.lineno, report.focus.function, True)
    assert "'(' was never closed" == report.message
    assert "    ^" == next(line.pointer for line in report.focus.source() if line.is_current)
    assert [] == report.focus.variables(Describer())


def test_a_syntax_error_without_a_file_shows_its_text():
    report = report_of(raised(lambda: compile("a b", "<given>", "exec")))
    assert ["a b"] == [line.text for line in report.focus.source()]


def test_frames_that_ask_for_it_are_hidden():
    def hidden():
        __traceback_hide__ = True
        broken()

    error = raised(hidden)
    assert ["raised", "broken"] == [frame.function for frame in report_of(error).frames]
    assert 3 == len(report_of(error, show_hidden_frames=True).frames)


def test_a_recursion_without_end_keeps_its_first_and_last_frames():
    def again():
        again()

    assert 100 == len(report_of(raised(again)).frames)


def test_a_message_that_fails_is_told():
    class Silent(Exception):
        def __str__(self):
            raise ValueError

    assert "<no message: str() raised ValueError>" == report_of(Silent()).message


class Mute:
    def __repr__(self):
        raise ValueError


class Quits:
    def __repr__(self):
        raise SystemExit


class Talks:
    def __repr__(self):
        return "Talks(user='ada', password='hunter2', url='postgres://ada:hunter2@db/x')"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        ([1, [2, [3, [4]]]], "[1, [2, [3, […]]]]"),
        (list(range(30)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … 30 in all]"),
        ((1,), "(1,)"),
        (set(), "set()"),
        ({1}, "{1}"),
        ({"api_key": "x", "a": {"b": {"c": {"d": 1}}}}, "{'api_key': " + HIDDEN + ", 'a': {'b': {'c': {…}}}}"),
        ({"token": None}, "{'token': None}"),
        (Mute(), "<Mute: its repr raised ValueError>"),
        (Quits(), "<Quits: its repr raised SystemExit>"),
        (Talks(), f"Talks(user='ada', password={HIDDEN}, url='postgres://ada:{HIDDEN}@db/x')"),
    ],
)
def test_values_are_short_and_safe(value, text):
    assert text == Describer().value(value)


def test_long_texts_say_how_long_they_are():
    text = Describer().value("x" * 5_000)
    assert text.endswith("… (5,000 characters)")
    assert len(text) < 300


def test_a_known_secret_is_hidden_wherever_it_is():
    describer = Describer(secrets_of({"SECRET_KEY": "0123456789", "NAME": "visible-name", "PWD": "/home/ada"}))
    assert f"'a {HIDDEN} b visible-name /home/ada'" == describer.value("a 0123456789 b visible-name /home/ada")


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "password", "db_passwd", "csrf_token", "api_key", "Authorization", "pin"]
)
def test_names_that_say_secret(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", ["key", "author", "pinned", "name", 3, "PWD", "keyboard"])
def test_names_that_do_not(name):
    assert not is_secret(name)
