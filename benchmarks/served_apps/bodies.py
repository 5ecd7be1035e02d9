"""Views for bodies of 1 GiB, in Flask's API."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

SIZE = int(os.environ.get("BENCH_BODY_BYTES", str(2**30)))
FOLDER = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
DOWNLOAD = FOLDER / "costrel-benchmark-download"

# Uploads and downloads are in memory if possible, to exclude the disk.
tempfile.tempdir = str(FOLDER)


def add_bodies(app: Any, api: Any) -> Any:
    """Add the views to an application, and allow bodies of that size."""
    app.config["MAX_CONTENT_LENGTH"] = SIZE + 2**20

    @app.post("/big-upload")
    def big_upload():
        file = api.request.files["file"]
        file.stream.seek(0, 2)
        return str(file.stream.tell())

    @app.route("/big-download")
    def big_download():
        return api.send_file(DOWNLOAD, mimetype="application/octet-stream")

    return app
