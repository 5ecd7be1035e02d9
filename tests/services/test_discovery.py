"""Finding the application, and the errors if it is not found. The tests compare the exact texts."""

import importlib
import sys
import textwrap
from types import ModuleType

import click
import pytest

import costrel
from costrel.services import kinds
from costrel.services.discovery import (
    NoAppException,
    find_app_by_string,
    find_best_app,
    locate_app,
    not_located,
    prepare_import,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory from which modules are imported; they are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    importlib.invalidate_caches()
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


def module(**names):
    made = ModuleType("shop")
    vars(made).update(names)
    return made


def message(function, *args, **kwargs):
    with pytest.raises(NoAppException) as caught:
        function(*args, **kwargs)
    return caught.value.message


# -- in a module -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["app", "application", "anything"])
def test_an_application_is_found_by_its_name_or_as_the_only_one(name):
    app = costrel.Costrel("shop")

    assert find_best_app(module(**{name: app})) is app


def test_the_usual_name_wins():
    app, other = costrel.Costrel("a"), costrel.Costrel("b")

    assert find_best_app(module(other=other, app=app)) is app


@pytest.mark.parametrize("name", ["create_app", "make_app"])
def test_a_factory_is_called(name):
    app = costrel.Costrel("shop")

    assert find_best_app(module(**{name: lambda: app})) is app


def test_a_factory_may_have_optional_parameters():
    app = costrel.Costrel("shop")

    assert find_best_app(module(create_app=lambda a=1, **options: app)) is app


def test_a_factory_that_returns_something_else_is_passed_over():
    app = costrel.Costrel("shop")

    assert find_best_app(module(create_app=lambda: None, make_app=lambda: app)) is app


def test_several_applications():
    text = message(find_best_app, module(a=costrel.Costrel("a"), b=costrel.Costrel("b")))

    assert text == "Detected several applications in module 'shop': a, b. Use 'shop:name' to choose one."


def test_a_module_without_an_application():
    text = message(find_best_app, module(CONFIG=1, helper=len, sys=sys, _private=2))

    assert text == (
        "Module 'shop' has no application and no factory. Looked for app, application, any other instance,"
        " create_app() and make_app(). It has: CONFIG, helper. Use 'shop:name' to choose one."
    )


def test_a_module_with_nothing_in_it():
    assert "It defines no names." in message(find_best_app, module())


def test_long_lists_are_cut():
    text = message(find_best_app, module(**{f"n{number}": 1 for number in range(20)}))

    assert "It has: n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, …. Use" in text


def test_an_application_of_the_installed_flask():
    cls = type("Flask", (), {"__module__": "flask.app"})

    text = message(find_best_app, module(app=cls()))

    assert text.endswith(
        "It has: app. Use 'shop:name' to choose one."
        " It is an application of the installed Flask. To run it with Costrel,"
        " use the option --as-flask after 'costrel'"
        " (costrel --as-flask …)."
    )


def test_a_factory_of_the_installed_flask():
    cls = type("Flask", (), {"__module__": "flask.app"})

    assert message(find_best_app, module(Flask=cls, create_app=cls.__call__, make_app=lambda: cls())) == (
        "Module 'shop' has no application: make_app() returned an object of type 'Flask', not an application."
        " It is an application of the installed Flask. To run it with Costrel,"
        " use the option --as-flask after 'costrel'"
        " (costrel --as-flask …)."
    )


def test_a_factory_that_returns_nothing():
    assert message(find_best_app, module(create_app=lambda: None)) == (
        "Module 'shop' has no application: create_app() returned None, not an application."
        " Does it end with 'return app'?"
    )


def test_two_factories_that_return_something_else():
    assert message(find_best_app, module(create_app=lambda: 1, make_app=lambda: "x")) == (
        "Module 'shop' has no application: create_app() returned an object of type 'int' and make_app()"
        " returned an object of type 'str', not an application. It has: create_app, make_app."
        " Use 'shop:name' to choose one."
    )


def test_a_factory_that_wants_arguments():
    def create_app(name, debug=False):
        raise AssertionError("it was called")

    assert message(find_best_app, module(create_app=create_app)) == (
        "Factory 'create_app' in module 'shop' could not be called as create_app(): its parameters are"
        " (name, debug=False). Use 'shop:create_app(args)' to pass arguments."
    )


def test_a_type_error_of_the_factory_itself_is_raised():
    def create_app():
        raise TypeError("bad factory")

    with pytest.raises(TypeError, match="bad factory"):
        find_best_app(module(create_app=create_app))


# -- by a reference ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("app", "plain"),
        (" app ", "plain"),
        ("make", "made"),
        ("make()", "made"),
        ("make('x')", "x"),
        ('make("x", )', "x"),
        ("make(name='y')", "y"),
        ("make(*[])", None),
    ],
)
def test_an_application_is_named(reference, name):
    def make(name="made"):
        return costrel.Costrel(name)

    where = module(app=costrel.Costrel("plain"), make=make)
    if name is None:
        assert message(find_app_by_string, where, reference).startswith("Failed to parse 'make(*[])'")
    else:
        assert find_app_by_string(where, reference).import_name == name


