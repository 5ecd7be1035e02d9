"""The alias: ``flask`` and ``werkzeug`` are Costrel, in this process and in those that it starts.

Each test is a program of its own: once a process has the alias, it keeps it.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

AS_FLASK = Path(__import__("costrel").__file__).parent / "as_flask"


def python(program, *arguments, code=0, cwd=None, **environment):
    """What a program prints; it must end with `code`."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("COSTREL", "FLASK", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", *(["-c", textwrap.dedent(program)] if program else []), *map(str, arguments)],
        env=variables | environment,
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


INSTALL = "import costrel; costrel.install_as_flask()\n"


def aliased(program, **options):
    return python(INSTALL + textwrap.dedent(program), **options)


def test_both_packages_and_their_modules_are_costrel():
    printed = aliased(
        """
        import flask, werkzeug, flask.sansio.app, werkzeug.middleware.proxy_fix
        from costrel.app.application import Flask
        from flask.views import MethodView
        from werkzeug.datastructures import MultiDict
        from costrel.http.multidict import MultiDict as Own
        print(flask.Flask is Flask, MultiDict is Own, "compat" in flask.__file__, "compat" in werkzeug.__file__)
        """
    )

    assert printed == "True True True True\n"


def test_an_application_answers_under_the_alias():
    printed = aliased(
        """
        from flask import Flask, request
        app = Flask("shop")
        @app.get("/<name>")
        def hello(name):
            return {"name": name, "q": request.args["q"]}
        print(app.test_client().get("/you?q=1").json)
        """
    )

    assert printed == "{'name': 'you', 'q': '1'}\n"


def test_every_module_is_loaded_once_and_eagerly():
    printed = aliased(
        """
        import sys
        before = {n: m for n, m in sys.modules.items() if n.split(".")[0] in ("flask", "werkzeug")}
        import flask.cli, flask.testing, werkzeug.serving, werkzeug.test, werkzeug.debug
        costrel.install_as_flask()
        after = {n: m for n, m in sys.modules.items() if n.split(".")[0] in ("flask", "werkzeug")}
        print(before == after, flask.sansio.__file__, hasattr(flask.sansio, "__init__.py"))
        """
    )

    assert printed == "True None False\n"


def test_what_was_imported_before_cannot_be_replaced():
    error = python(
        """
        import sys
        from types import ModuleType
        def pretend():
            flask = sys.modules["flask"] = ModuleType("flask")
            flask.__file__ = "/elsewhere/flask/__init__.py"
            flask.Flask = type("Flask", (), {"__module__": "flask.app"})
            models = sys.modules["shop.models"] = ModuleType("shop.models")
            models.Flask = flask.Flask
            views = sys.modules["shop.views"] = ModuleType("shop.views")
            views.framework = flask
        pretend()
        import costrel
        costrel.install_as_flask()
        """,
        code=1,
    )

    assert error.splitlines()[-2:] == [
        (
            "RuntimeError: The real 'flask' is loaded already, from /elsewhere/flask/__init__.py, so Costrel cannot"
            " take its place. Modules that hold a part of it: shop.models, shop.views."
        ),
        (
            "Call costrel.install_as_flask() before anything imports flask or werkzeug: on the program's first lines."
            " Or start it with `python -m costrel.as_flask app.py`, and tests with"
            " `pytest -p costrel.as_flask.pytest`."
        ),
    ]


def test_a_failed_installation_leaves_nothing_behind():
    printed = python(
        """
        import sys, types
        import costrel
        from costrel.compat import install
        install.MODULES = ("werkzeug.local", "werkzeug.no_such_module")
        try:
            costrel.install_as_flask()
        except ImportError as error:
            print(error)
        print([name for name in sys.modules if name.startswith("werkzeug")], install.is_installed())
        """
    )

    assert printed == "No module named 'werkzeug.no_such_module'\n[] False\n"


def test_classes_and_functions_say_that_they_come_from_the_originals_modules():
    printed = aliased(
        """
        import pickle, flask, werkzeug
        from werkzeug.datastructures import ImmutableMultiDict
        from werkzeug.sansio.request import Request
        from werkzeug.wsgi import get_host
        app = flask.Flask("shop")
        blueprint = flask.Blueprint("parts", "shop", static_folder="static")
        app.register_blueprint(blueprint)
        static, parts = app.view_functions["static"], app.view_functions["parts.static"]
        print(flask.Flask, Request, get_host.__module__)
        print(f"{static.__module__}.{static.__name__}", f"{parts.__module__}.{parts.__name__}")
        print(pickle.loads(pickle.dumps(ImmutableMultiDict({"a": "b"}))))
        """
    )

    assert printed == (
        "<class 'flask.app.Flask'> <class 'werkzeug.sansio.request.Request'> werkzeug.wsgi\n"
        "flask.app.<lambda> flask.blueprints.send_static_file\n"
        "ImmutableMultiDict([('a', 'b')])\n"
    )


