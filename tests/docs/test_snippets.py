"""The other snippets of the documentation: files of the reader, commands, and formats other than Python."""

import ast
import configparser
import importlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import jinja2
import pytest
import yaml

from costrel.cli import cli

from .test_pages import PAGES, ROOT, names

FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LANGUAGES = {"", "console", "css", "dockerfile", "html", "ini", "javascript", "js", "json", "nginx", "promql"}
LANGUAGES |= {"python", "ts", "yaml"}
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "VOLUME", "USER", "EXPOSE", "CMD", "ENTRYPOINT", "ARG"}
DEFINED = {"add-token", "add-user", "upgrade-db"}
"""Commands that the tutorial defines."""


def fences(page: Path) -> list[tuple[str, str]]:
    """The info strings and the contents of the fenced blocks of a page, without their indents."""
    found = []
    for indent, info, content in FENCE.findall(page.read_text()):
        found.append((info, "\n".join(line.removeprefix(indent) for line in content.splitlines())))
    return found


def every(language: str) -> list[object]:
    """Each block in a language, as a parameter of a test."""
    return [
        pytest.param(content, id=f"{names(page)}-{number}")
        for page in PAGES
        for number, (info, content) in enumerate(fences(page))
        if info.split(" ")[0] == language
    ]


def is_python(content: str) -> bool:
    """Whether a block is a program: it parses, and imports or defines something."""
    try:
        body = ast.parse(content).body
    except SyntaxError:
        return False
    return any(isinstance(each, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)) for each in body)


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_all_python_is_run_or_names_its_file(page: Path) -> None:
    infos = fences(page)

    assert [info for info, _ in infos if info.split(" ")[0] not in LANGUAGES] == []
    assert [info for info, _ in infos if not re.fullmatch(r'\w*|\w+ title="[\w./-]+"', info)] == []
    assert [content for info, content in infos if not info and is_python(content)] == []


def test_python_without_its_name_is_found() -> None:
    assert is_python("from costrel import Costrel\n")
    assert not is_python("[INFO] Listening at http://127.0.0.1:8000\n")


FILES = [
    pytest.param(content, id=f"{names(page)}-{number}")
    for page in PAGES
    for number, (info, content) in enumerate(fences(page))
    if info.startswith("python title=") and page.parent.name != "tutorial"  # those are compared with the examples
]


@pytest.mark.parametrize("content", FILES)
def test_a_file_of_the_reader_imports_what_there_is(content: str) -> None:
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "costrel":
            module = importlib.import_module(node.module or "")
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.parametrize("content", every("json"))
def test_json(content: str) -> None:
    json.loads(content)


@pytest.mark.parametrize("content", every("yaml"))
def test_yaml(content: str) -> None:
    assert all(isinstance(each, (dict, list)) for each in yaml.safe_load_all(content))


@pytest.mark.parametrize("content", every("ini"))
def test_ini(content: str) -> None:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.read_string(content if content.lstrip("# \n").startswith("[") else f"[settings]\n{content}")
    assert parser.sections()


@pytest.mark.parametrize("content", every("html"))
def test_html(content: str) -> None:
    jinja2.Environment(autoescape=True).parse(content)


@pytest.mark.parametrize("content", every("nginx"))
def test_nginx(content: str) -> None:
    statements = [line.split(" #")[0].rstrip() for line in content.splitlines() if line.strip()]

    assert [line for line in statements if not line.endswith((";", "{", "}"))] == []
    assert content.count("{") - content.count("{12}") == content.count("}") - content.count("{12}")


@pytest.mark.parametrize("content", every("dockerfile"))
def test_dockerfile(content: str) -> None:
    steps = [line for line in re.sub(r"\\\n", " ", content).splitlines() if line and not line.startswith("#")]

    assert steps[0].startswith("FROM ")
    assert {step.split(" ")[0] for step in steps} <= INSTRUCTIONS
    assert all(isinstance(json.loads(step[4:]), list) for step in steps if step.startswith("CMD ["))


def commands(content: str) -> Iterator[list[str]]:
    """The arguments of each `costrel` in the lines after a prompt."""
    lines = re.findall(r"^[$#] (.+)$", re.sub(r"\\\n", " ", content), re.MULTILINE)
    for line in lines:
        for part in re.split(r" \| | && | > ", line):
            words = shlex.split(part, comments=True)
            while words and re.match(r"[A-Z_]+=|export$", words[0]):
                words.pop(0)
            if words and words[0].rpartition("/")[2] == "costrel":
                yield words[1:]


def understood(arguments: list[str]) -> bool:
    """Whether `costrel` has such a command, with these options. Raises UsageError for an option that it lacks."""
    group = click.Context(cli, info_name="costrel")
    _, (*rest,), _ = cli.make_parser(group).parse_args(list(arguments))
    if not rest:
        return True
    command = cli.commands.get(rest[0])
    if command is None:
        return rest[0] in DEFINED
    while isinstance(command, click.Group) and len(rest) > 1 and rest[1] in command.commands:
        command, rest = command.commands[rest[1]], rest[1:]
    context = click.Context(command, info_name=command.name, parent=group)
    if not isinstance(command, click.Group):
        command.make_parser(context).parse_args(rest[1:])
    return True


@pytest.mark.parametrize("page", [page for page in PAGES if "```console" in page.read_text()], ids=names)
def test_commands_have_the_options_that_pages_use(page: Path) -> None:
    console = [content for info, content in fences(page) if info == "console"]
    wrong = []
    for arguments in (each for content in console for each in commands(content)):
        try:
            if not understood(arguments):
                wrong.append(arguments)
        except click.UsageError as error:
            wrong.append([*arguments, error.format_message()])
    assert wrong == []


def deployed(info: str, content: str) -> Iterator[list[str]]:
    """The arguments of each `costrel` that a file of a deployment starts."""
    if info.startswith("dockerfile"):
        yield from (json.loads(each) for each in re.findall(r"^CMD (\[.+\])$", content, re.MULTILINE))
    if info.startswith("ini"):
        yield from (each.split() for each in re.findall(r"^ExecStart\w*=(.+)$", content, re.MULTILINE))
    if info.startswith("yaml"):
        yield from argument_lists([*yaml.safe_load_all(content)])


def argument_lists(node: object) -> Iterator[list[str]]:
    if isinstance(node, list) and node and node[0] == "costrel":
        yield node
    elif isinstance(node, (dict, list)):
        for each in node.values() if isinstance(node, dict) else node:
            yield from argument_lists(each)


def test_deployments_start_commands_that_there_are() -> None:
    started = [
        arguments
        for page in PAGES
        for info, content in fences(page)
        for arguments in deployed(info, content)
        if arguments[0].rpartition("/")[2] == "costrel"
    ]

    assert len(started) >= 8
    assert [arguments for arguments in started if not understood(arguments[1:])] == []


def test_a_wrong_option_is_found() -> None:
    assert [*commands("$ SHOP=1 costrel --app shop serve -b x  # text\n")] == [["--app", "shop", "serve", "-b", "x"]]
    assert understood(["--app", "shop", "serve", "--bind", "unix:x"])
    assert not understood(["--app", "shop", "serves"])
    with pytest.raises(click.UsageError, match="--bend"):
        understood(["serve", "--bend", "x"])


def test_the_examples_are_named_as_they_are() -> None:
    named = {name for page in PAGES for name in re.findall(r"\]\((?:\.\./)+(examples/[\w/.]+)", page.read_text())}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
