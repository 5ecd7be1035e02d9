"""The live feed: what happens in the gallery, as server-sent events."""

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
WORDS = {"picture": "hung up", "comment": "commented on"}


@blueprint.get("/live/feed")
def feed() -> Response:
    """What happened last, and then what happens. Who comes back is told what happened meanwhile."""
    if not wire.get().serving:
        abort(501, "The feed needs an ASGI server, such as 'costrel run' and 'costrel serve'.")
    channel = wire.get().channels["feed"]
    last = wire.known(request.headers.get("Last-Event-ID"))
    # First the position, then the database: what happens in between comes twice, and not never.
    position = channel.position
    past = [] if last else [as_json(row) for row in reversed(database.get().execute(NEWEST).fetchall())]
    return event_stream(follow(channel, past, last or position), retry=2000)


async def follow(channel: wire.Channel, past: list[dict[str, Any]], after: str) -> AsyncIterator[ServerSentEvent]:
    """The events of the past, and those to come."""
    for event in past:
        yield ServerSentEvent(event, id=after)
    async for message in channel.listen(after):
        yield ServerSentEvent(message.data, id=message.id)


def as_json(row: Any) -> dict[str, Any]:
    """An event as the page gets it."""
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
    """Tell of a picture or a comment that was stored. That the feed is down is no reason for anything to fail."""
    row = database.get().execute(ONE, (kind, event_id)).fetchone()
    try:
        wire.get().publish("feed", as_json(row))
    except wire.Unreachable as error:
        current_app.logger.warning("The feed was not told of %s %s: %s", kind, event_id, error)
