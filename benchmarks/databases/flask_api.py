"""The application of Flask and of Costrel with `def` views: one source, since they have one API."""

from __future__ import annotations

from typing import Any

from ..peers import HERE
from .queries import MESSAGE, Sync


def build(api: Any, app_class: Any) -> Any:
    app = app_class("benchmark", root_path=str(HERE))
    app.config["COMPRESS"] = False  # the others do not compress either
    database = Sync()

    @app.route("/")
    def hello():
        return "Hello"

    @app.route("/json")
    def json():
        return MESSAGE

    @app.route("/db")
    def db():
        return database.world()

    @app.route("/queries")
    def queries():
        return database.worlds()

    @app.route("/updates")
    def updates():
        return database.updated()

    @app.route("/fortunes")
    def fortunes():
        return api.render_template("fortunes.html", fortunes=database.fortunes())

    return app
