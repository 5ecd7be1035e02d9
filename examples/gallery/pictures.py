"""The grid of pictures, one picture with its comments, uploading and deleting."""

from __future__ import annotations

import secrets
import sqlite3
import time
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from costrel import (
    Blueprint,
    Checked,
    FileStorage,
    Form,
    Response,
    abort,
    after_response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    secure_filename,
    send_from_directory,
    typed,
    url_for,
)

from . import database, feed
from .accounts import signed_in

blueprint = Blueprint("pictures", __name__)

SIGNATURES = {
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".gif": (b"GIF87a", b"GIF89a"),
    ".webp": (b"RIFF",),
}
"""The first bytes of each file type. The name of a file is not reliable."""

PAGE = 60
"""Pictures on one page of the grid."""

LAST_ID = 2**63 - 1
"""The largest number that SQLite stores."""

LIST = """
    SELECT picture.*, user.name AS author,
           (SELECT count(*) FROM comment WHERE comment.picture_id = picture.id) AS comments
    FROM picture JOIN user ON user.id = picture.user_id
"""


def folder() -> Path:
    """The folder of the uploaded files."""
    return Path(current_app.config["INSTANCE"], "pictures")


def newest(limit: int = PAGE, before: int | None = None) -> list[sqlite3.Row]:
    """The pictures, the newest first; with `before`, those that are older than the picture with this id."""
    query = f"{LIST} WHERE picture.id < ? ORDER BY picture.id DESC LIMIT ?"
    return database.get().execute(query, (before or LAST_ID, limit)).fetchall()


def find(picture_id: int) -> sqlite3.Row:
    """One picture, or 404."""
    if picture_id > LAST_ID:
        abort(404)
    row: sqlite3.Row | None = database.get().execute(f"{LIST} WHERE picture.id = ?", (picture_id,)).fetchone()
    if row is None:
        abort(404)
    return row


def comments_on(picture_id: int) -> list[sqlite3.Row]:
    """The comments on a picture, the oldest first."""
    query = """
        SELECT comment.*, user.name AS author FROM comment JOIN user ON user.id = comment.user_id
        WHERE picture_id = ? ORDER BY created
    """
    return database.get().execute(query, (picture_id,)).fetchall()


def kind_of(upload: FileStorage) -> str | None:
    """The extension of an uploaded picture by its first bytes, or None if it is not a picture."""
    start = upload.stream.read(12)
    upload.stream.seek(0)
    for ending, signatures in SIGNATURES.items():
        if start.startswith(signatures) and (ending != ".webp" or start[8:] == b"WEBP"):
            return ending
    return None


@blueprint.get("/")
def index() -> str:
    """The grid, a page at a time."""
    before = request.args.get("before", type=int)
    found = newest(PAGE + 1, min(max(before, 1), LAST_ID) if before is not None else None)
    older = found[PAGE - 1]["id"] if len(found) > PAGE else None
    return render_template("index.html", pictures=found[:PAGE], older=older, before=before)


@blueprint.get("/picture/<int:picture_id>")
def show(picture_id: int) -> str:
    """One picture and its comments."""
    return render_template("picture.html", picture=find(picture_id), comments=comments_on(picture_id))


@blueprint.get("/files/<path:name>")
def file(name: str) -> Response:
    """An uploaded file. Its name is never reused, so browsers may cache it."""
    return send_from_directory(folder(), name, max_age=31_536_000)


@blueprint.route("/upload", methods=["GET", "POST"])
@signed_in
def upload() -> str | Response | tuple[str, int]:
    """Store an uploaded picture."""
    if request.method == "GET":
        return render_template("upload.html")
    picture = request.files["picture"]
    ending = kind_of(picture)
    if ending is None:
        flash("Browsers cannot show this file. Choose a PNG, JPEG, GIF or WebP file.", "error")
        return render_template("upload.html", title=request.form["title"]), 400
    stem = Path(secure_filename(picture.filename or "")).stem or "picture"
    name = f"{secrets.token_hex(8)}-{stem[:60]}{ending}"
    picture.save(folder() / name)
    title = request.form["title"].strip()[:80] or stem
    with database.get() as connection:
        row = connection.execute(
            "INSERT INTO picture (user_id, title, file, created) VALUES (?, ?, ?, ?)",
            (g.user["id"], title, name, time.time()),
        )
    after_response(feed.announce, "picture", row.lastrowid)  # it may use the network, so do not delay the response
    flash(f"“{title}” is in the gallery.", "success")
    return redirect(url_for(".show", picture_id=row.lastrowid))


@blueprint.post("/picture/<int:picture_id>/comments")
@signed_in
def comment(picture_id: int) -> Response:
    """Comment on a picture."""
    find(picture_id)
    text = request.form["text"].strip()[:1000]
    if text:
        with database.get() as connection:
            row = connection.execute(
                "INSERT INTO comment (picture_id, user_id, text, created) VALUES (?, ?, ?, ?)",
                (picture_id, g.user["id"], text, time.time()),
            )
        after_response(feed.announce, "comment", row.lastrowid)
    return redirect(url_for(".show", picture_id=picture_id, _anchor="comments"))


class Renaming(Struct):
    """The form for another title."""

    title: Annotated[
        str, Meta(min_length=1, max_length=80, pattern=r"\S", title="Title", description="What does it show?")
    ]


@blueprint.get("/picture/<int:picture_id>/title")
@signed_in
def retitle(picture_id: int) -> str:
    """The form for another title of one of the user's own pictures."""
    picture = find_own(picture_id)
    return render_template("title.html", picture=picture, form=Checked.blank(Renaming, title=picture["title"]))


@blueprint.post("/picture/<int:picture_id>/title", hidden=True)  # a page, and not a part of the API
@signed_in
@typed
def save_title(picture_id: int, form: Annotated[Checked[Renaming], Form()]) -> str | Response | tuple[str, int]:
    """Give one of the user's own pictures another title."""
    picture = find_own(picture_id)
    if form.value is None:
        return render_template("title.html", picture=picture, form=form), 422
    with database.get() as connection:
        connection.execute("UPDATE picture SET title = ? WHERE id = ?", (form.value.title.strip(), picture_id))
    return redirect(url_for(".show", picture_id=picture_id))


def find_own(picture_id: int) -> sqlite3.Row:
    """The picture, if it belongs to the visitor. Raises Forbidden if it belongs to another user."""
    picture = find(picture_id)
    if picture["user_id"] != g.user["id"]:
        abort(403)
    return picture


@blueprint.post("/picture/<int:picture_id>/delete")
@signed_in
def delete(picture_id: int) -> Response:
    """Delete one of the user's own pictures."""
    picture = find_own(picture_id)
    with database.get() as connection:
        connection.execute("DELETE FROM picture WHERE id = ?", (picture_id,))
    after_response((folder() / picture["file"]).unlink, missing_ok=True)
    flash(f"“{picture['title']}” was deleted.", "info")
    return redirect(url_for(".index"))


def ago(moment: float) -> str:
    """The time since a moment, in words."""
    seconds = max(0, time.time() - moment)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
