"""Mounts: ASGI and WSGI applications below a prefix, over both edges."""

import asyncio
import functools
import json

import pytest

from costrel import Costrel, abort, redirect, request, session
from costrel.app.application import Flask
from costrel.testing.lifespan import Lifespan


async def echo(scope, receive, send):
    """Return the arguments of the call as the response."""
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    shown = {key: scope[key] for key in ("path", "root_path", "scheme", "method")}
    shown["raw_path"] = scope["raw_path"].decode()
    shown["client"] = list(scope["client"] or ())
    shown["headers"] = {name.decode(): value.decode() for name, value in scope["headers"]}
    shown["body"] = len(body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(shown).encode()})


def wsgi_echo(environ, start_response):
    shown = {key: environ.get(key) for key in ("SCRIPT_NAME", "PATH_INFO", "REMOTE_ADDR", "wsgi.url_scheme")}
    shown["body"] = len(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(shown).encode()]


def login_required(view):
    @functools.wraps(view)
    def guarded(*args, **kwargs):
        if "user" not in session:
            session["next"] = request.path
            return redirect("/login")
        return view(*args, **kwargs)

    return guarded


@pytest.fixture(params=[Costrel, Flask], ids=["native", "flask"])
def app(request):
    app = request.param("outer")
    app.secret_key = "k" * 32
    app.add_url_rule("/", "index", lambda: "index")
    app.add_url_rule("/admin/own", "own", lambda: "own")
    return app


@pytest.fixture(params=["wsgi", "asgi"])
def edge(request):
    return request.param


# -- the prefix ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "below"),
    [
        ("/admin", ""),
        ("/admin/", "/"),
        ("/admin/users", "/users"),
        ("/admin/users/", "/users/"),
        ("/admin//users", "//users"),
        ("/.//admin/users", "/users"),
        ("/x/../admin/users", "/users"),
        ("/admin/./users/../x", "/x"),
        ("/admin/x/..", "/"),
        ("/%61dmin/%C3%A4", "/Ã¤"),
        ("/admin/http://x", "/http://x"),
    ],
)
def test_a_wsgi_application_gets_its_part_of_the_path(app, edge, path, below):
    app.mount("/admin", wsgi_echo)
    shown = app.test_client(edge=edge).get(path).json
    assert (shown["SCRIPT_NAME"], shown["PATH_INFO"]) == ("/admin", below)


@pytest.mark.parametrize(
    ("path", "whole", "raw"),
    [
        ("/admin", "/admin", "/admin"),
        ("/admin/users", "/admin/users", "/admin/users"),
        ("/admin/a%2Fb", "/admin/a/b", "/admin/a%2Fb"),
        ("/x/../admin/b", "/admin/b", "/admin/b"),
        ("/admin/%C3%A4", "/admin/ä", "/admin/%C3%A4"),
    ],
)
def test_an_asgi_application_gets_root_path_and_the_whole_path(app, path, whole, raw):
    app.mount("/admin", echo)
    shown = app.test_client(edge="asgi").get(path).json
    assert (shown["root_path"], shown["path"], shown["raw_path"]) == ("/admin", whole, raw)


@pytest.mark.parametrize("path", ["/administrator", "/admin.html", "/x/admin", "/ADMIN", "/admin/../x", "/%2e%2e/x"])
def test_a_prefix_matches_whole_segments(app, edge, path):
    app.mount("/admin", wsgi_echo)
    assert app.test_client(edge=edge).get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/admin/own"])
def test_routes_come_first(app, edge, path):
    app.mount("/admin", wsgi_echo)
    app.mount("/", wsgi_echo)
    assert app.test_client(edge=edge).get(path).text in ("index", "own")


def test_the_longest_prefix_wins(app, edge):
    app.mount("/", wsgi_echo)
    app.mount("/admin", wsgi_echo)
    app.mount("/admin/deep", wsgi_echo)
    client = app.test_client(edge=edge)
    found = [client.get(path).json["SCRIPT_NAME"] for path in ("/admin/deep/x", "/admin/dee", "/other")]
    assert found == ["/admin/deep", "/admin", ""]


