"""Multipart bodies, read and written beside Werkzeug."""

from __future__ import annotations

import typing as t

import pytest
import werkzeug.datastructures
import werkzeug.sansio.multipart
from hypothesis import assume, given
from hypothesis import strategies as st

from costrel.http.headers import Headers
from costrel.legacy import multipart

BOUNDARY = b"b"


def plain(event: t.Any) -> tuple[t.Any, ...]:
    """An event as a tuple, which compares across the two libraries."""
    members = {name: list(value) if name == "headers" else value for name, value in vars(event).items()}
    return type(event).__name__, *sorted(members.items())


def events_of(module: t.Any, chunks: t.Iterable[bytes], boundary: bytes = BOUNDARY, **limits: t.Any) -> list[t.Any]:
    """All events of a body, ending with the kind of error if it has one."""
    decoder = module.MultipartDecoder(boundary, **limits)
    events: list[t.Any] = []
    try:
        for chunk in [*chunks, None]:
            decoder.receive_data(chunk)
            while not isinstance(event := decoder.next_event(), module.NeedData | module.Epilogue):
                events.append(plain(event))
        events.append(plain(event))
    except ValueError:
        events.append("malformed")
    except Exception as error:
        events.append(type(error).__name__)
    return events


def joined(events: list[t.Any]) -> list[t.Any]:
    """The events with the pieces of each part's data put together."""
    result: list[t.Any] = []
    for event in events:
        if event[0] == "Data" and result and result[-1][0] == "data":
            result[-1] = ("data", result[-1][1] + dict(event[1:])["data"])
        elif event[0] == "Data":
            result.append(("data", dict(event[1:])["data"]))
        else:
            result.append(event)
    return result


PIECES = [
    b"--b",
    b"--b--",
    b"\r\n",
    b"\n",
    b"\r",
    b"-",
    b"--",
    b"b",
    b" ",
    b"\t",
    b"x",
    b"\r\n\r\n",
    b"--b\r\n",
    b"\r\n--b--\r\n",
]
HEAD = b'Content-Disposition: form-data; name="a"'
PIECES += [HEAD, HEAD + b"\r\n\r\n", HEAD + b'; filename="f"\r\nContent-Type: t\r\n\r\n', b"X: y", b":", b"\xff"]
pieces = st.lists(st.sampled_from(PIECES), max_size=14)
line_breaks = st.sampled_from([b"\r\n", b"\n", b"\r"])
# No line of a part's content begins with the boundary.
payloads = (st.binary(max_size=12) | pieces.map(b"".join)).map(lambda content: content.replace(b"--b", b"--a"))


def body_of(parts: list[tuple[bytes, bytes]], line_break: bytes, preamble: bytes, epilogue: bytes) -> bytes:
    body = preamble
    for head, content in parts:
        body += line_break + b"--b" + line_break + head.replace(b"\n", line_break) + line_break * 2 + content
    return body + line_break + b"--b--" + epilogue


heads = st.sampled_from(
    [
        HEAD,
        HEAD + b'; filename="f.txt"\nContent-Type: text/plain; charset=utf-8',
        b"X-Other: 1\n" + HEAD,
        b"content-disposition: form-data;\n name=a",
        b'Content-Disposition: form-data; name="\xc3\xa9"; filename=""',
        b"Content-Disposition: form-data",
        b"Content-Disposition: attachment; name=a; filename*=utf-8''%41",
        b"Content-Disposition: form-data; name=latin\xe9",
        b"Content-Type: text/plain",
        HEAD + b"\nnocolon",
        HEAD + b"\n" + HEAD.replace(b"a", b"z"),
    ]
)
bodies = st.builds(
    body_of,
    st.lists(st.tuples(heads, payloads), max_size=3),
    line_breaks,
    st.sampled_from([b"", b"preamble", b"\r\n\r\n", b"--", b"--a\n"]),
    st.sampled_from([b"", b"\r\n", b"\n", b"epilogue", b" \t\r\nepi\r\nlogue", b"\r\n--b\r\n"]),
)


@given(bodies)
def test_wellformed_bodies_give_the_same_events(body: bytes) -> None:
    assert events_of(werkzeug.sansio.multipart, [body]) == events_of(multipart, [body])


