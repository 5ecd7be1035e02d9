"""Multipart bodies: their events, refused bodies, and encoding."""

import pytest

from costrel.http.errors import RequestEntityTooLarge
from costrel.http.headers import Headers
from costrel.legacy.multipart import (
    NEED_DATA,
    Data,
    Epilogue,
    Field,
    File,
    MultipartDecoder,
    MultipartEncoder,
    Preamble,
    State,
)


def decode(*chunks: bytes, **limits):
    decoder = MultipartDecoder(b"b", **limits)
    events = []
    for chunk in [*chunks, None]:
        decoder.receive_data(chunk)
        while (event := decoder.next_event()) is not NEED_DATA:
            events.append(event)
            if isinstance(event, Epilogue):
                return events
    raise AssertionError("no epilogue")


def part(disposition: bytes, content: bytes = b"x", *headers: bytes) -> bytes:
    lines = [b"--b", b"Content-Disposition: " + disposition, *headers, b"", content, b""]
    return b"\r\n".join(lines)


FIELD = part(b'form-data; name="a"', b"1")
END = b"--b--\r\n"


def test_a_field_and_a_file():
    body = FIELD + part(b'form-data; name="f"; filename="t.txt"', b"2\r\n3", b"Content-Type: text/plain") + END
    disposition = "Content-Disposition"
    assert decode(body) == [
        Preamble(b""),
        Field("a", Headers([(disposition, 'form-data; name="a"')])),
        Data(b"1", more_data=False),
        File(
            "f",
            "t.txt",
            Headers([(disposition, 'form-data; name="f"; filename="t.txt"'), ("Content-Type", "text/plain")]),
        ),
        Data(b"2\r\n3", more_data=False),
        Epilogue(b""),
    ]


def test_data_is_handed_on_as_it_comes():
    decoder = MultipartDecoder(b"b")
    decoder.receive_data(FIELD.removesuffix(b"\r\n"))
    events = [decoder.next_event() for _ in range(4)]
    assert events[2:] == [Data(b"1", more_data=True), NEED_DATA]
    # A line break may belong to a boundary.
    decoder.receive_data(b"2\r\n--")
    assert decoder.next_event() == Data(b"2", more_data=True)
    decoder.receive_data(b"no\r")
    assert decoder.next_event() == Data(b"\r\n--no", more_data=True)
    decoder.receive_data(b"\n--b--")
    assert decoder.next_event() == Data(b"", more_data=False)


@pytest.mark.parametrize("line_break", [b"\n", b"\r"])
def test_lines_of_hand_written_bodies_end_otherwise(line_break):
    body = (b"pre\r\n" + FIELD + END + b"epi").replace(b"\r\n", line_break)
    events = decode(*[body[i : i + 1] for i in range(len(body))])
    assert events[0] == Preamble(b"pre")
    assert [event.data for event in events if isinstance(event, Data)] == [b"1", b""]
    assert events[-1] == Epilogue(b"epi")


def test_a_line_break_that_ends_a_part_head_may_begin_a_boundary():
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n--b--'
    assert decode(body)[2] == Data(b"", more_data=False)


@pytest.mark.parametrize("end", range(len(FIELD + END) - 2))
def test_no_prefix_of_a_body_is_a_body(end):
    # SECURITY A8.
    with pytest.raises(ValueError, match="ended before its last boundary"):
        decode((FIELD + END)[:end])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"x" + FIELD + END, "The first multipart boundary does not begin a line"),
        (b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", "a part has no Content-Disposition header"),
        (b"--b\r\n\r\n\r\nx\r\n--b--", "a part has no Content-Disposition header"),
        (part(b'form-data; name="a\rb"') + END, "of a part has a control character"),
        (
            part(b"form-data; name=a", b"x", b"Content-Length: -1") + END,
            "the Content-Length of a part is '-1', which is no number of bytes",
        ),
        (
            part(b"form-data; name=a", b"x", b"Content-Length: +5") + END,
            "the Content-Length of a part is '\\+5', which is no number of bytes",
        ),
        (part(b"form-data; name=\xff") + END, "a header of a part is not UTF-8"),
    ],
)
def test_a_malformed_body_is_refused(body, message):
    with pytest.raises(ValueError, match=message):
        decode(body)


