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
from .places import place_of

if t.TYPE_CHECKING:
    from ..app.application import Costrel
    from ..messages.request import Request

WEBSOCKET: t.Final = "WEBSOCKET"


class Asked(t.NamedTuple):
    """A request to match: its method, its path with the query, and its URL without them."""

    method: str
    path: str
    base_url: str


class Match(t.NamedTuple):
    """The outcome: a status without a rule, or the rule with its endpoint, arguments and view."""

    status: int | None = None
    endpoint: str | None = None
    rule: str | None = None
    arguments: dict[str, str] | None = None
    view: str | None = None
    location: str | None = None
    allowed: list[str] | None = None
    problem: str | None = None
    near: list[NearRule] | None = None


def parse_asked(app: Costrel, text: str) -> Asked:
    """Read ``METHOD PATH``, ``PATH`` (GET) or ``METHOD URL``. Raises click.UsageError for other texts."""
    words = text.split()
    if len(words) == 1:
        words.insert(0, "GET")
    if len(words) != 2:
        raise click.UsageError(f"{text!r} is not a method and a path, such as 'POST /items'.")
    return asked(app, *words)


def asked(app: Costrel, method: str, target: str) -> Asked:
    """A request with this method and target, a path or a URL. Raises click.UsageError for other targets."""
    if target.startswith("/") and not target.startswith("//"):
        return Asked(method.upper(), target, f"{app.config['PREFERRED_URL_SCHEME']}://{default_host(app)}/")
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise click.UsageError(f"{target!r} is neither a path, which begins with '/', nor an http or https URL.")
    path = parts._replace(scheme="", netloc="", path=parts.path or "/").geturl()
    return Asked(method.upper(), path, f"{parts.scheme}://{parts.netloc}/")


def default_host(app: Costrel) -> str:
    """The host of requests that name none: the application's own name, or one that it trusts."""
    trusted = app.config["TRUSTED_HOSTS"]
    first = trusted if isinstance(trusted, str) else next(iter(trusted or ()), None)
    return app.config["SERVER_NAME"] or (first or "localhost").lstrip(".")


def show_match(app: Costrel, text: str, is_json: bool) -> None:
    """Print the outcome for a request. Exits with 1 if no route answers it."""
    request = parse_asked(app, text)
    found = match(app, request)
    if is_json:
        near = [vars(each) for each in found.near or ()]
        click.echo(
            json.dumps({"method": request.method, "path": request.path, **found._asdict(), "near": near}, indent=2)
        )
    else:
        _print(request, found)
    if found.status is not None and found.location is None:
        raise click.exceptions.Exit(1)


def match(app: Costrel, asked: Asked) -> Match:
    """Match a request as a server's request is matched, without calling any function of the application."""
    is_websocket = asked.method == WEBSOCKET
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"} if is_websocket else {}
    ctx = app.test_request_context(
        asked.path, method="GET" if is_websocket else asked.method, base_url=asked.base_url, headers=headers
    )
    ctx.match_request()  # not pushed: a context that ends calls the application's teardown functions
    request, adapter = ctx.request, ctx.url_adapter
    rule, error = request.url_rule, request.routing_exception
    if error is None and rule is not None:
        view = place_of(app.view_functions.get(rule.endpoint))
        arguments = {name: str(value) for name, value in (request.view_args or {}).items()}
        return Match(None, rule.endpoint, rule.rule, arguments, str(view) if view else None)
    mount = find_mount(app, request.path)
    if mount is not None:
        return Match(rule=f"{mount.place}/…", problem="A mounted application answers it.")
    near = [] if adapter is None else near_rules(adapter, request.path, asked.method)
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


def _print(request: Asked, found: Match) -> None:
    shown = f"{request.method} {request.path}"
    if found.location is not None:
        click.echo(f"{shown}: {click.style(f'redirects to {found.location}', fg='yellow')} ({found.status}).")
    elif found.status is None and found.endpoint is None:
        click.echo(f"{shown}: {found.problem} It is at {found.rule}.")
    elif found.status is None:
        click.echo(f"{shown}: {click.style(str(found.endpoint), fg='green')}, by the rule {found.rule}")
        for name, value in (found.arguments or {}).items():
            click.echo(f"    {name} = {value!r}")
        if found.view:
            click.echo(f"    {found.view}")
    else:
        click.echo(f"{shown}: {click.style(str(found.status), fg='red')}. {found.problem}")
        if found.allowed:
            click.echo(f"    Allowed: {', '.join(found.allowed)}")
        for near in found.near or ():
            click.echo(f"    {near.rule} ({near.methods}, {near.endpoint}) {near.reason}")