def test_another_application_of_costrel(app, edge):
    other = Costrel("other")

    @other.route("/users/<name>", methods=["GET", "POST"])
    def user(name):
        return f"{name} {request.script_root} {request.url} {request.get_data().decode()}"

    app.mount("/admin", other)
    response = app.test_client(edge=edge).post("/admin/users/ann", data="body")
    assert response.text == "ann /admin http://localhost/admin/users/ann body"


# -- the outer application around it ------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [echo, wsgi_echo])
def test_hooks_csrf_and_rate_limits_do_not_apply(app, other):
    app.before_request(lambda: "hook")
    app.after_request(lambda response: abort(500))
    app.config.update(CSRF_PROTECTION=True, RATE_LIMITS="1/hour")
    app.mount("/admin", other)
    client = app.test_client(edge="asgi")
    statuses = [client.post("/admin", headers={"Sec-Fetch-Site": "cross-site"}).status_code for _ in range(3)]
    assert statuses == [200, 200, 200]


def test_trusted_hosts_apply(app, edge):
    app.config["TRUSTED_HOSTS"] = ["example.org"]
    app.mount("/admin", wsgi_echo)
    client = app.test_client(edge=edge)
    assert client.get("/admin", headers={"Host": "example.org"}).status_code == 200
    assert client.get("/admin", headers={"Host": "evil.org"}).status_code == 400


FORWARDED = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}


def test_trusted_proxies_apply(app, edge):
    app.config["TRUSTED_PROXIES"] = 1
    app.mount("/wsgi", wsgi_echo)
    app.mount("/asgi", echo)
    shown = app.test_client(edge=edge).get("/wsgi", headers=FORWARDED).json
    assert (shown["REMOTE_ADDR"], shown["wsgi.url_scheme"]) == ("192.0.2.7", "https")
    shown = app.test_client(edge="asgi").get("/asgi", headers=FORWARDED).json
    assert (shown["client"][0], shown["scheme"]) == ("192.0.2.7", "https")


def test_fields_of_proxies_that_are_not_trusted_do_not_arrive(app):
    app.config["TRUSTED_PROXIES"] = ["10.0.0.0/8"]
    app.mount("/asgi", echo)
    shown = app.test_client(edge="asgi").get("/asgi", headers={**FORWARDED, "X-Other": "x"}).json
    assert shown["client"][0] == "127.0.0.1"
    assert "x-forwarded-for" not in shown["headers"]
    assert shown["headers"]["x-other"] == "x"


@pytest.mark.parametrize("size", [0, 1, 1000, 300_000])
@pytest.mark.parametrize("other", [echo, wsgi_echo])
def test_bodies_arrive(app, other, size):
    app.mount("/admin", other)
    assert app.test_client(edge="asgi").post("/admin", data=b"x" * size).json["body"] == size


@pytest.mark.parametrize("other", [echo, wsgi_echo])
@pytest.mark.parametrize("size", [1001, 300_000])
def test_the_limit_on_bodies_applies(app, other, size):
    app.config["MAX_CONTENT_LENGTH"] = 1000
    app.mount("/admin", other)
    assert app.test_client(edge="asgi").post("/admin", data=b"x" * size).status_code == 413


def call(application, messages, **changes):
    """The messages that the application sends in answer to these, which end with the client's disconnect."""
    sent, incoming = [], [*messages]

    async def receive():
        return incoming.pop(0) if incoming else {"type": f"{scope['type']}.disconnect", "code": 1001}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/admin",
        "raw_path": b"/admin",
        "query_string": b"",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": None,
        "headers": [(b"host", b"localhost")],
        **changes,
    }
    asyncio.run(asyncio.wait_for(application(scope, receive, send), 30))
    return sent


