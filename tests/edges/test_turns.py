"""Streams that never wait do not block the loop, and disconnects are detected."""

import asyncio
import time

from costrel import websocket

from .asgi_call import scope_for

PATIENCE = 10


def left_by_its_client(app, scope, *first):
    """Answer a scope for a server that accepts messages without waiting, and whose client soon disconnects."""
    messages = list(first)

    async def receive():
        if messages:
            return messages.pop(0)
        await asyncio.sleep(0.05)
        return {"type": f"{scope['type']}.disconnect"}

    async def send(message):
        pass

    asyncio.run(app.asgi(scope, receive, send))


def test_a_stream_that_never_waits_ends_with_its_client(app):
    closed = []

    @app.route("/")
    async def index():
        async def parts():
            began = time.monotonic()
            try:
                while time.monotonic() < began + PATIENCE:
                    yield b"x"
                closed.append("too late")
            finally:
                closed.append("closed")

        return app.response_class(parts())

    left_by_its_client(app, scope_for("/"))

    assert closed == ["closed"]


def test_a_websocket_that_never_waits_ends_with_its_client(app):
    ended = []

    @app.websocket("/")
    async def index():
        await websocket.accept()
        began = time.monotonic()
        try:
            while time.monotonic() < began + PATIENCE:
                await websocket.send("x")
            ended.append("too late")
        finally:
            ended.append("ended")

    scope = {**scope_for("/"), "type": "websocket", "scheme": "ws", "subprotocols": []}
    left_by_its_client(app, scope, {"type": "websocket.connect"})

    assert ended == ["ended"]
