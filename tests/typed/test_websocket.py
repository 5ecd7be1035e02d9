"""Messages of WebSockets as values of a type."""

import typing as t

import pytest
from msgspec import Struct

from costrel import Costrel, ValidationFailed, websocket


class Move(Struct, tag="move"):
    x: int


class Say(Struct, tag="say"):
    text: str


@pytest.fixture
def client():
    app = Costrel(__name__, static_folder=None)
    app.config["JSON_MAX_DEPTH"] = 5

    @app.websocket("/")
    async def play():
        while True:
            await websocket.send(repr(await websocket.receive_as(Move | Say)))

    @app.websocket("/handled")
    async def handled():
        try:
            await websocket.receive_as(Move)
        except ValidationFailed as error:
            await websocket.send_json(error.errors)

    return app.test_client()


def test_a_message_is_one_of_a_union(client):
    with client.websocket("/") as ws:
        ws.send('{"type": "move", "x": 1}')
        assert ws.receive() == "Move(x=1)"
        ws.send(b'{"type": "say", "text": "hi"}')
        assert ws.receive() == "Say(text='hi')"


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ('{"type": "move", "x": "hunter2"}', 1008, "#/x type"),
        ('{"type": "hunter2"}', 1008, "#/type union"),
        ('{"type": "move"}', 1008, "#/x missing"),
        ("{", 1007, None),
        ("[" * 10 + "]" * 10, 1007, None),
    ],
)
def test_an_invalid_message_closes_with_the_first_problem(client, message: str, code: int, reason: str | None):
    with client.websocket("/") as ws:
        ws.send(message)
        with pytest.raises(Exception) as caught:
            ws.receive()
    closed: t.Any = caught.value
    assert closed.code == code
    if reason is not None:
        assert closed.reason == reason


def test_an_invalid_message_can_be_handled(client):
    with client.websocket("/handled") as ws:
        ws.send('{"x": 1.5}')
        problems = ws.receive_json()
        assert [(each["in"], each["pointer"], each["code"]) for each in problems] == [("message", "#/x", "type")]


def test_a_close_reason_has_at_most_123_bytes():
    app = Costrel(__name__, static_folder=None)

    @app.websocket("/")
    async def play():
        await websocket.receive_as(dict[str, int])

    with app.test_client().websocket("/") as ws:
        ws.send('{"' + "ä" * 200 + '": "x"}')
        with pytest.raises(Exception) as caught:
            ws.receive()
    closed: t.Any = caught.value
    assert (closed.code, len(closed.reason.encode()) <= 123) == (1008, True)
