"""An application's own tests pass over both edges: the test client makes the same requests over WSGI and over ASGI."""

import asyncio
import io

import pytest

from costrel import (
    Blueprint,
    Response,
    abort,
    after_this_request,
    current_app,
    flash,
    g,
    get_flashed_messages,
    has_app_context,
    has_request_context,
    make_response,
    redirect,
    render_template_string,
    request,
    send_file,
    session,
    stream_with_context,
    url_for,
)
from costrel.context import appcontext_popped
from costrel.testing import EnvironBuilder, FlaskClient, app_client

from .asgi_validator import validated


@pytest.fixture(autouse=True)
def every_asgi_response_is_validated(monkeypatch):
    """Put the ASGI validator between the clients and the applications, as the suite does with that of WSGI."""
    call = app_client.run_asgi_app
    monkeypatch.setattr(app_client, "run_asgi_app", lambda app, *args, **kwargs: call(validated(app), *args, **kwargs))


@pytest.fixture(params=["wsgi", "asgi"])
def edge(request):
    return request.param


@pytest.fixture
def client(app, edge):
    app.testing = True
    return app.test_client(edge=edge)


def test_the_client_says_which_edge_it_drives(client, edge):
    assert edge == client.edge


# -- requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_request_with_all_its_parts(app, client, kind):
    def sync(name):
        return [
            request.method, request.url, name, request.args.getlist("q"), request.headers["X-Tag"], request.remote_addr,
            request.mimetype, request.authorization.username, request.get_json(), request.is_secure,
        ]  # fmt: skip

    async def on_loop(name):
        await asyncio.sleep(0)
        return sync(name)

    app.add_url_rule("/<path:name>", "view", sync if kind == "sync" else on_loop, methods=["PUT"])
    response = client.put(
        "/caf%C3%A9/a b", query_string={"q": ["1", "ü&"]}, base_url="https://example.org:8443", json={"a": [None]},
        headers={"X-Tag": "1"}, auth=("ann", "secret"), environ_base={"REMOTE_ADDR": "10.0.0.1"},
    )  # fmt: skip
    assert response.json == [
        "PUT", "https://example.org:8443/café/a%20b?q=1&q=ü%26", "café/a b", ["1", "ü&"], "1", "10.0.0.1",
        "application/json", "ann", {"a": [None]}, True,
    ]  # fmt: skip


@pytest.mark.parametrize("target", ["/", "/caf%C3%A9%2Fa?x=%2F", "/é", "/a%3Fb", "/100%25"])
def test_the_path_arrives_as_it_was_written(app, client, target):
    @app.route("/", defaults={"rest": ""})
    @app.route("/<path:rest>")
    def view(rest):
        return [request.path, request.environ["QUERY_STRING"]]

    expected = EnvironBuilder(app, target).get_request()
    assert [expected.path, expected.query_string.decode()] == client.get(target).json


def test_an_application_below_a_root(app, client):
    app.config["APPLICATION_ROOT"] = "/app"
    app.add_url_rule("/page", "page", lambda: [request.root_path, request.path, url_for("page")])
    assert ["/app", "/page", "/app/page"] == client.get("/page").json


def test_a_subdomain(app, client):
    app.config["SERVER_NAME"] = "example.org"
    app.subdomain_matching = True
    app.url_map.host_matching = False
    app.add_url_rule("/", "api", lambda: request.host, subdomain="api")
    assert "api.example.org" == client.get("/", subdomain="api").text
    assert 404 == client.get("/").status_code


def test_entries_of_the_environ_that_no_server_sends(app, client):
    marker = object()
    app.add_url_rule("/", "index", lambda: [request.remote_user, request.environ["test.marker"] is marker])
    assert ["ann", True] == client.get("/", environ_overrides={"REMOTE_USER": "ann", "test.marker": marker}).json


def test_a_request_is_opened_in_several_forms(app, client):
    app.add_url_rule("/", "index", lambda: [request.args["a"], request.remote_addr])
    client.environ_base["REMOTE_ADDR"] = "10.0.0.1"
    builder = EnvironBuilder(app, "/?a=1")
    expected = ["1", "10.0.0.1"]
    assert [expected] * 4 == [
        client.open("/?a=1").json,
        client.open(builder).json,
        client.open(builder.get_environ()).json,
        client.open(builder.get_request()).json,
    ]


