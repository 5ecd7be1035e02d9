"""Drives one HTTP request: its body is ready for async code, and an async view ends when its client has left."""

from __future__ import annotations

import asyncio
import typing as t
from collections.abc import Callable, Generator
from types import coroutine

from ..context import Context, RequestContext
from ..support.asgi_types import Receive, Scope
from .bodies import Body
from .drive import Drive, Hop
from .outgoing import Departure
from .threads import Workers

T = t.TypeVar("T")

ROUND: t.Final = 0.2
"""Seconds between two rounds of the patrol. A view that it meets twice has its client looked after."""


class Patrol:
    """Goes round the async views that take long. A timer of its own for each view was measured to cost 20 µs."""

    def __init__(self) -> None:
        self._drives: set[HttpDrive] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_waiting = False

    def enter(self, drive: HttpDrive) -> None:
        """Begin to look after the view that `drive` awaits."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._is_waiting = loop, False
            self._drives.clear()
        self._drives.add(drive)
        if not self._is_waiting:
            self._is_waiting = True
            loop.call_later(ROUND, self._go_round)

    def leave(self, drive: HttpDrive) -> None:
        """The view has ended."""
        self._drives.discard(drive)

    def _go_round(self) -> None:
        for drive in self._drives:
            drive.look_after()
        self._is_waiting = bool(self._drives)
        if self._is_waiting and self._loop is not None:
            self._loop.call_later(ROUND, self._go_round)


class Exchange(Hop):
    """One request and its answer: the way to the worker threads, and who tells when the client leaves."""

    departure: Departure | None = None
    """Made when somebody first asks for it."""

    def __init__(self, workers: Workers, body: Body | None, receive: Receive, scope: Scope) -> None:
        super().__init__(workers)
        self.scope = scope
        self.body = body
        """The body of the request; None where there is none."""
        self._receive = receive

    @property
    def client_has_left(self) -> bool:
        """Whether the client is known to have disconnected."""
        return self.departure is not None and self.departure.is_over

    def watch(self) -> Departure:
        """The departure of the client."""
        if self.departure is None:
            self.departure = Departure(self._receive, self.body)
        return self.departure

    def watch_answer(self) -> Departure:
        """The same, from now on for the answer, which is about to be sent."""
        if self.body is not None:
            self.body.is_answered = True
        return self.watch()

    def note_step(self, ctx: Context) -> None:
        if ctx.holds:
            self.keep_thread()

    async def run_blocking(self, ctx: RequestContext, function: Callable[[], T], keep: bool) -> T:
        """Call a function in a worker thread, as the lifecycle does; with `keep`, later ones run in the same thread."""

        def run() -> T:
            ctx.on_loop = False
            try:
                return function()
            finally:
                ctx.on_loop = True
                if keep:
                    self.keep_thread()
                self.note_step(ctx)

        # A step that runs in this request's context variables has still entered them here, so a thread cannot. A new
        # task passes the function on after that step.
        return await asyncio.get_running_loop().create_task(self.run(run))

    def keep_thread(self) -> None:
        """Keep the thread of a view whose stream goes on within its context: it may have made things of that thread."""
        if self.lane is None:
            self.lane = self._workers.keep_thread()

    async def end(self) -> None:
        """Wait for the client no longer, and let go of the body and of the thread."""
        if self.lane is not None:
            self.lane.close()
        if self.departure is not None:
            await self.departure.stop()
        if self.body is not None:
            self.body.close()


class HttpDrive(Drive):
    """The drive of one HTTP request."""

    _cancelled = False
    _met = False
    _task: asyncio.Task[t.Any] | None = None
    """The task that awaits a coroutine of the user's right now."""

    def __init__(self, ctx: RequestContext, exchange: Exchange, patrol: Patrol) -> None:
        super().__init__(ctx, exchange)
        self.ctx: RequestContext = ctx
        self.hop: Exchange = exchange
        self.patrol = patrol

    def is_left_alone(self) -> bool:
        """Whether it was the client's leaving that cancelled the request: then nobody else is to know."""
        task = asyncio.current_task()
        if self._cancelled and task is not None:
            task.uncancel()
        return self._cancelled

    @coroutine
    def read_body(self) -> Generator[t.Any, t.Any, None]:
        body = self.hop.body
        if body is not None and not body.complete:
            yield from body.spool(self.ctx.request.max_content_length).__await__()

    def begin_wait(self) -> None:
        if self._task is None:
            self._task = asyncio.current_task()
            self.patrol.enter(self)

    def end_wait(self) -> None:
        if self._task is not None:
            self._task = None
            self.patrol.leave(self)

    def look_after(self) -> None:
        """Look whether the client is still there; not at the first time, since most views have ended by the second."""
        if not self._met:
            self._met = True
        elif self.hop.departure is not None:
            if self.hop.departure.is_over:
                self._end_view()
        else:
            self.hop.watch().begin().add_done_callback(self._client_left)

    def _client_left(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._end_view()

    def _end_view(self) -> None:
        # What runs once there is an answer, such as the teardown, is not for the client, and goes on.
        if self._task is not None and self.ctx.answer is None and not self._cancelled:
            self._cancelled = True
            self._task.cancel()
