"""The developer pages: an error, a console, and help for a request that no rule matched."""

from __future__ import annotations

import platform
import secrets
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..context import RequestContext
from ..http.multidict import MultiDict
from ..messages.request import Request
from ..version import __version__
from . import editor
from .frames import Frame, Report
from .hints import Hint
from .near_rules import Explanation
from .terminal import format_report
from .values import HIDDEN, Describer, is_secret

ASSETS: t.Final = Path(__file__).with_name("assets")

_MAX_ROWS = 100
_HIDDEN_HEADERS = frozenset({"cookie", "authorization", "proxy-authorization", "x-api-key", "x-csrf-token"})

POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Allows nothing but the pages' own resources, so that scripts in a message would not run even if escaping failed."""


Tables: t.TypeAlias = "list[tuple[str, list[tuple[str, str]]]]"
"""Tables, each with a title and rows."""


@dataclass
class RequestSummary:
    """The parts of a request that a page shows."""

    method: str = ""
    url: str = ""
    rows: list[tuple[str, str]] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    activity: Tables = field(default_factory=list)
    """The stages, templates, SQL and log lines of the request up to its error."""

    @classmethod
    def of(
        cls,
        request: Request,
        describer: Describer,
        ctx: RequestContext | None = None,
        activity: Tables | None = None,
    ) -> RequestSummary:
        """The summary of `request`, without secrets. `ctx` is its context, if it is known."""
        headers = [
            (name, HIDDEN if name.lower() in _HIDDEN_HEADERS or is_secret(name) else describer.clean(value))
            for name, value in request.headers
        ]
        rows: list[tuple[str, str]] = []
        own = None if ctx is None else ctx.request
        if own is not None and getattr(own, "url_rule", None) is not None:
            rows = [("rule", str(own.url_rule.rule)), ("endpoint", str(own.endpoint))]
            rows += [(str(name), describer.named(name, value)) for name, value in (own.view_args or {}).items()]
        if ctx is not None:
            rows += _contents(ctx, describer)
        url = request.full_path.removesuffix("?") if not request.query_string else _hide_query(request)
        return cls(request.method, describer.clean(url), rows, headers, activity or [])


def _contents(ctx: RequestContext, describer: Describer) -> list[tuple[str, str]]:
    """The values of the query, form, files, JSON, session and `g`, as far as the application has read them."""
    read, opened = vars(ctx.request), vars(ctx)
    groups = {
        "args": ctx.request.args,
        "form": read.get("form"),
        "files": read.get("files"),
        "json": _json_of(ctx),
        "session": opened.get("_opened"),
        "g": vars(opened["_g"]) if opened.get("_g") else None,
    }
    rows: list[tuple[str, str]] = []
    for group, values in groups.items():
        if isinstance(values, Mapping):
            rows += [(f"{group}[{name!r}]", describer.named(name, value)) for name, value in _pairs(values)]
        elif values:
            rows.append((group, describer.value(values)))
    return rows[:_MAX_ROWS]


def _pairs(values: Mapping[object, object]) -> Iterable[tuple[object, object]]:
    return values.items(multi=True) if isinstance(values, MultiDict) else values.items()


def _json_of(ctx: RequestContext) -> object:
    """The request's JSON; None if there is none, or if it can no longer be read."""
    try:
        return ctx.request.get_json(silent=True)
    except Exception:  # an error here must not hide the error of the page
        return None


def _hide_query(request: Request) -> str:
    pairs = [(name, HIDDEN if is_secret(name) else value) for name, value in request.args.items(multi=True)]
    return f"{request.path}?{'&'.join(f'{name}={value}' for name, value in pairs)}"


@dataclass(kw_only=True)
class Shell:
    """The common part of all pages: whether consoles are on and unlocked, and this start's identifier for reloading."""

    evalex: bool = False
    trusted: bool = False
    secret: str = ""
    start: str = ""
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def headers(self) -> dict[str, str]:
        """The headers of the page."""
        return {
            "Content-Security-Policy": POLICY.format(nonce=self.nonce),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
        }

    def render(self, template: str, /, **variables: object) -> str:
        """The HTML of a template."""
        return (
            _environment()
            .get_template(template)
            .render(
                shell=self,
                css=Markup(asset("debugger.css")),  # noqa: S704 - files of this package
                js=Markup(asset("debugger.js") + asset("refresh.js")),  # noqa: S704
                version=__version__,
                python=platform.python_version(),
                editor_link=editor.link,
                **variables,
            )
        )


