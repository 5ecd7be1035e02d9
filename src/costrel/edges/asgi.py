"""The ASGI edge: requests from a server's event loop, blocking code in worker threads (ASGI HTTP spec 2.4)."""

from __future__ import annotations

import asyncio
import typing as t

from ..app import lifecycle
from ..app.application import Costrel
from ..context import RequestContext
from .bodies import Body, Receive
from .drive import Drive, Hop
from .lifespan import answer_lifespan
from .outgoing import Answer, Departure, Send
from .scope import Scope, environ_of
from .threads import THREADS, Workers
from .websocket import serve_websocket

PATIENCE: t.Final = 0.25
"""Seconds that an async view has run when the edge begins to look whether its client is still there."""

_BUSY: t.Final = b"The server is busy: try again in a moment.\n"

OVERLOADED: t.Final = Answer(
    503,
    [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(_BUSY))), ("Retry-After", "1")],
    _BUSY,
)
"""The answer where more requests wait for a worker thread than can be served soon (RFC 9110 §15.6.4)."""


class AsgiApplication:
    """One application as an ASGI 3 callable."""

    def __init__(self, app: t.Any) -> None:
        self.app = app
        self.workers = Workers(app.config.get("THREADS") or THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or one lifespan. Raises ValueError for a protocol that is not known here."""
        kind = scope["type"]
        if kind == "http":
            await self._answer_http(scope, receive, send)
        elif kind == "lifespan":
            await answer_lifespan(self.app, self.workers, receive, send)
        elif kind == "websocket":
            await serve_websocket(self.app, self.workers, scope, receive, send)
        else:
            raise ValueError(f"An ASGI scope of type {kind!r} is not known: 'http', 'websocket' and 'lifespan' are.")

    async def _answer_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.workers.is_full:
            await OVERLOADED.send(send, self.workers.run)
            return
        environ = environ_of(scope)
        body = environ["wsgi.input"] = Body(scope, environ, receive)
        departure = Departure(receive)
        try:
            if not body.complete:
                await body.begin(self.app.config["MAX_CONTENT_LENGTH"])
            hop = Hop(self.workers)
            if is_wrapped(self.app):
                # WSGI middleware is around the application: all of it runs in a thread.
                answer = await hop.run(lambda: Answer.of_wsgi(self.app, environ))
            else:
                environ["costrel.sends_async"] = True
                ctx = self.app.request_context(environ)
                drive = HttpDrive(ctx, hop, body, departure)
                try:
                    await drive.to_end(lifecycle.serve(ctx, lambda response: Answer.of(response, environ)))
                except asyncio.CancelledError:
                    if ctx.answer is not None and ctx.answer.close is not None:
                        await hop.run(ctx.answer.close)
                    if drive.is_left_alone():
                        return
                    raise
                answer = ctx.answer
            await answer.send(send, hop.run, departure if body.complete else None)
        finally:
            await departure.stop()
            body.close()


class HttpDrive(Drive):
    """A drive that has the body ready for async code, and ends an async view when its client has left."""

    def __init__(self, ctx: RequestContext, hop: Hop, body: Body, departure: Departure) -> None:
        super().__init__(ctx, hop)
        self.ctx: RequestContext = ctx
        self.body = body
        self.departure = departure
        self._task = asyncio.current_task()
        self._cancelled = False
        self._awaiting = False

    def is_left_alone(self) -> bool:
        """Whether it was the client's leaving that cancelled the request: then nobody else is to know."""
        if self._cancelled and self._task is not None:
            self._task.uncancel()
        return self._cancelled

    async def _await(self, coroutine: t.Any) -> t.Any:
        rule = self.ctx.request.url_rule
        if not self.body.complete and not getattr(rule, "stream_body", False):
            await self.body.spool(self.ctx.request.max_content_length)
        # Most views have returned before it is worth a task to wait for their client's leaving.
        timer = asyncio.get_running_loop().call_later(PATIENCE, self._watch)
        self._awaiting = True
        try:
            return await super()._await(coroutine)
        finally:
            self._awaiting = False
            timer.cancel()

    def _watch(self) -> None:
        if not self._awaiting:
            return
        if self.body.complete:
            self.departure.begin().add_done_callback(self._client_left)
        elif not self.body.cut_off:  # a view that streams the body is told by the body
            asyncio.get_running_loop().call_later(PATIENCE, self._watch)

    def _client_left(self, task: asyncio.Task[None]) -> None:
        # What runs once there is an answer, such as the teardown, is not for the client, and goes on.
        if self._awaiting and not task.cancelled() and self.ctx.answer is None and self._task is not None:
            self._cancelled = True
            self._task.cancel()


def is_wrapped(app: t.Any) -> bool:
    """Whether `wsgi_app`, or the call of the application, is not Costrel's own any more."""
    cls = type(app)
    return "wsgi_app" in app.__dict__ or cls.wsgi_app is not _OWN_WSGI_APP or cls.__call__ is not _OWN_CALL


_OWN_WSGI_APP: t.Final = Costrel.wsgi_app
_OWN_CALL: t.Final = Costrel.__call__
