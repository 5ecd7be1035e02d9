"""Signing in and out, and the commands for users."""

from costrel import Costrel
from costrel.testing import FlaskClient


def test_visitors_are_led_to_the_form(visitor: FlaskClient) -> None:
    assert visitor.get("/").headers["Location"] == "/sign-in"


def test_a_wrong_password(visitor: FlaskClient) -> None:
    response = visitor.post("/sign-in", data={"name": "ada", "password": "wrong"})

    assert response.status_code == 422
    assert "The name or the password is wrong." in response.text
    assert visitor.get("/").status_code == 303


def test_signing_out(client: FlaskClient) -> None:
    assert client.get("/").status_code == 200

    client.post("/sign-out")

    assert client.get("/").status_code == 303


def test_a_new_user(app: Costrel, visitor: FlaskClient) -> None:
    app.test_cli_runner().invoke(args=["add-user", "bob", "--password", "other"])

    visitor.post("/sign-in", data={"name": "bob", "password": "other"})

    assert "Signed in as bob" in visitor.get("/").text
