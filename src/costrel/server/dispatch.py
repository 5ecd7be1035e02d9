"""Where the requests of a worker run: Granian hands each over in a thread of its own, and asks where it is to go.

Most go to the worker's loop, each in a task. One for a ``def`` view would go on from there to a worker thread, and back
to the loop, for the sake of code that may block. But the thread in which Granian calls may block as well: so such a
request is answered right there, as long as enough of these threads are left for the others.
"""

from __future__ import annotations

import typing as t
from collections import deque
from contextvars import copy_context

from granian._granian import CallbackScheduler

from ..edges.drive import on_loop
from ..edges.threads import Lane
from .request_log import Message, Receive, Send

if t.TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
    from contextvars import Context

IN_PLACE: t.Final = 4
"""How many requests may be answered at once where they are handed over; further ones take the way over the loop.

They are counted among the threads that the application may have, and are fewer where it may have few.
"""

OTHERS: t.Final = 2
"""How many threads hand over requests besides. PERF: served. With more of them they wait for each other."""


_ENDED: t.Final = object()


class Served(t.Protocol):
    """An ASGI application that can be told that the end has come, and that may answer where it is asked."""

    places: int
    """How many of its threads are those of the server, which it may block."""

    def begin_to_end(self) -> float:
        """Hear that the server stops; called once, on the loop. How long to wait for its connections, in seconds."""

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one scope."""

    takes_in_place: Callable[[Message], bool]
    """Whether `answer_in_place` is to answer a scope, and not a call."""

    def answer_in_place(self, scope: Message, receive: Receive, send: Send) -> t.Coroutine[t.Any, t.Any, None]:
        """Answer one scope, beginning in a thread that may be blocked, and going on on the loop (`to_loop`)."""


class Dispatcher(t.cast("type[t.Any]", CallbackScheduler)):  # type: ignore[misc]  # its stub lacks what is needed
    """Sends the requests of one worker to where they run."""

    def __new__(cls, loop: asyncio.AbstractEventLoop, served: Served, state: dict[str, t.Any]) -> t.Self:
        """The arguments of Granian's class say how it runs coroutines by itself, which it is not asked to."""
        return t.cast("t.Self", super().__new__(cls, loop, served, None, None, None))

    def __init__(self, loop: asyncio.AbstractEventLoop, served: Served, state: dict[str, t.Any]) -> None:
        super().__init__()
        self._on_loop = loop
        self._served = served
        self._takes = served.takes_in_place
        self._state = state
        self._variables = copy_context()
        self._places = deque(range(served.places))
        self._schedule_fn = self.dispatch

    def dispatch(self, watcher: t.Any) -> None:
        """Begin to answer the request of `watcher`, in a thread of Granian's: whatever is raised here is lost."""
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

    def _answer_here(self, watcher: t.Any, scope: Message) -> None:
        """Answer, as far as it goes without the loop."""
        proto = watcher.proto
        begun = self._served.answer_in_place(scope, proto.receive, proto.send)
        awaited = next(begun.__await__(), _ENDED)  # PERF: served. In this way the end of it raises nothing.
        if awaited is _ENDED:
            watcher.done()
        else:
            # A copy of the variables: these are in use until this thread has left.
            self._on_loop.call_soon_threadsafe(self._start, watcher, on_loop(begun, awaited), copy_context())
            if isinstance(awaited, Lane):
                awaited.serve()

    def _begin(self, watcher: t.Any, scope: Message) -> None:
        """Answer in a task. Runs on the loop, as what follows."""
        proto = watcher.proto
        self._start(watcher, self._served(scope, proto.receive, proto.send))

    def _start(self, watcher: t.Any, answering: t.Any, variables: Context | None = None) -> None:
        watcher.taskref(self._on_loop.create_task(_watched(watcher, answering), context=variables))


async def _watched(watcher: t.Any, answering: Awaitable[None]) -> None:
    """Await `answering`, and tell Granian how it ended."""
    try:
        await answering
    except BaseException as error:  # the last to see it
        watcher.err(error)
    else:
        watcher.done()