@pytest.mark.parametrize("reference", ["", "make(", "a.b", "a[0]", "1", "a b", "a=1"])
def test_what_is_neither_a_name_nor_a_call(reference):
    assert message(find_app_by_string, module(), reference) == (
        f"Failed to parse {reference!r}. Use a name or a function call."
    )


@pytest.mark.parametrize("interface", ["asgi", "asgi_app", "wsgi_app"])
@pytest.mark.parametrize("application", ["app", "make()", "a.app"])
def test_the_interface_of_an_application_names_no_application(application, interface):
    assert message(find_app_by_string, module(), f"{application}.{interface}") == (
        f"Failed to parse '{application}.{interface}'. Use the application itself, '{application}'. Costrel finds its"
        f" '{interface}'."
    )


@pytest.mark.parametrize("reference", ["a.b()", "a()()", "os.system('x')"])
def test_what_is_called_has_to_be_a_name(reference):
    assert message(find_app_by_string, module(), reference) == (
        f"Failed to parse {reference!r}. The function must be a simple name."
    )


@pytest.mark.parametrize("reference", ["make(x)", "make(1 + x)", "make(f())", "make(**{'a': 1})"])
def test_arguments_have_to_be_literals(reference):
    assert message(find_app_by_string, module(), reference) == (
        f"Failed to parse {reference!r}. The arguments must be literal values, such as 'text', 1 or True."
    )


def test_a_name_that_is_not_there():
    where = module(application=1)

    assert message(find_app_by_string, where, "aplication") == (
        "There is no 'aplication' in module 'shop'. Did you mean 'application'?"
    )
    assert message(find_app_by_string, where, "zzz") == "There is no 'zzz' in module 'shop'."


def test_what_is_named_is_no_application():
    where = module(config={}, make=lambda: None)

    assert message(find_app_by_string, where, "config") == (
        "'shop:config' is an object of type 'dict', not an application."
    )
    assert message(find_app_by_string, where, "make()") == "'shop:make()' is None, not an application."


def test_what_is_named_is_not_the_application_beside_it():
    where = module(config={}, site=costrel.Costrel("a"), admin=costrel.Costrel("b"), index=lambda: "hello")

    assert message(find_app_by_string, where, "config") == (
        "'shop:config' is an object of type 'dict', not an application."
        " Module 'shop' has the applications site, admin. Use 'shop:site'."
    )
    del where.admin
    assert message(find_app_by_string, where, "index") == (
        "'shop:index' is an object of type 'str', not an application. Module 'shop' has the application site."
        " Use 'shop:site'."
    )


