"""WSGI, ASGI and the test client return the same responses for one application."""

import asyncio
import contextvars
from wsgiref.validate import validator

import pytest

from costrel import (
    Blueprint,
    Response,
    abort,
    after_this_request,
    g,
    redirect,
    request,
    send_file,
    session,
    stream_with_context,
    url_for,
)
from costrel.testing import EnvironBuilder

from .asgi_call import Answered, ask


def over_wsgi(app, path, method, body, headers):
    builder = EnvironBuilder(app, path, method=method, data=body, headers=headers)
    answered = Answered()

    def start_response(status, sent, exc_info=None):
        answered.status = int(status[:3])
        answered.headers = {name.lower(): value for name, value in sent}

    environ = builder.get_environ()
    call = validator(app) if method != "HEAD" else app
    chunks = call(environ, start_response)
    try:
        answered.chunks = list(chunks)
    finally:
        if hasattr(chunks, "close"):  # PEP 3333: "If the iterable returned by the application has a close() method"
            chunks.close()
        builder.close()
    return answered


def over_asgi(app, path, method, body, headers):
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return ask(app.asgi, path, method, body, headers=pairs)


def by_client(app, path, method, body, headers):
    client = app.test_client(use_cookies=False)
    with client.open(path, method=method, data=body, headers=headers) as response:
        sent = {name.lower(): value for name, value in response.headers.items()}
        return Answered(response.status_code, sent, [response.data])


@pytest.fixture(params=[over_wsgi, over_asgi, by_client], ids=["wsgi", "asgi", "client"])
def get(request):
    def get(app, path="/", method="GET", body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return request.param(app, path, method, body, headers)

    return get


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_view_of_each_kind(app, get, kind):
    def sync(name):
        return f"hello {name}"

    async def on_loop(name):
        await asyncio.sleep(0)
        return f"hello {name}"

    app.add_url_rule("/<name>", "view", sync if kind == "sync" else on_loop)
    answer = get(app, "/ada")
    assert (answer.status, answer.text) == (200, "hello ada")
    assert (answer.headers["content-type"], answer.headers["content-length"]) == ("text/html; charset=utf-8", "9")


def test_values_become_responses(app, get):
    app.add_url_rule("/json", "json", lambda: {"a": [1]})
    app.add_url_rule("/tuple", "tuple", lambda: ("made", 201, {"X-Own": "1"}))
    app.add_url_rule("/redirect", "redirect", lambda: redirect(url_for("json")))
    assert get(app, "/json").text.strip() == '{"a":[1]}'
    answer = get(app, "/tuple")
    assert (answer.status, answer.text, answer.headers["x-own"]) == (201, "made", "1")
    answer = get(app, "/redirect")
    assert (answer.status, answer.headers["location"]) == (302, "/json")


def test_what_a_request_brings(app, get):
    @app.post("/<path:rest>")
    def index(rest):
        return [rest, request.args["q"], request.form["name"], request.headers["X-Own"], request.cookies["c"]]

    answer = get(
        app, "/caf%C3%A9/x?q=%26", "POST", b"name=%C3%A9",
        Content_Type="application/x-www-form-urlencoded", X_Own="own", Cookie="c=1",
    )  # fmt: skip
    assert answer.text.strip() == '["caf\\u00e9/x","&","\\u00e9","own","1"]'


def test_errors(app, get):
    @app.errorhandler(418)
    async def teapot(error):
        return "short and stout", 418

    app.add_url_rule("/teapot", "teapot", lambda: abort(418))
    app.add_url_rule("/fails", "fails", lambda: 1 / 0)
    app.add_url_rule("/get", "get", lambda: "")
    assert get(app, "/nowhere").status == 404
    assert get(app, "/get", "POST").status == 405
    assert get(app, "/fails").status == 500
    answer = get(app, "/teapot")
    assert (answer.status, answer.text) == (418, "short and stout")


def test_hooks_in_their_order(app, get):
    seen = []
    bp = Blueprint("bp", __name__)

    @app.before_request
    def before():
        seen.append("before")
        g.name = "ada"

    @bp.before_request
    async def before_bp():
        seen.append("before bp")

    @bp.after_request
    def after_bp(response):
        seen.append("after bp")
        return response

    @app.after_request
    async def after(response):
        seen.append("after")
        return response

    @app.teardown_request
    def teardown(error):
        seen.append(("teardown", error))

    @app.teardown_appcontext
    async def end(error):
        seen.append(("end", error))

    @bp.route("/")
    async def index():
        @after_this_request
        def this(response):
            seen.append("this")
            return response

        return g.name

    app.register_blueprint(bp)
    assert get(app).text == "ada"
    assert seen == ["before", "before bp", "this", "after bp", "after", ("teardown", None), ("end", None)]


def test_sessions(app, get):
    @app.route("/")
    def index():
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    first = get(app)
    cookie = first.headers["set-cookie"].partition(";")[0]
    second = get(app, Cookie=cookie)
    assert (first.text, second.text, second.headers["vary"]) == ("1", "2", "Cookie")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_streams_are_closed_once(app, get, kind):
    closed = []

    @app.route("/sync")
    def sync():
        response = Response(stream_with_context(f"{request.path}{number} " for number in range(3)))
        response.call_on_close(lambda: closed.append(kind))
        return response

    @app.route("/async")
    async def on_loop():
        async def numbers():
            for number in range(3):
                await asyncio.sleep(0)
                yield f"/async{number} "

        response = Response(numbers())
        response.call_on_close(lambda: closed.append(kind))
        return response

    assert get(app, f"/{kind}").text == f"/{kind}0 /{kind}1 /{kind}2 "
    assert closed == [kind]


def test_files_and_ranges(app, get, tmp_path):
    file = tmp_path / "file.txt"
    file.write_bytes(b"0123456789" * 10_000)
    app.add_url_rule("/", "index", lambda: send_file(file, conditional=True))
    whole = get(app)
    assert (whole.headers["content-length"], whole.body) == ("100000", file.read_bytes())
    part = get(app, Range="bytes=5-14")
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"5678901234", "bytes 5-14/100000")
    assert get(app, If_None_Match=whole.headers["etag"]).status == 304


