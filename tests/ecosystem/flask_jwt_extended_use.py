"""Flask-JWT-Extended: tokens in headers and in cookies, refresh, revocation and the current user."""

from datetime import timedelta

import pytest
from flask import Flask, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    current_user,
    get_csrf_token,
    get_jwt,
    get_jwt_identity,
    jwt_required,
    set_access_cookies,
    unset_jwt_cookies,
    verify_jwt_in_request,
)


@pytest.fixture
def app():
    app = Flask(__name__)
    app.config.update(
        JWT_SECRET_KEY="a key for tests that is long enough",
        JWT_TOKEN_LOCATION=["headers", "cookies", "json", "query_string"],
    )
    manager = JWTManager(app)
    app.revoked = set()
    manager.token_in_blocklist_loader(lambda header, payload: payload["jti"] in app.revoked)
    manager.user_lookup_loader(lambda header, payload: {"name": payload["sub"]} if payload["sub"] != "nobody" else None)

    @app.post("/login")
    def login():
        name = request.json["name"]
        return jsonify(
            access=create_access_token(name, fresh=True, additional_claims={"role": "admin"}),
            refresh=create_refresh_token(name),
            expired=create_access_token(name, expires_delta=timedelta(seconds=-5)),
        )

    @app.post("/cookie")
    def cookie():
        response = jsonify(done=True)
        set_access_cookies(response, create_access_token(request.json["name"]))
        return response

    @app.post("/forget")
    def forget():
        response = jsonify(done=True)
        unset_jwt_cookies(response)
        return response

    @app.route("/me", methods=["GET", "POST"])
    @jwt_required()
    def me():
        return {"identity": get_jwt_identity(), "user": current_user["name"], "role": get_jwt().get("role")}

    @app.post("/refresh")
    @jwt_required(refresh=True)
    def refresh():
        return {"access": create_access_token(get_jwt_identity(), fresh=False)}

    @app.post("/danger")
    @jwt_required(fresh=True)
    def danger():
        return {"done": True}

    @app.post("/logout")
    def logout():
        verify_jwt_in_request()
        app.revoked.add(get_jwt()["jti"])
        return {"done": True}

    return app


def bearer(token):
    return {"headers": {"Authorization": f"Bearer {token}"}}


def test_a_token_in_the_header(app):
    client = app.test_client()
    tokens = client.post("/login", json={"name": "ada"}).json

    assert {"identity": "ada", "user": "ada", "role": "admin"} == client.get("/me", **bearer(tokens["access"])).json
    assert "ada" == client.get("/me", query_string={"jwt": tokens["access"]}).json["user"]
    assert "ada" == client.post("/me", json={"access_token": tokens["access"]}).json["user"]


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({"Authorization": "Bearer x"}, 422, "Not enough segments"),
        ({"Authorization": "Bearer"}, 422, "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"),
    ],
)
def test_a_token_that_is_wrong(app, headers, status, message):
    answer = app.test_client().get("/me", headers=headers)

    assert (status, message) == (answer.status_code, answer.json["msg"])


def test_no_token_an_old_one_and_one_without_its_user(app):
    client = app.test_client()
    expired = client.post("/login", json={"name": "ada"}).json["expired"]
    nobody = client.post("/login", json={"name": "nobody"}).json["access"]

    assert 401 == client.get("/me").status_code
    assert (401, "Token has expired") == status_and_message(client.get("/me", **bearer(expired)))
    assert (401, "Error loading the user nobody") == status_and_message(client.get("/me", **bearer(nobody)))


def test_refreshed_tokens_are_not_fresh(app):
    client = app.test_client()
    tokens = client.post("/login", json={"name": "ada"}).json

    stale = client.post("/refresh", **bearer(tokens["refresh"])).json["access"]

    assert 200 == client.post("/danger", **bearer(tokens["access"])).status_code
    assert (401, "Fresh token required") == status_and_message(client.post("/danger", **bearer(stale)))
    assert (422, "Only refresh tokens are allowed") == status_and_message(client.post("/refresh", **bearer(stale)))


def test_a_revoked_token(app):
    client = app.test_client()
    access = client.post("/login", json={"name": "ada"}).json["access"]
    client.post("/logout", **bearer(access))

    assert (401, "Token has been revoked") == status_and_message(client.get("/me", **bearer(access)))


def test_a_token_in_a_cookie_asks_for_its_csrf_double(app):
    client = app.test_client()
    client.post("/cookie", json={"name": "ada"})
    double = client.get_cookie("csrf_access_token").value
    assert client.get_cookie("access_token_cookie").http_only
    assert double == csrf_in(app, client.get_cookie("access_token_cookie").value)

    assert "ada" == client.get("/me").json["user"]
    assert 401 == client.post("/me").status_code
    assert "ada" == client.post("/me", headers={"X-CSRF-TOKEN": double}).json["user"]
    client.post("/forget")
    assert client.get_cookie("access_token_cookie") is None


def csrf_in(app, token):
    with app.app_context():
        return get_csrf_token(token)


def status_and_message(answer):
    return answer.status_code, answer.json["msg"]