def test_annotations_can_be_read_from_the_originals_modules():
    printed = aliased(
        """
        import typing, flask.views, werkzeug.local
        print(typing.get_type_hints(flask.views.MethodView)["init_every_request"].__origin__)
        print(typing.get_type_hints(flask.Config), sorted(typing.get_type_hints(werkzeug.local.Local))[:1])
        """
    )

    assert printed == "typing.ClassVar\n{} ['_Local__storage']\n"


METADATA = """
    from importlib.metadata import distribution, entry_points, metadata, version
    print(version("flask"), version("Flask"), version("werkzeug"), version("Werkzeug"))
    print(metadata("werkzeug")["Name"], distribution("flask").read_text("RECORD"))
    print([e.value for e in entry_points(group="console_scripts", name="flask")])
    print(distribution("flask").locate_file("flask/app.py").is_file(), "werkzeug" in distribution("flask").requires)
    print(version("jinja2") != "", distribution("werkzeug").read_text("top_level.txt"), end="")
"""
EXPECTED = """\
3.1.3 3.1.3 3.1.9 3.1.9
Werkzeug None
['flask.cli:main']
True True
True werkzeug
"""


def test_the_metadata_is_that_of_the_releases_stood_for():
    assert aliased(METADATA) == EXPECTED


HIDE = """
    import sys
    class Hidden:
        def find_spec(self, name, path=None, target=None):
            if name in ("flask", "werkzeug"):
                raise ModuleNotFoundError(name)
    sys.meta_path.insert(0, Hidden())
    from importlib.metadata import MetadataPathFinder
    find = MetadataPathFinder.find_distributions.__func__
    def without(cls, *args):
        return (d for d in find(cls, *args) if d.metadata["Name"].lower() not in ("flask", "werkzeug"))
    MetadataPathFinder.find_distributions = classmethod(without)
"""


def test_flask_need_not_be_installed():
    printed = python(textwrap.dedent(HIDE) + INSTALL + textwrap.dedent(METADATA) + "import flask; print(flask.Flask)")

    assert printed == EXPECTED + "<class 'flask.app.Flask'>\n"


def test_the_version_attribute_is_deprecated_as_in_flask():
    printed = aliased(
        """
        import warnings, flask, werkzeug
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            print(flask.__version__)
        print(seen[0].category.__name__, seen[0].message, seen[0].filename)
        for package in flask, werkzeug:
            try:
                package.__version__ if package is werkzeug else package.no_such_name
            except AttributeError as error:
                print(error)
        """
    )

    assert printed == (
        "3.1.3\nDeprecationWarning The '__version__' attribute is deprecated and will be removed in Flask 3.2. Use"
        " feature detection or 'importlib.metadata.version(\"flask\")' instead. <string>\n"
        "module 'flask' has no attribute 'no_such_name'\n"
        "module 'werkzeug' has no attribute '__version__'\n"
    )


def test_the_ordered_multidicts_are_deprecated_as_in_werkzeug():
    printed = aliased(
        """
        import warnings, werkzeug.datastructures as ds
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            print(ds.OrderedMultiDict.__mro__[1].__name__, ds.ImmutableOrderedMultiDict.__mro__[1].__name__)
        for warning in seen:
            print(warning.message)
        print(hasattr(ds, "no_such_name"))
        """
    )

    assert printed == (
        "MultiDict ImmutableMultiDictMixin\n"
        "'OrderedMultiDict' is deprecated and will be removed in Werkzeug 3.2. Use 'MultiDict' instead.\n"
        "'ImmutableOrderedMultiDict' is deprecated and will be removed in Werkzeug 3.2. Use 'ImmutableMultiDict'"
        " instead.\n"
        "False\n"
    )


# Starting programs


@pytest.fixture
def script(tmp_path):
    """A program that prints its version of Flask and that of a child process."""
    path = tmp_path / "program.py"
    path.write_text(
        textwrap.dedent(
            """
            import subprocess, sys
            import flask, sibling
            print(__name__, flask.Flask.__mro__[1].__name__, sys.argv[1:], sibling.VALUE, flush=True)
            if "child" not in sys.argv:
                subprocess.run([sys.executable, __file__, "child"], check=True)
            """
        )
    )
    (tmp_path / "sibling.py").write_text("VALUE = 1")
    return path


def test_a_program_and_its_children_run_on_costrel(script):
    printed = python("", "-m", "costrel.as_flask", script, "one", "--two")

    assert printed == "__main__ Costrel ['one', '--two'] 1\n__main__ Costrel ['child'] 1\n"


def test_a_module_runs_on_costrel(script):
    printed = python("", "-m", "costrel.as_flask", "-m", "program", "child", cwd=script.parent)

    assert printed == "__main__ Costrel ['child'] 1\n"


