"""How long a client may keep the server waiting, for the bytes of a body or until it reads the response."""

from __future__ import annotations

import asyncio
import typing as t
from collections.abc import Callable

from ..support.asgi_types import Send

BODY_TIMEOUT: t.Final = 30.0
"""Seconds without a byte of a body that is still to come."""

BODY_MIN_RATE: t.Final = 500
"""Bytes a second that a body has to come with once BODY_TIMEOUT is over, on the average."""

SEND_TIMEOUT: t.Final = 30.0
"""Seconds in which a client takes nothing of an answer."""

SCARCE_TIMEOUT: t.Final = 5.0
"""The same while the responses of all clients take much memory."""

_ROUND: t.Final = 1.0


class ClientStalled(ConnectionError):
    """Raised if a client has taken nothing of an answer for too long."""


class Wait:
    """One wait of a task for its client."""

    stalled = False
    """Whether the wait has timed out."""
    waited = 0.0
    """The seconds that this wait had taken at the last check."""
    task: asyncio.Task[t.Any] | None = None

    def is_over(self, limit: float, seconds: float) -> bool:
        """Whether the wait has reached the limit, `seconds` after the last check."""
        self.waited += seconds
        return self.waited > limit


class Timeouts:
    """Checks all waits at intervals, and ends those that take too long. One timer for all costs less than many."""

    def __init__(self, limit: float | None, is_scarce: Callable[[], bool] = lambda: False) -> None:
        self.limit = limit
        self._is_scarce = is_scarce
        self.round = _ROUND if limit is None else min(_ROUND, limit / 4)
        self._waits: set[Wait] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_going = False

    def begin(self, wait: Wait) -> None:
        """The current task begins to wait for its client."""
        if self.limit is None:
            return
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._is_going = loop, False
            self._waits.clear()
        wait.waited = 0.0
        wait.task = asyncio.current_task()
        self._waits.add(wait)
        if not self._is_going:
            self._is_going = True
            loop.call_later(self.round, self._go_round)

    def end(self, wait: Wait) -> None:
        """The wait has ended."""
        self._waits.discard(wait)
        wait.task = None

    def _go_round(self) -> None:
        limit = t.cast("float", self.limit)
        if self._is_scarce():
            limit = min(limit, SCARCE_TIMEOUT)
        for wait in self._waits:
            if wait.is_over(limit, self.round) and not wait.stalled and wait.task is not None:
                wait.stalled = True
                wait.task.cancel()
        self._is_going = bool(self._waits)
        if self._is_going and self._loop is not None:
            self._loop.call_later(self.round, self._go_round)

    def sending(self, send: Send) -> Send:
        """`send`, which raises ClientStalled if the client takes nothing for too long."""

        async def timed(message: t.MutableMapping[str, t.Any]) -> None:
            wait = Wait()
            self.begin(wait)
            try:
                await send(message)
            except asyncio.CancelledError:
                if not given_up(wait):
                    raise
                raise ClientStalled(f"The client has taken nothing for {wait.waited:g} seconds.") from None
            finally:
                self.end(wait)

        return timed


def given_up(wait: Wait) -> bool:
    """In a cancelled task: whether the cause was the time limit of the client alone. The task continues then."""
    return wait.stalled and wait.task is not None and wait.task.uncancel() == 0
