"""The environ: malformed values are refused."""

import io

import pytest

from costrel.http.errors import BadRequest, ClientDisconnected, RequestEntityTooLarge
from costrel.messages.environ import EnvironHeaders, get_content_length, get_input_stream

BODY = b"hello world"


def environ(**values):
    return {"wsgi.input": io.BytesIO(BODY), **values}


@pytest.mark.parametrize("length", ["+5", "-1", "5,5", "5, 5", "\u0665", "1_0", "0x5", "five", "5.0", "9" * 30])
def test_a_length_that_is_no_number_is_refused(length):
    given = environ(CONTENT_LENGTH=length)
    with pytest.raises(BadRequest) as caught:
        get_input_stream(given)
    assert caught.value.description == (
        f"The request's Content-Length is {length!r}; it must be a plain number of bytes."
    )
    assert given["wsgi.input"].tell() == 0
    assert get_content_length(given) == 0


@pytest.mark.parametrize("length", ["", " ", "0", "00"])
def test_no_length_is_an_empty_body(length):
    assert get_input_stream(environ(CONTENT_LENGTH=length)).read() == b""


def test_a_length_beside_chunks_means_nothing():
    given = environ(CONTENT_LENGTH="+5", HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input_terminated": True})
    assert get_input_stream(given).read() == BODY


def test_a_body_that_is_announced_as_too_long_is_not_read():
    given = environ(CONTENT_LENGTH="1234")
    with pytest.raises(RequestEntityTooLarge) as caught:
        get_input_stream(given, max_content_length=1000)
    assert caught.value.description == "The request's body has 1,234 bytes, MAX_CONTENT_LENGTH allows 1,000."
    assert given["wsgi.input"].tell() == 0


def test_a_cut_off_body_is_noticed_also_where_the_server_marks_its_end():
    given = environ(CONTENT_LENGTH="20", **{"wsgi.input_terminated": True})
    with pytest.raises(ClientDisconnected):
        get_input_stream(given).read()


def test_a_body_without_length_is_cut_at_the_maximum():
    class Endless:
        def __init__(self):
            self.given = 0

        def read(self, size):
            self.given += size
            return b"x" * size

    stream = Endless()
    given = {"wsgi.input": stream, "wsgi.input_terminated": True}
    with pytest.raises(RequestEntityTooLarge):
        get_input_stream(given, max_content_length=1_000_000).read()
    assert stream.given == 1_000_001


def test_headers_convert_what_they_find():
    headers = EnvironHeaders({"HTTP_A": "5", "HTTP_B": "x"})
    assert [headers.getlist("a", int), headers.getlist("b", int), headers.getlist("c", int)] == [[5], [], []]
