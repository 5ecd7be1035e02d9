"""The settings."""

import pytest

from tasks import create_app


def test_environment_variables_override_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKS_TRUSTED_HOSTS", '["example.org"]')

    client = create_app().test_client()

    assert client.get("/sign-in", headers={"Host": "example.org"}).status_code == 200
    assert client.get("/sign-in", headers={"Host": "evil.example"}).status_code == 400
