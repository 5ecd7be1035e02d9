"""Log lines during a request contain its request id, trace id and endpoint, over both edges."""

import asyncio
import logging
import logging.handlers
import queue
import threading
from contextvars import copy_context

import pytest

from costrel import Blueprint, Costrel, Response, abort, copy_current_request_context, stream_with_context, websocket
from costrel.logs import RequestFields, add_request_fields
from costrel.sse import event_stream
from costrel.telemetry.log_fields import request_fields

REQUEST_ID = "request-7"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
HEADERS = {"X-Request-ID": REQUEST_ID, "traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}


class Lines(logging.Handler):
    """Keeps the messages, each with the endpoint, if request id and trace id are those of the request."""

    def __init__(self):
        super().__init__()
        self.found = []

    def emit(self, record):
        fields = request_fields()
        assert {REQUEST_ID} == {fields.get("request_id", REQUEST_ID)}
        assert {TRACE_ID} == {fields.get("trace_id", TRACE_ID)}
        self.found.append((record.getMessage().split()[0], fields.get("endpoint", "outside")))


@pytest.fixture
def lines():
    handler = Lines()
    logger = logging.getLogger("shop")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield handler.found
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


@pytest.fixture
def app(lines):
    return Costrel("shop")


@pytest.fixture(params=["wsgi", "asgi"])
def client(app, request):
    return app.test_client(edge=request.param)


def test_a_view_and_its_hooks(app, client, lines):
    log = logging.getLogger("shop.below").info
    app.before_request(lambda: log("before"))
    app.after_request(lambda response: log("after") or response)
    app.teardown_request(lambda error: log("teardown"))
    app.add_url_rule("/", "index", lambda: log("view") or "index")

    client.get("/", headers=HEADERS)

    assert [(name, "index") for name in ("before", "view", "after", "teardown")] == lines


def test_an_async_view_and_its_task(app, client, lines):
    @app.get("/")
    async def index():
        async def in_task():
            app.logger.info("task")

        app.logger.info("view")
        await asyncio.create_task(in_task())
        return "index"

    client.get("/", headers=HEADERS)

    assert [("view", "index"), ("task", "index")] == lines


@pytest.mark.parametrize("kind", ["def", "async def", "events", "with context"])
def test_a_stream(app, client, lines, kind):
    @app.get("/")
    async def stream():
        def items():
            yield "a"
            app.logger.info("stream")
            yield "b"

        async def async_items():
            for item in items():
                yield item

        if kind == "events":
            return event_stream(async_items())
        if kind == "with context":
            return Response(stream_with_context(items()))
        return Response(items() if kind == "def" else async_items())

    with client.get("/", headers=HEADERS) as response:
        response.get_data()
    app.logger.info("afterwards")

    assert [("stream", "stream"), ("afterwards", "outside")] == lines


def test_an_error_handler_and_an_error_that_nothing_handles(app, client, lines):
    shop = Blueprint("shop", __name__)
    shop.add_url_rule("/handled", "handled", lambda: abort(409))
    shop.add_url_rule("/broken", "broken", lambda: 1 / 0)

    @shop.errorhandler(409)
    def handle(error):
        app.logger.info("handler")
        return "handled", 409

    app.register_blueprint(shop)
    client.get("/handled", headers=HEADERS)
    client.get("/broken", headers=HEADERS)

    assert [("handler", "shop.handled"), ("Exception", "shop.broken")] == lines


def test_a_path_that_is_unknown(app, client, lines):
    app.register_error_handler(404, lambda error: app.logger.info("missing") or ("missing", 404))

    client.get("/missing", headers=HEADERS)

    assert [("missing", None)] == lines


@pytest.mark.parametrize("carry", [copy_current_request_context, lambda function: lambda: copy_context().run(function)])
def test_a_thread(app, client, lines, carry):
    @app.get("/")
    def index():
        variables = copy_context()
        function = carry(lambda: app.logger.info("thread"))
        thread = threading.Thread(target=variables.run, args=[function])
        thread.start()
        thread.join()
        return "index"

    client.get("/", headers=HEADERS)

    assert [("thread", "index")] == lines


def test_a_websocket(app, lines):
    @app.websocket("/chat")
    async def chat():
        app.logger.info("connected")
        await websocket.send("hello")

    with app.test_client(edge="asgi").websocket("/chat", headers=HEADERS) as connection:
        connection.receive()

    assert [("connected", "chat")] == lines


def test_mounted_applications(app, client, lines):
    def wsgi(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        app.logger.info("wsgi")
        yield b"wsgi"

    async def asgi(scope, receive, send):
        app.logger.info("asgi")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"asgi"})

    app.mount("/wsgi", wsgi)
    app.mount("/asgi", asgi)

    client.get("/wsgi", headers=HEADERS).close()
    app.test_client(edge="asgi").get("/asgi", headers=HEADERS)

    assert [("wsgi", None), ("asgi", None)] == lines


