"""WebSockets: the handshake, messages, closing from either side, and foreign origins."""

import asyncio
import threading

import pytest

from costrel import (
    Blueprint,
    Response,
    WebSocketDisconnect,
    abort,
    g,
    request,
    session,
    url_for,
    websocket,
)
from costrel.app.application import Flask
from costrel.testing.websocket import WebSocketRefused, scope_of


@pytest.fixture
def app(app):
    app.config["TESTING"] = True
    return app


@pytest.fixture
def echo(app):
    @app.websocket("/echo")
    async def echo():
        async for message in websocket:
            await websocket.send(message)

    return app.test_client()


def refused(client, *args, **kwargs) -> WebSocketRefused:
    with pytest.raises(WebSocketRefused) as caught:
        with client.websocket(*args, **kwargs):
            pass
    return caught.value


# -- messages


def test_messages_go_both_ways_as_text_and_bytes(echo):
    with echo.websocket("/echo") as ws:
        for message in ("hello", "", "ünï", b"\x00\xff", b""):
            ws.send(message)
            assert ws.receive() == message


def test_the_client_works_on_the_tests_own_loop(echo):
    async def talk():
        async with echo.websocket("/echo") as ws:
            await ws.send_json({"a": 1})
            return await ws.receive_json()

    assert asyncio.run(talk()) == {"a": 1}


def test_json_is_written_and_read_by_the_application(app):
    @app.websocket("/")
    async def index():
        received = await websocket.receive_json()
        await websocket.send_json(received, 2)
        await websocket.send_json(name="ada")
        await websocket.send_json([1])
        with pytest.raises(TypeError, match="not both"):
            await websocket.send_json(1, a=2)

    with app.test_client().websocket("/") as ws:
        ws.send_json({"x": None})
        assert [ws.receive_json() for _ in range(3)] == [[{"x": None}, 2], {"name": "ada"}, [1]]


@pytest.mark.parametrize("text", ["{", "", "[" * 100_000])
def test_a_message_that_is_not_json_ends_it_with_wrong_data(app, text):
    @app.websocket("/")
    async def index():
        await websocket.receive_json()

    with app.test_client().websocket("/") as ws:
        ws.send(text)
        with pytest.raises(WebSocketDisconnect, match="1007: Bad Request"):
            ws.receive()


def test_only_text_and_bytes_are_messages(app):
    @app.websocket("/")
    async def index():
        await websocket.send(bytearray(b"x"))
        await websocket.send(1)

    with app.test_client().websocket("/") as ws:
        assert ws.receive() == b"x"
        with pytest.raises(TypeError, match="A message is str or bytes, not int"):
            ws.receive()


def test_a_message_above_the_limit_ends_it(app):
    app.config["WEBSOCKET_MAX_MESSAGE_SIZE"] = 10
    ended = []

    @app.websocket("/")
    async def index():
        try:
            while True:
                await websocket.send(str(len(await websocket.receive())))
        except WebSocketDisconnect as error:
            ended.append(error.code)
            raise

    with app.test_client().websocket("/") as ws:
        ws.send("x" * 10)
        assert ws.receive() == "10"
        ws.send("é" * 6)
        with pytest.raises(WebSocketDisconnect, match="1009: A message may have 10 bytes"):
            ws.receive()
    assert ended == [1009]


# -- the request behind it


def test_a_websocket_knows_its_request(app):
    @app.websocket("/room/<int:room>")
    async def room(room):
        await websocket.send_json(
            [
                websocket.path,
                websocket.url,
                websocket.host,
                websocket.args["q"],
                websocket.headers["X-Own"],
                websocket.cookies["name"],
                websocket.view_args,
                websocket.remote_addr,
                websocket.subprotocols,
                websocket.endpoint,
                websocket.origin,
                str(websocket.url_rule),
                request.path,
                url_for("room", room=room + 1),
                repr(websocket),
            ]
        )

    client = app.test_client()
    client.set_cookie("name", "ada")
    with client.websocket("/room/7?q=1", headers={"X-Own": "x"}, subprotocols=["chat"]) as ws:
        assert ws.receive_json() == [
            "/room/7",
            "ws://localhost/room/7?q=1",
            "localhost",
            "1",
            "x",
            "ada",
            {"room": 7},
            "127.0.0.1",
            ["chat"],
            "room",
            None,
            "/room/<int:room>",
            "/room/7",
            "ws://localhost/room/8",
            "<WebSocket 'ws://localhost/room/7?q=1', not accepted yet>",
        ]


def test_the_session_can_be_read_and_a_change_is_warned_of(app, caplog):
    @app.websocket("/")
    async def index():
        await websocket.send(session["name"])
        session["name"] = "changed"

    client = app.test_client()
    with client.session_transaction() as stored:
        stored["name"] = "ada"
    with client.websocket("/") as ws:
        assert ws.receive() == "ada"
    assert "A WebSocket sends no cookies" in caplog.text
    with client.session_transaction() as stored:
        assert stored["name"] == "ada"


