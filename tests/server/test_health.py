"""Readiness checks: how often they run, and checks that hang."""

import asyncio
import threading
import time

import pytest

from costrel import Costrel, current_app
from costrel.server import health
from costrel.server.health import Checks


@pytest.fixture
def app():
    return Costrel("app")


def failing(app, *, times=1):
    """The failing checks, for several calls."""

    async def ask():
        checks = Checks(app)
        try:
            return [await checks.failing() for _ in range(times)]
        finally:
            checks.close()

    return asyncio.run(ask())


def test_an_application_without_checks_is_ready(app):
    assert failing(app) == [[]]


def test_the_checks_that_fail_are_named_in_their_order(app):
    @app.readiness_check
    def first():
        return False

    @app.readiness_check
    def second():
        return None

    @app.readiness_check(name="the third")
    async def third():
        raise LookupError(current_app.name)

    assert failing(app) == [["first", "the third"]]


def test_checks_run_within_the_context_and_outside_the_loop(app):
    seen = []

    @app.readiness_check
    def check():
        seen.append((current_app.name, threading.current_thread() is threading.main_thread()))

    assert failing(app) == [[]]
    assert seen == [("app", False)]


def test_who_asks_often_does_not_run_them_often(app):
    calls = []
    app.readiness_check(lambda: calls.append(1))

    assert failing(app, times=20) == [[]] * 20
    assert len(calls) == 1


def test_many_at_once_share_one_round(app):
    calls = []

    @app.readiness_check
    async def check():
        calls.append(1)
        await asyncio.sleep(0.05)

    async def ask():
        checks = Checks(app)
        outcomes = await asyncio.gather(*(checks.failing() for _ in range(10)))
        checks.close()
        return outcomes

    assert asyncio.run(ask()) == [[]] * 10
    assert len(calls) == 1


def test_a_stuck_check_is_not_started_once_more(app, monkeypatch):
    monkeypatch.setattr(health, "CACHE_SECONDS", 0)
    release, calls = threading.Event(), []

    @app.readiness_check(timeout=0.05)
    def stuck():
        calls.append(1)
        release.wait(10)

    async def ask():
        checks = Checks(app)
        outcomes = [await checks.failing() for _ in range(3)]
        begun = len(calls)
        release.set()
        deadline = time.monotonic() + 10
        while (outcome := await checks.failing()) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        checks.close()
        return outcomes, begun, outcome

    assert asyncio.run(ask()) == ([["stuck"]] * 3, 1, [])


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_a_time_that_is_none_is_refused(app, timeout):
    with pytest.raises(ValueError) as caught:
        app.readiness_check(timeout=timeout)(print)

    assert str(caught.value) == f"A readiness check may take a number of seconds above 0, not {timeout!r}."


def test_a_name_that_is_taken_is_refused(app):
    app.readiness_check(print)
    with pytest.raises(ValueError) as caught:
        app.readiness_check(print)

    assert str(caught.value) == "There is already a readiness check 'print': pass another name=."
