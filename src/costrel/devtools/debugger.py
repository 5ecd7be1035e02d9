"""The debugger: access control, PIN, consoles and error pages, and its WSGI middleware."""

from __future__ import annotations

import hmac
import os
import secrets
import sys
import typing as t
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack

from .. import context
from ..context import Context, RequestContext
from ..http.errors import InternalServerError, NotFound, SecurityError
from ..messages.request import Request
from ..messages.response import Response
from ..support.closing import call_close
from . import gates, pin
from .console import Console
from .frames import Frame, Report, report_of
from .hints import hints_for
from .page import ASSETS, ErrorPage, RequestSummary, Shell, Tables, asset
from .terminal import format_report, painter
from .values import Describer, secrets_of
from .view_frames import add_view

if t.TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEPT_ERRORS: t.Final = 8
"""The number of errors whose frames, with all their variables, are kept for consoles."""

MAX_CODE: t.Final = 100_000
"""The maximum number of characters of code that a console accepts at a time."""

Namespace: t.TypeAlias = dict[str, t.Any]
Activity: t.TypeAlias = Callable[[Describer], Tables]


class EvalFrame(t.Protocol):
    """A frame with a console."""

    @property
    def console(self) -> Console: ...
    def eval(self, code: str) -> str: ...


_PROXIES: t.Final = {"request": context.request, "session": context.session, "g": context.g}
"""The variables that a console adds to the variables of its frame."""

_TYPES = {".css": "text/css", ".js": "text/javascript"}


class _ConsoleFrame:
    """The stand-in for a frame for a console without a frame."""

    def __init__(self, namespace: Namespace) -> None:
        self.console = Console(namespace)
        self.id = 0

    def eval(self, code: str) -> str:
        """Evaluate code. Returns the output as HTML."""
        return self.console.eval(code)