def test_head_and_automatic_options(app, client):
    app.add_url_rule("/", "index", lambda: "hello")
    head = client.head("/")
    assert (200, "5", b"") == (head.status_code, head.headers["Content-Length"], head.data)
    assert {"GET", "HEAD", "OPTIONS"} == client.options("/").allow.as_set(preserve_casing=True)


# -- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("size", [0, 10, 200_000])
def test_an_upload(app, client, kind, size):
    def sync():
        file = request.files["photo"]
        return [file.filename, file.mimetype, len(file.read()), request.form.getlist("tag")]

    async def on_loop():
        return sync()

    app.add_url_rule("/", "upload", sync if kind == "sync" else on_loop, methods=["POST"])
    photo = io.BytesIO(b"x" * size)
    response = client.post("/", data={"tag": ["a", "ü"], "photo": (photo, 'a "b".png')})
    assert ['a "b".png', "image/png", size, ["a", "ü"]] == response.json
    assert photo.closed


def test_a_form(app, client):
    app.add_url_rule("/", "form", lambda: dict(request.form), methods=["POST"])
    assert {"a": "ü & ~", "lines": "1\r\n2"} == client.post("/", data={"a": "ü & ~", "lines": "1\n2"}).json


def test_a_body_that_is_a_stream(app, client):
    app.add_url_rule("/", "length", lambda: str(len(request.get_data())), methods=["POST"])
    assert "100000" == client.post("/", input_stream=io.BytesIO(b"x" * 100_000)).text
    assert "5" == client.post("/", data=io.BytesIO(b"hello")).text
    assert "0" == client.post("/").text


def test_a_body_above_the_limit(app, client):
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.add_url_rule("/", "read", lambda: request.get_data(), methods=["POST"])
    assert [200, 413] == [client.post("/", data=b"x" * size).status_code for size in (10, 11)]


def test_a_body_shorter_than_its_length(app, client):
    app.add_url_rule("/", "read", lambda: request.get_data(), methods=["POST"])
    assert 400 == client.post("/", data=b"x", environ_overrides={"CONTENT_LENGTH": "2"}).status_code


# -- cookies, sessions, redirects ----------------------------------------------------------------------------------


def test_cookies(app, client):
    @app.route("/set")
    def set_cookie():
        response = make_response(request.cookies.get("theme", "none"))
        response.set_cookie("theme", "dark;ü")
        response.set_cookie("below", "1", path="/below")
        return response

    app.add_url_rule("/below/show", "show", lambda: dict(request.cookies))
    app.add_url_rule("/drop", "drop", lambda: ("", 200, {"Set-Cookie": "theme=; Max-Age=0"}))
    assert ["none", "dark;ü"] == [client.get("/set").text, client.get("/set").text]
    assert {"theme": "dark;ü", "below": "1"} == client.get("/below/show").json
    assert "1" == client.get_cookie("below", path="/below").value
    client.get("/drop")
    client.set_cookie("own", "2")
    client.delete_cookie("below", path="/below")
    assert {"own": "2"} == client.get("/below/show").json


def test_a_client_without_cookies(app, edge):
    app.add_url_rule("/", "index", lambda: (str(len(request.cookies)), 200, {"Set-Cookie": "a=1"}))
    client = app.test_client(use_cookies=False, edge=edge)
    assert ["0", "0"] == [client.get("/").text, client.get("/").text]


def test_sessions(app, client):
    @app.route("/visit")
    def visit():
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    assert ["1", "2"] == [client.get("/visit").text, client.get("/visit").text]
    with client.session_transaction() as changed:
        changed["visits"] = 10
    assert "11" == client.get("/visit").text


def test_flashed_messages(app, client):
    @app.post("/save")
    def save():
        flash("Saved & done.", "info")
        return redirect(url_for("show"))

    app.add_url_rule("/show", "show", lambda: get_flashed_messages(with_categories=True))
    assert [["info", "Saved & done."]] == client.post("/save", follow_redirects=True).json
    assert [] == client.get("/show").json


