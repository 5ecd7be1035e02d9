"""Requests over ASGI: the thread of the code, the arrival of bodies, responses, and disconnects."""

import asyncio
import contextvars
import threading
import time

import pytest

from costrel import Costrel, Response, g, has_request_context, request, session, stream_with_context
from costrel.edges.threads import Workers
from costrel.middleware.proxy_fix import ProxyFix
from costrel.routing import BaseConverter

from ..processes import wait_until
from .asgi_call import ask, call, scope_for
from .asgi_validator import ProtocolError, validated

FORM = [(b"content-type", b"application/x-www-form-urlencoded")]


def where() -> str:
    return "thread" if threading.current_thread().name.startswith("costrel-worker") else "loop"


# -- where code runs


def test_a_sync_view_runs_in_a_worker_thread_and_an_async_view_on_the_loop(app):
    app.add_url_rule("/sync", "sync", where)

    @app.route("/async")
    async def on_loop():
        await asyncio.sleep(0)
        return where()

    assert ask(app.asgi, "/sync").text == "thread"
    assert ask(app.asgi, "/async").text == "loop"


def test_hooks_and_views_of_both_kinds_see_one_request_and_one_set_of_variables(app):
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    @app.before_request
    def sync_before():
        g.name = "ada"
        variable.set("from a thread")
        seen.append(("before", where()))

    @app.before_request
    async def async_before():
        seen.append((variable.get(), where()))
        variable.set("from the loop")

    @app.after_request
    def after(response):
        seen.append((variable.get(), where()))
        return response

    @app.teardown_request
    async def teardown(error):
        seen.append(("teardown", where()))

    @app.route("/")
    async def index():
        return f"{g.name} {variable.get()}"

    assert ask(app.asgi).text == "ada from the loop"
    assert seen == [("before", "thread"), ("from a thread", "loop"), ("from the loop", "thread"), ("teardown", "loop")]


def test_many_requests_at_once_keep_apart(app):
    @app.route("/<name>")
    async def index(name):
        g.name = name
        session["name"] = name
        await asyncio.sleep(0.001)
        return f"{g.name} {session['name']} {request.path}"

    @app.route("/sync/<name>")
    def sync(name):
        g.name = name
        time.sleep(0.001)
        return f"{g.name} {request.path}"

    async def all_at_once():
        names = [str(number) for number in range(50)]
        return await asyncio.gather(
            *(call(app.asgi, f"/{n}") for n in names), *(call(app.asgi, f"/sync/{n}") for n in names)
        )

    texts = [answered.text for answered in asyncio.run(all_at_once())]
    assert texts == [f"{n} {n} /{n}" for n in range(50)] + [f"{n} /sync/{n}" for n in range(50)]


def test_an_async_error_handler_answers_an_error_of_a_sync_view(app):
    @app.errorhandler(ZeroDivisionError)
    async def handle(error):
        return f"handled on the {where()}", 418

    app.add_url_rule("/", "index", lambda: 1 / 0)
    answered = ask(app.asgi)
    assert (answered.status, answered.text) == (418, "handled on the loop")


def test_an_unhandled_error_is_logged_and_answered_with_500(app, caplog):
    @app.route("/")
    async def index():
        raise ZeroDivisionError("the cause")

    assert ask(app.asgi).status == 500
    assert "the cause" in caplog.text


def test_an_application_in_wsgi_middleware_runs_in_a_thread(app):
    app.add_url_rule("/", "index", lambda: f"{request.environ['seen.by']} {where()}")
    inner = app.wsgi_app

    def middleware(environ, start_response):
        environ["seen.by"] = "middleware"
        return inner(environ, start_response)

    app.wsgi_app = middleware
    assert ask(app.asgi).text == "middleware thread"


def test_middleware_that_starts_no_response_is_an_error_that_names_it(app):
    app.wsgi_app = lambda environ, start_response: []
    with pytest.raises(RuntimeError, match=r"ended without calling start_response\(\)"):
        ask(app.asgi)


def test_overridden_stages_are_called(app):
    class Own(Costrel):
        def dispatch_request(self):
            return f"own {super().dispatch_request()}"

    own = Own(__name__, static_folder=None)

    @own.route("/")
    async def index():
        return "view"

    assert ask(own.asgi).text == "own view"
    own.asgi.workers.close()


# -- bodies of requests


