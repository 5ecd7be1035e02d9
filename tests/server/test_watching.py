"""Which changes of which files are noticed."""

import importlib
import itertools
import os
import py_compile
import sys
import threading
import time
import types

import pytest

from costrel.devserver import watching
from costrel.devserver.watching import Watcher
from costrel.devtools import file_events

LONG_AGO = 1_000_000_000


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A folder in which one imported module lies, written long ago."""
    file = tmp_path / "program.py"
    file.write_text("1")
    os.utime(file, (LONG_AGO, LONG_AGO))
    module = types.ModuleType("program")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "program", module)
    monkeypatch.setattr(watching, "_module_files", lambda: iter([os.path.realpath(file)]))
    return tmp_path


def waiting(watcher):
    """What the watcher reports, in a list that fills, and the thread in which it waits."""
    found, ended = [], threading.Event()
    thread = threading.Thread(target=lambda: found.append(watcher.wait(ended)))
    thread.start()
    return found, ended, thread


def changed(watcher, change):
    """What the watcher reports when `change` is made, again and again until it is noticed."""
    found, ended, thread = waiting(watcher)
    for _ in range(100):
        change()
        thread.join(0.1)
        if not thread.is_alive():
            break
    ended.set()
    thread.join(10)
    return found[0]


@pytest.mark.parametrize("kind", ["auto", "stat"])
def test_a_module_that_changes_is_noticed(program, kind):
    file = program / "program.py"
    times = itertools.count(LONG_AGO + 1)

    def change():  # into what is still the past, so that only the difference can tell
        now = next(times)
        file.write_text("2")
        os.utime(file, (now, now))

    assert changed(Watcher(interval=0.01, kind=kind), change) == str(file)


def test_a_change_is_noticed_that_came_before_the_watch_had_begun(program, monkeypatch):
    monkeypatch.setattr(file_events, "_TIMEOUT_MS", 10)
    looks = iter([None, "/app.py"])
    monkeypatch.setattr(Watcher, "_changed_since", lambda self, since: next(looks))

    assert Watcher().wait(threading.Event()) == "/app.py"


def test_a_change_that_watchfiles_has_lost_is_noticed_at_the_next_look(program, monkeypatch):
    file = program / "program.py"

    def losing(*args):
        yield []
        os.utime(file)
        yield []

    monkeypatch.setattr(watching, "changes_in", losing)
    monkeypatch.setattr(watching, "_POLL_INTERVAL", -1)

    assert Watcher().wait(threading.Event(), since=LONG_AGO + 1) == str(file)


def test_changes_of_other_files_do_not_put_off_the_look(program, monkeypatch):
    monkeypatch.setattr(file_events, "_TIMEOUT_MS", 1_000_000)
    monkeypatch.setattr(watching, "_POLL_INTERVAL", -1)
    looks = itertools.chain([None, None], itertools.repeat("/app.py"))
    monkeypatch.setattr(Watcher, "_changed_since", lambda self, since: next(looks))

    assert changed(Watcher(), lambda: (program / "log.txt").write_text("a line")) == "/app.py"


@pytest.mark.parametrize("kind", ["auto", "stat"])
def test_an_extra_file_that_changes_is_noticed(program, tmp_path_factory, kind):
    extra = tmp_path_factory.mktemp("other") / "settings.toml"
    extra.write_text("a = 1")
    os.utime(extra, (LONG_AGO, LONG_AGO))
    watcher = Watcher([str(extra)], interval=0.01, kind=kind)

    assert changed(watcher, lambda: extra.write_text("a = 2")) == str(extra)


@pytest.mark.parametrize("kind", ["auto", "stat"])
def test_a_file_in_an_extra_folder_is_noticed(program, tmp_path_factory, kind):
    folder = tmp_path_factory.mktemp("data")
    (folder / "a.txt").write_text("1")
    os.utime(folder / "a.txt", (LONG_AGO, LONG_AGO))
    watcher = Watcher([str(folder)], interval=0.01, kind=kind)

    assert changed(watcher, lambda: (folder / "a.txt").write_text("2")) == str(folder / "a.txt")


def test_a_module_that_is_away_for_a_moment_is_noticed_when_it_is_back(program):
    file = program / "program.py"

    def replace():
        file.unlink()
        file.write_text("2")

    assert changed(Watcher(interval=0.01, kind="stat"), replace) == str(file)


@pytest.mark.parametrize("kind", ["auto", "stat"])
def test_waiting_ends_when_it_is_told_to(program, kind):
    found, ended, thread = waiting(Watcher(interval=0.01, kind=kind))

    ended.set()
    thread.join(10)

    assert found == [None]


@pytest.mark.parametrize("kind", ["auto", "stat"])
def test_waiting_ends_when_the_parent_process_has_gone(program, monkeypatch, kind):
    monkeypatch.setattr(file_events, "_TIMEOUT_MS", 10)
    parents = iter([1000])
    monkeypatch.setattr(watching.os, "getppid", lambda: next(parents, 1))

    assert Watcher(interval=0.01, kind=kind).wait(threading.Event()) is None


def test_what_changed_while_the_program_was_loading_counts(program):
    now = time.time()
    os.utime(program / "program.py", (now, now))

    assert Watcher().wait(threading.Event(), since=now - 10) == str(program / "program.py")


def test_a_time_in_the_future_does_not(program):
    later = time.time() + 1000
    os.utime(program / "program.py", (later, later))

    assert Watcher()._changed_since(LONG_AGO) is None


def test_other_files_do_not_concern():
    watcher = Watcher(["/data/settings.toml"])

    assert watcher.concerns("/app/views.py")
    assert watcher.concerns("/data/settings.toml")
    assert not watcher.concerns("/app/notes.txt")


def test_patterns_leave_files_out():
    watcher = Watcher(["/data/settings.toml"], exclude_patterns=["*/migrations/*", "*.toml"])

    assert not watcher.concerns("/app/migrations/0001.py")
    assert not watcher.concerns("/data/settings.toml")
    assert watcher.concerns("/app/views.py")


def test_installed_packages_and_the_standard_library_are_not_watched():
    files = list(watching._module_files())

    assert os.path.realpath(__file__) in files
    assert os.path.realpath(os.__file__) not in files
    assert os.path.realpath(pytest.__file__) not in files


def test_without_watchfiles_it_looks(monkeypatch):
    assert Watcher().name == "watchfiles"
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert Watcher().name == "stat"
    assert Watcher(kind="stat").name == "stat"


def test_two_changes_within_a_second_are_two(tmp_path, monkeypatch):
    """Python takes a compiled file for one of its source, if the second of the change and the size are the same."""
    file = tmp_path / "edited.py"
    file.write_text("value = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("edited")
    monkeypatch.setitem(sys.modules, "edited", module)
    compiled = py_compile.compile(str(file))
    second = file.stat().st_mtime
    file.write_text("value = 2")
    os.utime(file, (second, second))

    Watcher().forget_bytecode()

    assert not os.path.exists(compiled)
    assert importlib.reload(module).value == 2


def test_the_compiled_form_of_other_files_is_kept(program):
    compiled = py_compile.compile(str(program / "program.py"))

    Watcher().forget_bytecode()

    assert os.path.exists(compiled)
