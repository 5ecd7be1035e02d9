"""The ASGI edge: requests from a server's event loop, blocking code in worker threads (ASGI HTTP spec 2.4)."""

from __future__ import annotations

import asyncio
import contextvars
import typing as t
from collections.abc import Callable
from functools import partial

from ..app import lifecycle
from ..app.application import Costrel
from ..app.lifecycle import Steps
from ..context import RequestContext
from .bodies import Body, Receive
from .lifespan import answer_lifespan
from .outgoing import Answer, Send
from .scope import Scope, environ_of
from .threads import Workers


class AsgiApplication:
    """One application as an ASGI 3 callable."""

    def __init__(self, app: t.Any) -> None:
        self.app = app
        self.workers = Workers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or one lifespan. Raises ValueError for a protocol that is not known here."""
        kind = scope["type"]
        if kind == "http":
            await self._answer_http(scope, receive, send)
        elif kind == "lifespan":
            await answer_lifespan(self.app, self.workers, receive, send)
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            raise ValueError(f"An ASGI scope of type {kind!r} is not known: 'http', 'websocket' and 'lifespan' are.")

    async def _answer_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        environ = environ_of(scope)
        body = environ["wsgi.input"] = Body(scope, environ, receive)
        try:
            if not body.complete:
                await body.begin()
            hop = Hop(self.workers)
            if is_wrapped(self.app):
                # WSGI middleware is around the application: all of it runs in a thread.
                answer = await hop.run(lambda: Answer.of_wsgi(self.app, environ))
            else:
                ctx = self.app.request_context(environ)
                ctx.on_loop = True
                drive = Drive(ctx, body, hop)
                await drive.to_end(lifecycle.serve(ctx, lambda response: Answer.of(response, environ)))
                answer = ctx.answer
            await answer.send(send, hop.run, receive if body.complete else None)
        finally:
            body.close()


def is_wrapped(app: t.Any) -> bool:
    """Whether `wsgi_app`, or the call of the application, is not Costrel's own any more."""
    cls = type(app)
    return "wsgi_app" in app.__dict__ or cls.wsgi_app is not _OWN_WSGI_APP or cls.__call__ is not _OWN_CALL


_OWN_WSGI_APP: t.Final = Costrel.wsgi_app
_OWN_CALL: t.Final = Costrel.__call__


class Hop:
    """The way to the worker threads for one request, which keeps its context variables."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.variables: contextvars.Context | None = None
        """The context variables of this request, once it has left the server's task."""

    async def run(self, function: Callable[[], lifecycle.T]) -> lifecycle.T:
        """Call `function` in a worker thread, with the context variables of this request."""
        if self.variables is None:
            self.variables = contextvars.copy_context()
        variables = self.variables
        return await self._workers.run(lambda: variables.run(function))


class Drive:
    """Drives the steps of one request: on the loop while they await, in a worker thread when they may block."""

    def __init__(self, ctx: RequestContext, body: Body, hop: Hop) -> None:
        self.ctx = ctx
        self.body = body
        self.hop = hop

    async def to_end(self, steps: Steps[lifecycle.T]) -> lifecycle.T:
        """What `steps` return. What they yield is awaited here; after TO_THREAD they go on in a worker thread."""
        advance: Callable[[], t.Any] = steps.__next__
        while True:
            finished, item = await self._advance(advance)
            if finished:
                return t.cast("lifecycle.T", item)
            if item is lifecycle.TO_THREAD:
                self.ctx.on_loop = False
                advance = steps.__next__
                continue
            self.ctx.on_loop = True
            try:
                value = await self._await(item)
            except BaseException as error:
                advance = partial(steps.throw, error)
            else:
                advance = partial(steps.send, value)

    async def _advance(self, advance: Callable[[], t.Any]) -> tuple[bool, t.Any]:
        """Go on to what the steps yield next, or to what they return in the end."""
        if not self.ctx.on_loop:
            return await self.hop.run(lambda: _step(advance))
        variables = self.hop.variables
        return _step(advance) if variables is None else variables.run(_step, advance)

    async def _await(self, coroutine: t.Any) -> t.Any:
        await self.body.spool(self.ctx.request.max_content_length)
        if self.hop.variables is None:
            return await coroutine
        # The request has been in a thread: what was set there in context variables is to be seen here.
        return await asyncio.get_running_loop().create_task(coroutine, context=self.hop.variables)


def _step(advance: Callable[[], t.Any]) -> tuple[bool, t.Any]:
    try:
        return False, advance()
    except StopIteration as stop:
        return True, stop.value