def test_the_limit_on_bodies_applies_to_chunks(app):
    app.config["MAX_CONTENT_LENGTH"] = 1000
    app.mount("/admin", echo)
    chunks = [{"type": "http.request", "body": b"x" * 600, "more_body": True} for _ in range(3)]
    headers = [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")]
    assert call(app.asgi, chunks, headers=headers)[0]["status"] == 413


def test_the_disconnect_of_the_client_arrives(app):
    seen = []

    async def waiting(scope, receive, send):
        seen.extend([(await receive())["type"], (await receive())["type"]])

    app.mount("/admin", waiting)
    call(app.asgi, [])
    assert seen == ["http.request", "http.disconnect"]


def test_a_stream_arrives_piece_by_piece(app):
    async def stream(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(3):
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
        await send({"type": "http.response.body"})

    app.mount("/admin", stream)
    assert app.test_client(edge="asgi").get("/admin").data == b"012"


async def failing(scope, receive, send):
    raise OSError("broken")


async def bad_header(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"a\nb")]})


async def silent(scope, receive, send):
    pass


def failing_wsgi(environ, start_response):
    raise OSError("broken")


@pytest.mark.parametrize("other", [failing, bad_header, silent, failing_wsgi])
def test_an_error_in_the_mounted_application_is_a_logged_500(app, other, caplog):
    app.mount("/admin", other)
    app.testing = False
    answer = call(app.asgi, [{"type": "http.request", "body": b"", "more_body": False}], method="GET")
    assert answer[0]["status"] == 500
    assert "/admin" in caplog.text


def test_an_asgi_application_needs_an_asgi_server(app):
    app.testing = True
    app.mount("/admin", echo)
    with pytest.raises(RuntimeError, match=r"mounted at '/admin' is an ASGI application, which a WSGI server cannot"):
        app.test_client().get("/admin")
    assert app.test_client().get("/").text == "index"


def test_wsgi_middleware_is_not_around_an_asgi_application(app):
    inner, seen = app.wsgi_app, []

    def middleware(environ, start_response):
        seen.append(environ["PATH_INFO"])
        return inner(environ, start_response)

    app.wsgi_app = middleware
    app.mount("/asgi", echo)
    app.mount("/wsgi", wsgi_echo)
    client = app.test_client(edge="asgi")
    assert client.post("/asgi/x", data=b"body").json["body"] == 4
    assert client.post("/wsgi/x", data=b"body").json["body"] == 4
    assert (client.get("/").text, seen) == ("index", ["/wsgi/x", "/"])


# -- guards -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [echo, wsgi_echo])
def test_a_guard_refuses_and_lets_pass(app, other):
    app.mount("/admin", other, guard=login_required)
    client = app.test_client(edge="asgi")

    refused = client.get("/admin/users")
    assert (refused.status_code, refused.location) == (302, "/login")
    with client.session_transaction() as kept:
        assert kept["next"] == "/admin/users"
        kept["user"] = "ann"
    assert client.get("/admin/users").status_code == 200


def test_a_guard_over_wsgi(app):
    app.mount("/admin", wsgi_echo, guard=login_required)
    assert app.test_client().get("/admin").location == "/login"


@pytest.mark.parametrize("path", ["/admin", "/.//admin", "/x/../admin/users", "/%61dmin/", "/admin//x", "/admin/./x"])
def test_no_spelling_of_the_path_passes_a_guard_by(app, edge, path):
    app.mount("/admin", wsgi_echo, guard=login_required)
    app.mount("/", wsgi_echo)
    assert app.test_client(edge=edge).get(path).location == "/login"


def test_a_guard_that_is_async(app, edge):
    def guard(view):
        async def guarded():
            await asyncio.sleep(0)
            return view() if request.args.get("key") == "right" else ("no", 403)

        return guarded

    app.mount("/admin", wsgi_echo, guard=guard)
    client = app.test_client(edge=edge)
    assert (client.get("/admin").status_code, client.get("/admin?key=right").status_code) == (403, 200)