@pytest.mark.parametrize("body", [b"name=ada", [b"na", b"me=", b"ada"]])
def test_a_form_needs_no_await(app, body):
    @app.post("/")
    async def index():
        return request.form["name"]

    assert ask(app.asgi, method="POST", body=body, headers=FORM).text == "ada"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_long_body_arrives_whole(app, kind):
    @app.post("/sync")
    def sync():
        return str(len(request.get_data()))

    @app.post("/async", endpoint="async")
    async def on_loop():
        return str(len(request.get_data()))

    app.config["MAX_CONTENT_LENGTH"] = None
    assert ask(app.asgi, f"/{kind}", "POST", [b"x" * 100_000] * 20).text == "2000000"


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("size", [10, 200_000])
def test_a_body_that_is_cut_off_never_looks_complete(app, kind, size):
    results = []

    def read():
        results.append(request.get_data())
        return "success"

    async def read_async():
        return read()

    app.add_url_rule("/sync", "sync", read, methods=["POST"])
    app.add_url_rule("/async", "async", read_async, methods=["POST"])
    length = [(b"content-length", str(size * 2).encode())]
    assert ask(app.asgi, f"/{kind}", "POST", [b"x" * size, None], headers=length).status == 400
    assert results == []


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_body_over_the_limit_is_refused_without_its_length(app, kind):
    app.config["MAX_CONTENT_LENGTH"] = 100_000
    pulled = []

    def chunks():
        for number in range(300):
            pulled.append(number)
            yield b"x" * 10_000

    app.add_url_rule("/sync", "sync", lambda: str(len(request.get_data())), methods=["POST"])

    @app.post("/async", endpoint="async")
    async def on_loop():
        return str(len(request.get_data()))

    assert ask(app.asgi, f"/{kind}", "POST", list(chunks())).status == 413


def test_the_headers_that_a_proxy_could_be_fooled_with_do_not_get_in(app):
    app.add_url_rule("/", "index", lambda: " ".join(sorted(k for k in request.environ if k.startswith("HTTP_"))))
    sent = [(b"x_forwarded_for", b"1.2.3.4"), (b"proxy", b"evil"), (b"x-own", b"1"), (b"x-own", b"2")]
    assert ask(app.asgi, headers=sent).text == "HTTP_HOST HTTP_X_OWN"


def test_the_path_keeps_its_bytes(app):
    app.add_url_rule("/<path:rest>", "index", lambda rest: rest)
    assert ask(app.asgi, "/caf%C3%A9/a%2Fb").text == "café/a/b"
    assert ask(app.asgi, "/x", root_path="/mounted", raw_path=b"/mounted/x").text == "x"
    assert ask(app.asgi, "/x", raw_path=None).text == "x"


# -- responses


def test_a_stream_arrives_chunk_by_chunk_within_its_context(app):
    @app.route("/sync")
    def sync():
        return stream_with_context(f"{number}{request.path} " for number in range(3))

    @app.route("/async")
    async def on_loop():
        async def numbers():
            for number in range(3):
                await asyncio.sleep(0)
                yield str(number)

        return numbers()

    assert ask(app.asgi, "/sync").chunks == [b"0/sync ", b"1/sync ", b"2/sync ", b""]
    assert ask(app.asgi, "/async").chunks == [b"0", b"1", b"2", b""]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_stream_that_fails_half_way_is_not_ended(app, kind):
    closed = []

    @app.route("/sync")
    def sync():
        def failing():
            yield "one"
            raise ZeroDivisionError

        response = Response(failing())
        response.call_on_close(lambda: closed.append(True))
        return response

    @app.route("/async", endpoint="async")
    async def on_loop():
        async def failing():
            yield "one"
            raise ZeroDivisionError

        response = Response(failing())
        response.call_on_close(lambda: closed.append(True))
        return response

    sent = []

    async def run():
        async def receive():
            await asyncio.sleep(60)

        async def send(message):
            sent.append(message)

        await app.asgi(scope_for(f"/{kind}"), receive, send)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())
    assert [m.get("body") for m in sent] == [None, b"one"]
    assert all(message["more_body"] for message in sent[1:])
    assert closed == [True]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_client_that_leaves_ends_the_stream_and_closes_it_once(app, kind):
    closed = []

    @app.route("/sync")
    def sync():
        def endless():
            try:
                while True:
                    time.sleep(0.01)
                    yield "tick"
            finally:
                closed.append("sync")

        return endless()

    @app.route("/async", endpoint="async")
    async def on_loop():
        async def endless():
            try:
                while True:
                    await asyncio.sleep(0.01)
                    yield "tick"
            finally:
                closed.append("async")

        return endless()

    async def run():
        three = asyncio.Event()
        ticks = []

        async def receive():
            await three.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            ticks.append(message)
            if len(ticks) == 4:
                three.set()

        await asyncio.wait_for(app.asgi(scope_for(f"/{kind}"), receive, send), 5)

    asyncio.run(run())
    assert closed == [kind]


