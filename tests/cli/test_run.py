"""`costrel run`: its options and their effects."""

import os
import ssl
import sys
from types import ModuleType

import click
import pytest

import costrel
from costrel.cli import CertParamType, FlaskGroup, SeparatedPathType, run_command
from costrel.devserver import development
from costrel.devserver.development import Options
from costrel.server.errors import StartError


@pytest.fixture
def app():
    return costrel.Costrel("shop")


@pytest.fixture
def shop(app):
    return FlaskGroup(create_app=lambda: app)


@pytest.fixture
def served(monkeypatch):
    """What is served, where, and how, in the place of serving."""
    calls = []
    monkeypatch.setattr(development, "serve", lambda *args: calls.append(args))
    return calls


@pytest.fixture
def watched(monkeypatch):
    calls = []

    def watch_over(*args):
        calls.append(args)
        sys.exit(0)

    monkeypatch.setattr(development, "watch_over", watch_over)
    return calls


def test_a_plain_run(shop, app, served, invoke):
    result = invoke(shop, "run")

    assert served == [(app, "127.0.0.1", 5000, Options())]
    assert result.output == " * Serving Costrel app 'shop'\n * Debug mode: off\n"


def test_another_place(shop, app, served, invoke):
    invoke(shop, "run", "-h", "0.0.0.0", "-p", "80")

    assert served == [(app, "0.0.0.0", 80, Options())]


@pytest.mark.parametrize("arguments", [["run", "main:shop"], ["--app", "other", "run", "main:shop", "--port", "5000"]])
def test_an_application_that_is_named_after_the_command(served, invoke, write, arguments):
    write("main.py", "import costrel\nshop = costrel.Costrel('mine')\nother = costrel.Costrel('other')\n")

    result = invoke(FlaskGroup(), *arguments)

    assert [app.import_name for app, *_ in served] == ["mine"]
    assert result.output == " * Serving Costrel app 'main:shop'\n * Debug mode: off\n"


def test_a_group_with_an_application_of_its_own_takes_no_other(shop, served, invoke):
    result = invoke(shop, "run", "main:shop")

    assert served == []
    assert result.exit_code == 2
    assert "Error: This command has an application of its own. Leave out 'main:shop'.\n" in result.stderr


def test_the_usage_names_the_application(shop, invoke):
    assert invoke(shop, "run", "--help").output.startswith("Usage: root run [OPTIONS] [MODULE:NAME]\n")


@pytest.mark.parametrize("prefix", ["COSTREL", "FLASK"])
def test_the_environment_sets_options(shop, app, served, invoke, environ, prefix):
    environ[f"{prefix}_RUN_PORT"] = "5001"
    environ[f"{prefix}_RUN_HOST"] = "localhost"
    environ[f"{prefix}_RUN_EXTRA_FILES"] = "a:b"

    invoke(shop, "run")

    assert served == [(app, "localhost", 5001, Options(extra_files=["a", "b"]))]


def test_costrels_variable_wins_over_flasks_and_the_option_over_both(shop, served, invoke, environ):
    environ["FLASK_RUN_PORT"] = "5001"
    environ["COSTREL_RUN_PORT"] = "5002"

    invoke(shop, "run")
    invoke(shop, "run", "--port", "5003")

    assert [port for _, _, port, _ in served] == [5002, 5003]


def test_what_is_no_number_is_no_port(shop, invoke):
    result = invoke(shop, "run", "--port", "http")

    assert result.exit_code == 2
    assert "Error: Invalid value for '--port' / '-p': 'http' is not a valid integer." in result.stderr


def test_debug_mode_brings_the_reloader_which_does_without_the_application(watched, invoke, folder):
    def create_app():
        raise AssertionError("it was loaded")

    result = invoke(FlaskGroup(create_app=create_app), "run", "--debug")

    assert watched == [("127.0.0.1", 5000, Options(use_reloader=True, use_debugger=True, use_refresh=True))]
    assert result.output == " * Debug mode: on\n"


def test_debug_mode_may_be_asked_for_before_the_command(shop, watched, invoke):
    invoke(shop, "--debug", "run", "--no-debugger")

    assert watched == [("127.0.0.1", 5000, Options(use_reloader=True, use_refresh=True))]


def test_the_process_that_serves_loads_the_application(shop, app, served, invoke, environ):
    environ["WERKZEUG_RUN_MAIN"] = "true"

    result = invoke(shop, "run", "--debug")

    assert served == [(app, "127.0.0.1", 5000, Options(use_reloader=True, use_debugger=True, use_refresh=True))]
    assert result.output == ""


def test_other_options(shop, served, invoke):
    invoke(shop, "run", "--without-threads", "--exclude-patterns", "a/*:b/*")

    assert served[0][3] == Options(threaded=False, exclude_patterns=["a/*", "b/*"])


