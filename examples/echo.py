"""Echo: a WebSocket that sends back what it gets, to try out clients and servers.

Run it with ``costrel --app examples/echo.py run``, and talk to ws://127.0.0.1:5000/. Settings come from the
environment: with ``ECHO_WEBSOCKET_MAX_MESSAGE_SIZE=16777216`` it takes messages of 16 MiB.
"""

from __future__ import annotations

from costrel import Costrel, websocket

app = Costrel(__name__, static_folder=None)
app.config.from_prefixed_env("ECHO")


@app.get("/")
def index() -> str:
    """What to do here, for who comes with a browser."""
    return "This is a WebSocket that sends back what it gets: connect a WebSocket client to this address."


@app.websocket("/", endpoint="echo")
async def echo() -> None:
    """Send each message back as it came, text as text and binary data as such."""
    await websocket.accept(subprotocol=next(iter(websocket.subprotocols), None))
    async for message in websocket:
        await websocket.send(message)
