"""The table of the locations of Flask's and Werkzeug's names: each name is the same object in both places."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "coming-from-flask.md"

COMPARE = """
import importlib, json, sys, types
import costrel

costrel.install_as_flask()
import flask


def public(module):
    names = vars(module).items()
    return {name for name, value in names if name[0] != "_" and type(value) is not types.ModuleType}


def elsewhere(there, names, here):
    if here != "costrel.json":
        importlib.import_module(here)
    parent, _, last = here.rpartition(".")
    home = getattr(sys.modules[parent], last) if parent else costrel
    module = importlib.import_module(there)
    if names == "all":
        names = public(module)
    elif isinstance(names, str):
        names = public(module) & public(flask)
    assert names, there
    return [name for name in names if getattr(home, name, None) is not getattr(module, name)]


print(json.dumps([[row, missing] for row in json.load(sys.stdin) if (missing := elsewhere(*row))]))
"""


def rows() -> list[tuple[str, list[str] | str, str]]:
    """A module of theirs, the names in question, a module of ours."""
    table = PAGE.read_text().partition("## Module names")[2].partition("\n## ")[0]
    found = []
    for line in re.findall(r"^\| `.*", table, re.MULTILINE):
        theirs, names, ours = line.strip("| ").split(" | ")
        listed = re.findall(r"`([\w.]+)`", names) if names.startswith("`") else names
        found += [(module, listed, ours.strip("`")) for module in re.findall(r"`([\w.]+)`", theirs)]
    return found


@pytest.fixture(scope="module")
def elsewhere() -> list[object]:
    command = [sys.executable, "-c", COMPARE]
    done = subprocess.run(command, input=json.dumps(rows()), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


def test_every_name_is_where_the_page_says(elsewhere: list[object]) -> None:
    assert elsewhere == []


def test_the_modules_that_applications_import_most_are_listed() -> None:
    listed = {module for module, _, _ in rows()}
    assert listed >= {"flask.views", "werkzeug.exceptions", "werkzeug.routing", "werkzeug.security", "werkzeug.utils"}


def test_the_extensions_that_are_tested_with_are_listed() -> None:
    page = (PAGE.parent / "compatibility.md").read_text().partition("## Extensions")[2].partition("\n## ")[0]
    programs = (PAGE.parents[1] / "tests" / "ecosystem").glob("*_use.py")
    names = [path.stem.removesuffix("_use").replace("_", "-") for path in programs]
    missing = [name for name in names if "idioms" not in name and not re.search(rf"\b{name}\b", page.lower())]
    assert missing == []