def test_a_factory_called_with_the_wrong_arguments():
    def make(name):
        raise AssertionError("it was called")

    assert message(find_app_by_string, module(make=make), "make('a', 'b')") == (
        "Factory 'make' in module 'shop' could not be called as make('a', 'b'): its parameters are (name)."
        " Use 'shop:make(args)' to pass arguments."
    )
    assert "could not be called as make(): its parameters" in message(find_app_by_string, module(make=make), " make ")


def test_an_error_of_the_factory_that_is_named_is_raised():
    def make():
        raise KeyError("bad factory")

    with pytest.raises(KeyError, match="bad factory"):
        find_app_by_string(module(make=make), "make()")


# -- by its module -----------------------------------------------------------------------------------------------


def test_an_application_is_imported(folder):
    write(folder / "shop.py", "import costrel\napp = costrel.Costrel('one')\nother = costrel.Costrel('two')")

    assert locate_app("shop", None).import_name == "one"
    assert locate_app("shop", "other").import_name == "two"


def test_a_module_that_is_not_there(folder):
    write(folder / "main.py")
    write(folder / "tools" / "__init__.py")

    assert message(locate_app, "shop", None) == (
        f"Could not import 'shop': there is no module 'shop' in {folder}. Modules there: main, tools."
    )
    assert message(locate_app, "mian", None) == (
        f"Could not import 'mian': there is no module 'mian' in {folder}. Did you mean 'main'?"
    )


def test_a_module_of_a_package_that_is_not_there(folder):
    write(folder / "shop" / "__init__.py")
    write(folder / "shop" / "web.py")

    assert message(locate_app, "shop.wbe", None) == (
        f"Could not import 'shop.wbe': there is no module 'wbe' in {folder / 'shop'}. Did you mean 'web'?"
    )


def test_a_folder_without_modules(folder):
    assert message(locate_app, "shop", None) == (
        f"Could not import 'shop': there is no module 'shop' in {folder}. It contains no Python modules."
    )


def test_a_folder_that_is_not_there(folder):
    missing = folder / "a" / "b"
    assert message(locate_app, "a.b.c", None) == f"Could not import 'a.b.c': the folder {missing} does not exist."


def test_a_missing_module_may_be_passed_over(folder):
    assert locate_app("shop", None, raise_if_not_found=False) is None


@pytest.mark.parametrize("raise_if_not_found", [True, False])
def test_an_import_error_inside_the_module_is_shown_from_its_first_frame(folder, raise_if_not_found):
    write(folder / "shop.py", "from models import User\n")
    write(folder / "models.py", "import no_such_package\n")

    assert message(locate_app, "shop", None, raise_if_not_found) == (
        "While importing 'shop', an ImportError was raised:\n"
        "\n"
        "Traceback (most recent call last):\n"
        f'  File "{folder}/shop.py", line 1, in <module>\n'
        "    from models import User\n"
        f'  File "{folder}/models.py", line 1, in <module>\n'
        "    import no_such_package\n"
        "ModuleNotFoundError: No module named 'no_such_package'\n"
    )


def test_a_syntax_error_is_shown_with_its_place(folder):
    write(folder / "shop.py", "app = 1\ndef x(:\n    pass\n")

    assert message(locate_app, "shop", None) == (
        "While importing 'shop', a SyntaxError was raised:\n"
        "\n"
        f'  File "{folder}/shop.py", line 2\n'
        "    def x(:\n"
        "          ^\n"
        "SyntaxError: invalid syntax\n"
    )


def test_any_other_error_inside_the_module_too(folder):
    write(folder / "shop.py", "from settings import KEY\n")
    write(folder / "settings.py", "KEY = {}['SHOP_KEY']\n")

    assert message(locate_app, "shop", None) == (
        "While importing 'shop', a KeyError was raised:\n"
        "\n"
        "Traceback (most recent call last):\n"
        f'  File "{folder}/shop.py", line 1, in <module>\n'
        "    from settings import KEY\n"
        f'  File "{folder}/settings.py", line 1, in <module>\n'
        "    KEY = {}['SHOP_KEY']\n"
        "          ~~^^^^^^^^^^^^\n"
        "KeyError: 'SHOP_KEY'\n"
    )