class Debugger:
    """The common part of the WSGI and the ASGI middleware. Secrets in the settings of `app` are hidden on the pages.

    `start` identifies this start of the program. Pages reload themselves only if it is set.
    """

    one_process = False
    """Whether a single process handles all requests. An environ that is made from an ASGI scope does not tell."""

    def __init__(
        self,
        app: WSGIApplication,
        evalex: bool = False,
        console_path: str = "/console",
        console_init_func: Callable[[], Namespace] | None = None,
        show_hidden_frames: bool = False,
        pin_security: bool = True,
        pin_logging: bool = True,
        start: str = "",
    ) -> None:
        self.app = app
        self.evalex = evalex
        self.frames: dict[int, EvalFrame] = {}
        self.frame_contexts: dict[int, list[Context]] = {}
        self.console_path = console_path
        self.console_init_func = console_init_func
        self.show_hidden_frames = show_hidden_frames
        self.secret = secrets.token_urlsafe(18)
        self.pin_logging = pin_logging
        self.trusted_hosts: list[str] = list(gates.TRUSTED_HOSTS)
        self.start = start
        self.tries = pin.Tries()
        self._kept: deque[list[int]] = deque()
        self._logged: BaseException | None = None
        self._pin: str | None
        self._pin_cookie: str | None
        if not pin_security:
            self.pin = None
        elif os.environ.get("WERKZEUG_RUN_MAIN") == "true":
            self.log_pin()

    def log_pin(self) -> None:
        """Print the PIN in the terminal if consoles are on, but not again after a reload."""
        if self.pin_logging and self.evalex and self.pin is not None and "COSTREL_RELOADED" not in os.environ:
            _print_lines(" * Debugger is active!", f" * Debugger PIN: {self.pin}")

    # -- PIN ------------------------------------------------------------------------------------------------------

    @property
    def pin(self) -> str | None:
        """The PIN that unlocks the consoles; None if they are not locked."""
        if not hasattr(self, "_pin"):
            self._pin, self._pin_cookie = pin.get_pin_and_cookie_name(self.app)
        return self._pin

    @pin.setter
    def pin(self, value: str | None) -> None:
        self._pin = value

    @property
    def pin_cookie_name(self) -> str:
        """The name of the cookie that marks browsers in which the PIN was entered."""
        name: str | None = getattr(self, "_pin_cookie", None)
        if name is None:
            name = self._pin_cookie = pin.get_pin_and_cookie_name(self.app)[1] or "__costrel_pin"
        return name

    def check_pin_trust(self, environ: WSGIEnvironment) -> bool | None:
        """Whether the PIN was entered in this browser; None if its cookie is invalid or expired."""
        if self.pin is None:
            return True
        ticket = Request(environ, populate_request=False).cookies.get(self.pin_cookie_name)
        if not ticket:
            return False
        return True if pin.check_ticket(ticket, self.pin) else None

    def check_host_trust(self, environ: WSGIEnvironment) -> bool:
        """Whether the request comes from this computer, and its host is one of `trusted_hosts`."""
        return gates.is_local(environ, self.trusted_hosts)

    def may_evaluate(self, environ: WSGIEnvironment) -> bool:
        """Whether consoles work. They require that a single process handles all requests."""
        return self.evalex and (self.one_process or not environ.get("wsgi.multiprocess"))

    def pin_auth(self, request: Request) -> Response:
        """The response to an entered PIN. After ten wrong PINs, no PIN is accepted any more."""
        if not self.is_welcome(request):
            return _refused(request)
        if self.pin is None:
            return _json(auth=True)
        if self.check_pin_trust(request.environ):
            return _json(auth=True)
        if not self.tries.take():
            return _json(auth=False, exhausted=True)
        if not pin.is_same_pin(request.args.get("pin") or request.form.get("pin", ""), self.pin):
            return _json(auth=False, exhausted=self.tries.exhausted)
        self.tries.reset()
        response = _json(auth=True)
        response.set_cookie(
            self.pin_cookie_name,
            pin.make_ticket(self.pin),
            httponly=True,
            samesite="Strict",
            secure=request.is_secure,
        )
        return response

    def log_pin_request(self, request: Request) -> Response:
        """Print the PIN in the terminal again because a browser requests it."""
        if not self.is_welcome(request):
            return _refused(request)
        if self.pin_logging and self.pin is not None:
            _print_lines(" * A browser requests the debugger's PIN:", f" * Debugger pin code: {self.pin}")
        return Response("")

    # -- requests to the debugger itself ---------------------------------------------------------------------------

    def answer(self, request: Request) -> Response | None:
        """The response to a request for the debugger; None for any other request."""
        if request.args.get("__debugger__") == "yes":
            return self._command(request)
        if self.evalex and self.console_path is not None and request.path == self.console_path:
            return self.display_console(request)
        return None

    def _command(self, request: Request) -> Response | None:
        command, has_secret = request.args.get("cmd"), self._has_secret(request)
        if command == "resource" and "f" in request.args:
            return self.get_resource(request, request.args["f"])
        if command == "pinauth" and has_secret:
            return self.pin_auth(request)
        if command == "printpin" and has_secret:
            return self.log_pin_request(request)
        frame = self.frames.get(request.args.get("frm", default=-1, type=int))
        if not has_secret or not self.may_evaluate(request.environ):
            return None
        if frame is None:
            return Response("This error is too old, or the program has restarted. Reload the page.", 404)
        code = request.get_data(as_text=True) if request.method == "POST" else command
        if code is None or not self.check_pin_trust(request.environ):
            return None
        return self.execute_command(request, code, frame)

    def _has_secret(self, request: Request) -> bool:
        secret = request.args.get("s", "").encode("utf-8", "replace")
        return hmac.compare_digest(secret, self.secret.encode())

    def is_welcome(self, request: Request) -> bool:
        """Whether a request comes from this computer, has a trusted host, and is not sent by another site's page."""
        return self.check_host_trust(request.environ) and gates.is_same_origin(request.environ)

    def execute_command(self, request: Request, command: str, frame: EvalFrame) -> Response:
        """Evaluate code in a frame, in the contexts that were current there."""
        if not self.is_welcome(request):
            return _refused(request)
        if len(command) > MAX_CODE:
            return Response("The code is too long for a console.", 413)
        contexts = self.frame_contexts.get(getattr(frame, "id", id(frame)), ())
        with ExitStack() as stack:
            for ctx in contexts:
                stack.enter_context(ctx)
                if isinstance(ctx, RequestContext):
                    frame.console.add(app=ctx.app, **_PROXIES)
            html = frame.eval(command)
        response = Response(html, mimetype="text/html")
        response.headers["X-Console-More"] = "1" if getattr(frame.console, "more", False) else "0"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    def display_console(self, request: Request) -> Response:
        """The page with a console that has the variables returned by `console_init_func`."""
        if not self.is_welcome(request) or not self.may_evaluate(request.environ):
            return _refused(request)
        if 0 not in self.frames:
            namespace = {} if self.console_init_func is None else dict(self.console_init_func())
            namespace.setdefault("app", self.app)
            self.frames[0] = _ConsoleFrame(namespace)
        shell = Shell(evalex=True, secret=self.secret, trusted=bool(self.check_pin_trust(request.environ)))
        return Response(shell.render("console.html"), 200, shell.headers(), mimetype="text/html")

    def get_resource(self, request: Request, filename: str) -> Response:
        """A style sheet or a script of the pages."""
        names = {path.name for path in ASSETS.iterdir() if path.suffix in _TYPES}
        if filename not in names:
            return t.cast("Response", NotFound().get_response(request.environ))
        return Response(asset(filename), mimetype=_TYPES[filename[filename.rindex(".") :]])

    # -- errors ---------------------------------------------------------------------------------------------------

    def report(self, error: BaseException) -> Report:
        """The exception as data."""
        report = report_of(error, self.show_hidden_frames)
        add_view(report)
        return report

    def log(self, report: Report, stream: t.TextIO | None = None, contexts: Iterable[Context] = ()) -> None:
        """Write the traceback and the hints to the terminal, unless they have been written for this exception."""
        if report.exception is self._logged:
            return
        self._logged = report.exception
        stream = sys.stderr if stream is None else stream
        hints = hints_for(report, _request_context(contexts))
        stream.write(format_report(report, painter(sys.stderr), self.describer(), hints))

    def describer(self, request: Request | None = None) -> Describer:
        """A formatter for values that hides the secrets of the settings, the environment and the request."""
        # `app` may be the method `wsgi_app` of the application.
        settings = getattr(getattr(self.app, "__self__", self.app), "config", None)
        sources: list[Mapping[str, object]] = [os.environ, settings if isinstance(settings, dict) else {}]
        if request is not None:
            sources += [request.environ, request.args]
            sources.append({f"{name}_cookie": value for name, value in request.cookies.items() if len(value) > 15})
        return Describer(secrets_of(*sources))

    def show(
        self, report: Report, request: Request, contexts: Iterable[Context] = (), activity: Activity | None = None
    ) -> Response:
        """The error page, or the plain 500 for clients that must not see it.

        Programs that do not accept HTML get the traceback as text. `activity` returns the tables of the request's
        stages, templates, SQL and log lines.
        """
        if not self.check_host_trust(request.environ):
            return t.cast("Response", InternalServerError().get_response(request.environ))
        contexts = list(contexts)
        ctx = _request_context(contexts)
        self._keep(report, contexts)
        describer = self.describer(request)
        page = ErrorPage(
            report,
            describer,
            RequestSummary.of(request, describer, ctx, [] if activity is None else activity(describer)),
            hints_for(report, ctx),
            evalex=self.may_evaluate(request.environ),
            secret=self.secret,
            trusted=bool(self.check_pin_trust(request.environ)),
            start=self.start if request.method == "GET" else "",
        )
        if _wants_text(request):
            return Response(page.text(), 500, page.headers(), mimetype="text/plain")
        return Response(page.html(), 500, page.headers(), mimetype="text/html")

    def _keep(self, report: Report, contexts: list[Context]) -> None:
        if not self.evalex:
            return
        frames: list[Frame] = [frame for item in report.all() for frame in item.frames if frame.scope is not None]
        for frame in frames:
            self.frames[frame.id] = frame
            self.frame_contexts[frame.id] = contexts
        self._kept.append([frame.id for frame in frames])
        while len(self._kept) > KEPT_ERRORS:
            for number in self._kept.popleft():
                self.frames.pop(number, None)
                self.frame_contexts.pop(number, None)


