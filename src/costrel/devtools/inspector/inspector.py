"""Records the requests of a development server, and serves the pages about them."""

from __future__ import annotations

import hmac
import secrets
import typing as t
from collections.abc import Awaitable, Callable
from time import localtime, strftime

from ...app.application import Costrel
from ...http.errors import HTTPException, MethodNotAllowed, NotFound, SecurityError
from ...messages.request import Request
from ...messages.response import Response
from ...support.asgi_types import ASGIApplication, Message, Receive, Scope, Send
from ..debugger import Debugger
from ..gates import own_origin, was_forwarded
from ..page import Shell
from .copies import as_curl, as_test
from .hiding import Pairs
from .making import known_secrets, make_record
from .recording import CURRENT, MAX_BODY, Inspection, Recording
from .records import MAX_BYTES, MAX_RECORDS, Record, Records
from .replay import replay

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

REQUESTS: t.Final = "/__costrel__/requests"
"""The path of the list of requests. Records and replays are below it."""


class InspectorPage(Shell):
    """A page of the inspector. Unlike the other developer pages, it has forms."""

    path: t.Final = REQUESTS

    def clock(self, at: float) -> str:
        """The time of day of a timestamp."""
        return strftime("%H:%M:%S", localtime(at))

    def sql_rows(self, record: Record) -> Pairs:
        """The rows for SQL statements."""
        return [(f"{ms:.1f} ms", f"{sql}\n{parameters}".strip()) for sql, parameters, ms in record.sql]

    def template_rows(self, record: Record) -> Pairs:
        """The rows for templates."""
        return [(f"{ms:.1f} ms", name) for name, ms in record.templates]

    def log_rows(self, record: Record) -> Pairs:
        """The rows for log lines."""
        return [(f"{level} {name}", message) for level, name, message in record.logs]

    def headers(self) -> dict[str, str]:
        headers = super().headers()
        headers["Content-Security-Policy"] = headers["Content-Security-Policy"].replace(
            "form-action 'none'", "form-action 'self'"
        )
        # With no-referrer, browsers submit forms with ``Origin: null``.
        headers["Referrer-Policy"] = "same-origin"
        return headers

    def response(self, template: str, status: int = 200, **variables: object) -> Response:
        """A page as a response."""
        return Response(self.render(template, **variables), status, self.headers(), mimetype="text/html")


class Inspector:
    """The recorded requests of an application. Access requires the debugger's PIN."""

    def __init__(self, app: Costrel, debugger: Debugger) -> None:
        self.records = Records()
        self._app = app
        self._debugger = debugger
        self._inspection = Inspection(app)
        self._token = secrets.token_urlsafe(18)

    # -- recording

    async def record(
        self,
        environ: WSGIEnvironment,
        scope: Scope,
        receive: Receive,
        send: Send,
        serve: Callable[[Receive, Send], Awaitable[None]],
    ) -> None:
        """Record the request that `serve` answers."""
        self._inspection.connect_sql()
        recording = Recording()
        watch = _Watch(recording, receive, send)
        token = CURRENT.set(recording)
        try:
            await serve(watch.receive, watch.send)
        except BaseException as error:
            recording.error = error
            raise
        finally:
            CURRENT.reset(token)
            self._keep(recording, environ, scope, watch)

    def _keep(self, recording: Recording, environ: WSGIEnvironment, scope: Scope, watch: _Watch) -> None:
        known = known_secrets(self._app.config)
        try:
            self.records.add(make_record(recording, environ, scope, watch.start, watch.size, known))
        except Exception:  # the response has been sent, and recording must not make the request fail
            self._app.logger.exception("The inspector cannot record this request.")

    # -- pages

    def covers(self, path: str) -> bool:
        """Whether a path belongs to the inspector."""
        return path == REQUESTS or path.startswith(REQUESTS + "/")

    async def answer(self, request: Request, scope: Scope, application: ASGIApplication) -> Response:
        """The response to a request for the inspector.

        :param application: serves a replay, and records it.
        """
        try:
            return self._refusal(request, scope) or await self._page(request, scope, application)
        except HTTPException as error:
            return t.cast("Response", error.get_response(request.environ))

    def _refusal(self, request: Request, scope: Scope) -> Response | None:
        """The response to a client that may not see the records; None if it may.

        Raises SecurityError for a client that may not enter the PIN either.
        """
        debugger = self._debugger
        if was_forwarded(scope) or not debugger.is_welcome(request) or not debugger.may_evaluate(request.environ):
            raise SecurityError
        if debugger.check_pin_trust(request.environ) is True:
            return None
        if request.method != "GET":
            raise SecurityError
        return self._shell(trusted=False).response("locked.html", 403)

    def _shell(self, trusted: bool = True) -> InspectorPage:
        return InspectorPage(evalex=True, secret=self._debugger.secret, trusted=trusted)

    async def _page(self, request: Request, scope: Scope, application: ASGIApplication) -> Response:
        number, _, action = request.path.removeprefix(REQUESTS).strip("/").partition("/")
        if action not in ("", "replay"):
            raise NotFound
        if request.method != ("POST" if action else "GET"):
            raise MethodNotAllowed(["POST" if action else "GET"])
        if not number:
            return self._shell().response(
                "requests.html", records=self.records.all(), limit=MAX_RECORDS, megabytes=MAX_BYTES // 1_000_000
            )
        record = self.records.find(int(number)) if number.isascii() and number.isdecimal() else None
        if record is None:
            raise NotFound
        if action:
            return await self._replay(request, record, scope, application)
        return self._shell().response(
            "request.html", record=record, token=self._token, curl=as_curl(record), test=as_test(record)
        )

    async def _replay(self, request: Request, record: Record, scope: Scope, application: ASGIApplication) -> Response:
        if not self._is_own_form(request):
            raise SecurityError
        if not record.can_replay:
            raise NotFound
        if not record.is_safe and request.form.get("confirmed") != "yes":
            return self._shell().response("confirm.html", record=record, token=self._token)
        before = self.records.newest
        cookies = _cookies_without(request.environ.get("HTTP_COOKIE", ""), self._debugger.pin_cookie_name)
        try:
            await replay(record, application, scope, cookies)
        except Exception as error:
            self._app.logger.warning("The replay of %s %s failed: %r", record.method, record.path, error)
        newest = self.records.newest
        target = f"{REQUESTS}/{newest}" if newest != before else REQUESTS
        return Response("", 303, {"Location": target, "Cache-Control": "no-store"})

    def _is_own_form(self, request: Request) -> bool:
        """Whether a page of the inspector has sent the form, according to the browser and to the form's token."""
        token = request.form.get("token", "").encode("utf-8", "replace")
        return own_origin(request.environ) and hmac.compare_digest(token, self._token.encode())


class _Watch:
    """Passes the messages of one request on, and records them."""

    def __init__(self, recording: Recording, receive: Receive, send: Send) -> None:
        self._recording = recording
        self._receive = receive
        self._send = send
        self.start: Message | None = None
        self.size = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            recording = self._recording
            if len(recording.body) <= MAX_BODY:
                recording.body += message.get("body", b"")[: MAX_BODY + 1]
            recording.is_body_whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.size += len(message.get("body", b""))
        await self._send(message)


def _cookies_without(cookies: str, name: str) -> str:
    """A ``Cookie`` header without one cookie."""
    pairs = (part.strip() for part in cookies.split(";"))
    return "; ".join(pair for pair in pairs if pair and pair.partition("=")[0] != name)
