"""The files of a task."""

from io import BytesIO

from costrel.testing import FlaskClient


def test_a_file_comes_back_for_saving(client: FlaskClient) -> None:
    client.post("/", data={"text": "Buy milk"})
    client.post("/tasks/1/files", data={"upload": (BytesIO(b"<script>"), "list.html")})

    response = client.get("/files/1")

    assert response.data == b"<script>"
    assert response.headers["Content-Disposition"] == "attachment; filename=list.html"


def test_a_file_that_is_too_large(client: FlaskClient) -> None:
    client.post("/", data={"text": "Buy milk"})
    large = BytesIO(bytes(6 * 1024 * 1024))

    response = client.post("/tasks/1/files", data={"upload": (large, "film.mp4")})

    assert response.status_code == 413
    assert "A file may have 5 MB." in response.text
    assert "No files yet." in client.get("/tasks/1").text


def test_files_are_for_users(client: FlaskClient, visitor: FlaskClient) -> None:
    client.post("/", data={"text": "Buy milk"})
    client.post("/tasks/1/files", data={"upload": (BytesIO(b"list"), "list.txt")})

    assert visitor.get("/files/1").status_code == 303
