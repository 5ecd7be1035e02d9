"""What Flask's command line does, and Costrel's beside it: the application found, the commands and their options."""

import contextlib
import contextvars
import os
import sys
from types import ModuleType

import flask
import flask.cli
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import costrel
import costrel.cli

SIDES = ((flask.cli, flask.Flask), (costrel.cli, costrel.Costrel))


@pytest.fixture(autouse=True)
def environ(monkeypatch):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COSTREL_", "FLASK_"))}
    monkeypatch.setattr(os, "environ", kept)
    return kept


def outcome(function, *args, **kwargs):
    """The name of the application that is found, or the kind of the error."""
    try:
        app = function(*args, **kwargs)
    except Exception as error:
        return type(error).__name__
    return getattr(app, "import_name", app)


# -- which application is found ----------------------------------------------------------------------------------

KINDS = ("app", "factory", "factory with argument", "factory of nothing", "number", "class")
NAMES = ("app", "application", "create_app", "make_app", "shop", "other")
modules = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(KINDS), max_size=4)
literals = st.one_of(
    st.integers(-3, 3).map(repr),
    st.text(max_size=3).map(repr),
    st.sampled_from(["None", "True", "[1, 2]", "{'a': 1}", "x", "1 + 1", "f(1)", "*[1]", "**{}", "a=1", "a='x'", ""]),
)
references = st.one_of(
    st.sampled_from(NAMES),
    st.builds(
        lambda name, args, end: f"{name}({', '.join(args)}{end}",
        st.sampled_from(NAMES),
        st.lists(literals, max_size=2),
        st.sampled_from([")", ", )", "", ")()", ") "]),
    ),
    st.text(alphabet="ab()., =[]'1", max_size=6),
)


def make(kind, name, cls):
    if kind == "app":
        return cls(name)
    if kind == "factory":
        return lambda a=None, **options: cls(f"{name}-{a}-{options}")
    if kind == "factory with argument":

        def create(argument):
            return cls(f"{name}-{argument}")

        return create
    if kind == "factory of nothing":
        return lambda: None
    return 3 if kind == "number" else type("Thing", (), {})


def module_of(names, cls):
    module = ModuleType("shop")
    for name, kind in names.items():
        setattr(module, name, make(kind, name, cls))
    return module


@given(modules)
def test_the_application_of_a_module(names):
    flasks, ours = [outcome(cli.find_best_app, module_of(names, cls)) for cli, cls in SIDES]

    assert ours == flasks


@given(modules, references)
def test_a_reference_to_an_application(names, reference):
    flasks, ours = [outcome(cli.find_app_by_string, module_of(names, cls), reference) for cli, cls in SIDES]

    # Flask passes the literal of `**{}` on as an argument named None, which then fails; here it is refused.
    assert ours == flasks or "**" in reference


paths = st.lists(st.sampled_from(["a", "b", "a.py", "b.c", "__init__", "__init__.py", "..", ".", "x.txt"]), max_size=4)


@given(paths.map("/".join))
def test_the_name_by_which_a_path_is_imported(tmp_path_factory, path):
    results = []
    for cli, _ in SIDES:
        before = list(sys.path)
        results.append((cli.prepare_import(path), sys.path[0]))
        sys.path[:] = before

    assert results[1] == results[0]


@pytest.mark.parametrize("raise_if_not_found", [True, False])
@pytest.mark.parametrize(
    "text", [None, "import no_such_module", "raise ImportError('x')", "x = 1", "raise SystemExit(3)"]
)
def test_a_module_that_gives_no_application(folder, text, raise_if_not_found):
    if text is not None:
        (folder / "shop.py").write_text(text)
    results = []
    for cli, _ in SIDES:
        sys.modules.pop("shop", None)
        cli.prepare_import("shop")
        try:
            results.append(outcome(cli.locate_app, "shop", None, raise_if_not_found))
        except SystemExit as end:
            results.append(end.code)

    assert results[1] == results[0]


@pytest.mark.parametrize(
    ("text", "flasks"),
    [
        ("def x(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("def create_app(): 1 / 0", "ZeroDivisionError"),
    ],
)
def test_an_error_of_the_module_is_explained_where_flask_raises(folder, text, flasks):
    (folder / "shop.py").write_text(f"{text}\n")
    results = []
    for cli, _ in SIDES:
        sys.modules.pop("shop", None)
        cli.prepare_import("shop")
        results.append(outcome(cli.locate_app, "shop", None))

    assert results == [flasks, "NoAppException"]


# -- the commands ------------------------------------------------------------------------------------------------


def options_of(command):
    return {
        param.name: (sorted(param.opts), sorted(param.secondary_opts), param.is_eager, param.expose_value)
        for param in command.params
    }


@pytest.mark.parametrize("command", ["run_command", "routes_command", "shell_command"])
def test_the_options_of_a_command(command):
    flasks, ours = [options_of(getattr(cli, command)) for cli, _ in SIDES]
    for added in ("application", "as_flask", "refresh", "match", "is_json", "plain"):
        ours.pop(added, None)

    assert ours == flasks


def test_the_options_of_the_group():
    flasks, ours = [options_of(cli.FlaskGroup()) for cli, _ in SIDES]

    assert ours == flasks
    assert costrel.cli.FlaskGroup().list_commands is not None


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--port", "5001", "-h", "0.0.0.0"],
        ["--cert", "adhoc"],
        ["--without-threads", "--no-reload", "--debugger"],
        ["--extra-files", "a:b", "--exclude-patterns", "c"],
    ],
)
def test_what_the_options_of_run_give(arguments):
    flasks, ours = [cli.run_command.make_context("run", list(arguments)).params for cli, _ in SIDES]
    del ours["refresh"]  # an option that Flask does not have

    assert ours == flasks


