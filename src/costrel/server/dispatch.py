"""The dispatcher of a worker: decides where each request runs. Granian calls it in a thread of its own.

Most requests run on the worker's event loop, each in a task. From there a ``def`` view would go to a worker thread and
back, since it may block. Granian's thread may block as well, so such a request is handled in it, as long as enough of
these threads are left for other requests.
"""

from __future__ import annotations

import typing as t
from collections import deque
from contextvars import copy_context

from granian._granian import CallbackScheduler

from ..edges.drive import on_loop
from ..edges.threads import Lane
from ..support.coroutines import AnyCoroutine
from .request_log import Message, Receive, Send

if t.TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
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

    places: int
    """The number of the server's threads that the application may block."""

    def begin_to_end(self) -> float:
        """The server is stopping. Called once, on the loop. Returns the seconds to wait for open connections."""

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one scope."""

    @property
    def takes_in_place(self) -> Callable[[Message], bool]:
        """A function that tells whether `answer_in_place` must handle a scope."""

    def answer_in_place(self, scope: Message, receive: Receive, send: Send) -> AnyCoroutine[None]:
        """Handle one scope, starting in a thread that may block, and continuing on the loop (`to_loop`)."""


class Proto(t.Protocol):
    """Granian's channels for one request."""

    receive: Receive
    send: Send


class Watcher(t.Protocol):
    """Granian's handle for one request."""

    scope: Message
    proto: Proto

    def done(self) -> None: ...
    def err(self, error: BaseException, /) -> None: ...
    def taskref(self, task: asyncio.Task[None], /) -> None: ...


class Dispatcher(t.cast("type[t.Any]", CallbackScheduler)):  # type: ignore[misc]  # its stub lacks members
    """Runs the requests of one worker."""

    def __new__(cls, loop: asyncio.AbstractEventLoop, served: Served, state: ServingState) -> t.Self:
        """The other arguments of Granian's class are for its own way to run coroutines, which is not used."""
        return t.cast("t.Self", super().__new__(cls, loop, served, None, None, None))

    def __init__(self, loop: asyncio.AbstractEventLoop, served: Served, state: ServingState) -> None:
        super().__init__()
        self._on_loop = loop
        self._served = served
        self._takes = served.takes_in_place
        self._state = state
        self._variables = copy_context()
        self._places = deque(range(served.places))
        self._schedule_fn = self.dispatch

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
