"""The gallery for programs: JSON under ``/api``."""

from __future__ import annotations

import sqlite3
from typing import Any

from costrel import Blueprint, Response, jsonify, request, url_for

from . import pictures

blueprint = Blueprint("api", __name__)


def as_json(picture: sqlite3.Row) -> dict[str, Any]:
    """A picture as its row says, with links."""
    return {
        "id": picture["id"],
        "title": picture["title"],
        "author": picture["author"],
        "comments": picture["comments"],
        "created": picture["created"],
        "file": url_for("pictures.file", name=picture["file"], _external=True),
        "page": url_for("pictures.show", picture_id=picture["id"], _external=True),
    }


def problem(status: int, text: str) -> Response:
    """An error for a program (RFC 9457)."""
    response = jsonify(status=status, title=text)
    response.status_code, response.content_type = status, "application/problem+json"
    return response


@blueprint.get("/pictures")
def list_pictures() -> dict[str, Any]:
    """The newest pictures; ``?limit=`` of them, 20 where it does not say."""
    limit = request.args.get("limit", 20, type=int)
    return {"pictures": [as_json(picture) for picture in pictures.newest(max(1, min(limit, 100)))]}


@blueprint.get("/pictures/<int:picture_id>")
def show_picture(picture_id: int) -> dict[str, Any]:
    """One picture and its comments."""
    picture = pictures.find(picture_id)
    comments = [
        {"author": row["author"], "text": row["text"], "created": row["created"]}
        for row in pictures.comments_on(picture_id)
    ]
    return as_json(picture) | {"comments": comments}
