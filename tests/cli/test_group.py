"""The command group: its commands, the application that it loads, and the errors if loading fails."""

import importlib.metadata
import platform
import subprocess
import sys

import click
import pytest

import costrel
from costrel import context
from costrel.cli import FlaskGroup, cli, group, main, options
from costrel.cli.parameters import EnvironmentOption
from costrel.version import __version__

from ..processes import environ


@pytest.fixture
def app():
    app = costrel.Costrel("shop")

    @app.cli.command("greet")
    @click.argument("name", default="you")
    def greet(name):
        """Say hello."""
        click.echo(f"hello {name}")

    return app


@pytest.fixture
def shop(app):
    return FlaskGroup(create_app=lambda: app)


APP = """\
    import click, costrel

    app = costrel.Costrel("shop")

    @app.cli.command("greet")
    def greet():
        click.echo("hello from the folder")
"""


def test_the_commands_of_costrel_and_of_the_application(shop, invoke):
    result = invoke(shop, "--help")

    commands = result.output.partition("Commands:\n")[2].split("\n")
    assert [line.split()[0] for line in commands if line] == [
        "check",
        "doctor",
        "greet",
        "new",
        "openapi",
        "request",
        "routes",
        "run",
        "serve",
        "shell",
        "static",
    ]


def test_a_command_of_the_application(shop, invoke):
    assert invoke(shop, "greet", "there").output == "hello there\n"


def test_the_application_of_the_folder(write, invoke):
    write("app.py", APP)

    assert invoke(cli, "greet").output == "hello from the folder\n"


@pytest.mark.parametrize("arguments", [["--app", "main"], ["-A", "main:app"]])
def test_an_application_that_is_named(write, invoke, arguments):
    write("main.py", APP)

    assert invoke(cli, *arguments, "greet").output == "hello from the folder\n"


@pytest.mark.parametrize("name", ["COSTREL_APP", "FLASK_APP"])
def test_an_application_that_the_environment_names(write, invoke, environ, name):
    write("main.py", APP)
    environ[name] = "main"

    assert invoke(cli, "greet").output == "hello from the folder\n"


def test_costrels_variable_wins(write, invoke, environ):
    write("main.py", APP)
    environ["COSTREL_APP"] = "main"
    environ["FLASK_APP"] = "other"

    assert invoke(cli, "greet").output == "hello from the folder\n"


def test_help_lists_the_commands_of_a_named_application(write, invoke, environ):
    write("main.py", APP)
    environ["FLASK_APP"] = "main"

    assert "greet" in invoke(cli, "--help").output
    assert "greet" in invoke(cli).output


@pytest.mark.parametrize("file", [".env", ".costrelenv", ".flaskenv"])
def test_dotenv_files_are_read(write, invoke, environ, file):
    write("main.py", APP)
    write(file, "FLASK_APP=main\n")

    assert invoke(cli, "greet").output == "hello from the folder\n"


def test_dotenv_files_may_be_skipped(write, invoke, environ):
    write("main.py", APP)
    write(".env", "FLASK_APP=main\n")
    environ["COSTREL_SKIP_DOTENV"] = "1"

    assert invoke(cli, "greet").exit_code == 2


def test_an_environment_file(write, invoke):
    write("main.py", APP)
    write("test.env", "COSTREL_APP=main\n")

    assert invoke(cli, "--env-file", "test.env", "greet").output == "hello from the folder\n"


def test_an_environment_file_that_is_not_there(folder, invoke):
    result = invoke(cli, "--env-file", "none.env", "greet")

    assert result.exit_code == 2
    assert "Error: Invalid value for '-e' / '--env-file': File 'none.env' does not exist." in result.stderr


def test_an_environment_file_without_python_dotenv(write, invoke, monkeypatch):
    monkeypatch.setitem(sys.modules, "dotenv", None)
    write("test.env", "A=1\n")

    result = invoke(cli, "--env-file", "test.env", "greet")

    assert result.exit_code == 2
    assert (
        "Error: Invalid value for '-e' / '--env-file': This requires python-dotenv: pip install python-dotenv"
        in result.stderr
    )


def test_a_group_may_leave_dotenv_files_alone(write, invoke, environ, app):
    write(".env", "A=1\n")

    invoke(FlaskGroup(create_app=lambda: app, load_dotenv=False), "greet")

    assert "A" not in environ


@pytest.mark.parametrize(("option", "value", "debug"), [("--debug", "1", True), ("--no-debug", "0", False)])
def test_debug_mode(shop, app, invoke, environ, option, value, debug):
    invoke(shop, option, "greet")

    assert environ["FLASK_DEBUG"] == value
    assert app.debug is debug


def test_without_the_option_debug_mode_is_that_of_the_environment(shop, app, invoke, environ):
    invoke(shop, "greet")
    assert "FLASK_DEBUG" not in environ

    environ["COSTREL_DEBUG"] = "yes"
    invoke(FlaskGroup(create_app=lambda: app), "greet")
    assert app.debug is True


