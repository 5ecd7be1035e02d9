"""Flask-HTTPAuth: basic, digest, token and several at once, with roles and an error of one's own."""

import re
from hashlib import md5, sha256

import pytest
from flask import Flask
from flask_httpauth import HTTPBasicAuth, HTTPDigestAuth, HTTPTokenAuth, MultiAuth
from werkzeug.datastructures import Authorization
from werkzeug.security import check_password_hash, generate_password_hash


@pytest.fixture
def app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a key for tests"
    basic = HTTPBasicAuth(realm="cellar")
    token = HTTPTokenAuth(header="X-Key")
    bearer = HTTPTokenAuth("Bearer")
    several = MultiAuth(basic, bearer)
    users = {"ada": generate_password_hash("pw", method="pbkdf2:sha256:10"), "ümit": generate_password_hash("pä:ss")}

    @basic.verify_password
    def verify(name, password):
        return name if name in users and check_password_hash(users[name], password) else None

    @basic.get_user_roles
    def roles(name):
        return ["admin"] if name == "ada" else []

    @basic.error_handler
    def refused(status):
        return {"refused": status}, status

    token.verify_token(lambda value: "robot" if value == "k" else None)
    bearer.verify_token(lambda value: "bearer" if value == "b" else None)

    app.add_url_rule("/basic", "basic", basic.login_required(lambda: basic.current_user()))
    app.add_url_rule("/admin", "admin", basic.login_required(role="admin")(lambda: "admin"))
    app.add_url_rule("/token", "token", token.login_required(lambda: token.current_user()))
    app.add_url_rule("/maybe", "maybe", token.login_required(optional=True)(lambda: str(token.current_user())))
    app.add_url_rule("/several", "several", several.login_required(lambda: several.current_user()))
    return app


def test_basic(app):
    client = app.test_client()

    assert "ada" == client.get("/basic", auth=("ada", "pw")).text
    assert "ümit" == client.get("/basic", auth=("ümit", "pä:ss")).text
    refused = client.get("/basic", auth=("ada", "wrong"))
    assert (401, {"refused": 401}) == (refused.status_code, refused.json)
    assert 'Basic realm="cellar"' == refused.headers["WWW-Authenticate"]
    assert ("basic", "cellar") == (refused.www_authenticate.type, refused.www_authenticate.realm)
    assert 401 == client.get("/basic", headers={"Authorization": "Basic !!!"}).status_code


def test_roles(app):
    client = app.test_client()

    assert "admin" == client.get("/admin", auth=("ada", "pw")).text
    assert 403 == client.get("/admin", auth=("ümit", "pä:ss")).status_code


def test_tokens(app):
    client = app.test_client()

    assert "robot" == client.get("/token", headers={"X-Key": "k"}).text
    assert (401, 'Bearer realm="Authentication Required"') == status_and_challenge(client.get("/token"))
    assert ["robot", "None"] == [client.get("/maybe", headers=headers).text for headers in ({"X-Key": "k"}, {})]


def test_several_ways(app):
    client = app.test_client()

    assert "ada" == client.get("/several", auth=("ada", "pw")).text
    assert "bearer" == client.get("/several", auth=Authorization("bearer", token="b")).text
    assert 401 == client.get("/several", headers={"Authorization": "Bearer c"}).status_code


@pytest.mark.parametrize(("algorithm", "digest"), [("MD5", md5), ("MD5-Sess", md5)])
def test_digest(app, algorithm, digest):
    auth = HTTPDigestAuth(realm="cellar", algorithm=algorithm)
    auth.get_password({"ada": "pw"}.get)
    app.add_url_rule("/digest", "digest", auth.login_required(lambda: auth.username()))
    client = app.test_client()

    challenge = client.get("/digest").www_authenticate
    assert ("digest", "cellar", algorithm) == (challenge.type, challenge.realm, challenge.get("algorithm"))

    def h(*parts):
        return digest(":".join(parts).encode()).hexdigest()

    secret = h("ada", "cellar", "pw")
    if algorithm == "MD5-Sess":
        secret = h(secret, challenge["nonce"], "c0ffee")
    parameters = {
        "username": "ada",
        "realm": "cellar",
        "nonce": challenge["nonce"],
        "opaque": challenge["opaque"],
        "uri": "/digest",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "c0ffee",
        "algorithm": algorithm,
        "response": h(secret, challenge["nonce"], "00000001", "c0ffee", "auth", h("GET", "/digest")),
    }

    assert "ada" == client.get("/digest", auth=Authorization("digest", parameters)).text
    parameters["response"] = sha256(b"guess").hexdigest()
    assert 401 == client.get("/digest", auth=Authorization("digest", parameters)).status_code


def status_and_challenge(answer):
    assert re.match(r"\w+ realm=", answer.headers["WWW-Authenticate"])
    return answer.status_code, answer.headers["WWW-Authenticate"]
