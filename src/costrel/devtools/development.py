"""The ASGI middleware around an application in development: the debugger, help with 404 and 405, and fresh pages."""

from __future__ import annotations

import asyncio
import io
import typing as t
from collections.abc import Awaitable, Callable
from functools import partial

from ..context import RequestContext
from ..edges.outgoing import Answer
from ..edges.scope import environ_of
from ..messages.request import Request
from ..messages.response import Response
from .debugger import MAX_CODE, Debugger
from .frames import Report
from .gates import QUIET
from .helping import PLAIN_PAGES, wants_help, write_help
from .page import HelpPage
from .refresh import (
    PREFIX,
    Message,
    Page,
    Receive,
    Refresher,
    Send,
    insert,
    new_start,
    script_tag,
    uncache,
    wants_script,
)

Scope = Message
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class DevelopmentApplication:
    """Answers exceptions of `app` with the debugger's page, to this computer alone; passes everything else on.

    `app` is the application, `application` its ASGI side. With `evalex` there are consoles. With `refresh` pages
    reload themselves when the program was started again or a template changed. Use it in one process only.
    """

    def __init__(
        self,
        app: t.Any,
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
        self.debugger.one_process = True
        self.debugger.frame_contexts[0] = [app.app_context()]

    def close(self) -> None:
        """Let go of pages that wait for events; to be called on the server's loop when it is to end."""
        if self.refresher is not None:
            self.refresher.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        environ = environ_of(scope)
        # No client is a Unix socket, behind which anything may be.
        environ.setdefault("REMOTE_ADDR", "")
        if not self.debugger.check_host_trust(environ):
            await self._refuse_or_pass(environ, scope, receive, send)
        elif self.refresher is not None and scope["path"].startswith(PREFIX) and not self._is_for_debugger(environ):
            scope[QUIET] = True
            await self.refresher.answer(scope["path"], environ, receive, send)
        elif self.shows_errors and self._is_for_debugger(environ):
            scope[QUIET] = True
            await self._answer_itself(environ, receive, send)
        else:
            await self._serve(environ, scope, receive, send)

    async def _refuse_or_pass(self, environ: dict[str, t.Any], scope: Scope, receive: Receive, send: Send) -> None:
        """Serve someone else: commands for the debugger are refused, and an error is the plain 500."""
        if self.shows_errors and self._is_for_debugger(environ):
            await self._answer_itself(environ, receive, send)
        else:
            await self._run(environ, scope, receive, send, _Watched(send))

    def _is_for_debugger(self, environ: dict[str, t.Any]) -> bool:
        return "__debugger__=yes" in environ["QUERY_STRING"] or environ["PATH_INFO"] == self.debugger.console_path

    async def _answer_itself(self, environ: dict[str, t.Any], receive: Receive, send: Send) -> None:
        body = await _read(receive, 4 * MAX_CODE)
        environ["wsgi.input"] = io.BytesIO(body)
        request = Request(environ, populate_request=False)
        response = await asyncio.to_thread(self.debugger.answer, request)
        if response is None:
            response = Response("Not Found", 404, mimetype="text/plain")
        await _send_response(response, environ, send)

    async def _serve(self, environ: dict[str, t.Any], scope: Scope, receive: Receive, send: Send) -> None:
        tag = script_tag(self.debugger.start) if self.refresher is not None and wants_script(environ) else b""
        page = Page(send, partial(self._change, environ, tag), tag)
        await self._run(environ, scope, receive, send, page)

    def _change(self, environ: dict[str, t.Any], tag: bytes, start: Message, body: bytes) -> bytes:
        """The page as it is sent: help in the place of the plain 404 and 405, and the script."""
        plain = PLAIN_PAGES.get(start["status"], (b"", ""))[0]
        if body and body == plain and wants_help(self.app, environ):
            page = HelpPage(start=self.debugger.start if environ["REQUEST_METHOD"] == "GET" else "")
            own = {key.lower().encode(): value.encode() for key, value in page.headers().items()}
            start["headers"] = [pair for pair in start["headers"] if pair[0].lower() not in own] + list(own.items())
            return write_help(page, start["status"], self.app, self.debugger, environ)
        if tag and environ["REQUEST_METHOD"] == "GET":
            uncache(start)
            return insert(body, tag)
        return body

    async def _run(
        self, environ: dict[str, t.Any], scope: Scope, receive: Receive, send: Send, sending: Page | _Watched
    ) -> None:
        """Have the application answer; its exception becomes a page, or, once an answer was begun, goes on."""
        try:
            await self.application(scope, receive, sending.send)
        except Exception as error:
            if not self.shows_errors:
                raise
            response = await asyncio.to_thread(self._report, error, environ)
            if sending.started:
                raise
            await _send_response(response, environ, send)

    def _report(self, error: Exception, environ: dict[str, t.Any]) -> Response:
        report = self.debugger.report(error)
        contexts = _contexts(report)
        self.debugger.log(report, contexts=contexts)
        return self.debugger.show(report, Request(environ, populate_request=False), contexts)


class _Watched:
    """Passes messages on, and knows whether an answer was begun."""

    def __init__(self, pass_on: Send) -> None:
        self._pass_on = pass_on
        self.started = False

    async def send(self, message: Message) -> None:
        self.started = True
        await self._pass_on(message)


def _contexts(report: Report) -> list[RequestContext]:
    """The contexts of the request, which the frames of the lifecycle have: a console enters them again."""
    found = [ctx for item in report.all() for ctx in item.contexts(RequestContext)]
    return list({id(ctx): ctx for ctx in found}.values())[:1]


async def _read(receive: Receive, limit: int) -> bytes:
    """The body of a request, or its beginning where it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False) or len(body) > limit:
            return bytes(body)


async def _send_response(response: t.Any, environ: dict[str, t.Any], send: Send) -> None:
    async def in_thread(function: Callable[[], t.Any]) -> t.Any:
        return await asyncio.to_thread(function)

    await Answer.of_wsgi(response, environ).send(send, in_thread)