def test_a_part_may_tell_its_length():
    assert decode(part(b"form-data; name=a", b"x", b"Content-Length: 1") + END)[2] == Data(b"x", more_data=False)


def test_a_folded_header_is_one_header():
    assert decode(part(b"form-data;\r\n name=a") + END)[1].name == "a"


@pytest.mark.parametrize("boundary", [b"", b"a\nb", b"x" * 257])
def test_a_boundary_must_be_one(boundary):
    # SECURITY A13.
    with pytest.raises(ValueError, match=f"Invalid multipart boundary: {len(boundary)} bytes"):
        MultipartDecoder(boundary)


@pytest.mark.parametrize(
    "body",
    [
        part(b"form-data; name=a", b"x", *[b"A: b"] * 16) + END,
        part(b"form-data; name=a", b"x", b"A: " + b"b" * 8192) + END,
        b"--b\r\n" + b"A: b\r\n" * 50_000,
        b"--b\r\nA: " + b"b" * 200_000,
    ],
    ids=["17 headers", "a header of 8 KB", "endless headers", "an endless header"],
)
def test_the_head_of_a_part_is_bounded(body):
    # SECURITY A5.
    with pytest.raises(RequestEntityTooLarge):
        decode(body)


def test_parts_and_memory_are_counted():
    # SECURITY A2.
    with pytest.raises(RequestEntityTooLarge):
        decode(FIELD * 3 + END, max_parts=2)
    assert len(decode(FIELD * 2 + END, max_parts=2)) == 6
    with pytest.raises(RequestEntityTooLarge):
        decode(FIELD, END, max_form_memory_size=len(FIELD) - 1)
    assert len(decode(FIELD, END, max_form_memory_size=len(FIELD))) == 5


def test_padding_after_a_boundary_is_bounded():
    assert decode(FIELD + b"--b" + b" " * 1024 + b"\r\n" + FIELD[5:] + END)[2] == Data(b"1", more_data=False)
    data = decode(FIELD + b"--b" + b" " * 1025 + b"\r\n" + FIELD[5:] + END)[2].data
    assert data.startswith(b"1\r\n--b  ")


def test_nothing_follows_the_end():
    decoder = MultipartDecoder(b"b")
    decoder.receive_data(b"--b--")
    assert decoder.next_event() == Preamble(b"")
    assert decoder.next_event() is NEED_DATA
    decoder.receive_data(None)
    assert decoder.next_event() == Epilogue(b"")
    assert decoder.state is State.COMPLETE
    with pytest.raises(ValueError, match=r"in State\.COMPLETE"):
        decoder.next_event()


def test_what_is_encoded():
    encoder = MultipartEncoder(b"b")
    headers = Headers([("Content-Type", "text/plain"), ("Content-Disposition", "ignored")])
    events = [Preamble(b""), Field("a", Headers()), Data(b"1", True), Data(b"2", False)]
    events += [File("f", "t.txt", headers), Data(b"", False), Epilogue(b"e")]
    assert b"".join(map(encoder.send_event, events)) == (
        b'\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n12'
        b'\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="t.txt"\r\nContent-Type: text/plain\r\n\r\n'
        b"\r\n--b--\r\ne"
    )


def test_a_name_cannot_end_its_header():
    encoder = MultipartEncoder(b"b")
    head = encoder.send_event(File('a"b', "c\r\nX: y", Headers()))
    assert head == b'\r\n--b\r\nContent-Disposition: form-data; name="a%22b"; filename="c%0D%0AX: y"\r\n'


def test_an_event_out_of_order_is_refused():
    with pytest.raises(
        ValueError, match=r"Cannot generate Data\(data=b'x', more_data=False\) in state: State.PREAMBLE"
    ):
        MultipartEncoder(b"b").send_event(Data(b"x", more_data=False))
