"""Contexts are pushed and popped in any order, on Flask and here, with the same things current after each step."""

from __future__ import annotations

import typing as t

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st

import costrel.context
from costrel import Costrel
from costrel.compat.flask import ctx as own_ctx
from costrel.compat.flask import globals as own_globals

STEPS = [
    "push app",
    "pop app",
    "push other app",
    "pop other app",
    "push request",
    "pop request",
    "enter second",
    "exit second",
]


class World:
    """One framework with two applications and contexts of them."""

    def __init__(self, make_app: t.Callable[[str], t.Any], ctx: t.Any, globals_: t.Any) -> None:
        self.ctx, self.globals = ctx, globals_
        self.torn_down: list[str] = []
        self.app, self.other = make_app("one"), make_app("other")
        for app in (self.app, self.other):
            app.teardown_request(lambda error: self.torn_down.append("request"))
            app.teardown_appcontext(lambda error: self.torn_down.append("app"))
        self.contexts = {
            "app": self.app.app_context(),
            "other app": self.other.app_context(),
            "request": self.app.test_request_context("/one"),
            "second": self.app.test_request_context("/second"),
        }

    def step(self, step: str) -> str:
        """Take a step; how it went."""
        verb, _, name = step.partition(" ")
        context = self.contexts[name]
        try:
            if verb in ("push", "enter"):
                context.push()
            else:
                context.pop()
        except (AssertionError, LookupError, IndexError, RuntimeError):
            return "refused"
        return "done"

    def seen(self) -> tuple[t.Any, ...]:
        """What is current."""
        app = self.globals.current_app.name if self.ctx.has_app_context() else None
        path = self.globals.request.path if self.ctx.has_request_context() else None
        return app, path, list(self.torn_down)


def flask_world() -> World:
    return World(lambda name: flask.Flask(name, static_folder=None), flask, flask.globals)


def own_world() -> World:
    return World(lambda name: Costrel(name, static_folder=None), own_ctx, own_globals)


@pytest.fixture(autouse=True)
def no_context_before_or_after() -> t.Iterator[None]:
    yield
    costrel.context.make_current(None)


def run(world: World, steps: list[str]) -> list[t.Any]:
    """What each step came to, up to the first that is refused: after that, nothing is promised."""
    found: list[t.Any] = []
    for step in steps:
        outcome = world.step(step)
        if outcome == "refused":
            found.append("refused")
            break
        found.append((outcome, world.seen()))
    return found


def in_own_variables(make: t.Callable[[], World], steps: list[str]) -> list[t.Any]:
    import contextvars

    return contextvars.Context().run(lambda: run(make(), steps))


@given(st.lists(st.sampled_from(STEPS), max_size=9))
def test_any_order_of_pushes_and_pops_is_as_in_flask(steps: list[str]) -> None:
    assert in_own_variables(flask_world, steps) == in_own_variables(own_world, steps)


@pytest.mark.parametrize(
    "steps",
    [
        ["push app", "push request", "pop app", "pop request"],
        ["push app", "push request", "pop request", "pop app"],
        ["push request", "push app", "pop app", "pop request"],
        ["push app", "push request", "pop app", "push app", "pop request", "pop app"],
        ["push other app", "push request", "pop request", "pop other app"],
        ["push app", "enter second", "push other app", "exit second", "pop other app", "pop app"],
    ],
    ids=" ".join,
)
def test_the_orders_that_fixtures_use(steps: list[str]) -> None:
    expected = in_own_variables(flask_world, steps)
    assert "refused" not in expected
    assert expected == in_own_variables(own_world, steps)


@pytest.mark.parametrize("make", [lambda: flask.Flask("x"), lambda: Costrel("x")], ids=["flask", "costrel"])
def test_the_most_common_fixture_works(make: t.Callable[[], t.Any]) -> None:
    app = make()
    app.add_url_rule("/", "index", lambda: "ok")

    def client() -> t.Iterator[t.Any]:
        with app.test_client() as client, app.app_context():
            yield client

    fixture = client()
    found = next(fixture)
    assert found.get("/").text == "ok"
    assert found.get("/").text == "ok"
    assert list(fixture) == []


@pytest.mark.parametrize("make", [lambda: flask.Flask("x"), lambda: Costrel("x")], ids=["flask", "costrel"])
def test_an_application_context_may_end_between_two_requests_of_a_client(make: t.Callable[[], t.Any]) -> None:
    app = make()
    app.add_url_rule("/", "index", lambda: "ok")
    with app.test_client() as client:
        with app.app_context():
            assert client.get("/").text == "ok"
        assert client.get("/").text == "ok"
