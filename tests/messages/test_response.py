"""Responses: lazy headers, overridden methods, and safe output."""

import copy
import io
import pickle

import pytest

from costrel.http.headers import Headers
from costrel.messages.body import FileBody
from costrel.messages.response import EXITS, Response
from costrel.messages.response_head import ResponseHead, known_types, lower_names
from costrel.messages.streams import FileWrapper, RangeWrapper

ENVIRON = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "HTTP_HOST": "ex.org"}
HEAD = {**ENVIRON, "REQUEST_METHOD": "HEAD"}


def sent(response, environ=ENVIRON):
    body, status, headers = response.get_wsgi_response(environ)
    content = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return status, dict(headers), content


# -- headers, lazily


def test_headers_are_a_list_until_somebody_asks():
    response = Response("Hello")
    assert response._headers is None
    response.headers["X-A"] = "b"
    assert response.headers is response.headers
    assert sent(response) == (
        "200 OK",
        {"Content-Type": "text/plain; charset=utf-8", "Content-Length": "5", "X-A": "b"},
        b"Hello",
    )


def test_sending_changes_neither_headers_nor_body():
    response = Response("Hello", headers={"Location": "/ü"})
    _, headers, _ = sent(response)
    assert [headers["Location"], response.headers["Location"]] == ["/%C3%BC", "/ü"]
    _, _, pairs = response.get_wsgi_response(ENVIRON)
    pairs.append(("X", "y"))
    assert "X" not in response.headers


def test_headers_can_be_replaced():
    response = Response("Hello")
    response.headers = Headers({"A": "b"})
    response.headers["C"] = "d"
    assert sent(response)[1] == {"A": "b", "C": "d", "Content-Length": "5"}
    response.headers = {"E": "f"}
    assert sent(response)[1] == {"E": "f", "Content-Length": "5"}


def test_headers_of_another_class_are_asked_themselves():
    class Loud(Headers):
        def to_wsgi_list(self):
            return [(name.upper(), value) for name, value in self]

    response = Response("x")
    response.headers = Loud({"a": "b"})
    assert response.get_wsgi_headers(ENVIRON)["a"] == "b"
    assert dict(sent(response)[1]) == {"a": "b", "Content-Length": "1"}


def test_the_dictionary_of_a_response_can_be_taken_over():
    class Twin(Response):
        def __init__(self, other):
            self.__dict__ = other.__dict__

    first = Response("Hello", 404)
    twin = Twin(first)
    twin.headers["A"] = "b"
    assert [twin.status, twin.data, first.headers["A"]] == ["404 NOT FOUND", b"Hello", "b"]


def test_responses_are_copied_and_pickled():
    response = Response(iter(["a", "b"]), headers={"X": "y"})
    response.freeze()
    for twin in (copy.copy(response), copy.deepcopy(response), pickle.loads(pickle.dumps(response))):
        assert [twin.data, twin.headers["X"], twin.status] == [b"ab", "y", "200 OK"]
    deep = copy.deepcopy(response)
    deep.headers["X"] = "z"
    assert [sent(deep)[1]["X"], response.headers["X"]] == ["z", "y"]


def test_the_defaults_of_the_class_may_change_at_any_time(monkeypatch):
    assert Response("x").mimetype == "text/plain"
    monkeypatch.setattr(Response, "default_mimetype", "application/json")
    monkeypatch.setattr(Response, "default_status", 201)
    assert [Response("x").mimetype, Response("x").status] == ["application/json", "201 CREATED"]
    monkeypatch.setattr(Response, "automatically_set_content_length", False)
    assert "Content-Length" not in Response("x").headers
    monkeypatch.setattr(Response, "default_mimetype", None)
    assert list(Response("x").headers) == []


def test_the_tables_of_known_names_and_types_do_not_grow_for_ever():
    for number in range(2000):
        Response("x", mimetype=f"a/{number}")
        lower_names([(f"X-{number}", "")])
    assert len(known_types) <= 256
    assert lower_names([("X-1999", "")]) == {"x-1999"}


