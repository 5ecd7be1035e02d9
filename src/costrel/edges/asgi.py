"""The ASGI edge: requests from a server's event loop, blocking code in worker threads (ASGI HTTP spec 2.4)."""

from __future__ import annotations

import asyncio
import typing as t
from collections.abc import Callable, Coroutine
from contextlib import suppress

from ..app import lifecycle
from ..app.habits import not_for_wsgi
from ..app.lifecycle import serve
from ..app.mounts import AsgiCall, find_mount
from ..context import RequestContext, outlook_of
from ..http.gate import encode_fields
from ..messages.source import environ_of
from ..streaming import HOLDS
from ..support.asgi_types import ASGIApplication, Receive, Scope, Send
from ..support.properties import cached_property
from .bodies import Body, take_body
from .drive import ENDED, to_loop
from .http_drive import DisconnectWatcher, HttpDrive, RequestCalls
from .lifespan import LifespanAround, answer_lifespan
from .mounted import serve_mounted
from .outgoing import Answer, Messages, add_echo, answer_of, sender_of
from .scope import ANNOUNCING, ECHO, LAYOUT, note_route, read_scope
from .threads import RETRY_AFTER, STREAM_THREADS, THREADS, NoThreadLeft, PinnedThread, Workers
from .timeouts import BODY_MIN_RATE, BODY_TIMEOUT, SEND_TIMEOUT, ClientStalled, Timeouts
from .unsent import BUSY, busy_fields, unsent_of
from .websocket import serve_websocket


def overloaded(retry_after: int = 1) -> Answer:
    """The answer if no thread will be free soon (RFC 9110 §15.6.4). `retry_after` is in seconds."""
    return Answer(503, encode_fields(busy_fields(retry_after)), BUSY)


_TRACED: t.Final = frozenset({"_traces_apart"})
"""The entrances of an application that is traced, and has no middleware."""

_BODILESS: t.Final = frozenset({"GET", "HEAD"})

APPLICATIONS: t.Final = "costrel.applications"
"""The key of a lifespan's scope under which a server leaves a list for the applications that the lifespan reaches."""

AFTER_STALL: t.Final = 0.05
"""Seconds between giving up on a body and the answer: Granian may hold back an answer that comes in the same moment."""


Moved: t.TypeAlias = Callable[[Scope, Send], Send]
"""Called on the loop for a request that has moved there. Returns the function that sends its messages from then on."""

InPlace: t.TypeAlias = Callable[[Scope, Receive, Send, Moved], Coroutine[t.Any, t.Any, None]]


