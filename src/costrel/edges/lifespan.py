"""The start and the end of a server's worker (ASGI lifespan spec 2.0)."""

from __future__ import annotations

import typing as t

from .bodies import Receive
from .threads import Workers


async def answer_lifespan(app: t.Any, workers: Workers, receive: Receive, send: t.Any) -> None:
    """Say that the application is ready, wait for the server's end, and let the worker threads go."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            workers.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
