"""`costrel shell`."""

import code
import sys

import pytest

import costrel
from costrel import context
from costrel.cli import FlaskGroup


@pytest.fixture
def app():
    app = costrel.Costrel("shop")
    app.shell_context_processor(lambda: {"answer": 42})
    return app


@pytest.fixture
def sessions(monkeypatch):
    """What the shell is started with, in the place of starting it."""
    started = []

    def interact(banner, local):
        started.append((banner, dict(local), context.peek()))

    monkeypatch.setattr(code, "interact", interact)
    return started


@pytest.fixture
def names(app, sessions, invoke):
    def run():
        invoke(FlaskGroup(create_app=lambda: app), "shell")
        return sessions[0][1]

    return run


def test_the_shell_runs_in_the_applications_context(app, names, sessions):
    names()

    banner, _, ctx = sessions[0]
    assert banner == f"Python {sys.version} on {sys.platform}\nApp: shop\nInstance: {app.instance_path}"
    assert ctx.app is app


def test_its_names_are_those_of_the_context_processors(app, names):
    found = names()

    assert found["app"] is app
    assert found["answer"] == 42
    assert "g" in found


def test_a_startup_file_is_run(names, environ, write):
    environ["PYTHONSTARTUP"] = str(write("startup.py", "mine = 1\nanswer = 'replaced'\n"))

    found = names()

    assert (found["mine"], found["answer"]) == (1, 42)


def test_a_startup_file_that_is_not_there_is_passed_over(names, environ):
    environ["PYTHONSTARTUP"] = "/no/such/file.py"

    assert names()["answer"] == 42


def test_names_are_completed(names, monkeypatch):
    import readline

    completers, hooks = [], []
    monkeypatch.setattr(readline, "set_completer", completers.append)
    monkeypatch.setattr(sys, "__interactivehook__", lambda: hooks.append(True), raising=False)

    names()

    assert completers[0]("answ", 0) == "answer"
    assert hooks == [True]


def test_without_readline_the_hook_is_run_all_the_same(names, monkeypatch):
    hooks = []
    monkeypatch.setitem(sys.modules, "readline", None)
    monkeypatch.setattr(sys, "__interactivehook__", lambda: hooks.append(True), raising=False)

    names()

    assert hooks == [True]


def test_without_a_hook_nothing_is_completed(names, monkeypatch):
    import readline

    completers = []
    monkeypatch.setattr(readline, "set_completer", completers.append)
    monkeypatch.delattr(sys, "__interactivehook__", raising=False)

    names()

    assert completers == []