def test_a_head_request_gets_no_body(app):
    app.add_url_rule("/", "index", lambda: "Hello")
    answered = ask(app.asgi, method="HEAD")
    assert (answered.headers["content-length"], answered.body) == ("5", b"")


def test_a_file_is_sent_in_blocks(app, tmp_path):
    from costrel import send_file

    (tmp_path / "big").write_bytes(b"x" * 300_000)
    app.add_url_rule("/", "index", lambda: send_file(tmp_path / "big"))
    answered = ask(app.asgi)
    assert answered.body == b"x" * 300_000
    assert len(answered.chunks) > 2
    part = ask(app.asgi, headers=[(b"range", b"bytes=10-19")])
    assert (part.status, part.body) == (206, b"x" * 10)


def test_a_response_class_that_writes_itself_out_is_asked(app):
    class Own(Response):
        def __call__(self, environ, start_response):
            start_response("201 CREATED", [("X-Own", "yes")])
            return [b"own ", b"way"]

    app.add_url_rule("/", "index", lambda: Own("ignored"))
    answered = ask(app.asgi)
    assert (answered.status, answered.headers, answered.text) == (201, {"x-own": "yes"}, "own way")


# -- protocols


def test_lifespan_starts_and_stops(app):
    sent = []

    async def run():
        incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def receive():
            return incoming.pop(0)

        async def send(message):
            sent.append(message["type"])

        await app.asgi({"type": "lifespan"}, receive, send)

    asyncio.run(run())
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_an_unknown_protocol_is_named(app):
    with pytest.raises(ValueError, match="'gopher'"):
        asyncio.run(app.asgi({"type": "gopher"}, None, None))


def test_the_asgi_application_is_made_once(app):
    assert app.asgi is app.asgi


def test_the_validator_refuses_what_the_protocol_forbids():
    async def twice(scope, receive, send):
        for _ in range(2):
            await send({"type": "http.response.start", "status": 200, "headers": []})

    async def endless(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    for wrong in (twice, endless):
        with pytest.raises(ProtocolError):
            asyncio.run(validated(wrong)(scope_for("/"), None, lambda message: asyncio.sleep(0)))


# -- worker threads


def test_workers_are_started_as_needed_and_reused():
    workers = Workers(size=2)

    async def run():
        names = [await workers.run(lambda: threading.current_thread().name) for _ in range(3)]
        await asyncio.gather(*(workers.run(lambda: time.sleep(0.01)) for _ in range(5)))
        return names

    names = asyncio.run(run())
    assert len(set(names)) == 1
    assert len(workers._threads) == 2
    workers.close()


def test_a_worker_passes_errors_on():
    workers = Workers(size=1)

    def fails(error):
        raise error

    async def run(error):
        await workers.run(lambda: fails(error))

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run(ZeroDivisionError()))
    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(run(StopIteration()))
    workers.close()


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_converters_of_the_users_run_in_a_thread(app, kind):
    called = []

    class Item(BaseConverter):
        def to_python(self, value):
            called.append((where(), has_request_context()))
            return value

    async def on_loop(item):
        return f"{item} {where()}"

    app.url_map.converters["item"] = Item
    app.add_url_rule("/items/<item:item>", "item", on_loop if kind == "async" else lambda item: f"{item} {where()}")

    assert ask(app.asgi, "/items/a").text == ("a loop" if kind == "async" else "a thread")
    assert called == [("thread", True)]


def test_converters_of_its_own_need_none(app):
    @app.route("/items/<int:number>/<uuid:key>/<float(min=1):size>")
    async def index(number, key, size):
        return where()

    hops = []
    run = app.asgi.workers.run
    app.asgi.workers.run = lambda function: hops.append(1) or run(function)

    assert ask(app.asgi, "/items/1/6ba7b810-9dad-11d1-80b4-00c04fd430c8/1.5").text == "loop"
    assert hops == []


def test_a_stream_within_its_context_stays_in_the_thread_of_its_view(app):
    threads = {}

    @app.teardown_request
    def teardown(error):
        threads[request.args["n"]].append(threading.get_ident())

    @app.route("/")
    def index():
        seen = threads[request.args["n"]] = [threading.get_ident()]

        @stream_with_context
        def pieces():
            for piece in "abc":
                seen.append(threading.get_ident())
                yield piece

        return Response(pieces())

    async def run():
        return await asyncio.gather(*[call(app.asgi, f"/?n={number}") for number in range(60)])

    assert {answered.text for answered in asyncio.run(run())} == {"abc"}
    assert len(threads) == 60
    assert {len(idents) for idents in threads.values()} == {5}
    assert {len(set(idents)) for idents in threads.values()} == {1}
    workers = app.asgi.workers
    wait_until(lambda: workers._lent == 0, "the threads are back")  # each comes back by itself, after its request


