"""Conditions and ranges of files and responses, held against a small model of RFC 9110 §13.2.2 and §14."""

from __future__ import annotations

import email.message
import email.parser
import io
import os
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costrel import Costrel, Response, request, send_file
from costrel.app.application import Flask

CONTENT = b"".join(b"%04d" % number for number in range(250))
SIZE = len(CONTENT)
MODIFIED = datetime(2017, 7, 14, 2, 40, tzinfo=UTC)
THEN, BEFORE, AFTER = "Fri, 14 Jul 2017 02:40:00 GMT", "Fri, 14 Jul 2017 02:39:59 GMT", "Fri, 14 Jul 2017 02:40:01 GMT"


class Resource(t.NamedTuple):
    """What a path leads to, as the model knows it."""

    etag: str | None
    modified: datetime | None


RESOURCES = {
    "/static/a.txt": Resource("own", MODIFIED),
    "/path": Resource("own", MODIFIED),
    "/path-tagged": Resource('"tag"', MODIFIED),
    "/memory": Resource(None, None),
    "/memory-tagged": Resource('"tag"', MODIFIED),
    "/weak": Resource('W/"tag"', None),
    "/text": Resource('"tag"', MODIFIED),
    "/dated": Resource(None, MODIFIED),
}


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    root = tmp_path_factory.mktemp("conditional")
    path = root / "static" / "a.txt"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    os.utime(path, (MODIFIED.timestamp(), MODIFIED.timestamp()))
    found = {}
    for cls in (Costrel, Flask):
        app = cls("conditional", root_path=str(root))
        add_views(app, str(path))
        for edge in ("wsgi", "asgi"):
            found[f"{cls.__name__} {edge}"] = app.test_client(edge=edge)
    return found


def add_views(app: t.Any, path: str) -> None:
    def conditional(**headers: str) -> Response:
        return Response(CONTENT.decode(), headers=headers).make_conditional(request, True, SIZE)

    def memory(**options: t.Any) -> Response:
        return send_file(io.BytesIO(CONTENT), download_name="a.txt", **options)

    views = {
        "/path": lambda: send_file(path),
        "/path-tagged": lambda: send_file(path, etag="tag"),
        "/memory": lambda: memory(),
        "/memory-tagged": lambda: memory(etag="tag", last_modified=MODIFIED),
        "/weak": lambda: conditional(ETag='W/"tag"'),
        "/text": lambda: conditional(ETag='"tag"', **{"Last-Modified": THEN}),
        "/dated": lambda: conditional(**{"Last-Modified": THEN}),
    }
    for rule, view in views.items():
        app.add_url_rule(rule, rule[1:], view)


# -- the model

DATES = {
    THEN: MODIFIED,
    BEFORE: MODIFIED - timedelta(seconds=1),
    AFTER: MODIFIED + timedelta(seconds=1),
    "Friday, 14-Jul-17 02:40:00 GMT": MODIFIED,
    "Fri Jul 14 02:40:00 2017": MODIFIED,
    "yesterday": None,
    "14 Jul 2017": None,
    "Fri, 14 Jul 2017 02:40:00 +0100": None,
    "Fri, 32 Jul 2017 02:40:00 GMT": None,
    f"{THEN}, {THEN}": None,
}
TAGS = ["OWN", "WEAK OWN", '"other"', 'W/"other"', "*", '"other", OWN', 'W/"other",WEAK OWN', '"", "o,ther"']


def strong(listed: str, etag: str | None) -> bool:
    return listed == "*" or (etag is not None and etag[:2] != "W/" and etag in split(listed))


def weak(listed: str, etag: str | None) -> bool:
    return listed == "*" or (
        etag is not None and etag.removeprefix("W/") in [tag.removeprefix("W/") for tag in split(listed)]
    )


def split(listed: str) -> list[str]:
    return [tag.strip() for tag in listed.replace("o,ther", "o;ther").split(",")]


