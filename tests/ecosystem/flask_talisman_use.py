"""Flask-Talisman: the redirect to HTTPS, the headers of policies, and the nonce that a template needs."""

import re

import pytest
from flask import Flask, render_template_string, session
from flask_talisman import ALLOW_FROM, Talisman


@pytest.fixture
def app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a key for tests"
    talisman = Talisman(
        app,
        content_security_policy={"default-src": "'self'", "script-src": ["'self'", "cdn.example"]},
        content_security_policy_nonce_in=["script-src"],
        permissions_policy={"geolocation": "()"},
    )

    @app.get("/")
    def index():
        session["seen"] = True
        return render_template_string("<script nonce={{ csp_nonce() }}></script>")

    @app.get("/framed")
    @talisman(frame_options=ALLOW_FROM, frame_options_allow_from="https://shop.example", force_https=False)
    def framed():
        return "framed"

    return app


def test_the_redirect_to_https(app):
    answer = app.test_client().get("/?a=1")

    assert (302, "https://localhost/?a=1") == (answer.status_code, answer.location)


def test_no_redirect_in_debug_mode_or_behind_a_proxy(app):
    client = app.test_client()

    assert 200 == client.get("/", headers={"X-Forwarded-Proto": "https"}).status_code
    app.debug = True
    assert 200 == client.get("/").status_code


def test_the_headers(app):
    headers = app.test_client().get("/", base_url="https://localhost").headers

    assert "SAMEORIGIN" == headers["X-Frame-Options"]
    assert "nosniff" == headers["X-Content-Type-Options"]
    assert "max-age=31556926; includeSubDomains" == headers["Strict-Transport-Security"]
    assert "geolocation=()" == headers["Permissions-Policy"]
    assert "strict-origin-when-cross-origin" == headers["Referrer-Policy"]
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(headers["Set-Cookie"].split("; "))


def test_each_request_has_a_nonce_of_its_own(app):
    client = app.test_client()

    answers = [client.get("/", base_url="https://localhost") for _ in range(2)]

    nonces = [re.search(r"nonce=([\w-]+)", answer.text)[1] for answer in answers]
    assert nonces[0] != nonces[1]
    for nonce, answer in zip(nonces, answers, strict=True):
        assert (
            f"default-src 'self'; script-src 'self' cdn.example 'nonce-{nonce}'"
            == (answer.headers["Content-Security-Policy"])
        )


def test_options_of_one_view(app):
    answer = app.test_client().get("/framed")

    assert (200, "ALLOW-FROM https://shop.example") == (answer.status_code, answer.headers["X-Frame-Options"])
