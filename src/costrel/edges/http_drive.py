"""Drives one HTTP request: its body is ready for async code, and an async view ends when its client has left."""

from __future__ import annotations

import asyncio
import typing as t
from collections.abc import Callable, Generator
from types import coroutine

from ..context import Context, RequestContext
from ..support.asgi_types import Receive, Scope
from .bodies import Body
from .drive import Drive, ThreadCalls
from .outgoing import DisconnectWait
from .threads import Workers

T = t.TypeVar("T")

ROUND: t.Final = 0.2
"""The interval of the checks of async views, in seconds. From its second check on, the client of a view is watched."""


class DisconnectWatcher:
    """Checks the running async views at intervals. A timer for each view would cost 20 µs (measured)."""

    def __init__(self) -> None:
        self._drives: set[HttpDrive] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_waiting = False

    def enter(self, drive: HttpDrive) -> None:
        """Begin to check the view that `drive` awaits."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # the clients of tests may have loops of their own, in several threads
            self._loop, self._is_waiting = loop, False
        self._drives.add(drive)
        if not self._is_waiting:
            self._is_waiting = True
            loop.call_later(ROUND, self._go_round)

    def leave(self, drive: HttpDrive) -> None:
        """The view has ended."""
        self._drives.discard(drive)

    def _go_round(self) -> None:
        loop = asyncio.get_running_loop()
        own = [drive for drive in tuple(self._drives) if self._is_of(drive, loop)]
        for drive in own:
            drive.look_after()
        if self._loop is loop:
            self._is_waiting = bool(own)
        if own:
            loop.call_later(ROUND, self._go_round)

    def _is_of(self, drive: HttpDrive, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether `loop` runs a view. The views of a loop that was closed are dropped."""
        own = drive.loop
        if own is None or own.is_closed():
            self._drives.discard(drive)
        return own is loop


class RequestCalls(ThreadCalls):
    """One request and its answer: its way to the worker threads, and the task that waits for the client to leave."""

    disconnect: DisconnectWait | None = None
    """Exists after the first use."""

    def __init__(self, workers: Workers, body: Body | None, receive: Receive, scope: Scope) -> None:
        super().__init__(workers)
        self.scope = scope
        self.body = body
        """The body of the request; None if there is none."""
        self._receive = receive

    @property
    def client_has_left(self) -> bool:
        """Whether the client is known to have disconnected."""
        return self.disconnect is not None and self.disconnect.is_over

    def watch(self) -> DisconnectWait:
        """The wait for the disconnect of the client."""
        if self.disconnect is None:
            self.disconnect = DisconnectWait(self._receive, self.body)
        return self.disconnect

    def watch_answer(self) -> DisconnectWait:
        """The same, from now on for the answer, which is about to be sent."""
        if self.body is not None:
            self.body.is_answered = True
        return self.watch()

    def note_step(self, ctx: Context) -> None:
        if ctx.holds:
            self.keep_thread()

    async def run_blocking(self, ctx: RequestContext, function: Callable[[], T], keep: bool) -> T:
        """Call a function in a worker thread, as the lifecycle does. With `keep`, later calls use that thread."""

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
        """Keep the thread of a view whose stream continues in its context: its objects may belong to that thread."""
        if self.pinned is None:
            self.pinned = self._workers.keep_thread()

    async def end(self) -> None:
        """Stop waiting for the client, and release the body and the thread."""
        if self.pinned is not None:
            self.pinned.close()
        if self.disconnect is not None:
            await self.disconnect.stop()
        if self.body is not None:
            self.body.close()


class HttpDrive(Drive):
    """The drive of one HTTP request."""

    _cancelled = False
    _met = False
    _task: asyncio.Task[t.Any] | None = None
    """The task that awaits a coroutine of the user's right now."""

    def __init__(self, ctx: RequestContext, calls: RequestCalls, watcher: DisconnectWatcher) -> None:
        super().__init__(ctx, calls)
        self.ctx: RequestContext = ctx
        self.calls: RequestCalls = calls
        self.watcher = watcher

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop of the task that awaits a coroutine right now."""
        task = self._task
        return None if task is None else task.get_loop()

    def is_left_alone(self) -> bool:
        """Whether the client has left, which alone has cancelled the request. The cancellation ends here then."""
        task = asyncio.current_task()
        if self._cancelled and task is not None:
            task.uncancel()
        return self._cancelled

    @coroutine
    def read_body(self) -> Generator[t.Any, t.Any, None]:
        body = self.calls.body
        if body is not None and not body.complete:
            yield from body.spool(self.ctx.request.max_content_length).__await__()

    def begin_wait(self) -> None:
        if self._task is None:
            self._task = asyncio.current_task()
            self.watcher.enter(self)

    def end_wait(self) -> None:
        if self._task is not None:
            self._task = None
            self.watcher.leave(self)

    def look_after(self) -> None:
        """Watch the client from the second check on: most views have ended by then."""
        if not self._met:
            self._met = True
        elif self.calls.disconnect is not None:
            if self.calls.disconnect.is_over:
                self._end_view()
        else:
            self.calls.watch().begin().add_done_callback(self._client_left)

    def _client_left(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._end_view()

    def _end_view(self) -> None:
        # Work after the answer, such as the teardown, does not depend on the client, and continues.
        if self._task is not None and self.ctx.answer is None and not self._cancelled:
            self._cancelled = True
            self._task.cancel()
