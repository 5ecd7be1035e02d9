"""Streams: a truncated or oversized body never counts as complete."""

import io

import pytest

from costrel.http.errors import ClientDisconnected, RequestEntityTooLarge
from costrel.messages.streams import CountedStream, FileWrapper, LimitedStream, RangeWrapper, wrap_file


def reads(stream, *sizes):
    return [stream.read(size) for size in sizes]


def test_a_body_is_read_up_to_its_length():
    stream = LimitedStream(io.BytesIO(b"hello and more"), 5)
    assert reads(stream, 2, 0, 9, 9) == [b"he", b"", b"llo", b""]
    assert stream.tell() == 5
    assert stream.readable()


@pytest.mark.parametrize(
    "read", [lambda s: s.read(), lambda s: s.read(9), lambda s: s.exhaust(), lambda s: s.readlines()]
)
def test_a_body_that_ends_early_says_so(read):
    stream = LimitedStream(io.BytesIO(b"hel"), 5)
    with pytest.raises(ClientDisconnected):
        read(stream), read(stream)


def test_a_line_that_is_cut_off_is_no_line():
    stream = LimitedStream(io.BytesIO(b"one\ntw"), 8)
    assert stream.readline() == b"one\n"
    with pytest.raises(ClientDisconnected):
        stream.readline()


def test_a_line_can_be_read_in_parts():
    stream = LimitedStream(io.BytesIO(b"hello\nworld"), 11)
    assert [stream.readline(3), stream.readline(0), stream.readline(None), stream.readline(5), stream.readline()] == [
        b"hel",
        b"",
        b"lo\n",
        b"world",
        b"",
    ]


def test_a_body_as_long_as_the_maximum_is_fine():
    stream = LimitedStream(io.BytesIO(b"hello"), 5, is_max=True)
    assert [stream.read(), stream.read(), stream.read(1), stream.exhaust()] == [b"hello", b"", b"", b""]


@pytest.mark.parametrize("read", [lambda s: s.read(), lambda s: (s.read(5), s.read(1)), lambda s: s.readlines()])
def test_a_body_above_the_maximum_is_refused(read):
    stream = LimitedStream(io.BytesIO(b"hello!"), 5, is_max=True)
    with pytest.raises(RequestEntityTooLarge) as caught:
        read(stream)
    assert caught.value.description == "The request's body is longer than the 5 bytes that MAX_CONTENT_LENGTH allows."


def test_a_body_below_the_maximum_ends_where_the_stream_ends():
    stream = LimitedStream(io.BytesIO(b"hello"), 9, is_max=True)
    assert [stream.read(), stream.read(4), stream.is_exhausted] == [b"hello", b"", False]


def test_a_body_whose_end_the_server_marks_is_held_to_the_length_that_was_announced():
    assert CountedStream(io.BytesIO(b"hello"), 100, 5).read() == b"hello"
    assert CountedStream(io.BytesIO(b"hello"), 100, 0).read() == b"hello"
    with pytest.raises(ClientDisconnected):
        CountedStream(io.BytesIO(b"hello"), 100, 6).read()
    with pytest.raises(RequestEntityTooLarge):
        CountedStream(io.BytesIO(b"hello"), 4, 5).read()


def test_a_subclass_may_forgive_a_client_that_left():
    class Forgiving(LimitedStream):
        def on_disconnect(self, error=None):
            self.error = error

    class Gone:
        def read(self, size):
            raise ConnectionResetError("gone")

    stream = Forgiving(Gone(), 5)
    assert stream.read() == b""
    assert str(stream.error) == "gone"


def test_a_stream_fills_buffers():
    stream, buffer = LimitedStream(io.BytesIO(b"hello"), 4), bytearray(3)
    assert [stream.readinto(buffer), bytes(buffer), stream.readinto(buffer), stream.readinto(buffer)] == [
        3,
        b"hel",
        1,
        0,
    ]
    assert io.BufferedReader(LimitedStream(io.BytesIO(b"hello"), 4)).read() == b"hell"


def test_empty_chunks_do_not_end_a_range():
    assert b"".join(RangeWrapper(iter([b"", b"ab", b"", b"cd"]), 1, 3)) == b"bcd"


def test_a_range_beyond_the_end_is_empty():
    assert list(RangeWrapper(iter([b"ab"]), 5, 3)) == []
    wrapper = RangeWrapper([b"ab"], 0, 1)
    assert [list(wrapper), list(wrapper)] == [[b"a"], []]


def test_a_range_of_a_file_is_not_read_from_the_beginning():
    class Watched(io.BytesIO):
        asked = 0

        def read(self, size=-1):
            self.asked += size
            return super().read(size)

    file = Watched(b"x" * 100_000)
    ranged = RangeWrapper(wrap_file({}, file), 90_000, 10)
    assert b"".join(ranged) == b"x" * 10
    assert file.asked == 8192
    ranged.close()
    assert file.closed


def test_a_range_of_what_cannot_be_closed_needs_no_close():
    RangeWrapper([b"a"]).close()
    FileWrapper(iter(())).close()