@pytest.mark.parametrize("reference", [None, "create_app", " create_app() "])
def test_an_error_inside_a_factory_too(folder, reference):
    write(folder / "shop.py", "def create_app():\n    raise OSError('no disk')\n")

    assert message(locate_app, "shop", reference) == (
        "While calling create_app() of 'shop', an OSError was raised:\n"
        "\n"
        "Traceback (most recent call last):\n"
        f'  File "{folder}/shop.py", line 2, in create_app\n'
        "    raise OSError('no disk')\n"
        "OSError: no disk\n"
    )


def test_the_call_of_a_factory_is_shown_with_its_arguments(folder):
    write(folder / "shop.py", "def create_app(name):\n    return name + 1\n")

    told = message(locate_app, "shop", "create_app('x')")

    assert told.startswith("While calling create_app('x') of 'shop', a TypeError was raised:\n")


def test_a_view_that_is_taken_for_a_factory(folder):
    write(
        folder / "hello.py",
        """\
        from costrel import Costrel, request
        app = Costrel("hello")
        @app.route("/")
        def hello():
            return request.path
        """,
    )

    told = message(locate_app, "hello", "hello").splitlines()

    assert told[0] == "While calling hello() of 'hello', a RuntimeError was raised:"
    assert told[-1] == "Module 'hello' has the application app. Use 'hello:app'."
    assert told[3] == f'  File "{folder}/hello.py", line 5, in hello'


@pytest.mark.parametrize("text", ["1 / 0", "import no_such_package", "def create_app(): 1 / 0"])
def test_the_error_that_is_told_is_kept(folder, text):
    write(folder / "shop.py", text)

    with pytest.raises(NoAppException) as caught:
        locate_app("shop", None)

    assert caught.value.__suppress_context__
    assert isinstance(caught.value.__context__, (ZeroDivisionError, ModuleNotFoundError))


@pytest.mark.parametrize("where", ["raise {}", "def create_app(): raise {}"])
@pytest.mark.parametrize("error", [click.UsageError("use it"), click.Abort(), click.exceptions.Exit(3)], ids=repr)
def test_what_click_tells_is_left_to_it(folder, monkeypatch, where, error):
    monkeypatch.setattr(costrel, "the_error", error, raising=False)
    write(folder / "shop.py", "import costrel\n" + where.format("costrel.the_error"))

    with pytest.raises(type(error)) as caught:
        locate_app("shop", None)

    assert caught.value is error


@pytest.mark.parametrize(
    ("name", "article"),
    [("OSError", "an"), ("UnboundLocalError", "an"), ("UnicodeError", "a"), ("UserError", "a"), ("error", "an")],
)
def test_an_error_has_the_article_of_its_name(folder, name, article):
    write(folder / "shop.py", f"raise type({name!r}, (Exception,), {{}})")

    assert message(locate_app, "shop", None).startswith(f"While importing 'shop', {article} {name} was raised:\n")


@pytest.fixture
def without_flask(monkeypatch):
    """As on a computer where Flask and Werkzeug are not installed."""

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name.partition(".")[0] in ("flask", "werkzeug"):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    for name in list(sys.modules):
        if name.partition(".")[0] in ("flask", "werkzeug"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])


STAND_IN = (
    "\nCostrel can replace Flask and Werkzeug, which need not be installed: use the option --as-flask after"
    " 'costrel' (costrel --as-flask …).\n"
)


@pytest.mark.parametrize(
    "text", ["from flask import Flask", "import werkzeug.http", "def create_app():\n    from flask.views import View"]
)
def test_without_flask_the_module_says_what_stands_in(folder, without_flask, text):
    write(folder / "shop.py", text)

    told = message(locate_app, "shop", None)

    assert "ModuleNotFoundError: No module named" in told
    assert told.endswith(f"'\n{STAND_IN}")


