"""pytest-flask: its fixtures for the client, the configuration and a live server, and its JSON answers.

pytest loads it by itself, unless told otherwise: ``python -m pytest -o addopts= tests/ecosystem/pytest_flask_use.py``.
"""

import json
import urllib.request

import pytest
from flask import Flask, jsonify, request, url_for


@pytest.fixture(autouse=True)
def no_context_is_left():
    """pytest-flask keeps a context around each test, its fixtures included."""


@pytest.fixture(scope="session")
def app():
    app = Flask(__name__)
    app.config["COLOR"] = "blue"

    @app.get("/ping")
    def ping():
        return jsonify(ping="pong", accept=request.accept_mimetypes.best)

    @app.get("/where")
    def where():
        return url_for("ping", _external=True)

    return app


def test_the_client_and_the_context_that_is_pushed(client):
    answer = client.get(url_for("ping"))

    assert 200 == answer.status_code
    assert {"ping": "pong", "accept": None} == answer.json


def test_the_statuses_by_name(client):
    assert client.get("/missing") == 404
    assert client.get("/missing").status_code == 404
    assert client.get("/ping") == 200


def test_the_accept_fixtures(client, accept_json, accept_jsonp, accept_any):
    assert "application/json" == client.get("/ping", headers=accept_json).json["accept"]
    assert "application/json-p" == client.get("/ping", headers=accept_jsonp).json["accept"]
    assert accept_any[0][1] == client.get("/ping", headers=accept_any).json["accept"]


@pytest.mark.options(color="red", debug=True)
def test_the_configuration(app, config):
    assert ("red", True) == (config["COLOR"], app.debug)


@pytest.mark.usefixtures("client_class")
class TestInAClass:
    def test_the_client_of_the_class(self):
        assert "pong" == self.client.get("/ping").json["ping"]


def test_the_live_server(live_server):
    base = url_for("ping", _external=True).removesuffix("/ping")
    assert f"http://localhost.localdomain:{live_server.port}" == base

    with urllib.request.urlopen(live_server.url("/ping"), timeout=10) as answer:
        assert (200, {"accept": None, "ping": "pong"}) == (answer.status, json.load(answer))
    with urllib.request.urlopen(live_server.url("/where"), timeout=10) as answer:
        assert f"{base}/ping" == answer.read().decode()
