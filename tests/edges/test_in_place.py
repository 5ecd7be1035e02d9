"""Requests that are answered in the thread that delivers them, and move to the loop if a step must be awaited."""

import asyncio
import contextvars
import threading

import pytest

from costrel import Costrel, Response, abort, current_app, g, request, send_file, stream_with_context
from costrel.edges.drive import on_loop
from costrel.edges.scope import ECHO
from costrel.edges.threads import PinnedThread
from costrel.routing import BaseConverter, Rule

from .asgi_call import ask, call, scope_for

ID = (b"x-request-id", b"12345678")


def where():
    """Which of the threads this is: the one that hands requests over, a worker's, or the loop's."""
    if asyncio._get_running_loop() is not None:
        return "loop"
    return "worker" if threading.current_thread().name.startswith("costrel-worker") else "in place"


async def begin_and_go_on(edge, moves, scope, receive, send):
    """Answer as a server does: begin in a thread without a loop, and go on here if that has not ended it."""

    loop = asyncio.get_running_loop()
    handed_over = loop.create_future()

    def moved(scope, send):
        moves.append(where())
        return send

    def begin():
        begun = edge.answer_in_place(scope, receive, send, moved)
        try:
            awaited = begun.send(None)
        except StopIteration:
            loop.call_soon_threadsafe(handed_over.set_result, None)
            return
        except BaseException as error:
            loop.call_soon_threadsafe(handed_over.set_exception, error)
            return
        loop.call_soon_threadsafe(handed_over.set_result, (begun, awaited, contextvars.copy_context()))
        if isinstance(awaited, PinnedThread):
            awaited.serve()

    in_thread = asyncio.create_task(asyncio.to_thread(begin))
    try:
        rest = await handed_over
        if rest is not None:
            begun, awaited, variables = rest
            await loop.create_task(on_loop(begun, awaited), context=variables)
    finally:
        await in_thread


async def call_in_place(app, *args, **scope):
    """The answer to a request that is begun in place, and where it went on: nowhere, or "loop"."""
    app.open_for_requests()  # nothing is taken before that
    moves = []

    async def application(*protocol):
        await begin_and_go_on(app.asgi, moves, *protocol)

    answered = await asyncio.wait_for(call(application, *args, **scope), 30)
    return answered, moves


def ask_in_place(app, *args, **scope):
    return asyncio.run(call_in_place(app, *args, **scope))


def takes(app, path="/", method="GET", **scope):
    return app.asgi.takes_in_place(scope_for(path, method, **scope))


@pytest.fixture
def mixed(app):
    """An application with views of both kinds that has already answered a request."""
    methods = ["GET", "POST"]

    @app.route("/", methods=methods)
    @app.route("/items/<int:number>", methods=methods)
    def index(number=0):
        return f"{where()} {number}"

    @app.route("/async", methods=methods)
    @app.route("/items/<int:number>/async", methods=methods)
    async def index_async(number=0):
        return f"{where()} {number}"

    @app.post("/only-post")
    def only_post():
        return where()

    ask(app.asgi)
    return app


# -- what is taken


def test_nothing_is_taken_before_the_first_request(app):
    app.add_url_rule("/", "index", where)

    assert not takes(app)
    ask(app.asgi)
    assert takes(app)


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("/", True),
        ("/?a=1", True),
        ("/items/5", True),
        ("/async", False),
        ("/async?a=1", False),
        ("/items/5/async", False),
        ("/nowhere", True),
        ("/items/none", True),
        ("/only-post", True),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_of_both_kinds_the_def_views_and_what_is_not_found_are_taken(mixed, path, taken, method):
    assert takes(mixed, path, method) is taken


def test_a_view_that_is_added_later_is_told_from_the_known_ones(mixed):
    def taken():
        return [takes(mixed, path) for path in ("/", "/async", "/late", "/late/5")]

    async def late(number=0):
        return where()

    assert [taken(), taken()] == [[True, False, True, True]] * 2
    mixed.url_map.add(Rule("/late", endpoint="late"))
    mixed.url_map.add(Rule("/late/<int:number>", endpoint="late"))
    mixed.view_functions["late"] = late
    assert [taken(), taken()] == [[True, False, False, False]] * 2


def test_views_of_one_path_are_told_apart_by_method(mixed):
    mixed.url_map.add(Rule("/apart", endpoint="index_async", methods=["HEAD"]))
    mixed.url_map.add(Rule("/apart", endpoint="index", methods=["GET"]))

    for _ in range(2):
        assert [takes(mixed, "/apart", method) for method in ("GET", "HEAD")] == [True, False]


def test_an_application_of_def_views_is_taken_whole(app):
    app.add_url_rule("/", "index", where)
    ask(app.asgi)

    assert [takes(app, path) for path in ("/", "/nowhere")] == [True, True]


