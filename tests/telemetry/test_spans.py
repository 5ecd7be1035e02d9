"""One SERVER span for each request, with the stable semantic conventions for HTTP, over both edges."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from costrel import Blueprint, Costrel, Response, abort, request, send_file, stream_with_context, websocket
from costrel.http.errors import ClientDisconnected
from costrel.sse import event_stream
from costrel.testing.websocket import WebSocketRefused, scope_of
from costrel.views import MethodView

from ..edges.asgi_call import scope_for
from ..processes import wait_until

trace = pytest.importorskip("opentelemetry.trace")

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


def current():
    """The current span's id, as a view sees it."""
    return trace.format_span_id(trace.get_current_span().get_span_context().span_id)


def id_of(span):
    return trace.format_span_id(span.context.span_id)


def status_of(span):
    return span.attributes.get("http.response.status_code"), span.attributes.get("error.type"), span.status.status_code


UNSET, ERROR = trace.StatusCode.UNSET, trace.StatusCode.ERROR


def test_a_def_view(app, client, only_span):
    @app.get("/items/<int:number>")
    def item(number):
        return current()

    response = client.get("/items/7?q=a&sig=secret", headers={"User-Agent": "curl/8"})

    span = only_span()
    assert (id_of(span), trace.SpanKind.SERVER, None) == (response.text, span.kind, span.parent)
    assert "GET /items/<int:number>" == span.name
    attributes = dict(span.attributes)
    attributes.pop("network.peer.address", None)
    assert {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/items/<int:number>",
        "url.scheme": "http",
        "url.path": "/items/7",
        "url.query": "q=a&sig=REDACTED",
        "server.address": "localhost",
        "server.port": 80,
        "client.address": "127.0.0.1",
        "network.protocol.version": "1.1",
        "user_agent.original": "curl/8",
    } == attributes
    assert (200, None, UNSET) == status_of(span)


def test_an_async_view(app, client, only_span):
    @app.get("/")
    async def index():
        before = current()
        await asyncio.sleep(0)
        return f"{before} {current()}"

    response = client.get("/")

    assert f"{id_of(only_span())} {id_of(only_span())}" == response.text


def test_all_functions_of_a_request_are_within_its_span(app, client, only_span):
    seen = []
    app.before_request(lambda: seen.append(current()))
    app.after_request(lambda response: seen.append(current()) or response)
    app.teardown_request(lambda error: seen.append(current()))
    app.teardown_appcontext(lambda error: seen.append(current()))
    app.add_url_rule("/", "index", lambda: abort(409))

    @app.errorhandler(409)
    async def handle(error):
        seen.append(current())
        return "handled", 409

    client.get("/")

    assert {id_of(only_span())} == {*seen}
    assert 5 == len(seen)


@pytest.mark.parametrize("kind", ["def", "async def", "with context"])
def test_a_stream_ends_its_span(app, client, exported, only_span, kind):
    ended_within = []

    @app.get("/stream")
    def stream():
        def items():
            yield current()
            ended_within.append(not exported.get_finished_spans())
            yield ""

        async def async_items():
            for item in items():
                yield item

        made = async_items() if kind == "async def" else items()
        return Response(stream_with_context(made) if kind == "with context" else made)

    response = client.get("/stream")

    assert id_of(only_span() if response.text else None) == response.text
    assert [True] == ended_within
    assert (200, None, UNSET) == status_of(only_span())


def test_a_stream_in_a_blueprint_that_fails(app, client, exported, only_span):
    shop = Blueprint("shop", __name__, url_prefix="/shop")

    @shop.get("/broken")
    def broken():
        def items():
            yield "a"
            raise LookupError("gone")

        return items()

    app.register_blueprint(shop)
    with pytest.raises(LookupError):
        client.get("/shop/broken").get_data()

    assert "GET /shop/broken" == only_span().name
    assert (200, "LookupError", ERROR) == status_of(only_span())
    assert ["exception"] == [event.name for event in only_span().events]


