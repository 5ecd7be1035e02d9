"""The requirements of an application, from the files in which projects list them."""

from __future__ import annotations

import ast
import configparser
import json
import re
import tomllib
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from .sources import Tree, read_text
from .versions import Requirement, parse_requirement

_LIST: t.Final = re.compile(r"(?:(?:^|/)requirements?/[^/]*|(?:requirements|constraints)[^/]*)\.(?:txt|in|pip)$")
"""Lists of requirements: files of a folder `requirements`, or with that word in their name."""


def requirements_of(tree: Tree) -> list[Requirement]:
    """The requirements in the files of an application, in the order of the files."""
    found: list[Requirement] = []
    for file in tree.others:
        found += _read(file, tree.name_of(file))
    for source in tree.sources:
        if source.path.rpartition("/")[2] == "setup.py":
            found += _from_setup(source.tree, source.path)
    return found


def python_requirement(tree: Tree) -> Requirement | None:
    """The versions of Python that the application declares."""
    for file in tree.others:
        place = tree.name_of(file)
        if place == "pyproject.toml":
            table = _toml(file)
            wanted = _table(table, "project").get("requires-python") or _poetry(table).get("python")
            if isinstance(wanted, str):
                return Requirement("python", _as_specifiers(wanted), place)
        if place in ("runtime.txt", ".python-version"):
            match = re.search(r"\d+(?:\.\d+)+", read_text(file))
            if match:
                return Requirement("python", f"=={'.'.join(match[0].split('.')[:2])}.*", place)
    return None


def _read(file: Path, place: str) -> Iterator[Requirement]:
    name = file.name
    if name == "pyproject.toml":
        yield from _from_pyproject(_toml(file), place)
    elif name == "setup.cfg":
        yield from _from_setup_cfg(read_text(file), place)
    elif name == "Pipfile":
        table = _toml(file)
        for section in ("packages", "dev-packages"):
            yield from _from_mapping(_table(table, section), place)
    elif name in ("poetry.lock", "uv.lock", "pdm.lock", "pylock.toml"):
        yield from _from_lock(_toml(file), place)
    elif name == "Pipfile.lock":
        yield from _from_pipfile_lock(read_text(file), place)
    elif name in ("PKG-INFO", "METADATA"):
        for line in read_text(file).partition("\n\n")[0].splitlines():
            if line.startswith("Requires-Dist:"):
                yield from _parsed(line.partition(":")[2], place)
    elif _LIST.search(place):
        for number, line in enumerate(read_text(file).splitlines(), 1):
            yield from _parsed(line, f"{place}:{number}")


def _parsed(text: str, place: str) -> Iterator[Requirement]:
    found = parse_requirement(text, place)
    if found is not None:
        yield found


def _from_pyproject(table: Mapping[str, object], place: str) -> Iterator[Requirement]:
    project = _table(table, "project")
    lists: list[object] = [project.get("dependencies")]
    lists += _table(project, "optional-dependencies").values()
    lists += _table(table, "dependency-groups").values()
    for entries in lists:
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, str):
                yield from _parsed(entry, place)
    poetry = _poetry(table)
    yield from _from_mapping(_table(poetry, "dependencies"), place)
    yield from _from_mapping(_table(poetry, "dev-dependencies"), place)
    for group in _table(poetry, "group").values():
        if isinstance(group, dict):
            yield from _from_mapping(_table(group, "dependencies"), place)


def _from_mapping(table: Mapping[str, object], place: str) -> Iterator[Requirement]:
    """Requirements as Poetry and Pipenv write them: a name, and a version or a table with one."""
    for name, value in table.items():
        version = value.get("version") if isinstance(value, dict) else value
        if name.lower() != "python":
            yield Requirement(name, _as_specifiers(version if isinstance(version, str) else ""), place)


def _from_lock(table: Mapping[str, object], place: str) -> Iterator[Requirement]:
    packages = table.get("package") or table.get("packages")
    for package in packages if isinstance(packages, list) else ():
        if isinstance(package, dict) and isinstance(package.get("name"), str):
            version = package.get("version")
            yield Requirement(package["name"], f"=={version}" if isinstance(version, str) else "", place)


def _from_pipfile_lock(text: str, place: str) -> Iterator[Requirement]:
    try:
        table: object = json.loads(text)
    except ValueError:
        return
    if isinstance(table, dict):
        for section in ("default", "develop"):
            yield from _from_mapping(_table(table, section), place)


def _from_setup_cfg(text: str, place: str) -> Iterator[Requirement]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    values = [parser.get("options", "install_requires", fallback="")]
    if parser.has_section("options.extras_require"):
        values += [value for _, value in parser.items("options.extras_require")]
    for value in values:
        for line in value.splitlines():
            yield from _parsed(line, place)


def _from_setup(tree: ast.Module, place: str) -> Iterator[Requirement]:
    """The strings in the arguments and variables of `setup.py` that are named after requirements."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("install_requires", "extras_require", "tests_require"):
            value: ast.AST = node.value
        elif isinstance(node, ast.Assign) and any("require" in ast.unparse(target).lower() for target in node.targets):
            value = node.value
        else:
            continue
        for each in ast.walk(value):
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                for line in each.value.splitlines():
                    yield from _parsed(line, f"{place}:{each.lineno}")


def _as_specifiers(version: str) -> str:
    """The specifiers that a version of Poetry or Pipenv stands for: ``^2.1`` is ``>=2.1``, below the next major."""
    specifiers = []
    for part in filter(None, (each.strip() for each in version.split(","))):
        if part[0] == "^":
            major = part[1:].split(".")[0]
            specifiers += [f">={part[1:]}", *([f"<{int(major) + 1}"] if major.isdigit() and major != "0" else [])]
        elif part[0] == "~" and part[1:2] != "=":
            specifiers.append(f"~={part[1:]}" if "." in part else f"=={part[1:]}.*")
        elif part[0].isdigit():
            specifiers.append(f"=={part}")
        elif part != "*":
            specifiers.append("".join(part.split()))
    return ",".join(specifiers)


def _toml(file: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError:
        return {}


def _poetry(table: Mapping[str, object]) -> Mapping[str, object]:
    return _table(_table(table, "tool"), "poetry")


def _table(table: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}
