"""The chapters of the tutorial, each imported as its reader has it: a package `tasks` in the working folder."""

import sys
import typing as t
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from costrel import Costrel, generate_password_hash
from costrel.testing import FlaskClient

TUTORIAL = Path(__file__).parents[2] / "examples" / "tutorial"
weak_hash = partial(generate_password_hash, method="scrypt:2:1:1")  # quick to make and to check


def forget_tasks() -> None:
    for name in [name for name in sys.modules if name == "tasks" or name.startswith("tasks.")]:
        del sys.modules[name]


@pytest.fixture
def chapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Costrel]]:
    """Return a function that makes the application of a chapter, with an empty database and the user Ada."""
    settings: dict[str, t.Any] = {
        "TESTING": True,
        "SECRET_KEY": "for tests only",
        "DATABASE": str(tmp_path / "instance" / "tasks.sqlite"),
        "UPLOADS": str(tmp_path / "uploads"),
        "LIVE_SECONDS": 0.01,
    }

    def load(number: int) -> Costrel:
        monkeypatch.syspath_prepend(str(TUTORIAL / f"chapter{number}"))
        monkeypatch.setattr("costrel.generate_password_hash", weak_hash)
        forget_tasks()
        import tasks  # type: ignore[import-not-found]

        app: Costrel = tasks.create_app(settings) if number == 8 else tasks.app
        app.config.update(settings)
        if number >= 3:
            with app.app_context(), sys.modules["tasks.database"].opened() as database:
                database.upgrade()
                if number >= 4:
                    database.add_user("ada", weak_hash("secret"))
        return app

    yield load
    forget_tasks()


def signed_in(app: Costrel) -> FlaskClient:
    client: FlaskClient = app.test_client()
    response = client.post("/sign-in", data={"name": "ada", "password": "secret"})
    assert response.headers["Location"] == "/"
    return client
