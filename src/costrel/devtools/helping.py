"""Help pages in place of the plain 404 and 405: similar rules, and the reasons why they did not match."""

from __future__ import annotations

import os
import sys
import typing as t
from collections.abc import Callable, Iterable

from ..app.application import Costrel
from ..http.errors import MethodNotAllowed, NotFound
from ..messages.request import Request
from .debugger import DebuggedApplication, Debugger
from .near_rules import explain
from .page import Asker, FirstSteps, HelpPage

if t.TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PLAIN_PAGES: t.Final = {
    404: (NotFound().get_body().encode(), "Not Found"),
    405: (MethodNotAllowed().get_body().encode(), "Method Not Allowed"),
}
"""Status → the page to replace, and its name. Other pages are the application's own, and are kept."""


def write_help(page: HelpPage, code: int, app: Costrel, debugger: Debugger, environ: WSGIEnvironment) -> bytes:
    """The page for a request that no rule of `app` matched."""
    request = Request(environ, populate_request=False)
    adapter = app.create_url_adapter(app.request_class(environ, populate_request=False))
    if adapter is None:
        raise RuntimeError(f"create_url_adapter() of {app!r} returned None for a request.")
    asker = Asker.of(request, debugger.describer())
    if not has_routes(app):
        return page.welcome(code, asker, _first_steps(app)).encode()
    explanation = explain(adapter, request.path, request.method)
    return page.html(code, PLAIN_PAGES[code][1], asker, explanation).encode()


def has_routes(app: Costrel) -> bool:
    """Whether an application has a route or a mount of its own, beside that of its static files."""
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
    raise RuntimeError("Costrel's responses have no write(): their bodies are iterables.")


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
                yield self._instead(chunk, *held.pop(), environ, start_response)
            else:
                yield chunk

    def _instead(
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
            own = page.headers()
            headers = [pair for pair in headers if pair[0] not in {"Content-Length", *own}]
            headers += [*own.items(), ("Content-Length", str(len(chunk)))]
        start_response(status, headers)
        return chunk
