"""The chat: a WebSocket that sends all messages to its user, and publishes the messages of its user."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from costrel import Blueprint, g, render_template, websocket

from . import accounts, database, wire

blueprint = Blueprint("chat", __name__)

LONGEST = 500
"""The maximum length of a message, in characters."""

RATE, PERIOD = 5, 10.0
"""The number of messages that a user may send within a number of seconds, over all connections to one process."""

PAUSE = 1.0
"""Seconds for which a client is ignored after an invalid message."""

lately: dict[int, deque[float]] = {}
"""The times of the last messages of each user."""


@blueprint.get("/live")
def page() -> str:
    """The page with the chat and the feed."""
    return render_template("live.html", wire=wire.get(), longest=LONGEST)


@blueprint.before_websocket
def load_user() -> None:
    """Load the user. Close the database connection at once, since a WebSocket may stay open for hours."""
    accounts.load_user()
    database.close()


@blueprint.websocket("/live/chat")
async def chat() -> None:
    """Send the messages after ``?after=``, and publish those of the user."""
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(tell(wire.known(websocket.args.get("after")) or wire.BEGINNING))
        async for message in websocket:
            problem = await say(message)
            if problem is not None:
                await websocket.send_json(problem=problem)
                await asyncio.sleep(PAUSE)
        telling.cancel()


async def tell(after: str) -> None:
    """Send every message as it arrives."""
    async for message in wire.get().channels["chat"].listen(after):
        await websocket.send_json({"id": message.id, **message.data})


async def say(message: str | bytes) -> str | None:
    """Publish a message of the user. Returns the problem with it, or None."""
    if g.user is None:
        return "Please sign in to join the chat."
    text = message.strip() if isinstance(message, str) else ""
    if not text:
        return "The message is empty."
    if len(text) > LONGEST:
        return f"The message is too long: at most {LONGEST} characters are allowed."
    if is_too_fast(g.user["id"]):
        return f"Please slow down: at most {RATE} messages in {PERIOD:.0f} seconds are allowed."
    try:
        said = {"who": g.user["name"], "text": text, "at": time.time()}
        await asyncio.to_thread(wire.get().publish, "chat", said)
    except wire.Unreachable:
        return "The chat is not available right now. Please try again in a minute."
    return None


def is_too_fast(user_id: int) -> bool:
    """Whether a user sends too often. If not, count the message."""
    now = time.monotonic()
    for other in [other for other, sent in lately.items() if sent[-1] < now - PERIOD]:
        del lately[other]
    sent = lately.setdefault(user_id, deque(maxlen=RATE))
    if len(sent) == RATE and sent[0] > now - PERIOD:
        return True
    sent.append(now)
    return False