def test_of_an_application_of_async_views_nothing_is_taken(tmp_path):
    app = Costrel(__name__, static_folder=tmp_path)  # which gives it a def view for the files

    @app.route("/")
    async def index():
        return where()

    ask(app.asgi)
    assert [takes(app, path) for path in ("/", "/nowhere")] == [False, False]


@pytest.mark.parametrize(("version", "taken"), [("1.0", True), ("1.1", True), ("2", False), ("3", False)])
def test_later_versions_of_http_may_have_a_body_without_saying_so(mixed, version, taken):
    assert takes(mixed, http_version=version) is taken


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_methods_with_bodies_are_not_taken(mixed, method):
    assert not takes(mixed, method=method)


def test_websockets_and_the_lifespan_are_not_taken(mixed):
    websocket = {**scope_for("/"), "type": "websocket"}
    del websocket["method"]

    assert not mixed.asgi.takes_in_place(websocket)
    assert not mixed.asgi.takes_in_place({"type": "lifespan"})


def test_a_wrapped_application_is_not_taken(mixed):
    wsgi_app = mixed.wsgi_app
    mixed.wsgi_app = lambda environ, start_response: wsgi_app(environ, start_response)

    assert not takes(mixed)


def test_an_application_whose_class_answers_in_its_own_way_is_not_taken():
    class Own(Costrel):
        def wsgi_app(self, environ, start_response):
            return super().wsgi_app(environ, start_response)

    app = Own(__name__, static_folder=None)
    app.add_url_rule("/", "index", where)
    ask(app.asgi)

    assert not takes(app)
    app.asgi.workers.close()


def test_under_test_nothing_is_taken(mixed):
    mixed.config["TESTING"] = True

    assert not takes(mixed)


def test_an_async_view_that_came_later_is_noticed(app):
    app.add_url_rule("/<name>", "index", lambda name: where())
    ask(app.asgi, "/a")

    async def late():
        return where()

    assert takes(app, "/late")
    app.url_map.add(Rule("/late", endpoint="late"))
    app.view_functions["late"] = late

    assert [takes(app, path) for path in ("/a", "/late")] == [True, False]


def test_a_converter_is_called_once_and_its_error_is_for_the_answer(app):
    called = []

    class Failing(BaseConverter):
        def to_python(self, value):
            called.append((value, current_app.name))
            raise LookupError("no database")

    app.url_map.converters["failing"] = Failing
    app.add_url_rule("/<failing:value>/a", "sync", lambda value: "sync")

    @app.route("/<failing:value>/async")
    async def index(value):
        return "async"

    app.register_error_handler(500, lambda error: (f"{error.original_exception.args[0]} today", 500))
    ask(app.asgi)

    assert (takes(app, "/1/a"), takes(app, "/2/async")) == (True, False)
    assert ask_in_place(app, "/1/a")[0].text == "no database today"
    assert called == [("1", app.name)]


# -- what is answered


def test_a_def_view_is_answered_without_the_loop(mixed):
    answered, moves = ask_in_place(mixed, "/items/5")

    assert (answered.status, answered.text, answered.ended, moves) == (200, "in place 5", True, [])
    assert answered.headers == {**ask(mixed.asgi, "/items/5").headers, "content-length": "10"}


def test_a_def_view_may_run_a_loop_of_its_own(app):
    async def work():
        await asyncio.sleep(0)
        return "worked"

    app.add_url_rule("/", "index", lambda: asyncio.run(work()))

    assert ask_in_place(app)[0].text == "worked"


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/only-post", 405)])
def test_what_is_not_found_is_answered_without_the_loop(mixed, path, status):
    answered, moves = ask_in_place(mixed, path)

    assert (answered.status, answered.text, moves) == (status, ask(mixed.asgi, path).text, [])


def test_an_error_in_the_view_is_answered_and_logged_without_the_loop(app, caplog):
    @app.route("/")
    def index():
        raise ZeroDivisionError("in the view")

    answered, moves = ask_in_place(app)

    assert (answered.status, answered.ended, moves) == (500, True, [])
    (record,) = caplog.records
    assert record.exc_info[1].args == ("in the view",)


def test_an_async_handler_of_an_error_answers_on_the_loop(app):
    @app.route("/")
    def index():
        abort(409)

    @app.errorhandler(409)
    async def conflict(error):
        await asyncio.sleep(0)
        return f"{error.code} {where()}", 409

    answered, moves = ask_in_place(app)

    assert (answered.status, answered.text, moves) == (409, "409 loop", ["loop"])