def test_a_group_may_leave_debug_mode_alone(app, invoke):
    app.debug = True

    invoke(FlaskGroup(create_app=lambda: app, set_debug_flag=False), "greet")

    assert app.debug is True


def test_commands_tell_that_they_run(shop, invoke, environ):
    invoke(shop, "greet")

    assert environ["FLASK_RUN_FROM_CLI"] == "true"


def test_an_unknown_command(shop, invoke):
    result = invoke(shop, "greeet")

    assert result.exit_code == 2
    assert result.stderr.endswith("Error: No such command 'greeet'. Did you mean 'greet'?\n")


@pytest.mark.parametrize(
    ("name", "hint"), [("rotes", " Did you mean 'routes'?"), ("serv", " Did you mean 'serve'?"), ("zzz", "")]
)
def test_an_unknown_command_that_is_near_another_one(shop, invoke, name, hint):
    result = invoke(shop, name)

    assert result.exit_code == 2
    assert result.stderr.endswith(f"Error: No such command {name!r}.{hint}\n")


def test_an_application_that_does_not_load_is_told_once(write, invoke):
    write("app.py", "print('imported')\n1 / 0\n")

    result = invoke(cli, "rotes")

    assert result.stdout == "imported\n"
    assert result.stderr.count("ZeroDivisionError: division by zero") == 1
    assert result.stderr.endswith("Error: No such command 'rotes'. Did you mean 'routes'?\n")


def test_an_error_of_the_options_is_left_as_it_is(shop, invoke):
    for arguments in (["--greet"], ["--", "--greet"]):
        result = invoke(shop, *arguments)

        assert result.exit_code == 2
        assert "Error: No such option" in result.stderr
        assert "Did you mean" not in result.stderr


def test_an_unknown_command_without_an_application(folder, invoke):
    result = invoke(cli, "greet")

    assert result.exit_code == 2
    assert result.stderr.startswith(
        f"Error: Could not locate an application: there is no wsgi.py or app.py in {folder}."
    )
    assert "No such command 'greet'" in result.stderr


def test_help_without_an_application(folder, invoke):
    result = invoke(cli, "--help")

    assert result.exit_code == 0
    assert result.stderr.startswith("Error: Could not locate an application")
    assert "routes" in result.output


def test_help_with_an_application_that_fails(write, invoke):
    write("app.py", "1 / 0\n")

    result = invoke(cli, "--help")

    assert result.exit_code == 0
    assert "ZeroDivisionError: division by zero" in result.stderr
    assert "routes" in result.output


def test_a_builtin_command_with_an_application_that_is_not_there(folder, invoke):
    result = invoke(cli, "--app", "nothing", "routes")

    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: Could not import 'nothing': there is no module 'nothing' in {folder}. It contains no Python modules.\n"
    )


def test_parameter_callbacks_see_the_application(app, shop, invoke):
    @app.cli.command("which")
    @click.argument("value", callback=lambda ctx, param, value: context.current().app is app)
    def which(value):
        click.echo(value)

    assert invoke(shop, "which", "x").output == "True\n"


def test_a_group_inside_another(shop, invoke):
    outer = click.Group("outer")
    outer.add_command(shop, "costrel")

    assert invoke(outer, "costrel", "greet").output == "hello you\n"


def test_in_the_context_of_the_same_application_no_other_is_pushed(app, shop, invoke):
    with app.app_context() as ctx:

        @app.cli.command("which")
        def which():
            click.echo(context.peek() is ctx)

        assert invoke(shop, "which").output == "True\n"


def test_a_group_with_less_and_with_more():
    bare = FlaskGroup(add_default_commands=False, add_version_option=False, params=[click.Option(["--more"])])

    assert list(bare.commands) == []
    assert [param.name for param in bare.params] == ["more", "env_file", "app", "debug"]


def test_an_object_may_be_given(app, invoke):
    from costrel.services.commands import ScriptInfo

    info = ScriptInfo(create_app=lambda: app)
    given = FlaskGroup(context_settings={"obj": info})

    assert invoke(given, "greet").output == "hello you\n"


# -- variables of the application's own commands -----------------------------------------------------------------


@pytest.mark.parametrize(("as_flask", "name"), [(False, "COSTREL_PAY_AMOUNT"), (True, "FLASK_PAY_AMOUNT")])
def test_the_options_of_commands_have_variables(app, shop, invoke, environ, monkeypatch, as_flask, name):
    monkeypatch.setattr(group, "served_as_flask", lambda: as_flask)

    @app.cli.command("pay")
    @click.option("--amount")
    def pay(amount):
        click.echo(amount)

    environ[name] = "5"

    assert invoke(shop, "pay").output == "5\n"


def test_a_group_may_have_a_prefix_of_its_own(app, invoke, environ):
    other = FlaskGroup(create_app=lambda: app, context_settings={"auto_envvar_prefix": "SHOP"})
    environ["SHOP_DEBUG"] = "1"
    environ["FLASK_DEBUG"] = "0"

    invoke(other, "greet")

    assert environ["FLASK_DEBUG"] == "1"


