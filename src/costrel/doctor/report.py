"""The report of `costrel doctor`: everything that is found, as text or as JSON."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from pathlib import Path

from ..version import __version__
from . import deployment, extensions, settings
from .application import findings_about
from .child import Described
from .extensions import Extension
from .findings import LEVELS, Finding, Findings
from .members import MEMBERS
from .names import PACKAGES, advice_on, reaches_costrel
from .requirements import python_requirement
from .settings import Difference
from .sources import Source, Tree, is_aside
from .uses import Use, uses_in

_PYTHONS: t.Final = ("3.11", "3.12", "3.13", "3.14")

WAY_BACK: t.Final = (
    "Nothing was changed. Under --as-flask the sources stay those of a Flask application: start them with `flask run`.",
    "Signed session cookies have one format on both sides: with the same SECRET_KEY, users stay logged in.",
    "After `from costrel import Costrel`: change the import back, and take out the names that Flask does not have.",
    "Sessions in a store of Costrel's own (SESSION_STORE) end on the way back; those in signed cookies go on.",
)


class Report(t.NamedTuple):
    """All that was found about an application."""

    path: Path
    files: int
    extensions: list[Extension]
    findings: list[Finding]
    settings: list[Difference]
    app: Described | None

    def of_level(self, level: str) -> list[Finding]:
        """The findings of one level."""
        return [finding for finding in self.findings if finding.level == level]


def examine(tree: Tree, path: Path, app: Described | None) -> Report:
    """Examine the files of an application; `app` is its description, if it was imported in a child process."""
    found = extensions.extensions_of(tree)
    findings = [*_about_python(tree), *extensions.served_releases(tree), *_about_extensions(found)]
    for source in tree.sources:
        findings += _about_names(source)
    places = settings.settings_in(tree)
    findings += settings.collisions(places)
    findings += deployment.servers_of(tree)
    findings += deployment.patched_threads(tree)
    findings += [Finding("note", place, f"It was not read: {why}.", "") for place, why in tree.unreadable]
    if app is not None:
        findings += findings_about(app)
    findings.sort(key=lambda finding: LEVELS.index(finding.level))
    return Report(path, len(tree.sources), found, findings, settings.differences(places), app)


def uses_flask(tree: Tree) -> bool:
    """Whether any file of the application imports Flask or Werkzeug."""
    return any(name.partition(".")[0] in PACKAGES for source in tree.sources for name in source.imports)


def _about_python(tree: Tree) -> Findings:
    wanted = python_requirement(tree)
    if wanted is not None and not any(wanted.admits(version) for version in _PYTHONS):
        yield Finding(
            "blocker",
            wanted.place,
            f"The application requires Python {wanted.specifiers}; Costrel needs 3.11 or newer.",
            "Move it to a newer Python first.",
        )


def _about_extensions(found: list[Extension]) -> Findings:
    for extension in found:
        if extension.status == "abandoned":
            problem = f"{extension.name} runs on no current Flask."
            yield _weighed(Finding("blocker", extension.place, problem, extension.remark), extension.place)
        elif extension.status == "not tested" and extension.version is not None:
            yield from extensions.sources_of_extension(extension)


def _about_names(source: Source) -> Findings:
    for use in uses_in(source.tree):
        place = f"{source.path}:{use.line}"
        finding = _about_use(use, place)
        if finding.level != "note" or not source.is_aside:
            yield _weighed(finding, source.path)


def _weighed(finding: Finding, path: str) -> Finding:
    """The finding, with a lower level if it is about a test, an example or documentation."""
    if finding.level != "blocker" or not is_aside(path):
        return finding
    return finding._replace(level="change", problem=f"In a test or an example: {finding.problem}")


def _about_use(use: Use, place: str) -> Finding:
    if use.kind == "missing":
        return Finding("blocker", place, f"{use.name} does not exist on Costrel.", advice_on(use.name))
    if use.kind == "fallback":
        problem = f"{use.name} does not exist on Costrel. It is used only if the import before it fails."
        return Finding("change", place, problem, advice_on(use.name))
    if use.kind == "replaced":
        module, _, name = use.name.rpartition(".")
        if "." not in module or reaches_costrel(module, name):
            return Finding("note", place, f"{use.name} is replaced, which has the same effect as on Flask.", "")
        return Finding(
            "change",
            place,
            f"{use.name} is replaced. Code that looks it up there gets the replacement, Costrel's own code does not.",
            "",
        )
    member = MEMBERS.get(use.name.rpartition(".")[2])
    advice = member.advice if member else advice_on(use.name)
    if use.kind == "silent":
        return Finding("change", place, f"Setting {use.name} has no effect on Costrel.", advice)
    if use.kind == "perhaps":
        return Finding(
            "change", place, f"If {use.name} is Flask's or Werkzeug's: it does not exist on Costrel.", advice
        )
    return Finding("blocker", place, f"{use.name} does not exist on Costrel.", advice)


def as_json(report: Report) -> str:
    """The report as a JSON object."""
    return json.dumps(
        {
            "costrel": __version__,
            "path": str(report.path),
            "files": report.files,
            "extensions": [extension._asdict() for extension in report.extensions],
            "findings": [finding._asdict() for finding in report.findings],
            "settings": [
                difference._asdict() | {"flask": _shown(difference.flask), "costrel": _shown(difference.costrel)}
                for difference in report.settings
            ],
            "app": report.app,
            "way_back": WAY_BACK,
        },
        indent=2,
        ensure_ascii=False,
    )


def as_lines(report: Report) -> Iterator[str]:
    """The report as text."""
    yield "Extensions"
    if not report.extensions:
        yield "  None."
    for extension in report.extensions:
        yield f"  {_line_of(extension)}"
    for level, heading in zip(LEVELS, ("Blockers", "Changes", "Notes"), strict=True):
        found = report.of_level(level)
        if found or level != "note":
            yield ""
            yield heading
            yield from [f"  {finding}" for finding in found] or ["  None."]
    yield ""
    yield "Settings"
    yield "  Under --as-flask all defaults are Flask's. Under Costrel's own name these differ:"
    for difference in report.settings:
        kept = f" (set in {difference.set_at}: stays)" if difference.set_at else ""
        values = f"{_shown(difference.flask)} → {_shown(difference.costrel)}"
        yield f"  {difference.name}: {values}{kept}. {difference.text}"
    yield ""
    yield "The way there"
    yield "  1. pytest -p costrel.as_flask.pytest"
    yield "  2. costrel --app MODULE:NAME run --as-flask"
    yield "  3. costrel --as-flask --app MODULE:NAME check"
    yield ""
    yield "The way back"
    yield from (f"  - {sentence}" for sentence in WAY_BACK)


def _line_of(extension: Extension) -> str:
    version = f" {extension.version}" if extension.version else ""
    tested = f", tested with {extension.tested}" if extension.status == "other release" else ""
    remark = f" {extension.remark}" if extension.remark and extension.status != "abandoned" else ""
    hint = " Run its tests: pytest -p costrel.as_flask.pytest." if extension.status == "not tested" else ""
    return f"{extension.name}{version} ({extension.place}): {extension.status}{tested}.{remark}{hint}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1024 * 1024:
        return f"{value // (1024 * 1024)} MiB"
    return str(value)
