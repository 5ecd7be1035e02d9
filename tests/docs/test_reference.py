"""The reference of the Python API: each public name has an entry, with its parameters, types, errors and an example."""

import ast
import importlib
import inspect
import re
import textwrap
from pathlib import Path

import click
import pytest

from costrel.cli import cli

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "costrel"
PAGES = {page.stem: page.read_text() for page in sorted((ROOT / "docs" / "reference").glob("*.md"))}
ENTRY = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def imported(path: Path) -> list[str]:
    """The names that a module imports to show them: ``from x import y as y``."""
    tree = ast.parse(path.read_text())
    pairs = [each for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for each in node.names]
    return [each.asname for each in pairs if each.asname == each.name]


PUBLIC = [f"costrel.{name}" for name in imported(SOURCE / "__init__.py")]
"""Every public name of `costrel`."""


def named_in_pages() -> set[str]:
    """What the documentation imports from modules of Costrel's."""
    found = set()
    for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]:
        for module, names in re.findall(r"^from (costrel\.[\w.]+) import ([\w, ]+)$", page.read_text(), re.MULTILINE):
            found |= {f"{module}.{name}" for name in names.split(", ")}
    return found


ENTRIES = {name: page for page, text in PAGES.items() for name in ENTRY.findall(text)}


def find(name: str) -> object:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def test_every_public_name_has_one_entry():
    entries = [name for text in PAGES.values() for name in ENTRY.findall(text)]
    assert [] == [name for name in PUBLIC if name not in entries]
    assert sorted(entries) == sorted(set(entries))


EXPLAINED_ELSEWHERE = {
    "costrel.http.content_coding.compress",
    "costrel.http.errors.Forbidden",
    "costrel.http.uploads.FileStorage",
    "costrel.devserver.wsgi_serving.make_server",
}
"""Names of other modules: the pages on them have examples, or the names are public under `costrel` itself."""


def test_what_pages_import_has_an_entry_too():
    assert set() == named_in_pages() - ENTRIES.keys() - EXPLAINED_ELSEWHERE


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_an_entry_has_an_example_on_its_page(name):
    code = "\n".join(SNIPPET.findall(PAGES[ENTRIES[name]]))
    assert re.search(rf"\b{name.rpartition('.')[2]}\b", code)


CALLABLE = [name for name in sorted(ENTRIES) if inspect.isroutine(find(name)) or inspect.isclass(find(name))]


def parts(name: str) -> list[tuple[str, object]]:
    """A function, or a class with its public methods, by their names."""
    value = find(name)
    if not inspect.isclass(value):
        return [(name, value)]
    found = [(name, value)]
    for key, member in vars(value).items():
        function = getattr(member, "__func__", getattr(member, "fget", member))
        if not key.startswith("_") and inspect.isfunction(function) and function.__name__ == key:
            found.append((f"{name}.{key}", function))
    return found


def raises(function: object) -> bool:
    """Whether the function raises an error by itself."""
    if not inspect.isfunction(function):
        return False
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    errors = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc is not None]
    return any(ast.unparse(error) != "NotImplementedError" for error in errors)


INHERITED = {"get_headers", "get_description", "find", "challenge", "described", "may_be_ambiguous"}
"""Methods whose docstring is that of the class above."""


@pytest.mark.parametrize("name", CALLABLE)
def test_a_docstring_says_what_a_function_is_for_and_which_errors_it_raises(name):
    silent = [part for part, value in parts(name) if not inspect.getdoc(value) and part.split(".")[-1] not in INHERITED]
    settings = {"max_content_length", "max_form_memory_size", "max_form_parts", "max_form_files", "max_query_params"}
    assert [] == [part for part in silent if part.rpartition(".")[2] not in settings]
    owner = inspect.getdoc(find(name)) or ""
    untold = [
        part
        for part, value in parts(name)
        if raises(value) and not re.search("rais|error", f"{inspect.getdoc(value) or ''} {owner}", re.IGNORECASE)
    ]
    assert [] == untold


@pytest.mark.parametrize("name", CALLABLE)
def test_all_parameters_and_results_have_types(name):
    # The overloads of MultiDict.get are those of the class above.
    for part, value in parts(name):
        if not inspect.isfunction(value) or part == "costrel.MultiDict.get":
            continue
        untyped = [
            parameter.name
            for parameter in inspect.signature(value).parameters.values()
            if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")
        ]
        assert ([], True) == (untyped, "return" in value.__annotations__), part


def told_and_defined(path: Path) -> tuple[set[str], set[str]]:
    """The values of a module that a docstring follows, and all of its values."""
    told, defined = set(), set()
    before = None
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Expr) and before is not None:
            told.add(before)
        before = None
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            before = ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
            defined.add(before)
    return told, defined


@pytest.mark.parametrize("module", ["globals", "support/signals"])
def test_the_docstring_of_a_value_follows_it(module):
    told, defined = told_and_defined(SOURCE / f"{module}.py")
    assert set() == {name for name in defined if f"costrel.{name}" in ENTRIES} - told


# -- the command line


def commands() -> list[tuple[str, object]]:
    """The commands of `costrel`, with those of groups."""
    found = []
    for name, command in sorted(cli.commands.items()):
        found.append((name, command))
        found += [(f"{name} {below}", each) for below, each in sorted(getattr(command, "commands", {}).items())]
    return found


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_the_pages_on_commands_have_each_option(name, command):
    pages = ("cli", "server", "deployment", "openapi", "static")
    text = "\n".join((ROOT / "docs" / f"{page}.md").read_text() for page in pages)
    assert f"costrel {name}" in text
    options = [{*each.opts, *each.secondary_opts} for each in command.params if isinstance(each, click.Option)]
    shown = set(re.findall(r"--[a-z][a-z0-9-]*|(?<=[`\s])-[a-zA-Z]\b", text)) | {"--help"}
    assert [] == [option for option in options if shown.isdisjoint(option)]