def condition(asked: dict[str, str], resource: Resource) -> int:
    """RFC 9110 §13.2.2, for GET and HEAD."""
    date = {name: DATES.get(asked.get(name, "")) for name in ("If-Modified-Since", "If-Unmodified-Since")}
    if "If-Match" in asked:
        if not strong(asked["If-Match"], resource.etag):
            return 412
    elif (since := date["If-Unmodified-Since"]) and resource.modified and resource.modified > since:
        return 412
    if "If-None-Match" in asked:
        if weak(asked["If-None-Match"], resource.etag):
            return 304
    elif (since := date["If-Modified-Since"]) and resource.modified and resource.modified <= since:
        return 304
    return 200


def range_counts(method: str, asked: dict[str, str], resource: Resource) -> bool:
    """RFC 9110 §14.2, §13.1.5."""
    if method != "GET" or "Range" not in asked:
        return False
    if "If-Range" not in asked:
        return True
    validator = asked["If-Range"]
    if validator in DATES:
        return DATES[validator] is not None and DATES[validator] == resource.modified
    return validator != "*" and strong(validator, resource.etag)


RANGES: dict[str, list[tuple[int, int]] | None] = {
    # the parts to be sent, (start, stop); none: 416; None: the header is ignored
    "bytes=0-3": [(0, 4)],
    "bytes=999-": [(999, 1000)],
    "bytes=0-": [(0, 1000)],
    "bytes=998-100000": [(998, 1000)],
    "bytes=-3": [(997, 1000)],
    "bytes=-1000": [(0, 1000)],
    "bytes=-1001": [(0, 1000)],
    "bytes=-65536": [(0, 1000)],
    "BYTES=0-0": [(0, 1)],
    "bytes= 0-0 , ": [(0, 1)],
    "bytes=0-1,4-5": [(0, 2), (4, 6)],
    "bytes=4-5, 0-1": [(4, 6), (0, 2)],
    "bytes=0-1,-2": [(0, 2), (998, 1000)],
    "bytes=,0-1,,4-5": [(0, 2), (4, 6)],
    "bytes=0-1,1000-1020": [(0, 2)],
    "bytes=-0,3-4": [(3, 5)],
    "bytes=0-1,1-2": [(0, 2), (1, 3)],
    "bytes=1000-": [],
    "bytes=-0": [],
    "bytes=1000-1001,9999-": [],
    "bytes=0-,-10": None,
    "bytes=0-449,550-999": None,  # the parts would be longer than the whole
    "bytes=0-999,0-999,0-999": None,
    "bytes=5-2": None,
    "bytes=0-1,5-2": None,
    "bytes=a-b": None,
    "bytes=": None,
    "bytes=1": None,
    "bytes=--1": None,
    "bytes=0-1;2-3": None,
    "bytes=\xb2-3": None,
    "bytes 0-1": None,
    "lines=0-1": None,
    "bytes=" + ",".join(["0-0"] * 100): None,
}


