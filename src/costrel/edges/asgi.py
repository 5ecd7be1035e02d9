"""The ASGI edge: requests from a server's event loop, blocking code in worker threads (ASGI HTTP spec 2.4)."""

from __future__ import annotations

import asyncio
import contextvars
import typing as t
from collections.abc import Awaitable, Callable, Generator

from ..app import lifecycle
from ..context import RequestContext
from . import wsgi_bridge
from .bodies import Body, Receive
from .lifespan import answer_lifespan
from .outgoing import Answer
from .scope import Scope, environ_of
from .threads import Workers

Send = Callable[[t.MutableMapping[str, t.Any]], Awaitable[None]]


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
            if wsgi_bridge.is_wrapped(self.app):
                await wsgi_bridge.answer(self.app, environ, self.workers, send)
                return
            ctx = self.app.request_context(environ)
            ctx.on_loop = True
            drive = Drive(ctx, body, self.workers)
            answer = await drive.to_end(lifecycle.serve(ctx, lambda response: Answer.of(response, environ)))
            await answer.send(send, drive.in_thread)
        finally:
            body.close()


class Drive:
    """Drives the steps of one request: on the loop while they await, in a worker thread when they may block."""

    def __init__(self, ctx: RequestContext, body: Body, workers: Workers) -> None:
        self.ctx = ctx
        self.body = body
        self.workers = workers
        self._context: contextvars.Context | None = None
        """The context variables of this request, once it has left the server's task."""

    async def to_end(self, steps: Generator[t.Any, t.Any, lifecycle.T]) -> lifecycle.T:
        """What `steps` return. What they yield is awaited here; after TO_THREAD they go on in a worker thread."""
        advance: Callable[[], t.Any] = lambda: next(steps)  # noqa: E731
        while True:
            finished, item = await self._advance(steps, advance)
            if finished:
                return t.cast("lifecycle.T", item)
            if item is lifecycle.TO_THREAD:
                self.ctx.on_loop = False
                advance = lambda: next(steps)  # noqa: E731
                continue
            self.ctx.on_loop = True
            try:
                value = await self._await(item)
            except BaseException as caught:
                error = caught
                advance = lambda: steps.throw(error)  # noqa: E731, B023
            else:
                advance = lambda: steps.send(value)  # noqa: E731, B023

    async def _advance(self, steps: Generator[t.Any, t.Any, t.Any], advance: Callable[[], t.Any]) -> tuple[bool, t.Any]:
        def step() -> tuple[bool, t.Any]:
            try:
                return False, advance()
            except StopIteration as stop:
                return True, stop.value

        if not self.ctx.on_loop:
            return await self.in_thread(step)
        return step() if self._context is None else self._context.run(step)

    async def in_thread(self, function: Callable[[], lifecycle.T]) -> lifecycle.T:
        """Call `function` in a worker thread, with the context variables of this request."""
        if self._context is None:
            self._context = contextvars.copy_context()
        context = self._context
        return await self.workers.run(lambda: context.run(function))

    async def _await(self, coroutine: t.Any) -> t.Any:
        await self.body.spool(self.ctx.request.max_content_length)
        if self._context is None:
            return await coroutine
        # The request has been in a thread: what was set there in context variables is to be seen here.
        return await asyncio.get_running_loop().create_task(coroutine, context=self._context)
