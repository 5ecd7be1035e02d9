"""The chat, the feed and their channels, without a browser."""

import asyncio
import threading
import time
from types import SimpleNamespace

import pytest
from examples.gallery import chat, wire
from examples.gallery.wire import KEEP, Channel, Message

from costrel.testing.websocket import WebSocketRefused


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(chat, "PAUSE", 0)
    monkeypatch.setattr(chat, "lately", {})


# -- channels


def taken(channel, number, after=wire.BEGINNING):
    """The data of the next `number` messages."""

    async def take():
        found = []
        async for message in channel.listen(after):
            found.append(message.data["n"])
            if len(found) == number:
                return found
        raise AssertionError("a channel has no end")

    return asyncio.wait_for(take(), 20)


def test_a_listener_gets_what_was_said_and_what_is():
    async def run():
        channel = Channel()
        channel.add(Message("1-0", {"n": 1}))
        listening = asyncio.ensure_future(taken(channel, 3))
        await asyncio.sleep(0)
        for number in (2, 3):
            thread = threading.Thread(target=channel.add, args=[Message(f"1-{number}", {"n": number})])
            thread.start()
            thread.join()
        return await listening

    assert asyncio.run(run()) == [1, 2, 3]


def test_who_comes_back_gets_what_was_missed():
    channel = Channel()
    for number in (9, 10, 11):
        channel.add(Message(f"1-{number}", {"n": number}))
    assert channel.position == "1-11"
    assert asyncio.run(taken(channel, 2, after="1-9")) == [10, 11]


def test_who_is_too_slow_misses_the_oldest():
    channel = Channel()
    for number in range(3 * KEEP):
        channel.add(Message(f"1-{number}", {"n": number}))
    assert asyncio.run(taken(channel, KEEP)) == list(range(2 * KEEP, 3 * KEEP))


def test_listeners_that_left_are_forgotten():
    async def run():
        channel = Channel()
        for _ in range(10):
            listening = asyncio.ensure_future(taken(channel, 1))
            await asyncio.sleep(0)
            listening.cancel()
            await asyncio.wait([listening])
        channel.add(Message("1-0", {"n": 1}))
        return len(channel._waiting)

    assert asyncio.run(run()) == 0


@pytest.mark.parametrize("identifier", ["", "1", "1-", "x-1", "1-1-1", "-1-1", "1" * 16 + "-0", "²-1", None])
def test_what_is_no_identifier_is_taken_for_none(identifier):
    assert wire.known(identifier) is None
    assert wire.known("1700000000000-12") == "1700000000000-12"


# -- the chat


def test_what_one_says_all_hear(ada, app):
    with app.test_client().websocket("/live/chat") as visitor, ada.websocket("/live/chat") as ws:
        ws.send("  hello  ")
        heard = [visitor.receive_json(), ws.receive_json()]
    assert [(message["who"], message["text"]) for message in heard] == [("ada", "hello")] * 2
    with ada.websocket(f"/live/chat?after={heard[0]['id']}") as ws:
        ws.send("again")
        assert ws.receive_json()["text"] == "again"


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("", "The message is empty."),
        (" \n", "The message is empty."),
        (b"bytes", "The message is empty."),
        ("x" * 501, "The message is too long: at most 500 characters are allowed."),
    ],
)
def test_what_cannot_be_said(ada, message, problem):
    with ada.websocket("/live/chat") as ws:
        ws.send(message)
        assert ws.receive_json() == {"problem": problem}


def test_who_is_not_signed_in_can_only_listen(client):
    with client.websocket("/live/chat") as ws:
        ws.send("hello")
        assert ws.receive_json() == {"problem": "Please sign in to join the chat."}


def test_five_messages_in_ten_seconds_are_the_most_over_all_connections(ada, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(chat, "time", SimpleNamespace(monotonic=lambda: now[0], time=time.time))
    with ada.websocket("/live/chat") as one, ada.websocket("/live/chat") as two:
        for number in range(5):
            (one, two)[number % 2].send(str(number))
            assert [one.receive_json()["text"], two.receive_json()["text"]] == [str(number)] * 2
        two.send("too fast")
        assert two.receive_json()["problem"].startswith("Please slow down")
        now[0] = 10.1
        two.send("slower")
        assert one.receive_json()["text"] == "slower"


def test_a_flood_of_bytes_ends_the_connection(ada):
    with ada.websocket("/live/chat") as ws:
        ws.send("x" * 2001)
        with pytest.raises(Exception, match="1009"):
            ws.receive()


def test_a_page_of_another_site_hears_nothing(ada):
    with (
        pytest.raises(WebSocketRefused, match="403"),
        ada.websocket("/live/chat", headers={"Origin": "http://evil.org"}),
    ):
        pass


def test_nobody_can_hear_while_redis_is_down(ada, app, monkeypatch):
    def publish(name, data):
        raise wire.Unreachable

    monkeypatch.setattr(app.extensions["wire"], "publish", publish)
    with ada.websocket("/live/chat") as ws:
        ws.send("hello")
        assert ws.receive_json()["problem"].startswith("The chat is not available")


# -- the feed


def test_under_wsgi_feed_and_page_say_what_they_need(client):
    answer = client.get("/live/feed")
    assert (answer.status_code, "needs an ASGI server" in answer.text) == (501, True)
    page = client.get("/live").text
    assert ("need an ASGI server" in page, "<script" in page) == (True, False)


def test_a_comment_is_stored_though_the_feed_is_down(ada, app, monkeypatch, caplog):
    from .test_gallery import upload

    def publish(name, data):
        raise wire.Unreachable("Redis at nowhere does not answer")

    monkeypatch.setattr(app.extensions["wire"], "publish", publish)
    upload(ada)
    ada.post("/picture/1/comments", data={"text": "fine"})
    assert "fine" in ada.get("/picture/1").text
    assert "Could not publish comment 1 to the feed: Redis at nowhere does not answer" in caplog.text
