"""A request leaves nothing behind that only the garbage collector could free: its rounds would cost all the others."""

import gc
import logging

import pytest

from costrel import Costrel, abort, redirect, render_template_string, request, session
from costrel.testing.environ_builder import EnvironBuilder

pytestmark = pytest.mark.usefixtures("short_rounds")

REQUESTS = 100


def application():
    app = Costrel("left", static_folder=None)
    app.secret_key = "a key that is long enough for a signature of sessions"
    app.logger.setLevel(logging.CRITICAL)
    app.add_url_rule("/", "index", lambda: "Hello")
    app.add_url_rule("/json", "json", lambda: {"a": [1]})
    app.add_url_rule("/slash/", "slash", lambda: "slash")
    app.add_url_rule(
        "/query/<int:number>", "query", lambda number: f"{request.args['a']} {request.headers['Accept']} {request.url}"
    )
    app.add_url_rule("/form", "form", lambda: request.form["a"], methods=["POST"])
    app.add_url_rule("/abort", "abort", lambda: abort(418))
    app.add_url_rule("/redirect", "redirect", lambda: redirect("/"))
    app.add_url_rule("/error", "error", lambda: 1 / 0)
    app.add_url_rule("/handled", "handled", lambda: int("x"))
    app.add_url_rule("/stream", "stream", lambda: (part for part in ("a", "b")))
    app.add_url_rule("/template", "template", lambda: render_template_string("{{ request.path }}"))
    app.register_error_handler(ValueError, lambda error: ("handled", 400))
    app.before_request(lambda: None)
    app.teardown_request(lambda error: None)

    @app.route("/session")
    def visits():
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    @app.route("/async")
    async def later():
        return "later"

    return app


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/json", 200),
        ("/slash", 308),
        ("/query/1?a=b", 200),
        ("/form", 200),
        ("/abort", 418),
        ("/redirect", 302),
        ("/error", 500),
        ("/handled", 400),
        ("/stream", 200),
        ("/template", 200),
        ("/session", 200),
        ("/async", 200),
        ("/nowhere", 404),
        ("/json?post", 405),
    ],
)
def test_no_cycle_is_left(path, status):
    app = application()
    method = "POST" if path == "/form" or path.endswith("post") else "GET"
    builder = EnvironBuilder(
        path, method=method, headers={"Accept": "*/*"}, data={"a": "1"} if path == "/form" else None
    )
    statuses = []

    def ask():
        body = app(builder.get_environ(), lambda status, headers, exc_info=None: statuses.append(int(status[:3])))
        b"".join(body)
        getattr(body, "close", lambda: None)()

    def left():
        gc.collect()
        gc.disable()
        try:
            for _ in range(REQUESTS):
                ask()
            return gc.collect()
        finally:
            gc.enable()

    ask()
    # Threads that other tests have started may leave objects at the same time, but not each time.
    fewest = min(left() for _ in range(3))
    assert set(statuses) == {status}
    assert fewest < REQUESTS, f"{fewest / REQUESTS} objects for each request"
