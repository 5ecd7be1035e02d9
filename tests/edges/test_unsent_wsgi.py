"""Large complete responses over WSGI: all that servers have not sent yet take limited memory together."""

import gc
import io

import pytest

from costrel import Costrel, Response, send_file
from costrel.edges.unsent import WHOLE, unsent_of
from costrel.testing import EnvironBuilder

SIZE = 4 * WHOLE
CONTENT = bytes(range(256)) * (SIZE // 256)


@pytest.fixture
def app():
    app = Costrel("shop", static_folder=None)
    app.config["MAX_RESPONSE_MEMORY_SIZE"] = 2 * SIZE

    @app.get("/bytes/<int:size>")
    def whole(size):
        return CONTENT[:size]

    @app.get("/text")
    def text():
        return "\N{PERSONAL COMPUTER}" * (SIZE // 4)

    @app.get("/async")
    async def asynchronous():
        return CONTENT

    @app.get("/list")
    def pieces():
        return Response([CONTENT[:1000], CONTENT[1000:]])

    @app.get("/texts")
    def texts():
        return Response(["\N{PERSONAL COMPUTER}" * (SIZE // 8)] * 2)

    @app.get("/file")
    def file():
        return send_file(io.BytesIO(CONTENT), "application/octet-stream")

    @app.get("/part")
    def part():
        return send_file(io.BytesIO(CONTENT), "application/octet-stream", conditional=True)

    @app.get("/closes")
    def closes():
        response = Response(CONTENT)
        response.call_on_close(lambda: app.extensions.setdefault("closed", []).append("closed"))
        return response

    @app.get("/stream")
    def stream():
        return Response(iter([CONTENT]))

    return app


class Answer:
    """The response to a request, before the server iterates over its body."""

    def __init__(self, app, path, method="GET", **headers):
        self.body = app(EnvironBuilder(app, path, method=method, headers=headers).get_environ(), self._start)

    def _start(self, status, headers, exc_info=None):
        self.status, self.headers = int(status[:3]), dict(headers)

    def read(self):
        read = b"".join(self.body)
        self.close()
        return read

    def close(self):
        getattr(self.body, "close", lambda: None)()


@pytest.mark.parametrize("size", [0, WHOLE - 1, WHOLE, WHOLE + 1, SIZE])
def test_the_bytes_are_the_same_at_each_size(app, size):
    answer = Answer(app, f"/bytes/{size}")
    assert (200, str(size)) == (answer.status, answer.headers["Content-Length"])
    assert CONTENT[:size] == answer.read()


LARGE = [f"/bytes/{SIZE}", "/text", "/async", "/list", "/texts", "/file", "/part", "/closes"]


@pytest.mark.parametrize("path", LARGE)
def test_beyond_the_limit_it_is_a_503_until_a_body_was_sent(app, path):
    slow = [Answer(app, path) for _ in range(2)]
    refused, small, streamed = Answer(app, path), Answer(app, "/bytes/10"), Answer(app, "/stream")
    assert [200, 200] == [answer.status for answer in slow]
    assert (503, "5") == (refused.status, refused.headers["Retry-After"])
    assert int(refused.headers["Content-Length"]) == len(refused.read())
    assert [200, 200] == [small.status, streamed.status]

    assert SIZE == len(slow[0].read())
    again = Answer(app, path)
    assert (200, SIZE) == (again.status, len(again.read()))
    slow[1].close()
    assert 0 == unsent_of(app).size


def test_a_part_of_a_file_in_memory_keeps_the_whole_of_it(app):
    slow = [Answer(app, "/part", Range="bytes=10-19") for _ in range(2)]
    refused = Answer(app, "/part", Range="bytes=10-19")
    assert [206, 206, 503] == [answer.status for answer in (*slow, refused)]
    assert [CONTENT[10:20]] * 2 == [answer.read() for answer in slow]
    assert 0 == unsent_of(app).size


def test_a_body_that_a_server_drops_makes_room(app):
    slow = [Answer(app, "/list") for _ in range(2)]
    del slow
    gc.collect()
    assert 200 == Answer(app, "/list").status


def test_each_response_is_closed_once_when_it_was_refused_too(app):
    slow = [Answer(app, "/closes") for _ in range(2)]
    assert 503 == Answer(app, "/closes").status
    assert ["closed"] == app.extensions["closed"]
    for answer in slow:
        answer.read()
    assert ["closed"] * 3 == app.extensions["closed"]


def test_one_response_alone_may_exceed_the_limit(app):
    app.config["MAX_RESPONSE_MEMORY_SIZE"] = 1000
    assert CONTENT == Answer(app, "/async").read()


def test_a_head_request_takes_no_room(app):
    slow = [Answer(app, "/async") for _ in range(2)]
    head = Answer(app, "/async", "HEAD")
    assert (200, b"", str(SIZE)) == (head.status, head.read(), head.headers["Content-Length"])
    assert [CONTENT] * 2 == [answer.read() for answer in slow]


def test_without_a_limit_all_are_sent(app):
    app.config["MAX_RESPONSE_MEMORY_SIZE"] = None
    assert [CONTENT] * 20 == [answer.read() for answer in [Answer(app, "/async") for _ in range(20)]]


def test_a_response_with_its_own_iterable_sends_that(app):
    class Own(Response):
        def get_app_iter(self, environ):
            return [b"own"]

    app.add_url_rule("/own", "own", lambda: Own(CONTENT))
    assert b"own" == Answer(app, "/own").read()
