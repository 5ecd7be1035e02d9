"""Help pages instead of the plain 404 and 405: they list similar rules, and why these did not match."""

from __future__ import annotations

import json
import os
import sys
import typing as t
from collections.abc import Callable, Iterable

from ..app.application import Costrel
from ..http.errors import MethodNotAllowed, NotFound
from ..messages.request import Request
from .debugger import DebuggedApplication, Debugger
from .hints import Hint
from .near_rules import Explanation, explain
from .page import FirstSteps, HelpPage, RequestSummary
from .terminal import format_hint, painter

if t.TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PLAIN_PAGES: t.Final = {
    404: (NotFound().get_body().encode(), "Not Found"),
    405: (MethodNotAllowed().get_body().encode(), "Method Not Allowed"),
}
"""Status → the page to replace, and its title. Any other page is the application's own, and is kept."""

MAX_NOTED: t.Final = 200
"""The maximum number of requests to explain in the terminal, so that a scan of many URLs does not flood it."""

AUTOMATIC: t.Final = frozenset({"/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png"})
"""Paths that browsers request by themselves."""


def explanation_of(app: Costrel, environ: WSGIEnvironment) -> Explanation:
    """Why no rule of `app` matches a request."""
    request = Request(environ, populate_request=False)
    adapter = app.create_url_adapter(app.request_class(environ, populate_request=False))
    if adapter is None:
        raise RuntimeError(f"create_url_adapter() of {app!r} returned None for a request.")
    return explain(adapter, request.path, request.method)


def write_help(page: HelpPage, code: int, app: Costrel, debugger: Debugger, environ: WSGIEnvironment) -> bytes:
    """The help page for a request that no rule of `app` matches."""
    request = Request(environ, populate_request=False)
    summary = RequestSummary.of(request, debugger.describer())
    if not has_routes(app):
        return page.welcome(code, summary, _first_steps(app)).encode()
    return page.html(code, PLAIN_PAGES[code][1], summary, explanation_of(app, environ)).encode()


def add_hint(body: bytes, app: Costrel, environ: WSGIEnvironment) -> bytes:
    """Add the member ``hint`` to the problem details of a 404 or 405, unless a view has sent them."""
    problem = json.loads(body)
    hint = hint_for(app, environ)
    if hint is None or not isinstance(problem, dict) or problem.get("type") != "about:blank":
        return body
    rows = [f"{name} {remark}" for name, remark in hint.rows]
    return json.dumps({**problem, "hint": [hint.text, *rows]}).encode() + b"\n"


def hint_for(app: Costrel, environ: WSGIEnvironment) -> Hint | None:
    """The rules most similar to a request that no rule matches; None if a rule matches."""
    explanation = explanation_of(app, environ)
    if explanation.matched is not None:
        return None
    near = [(near.rule, near.reason) for near in explanation.near]
    line = f"{environ['REQUEST_METHOD']} {Request(environ, populate_request=False).path!r}"
    return Hint(
        f"No rule matches {line}. Similar rules:" if near else f"No rule matches {line}, and none is similar.", near
    )


class NotFoundLog:
    """Explains in the terminal why no rule matched a request, once for each method and path."""

    def __init__(self, app: Costrel) -> None:
        self._app = app
        self._written: set[tuple[str, str]] = set()

    def note(self, status: int, environ: WSGIEnvironment) -> None:
        """Explain a 404 or 405, also if the application has its own page for it."""
        key = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if status not in PLAIN_PAGES or key in self._written or len(self._written) >= MAX_NOTED:
            return
        self._written.add(key)
        hint = None if key[1] in AUTOMATIC else hint_for(self._app, environ)
        if hint is not None:
            sys.stderr.write("\n".join(format_hint(hint, painter(sys.stderr))) + "\n")


def has_routes(app: Costrel) -> bool:
    """Whether an application has a route or mount apart from its static files."""
    return bool(app.mounts) or any(rule.endpoint != "static" for rule in app.url_map.iter_rules())


def _first_steps(app: Costrel) -> FirstSteps:
    module = sys.modules.get(app.import_name)
    file = getattr(module, "__file__", None)
    names = [name for name, value in vars(module).items() if value is app] if module else []
    return FirstSteps(app.name, os.path.basename(file) if file else None, names[0] if names else "app")


def wants_help(app: Costrel, environ: WSGIEnvironment) -> bool:
    """Whether a browser sent the request, and `app` is in debug mode."""
    return "html" in environ.get("HTTP_ACCEPT", "") and bool(app.debug)


def _write_nothing(data: bytes) -> None:
    raise RuntimeError("The write() function of start_response is not supported.")


class HelpingApplication(DebuggedApplication):
    """The debugger for a Costrel application on a WSGI server, with help pages."""

    app: Costrel

    def debug_application(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:  # type: ignore[override]  # callers need no more than an iterable
        """Run the application, and replace its plain 404 and 405 for clients that may see the help."""
        if environ["REQUEST_METHOD"] == "HEAD" or not wants_help(self.app, environ):
            return super().debug_application(environ, start_response)
        if not self.check_host_trust(environ):
            return super().debug_application(environ, start_response)
        return self._helped(environ, start_response)

    def _helped(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        held: list[tuple[str, list[tuple[str, str]]]] = []

        def hold(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /
        ) -> Callable[[bytes], object]:
            plain = PLAIN_PAGES.get(int(status[:3]), (b"",))[0]
            if exc_info is None and plain and ("Content-Length", str(len(plain))) in headers:
                held[:] = [(status, headers)]
                return _write_nothing
            held.clear()
            return start_response(status, headers) if exc_info is None else start_response(status, headers, exc_info)

        for chunk in super().debug_application(environ, hold):
            if held:
                yield self._replace_page(chunk, *held.pop(), environ, start_response)
            else:
                yield chunk

    def _replace_page(
        self,
        chunk: bytes,
        status: str,
        headers: list[tuple[str, str]],
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> bytes:
        code = int(status[:3])
        if chunk == PLAIN_PAGES[code][0]:
            page = HelpPage()
            chunk = write_help(page, code, self.app, self, environ)
            added = page.headers()
            headers = [pair for pair in headers if pair[0] not in {"Content-Length", *added}]
            headers += [*added.items(), ("Content-Length", str(len(chunk)))]
        start_response(status, headers)
        return chunk