class AsgiApplication:
    """One application as an ASGI 3 callable."""

    has_lifespan = False
    """Whether a lifespan was begun."""
    _is_inside = False
    """Whether this is called by the application's ASGI middleware, and not by the server."""

    def __init__(self, app: t.Any) -> None:
        self.app = app
        streams = app.config.get("STREAM_THREADS") or STREAM_THREADS
        self.workers = Workers(app.config.get("THREADS") or THREADS, streams=streams)
        self.watcher = DisconnectWatcher()
        self.body_patience = Timeouts(app.config.get("BODY_TIMEOUT", BODY_TIMEOUT))
        self.body_min_rate = app.config.get("BODY_MIN_RATE", BODY_MIN_RATE) or 0
        self.unsent = unsent_of(app)
        self.send_patience = Timeouts(app.config.get("SEND_TIMEOUT", SEND_TIMEOUT), self.unsent.is_scarce)
        self._views_known = 0
        self._kinds_of_views: set[bool] = set()
        self._streaming: set[t.Any] = set()
        """The endpoints whose views have kept their thread for a stream."""
        self._known_places: dict[tuple[str, str], bool] = {}
        """Path and method → whether the view runs in this thread, for paths that equal the text of a rule."""

    @cached_property
    def unwrapped(self) -> AsgiApplication:
        """The same application, with the same threads, inside its ASGI middleware."""
        inside = AsgiApplication.__new__(AsgiApplication)
        inside.__dict__.update(self.__dict__, _is_inside=True)
        return inside

    @property
    def is_wrapped(self) -> bool:
        """Whether ASGI middleware is around the application, and has not been called yet."""
        return "asgi_app" in self.app.overridden_entrances and not self._is_inside

    @not_for_wsgi
    async def __call__(self, scope: Scope, receive: Receive, send: Send, moved: Moved | None = None) -> None:
        """Answer one HTTP request, or one lifespan. Raises ValueError for a protocol that is not known here.

        `moved` is for `answer_in_place`.
        """
        # PERF: hello. A request that waits for nothing ends here, without another coroutine.
        app, workers = self.app, self.workers
        if moved is None:
            if scope["type"] != "http":
                await self._answer_other(scope, receive, send)
                return
            if workers.count_waiting() > workers.queue:
                await self._send(overloaded(), RequestCalls(workers, None, receive, scope), send)
                return
            if not app._got_first_request or app.config["TESTING"]:
                app.open_for_requests()
        outlook = app.outlook
        if not outlook.is_current():
            outlook = app.look_again()
        if outlook.entrances and (moved is None or outlook.entrances != _TRACED):
            if moved is not None:  # an entrance was replaced after `takes_in_place`
                await to_loop()
                send = moved(scope, send)
            await self._answer_by_entrance(scope, receive, send, outlook.entrances)
            return
        source, may_have_body = read_scope(scope)
        if may_have_body:
            if moved is not None:
                await to_loop()
                send = moved(scope, send)
                await self(scope, receive, send)
                return
            request_body = take_body(source, receive, self.body_patience, self.body_min_rate)
            if request_body is not None:
                await self._answer_with_body(RequestCalls(workers, request_body, receive, scope), source, send)
                return
        ctx = RequestContext(app, source if outlook.takes_sources else environ_of(source))
        ctx.outlook = outlook
        ctx.sends_async = True
        ctx.on_loop = moved is None
        steps = serve(ctx, answer_of)
        item = next(steps, ENDED)
        answer = ctx.answer
        if item is ENDED and answer.__class__ is tuple:
            if ECHO in scope:
                send = sender_of(answer, scope, send)
            head, body = answer
            await send(head)
            await send(body)
        else:
            calls = RequestCalls(workers, None, receive, scope)
            try:
                if moved is not None:
                    await self._move(ctx, calls)
                    send = moved(scope, send)
                await self._go_on(calls, ctx, steps, item, send)
            finally:
                await calls.end()

    def takes_in_place(self, scope: Scope) -> bool:
        """Whether `answer_in_place` is to answer a request: it is for a ``def`` view and should have no body.

        If another view answers in the end, that costs time and nothing else.
        """
        app = self.app
        outlook = app.outlook
        if not outlook.takes_sources:  # it may be new, and know of no entrances
            outlook = outlook_of(app)
        return (
            scope["type"] == "http"
            and scope["method"] in _BODILESS
            and self._finds_def_view(scope)
            and scope["http_version"] in ANNOUNCING
            and app._got_first_request
            and (not outlook.entrances or outlook.entrances == _TRACED)
            and not app.config["TESTING"]
        )

    def _finds_def_view(self, scope: Scope) -> bool:
        """Whether the view for a request, as far as path and method tell, is no ``async def``, and soon done."""
        views = self.app.view_functions
        if len(views) != self._views_known:
            self._views_known = len(views)
            # Each application has a static view, which alone must not make every request look for a view.
            own = [view for endpoint, view in views.items() if endpoint.rpartition(".")[2] != "static"]
            self._kinds_of_views = {lifecycle.is_async(view) for view in own}
            self._known_places.clear()
        if len(self._kinds_of_views) < 2 and not self._streaming:
            return True not in self._kinds_of_views
        path, method = scope["path"], scope["method"]
        known = self._known_places.get((path, method))
        if known is None:
            rule = self.app.url_map.find_rule(path, method)
            if rule is None:
                return True
            known = not (rule.endpoint in self._streaming or lifecycle.is_async(views.get(rule.endpoint)))
            if rule.rule == path:  # so that clients cannot fill the memory
                self._known_places[path, method] = known
        return known

    @property
    def answer_in_place(self) -> InPlace:
        """The function that answers a request that `takes_in_place` has taken: its first step may block its thread.

        It continues on the loop (`to_loop`), and calls its last argument there, as soon as it has to await something;
        from the start if there is a body.
        """
        return self.__call__

    async def _move(self, ctx: RequestContext, calls: RequestCalls) -> None:
        """Continue a request on the loop that was begun in place."""
        if ctx.holds:
            calls.pinned = PinnedThread()  # the stream goes on in this thread; the next one has a worker's
            self._streaming.add(ctx.request.endpoint)
            self._known_places.clear()
        await to_loop(calls.pinned)

    async def _answer_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if self.is_wrapped:
            await self._answer_wrapped(scope, receive, send)
        elif kind == "lifespan":
            self.has_lifespan = True
            scope.get(APPLICATIONS, []).append(self.app)
            await answer_lifespan(self.app, self.workers, scope, receive, send)
        elif kind == "websocket":
            await serve_websocket(self.app, self.workers, scope, receive, send)
        else:
            raise ValueError(f"An ASGI scope of type {kind!r} is not known: 'http', 'websocket' and 'lifespan' are.")

    async def _answer_wrapped(self, scope: Scope, receive: Receive, send: Send) -> None:
        asgi_app: ASGIApplication = self.app.asgi_app
        if scope["type"] != "lifespan":
            await asgi_app(scope, receive, send)
            return
        inside = self.unwrapped
        inside.has_lifespan = False
        around = LifespanAround(self.app, self.workers, scope, lambda: inside.has_lifespan)
        await around.answer(asgi_app, receive, send)

    async def _answer_by_entrance(self, scope: Scope, receive: Receive, send: Send, replaced: frozenset[str]) -> None:
        """Answer a request that reaches the application through middleware or a subclass."""
        if self.is_wrapped:
            scope.pop(LAYOUT, None)  # middleware may change the fields
            await self.app.asgi_app(scope, receive, send)
            return
        source, may_have_body = read_scope(scope)
        body: Body | None = None
        if may_have_body:
            body = take_body(source, receive, self.body_patience, self.body_min_rate)
        await self._answer_with_body(RequestCalls(self.workers, body, receive, scope), source, send, replaced)

    async def _answer_with_body(
        self, calls: RequestCalls, source: dict[str, t.Any], send: Send, replaced: frozenset[str] = frozenset()
    ) -> None:
        """Answer a request that has a body, or whose application is wrapped."""
        app, body = self.app, calls.body
        try:
            if body is not None:
                await body.begin(app.config["MAX_CONTENT_LENGTH"])
            if ("wsgi_app" in replaced or "__call__" in replaced) and not self._passes_wsgi_by(source):
                # WSGI middleware is around the application: all of it runs in a thread.
                environ = environ_of(source)
                await self._send(await calls.run(lambda: _answer_of_wrapped(app, environ, calls)), calls, send)
            else:
                if "request_context" in replaced:
                    ctx = app.request_context(environ_of(source))
                else:
                    outlook = outlook_of(app)
                    ctx = RequestContext(app, source if outlook.takes_sources else environ_of(source))
                    ctx.outlook = outlook
                ctx.sends_async = True
                ctx.on_loop = True
                steps = serve(ctx, answer_of)
                ctx.body_is_pending = body is not None and not body.complete
                await self._go_on(calls, ctx, steps, calls.begin(steps, app._traces_apart), send)
        finally:
            await calls.end()

    def _passes_wsgi_by(self, source: dict[str, t.Any]) -> bool:
        """Whether a request is for a mounted ASGI application, which cannot be called inside WSGI middleware."""
        app = self.app
        if not app.mounts or app.url_map.host_matching or app.subdomain_matching:
            return False
        path = source["PATH_INFO"]
        mount = find_mount(app, path)
        return (
            mount is not None
            and mount.asgi is not None
            and app.url_map.find_rule(path, source["REQUEST_METHOD"]) is None
        )

    async def _go_on(
        self, calls: RequestCalls, ctx: RequestContext, steps: lifecycle.Steps[None], item: t.Any, send: Send
    ) -> None:
        """Drive `steps`, which have yielded `item`, to their end, and send what they made."""
        ctx.threads = calls
        if item is not ENDED:
            drive = HttpDrive(ctx, calls, self.watcher)
            try:
                await drive.to_end(steps, item)
            except asyncio.CancelledError:
                if (close := getattr(ctx.answer, "close", None)) is not None:
                    await calls.run(close)
                if drive.is_left_alone():
                    return
                raise
            finally:
                drive.end_wait()
        if ctx.mount is not None:
            note_route(calls.scope, ctx.mount.place)
        if isinstance(ctx.answer, AsgiCall):
            try:
                await serve_mounted(ctx.answer, calls, self.send_patience.sending(send))
            finally:
                if ctx.answer.on_end is not None:
                    await calls.run(ctx.answer.on_end)
        else:
            await self._send(ctx.answer, calls, send)

    async def _send(self, answer: Messages | Answer, calls: RequestCalls, send: Send) -> None:
        body = calls.body
        if isinstance(answer, Answer):
            if answer.is_refused:
                answer = await self._refused(answer, calls)
            elif answer.may_block and calls.pinned is None:
                answer = await self._with_thread(answer, calls)
        headers = answer.headers if isinstance(answer, Answer) else answer[0]["headers"]
        add_echo(headers, calls.scope)
        if body is not None and body.has_stalled and not calls.scope["http_version"].startswith("2"):
            headers.append((b"connection", b"close"))  # RFC 9110 §15.5.9
            await asyncio.sleep(AFTER_STALL)
        if not isinstance(answer, Answer):
            for message in answer:
                await send(message)
            return
        if answer.body.__class__ is not bytes:
            send = self.send_patience.sending(send)
        try:
            with suppress(ClientStalled):  # the server cuts an incomplete answer
                await answer.send(send, calls.run, calls.watch_answer(), calls.variables)
        finally:
            answer.release()

    async def _with_thread(self, answer: Answer, calls: RequestCalls) -> Answer:
        """`answer` with a thread for its body, or the answer 503 if none is left."""
        try:
            calls.pinned = self.workers.lend_to_body()
        except NoThreadLeft:
            return await self._refused(answer, calls)
        return answer

    async def _refused(self, answer: Answer, calls: RequestCalls) -> Answer:
        """The answer 503 instead of `answer`."""
        if answer.close is not None:
            await calls.run(answer.close)
        return overloaded(RETRY_AFTER)


def _answer_of_wrapped(app: t.Any, environ: dict[str, t.Any], calls: RequestCalls) -> Answer:
    holds = environ[HOLDS] = list[bool]()  # which middleware that copies the environ hands on
    answer = Answer.of_wsgi(app, environ)
    if holds:
        calls.keep_thread()
    return answer