def test_more_streams_than_threads_can_be_lent_are_503(app):
    app.config.update(THREADS=2, STREAM_THREADS=3)
    goes_on, torn_down = threading.Event(), []
    app.teardown_request(lambda error: torn_down.append(error))

    @app.route("/")
    def index():
        def pieces():
            assert goes_on.wait(20)
            yield "abc"

        return Response(stream_with_context(pieces()))

    async def run():
        streams = [asyncio.create_task(call(app.asgi, "/")) for _ in range(10)]
        await wait_until_async(lambda: len(torn_down) == 7)
        goes_on.set()
        return await asyncio.gather(*streams)

    answers = asyncio.run(run())
    assert sorted(answered.status for answered in answers) == [200] * 3 + [503] * 7
    assert {answered.headers["retry-after"] for answered in answers if answered.status == 503} == {"5"}
    assert ask(app.asgi).text == "abc"


async def wait_until_async(condition):
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


def test_a_stream_that_is_kept_waiting_keeps_no_other_request_waiting(app):
    goes_on = threading.Event()

    @app.route("/stream")
    def stream():
        def pieces():
            yield "a"
            assert goes_on.wait(20)
            yield "b"

        return Response(stream_with_context(pieces()))

    @app.route("/go-on")
    def go_on():
        goes_on.set()
        return "went on"

    async def run():
        streams = [asyncio.create_task(call(app.asgi, "/stream")) for _ in range(3)]
        await asyncio.sleep(0.3)
        answered = await asyncio.wait_for(call(app.asgi, "/go-on"), 10)
        return [answered.text, *[answered.text for answered in await asyncio.gather(*streams)]]

    assert asyncio.run(run()) == ["went on", "ab", "ab", "ab"]


@pytest.mark.parametrize("copies", [False, True])
def test_a_stream_of_a_wrapped_application_stays_in_its_thread_too(app, copies):
    wsgi_app = ProxyFix(app.wsgi_app)
    app.wsgi_app = (lambda environ, start: wsgi_app(dict(environ), start)) if copies else wsgi_app
    threads = {}

    @app.route("/")
    def index():
        seen = threads[request.args["n"]] = [threading.get_ident()]

        def pieces():
            for piece in "abc":
                seen.append(threading.get_ident())
                yield piece

        return Response(stream_with_context(pieces()))

    async def run():
        return await asyncio.gather(*[call(app.asgi, f"/?n={number}") for number in range(40)])

    assert {answered.text for answered in asyncio.run(run())} == {"abc"}
    assert {(len(idents), len(set(idents))) for idents in threads.values()} == {(4, 1)}


@pytest.mark.parametrize("last", ["view", "hook"])
def test_the_teardown_of_a_stream_runs_whatever_the_request_has_awaited_last(app, last):
    torn_down = []
    app.teardown_request(lambda error: torn_down.append(where()))

    @app.teardown_request
    async def teardown(error):
        torn_down.append("async")

    async def on_loop():
        await asyncio.sleep(0)
        return Response(stream_with_context(iter("ab")))

    @app.after_request
    async def after(response):
        return response

    if last == "view":
        app.after_request_funcs.clear()
    app.add_url_rule("/", "index", on_loop if last == "view" else lambda: Response(stream_with_context(iter("ab"))))

    assert ask(app.asgi).text == "ab"
    assert torn_down == ["async", "thread"]


def test_an_async_view_of_a_wrapped_application_may_stream_its_body(app):
    app.wsgi_app = ProxyFix(app.wsgi_app)

    @app.post("/", stream_body=True)
    async def index():
        return str(sum([len(chunk) async for chunk in request.chunks()]))

    @app.post("/echo", stream_body=True)
    async def echo():
        return Response(request.chunks())

    async def run(path):
        messages = asyncio.Queue()
        for number in range(4):
            asyncio.get_running_loop().call_later(
                0.1 * number,
                messages.put_nowait,
                {"type": "http.request", "body": b"x" * 70_000, "more_body": number < 3},
            )
        sent = []

        async def send(message):
            sent.append(message.get("body", b""))

        scope = scope_for(path, "POST", headers=[(b"transfer-encoding", b"chunked")])
        await asyncio.wait_for(app.asgi(scope, messages.get, send), 20)
        return b"".join(sent)

    assert asyncio.run(run("/")) == b"280000"
    assert asyncio.run(run("/echo")) == b"x" * 280_000