# -- what is overridden is called


OVERRIDES = {
    "get_wsgi_headers": (lambda self, environ: Headers({"Own": "1"}), ("200 OK", {"Own": "1"}, b"Hello")),
    "get_app_iter": (lambda self, environ: [b"own"], ("200 OK", None, b"own")),
    "iter_encoded": (lambda self: iter([b"own"]), ("200 OK", None, b"own")),
}


@pytest.mark.parametrize("name", OVERRIDES)
@pytest.mark.parametrize("how", ["subclass", "patch"])
def test_overridden_steps_are_taken(monkeypatch, name, how):
    function, (status, headers, content) = OVERRIDES[name]
    cls = type("Own", (Response,), {name: function} if how == "subclass" else {})
    if how == "patch":
        monkeypatch.setattr(Response, name, function)
    answer = sent(cls("Hello"))
    assert [answer[0], answer[2]] == [status, content]
    if headers is not None:
        assert answer[1] == headers


def test_an_overridden_close_is_called():
    closed = []

    class Own(Response):
        def close(self):
            closed.append(True)
            super().close()

    sent(Own("Hello"))
    assert closed == [True]


def test_an_overridden_set_data_is_called_by_the_constructor():
    class Shouting(Response):
        def set_data(self, value):
            super().set_data(value.upper())

    assert Shouting("Hello").data == b"HELLO"


def test_callbacks_run_when_the_response_was_sent():
    called = []
    response = Response("Hello")

    @response.call_on_close
    def note():
        called.append(True)

    assert sent(response)[2] == b"Hello"
    assert called == [True]


# -- what must not get out


@pytest.mark.parametrize("control", ["\r", "\n", "\0", "\x01", "\x7f", "\r\nX: 1"])
def test_control_characters_are_refused(control):
    for make in (
        lambda: Response("x", status=f"200 a{control}b"),
        lambda: Response("x", headers={"A": f"b{control}c"}),
        lambda: Response("x", headers=[("A", f"b{control}c")]),
        lambda: Response("x", headers={f"A{control}": "b"}),
        lambda: Response("x", content_type=f"text/{control}x"),
        lambda: Response("x", mimetype=f"text/{control}x"),
        lambda: Response("x").headers.set("A", f"b{control}"),
        lambda: Response("x").headers.add("Location", f"/{control}x"),
        lambda: setattr(Response("x"), "status", f"200 {control}x"),
        lambda: setattr(Response("x"), "location", f"/{control}x"),
        lambda: setattr(Response("x"), "content_type", f"/{control}x"),
        lambda: Response("x").set_cookie("a", domain=f"ex.org{control}"),
    ):
        with pytest.raises(ValueError, match=r"."):
            make()


@pytest.mark.parametrize("name", ["a b", "a:", "", "a,b", "ü"])
def test_names_of_headers_are_tokens(name):
    response = Response("x")
    response.headers._list.append((name, "y"))
    for send in (response.get_wsgi_response, response.get_wsgi_headers):
        with pytest.raises(ValueError, match=f"^{name!r} cannot be the name of a header"):
            send(ENVIRON)


def test_an_empty_status_is_refused():
    with pytest.raises(ValueError, match="Empty status"):
        Response("x", status=" ")


# -- for the edges


def for_edge(response, environ=ENVIRON):
    """Status, headers, body and clean-up, as an edge that is not WSGI sends them."""
    piece, headers = response._sent(environ)
    replaced = EXITS.replaced(response)
    if replaced:
        piece, headers = None, response._headers_by(replaced, environ, headers)
    body, close = response.body_for_edge(environ, replaced) if piece is None else (piece, None)
    return response.status_code, headers, body, close


