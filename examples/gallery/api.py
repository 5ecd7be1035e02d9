"""The gallery for programs: JSON under ``/api``."""

from __future__ import annotations

import sqlite3
from typing import Annotated, Any

from msgspec import Meta, Struct

from costrel import Blueprint, Response, jsonify, url_for

from . import pictures

blueprint = Blueprint("api", __name__, typed=True)


class Comment(Struct):
    """A comment on a picture."""

    author: str
    text: str
    created: float


class Picture(Struct):
    """A picture with its data and links."""

    id: int
    title: str
    author: str
    created: float
    file: str
    page: str


class Listed(Picture):
    """A picture in the list, with the number of its comments."""

    comments: int


class Shown(Picture):
    """A picture with its comments."""

    comments: list[Comment]


class Page(Struct):
    """The newest pictures."""

    pictures: list[Listed]


def as_picture(picture: sqlite3.Row) -> dict[str, Any]:
    """The fields of a `Picture`."""
    return {
        "id": picture["id"],
        "title": picture["title"],
        "author": picture["author"],
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
def list_pictures(limit: Annotated[int, Meta(ge=1, le=100)] = 20) -> Page:
    """The newest pictures, at most `limit`."""
    return Page([Listed(**as_picture(row), comments=row["comments"]) for row in pictures.newest(limit)])


@blueprint.get("/pictures/<int:picture_id>")
def show_picture(picture_id: int) -> Shown:
    """One picture and its comments."""
    picture = pictures.find(picture_id)
    comments = [Comment(row["author"], row["text"], row["created"]) for row in pictures.comments_on(picture_id)]
    return Shown(**as_picture(picture), comments=comments)
