"""Functions after the response: on both edges they run after it, with its request, unless the request has failed."""

import asyncio
import functools
import gc
import logging
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

import costrel
from costrel import (
    Costrel,
    Response,
    abort,
    after_response,
    current_app,
    g,
    got_background_exception,
    has_request_context,
    redirect,
    request,
    send_file,
    session,
    stream_with_context,
    url_for,
)
from costrel.app.application import Flask
from costrel.testing.client import Client
from costrel.testing.environ_builder import EnvironBuilder
from costrel.work import background

from ..processes import wait_until

PATIENCE = 30


@pytest.fixture(params=["wsgi", "asgi"])
def edge(request):
    return request.param


@pytest.fixture
def ran():
    return []


@pytest.fixture
def app():
    app = Costrel("after", static_folder=None)
    app.config.update(TESTING=True, CSRF_PROTECTION=False, SECRET_KEY="a key that is long enough for signatures")
    yield app
    app.logger.setLevel(logging.NOTSET)  # it is the logger of the next test's application too


@pytest.fixture
def client(app, edge):
    return app.test_client(edge=edge)


# -- a function runs after its response


def test_a_function_has_run_when_the_client_returns(app, client, ran):
    @app.route("/")
    def index():
        after_response(ran.append, "sent")
        assert ran == []
        return "hello"

    assert "hello" == client.get("/").text
    assert ["sent"] == ran


def test_an_async_view_registers_functions_too(app, client, ran):
    @app.route("/")
    async def index():
        after_response(lambda: (time.sleep(0.05), ran.append("sent")))
        return "hello"

    client.get("/")
    assert ["sent"] == ran


def test_functions_run_with_their_arguments(app, client, ran):
    @app.route("/")
    def index():
        after_response(lambda *args, **kwargs: ran.append((args, kwargs)), 1, 2, a=3)
        return "hello"

    client.get("/")
    assert [((1, 2), {"a": 3})] == ran


def test_it_is_a_decorator(app, client, ran):
    @app.route("/")
    def index():
        @after_response
        def note():
            ran.append("noted")

        return "hello"

    client.get("/")
    assert ["noted"] == ran


def test_an_async_function_runs_on_the_event_loop_of_an_asgi_server(app, ran):
    @app.route("/")
    async def index():
        loop = asyncio.get_running_loop()

        async def note():
            await asyncio.sleep(0)
            ran.append(asyncio.get_running_loop() is loop)

        after_response(note)
        return "hello"

    app.test_client(edge="asgi").get("/")
    assert [True] == ran


@pytest.mark.parametrize("wrap", [lambda f: f, functools.partial], ids=["function", "partial"])
def test_an_async_function_runs_under_wsgi_in_a_thread(app, ran, wrap):
    async def note():
        await asyncio.sleep(0)
        ran.append(threading.current_thread().name)

    app.add_url_rule("/", "index", lambda: after_response(wrap(note)) and "hello")
    app.test_client().get("/")
    assert ran[0].startswith(background.NAME)


def test_a_function_of_def_runs_in_a_pool_of_its_own(app, client, ran):
    app.add_url_rule("/", "index", lambda: after_response(lambda: ran.append(threading.current_thread().name)) and "x")
    client.get("/")
    assert ran[0].startswith(background.NAME)


def test_every_place_of_a_request_can_register_functions(app, client, ran):
    app.before_request(lambda: after_response(ran.append, "before") and None)
    app.after_request(lambda response: after_response(ran.append, "after") and response)
    app.teardown_request(lambda error: after_response(ran.append, "teardown"))
    app.add_url_rule("/", "index", lambda: after_response(ran.append, "view") and "hello")

    client.get("/")
    assert ["after", "before", "teardown", "view"] == sorted(ran)


def test_the_end_of_each_context_cannot_register_functions_endlessly(app, client, ran, caplog):
    app.teardown_appcontext(lambda error: after_response(ran.append, "context"))
    app.add_url_rule("/", "index", lambda: "hello")

    client.get("/")
    assert ["context"] == ran
    assert "'teardown_request'" in caplog.text


