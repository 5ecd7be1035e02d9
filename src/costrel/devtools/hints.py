"""Hints for exceptions, for example the names that exist if a name is missing."""

from __future__ import annotations

import builtins
import difflib
import typing as t
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..app.application import Costrel
from ..context import Context, RequestContext
from ..http.errors import BadRequestKeyError
from ..messages.request import Request
from ..routing import BuildError, Rule
from ..typed.problems import ValidationFailed
from .frames import Report
from .near_keys import listed, meant, near_keys, near_template_names

if t.TYPE_CHECKING:
    from jinja2 import TemplateNotFound


@dataclass
class Hint:
    """A sentence, and rows of details, each with a text and a remark."""

    text: str
    rows: list[tuple[str, str]] = field(default_factory=list)


def hints_for(report: Report, ctx: Context | None = None) -> list[Hint]:
    """The hints for an exception. `ctx` is the context of its request, if there is one."""
    try:
        return list(_hints(report, ctx))
    except Exception:  # an error in a hint must not hide the exception
        return []


def _hints(report: Report, ctx: Context | None) -> Iterator[Hint]:
    error = report.exception
    if isinstance(error, BadRequestKeyError) and isinstance(ctx, RequestContext):
        yield from _missing_key(error, report, ctx.request)
    if isinstance(error, ValidationFailed) and isinstance(ctx, RequestContext):
        yield from _missing_inputs(error, ctx.request)
    if isinstance(error, TypeError) and isinstance(ctx, RequestContext):
        yield from _unread_parameters(error, ctx)
    if isinstance(error, BuildError):
        yield _near_endpoints(error)
    if type(error).__name__ in ("TemplateNotFound", "TemplatesNotFound") and ctx is not None:
        yield from _near_templates(t.cast("TemplateNotFound", error), t.cast(Costrel, ctx.app))
    if isinstance(error, KeyError) and not isinstance(error, BadRequestKeyError):
        yield from map(Hint, near_keys(error, report, ctx))
    if type(error).__name__ == "UndefinedError":
        yield from map(Hint, near_template_names(error, report))
    if type(error).__name__ == "TemplateAssertionError" and ctx is not None:
        yield from _near_filters(error, t.cast(Costrel, ctx.app))
    if isinstance(error, (NameError, AttributeError)) and error.name is not None:
        yield from _near_names(error, report)


def _near_filters(error: BaseException, app: Costrel) -> Iterator[Hint]:
    """Jinja filters or tests with similar names."""
    kind, _, rest = str(error).removeprefix("No ").partition(" named ")
    known = {"filter": app.jinja_env.filters, "test": app.jinja_env.tests}.get(kind, {})
    close = difflib.get_close_matches(rest.strip("'."), list(known))
    if close:
        yield Hint(f"Did you mean the {kind} {' or '.join(map(repr, close))}?")


def _missing_key(error: BadRequestKeyError, report: Report, request: Request) -> Iterator[Hint]:
    key = error.args[0] if error.args else None
    sources = {"form": "fields", "args": "query parameters", "files": "files"}
    asked = _asked_of(report, request, sources)
    for name in sources:
        if asked is not None and name != asked:
            continue
        there = list(getattr(request, name))
        came = f"it came with {listed(there)}" if there else "it came with none"
        yield Hint(f"request.{name} has no {key!r}. Of {sources[name]}, {came}.{meant(str(key), there)}")
    if asked == "files" and request.mimetype != "multipart/form-data":
        yield Hint(
            f"The form was sent as {request.mimetype or 'no form at all'}, which cannot contain files. Write it as"
            ' <form method="post" enctype="multipart/form-data">.'
        )
    elif asked == "form" and not request.form:
        yield Hint(_why_no_form(request))
    elsewhere = [name for name in sources if name != asked and key in getattr(request, name)]
    for name in elsewhere:
        if asked is not None:
            yield Hint(f"{key!r} is in request.{name}.")


def _missing_inputs(error: ValidationFailed, request: Request) -> Iterator[Hint]:
    """The names that were sent, for each missing input of a typed view."""
    sources = {"query": "args", "form": "form", "file": "files", "header": "headers", "cookie": "cookies"}
    for problem in error.problems:
        if problem.code != "missing" or problem.where not in sources:
            continue
        there = [name if isinstance(name, str) else name[0] for name in getattr(request, sources[problem.where])]
        came = listed(there) if there else "nothing"
        yield Hint(f"The {problem.where} has no {problem.name!r}. It came with {came}.{meant(problem.name, there)}")