def test_outside_of_a_websocket_the_proxy_says_where_it_works(app):
    app.add_url_rule("/", "index", lambda: websocket.path)
    with pytest.raises(RuntimeError, match="Working outside of a WebSocket"):
        app.test_client().get("/")


# -- the handshake


def test_accepting_chooses_a_subprotocol_and_sends_headers(app):
    @app.websocket("/")
    async def index():
        assert not websocket.accepted
        await websocket.accept(subprotocol="b", headers={"X-Own": "1"})
        assert websocket.accepted
        with pytest.raises(RuntimeError, match="accepted already"):
            await websocket.accept()
        await websocket.send("hi")

    with app.test_client().websocket("/", subprotocols=["a", "b"]) as ws:
        assert (ws.subprotocol, ws.headers["X-Own"], ws.receive()) == ("b", "1", "hi")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"subprotocol": "c"}, "did not offer the subprotocol 'c'; it offers 'a'"),
        ({"headers": {"X-Own": "a\r\nSet-Cookie: b"}}, "control characters"),
        ({"headers": [("X Own", "a")]}, "no name for a header"),
        ({"headers": {"Sec-WebSocket-Protocol": "a"}}, "the subprotocol is an argument"),
    ],
)
def test_a_handshake_that_cannot_be_sent_is_an_error(app, arguments, message):
    @app.websocket("/")
    async def index():
        await websocket.accept(**arguments)

    with pytest.raises(ValueError, match=message), app.test_client().websocket("/", subprotocols=["a"]):
        pass


def test_bytes_that_are_no_subprotocol_do_no_harm(echo, app):  # SECURITY G18
    environ = app.test_request_context("/echo").request.environ

    async def talk():
        scope = scope_of(environ)
        scope["headers"].append((b"sec-websocket-protocol", b"\x80\xff"))
        sent = []
        received = asyncio.Queue()
        received.put_nowait({"type": "websocket.connect"})

        async def send(message):
            sent.append(message)
            if message["type"] == "websocket.accept":
                received.put_nowait({"type": "websocket.receive", "text": "alive"})
                received.put_nowait({"type": "websocket.disconnect", "code": 1005})

        await app.asgi(scope, received.get, send)
        return sent

    assert [message["type"] for message in asyncio.run(talk())] == ["websocket.accept"]


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/page", 400)])
def test_a_websocket_to_what_is_none_is_refused(echo, app, path, status):  # SECURITY G20
    app.add_url_rule("/page", "page", lambda: "page")
    assert refused(echo, path).status_code == status


def test_http_to_a_websocket_is_refused(echo):
    response = echo.get("/echo")
    assert (response.status_code, "At this URL there is only a WebSocket" in response.text) == (400, True)


