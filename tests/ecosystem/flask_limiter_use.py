"""Flask-Limiter: 429 after the limit, headers that count down, exemptions, limits of blueprints and of cost."""

import pytest
from flask import Blueprint, Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address


@pytest.fixture
def client():
    app = Flask(__name__)
    app.config.update(RATELIMIT_HEADERS_ENABLED=True)
    limiter = Limiter(get_remote_address, app=app, default_limits=["100 per hour"], storage_uri="memory://")

    @app.get("/twice")
    @limiter.limit("2 per hour", error_message="twice is enough")
    def twice():
        return f"{limiter.current_limit.remaining} left"

    @app.get("/free")
    @limiter.exempt
    def free():
        return "free"

    @app.get("/plain")
    def plain():
        return "plain"

    @app.get("/costly")
    @limiter.limit("10 per hour", key_func=lambda: request.args.get("user", ""), cost=lambda: 5)
    def costly():
        return "costly"

    part = Blueprint("part", __name__)
    limiter.limit("1 per hour")(part)

    @part.get("/part")
    def index():
        return "part"

    app.register_blueprint(part)

    @app.errorhandler(429)
    def too_many(error):
        return {"error": str(error.description)}, 429

    return app.test_client()


def test_429_after_the_limit(client):
    answers = [client.get("/twice") for _ in range(3)]

    assert [200, 200, 429] == [answer.status_code for answer in answers]
    assert ["1 left", "0 left"] == [answer.text for answer in answers[:2]]
    assert "twice is enough" == answers[-1].json["error"]
    assert ["1", "0", "0"] == [answer.headers["X-RateLimit-Remaining"] for answer in answers]
    assert ["2", "2", "2"] == [answer.headers["X-RateLimit-Limit"] for answer in answers]
    assert 3590 <= int(answers[-1].headers["Retry-After"]) <= 3600


def test_each_client_counts_alone(client):
    for _ in range(2):
        client.get("/twice")
    there = client.get("/twice", environ_overrides={"REMOTE_ADDR": "192.0.2.7"})

    assert (429, 200) == (client.get("/twice").status_code, there.status_code)


def test_the_default_limit_and_an_exempt_view(client):
    assert "99" == client.get("/plain").headers["X-RateLimit-Remaining"]
    assert "X-RateLimit-Remaining" not in client.get("/free").headers


def test_the_limit_of_a_blueprint_and_a_cost(client):
    assert [200, 429] == [client.get("/part").status_code for _ in range(2)]
    assert [200, 200, 429] == [client.get("/costly?user=a").status_code for _ in range(3)]
    assert 200 == client.get("/costly?user=b").status_code