def test_at_the_first_start_an_application_that_does_not_load_ends_the_command(served, invoke, environ, write):
    environ["WERKZEUG_RUN_MAIN"] = "true"
    write("app.py", "import no_such_package\n")

    result = invoke(FlaskGroup(), "run", "--reload")

    assert served == []
    assert result.exit_code == 2
    assert "ModuleNotFoundError: No module named 'no_such_package'" in result.stderr


def test_after_a_change_it_is_answered_with_the_error(served, invoke, environ, write):
    environ["WERKZEUG_RUN_MAIN"] = "true"
    environ["COSTREL_RELOADED"] = "true"
    path = write("app.py", "def x(:\n")

    result = invoke(FlaskGroup(), "run", "--reload")

    ((app, _, _, options),) = served
    assert "SyntaxError: invalid syntax" in app.test_client().get("/").text
    assert "SyntaxError: invalid syntax" in result.stderr
    assert str(path) in options.extra_files


@pytest.mark.parametrize("text", ["{}['SHOP_KEY']\n", "def create_app():\n    return {}['SHOP_KEY']\n"])
@pytest.mark.parametrize("debugger", ["--debugger", "--no-debugger"])
def test_what_is_shown_is_the_error_of_the_module_itself(served, invoke, environ, write, text, debugger):
    environ["WERKZEUG_RUN_MAIN"] = "true"
    environ["COSTREL_RELOADED"] = "true"
    path = write("app.py", text)

    result = invoke(FlaskGroup(), "run", "--reload", debugger)

    ((app, _, _, options),) = served
    if debugger == "--debugger":
        with pytest.raises(KeyError, match="SHOP_KEY"):
            app.test_client().get("/")
    else:
        assert "a KeyError was raised:" in app.test_client().get("/").text
    assert "a KeyError was raised:" in result.stderr
    assert "discovery.py" not in result.stderr
    assert str(path) in options.extra_files


def test_an_application_that_loads_after_a_change_is_served(shop, app, served, invoke, environ):
    environ["WERKZEUG_RUN_MAIN"] = "true"
    environ["COSTREL_RELOADED"] = "true"

    invoke(shop, "run", "--reload")

    assert served[0][0] is app


def test_a_server_that_cannot_start_says_why(shop, invoke, monkeypatch):
    def serve(*args):
        raise StartError("Port 5000 is in use.")

    monkeypatch.setattr(development, "serve", serve)

    result = invoke(shop, "run")

    assert result.exit_code == 1
    assert result.stderr == "Error: Port 5000 is in use.\n"


# -- certificates ------------------------------------------------------------------------------------------------


def parse(*arguments):
    return run_command.make_context("run", list(arguments)).params["cert"]


def refusal(*arguments):
    with pytest.raises(click.BadParameter) as caught:
        parse(*arguments)
    return f"{caught.value.param.name}: {caught.value.message}"


def test_a_certificate_and_its_key():
    here = os.path.realpath(__file__)

    assert parse("--cert", here, "--key", here) == (here, here)
    assert parse("--key", here, "--cert", here) == (here, here)
    assert parse() is None


def test_a_certificate_without_a_key_and_the_other_way_round():
    assert refusal("--cert", __file__) == 'key: Required with "--cert": the file with the key.'
    assert refusal("--key", __file__) == 'key: Requires "--cert": the file with the certificate.'


def test_a_certificate_made_on_the_spot():
    assert parse("--cert", "adhoc") == "adhoc"
    assert parse("--cert", "ADHOC") == "adhoc"
    assert refusal("--cert", "adhoc", "--key", __file__) == 'key: Not used if "--cert" is adhoc.'


def test_a_certificate_made_on_the_spot_takes_cryptography(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)

    assert refusal("--cert", "adhoc") == (
        "cert: Generating a certificate requires the cryptography library: pip install cryptography"
    )


def test_an_ssl_context(monkeypatch):
    module = ModuleType("shop_tls")
    module.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    monkeypatch.setitem(sys.modules, "shop_tls", module)

    assert parse("--cert", "shop_tls:context") is module.context
    assert refusal("--cert", "shop_tls:context", "--key", __file__) == (
        'key: Not used if "--cert" is an SSLContext object.'
    )
    assert refusal("--cert", "shop_tls") == "cert: File 'shop_tls' does not exist."


def test_a_python_without_ssl(monkeypatch):
    monkeypatch.setitem(sys.modules, "ssl", None)

    assert refusal("--cert", __file__) == "cert: HTTPS requires a Python that was built with SSL."


def test_the_types_stand_alone():
    assert CertParamType().convert(__file__, None, None) == os.path.realpath(__file__)
    assert SeparatedPathType().convert("a:b", None, None) == ["a", "b"]