def test_an_error_of_a_guard_goes_to_its_handler(app, edge):
    def guard(view):
        return lambda: abort(401)

    app.errorhandler(401)(lambda error: ("who are you?", 401))
    app.mount("/admin", wsgi_echo, guard=guard)
    response = app.test_client(edge=edge).get("/admin")
    assert (response.status_code, response.text) == (401, "who are you?")


def test_a_guard_that_returns_nothing_lets_nothing_pass(app, edge):
    app.mount("/admin", wsgi_echo, guard=lambda view: lambda: None)
    assert app.test_client(edge=edge).get("/admin").status_code == 500


# -- WebSockets and the lifespan ----------------------------------------------------------------------------------


async def chat(scope, receive, send):
    assert scope["type"] == "websocket"
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": f"{scope['root_path']} {scope['path']} {message['text']}"})


def test_websockets_are_passed_on(app):
    app.mount("/chat", chat)
    with app.test_client().websocket("/chat/room") as socket:
        socket.send("hello")
        assert socket.receive() == "/chat /chat/room hello"


def test_routes_of_websockets_come_first(app):
    from costrel import websocket

    @app.websocket("/chat/own")
    async def chat_of_its_own():
        await websocket.send("own")

    app.mount("/chat", chat)
    with app.test_client().websocket("/chat/own") as socket:
        assert socket.receive() == "own"


def websocket_answer(app, *headers):
    changes = {"type": "websocket", "scheme": "ws", "path": "/chat", "raw_path": b"/chat", "subprotocols": []}
    messages = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "x" * 2000}]
    extensions = {"websocket.http.response": {}}
    return call(app.asgi, messages, headers=[(b"host", b"localhost"), *headers], extensions=extensions, **changes)


def test_a_guard_refuses_websockets(app):
    app.mount("/chat", chat, guard=login_required)
    answer = websocket_answer(app)
    assert (answer[0]["type"], answer[0]["status"]) == ("websocket.http.response.start", 302)


def test_pages_of_other_sites_open_no_guarded_websocket(app):
    app.config["WEBSOCKET_ALLOWED_ORIGINS"] = ()
    app.mount("/chat", chat, guard=lambda view: view)
    assert websocket_answer(app, (b"origin", b"https://evil.example"))[0]["status"] == 403
    assert websocket_answer(app, (b"origin", b"http://localhost"))[0]["type"] == "websocket.accept"


def test_trusted_hosts_apply_to_websockets(app):
    app.config["TRUSTED_HOSTS"] = ["example.org"]
    app.mount("/chat", chat)
    assert websocket_answer(app)[0]["status"] == 400


def test_the_limit_on_messages_applies(app):
    app.config["WEBSOCKET_MAX_MESSAGE_SIZE"] = 1000
    app.mount("/chat", chat)
    assert websocket_answer(app)[1] == {
        "type": "websocket.close",
        "code": 1009,
        "reason": "A message may have 1000 bytes.",
    }


def test_a_wsgi_application_has_no_websockets(app):
    app.mount("/chat", wsgi_echo)
    assert websocket_answer(app)[0]["status"] == 404


