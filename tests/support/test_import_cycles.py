"""Modules that import each other: the line to move is named."""

import importlib
import textwrap

import pytest
from click.testing import CliRunner

from costrel.cli import cli
from costrel.support.import_cycles import cycle_advice


@pytest.fixture
def advice(folder):
    """Write modules, import the first, and give the advice for its error."""

    def advice(**files):
        import sys

        for name, text in files.items():
            path = folder / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(text))
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        with pytest.raises((ImportError, AttributeError)) as caught:
            importlib.import_module(next(iter(files)).replace("__", ".").removesuffix(".init"))
        return cycle_advice(caught.value)

    return advice


VIEWS = "from shop_a import app\n"


def test_the_line_and_where_to_put_it(advice):
    found = advice(shop_a='"""Shop."""\n\nimport shop_b\n\napp = object()\n', shop_b=VIEWS)

    assert found == (
        "The modules import each other: line 3 of shop_a.py imports a module that needs 'app', which line 5 defines.\n"
        "Move line 3 below line 5:\n\n    import shop_b"
    )


@pytest.mark.parametrize(
    "text",
    [
        "from shop_b import (\n    x,\n    y,\n)\nif True:\n    app = 1\n",
        "import shop_b\n\ndef app():\n    pass\n",
        "import shop_b\nclass app: pass\n",
        "import shop_b\nfrom os import path as app\n",
        "try:\n    import shop_b\nfinally:\n    pass\napp: int = 1\n",
    ],
)
def test_every_kind_of_definition(advice, text):
    assert "Move line 1 below line " in advice(shop_a=text, shop_b=VIEWS)


def test_an_attribute_of_the_module(advice):
    assert "Move line 1 below line 2" in advice(shop_a="import shop_b\napp = 1\n", shop_b="import shop_a\nshop_a.app\n")


def test_over_three_modules(advice):
    found = advice(shop_a="import shop_b\napp = 1\n", shop_b="import shop_c", shop_c=VIEWS)

    assert found is not None
    assert "line 1 of shop_a.py" in found


@pytest.mark.parametrize(
    "files",
    [
        {"shop_a": "import shop_b\n", "shop_b": VIEWS},
        {"shop_a": "app = 1\nimport shop_b\n", "shop_b": "from shop_a import none\n"},
        {"shop_a": "import shop_none\n"},
        {"shop_a": "from os import none\n"},
        {"shop_a": "import os\nos.none\n"},
    ],
)
def test_other_errors_have_no_advice(advice, files):
    assert advice(**files) is None


def test_the_command_gives_the_advice(folder):
    (folder / "app.py").write_text("from views import x\nfrom costrel import Costrel\napp = Costrel('shop')\n")
    (folder / "views.py").write_text("from app import app\n")

    result = CliRunner().invoke(cli, ["routes"])

    assert result.exit_code == 2
    assert "Move line 1 below line 3:\n\n    from views import x" in result.output
