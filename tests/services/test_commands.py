"""Commands that run inside the application's context."""

import os

import click
import pytest
from click.testing import CliRunner

import costrel
from costrel import context
from costrel.services.commands import AppGroup, ScriptInfo, pass_script_info, with_appcontext
from costrel.services.discovery import NoAppException


@pytest.fixture(autouse=True)
def no_debug_mode(monkeypatch):
    monkeypatch.setattr(os, "environ", {name: os.environ[name] for name in os.environ if "_DEBUG" not in name})


@pytest.fixture
def info():
    return ScriptInfo(create_app=lambda: costrel.Costrel("shop"))


def invoke(command, *args, obj=None):
    return CliRunner().invoke(command, args, obj=obj, catch_exceptions=False)


def test_a_command_with_the_context(info):
    @click.command()
    @with_appcontext
    def name():
        """Show the name."""
        click.echo(context.current().app.name)

    assert invoke(name, obj=info).output == "shop\n"
    assert name.help == "Show the name."


def test_a_context_that_is_there_is_kept(info):
    @click.command()
    @with_appcontext
    def name():
        click.echo(context.current().app.name)

    with costrel.Costrel("other").app_context():
        assert invoke(name, obj=info).output == "other\n"


def test_the_context_ends_with_the_command(info):
    @click.command()
    @with_appcontext
    def command():
        pass

    invoke(command, obj=info)

    assert context.peek() is None


def test_the_commands_of_a_group_have_the_context(info):
    group = AppGroup()

    @group.command()
    def one():
        click.echo(context.current().app.name)

    @group.command
    def two():
        click.echo(context.current().app.name)

    @group.group()
    def inner():
        pass

    @inner.command("three")
    def three():
        click.echo(context.current().app.name)

    assert isinstance(inner, AppGroup)
    assert invoke(group, "one", obj=info).output == "shop\n"
    assert invoke(group, "two", obj=info).output == "shop\n"
    assert invoke(group, "inner", "three", obj=info).output == "shop\n"


def test_a_command_may_do_without_the_context(info):
    group = AppGroup()

    @group.command(with_appcontext=False)
    def bare():
        click.echo(str(context.peek()))

    assert invoke(group, "bare", obj=info).output == "None\n"


def test_a_group_of_another_class():
    group = AppGroup()

    @group.group(cls=click.Group)
    def inner():
        pass

    assert type(inner) is click.Group


def test_a_command_may_ask_for_the_script_info(info):
    @click.command()
    @pass_script_info
    def show(script_info):
        click.echo(script_info is info)

    assert invoke(show, obj=info).output == "True\n"


def test_the_application_is_loaded_once(info):
    assert info.load_app() is info.load_app()


@pytest.mark.parametrize("debug", ["0", "1"])
def test_debug_mode_is_that_of_the_environment(info, debug):
    os.environ["FLASK_DEBUG"] = debug

    assert info.load_app().debug is (debug == "1")


def test_debug_mode_may_be_left_to_the_application():
    def create_app():
        app = costrel.Costrel("shop")
        app.debug = True
        return app

    assert ScriptInfo(create_app=create_app, set_debug_flag=False).load_app().debug is True


MODULE = "import costrel\napp = costrel.Costrel('one')\nother = costrel.Costrel('two')\n"


@pytest.mark.parametrize(
    ("path", "name"), [("shop", "one"), ("shop.py", "one"), ("shop:other", "two"), ("./shop.py:other", "two")]
)
def test_an_application_by_its_import_path(folder, path, name):
    (folder / "shop.py").write_text(MODULE)

    assert ScriptInfo(path).load_app().import_name == name


@pytest.mark.parametrize("file", ["wsgi.py", "app.py"])
def test_an_application_in_one_of_the_usual_files(folder, file):
    (folder / file).write_text(MODULE)

    assert ScriptInfo().load_app().import_name == "one"


def test_no_application(folder):
    with pytest.raises(NoAppException, match="Could not locate an application"):
        ScriptInfo().load_app()


def test_a_drive_letter_is_no_module():
    from costrel.services.commands import _BEFORE_NAME

    assert _BEFORE_NAME.split(r"C:\shop\app.py:create_app", maxsplit=1) == [r"C:\shop\app.py", "create_app"]
    assert _BEFORE_NAME.split("C:/shop/app.py", maxsplit=1) == ["C:/shop/app.py"]
