"""The API."""

import pytest
from costrel import Costrel
from costrel.testing import FlaskClient


@pytest.fixture
def headers(app: Costrel) -> dict[str, str]:
    """Those of a program with a token."""
    token = app.test_cli_runner().invoke(args=["add-token", "ada"]).output.strip()
    return {"Authorization": f"Bearer {token}"}


def test_a_task_is_added_and_finished(visitor: FlaskClient, headers: dict[str, str]) -> None:
    new = {"text": "Buy milk", "due": "2027-01-31"}
    task = {"id": 1, **new, "done": False, "author": "ada"}

    response = visitor.post("/api/tasks", json=new, headers=headers)
    assert (response.status_code, response.json) == (201, task)

    response = visitor.patch("/api/tasks/1", json={"done": True}, headers=headers)
    assert response.json == {**task, "done": True}
    assert visitor.get("/api/tasks?done=false", headers=headers).json == []


def test_all_problems_are_reported(visitor: FlaskClient, headers: dict[str, str]) -> None:
    response = visitor.post("/api/tasks", json={"text": "", "due": "soon"}, headers=headers)

    assert response.status_code == 422
    assert response.json is not None
    assert [each["pointer"] for each in response.json["errors"]] == ["#/text", "#/due"]


def test_a_program_without_a_token(visitor: FlaskClient) -> None:
    response = visitor.get("/api/tasks")

    assert response.status_code == 401
    assert response.content_type == "application/problem+json"