def test_a_teardown_function_alone_can_register_one(app, client, ran):
    app.teardown_request(lambda error: after_response(ran.append, "teardown"))
    app.add_url_rule("/", "index", lambda: "hello")

    client.get("/")
    assert ["teardown"] == ran


def test_a_function_can_call_for_another(app, client, ran):
    def first():
        after_response(ran.append, "second")
        ran.append("first")

    app.add_url_rule("/", "index", lambda: after_response(first) and "hello")
    client.get("/")
    assert ["first", "second"] == sorted(ran)


def test_an_async_function_can_call_for_another_on_its_loop(app, ran):
    async def second():
        ran.append(asyncio.get_running_loop())

    async def first():
        ran.append(asyncio.get_running_loop())
        after_response(second)

    app.add_url_rule("/", "index", lambda: after_response(first) and "hello")
    app.test_client(edge="asgi").get("/")
    assert 2 == len(ran)
    assert ran[0] is ran[1]


def test_a_made_up_request_runs_its_functions_at_the_end_of_its_block(app, ran):
    with app.test_request_context("/"):
        after_response(ran.append, "end")
        assert [] == ran
    assert ["end"] == ran


def test_the_async_client_waits_too(app, ran):
    async def note():
        await asyncio.sleep(0)
        ran.append("sent")

    app.add_url_rule("/", "index", lambda: after_response(note) and after_response(ran.append, "thread") and "hello")

    async def run():
        await app.async_test_client().get("/")

    asyncio.run(run())
    assert ["sent", "thread"] == sorted(ran)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST"])
def test_other_methods_run_functions(app, client, ran, method):
    app.before_request(lambda: after_response(ran.append, "sent") and None)
    app.add_url_rule("/", "index", lambda: "hello", methods=["GET", "POST"])
    client.open("/", method=method)
    assert ["sent"] == ran


def bodies():
    class Closing(Response):
        def close(self):
            """Forgets the functions on close."""

    return {
        "text": lambda: "text",
        "empty": lambda: ("", 204),
        "json": lambda: {"a": 1},
        "parts": lambda: Response(["a", "b"]),
        "redirect": lambda: redirect("/elsewhere"),
        "file": lambda: send_file(__file__),
        "WSGI": lambda: Response.force_type(Response("x"), EnvironBuilder("/").get_environ()),
        "own close": lambda: Closing("x"),
    }


@pytest.mark.parametrize("kind", bodies())
def test_it_runs_after_a_body_of_any_kind(app, client, ran, kind):
    make = bodies()[kind]

    @app.route("/")
    def index():
        after_response(ran.append, kind)
        return make()

    client.get("/")
    assert [kind] == ran


def test_it_runs_once_for_a_response_that_is_closed_twice(app, ran):
    app.add_url_rule("/", "index", lambda: after_response(ran.append, "once") and Response(iter("ab")))
    response = app.test_client().get("/")
    response.get_data()
    response.close()
    response.close()
    assert ["once"] == ran


def test_it_runs_inside_wsgi_middleware(app, client, ran):
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start_response: inner(environ, start_response)
    app.add_url_rule("/", "index", lambda: after_response(ran.append, "sent") and "hello")

    client.get("/")
    assert ["sent"] == ran


def test_it_runs_if_stages_are_overridden(client, app, ran):
    app.full_dispatch_request = type(app).full_dispatch_request.__get__(app)
    app.finalize_request = type(app).finalize_request.__get__(app)
    app.add_url_rule("/", "index", lambda: after_response(ran.append, "sent") and "hello")

    client.get("/")
    assert ["sent"] == ran


def test_flask_has_it_as_well(edge, ran):
    app = Flask("flask", static_folder=None)
    app.testing = True
    app.add_url_rule("/", "index", lambda: after_response(ran.append, "sent") and "hello")

    app.test_client(edge=edge).get("/")
    assert ["sent"] == ran


# -- streams


def test_a_stream_comes_first(app, client, ran):
    @app.route("/")
    def index():
        after_response(lambda: ran.append("after"))

        def pieces():
            for piece in "abc":
                ran.append(piece)
                yield piece

        return Response(pieces())

    assert "abc" == client.get("/").text
    assert ["a", "b", "c", "after"] == ran


