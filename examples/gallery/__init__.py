"""Gallery: users sign up, upload pictures, view and comment on them, chat, and follow new events live.

Run it with ``costrel --app examples/gallery run``. Accounts, pictures and comments are in an SQLite database in the
instance folder, which needs no setup. With several processes, the chat and the feed need Redis to reach all visitors:
``REDIS_URL=redis://localhost costrel --app examples/gallery serve``.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from costrel import Costrel, OpenAPI, Response, render_template, request
from costrel.http.errors import HTTPException, RequestEntityTooLarge

from . import accounts, api, chat, database, feed, pictures, wire

POLICY = {
    "default-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}
"""A page may load only files of this site, so a script in a comment does not run."""


def create_app(config: dict[str, Any] | None = None) -> Costrel:
    """Create the application. `config` overrides settings, for example in tests."""
    app = Costrel(__name__, instance_path=str(Path(__file__).parent.resolve() / "instance"))
    app.config.update(
        CONTENT_SECURITY_POLICY=POLICY,
        MAX_CONTENT_LENGTH=5 * 1024 * 1024,
        WEBSOCKET_MAX_MESSAGE_SIZE=4 * chat.LONGEST,
        REDIS_URL=os.environ.get("REDIS_URL"),
        SAMPLES=True,
        INSTANCE=app.instance_path,
    )
    app.config.update(config or {})
    Path(app.config["INSTANCE"], "pictures").mkdir(parents=True, exist_ok=True)
    if not app.secret_key:
        app.secret_key = kept_secret(Path(app.config["INSTANCE"]))
    app.openapi = OpenAPI("Gallery", "1.0", path="/api/openapi.json", docs="/api/docs")
    database.init_app(app)
    wire.init_app(app)
    app.register_blueprint(accounts.blueprint)
    app.register_blueprint(pictures.blueprint)
    app.register_blueprint(chat.blueprint)
    app.register_blueprint(feed.blueprint)
    app.register_blueprint(api.blueprint, url_prefix="/api")
    app.register_error_handler(404, not_found)
    app.register_error_handler(413, too_large)
    app.register_error_handler(HTTPException, any_other)
    app.add_template_filter(pictures.ago)
    return app


def kept_secret(folder: Path) -> str:
    """The secret key: created at the first start, and kept in the instance folder, readable only by its owner."""
    path = folder / "secret_key"
    if not path.exists():
        # Several processes may start at once: each writes its own key, and all of them use the first.
        own = folder / f"secret_key.{os.getpid()}"
        own.touch(mode=0o600)
        own.write_text(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(own, path)
        own.unlink()
    return path.read_text()


def any_other(error: HTTPException) -> Response | HTTPException:
    """The unchanged error; JSON for the API."""
    if not request.path.startswith("/api/"):
        return error
    problem = api.problem(error.code or 500, error.description or error.name)
    problem.headers.extend((name, value) for name, value in error.get_headers() if name != "Content-Type")
    return problem


def not_found(error: HTTPException) -> tuple[Response | str, int]:
    """The page for a 404; JSON for the API."""
    if request.path.startswith("/api/"):
        return api.problem(404, "There is no such resource."), 404
    text = "This page does not exist, or the picture was deleted."
    return render_template("error.html", title="Page not found", text=text), 404


def too_large(error: RequestEntityTooLarge) -> tuple[str, int]:
    """The page for an upload that exceeds the limit."""
    text = "Pictures can be up to 5 MB. Make it smaller or save it as JPEG, and try again."
    return render_template("error.html", title="That picture is too large", text=text), 413
