"""The task list of a small team."""

import typing as t
from collections.abc import Mapping

from costrel import Bearer, Costrel, OpenAPI, SessionCookie

from .accounts import accounts, find_user, load_user
from .api import api
from .database import open_database, opened
from .files import files
from .live import live
from .pages import pages
from .settings import configure


def create_app(settings: Mapping[str, t.Any] | None = None) -> Costrel:
    """Create the application. `settings` override those of the environment, for tests."""
    app = Costrel(__name__, typed=True, security=["session"])
    configure(app, settings or {})

    app.provide(open_database)
    app.auth_schemes["session"] = SessionCookie(load=load_user)
    app.auth_schemes["bearer"] = Bearer(verify=find_user)
    app.openapi = OpenAPI(title="Tasks", docs="/docs")

    for blueprint in (pages, accounts, files, api, live):
        app.register_blueprint(blueprint)

    @app.cli.command("upgrade-db")
    def upgrade_db() -> None:
        """Create the tables, or bring them up to date."""
        with opened() as database:
            database.upgrade()
        print("The database is up to date.")

    return app