def test_an_empty_variable_is_none(environ):
    environ["COSTREL_NAME"] = ""
    option = EnvironmentOption(["--name"])
    ctx = click.Context(click.Command("c"), auto_envvar_prefix="COSTREL")

    assert option.resolve_envvar_value(ctx) is None


# -- versions, plugins, entry point ------------------------------------------------------------------------------


def test_the_versions(invoke):
    assert invoke(cli, "--version").output == f"Python {platform.python_version()}\nCostrel {__version__}\n"


def test_the_versions_under_flasks_name(invoke, monkeypatch):
    monkeypatch.setattr(options, "served_as_flask", lambda: True)

    output = invoke(cli, "--version").output

    assert f"Flask {importlib.metadata.version('flask')}\n" in output
    assert f"Werkzeug {importlib.metadata.version('werkzeug')}\n" in output


class EntryPoint:
    def __init__(self, name, loaded):
        self.name = name
        self.value = f"package:{name}"
        self.loaded = loaded

    def load(self):
        if isinstance(self.loaded, Exception):
            raise self.loaded
        return self.loaded


@pytest.fixture
def entry_points(monkeypatch):
    points = {"costrel.commands": [], "flask.commands": []}
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points[group])
    return points


def command(text):
    return click.Command(text, callback=lambda: click.echo(text))


def test_packages_bring_commands(entry_points, app, invoke):
    entry_points["costrel.commands"].append(EntryPoint("extra", command("extra")))
    entry_points["flask.commands"].append(EntryPoint("flasks", command("flasks")))

    with_extra = FlaskGroup(create_app=lambda: app)
    result = invoke(with_extra, "--help")

    assert "extra" in result.output
    assert "flasks" not in result.output
    assert invoke(with_extra, "extra").output == "extra\n"


def test_those_for_flask_come_under_flasks_name(entry_points, app, invoke, monkeypatch):
    monkeypatch.setattr(group, "served_as_flask", lambda: True)
    entry_points["flask.commands"].append(EntryPoint("flasks", command("flasks")))

    assert invoke(FlaskGroup(create_app=lambda: app), "flasks").output == "flasks\n"


def test_a_package_whose_command_does_not_load(entry_points, app, invoke):
    entry_points["costrel.commands"].append(EntryPoint("broken", ImportError("no module named 'x'")))

    result = invoke(FlaskGroup(create_app=lambda: app), "greet")

    assert result.output.endswith("hello you\n")
    assert result.stderr == (
        "Warning: The command 'broken' (package:broken) could not be loaded: ImportError: no module named 'x'\n"
    )


def test_main_runs_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["costrel", "--version"])

    with pytest.raises(SystemExit) as caught:
        main()

    assert caught.value.code == 0
    assert "Costrel" in capsys.readouterr().out


# -- --as-flask --------------------------------------------------------------------------------------------------


class Relaunched(Exception):
    pass


@pytest.fixture
def relaunched(monkeypatch):
    commands = []

    def execve(path, command, environ):
        commands.append((path, command))
        raise Relaunched

    monkeypatch.setattr(options.os, "execve", execve)
    return commands


@pytest.mark.parametrize(
    "arguments",
    [["run", "--as-flask", "--port", "5001"], ["--as-flask", "run", "--port", "5001"]],
)
def test_the_same_command_is_run_under_flasks_name(invoke, monkeypatch, relaunched, arguments):
    monkeypatch.setattr(sys, "argv", ["costrel", *arguments])

    with pytest.raises(Relaunched):
        invoke(cli, *arguments)

    launcher = [sys.executable, "-m", "costrel.as_flask", "-m", "costrel"]
    assert relaunched == [(sys.executable, [*launcher, "run", "--port", "5001"])]


def test_where_exec_leaves_the_terminal_it_is_called(invoke, monkeypatch):
    called = []
    monkeypatch.setattr(sys, "argv", ["costrel", "--as-flask", "routes"])
    monkeypatch.setattr(options.os, "name", "nt")
    monkeypatch.setattr(options.subprocess, "call", lambda command, env: called.append(command) or 3)

    assert invoke(cli, "--as-flask", "routes").exit_code == 3

    assert called == [[sys.executable, "-m", "costrel.as_flask", "-m", "costrel", "routes"]]


def test_under_flasks_name_it_goes_on(shop, invoke, monkeypatch, relaunched, folder):
    monkeypatch.setattr(options, "served_as_flask", lambda: True)

    invoke(cli, "--as-flask", "--version")

    assert relaunched == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_a_shell(folder, shell):
    script = complete(folder, f"{shell}_source")

    assert "_COSTREL_COMPLETE" in script


def test_completion_names_commands_and_those_of_the_application(write, folder):
    write("app.py", APP)

    found = complete(folder, "bash_complete", COMP_WORDS="costrel ", COMP_CWORD="1")

    assert {"plain,greet", "plain,routes", "plain,request"} <= {*found.splitlines()}


def complete(folder, instruction, **variables):
    """The answer of the command to the shell."""
    code = "import sys; sys.argv[0] = 'costrel'; from costrel.cli import main; main()"
    environment = environ(_COSTREL_COMPLETE=instruction, **variables)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, timeout=60).stdout