def test_the_flask_command_runs_as_a_module(tmp_path):
    (tmp_path / "hello.py").write_text("import flask\napp = flask.Flask('hello', static_folder=None)\n")

    printed = python("", "-m", "costrel.as_flask", "-m", "flask", "--app", "hello", "routes", cwd=tmp_path)

    assert printed == "No routes were registered.\n"


@pytest.mark.parametrize("arguments", [[], ["-m"]])
def test_without_a_program_the_usage_is_shown(arguments):
    assert python("", "-m", "costrel.as_flask", *arguments, code=2).startswith(
        "usage: python -m costrel.as_flask app.py"
    )


def test_help_is_no_error():
    assert python("", "-m", "costrel.as_flask", "--help").startswith("usage: python -m costrel.as_flask app.py")


def test_a_file_that_is_missing_is_named(tmp_path):
    error = python("", "-m", "costrel.as_flask", "missing.py", code=2, cwd=tmp_path)

    assert error == f"There is no file 'missing.py' in {tmp_path}. For a module, use -m missing.py.\n"


def test_tests_run_on_costrel(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import flask, subprocess, sys\n"
        "def test_it():\n"
        "    assert flask.Flask.__mro__[1].__name__ == 'Costrel'\n"
        "    child = 'import flask; print(flask.Flask.__mro__[1].__name__)'\n"
        "    assert subprocess.check_output([sys.executable, '-c', child]) == b'Costrel\\n'\n"
    )

    printed = python(
        "",
        *("-m", "pytest", "-p", "costrel.as_flask.pytest", "-p", "no:cacheprovider", "-c", os.devnull, "test_it.py"),
        cwd=tmp_path,
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )

    assert "flask and werkzeug: served by costrel " in printed
    assert "1 passed" in printed


# Child processes


def child(program, *folders, **environment):
    path = os.pathsep.join([str(AS_FLASK / "child"), *map(str, folders)])
    return python(program, PYTHONPATH=path, **environment)


def test_a_child_that_imports_no_flask_imports_no_costrel():
    printed = child("import sys; print('costrel' in sys.modules)", COSTREL_AS_FLASK="1")

    assert printed == "False\n"


@pytest.mark.parametrize("first", ["flask", "werkzeug", "flask.json", "werkzeug.http"])
def test_a_child_gets_costrel_with_its_first_import(first):
    printed = child(
        f"""
        import {first}
        import flask, werkzeug
        print(flask.Flask.__mro__[1].__name__, flask.__spec__.origin == flask.__file__, len(flask.__path__))
        import importlib.util
        print(importlib.util.find_spec("werkzeug").origin == werkzeug.__file__)
        print(hasattr(flask, "globals"), hasattr(werkzeug, "http"), flask.Flask is flask.app.Flask)
        """,
        COSTREL_AS_FLASK="1",
    )

    assert printed == "Costrel True 1\nTrue\nTrue True True\n"


def test_a_child_may_look_for_the_package_first():
    printed = child(
        """
        import importlib.resources, importlib.util
        spec = importlib.util.find_spec("flask")
        import flask
        print(spec is flask.__spec__, hasattr(flask, "globals"), importlib.reload(flask) is flask)
        print(importlib.resources.files("flask").joinpath("__init__.py").is_file())
        """,
        COSTREL_AS_FLASK="1",
    )

    assert printed == "True True True\nTrue\n"


def test_a_child_may_ask_for_the_metadata_first():
    assert child(METADATA, COSTREL_AS_FLASK="1") == EXPECTED


def test_a_child_may_install_by_itself():
    printed = child(
        INSTALL + "import importlib.metadata, flask; print(importlib.metadata.version('flask'))", COSTREL_AS_FLASK="1"
    )

    assert printed == "3.1.3\n"


def test_without_the_variable_a_child_has_what_is_installed():
    printed = child("import flask; print(flask.Flask.__module__, 'compat' in flask.__file__)")

    assert printed == "flask.app False\n"


@pytest.mark.parametrize("variable", [{}, {"COSTREL_AS_FLASK": "1"}])
def test_another_sitecustomize_still_runs(tmp_path, variable):
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.customized = True")

    assert child("print(customized)", tmp_path, **variable) == "True\n"


# The two context variables


def test_the_context_variables_can_be_read():
    printed = aliased(
        """
        import flask
        from flask.globals import _cv_app, _cv_request
        app = flask.Flask("shop")
        print(_cv_app.get(None), _cv_request.get("none"), _cv_app)
        try:
            _cv_request.get()
        except LookupError as error:
            print("LookupError", error)
        with app.app_context() as ctx:
            print(_cv_app.get() is ctx, _cv_request.get(None))
        with app.test_request_context("/") as ctx:
            print(_cv_app.get().app is app, _cv_request.get() is ctx)
        """
    )

    assert printed == (
        "None none <ContextReader name='flask.app_ctx'>\n"
        "LookupError <ContextReader name='flask.request_ctx'>\n"
        "True None\n"
        "True True\n"
    )