class ErrorPage(Shell):
    """The page for an exception."""

    def __init__(
        self,
        report: Report,
        describer: Describer | None = None,
        summary: RequestSummary | None = None,
        hints: list[Hint] | None = None,
        **shell: t.Any,
    ) -> None:
        super().__init__(**shell)
        self.report = report
        self.describer = describer or Describer()
        self.summary = summary or RequestSummary()
        self.hints = hints or []

    def html(self) -> str:
        """The page as HTML. For programs, a comment at its end contains the traceback as text."""
        return self.render(
            "error.html",
            report=self.report,
            summary=self.summary,
            hints=self.hints,
            clean=self.describer.clean,
            clean_html=self.describer.clean_html,
            variables=lambda frame: frame.variables(self.describer),
            runs=runs_of,
            text=self.text(),
            markdown=self.markdown(),
            comment=Markup(_in_comment(self.text())),  # noqa: S704 - cannot end the comment
        )

    def text(self) -> str:
        """The traceback and the hints as plain text."""
        head = f"{self.summary.method} {self.summary.url}\n\n" if self.summary.method else ""
        return head + self.describer.clean(format_report(self.report, describer=self.describer, hints=self.hints))

    def markdown(self) -> str:
        """The error as Markdown for an issue: message, hints, source, variables and traceback."""
        return self.describer.clean("\n".join(self._markdown()))

    def _markdown(self) -> Iterator[str]:
        report = self.report
        yield f"### {report.kind}: {report.message}" if report.message else f"### {report.kind}"
        if self.summary.method:
            versions = f"Python {platform.python_version()}, Costrel {__version__}"
            yield f"\n`{self.summary.method} {self.summary.url}`, {versions}"
        for hint in self.hints:
            yield "\nHint: " + hint.text.replace("<", "\\<")  # Markdown hides tags
            yield from (f"- `{name}` {remark}" for name, remark in hint.rows)
        if report.focus is not None:
            frame = report.focus
            yield f"\n`{frame.short_filename}`, line {frame.lineno}" + (
                f", in `{frame.function}`" if frame.function else ""
            )
            yield "\n```python"
            for line in frame.source(5, 3):
                yield f"{'>' if line.is_current else ' '} {line.number:4} | {line.text}"
            yield "```"
            variables = frame.variables(self.describer)
            if variables:
                yield "\n<details><summary>Variables</summary>\n\n```python"
                yield from (f"{name} = {value}" for name, value in variables)
                yield "```\n</details>"
        yield "\n<details><summary>Traceback</summary>\n\n```\n" + format_report(report) + "```\n</details>"


class FirstSteps(t.NamedTuple):
    """An application without routes: its name, its file, and the variable that it is assigned to."""

    name: str
    file: str | None
    variable: str


class HelpPage(Shell):
    """The page for a request that no rule matches, or no rule with its method."""

    def html(self, code: int, name: str, summary: RequestSummary, explanation: Explanation) -> str:
        """The page as HTML."""
        return self.render("help.html", code=code, name=name, summary=summary, explanation=explanation)

    def welcome(self, code: int, summary: RequestSummary, app: FirstSteps) -> str:
        """The page for an application without routes, as HTML."""
        return self.render("welcome.html", code=code, summary=summary, **app._asdict())


def render_console_page(**shell: t.Any) -> str:
    """The page with a console."""
    return Shell(evalex=True, **shell).render("console.html")


def runs_of(frames: list[Frame]) -> list[tuple[str | None, list[Frame]]]:
    """The frames, grouped into runs of the same library."""
    return [(package, list(run)) for package, run in groupby(frames, key=lambda frame: frame.package)]


@cache
def asset(name: str) -> str:
    """The text of a file in `ASSETS`."""
    return (ASSETS / name).read_text(encoding="utf-8")


def _in_comment(text: str) -> str:
    # HTML, "Comments": the text must not contain "-->" or "--!>", start with ">" or end with "<!-".
    return text.replace("--", "- - ").replace("<", "&lt;").replace(">", "&gt;")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