def test_async_hooks_move_the_rest_to_the_loop_and_what_blocks_to_a_worker(app):
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    @app.before_request
    def sync_before():
        g.name = "ada"
        variable.set("in place")
        seen.append(("sync before", where()))

    @app.before_request
    async def async_before():
        seen.append(("async before", where(), variable.get()))
        await asyncio.sleep(0)
        variable.set("on the loop")

    @app.route("/")
    def index():
        seen.append(("view", where(), variable.get()))
        return g.name

    @app.after_request
    async def after(response):
        seen.append(("after", where()))
        response.headers["X-After"] = request.path
        return response

    @app.teardown_request
    def teardown(error):
        seen.append(("teardown", where(), error))

    answered, moves = ask_in_place(app)

    assert (answered.status, answered.text, answered.headers["x-after"], moves) == (200, "ada", "/", ["loop"])
    assert seen == [
        ("sync before", "in place"),
        ("async before", "loop", "in place"),
        ("view", "worker", "on the loop"),
        ("after", "loop"),
        ("teardown", "worker", None),
    ]
    assert ask(app.asgi).headers == answered.headers


def test_the_variables_of_the_server_are_seen_and_those_of_the_view_kept_from_it(app):
    variable = contextvars.ContextVar("variable", default="unset")

    @app.route("/")
    def index():
        before = variable.get()
        variable.set("changed")
        return before

    async def run():
        variable.set("of the server")
        answered, _ = await call_in_place(app)
        return answered.text, variable.get()

    assert asyncio.run(run()) == ("of the server", "of the server")


def test_an_async_view_that_was_taken_for_a_def_view_answers_all_the_same(app):
    app.add_url_rule("/", "index", lambda: "another")
    ask(app.asgi)
    assert takes(app)

    async def index():
        await asyncio.sleep(0)
        return where()

    app.view_functions["index"] = index
    answered, moves = ask_in_place(app)
    assert (answered.status, answered.text, moves) == (200, "loop", ["loop"])


def test_an_application_that_overrides_stages_is_answered_in_place():
    class Own(Costrel):
        def dispatch_request(self):
            return f"{where()} {super().dispatch_request()}"

    app = Own(__name__, static_folder=None)
    app.add_url_rule("/", "index", lambda: "view")

    answered, moves = ask_in_place(app)
    assert (answered.text, moves) == ("in place view", [])


# -- bodies of answers


def test_a_generator_within_its_context_runs_in_the_thread_of_its_view(app):
    @app.route("/<name>")
    def stream(name):
        def chunks():
            for number in range(3):
                yield f"{where()} {request.view_args['name']} {number}\n"

        return Response(stream_with_context(chunks()))

    answered, moves = ask_in_place(app, "/ada")

    assert answered.text == "".join(f"in place ada {number}\n" for number in range(3))
    assert (len(answered.chunks) > 1, moves) == (True, ["loop"])
    assert [takes(app, path) for path in ("/ada", "/bob", "/ada/none")] == [False, False, True]


def test_a_view_of_streams_is_taken_once_in_an_application_with_both_kinds(mixed):
    def stream():
        return Response(stream_with_context(iter([where()])))

    mixed.url_map.add(Rule("/stream", endpoint="stream"))
    mixed.view_functions["stream"] = stream
    assert [takes(mixed, path) for path in ("/stream", "/", "/async")] == [True, True, False]
    assert ask_in_place(mixed, "/stream")[0].text == "in place"
    assert [takes(mixed, path) for path in ("/stream", "/", "/async")] == [False, True, False]


def test_a_generator_that_fails_half_way_is_not_ended(app):
    sent = []

    @app.route("/")
    def stream():
        def chunks():
            yield "chunk"
            raise ZeroDivisionError

        return Response(chunks())

    async def send(message):
        sent.append(message)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(begin_and_go_on(app.asgi, [], scope_for("/"), asyncio.Event().wait, send))
    assert [message.get("more_body") for message in sent] == [None, True]


def test_a_large_file_goes_out_on_the_loop(app, tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(range(256)) * 8192)
    app.add_url_rule("/", "index", lambda: send_file(path))

    answered, moves = ask_in_place(app)

    assert (answered.body == path.read_bytes(), len(answered.chunks) > 1, moves) == (True, True, ["loop"])


def test_what_is_called_on_close_is_called_when_the_answer_is_out(app):
    seen = []

    @app.route("/")
    def index():
        response = Response("text")
        response.call_on_close(lambda: seen.append(where()))
        return response

    answered, moves = ask_in_place(app)

    assert (answered.text, seen, moves) == ("text", ["worker"], ["loop"])


def test_a_head_request_gets_no_body(mixed):
    answered, _ = ask_in_place(mixed, "/items/5", "HEAD")

    assert (answered.headers["content-length"], answered.body) == ("10", b"")


# -- bodies of requests


