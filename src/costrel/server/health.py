"""Answers the health endpoints, before a request reaches the application.

``/livez`` is 200 as long as the worker's loop runs. ``/readyz`` is 200 if the server should get requests: it is 503
during startup, while a readiness check of the application fails, and once the server is stopping.
"""

from __future__ import annotations

import asyncio
import json
import typing as t

from ..app.application import Costrel
from ..app.readiness import ReadinessCheck
from ..edges.lifespan import call_within
from ..edges.threads import Workers
from .paths import LIVE, READY
from .request_log import Message, Receive, Send
from .served import Served, Wrapper
from .state import State

CACHE_SECONDS: t.Final = 1.0
"""The time in seconds for which the results of the checks are cached, so that not every request runs them."""

_CHECK_THREADS: t.Final = 4


class Health(Wrapper):
    """Answers the health endpoints, and passes other requests on once `app` has started."""

    def __init__(self, served: Served, app: Costrel | None, state: State) -> None:
        super().__init__(served)
        self.state = state
        self.checks = None if app is None else Checks(app)
        self._started = asyncio.Event()

    def check(self, app: Costrel) -> None:
        """Also run the checks of an application that is wrapped in ASGI middleware."""
        if self.checks is None:
            self.checks = Checks(app)

    def takes_in_place(self, scope: Message) -> bool:
        """Whether the scope is not for a health endpoint, and `served` takes it in place."""
        return self._started.is_set() and scope["path"] not in (LIVE, READY) and self.served.takes_in_place(scope)

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
            await _send(scope, send, 405, {"error": "Use GET or HEAD."}, (b"allow", b"GET, HEAD"))
        elif scope["path"] == LIVE:
            await _send(scope, send, 200, {"status": "alive"})
        elif self.state.stopping:  # the whole server; if only this worker ends, another one has replaced it
            await _send(scope, send, 503, {"status": "stopping"})
        elif not self._started.is_set():
            await _send(scope, send, 503, {"status": "starting"})
        elif failing := [] if self.checks is None else await self.checks.failing():
            await _send(scope, send, 503, {"status": "not ready", "failing": failing})
        else:
            await _send(scope, send, 200, {"status": "ready"})


async def _send(scope: Message, send: Send, status: int, data: dict[str, object], *more: tuple[bytes, bytes]) -> None:
    body = json.dumps(data).encode() + b"\n"
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


class Checks:
    """Runs the readiness checks of `app` concurrently, and never starts one that is still running."""

    def __init__(self, app: Costrel) -> None:
        self.app = app
        # Checks have threads of their own: they must not fail only because all worker threads are busy.
        self._workers = Workers(_CHECK_THREADS)
        self._tasks: dict[str, asyncio.Task[bool]] = {}
        self._round: asyncio.Task[list[str]] | None = None
        self._checked_at = float("-inf")
        self._failing: set[str] = set()

    async def failing(self) -> list[str]:
        """The names of the failing checks, in the order of their registration."""
        if not self.app.readiness_checks:
            return []
        loop = asyncio.get_running_loop()
        if self._round is None or (self._round.done() and loop.time() - self._checked_at > CACHE_SECONDS):
            self._checked_at = loop.time()
            self._round = loop.create_task(self._run())
        return await asyncio.shield(self._round)

    async def _run(self) -> list[str]:
        checks: list[ReadinessCheck] = list(self.app.readiness_checks)
        results = await asyncio.gather(*map(self._passes, checks))
        failing = [check.name for check, passes in zip(checks, results, strict=True) if not passes]
        for name in self._failing.difference(failing):
            self.app.logger.info("The readiness check %r passes again.", name)
        self._failing = set(failing)
        return failing

    async def _passes(self, check: ReadinessCheck) -> bool:
        task = self._tasks.get(check.name)
        if task is None or task.done():
            task = self._tasks[check.name] = asyncio.get_running_loop().create_task(self._call(check))
            await asyncio.wait([task], timeout=check.timeout)
            if not task.done():
                self._log_once(check, "The readiness check %r timed out after %g seconds.", check.timeout)
                task.cancel()
        # A check in a thread cannot be cancelled. It is not started again before it has ended.
        return task.done() and not task.cancelled() and task.result()

    async def _call(self, check: ReadinessCheck) -> bool:
        try:
            result = await call_within(self.app, self._workers, check.function)
        except Exception:
            self._log_once(check, "The readiness check %r raised an error.", exc_info=True)
            return False
        if result is False:
            self._log_once(check, "The readiness check %r returned False.")
        return result is not False

    def _log_once(self, check: ReadinessCheck, text: str, *more: object, exc_info: bool = False) -> None:
        """Log an error of `check`, but not again until the check has passed in between."""
        if check.name not in self._failing:
            self.app.logger.error(text, check.name, *more, exc_info=exc_info)

    def close(self) -> None:
        """End the threads."""
        self._workers.close(0)