RULES = (
    ("/", {"GET"}, None),
    ("/a", {"GET", "POST", "HEAD"}, "api"),
    ("/b/<int:x>", {"PUT", "DELETE"}, "<name>"),
    ("/c/<path:p>", {"OPTIONS", "GET"}, "api"),
    ("/d/", {"POST"}, None),
)


def routes(cli, cls, rules, hosts, arguments):
    app = cls("shop", static_folder=None, host_matching=hosts, subdomain_matching=not hosts)
    for number, (rule, methods, domain) in enumerate(rules):
        where = {} if domain is None else {"host" if hosts else "subdomain": domain}
        app.add_url_rule(rule, endpoint=f"e{9 - number}", methods=methods, **where)
    result = invoke(cli.FlaskGroup(create_app=lambda: app), ["routes", *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize("rules", [RULES, RULES[:1], RULES[1:3], RULES[::4], ()], ids=len)
@pytest.mark.parametrize("hosts", [True, False])
@pytest.mark.parametrize(
    "arguments", [[], ["--all-methods"], *(["-s", key] for key in ("methods", "domain", "rule", "match"))], ids=str
)
def test_the_table_of_routes(rules, hosts, arguments):
    flasks, ours = [routes(cli, cls, rules, hosts, arguments) for cli, cls in SIDES]

    assert without_padding(ours) == without_padding(flasks)


def without_padding(result):
    """The result of a command: Flask pads the last column."""
    status, output = result
    return status, [line.rstrip() for line in output.splitlines()]


def invoke(group, arguments):
    """Run a command in a new context, because Flask does not remove the application's context after help."""
    return contextvars.copy_context().run(CliRunner().invoke, group, list(arguments))


@contextlib.contextmanager
def kept_environ():
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.parametrize(
    "arguments",
    [
        ["greet"],
        ["missing"],
        ["--help"],
        ["greet", "--help"],
        ["--nonsense"],
        ["run", "--port", "x"],
        ["run", "--cert", __file__],
        ["run", "--key", __file__],
        ["routes", "-s", "x"],
        ["--version"],
        ["--app", "no_such_module", "routes"],
        ["--env-file", "none", "routes"],
        [],
    ],
)
@pytest.mark.parametrize("has_app", [True, False])
def test_the_exit_codes(folder, has_app, arguments):
    codes = []
    for cli, cls in SIDES:
        app = cls("shop")
        app.cli.command("greet")(lambda: None)
        group = cli.FlaskGroup(create_app=(lambda app=app: app) if has_app else None)
        codes.append(invoke(group, arguments).exit_code)

    assert codes[1] == codes[0]


# -- dotenv ------------------------------------------------------------------------------------------------------

dotenv_lines = st.dictionaries(st.sampled_from("ABCD"), st.text("xyz 1", max_size=3), max_size=3).map(
    lambda pairs: "".join(f"{name}={value}\n" for name, value in pairs.items())
)


dotenv_files = st.dictionaries(st.sampled_from([".env", ".flaskenv", "named"]), dotenv_lines)


@given(dotenv_files, st.booleans())
def test_dotenv_files(tmp_path_factory, files, defaults):
    folder = tmp_path_factory.getbasetemp() / "dotenv"
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    for name, text in files.items():
        (folder / name).write_text(text)
    results = []
    with contextlib.chdir(folder):
        for cli, _ in SIDES:
            with kept_environ():
                os.environ["A"] = "set"
                loaded = cli.load_dotenv("named" if "named" in files else None, defaults)
                results.append((loaded, {name: os.environ.get(name) for name in "ABCD"}))

    assert results[1] == results[0]


@given(st.one_of(st.none(), st.text("01noNOfalseTRUEx", max_size=5)))
def test_flags_in_the_environment(value):
    with kept_environ():
        if value is not None:
            os.environ["FLASK_DEBUG"] = os.environ["FLASK_SKIP_DOTENV"] = value
        flasks, ours = [(cli.get_debug_flag(), cli.get_load_dotenv(), cli.get_load_dotenv(False)) for cli, _ in SIDES]

    assert ours == flasks
