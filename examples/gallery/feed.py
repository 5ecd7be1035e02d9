"""The live feed: new pictures and comments, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from costrel import Blueprint, Response, abort, current_app, request, url_for
from costrel.sse import ServerSentEvent, event_stream

from . import database, wire

blueprint = Blueprint("feed", __name__)

EVENTS = """
    SELECT 'picture' AS kind, picture.id, picture.id AS picture_id, picture.created, title, file, name AS who
    FROM picture JOIN user ON user.id = picture.user_id
    UNION ALL
    SELECT 'comment' AS kind, comment.id, picture.id AS picture_id, comment.created, title, file, name AS who
    FROM comment JOIN picture ON picture.id = comment.picture_id JOIN user ON user.id = comment.user_id
"""
NEWEST = f"SELECT * FROM ({EVENTS}) ORDER BY created DESC LIMIT 12"  # noqa: S608  # both are constants
ONE = f"SELECT * FROM ({EVENTS}) WHERE kind = ? AND id = ?"  # noqa: S608
WORDS = {"picture": "uploaded", "comment": "commented on"}


@blueprint.get("/live/feed")
def feed() -> Response:
    """The latest events, then new ones. A client that reconnects gets the events that it missed."""
    if not wire.get().serving:
        abort(501, "The feed needs an ASGI server, such as 'costrel run' or 'costrel serve'.")
    channel = wire.get().channels["feed"]
    last = wire.known(request.headers.get("Last-Event-ID"))
    # Read the position before the database: an event in between is then sent twice rather than never.
    position = channel.position
    past = [] if last else [as_json(row) for row in reversed(database.get().execute(NEWEST).fetchall())]
    return event_stream(follow(channel, past, last or position), retry=2000)


async def follow(channel: wire.Channel, past: list[dict[str, Any]], after: str) -> AsyncIterator[ServerSentEvent]:
    """Yield the past events, then the new ones."""
    for event in past:
        yield ServerSentEvent(event, id=after)
    async for message in channel.listen(after):
        yield ServerSentEvent(message.data, id=message.id)


def as_json(row: Any) -> dict[str, Any]:
    """The JSON of an event for the page."""
    anchor = "comments" if row["kind"] == "comment" else None
    return {
        "key": f"{row['kind']}-{row['id']}",
        "who": row["who"],
        "did": WORDS[row["kind"]],
        "title": row["title"],
        "page": url_for("pictures.show", picture_id=row["picture_id"], _anchor=anchor),
        "image": url_for("pictures.file", name=row["file"]),
        "at": row["created"],
    }


def announce(kind: str, event_id: int | None) -> None:
    """Publish a stored picture or comment. If the feed is down, log it: the request itself has succeeded."""
    row = database.get().execute(ONE, (kind, event_id)).fetchone()
    try:
        wire.get().publish("feed", as_json(row))
    except wire.Unreachable as error:
        current_app.logger.warning("Could not publish %s %s to the feed: %s", kind, event_id, error)
