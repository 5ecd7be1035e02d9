"""Messages that one request leaves for the next."""

import pytest

from costrel.app.application import Costrel
from costrel.services.flashing import flash, get_flashed_messages
from costrel.support.signals import message_flashed


@pytest.fixture
def app():
    app = Costrel("shop")
    app.secret_key = "key"
    app.testing = True
    app.add_url_rule("/flash", "flash", lambda: flash("saved") or flash("careful", "warning") or "x")
    return app


def test_the_next_request_takes_them(app):
    app.add_url_rule("/take", "take", lambda: get_flashed_messages())
    client = app.test_client()
    client.get("/flash")
    assert client.get("/take").json == ["saved", "careful"]
    assert client.get("/take").json == []


def test_one_request_gets_the_same_ones_again(app):
    with app.test_request_context():
        flash("saved")
        assert get_flashed_messages() == get_flashed_messages() == ["saved"]


def test_messages_that_are_flashed_between_two_calls_are_taken_by_the_second(app):
    with app.test_request_context():
        flash("first")
        assert get_flashed_messages() == ["first"]
        flash("second")
        assert get_flashed_messages() == ["first", "second"]
        assert get_flashed_messages() == ["first", "second"]


def test_a_message_after_the_last_call_is_for_the_next_request(app):
    app.add_url_rule("/both", "both", lambda: [*get_flashed_messages(), flash("late") or "taken"])
    client = app.test_client()
    assert client.get("/both").json == ["taken"]
    assert client.get("/both").json == ["late", "taken"]


def test_categories(app):
    with app.test_request_context():
        flash("saved")
        flash("careful", "warning")
        assert get_flashed_messages(with_categories=True) == [("message", "saved"), ("warning", "careful")]
        assert get_flashed_messages(category_filter=["warning"]) == ["careful"]
        assert get_flashed_messages(True, ["error", "message"]) == [("message", "saved")]


def test_without_messages_the_session_is_not_changed(app):
    with app.test_request_context() as ctx:
        assert get_flashed_messages() == []
        assert not ctx.session.modified


def test_a_signal_tells_of_each(app):
    seen = []

    def receive(sender, message, category):
        seen.append((sender, message, category))

    with message_flashed.connected_to(receive, app), app.test_request_context():
        flash("saved", "info")
    assert seen == [(app, "saved", "info")]


def test_both_need_a_request(app):
    with app.app_context():
        with pytest.raises(RuntimeError, match="Working outside of request context"):
            flash("saved")
        with pytest.raises(RuntimeError, match="Working outside of request context"):
            get_flashed_messages()
