"""An application, a database and test clients for each test."""

from pathlib import Path

import pytest
from costrel import Costrel, generate_password_hash
from costrel.testing import FlaskClient

from tasks import create_app
from tasks.database import opened

pytest_plugins = ["costrel.testing.pytest"]
PASSWORD_HASH = generate_password_hash("secret", "scrypt:2:1:1")  # weak, and quick to check


@pytest.fixture
def app(tmp_path: Path) -> Costrel:
    app = create_app(
        {
            "TESTING": True,
            "SECRET_KEY": "for tests only",
            "DATABASE": str(tmp_path / "tasks.sqlite"),
            "UPLOADS": str(tmp_path / "uploads"),
            "LIVE_SECONDS": 0.01,
        }
    )
    with app.app_context(), opened() as database:
        database.upgrade()
        database.add_user("ada", PASSWORD_HASH)
    return app


@pytest.fixture
def visitor(app: Costrel) -> FlaskClient:
    """The browser of someone who is not signed in."""
    client: FlaskClient = app.test_client()
    return client


@pytest.fixture
def client(app: Costrel) -> FlaskClient:
    """Ada's browser."""
    client: FlaskClient = app.test_client()
    client.post("/sign-in", data={"name": "ada", "password": "secret"})
    return client