def test_a_complete_body_is_handed_over_as_bytes():
    status, headers, body, close = for_edge(Response("Hello", 404))
    expected = 404, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "5")], b"Hello"
    assert (*expected, None) == (status, headers, body, close)
    assert for_edge(Response(["a", b"b"]))[2] == b"ab"
    assert dict(for_edge(Response(["a", b"b"]))[1])["Content-Length"] == "2"


@pytest.mark.parametrize("status", [204, 304, 101])
def test_a_response_without_content_hands_over_no_body(status):
    code, headers, body, _ = for_edge(Response("Hello", status))
    assert [code, body, "Content-Length" in dict(headers)] == [status, b"", False]


def test_a_head_request_gets_the_length_alone():
    _, headers, body, _ = for_edge(Response("Hello"), HEAD)
    assert [dict(headers)["Content-Length"], body] == ["5", b""]


def test_an_iterable_is_handed_over_as_bytes_piece_by_piece():
    assert list(for_edge(Response(piece for piece in ("é", b"b")))[2]) == ["é".encode(), b"b"]
    chunks = iter([b"a"])
    assert for_edge(Response(chunks, direct_passthrough=True))[2] is chunks


def test_a_file_is_handed_over_as_a_file():
    file = io.BytesIO(b"hello world")
    response = Response(FileWrapper(file), headers={"Content-Length": "11"}, direct_passthrough=True)
    body = for_edge(response)[2]
    assert body == FileBody(file, None, 11)
    assert b"".join(body) == b"hello world"
    response.close()
    assert file.closed


def test_part_of_a_file_is_handed_over_with_its_place():
    file = io.BytesIO(b"hello world")
    response = Response(RangeWrapper(FileWrapper(file), 6, 3), 206, direct_passthrough=True)
    body = for_edge(response)[2]
    assert body == FileBody(file, 6, 3)
    assert b"".join(body) == b"wor"


def test_an_overridden_iterable_is_what_the_edges_send():
    class Own(Response):
        def get_app_iter(self, environ):
            return [b"own"]

    assert for_edge(Own("Hello"))[2] == [b"own"]


def test_a_file_that_grows_is_sent_as_long_as_it_was_said_to_be():
    assert b"".join(FileBody(io.BytesIO(b"hello, and more"), None, 5)) == b"hello"
    assert b"".join(FileBody(io.BytesIO(b"x" * 200_000))) == b"x" * 200_000


def test_a_range_of_other_bodies_is_an_iterable():
    response = Response(iter([b"he", b"llo"]))
    response.make_conditional({**ENVIRON, "HTTP_RANGE": "bytes=1-3"}, True, 5)
    status, headers, body, _ = for_edge(response)
    assert [status, dict(headers)["Content-Range"], b"".join(body)] == [206, "bytes 1-3/5", b"ell"]


def test_ranges_of_text_count_bytes():
    response = Response(["é", "ab"])
    response.make_conditional({**ENVIRON, "HTTP_RANGE": "bytes=1-2"}, True, 4)
    assert sent(response)[2] == "é".encode()[1:] + b"a"


@pytest.mark.parametrize(("coding", "code"), [(None, 206), ("gzip", 200)])
def test_several_ranges_of_a_response_with_a_coding_are_the_whole(coding, code):
    """A client would apply the coding to the body of several parts."""
    response = Response([b"hello" * 100, b"world" * 100])
    if coding:
        response.headers["Content-Encoding"] = coding
    response.make_conditional({**ENVIRON, "HTTP_RANGE": "bytes=0-4, 500-504"}, True, 1000)

    in_parts = b"hello\r\n" in response.get_data() and b"world\r\n" in response.get_data()
    assert (code, code == 206) == (response.status_code, in_parts)
    assert in_parts is response.headers["Content-Type"].startswith("multipart/byteranges; boundary=")


def test_a_body_is_read_as_json_if_its_type_says_so():
    response = Response('{"a": 1}', content_type="application/problem+json")
    text = Response('{"a": 1}')

    assert ({"a": 1}, None, {"a": 1}) == (response.get_json(), text.get_json(), text.get_json(force=True))
    assert Response("{", content_type="application/json").get_json(silent=True) is None
    with pytest.raises(ValueError):
        Response("{", content_type="application/json").get_json()


