"""The extensions of an application, compared with those that Costrel is tested with."""

from __future__ import annotations

import ast
import typing as t
from collections.abc import Iterable, Iterator
from importlib import metadata

from .findings import Finding
from .requirements import requirements_of
from .sources import Tree, parse
from .tested import ABANDONED, TESTED
from .uses import uses_in
from .versions import Requirement, canonical, parse_requirement

Status = t.Literal["tested", "other release", "not tested", "abandoned"]

_SERVED: t.Final = {"flask": "3.1.3", "werkzeug": "3.1.9"}
"""The releases whose API Costrel serves."""

_MODULES: t.Final = {
    "opentelemetry.instrumentation.flask": "opentelemetry-instrumentation-flask",
    "sentry_sdk": "sentry-sdk",
}
"""Modules of extensions that are not named after Flask."""

_NO_EXTENSIONS: t.Final = frozenset({"flask", "werkzeug", "costrel", "types-flask", "flask-stubs", "pylint-flask"})


class Extension(t.NamedTuple):
    """An extension that the application requires or imports: how it compares with the table, and a remark."""

    name: str
    place: str
    version: str | None
    """The release that is installed here, or pinned by the application; None if neither is known."""
    tested: str | None
    """The release that Costrel is tested with."""
    status: Status
    remark: str = ""


def extensions_of(tree: Tree) -> list[Extension]:
    """The extensions of an application, sorted by name."""
    places: dict[str, list[Requirement]] = {}
    for requirement in requirements_of(tree):
        places.setdefault(canonical(requirement.name), []).append(requirement)
    for name, place in _imported(tree):
        places.setdefault(name, []).append(Requirement(name, "", place))
    return [_compared(name, found) for name, found in sorted(places.items()) if _is_extension(name)]


def served_releases(tree: Tree) -> Iterator[Finding]:
    """Requirements of Flask and Werkzeug that exclude the releases whose API Costrel serves."""
    seen = set()
    for requirement in requirements_of(tree):
        name = canonical(requirement.name)
        served = _SERVED.get(name)
        if served is None or requirement.admits(served) or (name, requirement.specifiers) in seen:
            continue
        seen.add((name, requirement.specifiers))
        yield Finding(
            "change",
            requirement.place,
            f"The application requires {requirement.name}{requirement.specifiers}; Costrel serves the API of"
            f" {name.capitalize()} {served}.",
            f"Let its tests pass on {name.capitalize()} {served} first.",
        )


def sources_of_extension(extension: Extension) -> list[Finding]:
    """Missing names that the source of an installed extension uses, which is read and not imported."""
    found: list[Finding] = []
    for file in _python_files(extension.name):
        tree = parse(file)
        if isinstance(tree, ast.Module):
            found += [
                Finding(
                    "blocker",
                    f"{extension.name}: {file.name}:{use.line}",
                    f"{use.name} does not exist on Costrel.",
                    f"Look for a newer release of {extension.name}.",
                )
                for use in uses_in(tree)
                if use.kind in ("missing", "member")
            ]
    return found


def _compared(name: str, found: Iterable[Requirement]) -> Extension:
    requirements = [*found]
    version = next((pin for each in requirements if (pin := _pinned(each))), None) or _installed(name, requirements)
    row = TESTED.get(name)
    place = requirements[0].place
    if row is None:
        if name in ABANDONED:
            return Extension(name, place, version, None, "abandoned", ABANDONED[name])
        return Extension(name, place, version, None, "not tested")
    fits = version == row.version if version else all(each.admits(row.version) for each in requirements)
    return Extension(row.name, place, version, row.version, "tested" if fits else "other release", row.remark)


def _is_extension(name: str) -> bool:
    if name in _NO_EXTENSIONS:
        return False
    if name in TESTED or name in ABANDONED or name.startswith("flask-") or name.endswith("-flask"):
        return True
    try:
        required = metadata.requires(name) or ()
    except metadata.PackageNotFoundError:
        return False
    needed = [parse_requirement(line, name) for line in required if "extra ==" not in line]
    return any(each is not None and canonical(each.name) in _SERVED for each in needed)


def _imported(tree: Tree) -> Iterator[tuple[str, str]]:
    """The extensions that the sources import, by the names of their modules."""
    seen = set()
    for source in tree.sources:
        for module in sorted(source.imports):
            top = module.partition(".")[0]
            name = _MODULES.get(module) or _MODULES.get(top)
            if name is None and (top.startswith("flask_") or top.endswith("_flask")) and top not in tree.modules:
                name = canonical(top)
            if name is not None and name not in seen:
                seen.add(name)
                yield name, source.path


def _installed(name: str, requirements: list[Requirement]) -> str | None:
    """The release that is installed here, if the application admits it."""
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
    return version if all(each.admits(version) for each in requirements) else None


def _pinned(requirement: Requirement) -> str | None:
    operator, _, version = requirement.specifiers.partition("==")
    return version if not operator and version and not set(version) & {",", "*", "="} else None


def _python_files(name: str) -> Iterator[t.Any]:
    try:
        files = metadata.files(name) or ()
    except metadata.PackageNotFoundError:
        return
    for file in files:
        if file.suffix == ".py":
            yield file.locate()
