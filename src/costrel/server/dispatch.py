"""The dispatcher of a worker decides in which thread each request runs. Granian calls it in Granian's own threads.

Most requests run on the worker's event loop, each in a task. From the loop, a ``def`` view would have to go to a worker
thread and back, because it may block. Granian's threads may block too, so such a request is handled right there, as
long as enough of these threads are left for other requests.
"""

from __future__ import annotations

import typing as t
from collections import deque
from contextvars import copy_context

from ..edges.drive import on_loop
from ..edges.threads import PinnedThread
from ..support.coroutines import AnyCoroutine
from .closing import Closing
from .connection_limit import Refusing
from .granian_private import Scheduler, Watcher
from .request_log import Message
from .served import InPlace, Served

if t.TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Collection
    from contextvars import Context

OTHERS: t.Final = 2
"""The number of threads that stay free to hand over requests. PERF: served. More would only contend for the GIL."""


_ENDED: t.Final = object()

ServingState: t.TypeAlias = dict[str, object]
"""The ASGI lifespan state, which each scope gets a copy of."""


class Dispatcher(Scheduler):
    """Runs the requests of one worker."""

    def __init__(self, loop: asyncio.AbstractEventLoop, served: Served, state: ServingState) -> None:
        super().__init__(loop)
        self._on_loop = loop
        self._serve(served)
        self._takes = served.takes_in_place
        self._state = state
        self._variables = copy_context()
        self._free_threads = deque(range(served.blocking_threads))

    def _serve(self, served: Served) -> None:
        self._served: Served = served
        self._answer: InPlace = served.answer_in_place

    def admit(self, ports: Collection[int] | None, has_room: Callable[[], bool]) -> None:
        """Handle only health checks and the requests of clients with these ports; None lifts the limit."""
        if not isinstance(self._served, Closing):
            served = self._served.served if isinstance(self._served, Refusing) else self._served
            self._serve(served if ports is None else Refusing(served, ports, has_room))

    def begin_to_end(self) -> Closing:
        """Add ``Connection: close`` to responses from now on. Called on the loop."""
        closing = Closing(self._served)
        self._serve(closing)
        return closing

    def dispatch(self, watcher: Watcher) -> None:
        """Start handling the request of `watcher` in a thread of Granian, which would swallow an exception."""
        scope = watcher.scope
        scope["root_path"] = ""
        scope["state"] = self._state.copy()
        free_threads = self._free_threads
        try:
            thread = free_threads.pop()
        except IndexError:
            thread = None
        if thread is not None:
            try:
                if self._takes(scope):
                    proto, variables = watcher.proto, self._variables.copy()
                    begun = self._answer(scope, proto.receive, proto.send)
                    # PERF: served. With a default, no StopIteration is raised.
                    awaited = variables.run(next, begun.__await__(), _ENDED)
                    if awaited is _ENDED:
                        watcher.done()
                    else:
                        self._move(watcher, begun, awaited, variables)
                    return
            except BaseException as error:
                watcher.err(error)
                return
            finally:
                free_threads.append(thread)
        self._on_loop.call_soon_threadsafe(self._begin, watcher, scope, context=self._variables)

    def _move(self, watcher: Watcher, begun: AnyCoroutine[None], awaited: object, variables: Context) -> None:
        """Continue a request on the loop. This thread serves the parts of it that must run here."""
        self._on_loop.call_soon_threadsafe(self._start, watcher, on_loop(begun, awaited), variables)
        if isinstance(awaited, PinnedThread):
            awaited.serve()

    def _begin(self, watcher: Watcher, scope: Message) -> None:
        """Handle the request in a task. Runs on the loop, like the methods below."""
        proto = watcher.proto
        self._start(watcher, self._served(scope, proto.receive, proto.send))

    def _start(self, watcher: Watcher, answering: Awaitable[None], variables: Context | None = None) -> None:
        watcher.taskref(self._on_loop.create_task(_watched(watcher, answering), context=variables))


async def _watched(watcher: Watcher, answering: Awaitable[None]) -> None:
    """Await `answering`, and report its end or its error to Granian."""
    try:
        await answering
    except BaseException as error:  # nothing else would report it
        watcher.err(error)
    else:
        watcher.done()
