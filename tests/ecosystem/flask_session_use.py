"""Flask-Session with files behind it: the cookie carries an identifier, the data stay on the server."""

from datetime import timedelta

import pytest
from cachelib.file import FileSystemCache
from flask import Flask, flash, get_flashed_messages, session
from flask_session import Session


@pytest.fixture
def app(tmp_path):
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="a key for tests",
        SESSION_TYPE="cachelib",
        SESSION_CACHELIB=FileSystemCache(str(tmp_path), mode=0o600),
        PERMANENT_SESSION_LIFETIME=timedelta(hours=1),
    )
    Session(app)

    @app.get("/set/<value>")
    def put(value):
        session["value"] = value
        session.setdefault("list", []).append(value)
        return "set"

    @app.get("/get")
    def get():
        return {"value": session.get("value"), "list": session.get("list")}

    @app.get("/append")
    def append():
        session["list"].append("late")
        session.modified = True
        return "appended"

    @app.get("/clear")
    def clear():
        session.clear()
        return "cleared"

    @app.get("/renew")
    def renew():
        app.session_interface.regenerate(session)
        return "renewed"

    @app.get("/flash")
    def message():
        flash("well done", "good")
        return "flashed"

    @app.get("/flashed")
    def messages():
        return get_flashed_messages(with_categories=True)

    return app


def test_data_stay_on_the_server(app, tmp_path):
    client = app.test_client()

    answer = client.get("/set/first")

    assert "first" not in answer.headers["Set-Cookie"]
    assert "Expires=" in answer.headers["Set-Cookie"]
    assert "Cookie" in answer.vary
    assert {"value": "first", "list": ["first"]} == client.get("/get").json
    assert 2 == len(list(tmp_path.iterdir()))  # the session, and the cache's count


def test_a_value_inside_a_value_is_kept(app):
    client = app.test_client()
    client.get("/set/one")
    client.get("/append")

    assert ["one", "late"] == client.get("/get").json["list"]


def test_two_clients_do_not_see_each_other(app):
    one, other = app.test_client(), app.test_client()
    one.get("/set/mine")

    assert {"value": None, "list": None} == other.get("/get").json


def test_an_empty_session_is_deleted(app):
    client = app.test_client()
    client.get("/set/x")
    assert client.get_cookie("session") is not None

    client.get("/clear")

    assert client.get_cookie("session") is None
    assert {"value": None, "list": None} == client.get("/get").json


def test_a_new_identifier_for_the_same_data(app):
    client = app.test_client()
    client.get("/set/kept")
    before = client.get_cookie("session").value

    client.get("/renew")

    assert before != client.get_cookie("session").value
    assert "kept" == client.get("/get").json["value"]
    old = app.test_client()
    old.set_cookie("session", before)
    assert old.get("/get").json["value"] is None


def test_flashed_messages_and_the_session_of_a_test(app):
    client = app.test_client()
    client.get("/flash")
    with client.session_transaction() as kept:
        kept["value"] = "from the test"

    assert [["good", "well done"]] == client.get("/flashed").json
    assert [] == client.get("/flashed").json
    assert "from the test" == client.get("/get").json["value"]