def test_the_lifespan_is_passed_on(app):
    calls = []

    async def mounted(scope, receive, send):
        if scope["type"] == "lifespan":
            scope["state"]["pool"] = "open"
            for _ in range(2):
                phase = (await receive())["type"]
                calls.append(phase)
                await send({"type": f"{phase}.complete"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": scope["state"]["pool"].encode()})

    app.before_serving(lambda: calls.append("before"))
    app.after_serving(lambda: calls.append("after"))
    app.mount("/admin", mounted)
    app.mount("/without", echo)
    app.mount("/silent", silent)

    async def serve():
        lifespan = Lifespan(app.asgi)
        await lifespan.start()
        calls.append("serving")
        await lifespan.stop()

    asyncio.run(serve())
    assert calls == ["before", "lifespan.startup", "serving", "lifespan.shutdown", "after"]
    assert app.test_client(edge="asgi").get("/admin").text == "open"


def test_a_mounted_application_that_fails_to_start(app):
    async def mounted(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    app.mount("/admin", mounted)
    with pytest.raises(RuntimeError, match="mounted at '/admin' failed: no database"):
        asyncio.run(Lifespan(app.asgi).start())


def test_what_has_started_is_stopped_if_the_next_one_fails(app):
    calls = []

    async def first(scope, receive, send):
        for _ in range(2):
            calls.append((await receive())["type"])
            await send({"type": f"{calls[-1]}.complete"})

    async def second(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed"})

    app.mount("/b/first", first)
    app.mount("/b", second)
    with pytest.raises(RuntimeError, match="mounted at '/b' failed"):
        asyncio.run(Lifespan(app.asgi).start())
    assert calls == ["lifespan.startup", "lifespan.shutdown"]


# -- registration -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prefix", ["", "admin", "/a//b", "/a/../b", "/./a", "/<name>", "/a?b", "/a#b", "/a%20b", "//", None]
)
def test_a_prefix_that_no_path_begins_with(app, prefix):
    with pytest.raises(ValueError, match=r"^The prefix of a mount is "):
        app.mount(prefix, echo)


@pytest.mark.parametrize("application", [None, "module:app", object(), lambda: None, Costrel, dict])
def test_no_application(app, application):
    with pytest.raises(TypeError, match="is no application to mount"):
        app.mount("/admin", application)


def test_a_guard_that_is_no_decorator(app):
    with pytest.raises(TypeError, match="It must be a decorator for views"):
        app.mount("/admin", echo, guard="login_required")


def test_a_prefix_that_is_taken(app):
    app.mount("/admin", echo)
    with pytest.raises(ValueError, match="The prefix '/admin' is taken"):
        app.mount("/admin/", echo)


def test_an_application_below_itself(app):
    with pytest.raises(ValueError, match="cannot be mounted at '/admin' of itself"):
        app.mount("/admin", app)


HIDING = [("/<path:page>", "/admin"), ("/<lang>/<path:page>", "/admin"), ("/files/<path:name>", "/files/admin")]


@pytest.mark.parametrize(("rule", "prefix"), [*HIDING, ("/files/<path:name>", "/files")])
def test_a_mount_below_the_prefix_of_a_route(app, rule, prefix):
    app.add_url_rule(rule, "hiding", lambda **values: "route")
    with pytest.raises(ValueError) as caught:
        app.mount(prefix, echo)
    assert str(caught.value) == (
        f"No request would reach the application mounted at {prefix!r}: the rule {rule!r} of 'hiding' matches all paths"
        " below it, and routes come before mounts. Change one of the two."
    )


@pytest.mark.parametrize(("rule", "prefix"), HIDING)
def test_a_route_that_would_hide_a_mount(app, rule, prefix):
    app.mount(prefix, echo)
    with pytest.raises(ValueError, match="No request would reach the application"):
        app.add_url_rule(rule, "hiding", lambda **values: "route")


@pytest.mark.parametrize(
    "rule", ["/<page>", "/admin/<name>", "/<path:page>/edit", "/other/<path:page>", "/adm<path:x>n"]
)
def test_a_route_that_hides_part_of_a_mount_at_most(app, rule):
    app.add_url_rule(rule, "other", lambda **values: "route")
    app.mount("/admin", wsgi_echo)
    assert app.test_client().get("/admin/a/b").json["PATH_INFO"] == "/a/b"


def test_a_mount_below_the_static_files(app):
    with pytest.raises(ValueError, match="'/static/<path:filename>' of 'static'"):
        app.mount("/static/admin", echo)


def test_mounts_end_with_the_setup(app):
    app.test_client().get("/")
    with pytest.raises(AssertionError, match="mount"):
        app.mount("/admin", echo)
