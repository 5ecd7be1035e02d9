"""Help in the place of the plain 404 and 405: which rules there are, and what keeps them from matching."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable

from ..http.errors import MethodNotAllowed, NotFound
from ..messages.request import Request
from .debugger import DebuggedApplication, Debugger
from .near_rules import explain
from .page import Asker, HelpPage

PLAIN_PAGES: t.Final = {
    404: (NotFound().get_body().encode(), "Not Found"),
    405: (MethodNotAllowed().get_body().encode(), "Method Not Allowed"),
}
"""Status → the page that is replaced, and its name; a page of the application's own is left alone."""

StartResponse = Callable[..., t.Any]


def write_help(page: HelpPage, code: int, app: t.Any, debugger: Debugger, environ: dict[str, t.Any]) -> bytes:
    """The page for a request that no rule of `app` answered."""
    request = Request(environ, populate_request=False)
    adapter = app.create_url_adapter(app.request_class(environ, populate_request=False))
    explanation = explain(adapter, request.path, request.method)
    html: str = page.html(code, PLAIN_PAGES[code][1], Asker.of(request, debugger.describer()), explanation)
    return html.encode()


def wants_help(app: t.Any, environ: dict[str, t.Any]) -> bool:
    """Whether it is a browser that asks, and `app` is being worked on."""
    return "html" in environ.get("HTTP_ACCEPT", "") and bool(app.debug)


class HelpingApplication(DebuggedApplication):
    """The debugger around a Costrel application on a WSGI server, with the same help there."""

    def debug_application(self, environ: dict[str, t.Any], start_response: StartResponse) -> Iterable[bytes]:  # type: ignore[override]  # an iterable, which is all that is asked of it
        """Run the application; its plain 404 and 405 become help for those who may see it."""
        if environ["REQUEST_METHOD"] == "HEAD" or not wants_help(self.app, environ):
            return super().debug_application(environ, start_response)
        if not self.check_host_trust(environ):
            return super().debug_application(environ, start_response)
        return self._helped(environ, start_response)

    def _helped(self, environ: dict[str, t.Any], start_response: StartResponse) -> Iterable[bytes]:
        held: list[tuple[str, list[tuple[str, str]]]] = []

        def hold(status: str, headers: list[tuple[str, str]], *exc_info: t.Any) -> t.Any:
            plain = PLAIN_PAGES.get(int(status[:3]), (b"",))[0]
            if not exc_info and plain and ("Content-Length", str(len(plain))) in headers:
                held[:] = [(status, headers)]
                return None
            held.clear()
            return start_response(status, headers, *exc_info)

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
        environ: dict[str, t.Any],
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