class DebuggedApplication(Debugger):
    """WSGI middleware that shows the debugger's page for exceptions of `app`.

    If `evalex` is true, each frame has a console, and there is another one at `console_path`, with the variables that
    `console_init_func` returns. Use it only in development, since a console runs any code.
    """

    def __init__(
        self,
        app: WSGIApplication,
        evalex: bool = False,
        request_key: str = "werkzeug.request",
        console_path: str = "/console",
        console_init_func: Callable[[], Namespace] | None = None,
        show_hidden_frames: bool = False,
        pin_security: bool = True,
        pin_logging: bool = True,
    ) -> None:
        self.request_key = request_key
        super().__init__(app, evalex, console_path, console_init_func, show_hidden_frames, pin_security, pin_logging)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle a request for the debugger, or pass it to the application."""
        request = Request(environ, populate_request=False)
        response = self.answer(request) if self._concerns(environ) else None
        if response is not None:
            return response(environ, start_response)
        return self.debug_application(environ, start_response)

    def _concerns(self, environ: WSGIEnvironment) -> bool:
        return "__debugger__" in environ.get("QUERY_STRING", "") or environ.get("PATH_INFO") == self.console_path

    def debug_application(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        """Run the application, and show the error page if it raises an exception.

        If the response has already started, the server gets the exception and aborts the response.
        """
        contexts: list[Context] = []
        if self.evalex:
            environ["werkzeug.debug.preserve_context"] = contexts.append
        body: Iterable[bytes] | None = None
        started: list[str] = []

        def watched(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /
        ) -> Callable[[bytes], object]:
            started.append(status)
            return start_response(status, headers) if exc_info is None else start_response(status, headers, exc_info)

        try:
            body = self.app(environ, watched)
            yield from body
        except Exception as error:
            report = self.report(error)
            self.log(report, environ.get("wsgi.errors"), contexts)
            response = self.show(report, Request(environ, populate_request=False), contexts)
            chunks, status, headers = response.get_wsgi_response(environ)
            start_response(status, headers, *([sys.exc_info()] if started else []))
            yield from chunks
        finally:
            call_close(body)


def _request_context(contexts: Iterable[Context]) -> RequestContext | None:
    """The context of the request, if it is known."""
    return next((ctx for ctx in contexts if isinstance(ctx, RequestContext)), None)


def _print_lines(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 - independent of the logging configuration


def _json(auth: bool, exhausted: bool = False) -> Response:
    words = {True: "true", False: "false"}
    text = f'{{"auth": {words[auth]}, "exhausted": {words[exhausted]}}}'
    return Response(text, mimetype="application/json", headers={"Cache-Control": "no-store"})


def _refused(request: Request) -> Response:
    return t.cast("Response", SecurityError().get_response(request.environ))


def _wants_text(request: Request) -> bool:
    """Whether the client is a program: it sends an Accept header without HTML."""
    accepts = request.headers.get("Accept")
    return accepts is not None and "html" not in accepts