def test_over_wsgi_the_answer_says_what_it_needs(echo):
    response = echo.get("/echo", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert response.status_code == 501
    assert "over ASGI" in response.text


def test_a_view_for_the_sockets_of_wsgi_servers_is_refused_with_the_reason(app):
    app.add_url_rule("/", "index", lambda: "", websocket=True)
    answer = refused(app.test_client(), "/")
    assert answer.status_code == 501
    assert "register it with 'websocket'" in answer.text


def test_an_http_error_before_the_handshake_is_its_answer(app):
    @app.errorhandler(403)
    async def forbidden(error):
        return Response("not you", 403, {"X-Own": "1"})

    @app.websocket("/")
    async def index():
        abort(403)

    answer = refused(app.test_client(), "/")
    assert (answer.status_code, answer.headers["X-Own"], answer.text) == (403, "1", "not you")
    assert str(answer) == "The WebSocket was refused with 403: not you"


def test_a_server_without_the_extension_says_403(app):
    closed = []

    async def talk():
        scope = scope_of(app.test_request_context("/nowhere").request.environ)
        del scope["extensions"]

        async def send(message):
            closed.append(message["type"])

        received = asyncio.Queue()
        received.put_nowait({"type": "websocket.connect"})
        await app.asgi(scope, received.get, send)

    asyncio.run(talk())
    assert closed == ["websocket.close"]


def test_a_view_may_refuse_by_a_response_or_by_closing(app):
    @app.websocket("/response")
    async def response():
        return "later", 503

    @app.websocket("/close")
    async def close():
        await websocket.close()

    @app.websocket("/nothing")
    async def nothing():
        pass

    client = app.test_client()
    assert [refused(client, path).status_code for path in ("/response", "/close", "/nothing")] == [503, 403, 403]


def test_a_view_must_be_async(app):
    with pytest.raises(TypeError, match="The view 'index' of the WebSocket '/' must be 'async def'"):

        @app.websocket("/")
        def index():
            pass


@pytest.mark.parametrize("status", [100, 101, 103, 199])
def test_no_refusal_keeps_its_client_waiting_for_another_answer(app, caplog, status):
    @app.websocket("/")
    async def index():
        return "", status

    assert refused(app.test_client(), "/").status_code == 500
    assert f"cannot be refused with the status {status}" in caplog.text


# -- pages of other sites


@pytest.mark.parametrize(
    "origin", ["http://evil.org", "https://localhost.evil.org", "null", "http://localhost:81", "http://[", "http://"]
)
def test_a_page_of_another_site_is_refused(echo, origin):  # SECURITY G19
    assert refused(echo, "/echo", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["http://localhost", "https://LOCALHOST", "http://localhost:80", "https://other.org"]
)
def test_pages_of_the_own_host_and_of_listed_sites_may(echo, app, origin):
    app.config["WEBSOCKET_ALLOWED_ORIGINS"] = "https://other.org"
    with echo.websocket("/echo", headers={"Origin": origin}) as ws:
        ws.send("x")
        assert ws.receive() == "x"


@pytest.mark.parametrize("allowed", [None, "*", ["*"]])
def test_the_check_can_be_turned_off(echo, app, allowed):
    app.config["WEBSOCKET_ALLOWED_ORIGINS"] = allowed
    with echo.websocket("/echo", headers={"Origin": "http://evil.org"}):
        pass


def test_under_flasks_defaults_nothing_is_checked():
    app = Flask(__name__)

    @app.websocket("/")
    async def index():
        await websocket.accept()

    with app.test_client().websocket("/", headers={"Origin": "http://evil.org"}):
        pass


# -- hooks


def test_the_hooks_run_in_order_and_teardown_once(app):
    seen = []
    bp = Blueprint("bp", __name__, url_prefix="/bp")

    @app.before_websocket
    def sync_before():
        seen.append("before app")
        g.name = "ada"

    @bp.before_websocket
    async def before():
        seen.append("before bp")

    @app.after_websocket
    def after(response):
        seen.append(("after", response))
        return response

    @app.before_request
    def never():
        seen.append("before_request")

    @app.teardown_request
    async def teardown(error):
        seen.append(("teardown", error))

    @app.teardown_appcontext
    def end(error):
        seen.append(("end", error))

    @bp.websocket("/<name>")
    async def view(name):
        seen.append(f"view {name} {g.name}")
        await websocket.send("x")

    app.register_blueprint(bp)
    with app.test_client().websocket("/bp/you") as ws:
        ws.receive()
    assert seen == [
        "before app", "before bp", "view you ada", ("after", None), ("teardown", None), ("end", None),
    ]  # fmt: skip


def test_a_hook_refuses_and_another_changes_the_refusal(app):
    @app.url_value_preprocessor
    def pull(endpoint, values):
        values["name"] = values["name"].upper()

    @app.before_websocket
    def before():
        return f"not you, {websocket.view_args['name']}", 403

    @app.after_websocket
    async def after(response):
        response.headers["X-Own"] = "1"
        return response

    @app.websocket("/<name>")
    async def view(name):
        raise AssertionError

    answer = refused(app.test_client(), "/ada")
    assert (answer.status_code, answer.text, answer.headers["X-Own"]) == (403, "not you, ADA", "1")


# -- sessions, sizes, and the client in tests


def test_a_foreign_session_interface_is_opened_in_a_thread(app):
    class Own(type(app.session_interface)):
        opens_late = False

        def open_session(self, app, request):
            opened.append(threading.current_thread().name)
            return super().open_session(app, request)

    opened = []
    app.session_interface = Own()

    @app.websocket("/")
    async def index():
        await websocket.send("x")

    with app.test_client().websocket("/") as ws:
        assert ws.receive() == "x"
    assert [name.startswith("costrel-worker") for name in opened] == [True]


def test_a_long_text_is_measured_in_bytes(app):
    app.config["WEBSOCKET_MAX_MESSAGE_SIZE"] = 10

    @app.websocket("/")
    async def index():
        async for message in websocket:
            await websocket.send(message)

    with app.test_client().websocket("/") as ws:
        ws.send("é" * 5)
        assert ws.receive() == "é" * 5
        ws.send("x" * 11)
        with pytest.raises(WebSocketDisconnect, match="1009"):
            ws.receive()


def test_the_client_in_tests_says_when_nothing_comes(echo):
    with echo.websocket("/echo") as ws, pytest.raises(TimeoutError, match=r"sent nothing for 0\.05 seconds"):
        ws.receive(timeout=0.05)


def test_a_websocket_that_ended_sends_no_more(echo):
    with echo.websocket("/echo") as ws:
        ws.close()
        assert ws.ended.code == 1000
        for use in (ws.receive, lambda: ws.send("x")):
            with pytest.raises(WebSocketDisconnect):
                use()
