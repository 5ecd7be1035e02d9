"""Starts and stops an application as a worker of an ASGI server does (ASGI lifespan spec 2.0)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..support.asgi_types import ASGIApplication, Message


class Lifespan:
    """One lifespan of an application, on the running event loop."""

    def __init__(self, application: ASGIApplication) -> None:
        self._application = application
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run the functions before serving. Raises RuntimeError, with the error's text, if one of them fails."""
        self._task = asyncio.get_running_loop().create_task(self._serve())
        await self._tell("startup")

    async def stop(self) -> None:
        """Run the functions after serving. Raises RuntimeError, with the error's text, if one of them fails."""
        if self._task is not None:
            try:
                await self._tell("shutdown")
            finally:
                await self._task

    async def _serve(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        try:
            await self._application(scope, self._to_app.get, self._from_app.put)
        finally:
            await self._from_app.put({"type": "lifespan.end"})

    async def _tell(self, phase: str) -> None:
        await self._to_app.put({"type": f"lifespan.{phase}"})
        message = await self._from_app.get()
        if message["type"] != f"lifespan.{phase}.complete":
            raise RuntimeError(f"The {phase} of the application failed: {message.get('message', '')}")
