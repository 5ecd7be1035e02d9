"""Files that belong to a task."""

import os
import secrets

from costrel import (
    Blueprint,
    FileStorage,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    send_from_directory,
    url_for,
)
from costrel.http.errors import RequestEntityTooLarge

from .database import Database, Number

files = Blueprint("files", __name__)


@files.post("/tasks/<int:number>/files")
def attach(database: Database, number: Number, upload: FileStorage) -> Response:
    """Keep a file under a name of our own, and the client's name in the database."""
    if database.task(number) is None:
        abort(404, f"There is no task {number}.")
    folder = current_app.config["UPLOADS"]
    os.makedirs(folder, exist_ok=True)
    file = secrets.token_hex(16)
    path = os.path.join(folder, file)
    upload.save(path)
    database.add_attachment(number, upload.filename or "file", file, os.path.getsize(path))
    return redirect(url_for("pages.show", number=number), 303)


@files.get("/files/<int:number>")
def download(database: Database, number: Number) -> Response:
    """Send a file, for saving and not for showing."""
    found = database.attachment(number)
    if found is None:
        abort(404, f"There is no file {number}.")
    folder = current_app.config["UPLOADS"]
    return send_from_directory(folder, found.file, as_attachment=True, download_name=found.name)


@files.app_errorhandler(413)
def too_large(error: RequestEntityTooLarge) -> tuple[str, int]:
    """Say how large a file may be."""
    megabytes = current_app.config["MAX_CONTENT_LENGTH"] // 1024**2
    return render_template("too-large.html", megabytes=megabytes), 413
