"""The ASGI edge: requests from a server's event loop, blocking code in worker threads (ASGI HTTP spec 2.4)."""

from __future__ import annotations

import asyncio
import typing as t

from ..app import lifecycle
from ..app.application import Costrel
from .bodies import Body, Receive
from .drive import Hop
from .http_drive import HttpDrive, Patrol
from .lifespan import answer_lifespan
from .outgoing import Answer, Departure, Send
from .patience import BODY_MIN_RATE, BODY_TIMEOUT, SEND_TIMEOUT, ClientStalled, Patience
from .scope import Scope, environ_of
from .threads import THREADS, Workers
from .websocket import serve_websocket

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
        self.patrol = Patrol()
        self.body_patience = Patience(app.config.get("BODY_TIMEOUT", BODY_TIMEOUT))
        self.body_min_rate = app.config.get("BODY_MIN_RATE", BODY_MIN_RATE) or 0
        self.send_patience = Patience(app.config.get("SEND_TIMEOUT", SEND_TIMEOUT))

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
        body = environ["wsgi.input"] = Body(scope, environ, receive, self.body_patience, self.body_min_rate)
        departure = Departure(receive)
        try:
            if not body.complete:
                await body.begin(self.app.config["MAX_CONTENT_LENGTH"])
            hop = Hop(self.workers)
            if not self.app._got_first_request or self.app.config["TESTING"]:
                self.app.open_for_requests()
            if is_wrapped(self.app):
                # WSGI middleware is around the application: all of it runs in a thread.
                answer = await hop.run(lambda: Answer.of_wsgi(self.app, environ))
            else:
                environ["costrel.sends_async"] = True
                ctx = self.app.request_context(environ)
                drive = HttpDrive(ctx, hop, body, departure, self.patrol)
                try:
                    await drive.to_end(lifecycle.serve(ctx, lambda ctx, response: Answer.of(response, environ)))
                except asyncio.CancelledError:
                    if ctx.answer is not None and ctx.answer.close is not None:
                        await hop.run(ctx.answer.close)
                    if drive.is_left_alone():
                        return
                    raise
                answer = ctx.answer
            if body.wait is not None and body.wait.stalled and not scope["http_version"].startswith("2"):
                answer.headers.append((b"connection", b"close"))  # RFC 9110 §15.5.9
            if answer.body.__class__ is not bytes:
                send = self.send_patience.sending(send)
            await answer.send(send, hop.run, departure if body.complete else None)
        except ClientStalled:
            pass  # the server cuts what is not complete
        finally:
            await departure.stop()
            body.close()


def is_wrapped(app: t.Any) -> bool:
    """Whether `wsgi_app`, or the call of the application, is not Costrel's own any more."""
    cls = type(app)
    return "wsgi_app" in app.__dict__ or cls.wsgi_app is not _OWN_WSGI_APP or cls.__call__ is not _OWN_CALL


_OWN_WSGI_APP: t.Final = Costrel.wsgi_app
_OWN_CALL: t.Final = Costrel.__call__