async def count(pieces, closed=None):
    try:
        for piece in pieces:
            yield piece
    finally:
        if closed is not None:
            closed.append("body")


def drive(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as done:
        return done.value


async def gather(body):
    return [piece async for piece in body]


async def take_one_and_close(body):
    iterator = aiter(body)
    first = await anext(iterator)
    await iterator.aclose()
    return first


def test_an_asynchronous_body_is_handed_over_as_one():
    body = for_edge(Response(count(["é", b"b"])))[2]
    assert drive(gather(body)) == ["é".encode(), b"b"]


def test_an_asynchronous_body_is_closed_when_the_edge_closes_it():
    closed = []
    body = for_edge(Response(count(["a", "b"], closed)))[2]
    assert [drive(take_one_and_close(body)), closed] == [b"a", ["body"]]

    class Endless:
        def __aiter__(self):
            return self

        async def __anext__(self):
            return "c"

    assert drive(take_one_and_close(for_edge(Response(Endless()))[2])) == b"c"


def test_an_asynchronous_body_cannot_be_sent_by_wsgi():
    response = Response(count([]))
    assert response.is_streamed
    for use in (lambda: response.get_app_iter(ENVIRON), lambda: response.data, lambda: response.freeze()):
        with pytest.raises(TypeError, match=r"async_generator\), which only an ASGI server can send"):
            use()
    assert sent(Response(count([])), HEAD)[2] == b""


# -- the body


def test_a_frozen_response_is_complete():
    response = Response(iter(["a", "b"]))
    response.freeze()
    assert [response.response, response.headers["Content-Length"], bool(response.get_etag()[0])] == [
        [b"a", b"b"],
        "2",
        True,
    ]


def test_what_is_written_is_part_of_the_body():
    response = Response("a")
    response.stream.write(b"b")
    response.stream.close()
    with pytest.raises(ValueError, match="closed file"):
        response.stream.write(b"c")
    assert sent(response) == ("200 OK", {"Content-Type": "text/plain; charset=utf-8", "Content-Length": "2"}, b"ab")


def test_a_body_changed_under_way_is_sent_as_it_is():
    response = Response("Hello")
    response.response = [b"a", b"b"]
    del response.headers["Content-Length"]
    assert sent(response)[1]["Content-Length"] == "2"


def test_a_made_up_status_is_sent_as_it_is():
    assert sent(Response("x", "299 Fine"))[0] == "299 Fine"
    assert Response("x", True).status == "1 UNKNOWN"


def test_a_head_shows_its_status():
    assert repr(ResponseHead("404 Lost")) == "<ResponseHead [404 Lost]>"


def test_retry_after_and_challenges_can_be_taken_back():
    response = Response("x", headers={"Retry-After": "5", "WWW-Authenticate": "Basic"})
    response.retry_after = None
    del response.www_authenticate
    assert ["Retry-After" in response.headers, "WWW-Authenticate" in response.headers] == [False, False]
    del response.www_authenticate
    assert response.headers.get("WWW-Authenticate") is None


def test_a_conditional_answer_of_an_iterator_stays_one():
    response = type("Own", (Response,), {"implicit_sequence_conversion": False})(iter(["a"]))
    response.make_conditional(ENVIRON)
    assert [response.is_streamed, "Content-Length" in response.headers] == [True, False]


def test_a_status_that_is_no_longer_partial_keeps_the_whole_body():
    class Own(Response):
        def _wrap_range_response(self, start, length):
            self.status_code = 200
            super()._wrap_range_response(start, length)

    response = Own("hello")
    response.make_conditional({**ENVIRON, "HTTP_RANGE": "bytes=1-2"}, True, 5)
    assert response.data == b"hello"