def test_head_has_the_headers_and_no_body(app, get):
    app.add_url_rule("/", "index", lambda: "hello")
    answer = get(app, method="HEAD")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "5", b"")


def test_the_limit_of_a_body(app, get):
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.add_url_rule("/", "index", lambda: request.get_data(), methods=["POST"])
    assert get(app, method="POST", body=b"x" * 10).body == b"x" * 10
    assert get(app, method="POST", body=b"x" * 11).status == 413


def test_middleware_around_the_application(app, get):
    inner = app.wsgi_app

    def middleware(environ, start_response):
        environ["SCRIPT_NAME"] = "/mounted"
        return inner(environ, start_response)

    app.wsgi_app = middleware

    @app.route("/")
    async def index():
        return url_for("index")

    assert get(app).text == "/mounted/"


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("hook", ["sync", "async"])
def test_a_stream_sees_the_context_variables_of_its_request(app, get, kind, hook):
    variable = contextvars.ContextVar("variable", default="unset")

    def before():
        variable.set("set")

    async def before_async():
        variable.set("set")

    def pieces():
        yield variable.get()

    async def pieces_async():
        yield variable.get()

    app.before_request(before if hook == "sync" else before_async)
    app.add_url_rule("/", "index", lambda: Response(pieces() if kind == "sync" else pieces_async()))

    assert get(app).text == "set"


def test_a_view_may_pass_on_how_another_server_has_sent_its_answer(app, get):
    headers = {"Content-Type": "text/plain", "Transfer-Encoding": "chunked"}
    app.add_url_rule("/", "index", lambda: ("ab", 200, headers))
    app.add_url_rule("/stream", "stream", lambda: Response(iter("ab"), headers=headers))

    for path in ("/", "/stream"):
        answered = get(app, path)
        assert (answered.status, answered.text, answered.headers["content-type"]) == (200, "ab", "text/plain")


@pytest.mark.parametrize("target", ["/", "/caf%C3%A9%2Fa", "/caf%C3%A9%2Fa?x=%2F&y", "/?a=1"])
def test_the_target_is_there_as_it_was_asked_for(app, get, target):
    @app.route("/")
    @app.route("/<path:rest>")
    def index(rest=""):
        return [request.environ["REQUEST_URI"], request.environ["RAW_URI"]]

    assert get(app, target).text.strip() == f'["{target}","{target}"]'