@pytest.mark.parametrize("text", ["import flasks", "raise ImportError('x', name='flask')", "raise ImportError('x')"])
def test_another_missing_module_gets_no_such_hint(folder, without_flask, text):
    write(folder / "shop.py", text)

    assert "--as-flask" not in message(locate_app, "shop", None)


def test_nor_does_a_module_that_costrel_in_flasks_place_lacks(folder, without_flask, monkeypatch):
    flask = ModuleType("flask")
    flask.Flask = costrel.Costrel
    monkeypatch.setitem(sys.modules, "flask", flask)
    write(folder / "shop.py", "import flask.ext")

    assert "--as-flask" not in message(locate_app, "shop", None)


# -- by a path ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name", "folder_name"),
    [
        ("shop", "shop", ""),
        ("shop.py", "shop", ""),
        ("./shop.py", "shop", ""),
        ("src/shop", "shop", "src"),
        ("shop/__init__.py", "shop", ""),
        ("shop.web", "shop.web", ""),
        ("src/pkg/inner/web.py", "pkg.inner.web", "src"),
        ("src/pkg/inner/__init__", "pkg.inner", "src"),
        ("notes.txt", "notes.txt", ""),
    ],
)
def test_the_name_by_which_a_path_is_imported(folder, path, name, folder_name):
    write(folder / "src" / "pkg" / "__init__.py")
    write(folder / "src" / "pkg" / "inner" / "__init__.py")

    assert prepare_import(path) == name
    assert sys.path[0] == str(folder / folder_name)


def test_a_folder_is_put_on_the_path_once(folder):
    before = list(sys.path)

    prepare_import("shop.py")

    assert sys.path == before


# -- nowhere -----------------------------------------------------------------------------------------------------

ADVICE = (
    " Set the application with the option --app, as in --app module:name, or with the environment variable COSTREL_APP"
    " or FLASK_APP."
)


def test_an_empty_folder(folder):
    assert not_located().message == (
        f"Could not locate an application: there is no wsgi.py or app.py in {folder}."
        f" There are no Python files there.{ADVICE}"
    )


def test_a_folder_with_other_files(folder):
    write(folder / "tools.py")
    write(folder / "setup.py")

    assert not_located().message == (
        f"Could not locate an application: there is no wsgi.py or app.py in {folder}."
        f" Python files there: setup.py, tools.py.{ADVICE}"
    )


@pytest.mark.parametrize(
    "text", ["app = Costrel(__name__)", "app = flask.Flask(__name__)", "def create_app():", "def make_app(x):"]
)
def test_a_folder_with_a_file_that_seems_to_hold_one(folder, text):
    write(folder / "main.py", text)
    write(folder / "setup.py")

    assert not_located().message == (
        f"Could not locate an application: there is no wsgi.py or app.py in {folder}."
        f" There may be one in main.py. Try --app main.{ADVICE}"
    )


def test_a_file_that_cannot_be_read_holds_none(folder):
    (folder / "broken.py").mkdir()

    assert "Python files there: broken.py." in not_located().message


# -- the error ---------------------------------------------------------------------------------------------------


def test_the_error_is_shown_without_the_usage(capsys):
    error = NoAppException("There is none.", click.Context(click.Command("run")))

    error.show()

    assert capsys.readouterr().err == "Error: There is none.\n"
    assert error.exit_code == 2


def test_the_error_may_be_shown_elsewhere(tmp_path):
    with open(tmp_path / "out", "w+") as file:
        NoAppException("There is none.").show(file)
        file.seek(0)
        assert file.read() == "Error: There is none.\n"


def test_the_class_of_applications_is_plugged_in(monkeypatch):
    monkeypatch.setattr(kinds, "application_class", dict)

    assert find_best_app(module(app={})) == {}
