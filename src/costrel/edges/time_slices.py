"""Turns on the loop, for code that sends and never waits.

Servers accept messages for a client that has left at once. A view that sends without an end would keep the loop to
itself from then on, and the message that the client has left could not come through.
"""

from __future__ import annotations

import asyncio
import typing as t

TURN: t.Final = 0.005
"""Seconds that one sender may keep the loop."""


class TimeSlice:
    """The time that a sender has the loop for."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ends = self._loop.time() + TURN

    async def give_way(self) -> None:
        """Let other tasks run if the time slice is over."""
        if self._loop.time() > self._ends:
            await asyncio.sleep(0)
            self._ends = self._loop.time() + TURN
