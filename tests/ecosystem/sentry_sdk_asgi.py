"""Sentry's ASGI middleware around an application: errors become events, requests become transactions."""

import pytest
import sentry_sdk
from sentry_sdk.integrations.asgi import SentryAsgiMiddleware
from sentry_sdk.transport import Transport
from tests.processes import wait_until

from costrel import Costrel, websocket


class Collected(Transport):
    def __init__(self):
        super().__init__()
        self.items = []

    def capture_envelope(self, envelope):
        self.items += [(item.headers["type"], item.payload.json) for item in envelope.items]

    def of(self, kind):
        return [payload for type_, payload in self.items if type_ == kind]


@pytest.fixture
def transport():
    transport = Collected()
    sentry_sdk.init(
        dsn="https://key@sentry.example/1",
        transport=transport,
        default_integrations=False,
        enable_backpressure_handling=False,  # it starts a thread
        traces_sample_rate=1.0,
    )
    yield transport
    sentry_sdk.get_client().close()
    sentry_sdk.init()


@pytest.fixture
def app(transport):
    app = Costrel("shop")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.asgi_app = SentryAsgiMiddleware(app.asgi_app)

    @app.get("/divide/<int:by>")
    def divide(by):
        return str(1 // by)

    @app.get("/message")
    async def message():
        sentry_sdk.set_tag("kind", "async")
        sentry_sdk.capture_message("look here")
        return "told"

    @app.get("/stream")
    async def stream():
        async def items():
            yield "a"
            sentry_sdk.capture_message("in the stream")
            yield "b"

        return items()

    @app.websocket("/chat")
    async def chat():
        await websocket.send("hello")
        sentry_sdk.capture_message("in the chat")

    return app


@pytest.fixture
def client(app):
    return app.test_client(edge="asgi")


def test_an_error_becomes_an_event(client, transport):
    with pytest.raises(ZeroDivisionError):
        client.get("/divide/0?x=1")

    wait_until(lambda: transport.of("event"), "the event")
    (event,) = transport.of("event")
    assert "ZeroDivisionError" == event["exception"]["values"][-1]["type"]
    assert ("http://localhost/divide/0", "x=1", "GET") == tuple(
        event["request"][name] for name in ("url", "query_string", "method")
    )


def test_requests_become_transactions(client, transport):
    assert ["1", "told", "ab"] == [client.get(path).text for path in ("/divide/1", "/message", "/stream")]

    wait_until(lambda: len(transport.of("transaction")) == 3, "the end of the transactions")
    found = [each["contexts"]["trace"] for each in transport.of("transaction")]
    assert [("http.server", "ok")] * 3 == [(trace["op"], trace["status"]) for trace in found]
    message, streamed = transport.of("event")
    assert ("look here", {"kind": "async"}) == (message["message"], message["tags"])
    assert ("in the stream", "http://localhost/stream") == (streamed["message"], streamed["request"]["url"])


def test_a_websocket(client, transport):
    with client.websocket("/chat") as connection:
        assert "hello" == connection.receive()

    wait_until(lambda: transport.of("event"), "the event")
    assert ["in the chat"] == [event["message"] for event in transport.of("event")]
