"""Answers those who ask whether a worker lives and is ready, before the application sees anything of it.

``/livez`` says that the worker's loop runs. ``/readyz`` says whether requests should come here: not while it starts,
not once it was told to end, and not while a check that the application has registered fails.
"""

from __future__ import annotations

import asyncio
import json
import typing as t
from collections.abc import Collection

from ..app.application import Costrel
from ..app.readiness import ReadinessCheck
from ..edges.lifespan import call_within
from ..edges.threads import Workers
from ..support.coroutines import AnyCoroutine
from .paths import LIVE, READY
from .request_log import Message, Receive, Send
from .served import Served
from .state import State

KEPT: t.Final = 1.0
"""Seconds that the outcome of the checks is kept: whoever asks more often does not run them more often."""

_CHECK_THREADS: t.Final = 4


class Health:
    """Passes on to `served` all but what is asked of the health of `app`; holds requests back until it has started."""

    def __init__(self, served: Served, app: Costrel | None, state: State) -> None:
        self.served = served
        self.places = served.places
        self.state = state
        self.checks = None if app is None else Checks(app)
        self._started = asyncio.Event()

    def check(self, app: Costrel) -> None:
        """Run the checks of an application that was found inside of another one."""
        if self.checks is None:
            self.checks = Checks(app)

    def begin_to_end(self) -> float:
        """Hear that this worker ends. The server may go on, if another one has taken its place: that is no change."""
        return self.served.begin_to_end()

    def note_refusal(self) -> None:
        """A request is refused, since there are too many connections."""
        self.served.note_refusal()

    def unfinished(self) -> Collection[Message]:
        """The scopes of the requests in progress."""
        return self.served.unfinished()

    def takes_in_place(self, scope: Message) -> bool:
        """Whether it is for `served`, and that takes it."""
        return self._started.is_set() and scope["path"] not in (LIVE, READY) and self.served.takes_in_place(scope)

    def answer_in_place(self, scope: Message, receive: Receive, send: Send) -> AnyCoroutine[None]:
        """Answer one ASGI scope that was taken."""
        return self.served.answer_in_place(scope, receive, send)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        kind = scope["type"]
        if kind == "http" and scope["path"] in (LIVE, READY):
            await self._answer(scope, send)
        elif kind == "lifespan":
            await self.served(scope, receive, self._noting_start(send))
            if self.checks is not None:
                self.checks.close()
        else:
            if not self._started.is_set():
                await self._started.wait()
            await self.served(scope, receive, send)

    def _noting_start(self, send: Send) -> Send:
        async def note(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._started.set()
            await send(message)

        return note

    async def _answer(self, scope: Message, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await _send(scope, send, 405, {"error": "Ask with GET or HEAD."}, (b"allow", b"GET, HEAD"))
        elif scope["path"] == LIVE:
            await _send(scope, send, 200, {"status": "alive"})
        elif self.state.stopping:
            await _send(scope, send, 503, {"status": "stopping"})
        elif not self._started.is_set():
            await _send(scope, send, 503, {"status": "starting"})
        elif failing := [] if self.checks is None else await self.checks.failing():
            await _send(scope, send, 503, {"status": "not ready", "failing": failing})
        else:
            await _send(scope, send, 200, {"status": "ready"})


async def _send(scope: Message, send: Send, status: int, answer: dict[str, object], *more: tuple[bytes, bytes]) -> None:
    body = json.dumps(answer).encode() + b"\n"
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


class Checks:
    """Runs the checks of `app`, all at once, and each at most once at a time."""

    def __init__(self, app: Costrel) -> None:
        self.app = app
        # Threads of their own: where all others are busy, a check says how its database is, and not that.
        self._workers = Workers(_CHECK_THREADS)
        self._tasks: dict[str, asyncio.Task[bool]] = {}
        self._round: asyncio.Task[list[str]] | None = None
        self._asked = float("-inf")
        self._failing: set[str] = set()

    async def failing(self) -> list[str]:
        """The names of the checks that fail now, in the order in which they were registered."""
        if not self.app.readiness_checks:
            return []
        loop = asyncio.get_running_loop()
        if self._round is None or (self._round.done() and loop.time() - self._asked > KEPT):
            self._asked = loop.time()
            self._round = loop.create_task(self._run())
        return await asyncio.shield(self._round)

    async def _run(self) -> list[str]:
        checks: list[ReadinessCheck] = list(self.app.readiness_checks)
        outcomes = await asyncio.gather(*map(self._holds, checks))
        failing = [check.name for check, holds in zip(checks, outcomes, strict=True) if not holds]
        for name in self._failing.difference(failing):
            self.app.logger.info("The readiness check %r holds again.", name)
        self._failing = set(failing)
        return failing

    async def _holds(self, check: ReadinessCheck) -> bool:
        task = self._tasks.get(check.name)
        if task is None or task.done():
            task = self._tasks[check.name] = asyncio.get_running_loop().create_task(self._call(check))
            await asyncio.wait([task], timeout=check.timeout)
            if not task.done():
                self._say(check, "The readiness check %r has not ended after %g seconds.", check.timeout)
                task.cancel()
        # What runs in a thread goes on until it ends by itself, and is not started once more beside itself.
        return task.done() and not task.cancelled() and task.result()

    async def _call(self, check: ReadinessCheck) -> bool:
        try:
            outcome = await call_within(self.app, self._workers, check.function)
        except Exception:
            self._say(check, "The readiness check %r failed.", exc_info=True)
            return False
        if outcome is False:
            self._say(check, "The readiness check %r returned False.")
        return outcome is not False

    def _say(self, check: ReadinessCheck, text: str, *more: object, exc_info: bool = False) -> None:
        """Say what is wrong, once, until the check holds again."""
        if check.name not in self._failing:
            self.app.logger.error(text, check.name, *more, exc_info=exc_info)

    def close(self) -> None:
        """Let go of the threads."""
        self._workers.close(0)
