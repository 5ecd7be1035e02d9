"""Targets: the parsers of bodies and the streams that they read from."""

from __future__ import annotations

import asyncio
import typing as t
from itertools import pairwise
from urllib.parse import parse_qsl, urlencode

from costrel.edges.bodies import Body
from costrel.http.errors import ClientDisconnected, RequestEntityTooLarge
from costrel.legacy.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    MultipartEncoder,
    NeedData,
    Preamble,
)
from costrel.messages.environ import get_input_stream
from costrel.messages.forms import FormDataParser, MalformedForm, MultiPartParser
from costrel.messages.urlencoded import decode_form, parse_query

from .feeding import STEPS, Trickle, lines_of, pieces

BOUNDARY = b"b"
MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"


def multipart_events(data: bytes) -> None:
    """Werkzeug's decoder: the same events for any split of the body, and again after encoding them."""
    whole = _joined(_events([data]))
    for step in STEPS:
        assert whole == _joined(_events(pieces(data, step))), f"{step} bytes at a time give other events"
    if isinstance(whole[-1], Epilogue):
        _check_written_again(whole)


def _events(chunks: list[bytes]) -> list[t.Any]:
    """All events, and the class of the error at the end if there is one."""
    decoder = MultipartDecoder(BOUNDARY, max_parts=20)
    events: list[t.Any] = []
    try:
        for chunk in [*chunks, None]:
            decoder.receive_data(chunk)
            while not isinstance(event := decoder.next_event(), NeedData):
                events.append(event)
                if isinstance(event, Epilogue):
                    break
    except (ValueError, RequestEntityTooLarge) as error:
        events.append(type(error))
    return events


def _joined(events: list[t.Any]) -> list[t.Any]:
    """The events, with the data of a part joined; whether more data would follow is ignored."""
    joined: list[t.Any] = []
    for event in events:
        if not isinstance(event, Data):
            joined.append(event)
        elif joined and isinstance(joined[-1], bytes):
            joined[-1] += event.data
        else:
            joined.append(event.data)
    return joined


def _check_written_again(events: list[t.Any]) -> None:
    """Only for names that can be written: readers take a backslash for an escape, browsers write it as it is."""
    names = [(event.name, getattr(event, "filename", "")) for event in events if isinstance(event, Field | File)]
    if any(text is None or set(text) & set('\\%\r\n"') for pair in names for text in pair):
        return
    encoder = MultipartEncoder(BOUNDARY)
    written = b""
    for event in events:
        if isinstance(event, Preamble):
            written += encoder.send_event(Preamble(b""))
        elif isinstance(event, bytes):
            written += encoder.send_event(Data(event, more_data=False))
        else:
            written += encoder.send_event(t.cast(Event, event))
    again = [event for event in _joined(_events([written])) if isinstance(event, bytes)]
    assert [event for event in events if isinstance(event, bytes)] == again


def multipart_form(data: bytes) -> None:
    """The parser of forms: the same fields and files for any size of reads, and as in the events."""
    whole = _form(data, MULTIPART, 64 * 1024)
    for step in STEPS:
        assert whole == _form(data, MULTIPART, step), f"{step} bytes at a time give another form"


def _form(data: bytes, mimetype: str, step: int) -> t.Any:
    """The fields and files of a form, or the class of its error."""
    parser = FormDataParser(max_form_memory_size=1_000, max_form_parts=20, silent=False)
    try:
        _, fields, files = parser.parse(Trickle(data, step), mimetype, None, {"boundary": "b"})
    except (MalformedForm, RequestEntityTooLarge) as error:
        return type(error)
    read = [(name, file.filename, list(file.headers), file.read()) for name, file in files.items(multi=True)]
    for _, file in files.items(multi=True):
        file.close()
    return list(fields.items(multi=True)), read


def both_parsers(data: bytes) -> None:
    """What the parser of forms takes, the decoder of events takes for the same, and neither sees other names.

    The decoder takes any line break for one, wherever it stands; so only bodies with one kind are compared.
    """
    if set(data.replace(b"\r\n", b"")) & set(b"\r\n"):
        return
    try:
        fields, files = MultiPartParser().parse(Trickle(data, 64 * 1024), BOUNDARY, None)
    except (MalformedForm, RequestEntityTooLarge):
        return
    found = [
        *((name, None) for name, _ in fields.items(multi=True)),
        *((name, file.filename) for name, file in files.items(multi=True)),
    ]
    contents = [file.read() for _, file in files.items(multi=True)]
    for _, file in files.items(multi=True):
        file.close()
    events = _joined(_events([data]))
    if isinstance(events[-1], Epilogue):
        heads = [event for event in events if isinstance(event, Field | File)]
        assert sorted(map(str, found)) == sorted(str((head.name, getattr(head, "filename", None))) for head in heads)
        bodies = [after for head, after in pairwise(events) if isinstance(head, File)]
        assert sorted(contents) == sorted(bodies)


def urlencoded(data: bytes) -> None:
    """As the standard library reads it, in any pieces, and again after it was written."""
    text = decode_form(data)
    pairs = parse_query(text)
    expected = parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    assert pairs == [(_readable(name), _readable(value)) for name, value in expected]
    assert [pair for pair in pairs if pair != ("", "")] == parse_query(
        urlencode([pair for pair in pairs if pair != ("", "")])
    )
    whole = _form(data, URLENCODED, 64 * 1024)
    for step in STEPS:
        assert whole == _form(data, URLENCODED, step)


def _readable(text: str) -> str:
    return "".join(f"%{ord(char) - 0xDC00:02X}" if "\udc80" <= char <= "\udcff" else char for char in text)


def streams(data: bytes) -> None:
    """A body by its Content-Length, on a server that marks its end and one that does not, over WSGI and ASGI."""
    head, maximum, content = lines_of(data, 2)
    length = head.decode("latin-1")
    limit = int(maximum) if maximum.isdigit() and len(maximum) < 6 else None
    for terminated in (False, True):
        outcomes = [_read_wsgi(length, content, limit, terminated, step) for step in (64 * 1024, *STEPS)]
        assert outcomes[0] == outcomes[1] == outcomes[2], outcomes
        if isinstance(outcomes[0], bytes):
            assert content.startswith(outcomes[0])
            assert limit is None or len(outcomes[0]) <= limit
    outcomes = [asyncio.run(_read_asgi(length, content, step)) for step in (64 * 1024, *STEPS)]
    assert outcomes[0] == outcomes[1] == outcomes[2], outcomes


def _read_wsgi(length: str, content: bytes, limit: int | None, terminated: bool, step: int) -> t.Any:
    environ = {"wsgi.input": Trickle(content, step), "wsgi.input_terminated": terminated, "CONTENT_LENGTH": length}
    try:
        return get_input_stream(environ, max_content_length=limit).read() if length else b""
    except Exception as error:
        if getattr(error, "code", None) in (400, 413):
            return type(error)
        raise


async def _read_asgi(length: str, content: bytes, step: int) -> t.Any:
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces(content, step)]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> t.Any:
        return messages.pop(0)

    body = Body({"CONTENT_LENGTH": length}, receive)
    chunks = []
    try:
        while chunk := await body.next_chunk():
            chunks.append(chunk)
    except ClientDisconnected:
        chunks.append(b"(cut off)")
    finally:
        body.close()
    return b"".join(chunks)
