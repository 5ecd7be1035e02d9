"""Names that `costrel` does not have, and the errors for names of Flask."""

import subprocess
import sys
import traceback

import pytest

import costrel

NO_FLASK = (
    "costrel has no 'Flask': the class is costrel.Costrel (from costrel import Costrel). Under Flask's own names it is"
    " served by costrel.install_as_flask(), called before anything imports flask, or by the option --as-flask"
    " (costrel --as-flask run)."
)


def test_flask_is_imported_from_costrel():
    with pytest.raises(ImportError) as caught:
        from costrel import Flask  # noqa: F401

    assert str(caught.value) == NO_FLASK
    assert traceback.format_exception_only(caught.value) == [f"ImportError: {NO_FLASK}\n"]


def test_flask_is_an_attribute_of_costrel():
    with pytest.raises(AttributeError) as caught:
        costrel.Flask

    assert str(caught.value) == NO_FLASK


@pytest.mark.parametrize("code", ["from costrel import Flask", "import costrel as flask; flask.Flask(__name__)"])
def test_python_proposes_nothing_else(code):
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert ran.stderr.splitlines()[-1].endswith(f"Error: {NO_FLASK}")


def test_whether_there_is_a_flask_may_be_asked():
    assert not hasattr(costrel, "Flask")
    assert getattr(costrel, "Flask", None) is None


MISSING = [
    ("render_tempalte", "costrel has no 'render_tempalte'. Did you mean 'render_template'?"),
    ("methodview", "costrel has no 'methodview'. Did you mean 'MethodView'?"),
    ("Map", "costrel has no 'Map' itself. It is in costrel.routing: from costrel.routing import Map"),
    (
        "event_stream",
        "costrel has no 'event_stream' itself. It is in costrel.sse: from costrel.sse import event_stream",
    ),
    ("FastAPI", "costrel has no 'FastAPI': the class is costrel.Costrel."),
    ("Quart", "costrel has no 'Quart': the class is costrel.Costrel; views may be `async def`."),
    ("Markup", "costrel has no 'Markup': it is in markupsafe: from markupsafe import Markup."),
    ("xyzzy", "costrel has no 'xyzzy'."),
]


@pytest.mark.parametrize(("name", "message"), MISSING)
def test_a_missing_name_is_explained(name, message):
    with pytest.raises(ImportError) as imported:
        exec(f"from costrel import {name}")
    with pytest.raises(AttributeError) as read:
        getattr(costrel, name)
    assert (str(imported.value), str(read.value)) == (message, message)


@pytest.mark.parametrize("name", [name for name, _ in MISSING])
def test_a_missing_name_may_be_asked_for(name):
    assert (hasattr(costrel, name), getattr(costrel, name, None)) == (False, None)


NAMES_OF_FLASKS_USERS = [
    "BadRequest",
    "Conflict",
    "FileStorage",
    "Forbidden",
    "Gone",
    "HTTPException",
    "Headers",
    "InternalServerError",
    "MethodNotAllowed",
    "MethodView",
    "MultiDict",
    "NotFound",
    "ServiceUnavailable",
    "TooManyRequests",
    "Unauthorized",
    "UnprocessableEntity",
    "View",
    "check_password_hash",
    "generate_password_hash",
    "safe_join",
    "secure_filename",
]


@pytest.mark.parametrize("name", NAMES_OF_FLASKS_USERS)
def test_names_that_flasks_users_need_are_exported(name):
    assert callable(getattr(costrel, name))


def test_modules_that_nothing_has_imported_yet_are_found():
    code = "from costrel import sse, views; print(sse.__name__, views.__name__)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert ran.stdout == "costrel.sse costrel.views\n"
