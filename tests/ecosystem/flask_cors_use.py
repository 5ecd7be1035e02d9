"""Flask-CORS: the preflight request, the headers of responses and errors, and the decorator."""

import pytest
from flask import Blueprint, Flask, abort
from flask_cors import CORS, cross_origin

ORIGIN = "https://shop.example"


@pytest.fixture
def client():
    app = Flask(__name__)
    CORS(
        app,
        resources={r"/api/*": {"origins": [ORIGIN, r"https://.*\.shop\.example"]}},
        supports_credentials=True,
        expose_headers=["X-Total"],
        max_age=600,
    )

    @app.route("/api/things", methods=["GET", "PUT"])
    def things():
        return {"things": []}, 200, {"X-Total": "0"}

    @app.get("/api/broken")
    def broken():
        abort(418)

    @app.get("/private")
    def private():
        return "private"

    @app.get("/public")
    @cross_origin(origins="*", methods=["GET"])
    def public():
        return "public"

    part = Blueprint("part", __name__, url_prefix="/part")
    CORS(part, origins=ORIGIN)

    @part.get("/")
    def index():
        return "part"

    app.register_blueprint(part)
    return app.test_client()


def cors(answer):
    return {
        name.removeprefix("Access-Control-"): value
        for name, value in answer.headers.items()
        if name.startswith("Access-Control-")
    }


def test_a_preflight_request(client):
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "X-One, X-Two",
    }

    answer = client.options("/api/things", headers=headers)

    assert 200 == answer.status_code
    assert {"GET", "HEAD", "OPTIONS", "PUT"} == set(answer.allow)
    assert {
        "Allow-Origin": ORIGIN,
        "Allow-Credentials": "true",
        "Allow-Headers": "X-One, X-Two",
        "Allow-Methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
        "Expose-Headers": "X-Total",
        "Max-Age": "600",
    } == cors(answer)
    assert ORIGIN == answer.access_control_allow_origin
    assert answer.access_control_allow_credentials
    assert 600 == answer.access_control_max_age


def test_the_headers_of_an_answer_and_of_an_error(client):
    expected = {"Allow-Origin": ORIGIN, "Allow-Credentials": "true", "Expose-Headers": "X-Total"}

    for path, status in (("/api/things", 200), ("/api/broken", 418), ("/api/missing", 404)):
        answer = client.get(path, headers={"Origin": ORIGIN})
        assert (status, expected) == (answer.status_code, cors(answer))
        assert "Origin" in answer.vary


def test_origins_by_pattern_and_strangers(client):
    assert (
        "https://eu.shop.example"
        == cors(client.get("/api/things", headers={"Origin": "https://eu.shop.example"}))["Allow-Origin"]
    )
    assert {} == cors(client.get("/api/things", headers={"Origin": "https://evil.example"}))
    assert {} == cors(client.get("/private", headers={"Origin": ORIGIN}))


def test_the_decorator_and_a_blueprint(client):
    assert {"Allow-Origin": ORIGIN} == cors(client.get("/public", headers={"Origin": ORIGIN}))
    preflight = client.options("/public", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "GET"})
    assert {"Allow-Origin": ORIGIN, "Allow-Methods": "GET"} == cors(preflight)
    assert {"Allow-Origin": ORIGIN} == cors(client.get("/part/", headers={"Origin": ORIGIN}))