def test_server_sent_events(app, client, only_span):
    @app.get("/events")
    async def events():
        async def items():
            yield current()

        return event_stream(items())

    response = client.get("/events")

    assert f"data: {id_of(only_span() if response.text else None)}\n\n" == response.text
    assert "/events" == only_span().attributes["http.route"]


def test_head_of_a_stream(app, client, only_span):
    @app.get("/stream")
    def stream():
        return Response(iter(["a", "b"]))

    client.head("/stream").close()

    assert (200, None, UNSET) == status_of(only_span())
    assert "HEAD /stream" == only_span().name


def test_a_file(app, client, only_span):
    app.add_url_rule("/file", "file", lambda: send_file(__file__))

    client.get("/file").close()

    assert (200, None, UNSET) == status_of(only_span())


def test_an_error_that_nothing_handles(app, client, only_span):
    app.add_url_rule("/", "index", lambda: 1 / 0)

    client.get("/")

    span = only_span()
    assert (500, "ZeroDivisionError", ERROR) == status_of(span)
    (event,) = span.events
    assert "ZeroDivisionError" == event.attributes["exception.type"]
    assert "in <lambda>" in event.attributes["exception.stacktrace"]


def test_an_error_that_is_propagated(app, client, only_span):
    app.testing = True
    app.add_url_rule("/", "index", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        client.get("/")

    assert (None, "ZeroDivisionError", ERROR) == status_of(only_span())


@pytest.mark.parametrize(("status", "outcome"), [(503, (503, "KeyError", ERROR)), (409, (409, None, UNSET))])
def test_an_error_that_a_handler_answers(app, client, only_span, status, outcome):
    app.add_url_rule("/", "index", lambda: {}["missing"])
    app.register_error_handler(KeyError, lambda error: ("handled", status))

    client.get("/")

    assert outcome == status_of(only_span())


def test_an_error_response_without_an_exception(app, client, only_span):
    app.add_url_rule("/", "index", lambda: ("busy", 503))

    client.get("/")

    assert (503, "503", ERROR) == status_of(only_span())


def test_an_error_before_the_view_is_reached(app, client, only_span):
    class Broken(type(app.session_interface)):
        opens_late = False

        def open_session(self, app, request):
            raise OSError("the store is down")

    app.session_interface = Broken()
    app.add_url_rule("/", "index", lambda: "index")

    client.get("/")

    assert (500, "OSError", ERROR) == status_of(only_span())


def test_paths_and_methods_that_are_unknown_have_one_name(app, client, exported):
    app.add_url_rule("/", "index", lambda: "index")

    for path, method in (("/one", "GET"), ("/two", "GET"), ("/", "BREW"), ("/", "STIR"), ("/", "DELETE")):
        client.open(path, method=method)

    wait_until(lambda: len(exported.get_finished_spans()) == 5, "the end of the spans")
    spans = exported.get_finished_spans()
    assert ["GET", "GET", "HTTP", "HTTP", "DELETE"] == [span.name for span in spans]
    assert ["GET", "GET", "_OTHER", "_OTHER", "DELETE"] == [span.attributes["http.request.method"] for span in spans]
    assert ["BREW", "STIR"] == [span.attributes["http.request.method_original"] for span in spans[2:4]]
    assert not any("http.route" in span.attributes for span in spans)
    assert [404, 404, 405, 405, 405] == [span.attributes["http.response.status_code"] for span in spans]
    assert {UNSET} == {span.status.status_code for span in spans}


def test_the_trace_of_the_caller_is_continued(app, client, only_span):
    app.add_url_rule("/", "index", current)

    client.get("/", headers={"traceparent": PARENT, "tracestate": "vendor=1"})

    span = only_span()
    assert (TRACE_ID, "b7ad6b7169203331") == (
        trace.format_trace_id(span.context.trace_id),
        trace.format_span_id(span.parent.span_id),
    )
    assert "1" == span.context.trace_state["vendor"]


@pytest.mark.parametrize(
    "field",
    ["", "00-abc", f"ff{PARENT[2:]}", f"00-{'0' * 32}-b7ad6b7169203331-01", PARENT.upper(), f"{PARENT},{PARENT}"],
)
def test_a_malformed_parent_is_ignored(app, client, only_span, field):
    app.add_url_rule("/", "index", lambda: "index")

    client.get("/", headers={"traceparent": field})

    assert only_span().parent is None


def test_baggage_of_the_caller(app, client):
    from opentelemetry import baggage

    app.add_url_rule("/", "index", lambda: f"{baggage.get_baggage('tenant')}")

    assert "blue" == client.get("/", headers={"baggage": "tenant=blue"}).text


def test_a_thread_with_a_copy_of_the_context_variables(app, client, only_span):
    @app.get("/")
    def index():
        seen = []
        thread = threading.Thread(target=copy_context().run, args=[lambda: seen.append(current())])
        thread.start()
        thread.join()
        return seen[0]

    response = client.get("/")

    assert id_of(only_span()) == response.text


def test_a_task_and_a_thread_of_an_async_view(app, client, only_span):
    @app.get("/")
    async def index():
        async def in_task():
            return current()

        with ThreadPoolExecutor() as pool:
            in_thread = asyncio.get_running_loop().run_in_executor(pool, copy_context().run, current)
            return f"{await asyncio.create_task(in_task())} {await in_thread}"

    response = client.get("/")

    assert [id_of(only_span())] * 2 == response.text.split()


def test_requests_leave_nothing_behind(app, client, exported):
    app.add_url_rule("/", "index", lambda: "index")

    for _ in range(2):
        client.get("/")

    assert [None, None] == [span.parent for span in exported.get_finished_spans()]
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_caller_that_awaits_the_application_keeps_its_own_span(app, exported, kind):
    async def async_index():
        return "index"

    app.add_url_rule("/", "index", async_index if kind == "async def" else lambda: "index")

    async def run():
        async def receive():
            await asyncio.sleep(60)

        async def send(message):
            pass

        await app.asgi(scope_for("/"), receive, send)
        return trace.get_current_span().get_span_context().is_valid

    assert asyncio.run(run()) is False
    assert 1 == len(exported.get_finished_spans())


def test_a_span_inside_a_server_span_is_internal(app, client, provider, exported):
    app.add_url_rule("/", "index", lambda: "index")
    tracer = provider.get_tracer("middleware")
    wsgi_app = app.wsgi_app

    def middleware(environ, start_response):
        with tracer.start_as_current_span("outer", kind=trace.SpanKind.SERVER):
            return wsgi_app(environ, start_response)

    app.wsgi_app = middleware
    client.get("/")

    inner, outer = exported.get_finished_spans()
    assert ("outer", trace.SpanKind.INTERNAL, outer.context.span_id) == (outer.name, inner.kind, inner.parent.span_id)


def test_wsgi_middleware_around_the_application_adds_no_span(app, client, only_span):
    app.add_url_rule("/", "index", current)
    wsgi_app = app.wsgi_app
    app.wsgi_app = lambda environ, start_response: wsgi_app(environ, start_response)

    response = client.get("/")

    assert id_of(only_span()) == response.text


def test_the_address_that_a_trusted_proxy_names(app, client, only_span):
    app.config["TRUSTED_PROXIES"] = {"hops": 1, "headers": ["for", "proto", "host"]}
    app.add_url_rule("/", "index", lambda: "index")

    client.get(
        "/",
        headers={
            "X-Forwarded-For": "192.0.2.7",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "shop.example.org",
        },
    )

    attributes = only_span().attributes
    assert ("192.0.2.7", "https", "shop.example.org", 443) == tuple(
        attributes[name] for name in ("client.address", "url.scheme", "server.address", "server.port")
    )
    assert "192.0.2.7" != attributes.get("network.peer.address")


def test_a_class_based_view_and_a_static_file(app, client, exported, tmp_path):
    class Items(MethodView):
        def post(self):
            return "made", 201

    (tmp_path / "a.txt").write_text("a")
    app.static_folder = str(tmp_path)
    app.add_url_rule("/items", view_func=Items.as_view("items"))

    client.post("/items")
    client.get("/static/a.txt").close()

    assert ["POST /items", "GET /static/<path:filename>"] == [span.name for span in exported.get_finished_spans()]


class TestMounts:
    """The span of a request for a mounted application is the one of the outer application, and ends with its body."""

    def test_asgi(self, app, exported, only_span):
        async def inner(scope, receive, send):
            await send({"type": "http.response.start", "status": 202, "headers": []})
            await send({"type": "http.response.body", "body": current().encode(), "more_body": True})
            assert not exported.get_finished_spans()
            await send({"type": "http.response.body", "body": b""})

        app.mount("/admin", inner)

        response = app.test_client(edge="asgi").get("/admin/users/7")

        span = only_span()
        assert (id_of(span), "GET /admin", "/admin") == (response.text, span.name, span.attributes["http.route"])
        assert (202, None, UNSET) == status_of(span)

    def test_asgi_that_fails(self, app, only_span):
        async def inner(scope, receive, send):
            raise LookupError("gone")

        app.mount("/admin", inner)

        app.test_client(edge="asgi").get("/admin")

        assert (500, "LookupError", ERROR) == status_of(only_span())

    def test_wsgi(self, app, client, exported, only_span):
        def inner(environ, start_response):
            start_response("202 Accepted", [("Content-Type", "text/plain")])
            yield current().encode()
            assert not exported.get_finished_spans()

        app.mount("/admin", inner)

        with client.get("/admin") as response:
            text = response.text

        assert (id_of(only_span()), 202) == (text, only_span().attributes["http.response.status_code"])

    def test_wsgi_that_fails(self, app, client, only_span):
        def inner(environ, start_response):
            raise LookupError("gone")

        app.mount("/admin", inner)

        client.get("/admin")

        assert (500, "LookupError", ERROR) == status_of(only_span())

    def test_an_application_that_is_traced_too(self, app, client, provider, only_span):
        inner = Costrel("inner")
        inner.config["OPENTELEMETRY"] = provider
        inner.add_url_rule("/users", "users", current)
        app.mount("/admin", inner)

        with client.get("/admin/users") as response:
            text = response.text

        assert (id_of(only_span()), "GET /admin") == (text, only_span().name)

    def test_a_guard_that_refuses(self, app, client, only_span):
        app.mount("/admin", Costrel("inner"), guard=lambda view: lambda: ("no", 403))

        client.get("/admin")

        assert (403, None, UNSET) == status_of(only_span())


class TestWebSockets:
    def test_a_conversation(self, app, exported, only_span):
        @app.websocket("/chat/<room>")
        async def chat(room):
            await websocket.send(current())
            assert not exported.get_finished_spans()
            await websocket.receive()

        with app.test_client(edge="asgi").websocket("/chat/lobby", headers={"traceparent": PARENT}) as connection:
            span_id = connection.receive()
            connection.send("end")

        span = only_span()
        assert (span_id, "GET /chat/<room>", TRACE_ID) == (
            id_of(span),
            span.name,
            trace.format_trace_id(span.context.trace_id),
        )
        assert (101, None, UNSET) == status_of(span)

    def test_a_refusal(self, app, only_span):
        @app.websocket("/chat")
        async def chat():
            abort(401)

        with pytest.raises(WebSocketRefused):
            app.test_client(edge="asgi").websocket("/chat").__enter__()

        assert (401, None, UNSET) == status_of(only_span())

    def test_an_error(self, app, only_span):
        @app.websocket("/chat")
        async def chat():
            await websocket.accept()
            raise LookupError("gone")

        with app.test_client(edge="asgi").websocket("/chat") as connection, pytest.raises(Exception, match="1011"):
            connection.receive()

        assert (101, "LookupError", ERROR) == status_of(only_span())

    def test_a_mounted_application(self, app, only_span):
        async def inner(scope, receive, send):
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": current()})
            await send({"type": "websocket.close", "code": 1000})

        app.mount("/live", inner)

        with app.test_client(edge="asgi").websocket("/live/a") as connection:
            span_id = connection.receive()

        assert (span_id, "GET /live") == (id_of(only_span()), only_span().name)
        assert (101, None, UNSET) == status_of(only_span())


class Leaving:
    """A client of an ASGI application that disconnects on request."""

    def __init__(self):
        self.left = asyncio.Event()
        self.sent = []

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)
        if message.get("body"):
            self.left.set()
        await asyncio.sleep(0)


