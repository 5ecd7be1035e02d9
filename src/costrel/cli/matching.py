"""The route that answers a request, or the reasons why none does: `costrel routes --match`."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import urlsplit

import click

from ..app.mounts import find_mount
from ..devtools.near_rules import NearRule, near_rules
from ..http.errors import HTTPException, MethodNotAllowed
from ..routing import RequestRedirect, WebsocketMismatch
from .locations import location_of

if t.TYPE_CHECKING:
    from ..app.application import Costrel
    from ..messages.request import Request

WEBSOCKET: t.Final = "WEBSOCKET"


class RequestLine(t.NamedTuple):
    """A request to match: the method, the path with the query, and the URL of the host."""

    method: str
    path: str
    base_url: str


class Match(t.NamedTuple):
    """The result: a rule with its endpoint, arguments and view, or a status and the reason why no rule matches."""

    status: int | None = None
    endpoint: str | None = None
    rule: str | None = None
    arguments: dict[str, str] | None = None
    view: str | None = None
    location: str | None = None
    allowed: list[str] | None = None
    problem: str | None = None
    near: list[NearRule] | None = None


def parse_request(app: Costrel, text: str) -> RequestLine:
    """Parse ``METHOD PATH``, ``PATH`` (a GET request) or ``METHOD URL``. Raises click.UsageError for other texts."""
    words = text.split()
    if len(words) == 1:
        words.insert(0, "GET")
    if len(words) != 2:
        raise click.UsageError(f"{text!r} is not a method and a path, such as 'POST /items'.")
    return request_line(app, *words)


def request_line(app: Costrel, method: str, target: str) -> RequestLine:
    """A request to `target`, which is a path or a URL. Raises click.UsageError for other targets."""
    if target.startswith("/") and not target.startswith("//"):
        return RequestLine(method.upper(), target, f"{app.config['PREFERRED_URL_SCHEME']}://{default_host(app)}/")
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise click.UsageError(f"{target!r} is neither a path, which begins with '/', nor an http or https URL.")
    path = parts._replace(scheme="", netloc="", path=parts.path or "/").geturl()
    return RequestLine(method.upper(), path, f"{parts.scheme}://{parts.netloc}/")


def default_host(app: Costrel) -> str:
    """The host of requests that name none: SERVER_NAME, the first of TRUSTED_HOSTS, or localhost."""
    trusted = app.config["TRUSTED_HOSTS"]
    first = trusted if isinstance(trusted, str) else next(iter(trusted or ()), None)
    return app.config["SERVER_NAME"] or (first or "localhost").lstrip(".")


def show_match(app: Costrel, text: str, is_json: bool) -> None:
    """Print which route a request matches. Exits with 1 if there is none."""
    request = parse_request(app, text)
    result = match(app, request)
    if is_json:
        near = [vars(each) for each in result.near or ()]
        click.echo(
            json.dumps({"method": request.method, "path": request.path, **result._asdict(), "near": near}, indent=2)
        )
    else:
        _print(request, result)
    if result.status is not None and result.location is None:
        raise click.exceptions.Exit(1)


def match(app: Costrel, line: RequestLine) -> Match:
    """Match a request as during serving, but without calling any function of the application."""
    is_websocket = line.method == WEBSOCKET
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"} if is_websocket else {}
    ctx = app.test_request_context(
        line.path, method="GET" if is_websocket else line.method, base_url=line.base_url, headers=headers
    )
    ctx.match_request()  # the context is not pushed, since popping it would call the teardown functions
    request, adapter = ctx.request, ctx.url_adapter
    rule, error = request.url_rule, request.routing_exception
    if error is None and rule is not None:
        view = location_of(app.view_functions.get(rule.endpoint))
        arguments = {name: str(value) for name, value in (request.view_args or {}).items()}
        return Match(None, rule.endpoint, rule.rule, arguments, str(view) if view else None)
    mount = find_mount(app, request.path)
    if mount is not None:
        return Match(rule=f"{mount.place}/…", problem="A mounted application answers it.")
    near = [] if adapter is None else near_rules(adapter, request.path, line.method)
    return _unmatched(error, request, near)


def _unmatched(error: Exception | None, request: Request, near: list[NearRule]) -> Match:
    if isinstance(error, RequestRedirect):
        return Match(error.code, location=error.new_url)
    if isinstance(error, MethodNotAllowed):
        allowed = sorted(error.valid_methods or ())
        return Match(405, allowed=allowed, problem=f"The method {request.method} is not allowed.", near=near)
    if isinstance(error, WebsocketMismatch):
        return Match(400, problem=str(error.description), near=near)
    if isinstance(error, HTTPException):
        problem = "No rule matches the path." if error.code == 404 else str(error.description)
        return Match(error.code, problem=problem, near=near)
    return Match(404, problem="No rule matches the request.", near=near)


def _print(request: RequestLine, match: Match) -> None:
    shown = f"{request.method} {request.path}"
    if match.location is not None:
        click.echo(f"{shown}: {click.style(f'redirects to {match.location}', fg='yellow')} ({match.status}).")
    elif match.status is None and match.endpoint is None:
        click.echo(f"{shown}: {match.problem} It is at {match.rule}.")
    elif match.status is None:
        click.echo(f"{shown}: {click.style(str(match.endpoint), fg='green')}, by the rule {match.rule}")
        for name, value in (match.arguments or {}).items():
            click.echo(f"    {name} = {value!r}")
        if match.view:
            click.echo(f"    {match.view}")
    else:
        click.echo(f"{shown}: {click.style(str(match.status), fg='red')}. {match.problem}")
        if match.allowed:
            click.echo(f"    Allowed: {', '.join(match.allowed)}")
        for near in match.near or ():
            click.echo(f"    {near.rule} ({near.methods}, {near.endpoint}) {near.reason}")
