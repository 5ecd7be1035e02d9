"""Live updates: the changes to the tasks as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from costrel import Blueprint, Header, Response, current_app, stream_with_context
from costrel.sse import ServerSentEvent, event_stream
from msgspec import Meta

from .database import Event, opened

live = Blueprint("live", __name__)


@live.get("/live", hidden=True)
async def stream(
    after: Annotated[int, Meta(ge=0)], last_event_id: Annotated[int | None, Header()] = None
) -> Response:
    """Send the events after `after`. A browser that connects again names the last one it got."""
    events = follow(after if last_event_id is None else last_event_id)
    return event_stream(stream_with_context(events), retry=2000)


async def follow(after: int) -> AsyncIterator[ServerSentEvent]:
    """Yield the events from now on, until the browser leaves."""
    while True:
        for event in await asyncio.to_thread(read_events, after):
            after = event.id
            yield ServerSentEvent({"text": event.text}, event="change", id=str(event.id))
        await asyncio.sleep(current_app.config["LIVE_SECONDS"])


def read_events(after: int) -> list[Event]:
    """Read the new events. It blocks, so it runs in a thread."""
    with opened() as database:
        return database.events(after)
