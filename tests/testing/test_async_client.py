"""The async test client calls an application over ASGI on the loop of the test."""

import asyncio
import functools
import io

import pytest

from costrel import Costrel, Response, flash, get_flashed_messages, redirect, request, session, websocket
from costrel.testing import AsyncTestClient, AsyncTestResponse, ClientRedirectError
from costrel.testing.websocket import WebSocketRefused


def asynchronous(test):
    """Run an async test to its end."""

    @functools.wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


@pytest.fixture
def app():
    app = Costrel(__name__, static_folder=None)
    app.secret_key = "k" * 32
    app.testing = True
    yield app
    app.asgi.workers.close()


@asynchronous
async def test_requests(app):
    @app.route("/<name>", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    async def view(name):
        return {"method": request.method, "name": name, "form": dict(request.form), "agent": request.user_agent.string}

    client = app.async_test_client()
    assert isinstance(client, AsyncTestClient)
    response = await client.post("/ann", data={"a": "ü"})
    assert isinstance(response, AsyncTestResponse)
    assert {"a": "ü"} == response.json["form"]
    assert ("200 OK", "/ann", "application/json") == (response.status, response.request.path, response.mimetype)
    for method in ("get", "put", "delete", "patch"):
        assert method.upper() == (await getattr(client, method)("/ann")).json["method"]
    client.environ_base["HTTP_USER_AGENT"] = "mine"
    assert "mine" == (await client.get("/ann")).json["agent"]
    assert (200, b"") == ((await client.head("/ann")).status_code, (await client.head("/ann")).data)


@asynchronous
async def test_a_view_runs_on_the_loop_of_the_test(app):
    app.loop = asyncio.get_running_loop()

    @app.route("/")
    async def index():
        return str(asyncio.get_running_loop() is app.loop)

    assert "True" == (await app.async_test_client().get("/")).text


@asynchronous
async def test_requests_at_the_same_time(app):
    app.met = asyncio.Barrier(3)

    @app.route("/<int:number>")
    async def index(number):
        await app.met.wait()
        return str(number)

    client = app.async_test_client()
    responses = await asyncio.gather(*(client.get(f"/{number}") for number in range(3)))
    assert ["0", "1", "2"] == [response.text for response in responses]


@asynchronous
async def test_cookies_sessions_and_redirects(app):
    @app.post("/save")
    def save():
        session["saved"] = True
        flash("Saved.")
        return redirect("/show")

    app.add_url_rule("/show", "show", lambda: [get_flashed_messages(), dict(session), request.cookies.get("own")])
    app.add_url_rule("/again", "again", lambda: redirect("/again"))
    client = app.async_test_client()
    client.set_cookie("own", "1")
    response = await client.post("/save", follow_redirects=True)
    assert [["Saved."], {"saved": True}, "1"] == response.json
    assert ["/save"] == [before.request.path for before in response.history]
    assert b"/show" in response.history[0].data
    with client.session_transaction() as changed:
        changed["saved"] = "changed"
    client.delete_cookie("own")
    assert [[], {"saved": "changed"}, None] == (await client.get("/show")).json
    assert client.get_cookie("session") is not None
    with pytest.raises(ClientRedirectError):
        await client.get("/again", follow_redirects=True)


@asynchronous
async def test_a_client_without_cookies(app):
    app.add_url_rule("/", "index", lambda: (str(len(request.cookies)), 200, {"Set-Cookie": "a=1"}))
    client = app.async_test_client(use_cookies=False)
    assert ["0", "0"] == [(await client.get("/")).text, (await client.get("/")).text]


@asynchronous
async def test_errors_of_the_application(app):
    @app.route("/")
    async def fail():
        raise KeyError("failed")

    client = app.async_test_client()
    with pytest.raises(KeyError, match="failed"):
        await client.get("/")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert 500 == (await client.get("/")).status_code


@asynchronous
async def test_uploads(app):
    app.add_url_rule("/", "upload", lambda: str(len(request.files["f"].read())), methods=["POST"])
    response = await app.async_test_client().post("/", data={"f": (io.BytesIO(b"x" * 200_000), "f.bin")})
    assert "200000" == response.text


@pytest.mark.parametrize("kind", ["sync", "async"])
@asynchronous
async def test_a_stream_is_made_as_it_is_read(app, kind):
    made = []

    def pieces():
        for number in range(3):
            made.append(number)
            yield str(number)

    async def pieces_async():
        for piece in pieces():
            yield piece

    app.add_url_rule("/", "stream", lambda: Response(pieces() if kind == "sync" else pieces_async()))
    client = app.async_test_client()
    async with client.stream("/") as response:
        assert (200, [0]) == (response.status_code, made)
        with pytest.raises(RuntimeError, match=r"^The body of this response is a stream"):
            response.get_data()
        assert [b"0", b"1", b"2"] == [chunk async for chunk in response.iter_chunks()]
    async with client.stream("/", method="GET") as response:
        assert b"0" == await anext(response.iter_chunks())
        assert (b"12", "12") == (await response.read(), response.text)
    assert "012" == (await client.get("/")).text


@asynchronous
async def test_leaving_a_stream_disconnects(app):
    seen = []

    @app.route("/")
    async def events():
        async def pieces():
            try:
                while True:
                    yield b"event"
            finally:
                seen.append("closed")

        return Response(pieces())

    async with app.async_test_client().stream("/") as response:
        async for chunk in response.iter_chunks():
            assert b"event" == chunk
            break
    assert ["closed"] == seen


@asynchronous
async def test_a_test_that_gives_up_disconnects(app):
    seen = []

    @app.route("/")
    async def wait():
        try:
            await asyncio.sleep(3600)
        finally:
            seen.append("cancelled")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(app.async_test_client().get("/"), 0.1)
    assert ["cancelled"] == seen


@asynchronous
async def test_websockets(app):
    @app.websocket("/echo")
    async def echo():
        await websocket.send(f"{request.cookies['own']} {await websocket.receive()}")

    client = app.async_test_client()
    client.set_cookie("own", "1")
    async with client.websocket("/echo") as ws:
        await ws.send("hello")
        assert "1 hello" == await ws.receive()
    with pytest.raises(WebSocketRefused):
        async with client.websocket("/nowhere"):
            pass


@asynchronous
async def test_a_block_is_one_time_of_serving(app):
    seen = []
    app.before_serving(lambda: seen.append("before"))
    app.after_serving(lambda: seen.append("after"))

    @app.while_serving
    async def around():
        app.pool = "pool"
        yield
        seen.append("closed")

    app.add_url_rule("/", "index", lambda: app.pool)
    async with app.async_test_client() as client:
        assert "pool" == (await client.get("/")).text
        with pytest.raises(RuntimeError, match="is in an `async with` block already"):
            await client.__aenter__()
        assert ["before"] == seen
    assert ["before", "closed", "after"] == seen


@asynchronous
async def test_a_start_that_fails(app):
    @app.before_serving
    def fail():
        raise KeyError("no database")

    app.logger.disabled = True
    with pytest.raises(RuntimeError, match="The startup of the application failed: KeyError: 'no database'"):
        async with app.async_test_client():
            pass


def test_responses_have_the_members_of_the_applications_class(app):
    class Mine(Response):
        answer = 42

    app.response_class = Mine
    app.add_url_rule("/", "index", lambda: "")
    assert 42 == asyncio.run(app.async_test_client().get("/")).answer
    assert f"<AsyncTestClient {app!r}>" == repr(app.async_test_client())