@given(
    st.data(),
    st.sampled_from(sorted(RESOURCES)),
    st.sampled_from(["GET", "GET", "HEAD"]),
    st.fixed_dictionaries(
        {},
        optional={
            "If-Match": st.sampled_from(TAGS),
            "If-None-Match": st.sampled_from(TAGS),
            "If-Modified-Since": st.sampled_from(sorted(DATES)),
            "If-Unmodified-Since": st.sampled_from(sorted(DATES)),
            "If-Range": st.sampled_from([*TAGS[:4], *sorted(DATES)]),
            "Range": st.sampled_from(sorted(RANGES)),
        },
    ),
)
@settings(max_examples=settings.default.max_examples * 4 // 3)
def test_answers_are_those_of_the_model(
    clients: dict[str, t.Any], data: st.DataObject, path: str, method: str, asked: dict[str, str]
) -> None:
    client = clients[data.draw(st.sampled_from(sorted(clients)))]
    resource = RESOURCES[path]
    if resource.etag == "own":
        resource = resource._replace(etag=client.head(path).headers["ETag"])
    plain = (resource.etag or '"none"').removeprefix("W/")
    asked = {name: value.replace("WEAK OWN", f"W/{plain}").replace("OWN", plain) for name, value in asked.items()}
    answer = client.open(path, method=method, headers=asked)
    status = condition(asked, resource)
    spans = RANGES[asked["Range"]] if range_counts(method, asked, resource) else None
    parts = None if spans is None else [CONTENT[start:stop] for start, stop in spans]
    if status == 200 and parts is not None:
        status = 206 if parts else 416
    assert answer.status_code == status
    check_body(answer, method, parts)
    answer.close()


def check_body(answer: t.Any, method: str, parts: list[bytes] | None) -> None:
    if answer.status_code in {304, 412} or method == "HEAD":
        assert answer.data == b""
    elif answer.status_code == 200:
        assert answer.data == CONTENT
    elif answer.status_code == 416:
        assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    elif len(parts or ()) == 1:
        assert sent_parts([(answer.headers["Content-Range"], answer.data)]) == parts
    else:
        assert sent_parts(read_parts(answer)) == parts
    if answer.status_code == 412:
        assert answer.headers["Content-Length"] == "0"
    elif answer.status_code not in {304, 416}:
        assert answer.headers["Content-Length"] == str(SIZE if method == "HEAD" else len(answer.data))
        assert answer.headers["Accept-Ranges"] == "bytes"


def read_parts(answer: t.Any) -> list[tuple[str, bytes]]:
    """The Content-Range and the content of each part, read by the parser of the standard library."""
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    message = email.parser.BytesParser().parsebytes(head + answer.data)
    parts = t.cast("list[email.message.Message]", message.get_payload())
    assert {part.get_content_maintype() for part in parts} == {"text"}
    return [(part["Content-Range"], t.cast("bytes", part.get_payload(decode=True))) for part in parts]


def sent_parts(parts: list[tuple[str, bytes]]) -> list[bytes]:
    """The contents, each of which has to be where its Content-Range says."""
    for content_range, content in parts:
        span, _, size = content_range.removeprefix("bytes ").partition("/")
        first, _, last = span.partition("-")
        assert (content, size) == (CONTENT[int(first) : int(last) + 1], str(SIZE))
    return [content for _, content in parts]


# -- beside the model


@pytest.fixture(params=[Costrel, Flask])
def app(request: pytest.FixtureRequest) -> t.Any:
    return request.param("app")


@pytest.fixture(params=["wsgi", "asgi"])
def edge(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_method_with_an_effect_is_not_answered_by_conditions_after_it(app: t.Any, edge: str) -> None:
    @app.put("/f")
    def put() -> Response:
        return Response("stored", headers={"ETag": '"new"'}).make_conditional(request, True, 6)

    answer = app.test_client(edge=edge).put("/f", headers={"If-Match": '"old"', "Range": "bytes=0-1"})
    assert (answer.status_code, answer.data) == (200, b"stored")


@pytest.mark.parametrize("status", [404, 500, 302, 203])
def test_only_a_success_has_conditions_and_only_200_has_ranges(app: t.Any, edge: str, status: int) -> None:
    @app.get("/f")
    def get() -> Response:
        return Response("text", status, {"ETag": '"a"'}).make_conditional(request, True, 4)

    client = app.test_client(edge=edge)
    assert client.get("/f", headers={"Range": "bytes=0-1"}).status_code == status
    assert client.get("/f", headers={"If-Match": '"b"'}).status_code == (412 if status == 203 else status)


def test_a_resource_without_ranges_ignores_them(app: t.Any, edge: str) -> None:
    @app.get("/f/<unit>")
    def get(unit: str) -> Response:
        return Response("text").make_conditional(request, unit if unit == "none" else False, 4)

    client = app.test_client(edge=edge)
    for unit in ("none", "false"):
        assert client.get(f"/f/{unit}", headers={"Range": "bytes=0-1"}).data == b"text"


def test_an_empty_file_is_sent_whole_to_a_client_that_always_asks_for_a_range(app: t.Any, edge: str) -> None:
    app.add_url_rule("/f", "f", lambda: send_file(io.BytesIO(), download_name="a.txt"))
    answer = app.test_client(edge=edge).get("/f", headers={"Range": "bytes=0-"})
    assert (answer.status_code, answer.data) == (200, b"")


def test_a_body_that_cannot_be_sought_is_sent_in_one_part_or_whole(app: t.Any, edge: str) -> None:
    @app.get("/f")
    def get() -> Response:
        return Response(iter([CONTENT[:3], CONTENT[3:]])).make_conditional(request, True, SIZE)

    client = app.test_client(edge=edge)
    assert client.get("/f", headers={"Range": "bytes=2-4"}).data == CONTENT[2:5]
    answer = client.get("/f", headers={"Range": "bytes=0-1,4-5"})
    assert (answer.status_code, answer.data) == (200, CONTENT)


def test_parts_of_a_compressed_file_are_not_sent_under_its_coding(app: t.Any, edge: str) -> None:
    app.add_url_rule("/f", "f", lambda: send_file(io.BytesIO(CONTENT), download_name="a.tar.gz"))
    answer = app.test_client(edge=edge).get("/f", headers={"Range": "bytes=0-1,4-5"})
    assert (answer.status_code, answer.headers["Content-Encoding"], answer.data) == (200, "gzip", CONTENT)


def test_a_large_file_is_sent_in_parts_and_closed(app: t.Any, edge: str, tmp_path: t.Any) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(1_000_000))
    app.add_url_rule("/f", "f", lambda: send_file(path))
    answer = app.test_client(edge=edge).get("/f", headers={"Range": "bytes=0-299999,500000-500009,-5"})
    message = email.parser.BytesParser().parsebytes(
        f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode() + answer.data
    )
    contents = [part.get_payload(decode=True) for part in t.cast("list[email.message.Message]", message.get_payload())]
    whole = path.read_bytes()
    assert contents == [whole[:300_000], whole[500_000:500_010], whole[-5:]]
    assert answer.headers["Content-Length"] == str(len(answer.data))
    answer.close()


def test_a_body_that_is_not_wanted_is_closed_unread(app: t.Any, edge: str) -> None:
    opened: list[io.BytesIO] = []

    @app.get("/f")
    def get() -> Response:
        opened.append(io.BytesIO(CONTENT))
        return send_file(opened[-1], download_name="a.txt", etag="a")

    answer = app.test_client(edge=edge).get("/f", headers={"If-Match": '"b"'})
    answer.close()
    assert (answer.status_code, opened[0].closed) == (412, True)


# -- open files


def just_written() -> io.BytesIO:
    file = io.BytesIO()
    file.write(CONTENT)
    return file


def from_the_middle() -> io.BytesIO:
    file = io.BytesIO(b"head" + CONTENT)
    file.seek(4)
    return file


@pytest.mark.parametrize("make", [just_written, from_the_middle])
def test_an_open_file_is_sent_with_its_length_and_in_ranges(
    app: t.Any, edge: str, make: t.Callable[[], io.BytesIO]
) -> None:
    app.add_url_rule("/f", "f", lambda: send_file(make(), download_name="a.bin"))
    client = app.test_client(edge=edge)
    whole = client.get("/f")
    assert (whole.status_code, whole.headers["Content-Length"], whole.data) == (200, str(SIZE), CONTENT)
    part = client.get("/f", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.headers["Content-Range"], part.data) == (206, f"bytes 10-19/{SIZE}", CONTENT[10:20])
    parts = client.get("/f", headers={"Range": "bytes=0-1,-2"})
    message = email.parser.BytesParser().parsebytes(
        f"Content-Type: {parts.headers['Content-Type']}\r\n\r\n".encode() + parts.data
    )
    found = [part.get_payload(decode=True) for part in t.cast("list[email.message.Message]", message.get_payload())]
    assert found == [CONTENT[:2], CONTENT[-2:]]
    assert client.head("/f").headers["Content-Length"] == str(SIZE)
