"""The chat: a WebSocket that tells what is said, and hears what its user says."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from costrel import Blueprint, g, render_template, websocket

from . import accounts, database, wire

blueprint = Blueprint("chat", __name__)

LONGEST = 500
"""Characters of a message."""

RATE, PERIOD = 5, 10.0
"""How many messages a user may send in how many seconds, over all connections to one process."""

PAUSE = 1.0
"""Seconds for which a client that sent something wrong is not listened to."""

lately: dict[int, deque[float]] = {}
"""When each user sent the last messages."""


@blueprint.get("/live")
def page() -> str:
    """The page with the chat and the feed."""
    return render_template("live.html", wire=wire.get(), longest=LONGEST)


@blueprint.before_websocket
def load_user() -> None:
    """Find who is signed in. A WebSocket may stay for hours: it gives the database back at once."""
    accounts.load_user()
    database.close()


@blueprint.websocket("/live/chat")
async def chat() -> None:
    """Tell what is said, from ``?after=`` on, and pass on what the user says."""
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(tell(wire.known(websocket.args.get("after")) or wire.BEGINNING))
        async for message in websocket:
            problem = await say(message)
            if problem is not None:
                await websocket.send_json(problem=problem)
                await asyncio.sleep(PAUSE)
        telling.cancel()


async def tell(after: str) -> None:
    """Send every message as it comes."""
    async for message in wire.get().channels["chat"].listen(after):
        await websocket.send_json({"id": message.id, **message.data})


async def say(message: str | bytes) -> str | None:
    """Pass on what the user says; what is wrong with it, if anything."""
    if g.user is None:
        return "Please sign in to say something."
    text = message.strip() if isinstance(message, str) else ""
    if not text:
        return "There is nothing in it."
    if len(text) > LONGEST:
        return f"That is too long: {LONGEST} characters are the most."
    if is_too_fast(g.user["id"]):
        return f"Slowly, please: {RATE} messages in {PERIOD:.0f} seconds are the most."
    try:
        said = {"who": g.user["name"], "text": text, "at": time.time()}
        await asyncio.to_thread(wire.get().publish, "chat", said)
    except wire.Unreachable:
        return "Nobody can hear you just now. Please try again in a minute."
    return None


def is_too_fast(user_id: int) -> bool:
    """Whether a user sends too often; if not, this counts as sent."""
    now = time.monotonic()
    for other in [other for other, sent in lately.items() if sent[-1] < now - PERIOD]:
        del lately[other]
    sent = lately.setdefault(user_id, deque(maxlen=RATE))
    if len(sent) == RATE and sent[0] > now - PERIOD:
        return True
    sent.append(now)
    return False