def test_redirects(app, client):
    @app.route("/from/<int:number>", methods=["GET", "POST"])
    def chain(number):
        return redirect(url_for("chain", number=number - 1)) if number else request.method

    app.add_url_rule("/keep", "keep", lambda: redirect("/echo", 307), methods=["POST"])
    app.add_url_rule("/echo", "echo", lambda: request.form["a"], methods=["POST"])
    response = client.post("/from/3", follow_redirects=True)
    assert ("GET", ["/from/3", "/from/2", "/from/1"]) == (response.text, [r.request.path for r in response.history])
    assert (302, "/from/2") == (client.get("/from/3").status_code, client.get("/from/3").location)
    assert "body" == client.post("/keep", data={"a": "body"}, follow_redirects=True).text


def test_a_redirect_to_another_host_is_refused(app, client):
    app.add_url_rule("/", "away", lambda: redirect("https://elsewhere.example/"))
    with pytest.raises(RuntimeError, match=r"^Following external redirects is not supported"):
        client.get("/", follow_redirects=True)


# -- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_error_reaches_the_test(app, client, kind):
    def sync():
        raise KeyError("failed")

    async def on_loop():
        raise KeyError("failed")

    app.add_url_rule("/", "fail", sync if kind == "sync" else on_loop)
    with pytest.raises(KeyError, match="failed"):
        client.get("/")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert 500 == client.get("/").status_code


def test_error_handlers(app, client):
    @app.errorhandler(404)
    def missing(error):
        return {"missing": request.path}, 404

    @app.errorhandler(ZeroDivisionError)
    async def divided(error):
        return "by zero", 418

    app.add_url_rule("/divide", "divide", lambda: 1 / 0)
    app.add_url_rule("/abort", "abort", lambda: abort(403, "Not you."))
    assert (404, {"missing": "/nowhere"}) == (client.get("/nowhere").status_code, client.get("/nowhere").json)
    assert (418, "by zero") == (client.get("/divide").status_code, client.get("/divide").text)
    assert "403 FORBIDDEN" == client.get("/abort").status
    assert 405 == client.post("/divide").status_code


def test_an_error_in_the_middle_of_a_stream(app, client):
    def pieces():
        yield "begun"
        raise KeyError("lost")

    app.add_url_rule("/", "stream", lambda: Response(pieces()))
    response = client.get("/")
    with pytest.raises(KeyError, match="lost"):
        response.get_data()
    response.close()


# -- streams -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("buffered", [False, True])
def test_a_stream_is_made_as_it_is_read(app, client, kind, buffered):
    made = []

    def pieces():
        for number in range(3):
            made.append(number)
            yield f"{request.path}{number} "

    async def pieces_async():
        for number in range(3):
            await asyncio.sleep(0)
            made.append(number)
            yield f"/s{number} "

    @app.route("/s")
    def stream():
        response = Response(stream_with_context(pieces()) if kind == "sync" else pieces_async())
        response.call_on_close(lambda: made.append("closed"))
        return response

    with client.get("/s", buffered=buffered) as response:
        assert made == ([0, 1, 2, "closed"] if buffered else [0])
        assert "/s0 /s1 /s2 " == response.text
    assert [0, 1, 2, "closed"] == made


@pytest.mark.unvalidated("the stream is left before its end")
def test_a_stream_is_left_before_its_end(app, client, monkeypatch, edge):
    monkeypatch.undo()
    seen = []

    def endless():
        try:
            while True:
                yield "more "
        finally:
            seen.append("closed")

    app.add_url_rule("/", "stream", lambda: Response(endless()))
    with client.get("/") as response:
        pieces = iter(response.response)
        assert b"more more " == next(pieces) + next(pieces)
    assert ["closed"] == seen


def test_files_and_ranges(app, client, tmp_path):
    file = tmp_path / "file.txt"
    file.write_bytes(b"0123456789" * 30_000)
    app.add_url_rule("/", "file", lambda: send_file(file, conditional=True))
    with client.get("/") as whole, client.get("/", headers={"Range": "bytes=5-14"}) as part:
        assert (file.read_bytes(), b"5678901234", 206) == (whole.data, part.data, part.status_code)
        assert 304 == client.get("/", headers={"If-None-Match": whole.headers["ETag"]}).status_code


