"""Names that `costrel` does not have, and what is said of Flask's."""

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


def test_any_other_name_is_missing_as_in_every_module():
    with pytest.raises(AttributeError, match=r"^module 'costrel' has no attribute 'Falsk'$") as caught:
        costrel.Falsk
    assert (caught.value.name, caught.value.obj) == ("Falsk", costrel)

    with pytest.raises(ImportError, match=r"^cannot import name 'Falsk' from 'costrel'"):
        from costrel import Falsk  # noqa: F401


def test_modules_that_nothing_has_imported_yet_are_found():
    code = "from costrel import sse, views; print(sse.__name__, views.__name__)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert ran.stdout == "costrel.sse costrel.views\n"
