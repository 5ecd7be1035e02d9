"""The list, and the page of a task."""

from costrel.testing import FlaskClient


def test_a_task_is_added(client: FlaskClient) -> None:
    response = client.post("/", data={"text": "Buy <milk>"}, follow_redirects=True)

    assert response.status_code == 200
    assert "Buy &lt;milk&gt;" in response.text
    assert "Added by ada" in client.get("/tasks/1").text


def test_a_form_with_problems_is_shown_again(client: FlaskClient) -> None:
    response = client.post("/", data={"text": "   ", "due": "soon"})

    assert response.status_code == 422
    assert 'value="soon"' in response.text
    assert "Nothing to do." in client.get("/").text


def test_a_task_is_finished(client: FlaskClient) -> None:
    client.post("/", data={"text": "Buy milk"})
    client.post("/tasks/1/done", data={"done": "true"})

    assert "Task 1, done" in client.get("/tasks/1").text
    assert client.post("/tasks/2/done", data={"done": "true"}).status_code == 404


def test_another_site_cannot_add_a_task(client: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}

    assert client.post("/", data={"text": "Buy milk"}, headers=headers).status_code == 403
    assert "Nothing to do." in client.get("/").text