# -- hooks and contexts --------------------------------------------------------------------------------------------


def test_hooks_in_their_order(app, client):
    seen = []
    bp = Blueprint("bp", __name__)

    @app.before_request
    def before():
        seen.append("before")
        g.name = "ann"

    @bp.before_request
    async def before_bp():
        seen.append("before bp")

    @app.after_request
    async def after(response):
        seen.append("after")
        response.headers["X-Name"] = g.name
        return response

    @app.teardown_request
    def teardown(error):
        seen.append(("teardown", error))

    @bp.route("/")
    def index():
        @after_this_request
        def this(response):
            seen.append("this")
            return response

        return render_template_string("{{ g.name }} at {{ request.path }}")

    app.register_blueprint(bp)
    response = client.get("/")
    assert ("ann at /", "ann") == (response.text, response.headers["X-Name"])
    assert ["before", "before bp", "this", "after", ("teardown", None)] == seen


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_block_keeps_the_last_context(app, client, kind):
    torn_down = []

    @app.teardown_request
    def teardown(error):
        torn_down.append(request.path)

    def sync():
        g.visited = session["visited"] = True
        return redirect("/end") if request.path == "/begin" else "visited"

    async def on_loop():
        return sync()

    for path in ("/begin", "/end", "/other"):
        app.add_url_rule(path, path, sync if kind == "sync" else on_loop)
    with client:
        client.get("/begin", follow_redirects=True)
        assert ("/end", True, {"visited": True}) == (request.path, g.visited, dict(session))
        assert app is current_app._get_current_object()
        client.get("/other")
        assert "/other" == request.path
    assert not has_request_context()
    assert ["/begin", "/end", "/other"] == torn_down


def test_an_error_leaves_no_context(app, client):
    app.add_url_rule("/fail", "fail", lambda: 1 / 0)
    with client:
        with pytest.raises(ZeroDivisionError):
            client.get("/fail")
        assert not has_request_context()


def test_a_test_within_an_application_context_shares_its_g(app, client):
    @app.route("/")
    def index():
        g.count += 1
        return str(g.count)

    with app.app_context():
        g.count = 1
        assert ["2", "3"] == [client.get("/").text, client.get("/").text]
        assert 3 == g.count


def test_signals(app, client):
    popped = []
    app.add_url_rule("/", "index", lambda: "")
    with appcontext_popped.connected_to(lambda sender: popped.append(sender), app):
        client.get("/")
    assert [app] == popped
    assert not has_app_context()


# -- the client itself ---------------------------------------------------------------------------------------------


def test_wsgi_middleware_is_in_between(app, edge):
    inner = app.wsgi_app

    def middleware(environ, start_response):
        environ["SCRIPT_NAME"] = "/mounted"
        return inner(environ, start_response)

    app.wsgi_app = middleware
    app.add_url_rule("/", "index", lambda: url_for("index"))
    with app.test_client(edge=edge) as client:
        assert "/mounted/" == client.get("/").text
        assert "/mounted" == request.script_root


def test_a_client_class_of_ones_own(app, edge):
    class Mine(FlaskClient):
        def __init__(self, application, response_wrapper, *, use_cookies, token):
            super().__init__(application, response_wrapper, use_cookies=use_cookies)
            self.token = token

        def open(self, *args, **kwargs):
            kwargs.setdefault("headers", {})["Authorization"] = f"Bearer {self.token}"
            return super().open(*args, **kwargs)

    app.test_client_class = Mine
    app.add_url_rule("/", "index", lambda: request.authorization.token)
    assert "abc" == app.test_client(edge=edge, token="abc").get("/").text


def test_responses_have_the_members_of_the_applications_class(app, edge):
    class Mine(Response):
        answer = 42

    app.response_class = Mine
    app.add_url_rule("/", "index", lambda: "")
    assert 42 == app.test_client(edge=edge).get("/").answer
