"""The handshake of a WebSocket if the first operation of any task accepts it."""

import asyncio

from costrel import WebSocketDisconnect, websocket

from .asgi_call import scope_for


def test_no_message_overtakes_the_handshake(app):
    @app.websocket("/")
    async def index():
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(websocket.send("hello"))
            async for message in websocket:
                await websocket.send(message)
            telling.cancel()

    sent = asyncio.run(conversation(app))

    assert sent[0] == "websocket.accept"
    assert sorted(sent[1:]) == ["again", "hello"]


def test_a_client_that_left_before_the_handshake_keeps_no_sender_waiting(app):
    ended = []

    @app.websocket("/")
    async def index():
        await websocket.close()
        try:
            await websocket.send("hello")
        except WebSocketDisconnect as error:
            ended.append(error.code)

    assert asyncio.run(conversation(app)) == ["websocket.close"]
    assert ended == [1000]


async def conversation(app):
    """The messages to a server that accepts slowly, for a client that sends one message and disconnects."""
    received = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "again"}]
    sent = []
    said = asyncio.Event()

    async def receive():
        if received:
            return received.pop(0)
        await said.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message):
        if message["type"] == "websocket.accept":
            await asyncio.sleep(0.05)
        sent.append(message.get("text", message["type"]))
        if sent[-1] == "again":
            said.set()

    scope = {**scope_for("/"), "type": "websocket", "scheme": "ws", "subprotocols": []}
    await app.asgi(scope, receive, send)
    return sent