class TestDisconnects:
    @pytest.mark.parametrize("kind", ["def", "async def", "events"])
    def test_in_a_stream(self, app, only_span, kind):
        @app.get("/")
        async def stream():
            def items():
                while True:
                    yield "item"

            async def async_items():
                while True:
                    yield "item"
                    await asyncio.sleep(0.001)

            if kind == "events":
                return event_stream(async_items())
            return Response(items() if kind == "def" else async_items())

        async def run():
            client = Leaving()
            await asyncio.wait_for(app.asgi(scope_for("/"), client.receive, client.send), 30)

        asyncio.run(run())

        assert (200, "client_disconnected", ERROR) == status_of(only_span())

    def test_in_an_async_view(self, app, only_span):
        ended = []

        @app.get("/")
        async def waits():
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(True)

        async def run():
            client = Leaving()
            asyncio.get_running_loop().call_later(0.05, client.left.set)
            await asyncio.wait_for(app.asgi(scope_for("/"), client.receive, client.send), 30)

        asyncio.run(run())

        assert [True] == ended
        assert (None, "client_disconnected", ERROR) == status_of(only_span())

    def test_under_wsgi(self, app, only_span):
        app.add_url_rule("/", "index", lambda: Response(iter(["a", "b"])))
        environ = app.test_request_context("/").request.environ

        body = app(environ, lambda status, headers, exc_info=None: None)
        assert b"a" == next(iter(body))
        body.close()

        assert (200, "client_disconnected", ERROR) == status_of(only_span())

    def test_all_announced_bytes_were_sent(self, app, only_span):
        """A server may close a body after its last byte, without asking for its end."""
        app.add_url_rule("/", "index", lambda: Response(iter(["a", "b"]), headers={"Content-Length": "2"}))
        environ = app.test_request_context("/").request.environ

        body = app(environ, lambda status, headers, exc_info=None: None)
        assert [b"a", b"b"] == [next(body), next(body)]
        body.close()

        assert (200, None, UNSET) == status_of(only_span())

    def test_in_a_request_body(self, app, only_span):
        app.add_url_rule("/", "index", lambda: request.get_data(), methods=["POST"])
        app.register_error_handler(ClientDisconnected, lambda error: ("cut off", 400))

        async def run():
            async def receive():
                return {"type": "http.disconnect"}

            async def send(message):
                pass

            scope = scope_for("/", "POST", headers=[(b"content-length", b"9")])
            await asyncio.wait_for(app.asgi(scope, receive, send), 30)

        asyncio.run(run())

        assert (400, None, UNSET) == status_of(only_span())

    def test_of_a_websocket(self, app, only_span):
        @app.websocket("/chat")
        async def chat():
            await websocket.accept()
            await websocket.receive()

        async def run():
            messages = [{"type": "websocket.connect"}]
            is_accepted = asyncio.Event()

            async def receive():
                if messages:
                    return messages.pop()
                await is_accepted.wait()
                return {"type": "websocket.disconnect", "code": 1001}

            async def send(message):
                is_accepted.set()

            scope = scope_of(app.test_request_context("/chat").request.environ)
            await asyncio.wait_for(app.asgi(scope, receive, send), 30)

        asyncio.run(run())

        assert (101, None, UNSET) == status_of(only_span())
