"""Asynchronous generators that keep the request's context, over both edges."""

import asyncio
import threading

import pytest

from costrel import Costrel, g, has_request_context, request, session, stream_with_context, url_for
from costrel.messages.response import Response
from costrel.sse import event_stream

EDGES = pytest.mark.parametrize("edge", ["wsgi", "asgi"])
VIEWS = pytest.mark.parametrize("is_async", [False, True], ids=["def", "async def"])


def make(view, is_async=False):
    """An application with one view, and the errors that its teardown function was given."""
    app = Costrel("streams", static_folder=None)
    app.config.update(SECRET_KEY="k" * 32, SESSION_COOKIE_SECURE=False)
    app.torn_down = []

    @app.teardown_request
    def tear_down(error):
        app.torn_down.append(type(error))

    async def async_view():
        return view()

    app.add_url_rule("/", "view", async_view if is_async else view)
    return app


async def numbers():
    yield f"{request.args['n']} "
    await asyncio.sleep(0)
    yield f"{g.name} "
    yield url_for("view")


def view_with(make_body):
    def view():
        g.name = "ada"
        return make_body()

    return view


class Items:
    """An asynchronous iterable that is no generator."""

    def __init__(self):
        self.left = 2

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return request.args["n"]


class Iterable:
    def __aiter__(self):
        return Items()


@EDGES
@VIEWS
class TestForms:
    def test_a_generator(self, edge, is_async):
        app = make(view_with(lambda: stream_with_context(numbers())), is_async)
        assert app.test_client(edge=edge).get("/?n=1").text == "1 ada /"
        assert app.torn_down == [type(None)]

    def test_within_a_response(self, edge, is_async):
        app = make(view_with(lambda: Response(stream_with_context(numbers()), 201)), is_async)
        response = app.test_client(edge=edge).get("/?n=1")
        assert (response.status_code, response.text) == (201, "1 ada /")

    def test_a_decorated_function(self, edge, is_async):
        @stream_with_context
        async def generate(text):
            yield text
            yield request.args["n"]

        app = make(lambda: generate("a"), is_async)
        assert app.test_client(edge=edge).get("/?n=1").text == "a1"

    @pytest.mark.parametrize("kind", [Items, Iterable])
    def test_an_iterable(self, edge, is_async, kind):
        app = make(lambda: stream_with_context(kind()), is_async)
        assert app.test_client(edge=edge).get("/?n=1").text == "11"
        assert app.torn_down == [type(None)]

    def test_the_session_can_be_read(self, edge, is_async):
        async def generate():
            yield session["name"]

        def view():
            session["name"] = "ada"
            return stream_with_context(generate())

        assert make(view, is_async).test_client(edge=edge).get("/").text == "ada"

    def test_between_two_items_the_request_is_not_current(self, edge, is_async):
        seen = []

        async def outer(items):
            async for item in items:
                seen.append(has_request_context())
                yield item

        app = make(view_with(lambda: outer(stream_with_context(numbers()))), is_async)
        assert app.test_client(edge=edge).get("/?n=1").text == "1 ada /"
        assert (seen, app.torn_down) == ([False] * 3, [type(None)])

    def test_events(self, edge, is_async):
        async def events():
            yield request.args["n"]

        app = make(lambda: event_stream(stream_with_context(events())), is_async)
        assert app.test_client(edge=edge).get("/?n=1").text == "data: 1\n\n"
        assert app.torn_down == [type(None)]

    def test_a_bare_generator_has_no_request_as_a_sync_one(self, edge, is_async):
        async def generate():
            yield str(has_request_context())

        assert make(generate, False).test_client(edge=edge).get("/").text == "False"


@EDGES
class TestDecorators:
    def test_an_async_function_that_returns_a_stream(self, edge):
        @stream_with_context
        async def view():
            await asyncio.sleep(0)
            return numbers()

        app = make(lambda: "")

        @app.get("/other")
        async def other():
            g.name = "ada"
            return await view()

        assert app.test_client(edge=edge).get("/other?n=1").text == "1 ada /"