def test_nothing_is_looked_up_for_a_line_that_is_not_written(app, client, lines, monkeypatch):
    monkeypatch.setattr("costrel.telemetry.log_fields.request_id_of", lambda source: pytest.fail("looked up"))
    app.add_url_rule("/", "index", lambda: app.logger.debug("not written") or "index")

    assert "index" == client.get("/", headers=HEADERS).text


def test_a_request_without_ids(app, client):
    app.add_url_rule("/", "index", lambda: request_fields())

    assert {"request_id": None, "trace_id": None, "endpoint": "index"} == client.get("/").json


@pytest.mark.parametrize("request_id", ["", "two words", "a" * 129, "caf\xe9"])
def test_an_id_that_is_malformed(app, client, request_id):
    app.add_url_rule("/", "index", lambda: request_fields())

    assert client.get("/", headers={"X-Request-ID": request_id}).json["request_id"] is None


def test_the_trace_id_of_the_current_span_comes_first(app, client, provider):
    app.config["OPENTELEMETRY"] = provider
    app.add_url_rule("/", "index", lambda: request_fields())

    assert len(TRACE_ID) == len(client.get("/").json["trace_id"])
    assert TRACE_ID == client.get("/", headers=HEADERS).json["trace_id"]


def test_structlog(app, client, lines):
    structlog = pytest.importorskip("structlog")
    events = []

    def keep(logger, name, event):
        events.append(event)
        raise structlog.DropEvent

    log = structlog.wrap_logger(None, processors=[add_request_fields, keep])
    app.add_url_rule("/", "index", lambda: log.info("order", number=7) or "index")

    client.get("/", headers=HEADERS)
    log.info("outside")

    ids = {"request_id": REQUEST_ID, "trace_id": TRACE_ID, "endpoint": "index"}
    assert [{"event": "order", "number": 7, **ids}, {"event": "outside"}] == events


def test_structlog_keeps_the_values_of_an_event(app, client, lines):
    seen = []
    app.add_url_rule("/", "index", lambda: seen.append(add_request_fields(None, "info", {"endpoint": "mine"})) or "")

    client.get("/", headers=HEADERS)

    assert "mine" == seen[0]["endpoint"]


def test_the_filter_for_formats_of_text(app, client, lines):
    texts = []
    handler = logging.Handler()
    handler.setFormatter(logging.Formatter("%(request_id)s %(trace_id)s %(endpoint)s %(message)s"))
    handler.addFilter(RequestFields())
    handler.emit = lambda record: texts.append(handler.format(record))
    app.logger.addHandler(handler)
    app.add_url_rule("/", "index", lambda: app.logger.info("view") or "index")

    client.get("/", headers=HEADERS)
    app.logger.info("outside")
    app.logger.removeHandler(handler)

    assert [f"{REQUEST_ID} {TRACE_ID} index view", "- - - outside"] == texts


def test_the_filter_with_a_handler_that_passes_lines_to_a_thread(app, client, lines):
    waiting = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(waiting)
    handler.addFilter(RequestFields())
    app.logger.addHandler(handler)
    app.add_url_rule("/", "index", lambda: app.logger.info("view") or "index")

    client.get("/", headers=HEADERS)
    app.logger.removeHandler(handler)

    record = waiting.get_nowait()
    assert (REQUEST_ID, TRACE_ID, "index") == (record.request_id, record.trace_id, record.endpoint)
