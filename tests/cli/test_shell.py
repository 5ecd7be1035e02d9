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

    def interact(console, banner):
        started.append((banner, dict(console.locals), context.peek()))

    monkeypatch.setattr(code.InteractiveConsole, "interact", interact)
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


@pytest.fixture
def typed(app, invoke, environ, monkeypatch):
    """Type lines into the real shell; gives its output."""
    monkeypatch.delattr(sys, "__interactivehook__", raising=False)

    def typed(*lines):
        result = invoke(FlaskGroup(create_app=lambda: app), "shell", input="\n".join([*lines, ""]))
        assert result.exit_code == 0
        return result.output

    return typed


def test_a_request_by_the_test_client(app, typed):
    app.add_url_rule("/", view_func=lambda: "hello")

    assert "'hello'" in typed("client.get('/').text")


def test_statements_may_await(typed):
    output = typed("import asyncio", "await asyncio.sleep(0, app.name)", "x = await asyncio.sleep(0, 41)", "x + 1")

    assert "'shop'" in output
    assert "42" in output


def test_functions_errors_and_blocks_work_as_in_python(typed):
    output = typed("def f():", "    return app.import_name * 2", "", "f()", "1 / 0", "'go' + 'ing'")

    assert "'shopshop'" in output
    assert "ZeroDivisionError" in output
    assert "'going'" in output


def test_an_awaiting_statement_has_the_context_of_the_application(typed):
    output = typed("import costrel", "async def name():", "    return costrel.current_app.name", "", "await name()")

    assert "'shop'" in output


def test_a_name_of_the_application_wins_over_the_client(app, names):
    app.shell_context_processor(lambda: {"client": "mine"})

    assert names()["client"] == "mine"


@pytest.fixture
def ipython(monkeypatch):
    """A stand-in for IPython's application, and a terminal; gives the names that it was started with."""
    started = []

    class Application:
        @classmethod
        def instance(cls, user_ns, display_banner):
            started.append(user_ns)
            return cls()

        def initialize(self, argv):
            self.shell = self

        def show_banner(self, banner):
            started.append(banner)

        def start(self):
            started.append("started")

    module = type(sys)("IPython.terminal.ipapp")
    module.TerminalIPythonApp = Application
    for name in ("IPython", "IPython.terminal"):
        monkeypatch.setitem(sys.modules, name, type(sys)(name))
    monkeypatch.setitem(sys.modules, "IPython.terminal.ipapp", module)
    monkeypatch.setattr("costrel.cli.shell.is_terminal", lambda: True)
    return started


def test_ipython_is_used_if_it_is_installed(app, ipython, sessions, invoke):
    invoke(FlaskGroup(create_app=lambda: app), "shell")

    assert ipython[0]["answer"] == 42
    assert "App: shop" in ipython[1]
    assert ipython[2:] == ["started"]
    assert sessions == []


def test_pythons_own_shell_if_it_is_asked_for(app, ipython, sessions, invoke):
    invoke(FlaskGroup(create_app=lambda: app), "shell", "--plain")

    assert ipython == []
    assert len(sessions) == 1
