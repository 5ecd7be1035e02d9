"""The dispatcher of a worker: decides where each request runs. Granian calls it in a thread of its own.

Most requests run on the worker's event loop, each in a task. From there a ``def`` view would go to a worker thread and
back, since it may block. Granian's thread may block as well, so such a request is handled in it, as long as enough of
these threads are left for other requests.
"""

from __future__ import annotations

import time
import typing as t
from collections import deque
from contextvars import copy_context

from ..edges.drive import on_loop
from ..edges.threads import Lane
from ..support.coroutines import AnyCoroutine
from .granian_private import Scheduler, Watcher
from .request_log import Message, Receive, Send

if t.TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Collection
    from contextvars import Context

IN_PLACE: t.Final = 4
"""The maximum number of requests in Granian's threads at once. Further requests go to the event loop.

These threads count towards the application's thread limit, so a low limit reduces them.
"""

OTHERS: t.Final = 2
"""The number of other threads that hand over requests. PERF: served. More of them only contend for the GIL."""


_ENDED: t.Final = object()

ServingState: t.TypeAlias = dict[str, object]
"""The state that the application's lifespan leaves in each scope."""


class Served(t.Protocol):
    """An ASGI application that can also handle requests in the calling thread, and is told when the server stops."""

    @property
    def places(self) -> int:
        """The number of the server's threads that the application may block."""

    def begin_to_end(self) -> float:
        """The worker is ending. Called once, on the loop. Returns the seconds to wait for open connections."""

    def unfinished(self) -> Collection[Message]:
        """The scopes of the requests in progress. It can be called in any thread."""

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one scope."""

    @property
    def takes_in_place(self) -> Callable[[Message], bool]:
        """A function that tells whether `answer_in_place` must handle a scope."""

    def answer_in_place(self, scope: Message, receive: Receive, send: Send) -> AnyCoroutine[None]:
        """Handle one scope, starting in a thread that may block, and continuing on the loop (`to_loop`)."""


class Dispatcher(Scheduler):
    """Runs the requests of one worker."""

    def __init__(self, loop: asyncio.AbstractEventLoop, served: Served, state: ServingState) -> None:
        super().__init__(loop)
        self._on_loop = loop
        self._served = served
        self._takes = served.takes_in_place
        self._state = state
        self._variables = copy_context()
        self._places = deque(range(served.places))

    def begin_to_end(self) -> Closing:
        """From now on, responses end their connections. Called on the loop."""
        self._served = closing = Closing(self._served)
        return closing

    def dispatch(self, watcher: Watcher) -> None:
        """Start to handle the request of `watcher`, in a thread of Granian, which would ignore an exception."""
        scope = watcher.scope
        scope["root_path"] = ""
        scope["state"] = self._state.copy()
        places = self._places
        try:
            place = places.pop()
        except IndexError:
            place = None
        if place is not None:
            try:
                if self._takes(scope):
                    self._variables.copy().run(self._answer_here, watcher, scope)
                    return
            except BaseException as error:
                watcher.err(error)
                return
            finally:
                places.append(place)
        self._on_loop.call_soon_threadsafe(self._begin, watcher, scope, context=self._variables)

    def _answer_here(self, watcher: Watcher, scope: Message) -> None:
        """Handle the request in this thread until it needs the loop."""
        proto = watcher.proto
        begun = self._served.answer_in_place(scope, proto.receive, proto.send)
        awaited = next(begun.__await__(), _ENDED)  # PERF: served. With a default, no StopIteration is raised.
        if awaited is _ENDED:
            watcher.done()
        else:
            # A copy of the variables, since this thread still uses these.
            self._on_loop.call_soon_threadsafe(self._start, watcher, on_loop(begun, awaited), copy_context())
            if isinstance(awaited, Lane):
                awaited.serve()

    def _begin(self, watcher: Watcher, scope: Message) -> None:
        """Handle the request in a task. Runs on the loop, like the methods below."""
        proto = watcher.proto
        self._start(watcher, self._served(scope, proto.receive, proto.send))

    def _start(self, watcher: Watcher, answering: Awaitable[None], variables: Context | None = None) -> None:
        watcher.taskref(self._on_loop.create_task(_watched(watcher, answering), context=variables))


async def _watched(watcher: Watcher, answering: Awaitable[None]) -> None:
    """Await `answering`, and report the result to Granian."""
    try:
        await answering
    except BaseException as error:  # no other code would report it
        watcher.err(error)
    else:
        watcher.done()


CLOSE: t.Final = (b"connection", b"close")


class Closing:
    """Passes requests on to `served` while the worker ends: HTTP/1 responses end their connections."""

    def __init__(self, served: Served) -> None:
        self.last_arrival = time.monotonic()
        self._served = served
        self._earlier = [scope for scope in served.unfinished() if _is_http1(scope)]
        self._http2 = {_port(scope) for scope in served.unfinished() if _is_http2(scope)}

    @property
    def places(self) -> int:
        """As that of `served`."""
        return self._served.places

    @property
    def takes_in_place(self) -> Callable[[Message], bool]:
        """As that of `served`."""
        return self._served.takes_in_place

    def begin_to_end(self) -> float:
        """The worker is ending already."""
        return 0

    def unfinished(self) -> Collection[Message]:
        """The scopes of the requests in progress."""
        return self._served.unfinished()

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one scope."""
        return self._served(scope, receive, self._parting(scope, send))

    def answer_in_place(self, scope: Message, receive: Receive, send: Send) -> AnyCoroutine[None]:
        """Handle one scope in this thread."""
        return self._served.answer_in_place(scope, receive, self._parting(scope, send))

    def has_earlier(self) -> bool:
        """Whether an HTTP/1 response is in progress that began before."""
        unfinished = {id(scope) for scope in self._served.unfinished()}
        return any(id(scope) in unfinished for scope in self._earlier)

    def others(self, with_http2: bool) -> Collection[int]:
        """The ports of clients with a response or WebSocket in progress; with HTTP/2 connections, or without."""
        ports = {_port(scope) for scope in self._served.unfinished() if not _is_http2(scope)}
        return ports | self._http2 if with_http2 else ports

    def _parting(self, scope: Message, send: Send) -> Send:
        if _is_http2(scope):
            self._http2.add(_port(scope))
        if not _is_http1(scope):
            return send
        self.last_arrival = time.monotonic()

        def with_close(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*(message.get("headers") or ()), CLOSE]}
            return send(message)

        return with_close


def _is_http1(scope: Message) -> bool:
    return scope["type"] == "http" and str(scope["http_version"]).startswith("1")


def _is_http2(scope: Message) -> bool:
    return bool(scope["type"] == "http" and scope["http_version"] == "2")


def _port(scope: Message) -> int:
    """The port of the client, which Granian gives as text; 0 on a Unix socket."""
    client = scope.get("client")
    return int(client[1]) if client else 0