def test_an_async_stream_comes_first(app, client, ran):
    @app.route("/")
    async def index():
        after_response(lambda: ran.append("after"))

        async def pieces():
            for piece in "abc":
                ran.append(piece)
                yield piece

        return Response(pieces())

    client.get("/", buffered=True)
    assert ["a", "b", "c", "after"] == ran


@pytest.mark.parametrize("registered_before", [True, False])
def test_a_stream_with_its_context_can_register_functions(app, client, ran, registered_before):
    @app.route("/")
    def index():
        if registered_before:
            after_response(ran.append, "view")

        def pieces():
            yield "a"
            after_response(ran.append, "stream")
            yield "b"

        return Response(stream_with_context(pieces()))

    client.get("/", buffered=True)
    assert ["stream", *(["view"] if registered_before else [])] == sorted(ran)


def test_a_stream_that_fails_drops_functions(app, client, ran):
    @app.route("/")
    def index():
        after_response(ran.append, "dropped")
        after_response(ran.append, "always", always=True)

        def pieces():
            yield "a"
            raise RuntimeError("half-way")

        return Response(pieces())

    with pytest.raises(RuntimeError, match="half-way"):
        client.get("/", buffered=True)
    assert ["always"] == ran


# -- a request that fails


def fail():
    raise RuntimeError("it fails")


