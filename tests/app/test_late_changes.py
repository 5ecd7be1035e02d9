"""Changes after the head of a response was sent are lost, and the log warns about them."""

import asyncio
import logging

import pytest

from costrel import Costrel, after_this_request, flash, session, stream_with_context
from costrel.app.application import Flask
from costrel.messages.response import Response

EDGES = pytest.mark.parametrize("edge", ["wsgi", "asgi"])


def make(view, cls=Costrel):
    app = cls("late", static_folder=None)
    app.config.update(SECRET_KEY="k" * 32, SESSION_COOKIE_SECURE=False)
    app.add_url_rule("/", "view", view)
    return app


def warnings_of(app, edge, caplog):
    with caplog.at_level(logging.WARNING):
        response = app.test_client(edge=edge).get("/")
        response.get_data()
        response.close()
    return [record.getMessage() for record in caplog.records if record.name == "late"]


def in_stream(change, first=lambda: None, response=None):
    """A view whose stream calls `change`."""

    def view():
        first()

        def generate():
            yield "a"
            change()
            yield "b"

        body = stream_with_context(generate())
        if response is None:
            return body
        response.response = body
        return response

    return view


@EDGES
@pytest.mark.parametrize("cls", [Costrel, Flask])
class TestSession:
    LOST = (
        "The session was changed while '/' was sent. The change is lost, since status, headers and cookies go first:"
        " change it before the stream is returned."
    )

    def test_a_new_key(self, cls, edge, caplog):
        app = make(in_stream(lambda: session.update(late=1)), cls)
        assert warnings_of(app, edge, caplog) == [self.LOST]

    def test_a_key_beside_others(self, cls, edge, caplog):
        app = make(in_stream(lambda: session.update(late=1), first=lambda: session.update(a=1)), cls)
        assert warnings_of(app, edge, caplog) == [self.LOST]

    def test_a_value_within_a_list(self, cls, edge, caplog):
        app = make(in_stream(lambda: session["a"].append(2), first=lambda: session.update(a=[1])), cls)
        assert warnings_of(app, edge, caplog) == [self.LOST]

    def test_a_removed_key(self, cls, edge, caplog):
        app = make(in_stream(lambda: session.clear(), first=lambda: session.update(a=1)), cls)
        assert warnings_of(app, edge, caplog) == [self.LOST]

    def test_a_flashed_message(self, cls, edge, caplog):
        app = make(in_stream(lambda: flash("late")), cls)
        assert warnings_of(app, edge, caplog) == [self.LOST]

    @pytest.mark.parametrize("read", [lambda: session.get("a"), lambda: None])
    def test_reading_is_no_change(self, cls, edge, read, caplog):
        app = make(in_stream(read, first=lambda: session.update(a=[1])), cls)
        assert warnings_of(app, edge, caplog) == []


@EDGES
class TestSessionStores:
    def test_a_session_in_a_store(self, edge, caplog):
        app = make(in_stream(lambda: session.update(late=1), first=lambda: session.update(a=1)))
        app.config["SESSION_STORE"] = "memory"
        assert warnings_of(app, edge, caplog) == [TestSession.LOST]

    def test_an_async_stream(self, edge, caplog):
        async def generate():
            yield "a"
            await asyncio.sleep(0)
            session["late"] = 1

        app = make(lambda: stream_with_context(generate()))
        assert warnings_of(app, edge, caplog) == [TestSession.LOST]


@EDGES
class TestTheResponse:
    def warnings(self, change, edge, caplog):
        response = Response()
        app = make(in_stream(lambda: change(response), response=response))
        return [text.partition(" while")[0] for text in warnings_of(app, edge, caplog)]

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            (lambda response: response.headers.update({"X-Late": "1"}), "The header X-Late was changed"),
            (lambda response: response.set_cookie("a", "1"), "The header Set-Cookie was changed"),
            (lambda response: response.headers.pop("Content-Type"), "The header Content-Type was changed"),
            (lambda response: setattr(response, "mimetype", "text/csv"), "The header Content-Type was changed"),
            (lambda response: setattr(response, "status_code", 500), "The status was changed"),
        ],
    )
    def test_its_head(self, change, text, edge, caplog):
        assert self.warnings(change, edge, caplog) == [text]

    def test_after_this_request(self, edge, caplog):
        assert self.warnings(lambda response: after_this_request(lambda it: it), edge, caplog) == [
            "A function was passed to after_this_request"
        ]

    def test_reading_is_no_change(self, edge, caplog):
        assert self.warnings(lambda response: response.headers.get("X"), edge, caplog) == []

    def test_a_response_that_is_whole_is_not_watched(self, edge, caplog):
        app = make(lambda: Response(["a", "b"]))
        assert warnings_of(app, edge, caplog) == []
