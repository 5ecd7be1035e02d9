"""Functions around serving in a worker without an event loop."""

import asyncio
import threading

import pytest

from costrel import Costrel, current_app
from costrel.edges.lifespan import ServingThread


def make():
    app = Costrel("around", static_folder=None)
    app.seen = []
    return app


def test_the_functions_run_in_order():
    app = make()

    @app.before_serving
    def before():
        app.seen.append(f"before {current_app.name}")

    @app.while_serving
    async def pool():
        await asyncio.sleep(0)
        app.seen.append("set up")
        yield
        app.seen.append("clean up")

    @app.while_serving
    def inner():
        app.seen.append("inner set up")
        yield
        app.seen.append("inner clean up")

    @app.after_serving
    async def after():
        await asyncio.sleep(0)
        app.seen.append("after")

    around = ServingThread(app)
    around.start()
    assert app.seen == ["before around", "set up", "inner set up"]
    around.stop()
    assert app.seen[3:] == ["inner clean up", "clean up", "after"]


def test_a_task_goes_on_while_requests_are_served():
    app = make()
    ticked = threading.Event()

    @app.while_serving
    async def tick():
        async def run():
            while True:
                await asyncio.sleep(0.001)
                ticked.set()

        task = asyncio.create_task(run())
        yield
        task.cancel()

    around = ServingThread(app)
    around.start()
    try:
        assert ticked.wait(10)
    finally:
        around.stop()


def test_an_error_before_serving_ends_what_had_begun():
    app = make()

    @app.while_serving
    def first():
        yield
        app.seen.append("clean up")

    @app.while_serving
    async def second():
        raise LookupError("no pool")
        yield

    with pytest.raises(LookupError, match="no pool"):
        ServingThread(app).start()
    assert app.seen == ["clean up"]


def test_a_wrong_setting_is_an_error_too():
    app = make()
    app.config["RATE_LIMITS"] = "5/minuts"
    app.before_serving(lambda: None)
    with pytest.raises(ValueError, match="RATE_LIMITS"):
        ServingThread(app).start()


def test_an_error_after_serving_is_logged(caplog):
    app = make()

    @app.after_serving
    def fail():
        raise LookupError("gone")

    around = ServingThread(app)
    around.start()
    around.stop()
    assert [record.getMessage() for record in caplog.records] == ["The shutdown of the application failed."]