@EDGES
@VIEWS
class TestEnds:
    def test_the_teardown_comes_after_the_last_item(self, edge, is_async):
        app = make(view_with(lambda: stream_with_context(late())), is_async)

        async def late():
            yield "a"
            await asyncio.sleep(0)
            app.torn_down.append("last")
            yield "b"

        assert app.test_client(edge=edge).get("/").text == "ab"
        assert app.torn_down == ["last", type(None)]

    def test_an_error_reaches_the_teardown(self, edge, is_async):
        async def broken():
            yield "a"
            raise LookupError("x")

        app = make(lambda: stream_with_context(broken()), is_async)
        with pytest.raises(LookupError):
            app.test_client(edge=edge).get("/").get_data()
        assert app.torn_down == [LookupError]

    @pytest.mark.parametrize("method", ["HEAD", "GET"])
    def test_a_stream_that_is_not_read(self, edge, is_async, method):
        begun = []

        async def never():
            begun.append(True)
            yield "a"

        def view():
            return Response(stream_with_context(never()), 200 if method == "HEAD" else 204)

        app = make(view, is_async)
        app.test_client(edge=edge).open("/", method=method).close()
        assert (begun, app.torn_down) == ([], [type(None)])

    def test_a_stream_that_is_replaced(self, edge, is_async):
        async def never():
            yield "a"

        app = make(lambda: stream_with_context(never()), is_async)
        app.after_request(lambda response: Response("other"))
        assert app.test_client(edge=edge).get("/").text == "other"
        assert app.torn_down == [type(None)]

    def test_async_teardown_functions_run_too(self, edge, is_async):
        app = make(lambda: stream_with_context(numbers()), is_async)
        seen = []

        @app.teardown_appcontext
        async def tear_down(error):
            await asyncio.sleep(0)
            seen.append(g.name)

        app.before_request(lambda: setattr(g, "name", "ada"))
        app.test_client(edge=edge).get("/?n=1").get_data()
        assert (seen, app.torn_down) == (["ada"], [type(None)])


class TestClosing:
    def test_a_client_of_wsgi_that_stops_reading(self):
        closed = []

        async def endless():
            try:
                while True:
                    yield "a"
            finally:
                closed.append(has_request_context())

        app = make(lambda: stream_with_context(endless()))
        response = app.test_client().get("/", buffered=False)
        assert next(response.iter_encoded()) == b"a"
        response.close()
        assert (closed, app.torn_down) == ([True], [GeneratorExit])

    def test_a_client_of_asgi_that_disconnects(self):
        closed = []

        async def endless():
            try:
                while True:
                    yield "a"
                    await asyncio.sleep(0.01)
            finally:
                closed.append(has_request_context())

        app = make(lambda: stream_with_context(endless()), is_async=True)

        async def run():
            sent = []
            scope = {
                "type": "http", "http_version": "1.1", "method": "GET", "path": "/", "query_string": b"",
                "headers": [(b"host", b"localhost")], "scheme": "http", "server": ("localhost", 80), "root_path": "",
                "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"},
            }  # fmt: skip

            async def receive():
                while sum(message["type"] == "http.response.body" for message in sent) < 3:
                    await asyncio.sleep(0.001)
                return {"type": "http.disconnect"}

            async def send(message):
                sent.append(message)

            await asyncio.wait_for(app.asgi(scope, receive, send), 10)

        asyncio.run(run())
        assert closed == [True]
        assert app.torn_down in ([asyncio.CancelledError], [GeneratorExit])

    def test_the_teardown_runs_in_the_thread_of_the_view(self):
        """What a view opened may belong to its thread, as a connection of sqlite3 does."""
        threads = []

        async def generate():
            yield "a"

        def view():
            threads.append(threading.current_thread())
            return stream_with_context(generate())

        app = make(view)
        app.teardown_request(lambda error: threads.append(threading.current_thread()))
        app.test_client(edge="asgi").get("/").get_data()
        assert threads[0] == threads[1]

    def test_a_teardown_does_not_block_the_loop(self):
        threads = []

        async def generate():
            threads.append(threading.current_thread())
            yield "a"

        app = make(lambda: stream_with_context(generate()), is_async=True)
        app.teardown_request(lambda error: threads.append(threading.current_thread()))
        app.test_client(edge="asgi").get("/").get_data()
        assert threads[0] != threads[1]

    def test_outside_of_a_request_it_is_an_error(self):
        async def generate():
            yield "a"

        with pytest.raises(RuntimeError, match="'stream_with_context' can only be used while a request is handled"):
            stream_with_context(generate())