@pytest.fixture
def failing(app, ran):
    """An application that answers errors with 500, whose request registers a function of both kinds first."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.logger.setLevel(logging.CRITICAL)

    @app.before_request
    def register():
        after_response(ran.append, "dropped")
        after_response(ran.append, "always", always=True)

    return app


def test_an_error_of_the_view_drops_functions(failing, client, ran):
    failing.add_url_rule("/", "index", fail)
    assert 500 == client.get("/").status_code
    assert ["always"] == ran


def test_an_error_that_reaches_the_test_drops_functions(failing, client, ran):
    failing.config["PROPAGATE_EXCEPTIONS"] = True
    failing.add_url_rule("/", "index", fail)
    with pytest.raises(RuntimeError, match="it fails"):
        client.get("/")
    assert ["always"] == ran


def test_an_error_that_a_handler_answers_drops_functions(failing, client, ran):
    failing.add_url_rule("/", "index", fail)
    failing.register_error_handler(RuntimeError, lambda error: ("handled", 409))
    assert 409 == client.get("/").status_code
    assert ["always"] == ran


def test_an_http_error_drops_functions(failing, client, ran):
    failing.add_url_rule("/", "index", lambda: abort(404))
    client.get("/")
    assert ["always"] == ran


@pytest.mark.parametrize("code", [302, 303])
def test_an_answer_that_is_raised_is_no_failure(failing, client, ran, code):
    failing.add_url_rule("/", "index", lambda: abort(redirect("/elsewhere", code)))
    assert code == client.get("/").status_code
    assert ["always", "dropped"] == sorted(ran)


def test_a_redirect_to_the_slash_is_no_failure(failing, client, ran):
    failing.add_url_rule("/folder/", "folder", lambda: "folder")
    assert 308 == client.get("/folder").status_code
    assert ["always", "dropped"] == sorted(ran)


def test_an_error_after_the_view_drops_functions(failing, client, ran):
    failing.add_url_rule("/", "index", lambda: "hello")
    failing.after_request(lambda response: fail())
    assert 500 == client.get("/").status_code
    assert ["always"] == ran


def test_a_response_that_cannot_be_sent_drops_functions(failing, client, ran):
    def index():
        response = Response("hello")
        response.headers._list.append(("X-A", "a\r\nb"))
        return response

    failing.add_url_rule("/", "index", index)
    assert 500 == client.get("/").status_code
    assert ["always"] == ran


def test_the_handler_of_an_error_registers_functions(failing, client, ran):
    failing.add_url_rule("/", "index", fail)
    failing.register_error_handler(500, lambda error: after_response(ran.append, "reported") and ("sorry", 500))
    client.get("/")
    assert ["always", "reported"] == sorted(ran)


def test_a_response_with_an_error_status_is_no_failure(failing, client, ran):
    failing.add_url_rule("/", "index", lambda: ("invalid", 400))
    client.get("/")
    assert ["always", "dropped"] == sorted(ran)


def test_an_answer_of_a_hook_is_no_failure(failing, client, ran):
    failing.before_request(lambda: "early")
    failing.add_url_rule("/", "index", lambda: "hello")
    assert "early" == client.get("/").text
    assert ["always", "dropped"] == sorted(ran)


# -- providers


class Transaction:
    def __init__(self):
        self.fails = False


def transaction() -> Iterator[Transaction]:
    made = Transaction()
    yield made
    if made.fails:
        raise RuntimeError("commit failed")


def test_functions_wait_for_the_commit(app, client, ran):
    def committing() -> Iterator[Transaction]:
        yield Transaction()
        ran.append("commit")

    @app.route("/")
    def index(tx: Transaction):
        after_response(ran.append, "after")
        return "hello"

    app.provide(committing)
    client.get("/")
    assert ["commit", "after"] == ran


@pytest.mark.parametrize(("edge", "is_handled"), [("wsgi", True), ("asgi", False)])
def test_a_failed_commit_in_each_tenth_of_a_thousand_requests_drops_a_hundred_functions(app, client, ran, is_handled):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.logger.setLevel(logging.CRITICAL)
    app.provide(transaction)
    if is_handled:
        app.register_error_handler(RuntimeError, lambda error: ("conflict", 409))

    @app.route("/<int:number>")
    def order(number: int, tx: Transaction):
        tx.fails = number % 10 == 0
        after_response(ran.append, number)
        return str(number)

    statuses = [client.get(f"/{number}").status_code for number in range(1000)]

    assert 900 == statuses.count(200)
    assert sorted(ran) == [number for number in range(1000) if number % 10]


@pytest.mark.parametrize("fails", [True, False])
def test_the_commit_at_the_end_of_a_stream_decides(app, client, ran, fails):
    app.logger.setLevel(logging.CRITICAL)
    app.provide(transaction)

    @app.route("/")
    def index(tx: Transaction):
        tx.fails = fails
        after_response(ran.append, "after")
        return Response(piece for piece in "abc")

    with pytest.raises(RuntimeError, match="commit failed") if fails else nullcontext():
        client.get("/", buffered=True)
    assert ran == ([] if fails else ["after"])


def test_a_redirect_that_is_raised_rolls_back(app, client, ran):
    app.provide(transaction)

    @app.route("/")
    def index(tx: Transaction):
        after_response(ran.append, "after")
        abort(redirect("/elsewhere"))

    assert 302 == client.get("/").status_code
    assert [] == ran


# -- the context


def test_the_context_has_the_head_of_the_request(app, client, ran):
    def look():
        ran.append((request.method, request.url, request.headers["X-A"], request.args["q"], request.cookies["c"]))
        ran.append((request.endpoint, request.view_args, request.remote_addr, has_request_context()))

    @app.post("/items/<int:number>")
    def item(number):
        after_response(look)
        return "hello"

    client.set_cookie("c", "d")
    client.post("/items/1?q=2", headers={"X-A": "b"})
    assert [
        ("POST", "http://localhost/items/1?q=2", "b", "2", "d"),
        ("item", {"number": 1}, "127.0.0.1", True),
    ] == ran


def test_links_and_the_application_are_there_and_g_is_new(app, client, ran):
    def look():
        ran.append((current_app.name, url_for("index"), url_for("index", _external=True), "user" in g))

    @app.route("/page")
    def index():
        g.user = "ada"
        after_response(look)
        return "hello"

    client.get("/page")
    assert [("after", "/page", "http://localhost/page", False)] == ran


@pytest.mark.parametrize("name", ["form", "files", "data", "json", "stream", "values", "get_json", "get_data"])
def test_the_body_is_gone_with_a_reason(app, client, ran, name):
    def look():
        try:
            getattr(request, name)
        except RuntimeError as error:
            ran.append(str(error))

    app.add_url_rule("/", "index", lambda: after_response(look) and "hello", methods=["POST"])
    client.post("/", data={"a": "b"})
    assert ran[0].startswith(f"request.{name}")
    assert "pass the values to the function" in ran[0]


def test_the_session_is_there_for_reading(app, client, ran):
    def look():
        ran.append((session["user"], session.get("other"), len(session)))

    @app.route("/")
    def index():
        session["user"] = "ada"
        after_response(look)
        return "hello"

    client.get("/")
    assert [("ada", None, 1)] == ran


def test_a_session_that_the_view_did_not_use_is_read_from_its_cookie(app, client, ran):
    app.add_url_rule("/", "index", lambda: after_response(lambda: ran.append(session["user"])) and "hello")
    with client.session_transaction() as opened:
        opened["user"] = "ada"
    client.get("/")
    assert ["ada"] == ran


CHANGES = {
    "item": lambda: session.update(a=1),
    "assignment": lambda: session.__setitem__("a", 1),
    "removal": lambda: session.pop("user"),
    "clear": lambda: session.clear(),
    "permanent": lambda: setattr(session, "permanent", True),
    "user": lambda: setattr(session, "user", "bob"),
    "flash": lambda: costrel.flash("hello"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changing_the_session_raises_the_reason(app, client, ran, change):
    def look():
        try:
            CHANGES[change]()
        except RuntimeError as error:
            ran.append(str(error))

    @app.route("/")
    def index():
        session["user"] = "ada"
        after_response(look)
        return "hello"

    client.get("/")
    assert 1 == len(ran)
    assert "cannot be changed after the response" in ran[0]


def test_a_change_inside_a_value_of_the_session_is_logged(app, client, caplog):
    @app.route("/")
    def index():
        session["items"] = [1]
        after_response(lambda: session["items"].append(2))
        return "hello"

    client.get("/")
    assert "the change is lost" in caplog.text


def test_the_application_context_is_torn_down_and_the_request_is_not_again(app, client, ran):
    app.teardown_appcontext(lambda error: ran.append("context"))
    app.teardown_request(lambda error: ran.append("request"))
    app.add_url_rule("/", "index", lambda: after_response(ran.append, "function") and "hello")

    client.get("/")
    assert ["request", "context", "function", "context"] == ran


# -- errors


def test_an_error_is_logged_and_signalled_with_the_id_of_the_request(app, client, caplog, ran):
    def note(sender, exception, function, request_id):
        ran.append((sender, str(exception), function, request_id, request.path))

    app.add_url_rule("/", "index", lambda: after_response(fail) and "hello")
    with got_background_exception.connected_to(note):
        assert 200 == client.get("/", headers={"X-Request-ID": "abc-123-def"}).status_code

    assert [(app, "it fails", fail, "abc-123-def", "/")] == ran
    (record,) = caplog.records
    assert "The function fail failed after the response to GET / (request abc-123-def)." == record.getMessage()
    assert record.exc_info[0] is RuntimeError


def test_an_error_of_an_async_function_is_too(app, client, caplog, ran):
    async def fail():
        raise RuntimeError("it fails")

    app.add_url_rule("/", "index", lambda: after_response(fail) and "hello")
    with got_background_exception.connected_to(lambda sender, **named: ran.append(str(named["exception"]))):
        client.get("/")
    assert ["it fails"] == ran
    assert 1 == len(caplog.records)


def test_a_function_that_exits_does_not_end_its_thread(app, client, caplog, ran):
    app.config["BACKGROUND_THREADS"] = 1

    def leave():
        raise SystemExit

    app.add_url_rule("/", "index", lambda: after_response(leave) and after_response(ran.append, "next") and "hello")
    client.get("/")
    assert ["next"] == ran
    assert 1 == len(caplog.records)


def test_an_error_does_not_keep_the_others_from_running(app, client, caplog, ran):
    app.add_url_rule("/", "index", lambda: after_response(fail) and after_response(ran.append, "next") and "hello")
    client.get("/")
    assert ["next"] == ran


async def coroutine():
    """Is passed as the result of a call."""


def generator():
    yield


async def async_generator():
    yield


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: None, "takes a function and its arguments, not None"),
        (lambda: coroutine(), r"Do not call it yourself: after_response\(coroutine, "),
        (lambda: generator, "'generator' is a generator function"),
        (lambda: async_generator, "'async_generator' is an 'async def' with 'yield'"),
    ],
    ids=["None", "coroutine", "generator", "async generator"],
)
def test_something_that_is_no_function_is_refused_at_once(app, make, message):
    with app.test_request_context("/"), pytest.raises(TypeError, match=message):
        after_response(make())


def test_outside_of_a_request_there_is_no_response(app):
    with app.app_context(), pytest.raises(RuntimeError, match="'after_response' can only be used while a request"):
        after_response(print)


# -- the queue


def called(app, environ=None):
    """The answer of a WSGI application that is not in a test: its iterable is closed as servers do."""
    body = app(EnvironBuilder("/").get_environ(), lambda status, headers: None)
    list(body)
    body.close()


@pytest.fixture
def busy(app, monkeypatch, ran):
    """The application outside of tests, with one thread that waits for an event, and room for two functions."""
    app.testing = False
    app.config["BACKGROUND_THREADS"] = 1
    monkeypatch.setattr(background, "QUEUE", 2)
    go, begun = threading.Event(), threading.Event()

    def wait():
        begun.set()
        assert go.wait(PATIENCE)

    with app.test_request_context("/"):
        after_response(wait)
    assert begun.wait(PATIENCE)
    yield go
    go.set()
    assert [] == app.background_work.drain(PATIENCE)


def test_close_only_submits_under_wsgi(app, busy, ran):
    app.add_url_rule("/", "index", lambda: after_response(ran.append, "after") and "hello")
    called(app)
    assert [] == ran
    busy.set()
    app.background_work.drain(PATIENCE)
    assert ["after"] == ran


def test_a_full_queue_refuses_under_wsgi_with_a_line_and_a_signal(app, busy, ran, caplog):
    app.add_url_rule("/", "index", lambda: after_response(ran.append, "after") and "hello")
    with costrel.support.signals.background_refused.connected_to(ran.append):
        for _ in range(4):
            called(app)
    assert [app, app] == ran
    busy.set()
    app.background_work.drain(PATIENCE)
    assert ["after", "after"] == ran[2:]
    lines = [record.getMessage() for record in caplog.records]
    assert 2 == len(lines)
    assert "2 functions are already waiting. Raise BACKGROUND_THREADS (1)" in lines[0]


def test_a_full_queue_runs_functions_in_the_thread_of_the_request_under_asgi(app, busy, ran):
    async def note():
        ran.append("loop")

    app.add_url_rule("/", "index", lambda: after_response(lambda: ran.append(threading.current_thread().name)) and "x")
    app.add_url_rule("/async", "async", lambda: after_response(note) and "x")
    client = app.test_client(edge="asgi")
    for _ in range(3):
        client.get("/")
    assert 1 == len(ran)
    assert not ran[0].startswith(background.NAME)
    client.get("/async")
    assert "loop" == ran[1]


def test_draining_names_the_functions_that_are_lost(app, busy, ran, caplog):
    def thumbnail():
        ran.append("made")

    app.add_url_rule("/", "index", lambda: after_response(thumbnail) and after_response(thumbnail) and "hello")
    called(app)
    lost = app.background_work.drain(0.01)
    assert 3 == len(lost)
    assert "before 3 functions after responses have ended" in caplog.text
    assert "thumbnail (2 times)" in caplog.text
    busy.set()
    app.background_work.drain(PATIENCE)
    assert [] == ran


def test_four_threads_work_at_once(app, ran):
    app.testing = False
    together = threading.Barrier(4)
    with app.test_request_context("/"):
        for _ in range(4):
            after_response(lambda: ran.append(together.wait(PATIENCE)))
    assert [] == app.background_work.drain(PATIENCE)
    assert [0, 1, 2, 3] == sorted(ran)


def test_the_lifespan_waits_for_functions_before_the_end_of_serving(app, ran):
    app.testing = False
    app.after_serving(lambda: ran.append("after serving"))
    app.add_url_rule("/", "index", lambda: after_response(lambda: (go.wait(PATIENCE), ran.append("function"))) and "x")
    go = threading.Event()

    async def run():
        async with app.async_test_client() as client:
            await client.get("/")
            go.set()

    asyncio.run(run())
    assert ["function", "after serving"] == ran


# -- WebSockets and mounts


@pytest.mark.parametrize("fails", [True, False])
def test_functions_follow_a_websocket(app, ran, fails):
    app.logger.setLevel(logging.CRITICAL)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.websocket("/chat")
    async def chat():
        await costrel.websocket.accept()
        after_response(ran.append, "after")
        await costrel.websocket.send("hello")
        if fails:
            raise RuntimeError("it fails")

    with app.test_client(edge="asgi").websocket("/chat") as socket:
        assert "hello" == socket.receive()
    if not fails:
        wait_until(lambda: ran, "the function has run")
    app.background_work.drain(PATIENCE)
    assert ran == ([] if fails else ["after"])


def test_the_guard_of_a_mount_registers_functions(app, ran):
    def guard(view):
        def guarded():
            after_response(ran.append, "after")
            return view()

        return guarded

    async def mounted(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"mounted"})

    app.mount("/below", mounted, guard=guard)
    assert "mounted" == app.test_client(edge="asgi").get("/below/").text
    assert ["after"] == ran


def test_the_guard_of_a_wsgi_mount_registers_functions(app, client, ran):
    def guard(view):
        return lambda: after_response(ran.append, "after") and view()

    def mounted(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "7")])
        return [b"mounted"]

    app.mount("/below", mounted, guard=guard)
    response = client.get("/below/", buffered=True)
    assert ("mounted", ["after"]) == (response.text, ran)


# -- other clients and servers


def test_the_client_of_wsgi_applications_waits_as_well(app, ran):
    app.add_url_rule("/", "index", lambda: after_response(ran.append, "sent") and "hello")
    Client(app).get("/")
    assert ["sent"] == ran


def test_redirects_that_are_followed_run_their_functions(app, client, ran):
    app.add_url_rule("/", "index", lambda: after_response(ran.append, "first") and redirect("/next"))
    app.add_url_rule("/next", "next", lambda: after_response(ran.append, "second") and "hello")
    client.get("/", follow_redirects=True)
    assert ["first", "second"] == ran


def test_a_kept_context_changes_nothing(app, client, ran):
    app.add_url_rule("/", "index", lambda: after_response(ran.append, "sent") and "hello")
    with client:
        client.get("/")
        assert (["sent"], "/") == (ran, request.path)
    assert ["sent"] == ran


@pytest.mark.parametrize(("edge", "fails"), [("wsgi", True), ("wsgi", False)])
def test_nothing_is_left_for_the_garbage_collector(failing, client, ran, fails):
    seen = []

    @failing.route("/")
    def index():
        seen.append(weakref.ref(costrel.context.peek_request()))
        return fail() if fails else "hello"

    client.get("/")
    gc.collect()
    gc.disable()
    try:
        client.get("/")
        del seen[0]
        wait_until(lambda: seen[0]() is None, "the context is freed")
    finally:
        gc.enable()


EXITING = """
import threading, time
from costrel import Costrel, after_response
from costrel.testing.environ_builder import EnvironBuilder

app = Costrel("exiting", static_folder=None)

def work():
    while threading.main_thread().is_alive():
        time.sleep(0.01)
    print("done", flush=True)

app.add_url_rule("/", "index", lambda: after_response(work) and "hello")
body = app(EnvironBuilder("/").get_environ(), lambda status, headers: None)
list(body)
body.close()
"""


def test_a_process_that_exits_waits_for_functions():
    done = subprocess.run([sys.executable, "-c", EXITING], capture_output=True, text=True, timeout=60, check=True)
    assert ("done\n", "") == (done.stdout, done.stderr)
