"""The ASGI middleware for development: the debugger, help pages for 404 and 405, and pages that reload themselves."""

from __future__ import annotations

import asyncio
import io
import typing as t
from collections.abc import Awaitable, Callable
from functools import partial

from ..app.application import Costrel
from ..context import RequestContext
from ..edges.outgoing import Answer
from ..edges.scope import environ_of
from ..messages.request import Request
from ..messages.response import Response
from .debugger import MAX_CODE, Debugger
from .frames import Report
from .gates import QUIET
from .helping import PLAIN_PAGES, NotFoundLog, add_hint, wants_help, write_help
from .inspector.inspector import Inspector
from .inspector.making import activity_of
from .inspector.recording import CURRENT
from .page import HelpPage
from .refresh import (
    PREFIX,
    HeldPage,
    Message,
    Receive,
    Refresher,
    Send,
    insert,
    is_problem,
    new_start,
    script_tag,
    uncache,
    wants_script,
)

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

T = t.TypeVar("T")

Scope = Message
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class DevelopmentApplication:
    """Shows the debugger's page for exceptions of `app`, but only to clients on this computer.

    `application` is the ASGI application of `app`. `evalex` turns consoles on. If `refresh` is true, pages reload
    themselves when the program restarts or a template changes. Use it only with a single process.
    """

    def __init__(
        self,
        app: Costrel,
        application: Application,
        *,
        debugger: bool = True,
        evalex: bool = True,
        refresh: bool = True,
        console_path: str = PREFIX + "console",
    ) -> None:
        self.app = app
        self.application = application
        self.shows_errors = debugger
        start = new_start() if refresh else ""
        self.refresher = Refresher(app, start) if refresh else None
        self.debugger = Debugger(app, evalex and debugger, console_path, app.make_shell_context, start=start)
        self._not_found = NotFoundLog(app)
        self.inspector = Inspector(app, self.debugger) if debugger and evalex and app.debug else None
        self.debugger.one_process = True
        self.debugger.frame_contexts[0] = [app.app_context()]

    def close(self) -> None:
        """End the event streams of open pages. Call it on the server's event loop before the server stops."""
        if self.refresher is not None:
            self.refresher.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI scope."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        environ = environ_of(scope)
        # A scope without a client address comes from a Unix socket, whose other end is unknown.
        environ.setdefault("REMOTE_ADDR", "")
        if self.inspector is not None and self.inspector.covers(scope["path"]) and not self._is_for_debugger(environ):
            scope[QUIET] = True
            await self._inspect(self.inspector, environ, scope, receive, send)
        elif not self.debugger.check_host_trust(environ):
            await self._refuse_or_pass(environ, scope, receive, send)
        elif self.refresher is not None and scope["path"].startswith(PREFIX) and not self._is_for_debugger(environ):
            scope[QUIET] = True
            await self.refresher.answer(scope["path"], environ, receive, send)
        elif self.shows_errors and self._is_for_debugger(environ):
            scope[QUIET] = True
            await self._answer_command(environ, receive, send)
        else:
            await self._serve(environ, scope, receive, send)

    async def _refuse_or_pass(self, environ: WSGIEnvironment, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an untrusted client: refuse commands for the debugger, and send the plain 500 after an error."""
        if self.shows_errors and self._is_for_debugger(environ):
            await self._answer_command(environ, receive, send)
        else:
            await self._run(environ, scope, receive, send, _Watched(send))

    def _is_for_debugger(self, environ: WSGIEnvironment) -> bool:
        return "__debugger__=yes" in environ["QUERY_STRING"] or environ["PATH_INFO"] == self.debugger.console_path

    async def _answer_command(self, environ: WSGIEnvironment, receive: Receive, send: Send) -> None:
        body = await _read(receive, 4 * MAX_CODE)
        environ["wsgi.input"] = io.BytesIO(body)
        request = Request(environ, populate_request=False)
        response = await asyncio.to_thread(self.debugger.answer, request)
        if response is None:
            response = Response("Not Found", 404, mimetype="text/plain")
        await _send_response(response, environ, send)

    async def _inspect(
        self, inspector: Inspector, environ: WSGIEnvironment, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer a request for the inspector."""

        async def replay(scope: Scope, receive: Receive, send: Send) -> None:
            await self._serve(environ_of(scope), scope, receive, send)

        environ["wsgi.input"] = io.BytesIO(await _read(receive, 4 * MAX_CODE))
        request = Request(environ, populate_request=False)
        await _send_response(await inspector.answer(request, scope, replay), environ, send)

    async def _serve(self, environ: WSGIEnvironment, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and record the request if there is an inspector."""
        if self.inspector is None:
            await self._serve_page(environ, scope, receive, send)
        else:
            serve = partial(self._serve_page, environ, scope)
            await self.inspector.record(environ, scope, receive, send, serve)

    async def _serve_page(self, environ: WSGIEnvironment, scope: Scope, receive: Receive, send: Send) -> None:
        tag = script_tag(self.debugger.start) if self.refresher is not None and wants_script(environ) else b""
        if tag:  # the script cannot be inserted into a compressed page
            scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() != b"accept-encoding"]
        note = partial(self._not_found.note, environ=environ) if self.app.debug else bool
        page = HeldPage(send, partial(self._change, environ, tag), tag, note)
        await self._run(environ, scope, receive, send, page)

    def _change(self, environ: WSGIEnvironment, tag: bytes, start: Message, body: bytes) -> bytes:
        """The page to send: help instead of the plain 404 and 405, and the script that reloads the page."""
        plain = PLAIN_PAGES.get(start["status"], (b"", ""))[0]
        if is_problem(start):
            return add_hint(body, self.app, environ) if body and self.app.debug else body
        if body and body == plain and wants_help(self.app, environ):
            page = HelpPage(start=self.debugger.start if environ["REQUEST_METHOD"] == "GET" else "")
            added = {key.lower().encode(): value.encode() for key, value in page.headers().items()}
            start["headers"] = [pair for pair in start["headers"] if pair[0].lower() not in added] + [*added.items()]
            return write_help(page, start["status"], self.app, self.debugger, environ)
        if tag and environ["REQUEST_METHOD"] == "GET":
            uncache(start)
            return insert(body, tag)
        return body

    async def _run(
        self, environ: WSGIEnvironment, scope: Scope, receive: Receive, send: Send, sending: HeldPage | _Watched
    ) -> None:
        """Run the application, and show the error page if it fails. If the response has started, raise the error."""
        try:
            await self.application(scope, receive, sending.send)
        except Exception as error:
            if not self.shows_errors:
                raise
            response = await asyncio.to_thread(self._report, error, environ)
            if sending.started:
                raise
            await _send_response(response, environ, send)

    def _report(self, error: Exception, environ: WSGIEnvironment) -> Response:
        report = self.debugger.report(error)
        contexts = _contexts(report)
        self.debugger.log(report, contexts=contexts)
        recording = CURRENT.get()
        activity = None
        if recording is not None:
            recording.error = error
            activity = partial(activity_of, recording)
        return self.debugger.show(report, Request(environ, populate_request=False), contexts, activity)


class _Watched:
    """Passes messages on, and records whether the response has started."""

    def __init__(self, pass_on: Send) -> None:
        self._pass_on = pass_on
        self.started = False

    async def send(self, message: Message) -> None:
        self.started = True
        await self._pass_on(message)


def _contexts(report: Report) -> list[RequestContext]:
    """The request's context, which consoles enter again. It is looked up in the frames of the lifecycle."""
    contexts = [ctx for item in report.all() for ctx in item.contexts(RequestContext)]
    return list({id(ctx): ctx for ctx in contexts}.values())[:1]


async def _read(receive: Receive, limit: int) -> bytes:
    """The body of a request, or its beginning if it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False) or len(body) > limit:
            return bytes(body)


async def _send_response(response: Response, environ: WSGIEnvironment, send: Send) -> None:
    async def in_thread(function: Callable[[], T]) -> T:
        return await asyncio.to_thread(function)

    await Answer.of_wsgi(response, environ).send(send, in_thread)