def _unread_parameters(error: TypeError, ctx: RequestContext) -> Iterator[Hint]:
    """A hint if a view below a decorator was called without its inputs."""
    view = ctx.app.view_functions.get(ctx.request.endpoint)
    if " required " in str(error) and "argument" in str(error) and hasattr(view, "__wrapped__"):
        yield Hint(
            "The parameters of a view below another decorator are not read from the request. If the client sends them,"
            " write @typed directly above 'def'."
        )


def _why_no_form(request: Request) -> str:
    if request.is_json:
        return "The body is JSON. Read it with request.get_json() or request.json."
    if request.method in ("GET", "HEAD"):
        return f"A {request.method} request has no form. Its parameters are in request.args."
    sent = f"The body was sent as {request.mimetype}" if request.mimetype else "The request has no Content-Type"
    return f"{sent}, but only application/x-www-form-urlencoded and multipart/form-data are parsed as forms."


def _asked_of(report: Report, request: Request, names: Iterable[str]) -> str | None:
    """The name of the request's dict that raised the error, according to the frames of the traceback."""
    owners: list[object] = [frame.scope.f_locals.get("self") for frame in report.frames if frame.scope is not None]
    for name in names:
        if any(getattr(request, name) is owner for owner in owners):
            return name
    return None


def _near_endpoints(error: BuildError) -> Hint:
    by_endpoint: dict[str, list[Rule]] = {}
    for rule in () if error.adapter is None else error.adapter.map.iter_rules():
        by_endpoint.setdefault(str(rule.endpoint), []).append(rule)
    wanted = str(error.endpoint)
    # The same name in another blueprint, such as "index" for "shop.index", comes before names with similar spelling.
    same = [name for name in by_endpoint if name.rpartition(".")[2] == wanted.rpartition(".")[2]][:5]
    near = [wanted] if wanted in by_endpoint else [*same, *difflib.get_close_matches(wanted, by_endpoint, 5, 0.4)]
    rows = [
        (f"{name}  {rule.rule}", _needs(rule, error)) for name in dict.fromkeys(near) for rule in by_endpoint[name][:4]
    ]
    if wanted in by_endpoint:
        return Hint(f"The endpoint {wanted!r} exists, but its URL cannot be built from these values.", rows)
    if rows:
        return Hint(f"Unknown endpoint {wanted!r}. Similar endpoints:", rows)
    return Hint(f"Unknown endpoint {wanted!r}, and none is similar. `costrel routes` lists all endpoints.")


def _needs(rule: Rule, error: BuildError) -> str:
    needed = set(rule.arguments) - set(rule.defaults or ())
    missing = sorted(needed - set(error.values or ()))
    if error.method and rule.methods is not None and error.method not in rule.methods:
        return f"is for {', '.join(sorted(rule.methods))}"
    if missing:
        return f"needs {listed(missing)}"
    return f"takes {listed(sorted(needed))}" if needed else "takes no values"


def _near_templates(error: TemplateNotFound, app: Costrel) -> Iterator[Hint]:
    names = getattr(error, "templates", None) or [error.name]
    there = app.jinja_env.list_templates()
    near = [match for name in names for match in difflib.get_close_matches(str(name), there, 3, 0.5)]
    folders = [
        (str(path), f"of {getattr(owner, 'name', owner)}")
        for owner in (app, *app.iter_blueprints())
        for path in getattr(owner.jinja_loader, "searchpath", ())
    ]
    if near:
        yield Hint(f"Did you mean {listed(list(dict.fromkeys(near)))}?")
    yield Hint("These folders were searched:" if folders else "There is no folder for templates.", folders)


def _near_names(error: NameError | AttributeError, report: Report) -> Iterator[Hint]:
    """The existing name that is most similar to the missing one."""
    there: Iterable[str] = ()
    if isinstance(error, AttributeError):
        there = dir(error.obj)
    elif report.frames and (scope := report.frames[-1].scope) is not None:
        there = [*scope.f_locals, *scope.f_globals, *dir(builtins)]
    near = difflib.get_close_matches(str(error.name), there, 1, 0.7)
    if near:
        yield Hint(f"Did you mean {near[0]!r}?")