@pytest.mark.parametrize("body", [b"a body", [b"in ", b"chunks"], b"x" * 200_000])
def test_a_body_that_came_unexpectedly_is_read_on_the_loop(app, body):
    app.add_url_rule("/", "index", lambda: f"{where()} {request.get_data(as_text=True)}")
    ask(app.asgi)

    answered, moves = ask_in_place(app, "/", "GET", body)

    whole = body if isinstance(body, bytes) else b"".join(body)
    assert (answered.text, moves) == (f"worker {whole.decode()}", ["loop"])


def test_without_a_body_there_is_an_empty_one(app):
    app.add_url_rule("/", "index", lambda: repr((request.get_data(), request.form.to_dict(), request.content_length)))

    assert ask_in_place(app)[0].text == "(b'', {}, None)"


# -- where it fails


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, asyncio.CancelledError, ZeroDivisionError])
def test_an_error_that_comes_out_has_torn_down_first(error):
    app = Costrel(__name__, static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    torn_down = []
    app.teardown_request_funcs.setdefault(None, []).append(lambda error: torn_down.append(type(error)))

    @app.route("/")
    def fail():
        raise error

    begun = app.asgi.answer_in_place(scope_for("/"), None, None, lambda scope, send: send)

    with pytest.raises(error):
        begun.send(None)
    assert torn_down == [error]


# -- what the server wants to see in the answer


@pytest.mark.parametrize("path", ["/", "/async", "/nowhere", "/fails", "/stream", "/closes"])
@pytest.mark.parametrize("begins", ["in place", "on the loop"])
def test_each_answer_has_what_its_server_adds(app, path, begins):
    app.add_url_rule("/", "index", where)

    @app.route("/async")
    async def index_async():
        return where()

    @app.route("/fails")
    def fails():
        raise ZeroDivisionError

    @app.route("/stream")
    def stream():
        return Response(letter for letter in "abc")

    @app.route("/closes")
    def closes():
        response = Response("text")
        response.call_on_close(lambda: None)
        return response

    def answer(**scope):
        return ask_in_place(app, path, **scope)[0] if begins == "in place" else ask(app.asgi, path, **scope)

    assert answer(**{ECHO: ID}).headers["x-request-id"] == "12345678"
    assert "x-request-id" not in answer().headers


def test_what_the_view_has_set_under_that_name_is_left(app):
    app.add_url_rule("/", "index", lambda: ("text", {"X-Request-ID": "of the view"}))

    async def run():
        sent = []

        async def send(message):
            sent.append(message)

        scope = {**scope_for("/"), ECHO: ID}
        await begin_and_go_on(app.asgi, [], scope, None, send)
        return sent[0]["headers"]

    assert [value for name, value in asyncio.run(run()) if name == b"x-request-id"] == [b"of the view"]


# -- what comes between the choice and the answer


@pytest.mark.parametrize("name", ["asgi_app", "wsgi_app"])
def test_middleware_that_is_new_is_around_a_request_that_was_taken(app, name):
    app.add_url_rule("/", "index", where)
    ask(app.asgi)
    assert takes(app)
    inner, calls = getattr(app, name), []

    def around(*arguments):
        calls.append(where())
        return inner(*arguments)

    setattr(app, name, around)
    answered, moves = ask_in_place(app)

    place = {"asgi_app": "loop", "wsgi_app": "worker"}[name]
    assert (answered.text, calls, moves) == ("worker", [place], ["loop"])


def test_a_class_that_is_patched_later_is_asked_by_a_request_that_was_taken(app, monkeypatch):
    app.add_url_rule("/", "index", where)
    ask(app.asgi)
    assert takes(app)
    inner = Costrel.wsgi_app
    monkeypatch.setattr(Costrel, "wsgi_app", lambda self, *arguments: calls.append(where()) or inner(self, *arguments))
    calls = []

    assert (ask_in_place(app)[1], calls) == (["loop"], ["worker"])


@pytest.mark.parametrize("path", ["/", "/async", "/stream", "/nowhere"])
def test_the_messages_after_the_move_go_where_the_server_then_wants_them(app, path):
    app.add_url_rule("/", "index", where)
    app.add_url_rule("/stream", "stream", lambda: iter(["a", "b"]))

    @app.route("/async")
    async def index_async():
        return "async"

    app.open_for_requests()
    early, late = [], []

    async def run():
        async def receive():
            await asyncio.Event().wait()

        async def send(message):
            early.append(message["type"])

        async def send_late(message):
            late.append(message["type"])

        begun = app.asgi.answer_in_place(scope_for(path), receive, send, lambda scope, send: send_late)
        awaited = next(begun.__await__(), None)
        if awaited is not None:
            await on_loop(begun, awaited)

    asyncio.run(run())
    moves = path in ("/async", "/stream")
    assert ((early or late)[0], bool(early), bool(late)) == ("http.response.start", not moves, moves)