@given(pieces.map(b"".join) | bodies)
def test_no_body_is_read_differently(body: bytes) -> None:
    actual = events_of(multipart, [body])
    # Costrel refuses more: a first boundary that begins no line, line breaks of two kinds in a part's head.
    if actual[-1] != "malformed":
        assert events_of(werkzeug.sansio.multipart, [body]) == actual


@given(pieces.map(b"".join) | bodies)
def test_what_werkzeug_refuses_is_refused(body: bytes) -> None:
    if events_of(werkzeug.sansio.multipart, [body])[-1] == "malformed":
        assert events_of(multipart, [body])[-1] == "malformed"


def cut(body: bytes, places: list[int]) -> list[bytes]:
    places = sorted({place % (len(body) + 1) for place in places})
    return [body[start:end] for start, end in zip([0, *places], [*places, len(body)], strict=True)]


@given(bodies | pieces.map(b"".join), st.lists(st.integers(0, 200), max_size=6))
def test_it_makes_no_difference_how_a_body_is_cut(body: bytes, places: list[int]) -> None:
    expected = joined(events_of(multipart, [body]))
    assert expected == joined(events_of(multipart, cut(body, places)))
    assert expected == joined(events_of(multipart, [body[i : i + 1] for i in range(len(body))]))


@given(bodies, st.none() | st.integers(0, 200), st.none() | st.integers(0, 3))
def test_limits_are_kept_alike(body: bytes, memory: int | None, parts: int | None) -> None:
    limits = {"max_form_memory_size": memory, "max_parts": parts}
    expected = events_of(werkzeug.sansio.multipart, [body], **limits)
    assert expected == events_of(multipart, [body], **limits)


def test_an_event_equals_its_like() -> None:
    for module in (werkzeug.sansio.multipart, multipart):
        assert module.Preamble(b"x") == module.Preamble(data=b"x")
        assert module.Data(b"x", True) != module.Data(b"x", False)
        assert isinstance(module.NEED_DATA, module.NeedData)
        with pytest.raises(AttributeError):
            module.Preamble(b"x").data = b""
    assert [(state.name, state.value) for state in werkzeug.sansio.multipart.State] == [
        (state.name, state.value) for state in multipart.State
    ]


names = st.text("ab;é\\% ", max_size=4)
head_fields = st.lists(
    st.tuples(st.sampled_from(["X-A", "Content-Type", "content-disposition"]), st.text("ab;", max_size=3)), max_size=2
)
steps = st.lists(
    st.tuples(st.sampled_from(["Preamble", "Epilogue"]), st.binary(max_size=3))
    # Without any data, Werkzeug leaves out the blank line that ends a part's head.
    | st.tuples(st.just("Data"), st.binary(min_size=1, max_size=3), st.booleans())
    | st.tuples(st.just("Field"), names, head_fields)
    | st.tuples(st.just("File"), names, names, head_fields)
    | st.just(("NeedData",)),
    max_size=7,
)


def written(module: t.Any, steps: list[t.Any]) -> list[t.Any]:
    headers = Headers if module is multipart else werkzeug.datastructures.Headers
    encoder = module.MultipartEncoder(BOUNDARY)
    result: list[t.Any] = []
    for kind, *arguments in steps:
        if kind in ("Field", "File"):
            arguments[-1] = headers(arguments[-1])
        try:
            result.append(encoder.send_event(getattr(module, kind)(*arguments)))
        except ValueError:
            result.append(ValueError)
        result.append(encoder.state.name)
    return result


@given(steps | steps.map(lambda steps: [("Preamble", b""), *steps]))
def test_events_are_written_alike(steps: list[t.Any]) -> None:
    assert written(werkzeug.sansio.multipart, steps) == written(multipart, steps)


@given(st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=8)), min_size=1, max_size=3))
def test_what_is_written_reads_as_it_was(fields: list[tuple[str, bytes]]) -> None:
    encoder = multipart.MultipartEncoder(b"a-boundary")
    body = encoder.send_event(multipart.Preamble(b""))
    for name, content in fields:
        body += encoder.send_event(multipart.Field(name, Headers()))
        body += encoder.send_event(multipart.Data(content, more_data=False))
    body += encoder.send_event(multipart.Epilogue(b""))
    assume(all(name.isprintable() and "%" not in name and "\\" not in name for name, _ in fields))
    actual = [dict(event[1:]) for event in events_of(multipart, [body], b"a-boundary")]
    assert fields == [(head["name"], data["data"]) for head, data in zip(actual[1:-1:2], actual[2:-1:2], strict=True)]
