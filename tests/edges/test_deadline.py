"""REQUEST_TIMEOUT: a request that takes too long is answered 503, whatever kind of view it has."""

import asyncio
import logging
import time

import pytest

from costrel import Blueprint, Costrel, Response, request

LIMIT = 0.3


@pytest.fixture
def app():
    app = Costrel(__name__, static_folder=None)
    app.config.update(REQUEST_TIMEOUT=LIMIT, TESTING=False, CSRF_PROTECTION=False)
    app.events = []

    @app.get("/async")
    async def slow_async():
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            app.events.append("cancelled")
            raise

    @app.get("/sync")
    def slow_sync():
        time.sleep(3 * LIMIT)
        app.events.append("ended")
        return "too late"

    part = Blueprint("part", __name__)

    @part.before_request
    def slow_hook():
        time.sleep(3 * LIMIT)

    @part.get("/hook")
    async def hooked():
        return "not reached"

    app.register_blueprint(part)

    @app.get("/fast")
    def fast():
        return "in time"

    @app.get("/fast-async")
    async def fast_async():
        return "in time"

    @app.get("/stream")
    def stream():
        def pieces():
            for _ in range(4):
                yield "x"
                time.sleep(LIMIT / 2)

        return Response(pieces())

    @app.get("/fails")
    async def fails():
        raise ZeroDivisionError

    @app.post("/body")
    async def body():
        return request.get_data()

    @app.teardown_request
    def note(error):
        app.events.append("teardown")

    return app


@pytest.mark.parametrize(
    ("path", "event"),
    [("/async", "cancelled"), ("/sync", "ended"), ("/hook", "teardown")],
    ids=["async", "sync", "hook"],
)
def test_a_request_that_takes_too_long_is_a_503(app, path, event, caplog):
    with caplog.at_level(logging.WARNING):
        response = app.test_client(edge="asgi").get(path)

    assert (response.status_code, response.text) == (503, "The request has taken too long.\n")
    assert response.headers["Retry-After"] == "5"
    assert event in app.events
    assert app.events.count("teardown") == 1
    assert f"GET {path!r} has taken longer than REQUEST_TIMEOUT, which is 0.3 seconds." in caplog.text


def test_head_has_no_body(app):
    response = app.test_client(edge="asgi").head("/async")

    assert (response.status_code, response.data) == (503, b"")


@pytest.mark.parametrize("path", ["/fast", "/fast-async"])
def test_others_are_answered_as_ever(app, path):
    response = app.test_client(edge="asgi").get(path)

    assert (response.status_code, response.text) == (200, "in time")


def test_a_stream_that_has_begun_has_no_limit(app):
    assert app.test_client(edge="asgi").get("/stream").text == "xxxx"


def test_an_error_is_an_error(app):
    app.config["PROPAGATE_EXCEPTIONS"] = False

    assert app.test_client(edge="asgi").get("/fails").status_code == 500


def test_bodies_arrive(app):
    assert app.test_client(edge="asgi").post("/body", data=b"x" * 100_000).data == b"x" * 100_000


def test_without_the_setting_there_is_no_limit(app):
    app.config["REQUEST_TIMEOUT"] = None

    assert app.test_client(edge="asgi").get("/sync").text == "too late"
