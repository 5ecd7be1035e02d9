"""The lifespan: functions around serving, and errors in them."""

import asyncio
import threading

import pytest

from costrel import current_app


def where():
    return "thread" if threading.current_thread().name.startswith("costrel-worker") else "loop"


def lifespan(app):
    """The answers to a start and an end."""

    async def run():
        messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        sent = []

        async def receive():
            return messages.pop(0)

        async def send(message):
            sent.append(message)

        await app.asgi({"type": "lifespan"}, receive, send)
        return sent

    return asyncio.run(run())


def test_functions_and_generators_run_around_serving(app):
    seen = []

    @app.before_serving
    def before():
        seen.append(("before", current_app.name, where()))

    @app.before_serving
    async def before_async():
        seen.append(("before", current_app.name, where()))

    @app.while_serving
    async def generator():
        seen.append("in")
        yield
        seen.append("out")

    @app.while_serving
    def sync_generator():
        seen.append("sync in")
        yield
        seen.append("sync out")

    @app.after_serving
    async def after():
        seen.append("after")

    assert lifespan(app) == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]
    assert seen == [
        ("before", app.name, "thread"), ("before", app.name, "loop"),
        "in", "sync in", "sync out", "out", "after",
    ]  # fmt: skip


def test_functions_around_the_server_are_the_first_and_the_last(app):
    seen = []

    def noting(name):
        def generator():
            seen.append(f"{name} in")
            yield
            seen.append(f"{name} out")

        return generator

    app.while_serving(noting("worker"))
    app.while_serving()(noting("called"))
    app.while_serving(once="server")(noting("server"))
    app.before_serving(lambda: seen.append("before"))
    app.after_serving(lambda: seen.append("after"))
    assert lifespan(app) == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]
    assert seen == [
        "server in", "before", "worker in", "called in", "called out", "worker out", "after", "server out",
    ]  # fmt: skip


def test_functions_around_the_server_end_if_the_start_fails(app, caplog):
    seen = []

    @app.while_serving(once="server")
    def around():
        yield
        seen.append("out")

    app.before_serving(lambda: 1 / 0)
    assert lifespan(app)[0]["type"] == "lifespan.startup.failed"
    assert seen == ["out"]


def test_a_wrong_word_for_once_is_refused(app):
    with pytest.raises(ValueError, match="once is 'worker' or 'server', and not 'process'"):
        app.while_serving(once="process")


def test_an_error_at_the_start_is_reported_and_what_was_begun_is_ended(app, caplog):
    seen = []

    @app.while_serving
    async def generator():
        yield
        seen.append("out")

    @app.while_serving
    def failing():
        yield from ()

    assert lifespan(app) == [
        {
            "type": "lifespan.startup.failed",
            "message": "RuntimeError: The generator 'failing' of 'while_serving' has no yield.",
        }
    ]
    assert seen == ["out"]


def test_an_error_at_the_end_is_reported_after_all_was_done(app, caplog):
    seen = []

    @app.while_serving
    def twice():
        yield
        yield

    app.after_serving(lambda: 1 / 0)
    app.after_serving(lambda: seen.append("after"))
    assert lifespan(app)[1] == {
        "type": "lifespan.shutdown.failed",
        "message": "RuntimeError: The generator 'twice' of 'while_serving' has a second yield.",
    }
    assert seen == ["after"]


@pytest.mark.parametrize("fails", [False, True])
def test_the_contexts_around_serving_are_torn_down_where_that_may_block(app, fails, caplog):
    seen = []

    @app.teardown_appcontext
    def teardown(error):
        seen.append((type(error).__name__, where(), current_app.name))

    @app.before_serving
    async def before():
        if fails:
            raise ZeroDivisionError

    answer = "failed" if fails else "complete"
    assert lifespan(app)[0]["type"] == f"lifespan.startup.{answer}"
    assert seen == [("ZeroDivisionError" if fails else "NoneType", "thread", app.name)]
    assert "teardown function" not in caplog.text
