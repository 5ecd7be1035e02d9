"""Forms, urlencoded and multipart, beside `werkzeug.formparser`.

Werkzeug takes a multipart body that is broken or cut off for an empty form, unless told otherwise; here it is an error.
What Werkzeug reads as a form and this parser refuses is listed in tests/messages/test_forms.py.
"""

from __future__ import annotations

import inspect
import io
import typing as t
from urllib.parse import quote_plus

import pytest
import werkzeug.datastructures
import werkzeug.exceptions
import werkzeug.formparser
import werkzeug.test
from hypothesis import given
from hypothesis import strategies as st

from costrel.http.errors import HTTPException
from costrel.http.headers import Headers
from costrel.http.multidict import ImmutableMultiDict
from costrel.messages import forms

THEIRS = werkzeug.formparser
BOUNDARY = "b0undary"


def read(form: t.Any, files: t.Any) -> t.Any:
    """The fields and the files of a form, whole. The names of the files' headers are in title case here."""
    uploads = [
        (
            f.name,
            f.filename,
            f.content_type,
            f.mimetype,
            f.content_length,
            f.read(),
            sorted(f.headers.items(lower=True)),
        )
        for f in files.values()
    ]
    for upload in files.values():
        upload.close()
    lists = [(name, len(uploads)) for name, uploads in files.lists()]
    return list(form.items(multi=True)), lists, uploads, type(form).__name__, type(files).__name__


def in_memory(**kwargs: t.Any) -> t.IO[bytes]:
    return io.BytesIO()


def parse(module: t.Any, body: bytes, mimetype: str = "multipart/form-data", **settings: t.Any) -> t.Any:
    parser = module.FormDataParser(silent=False, **{"stream_factory": in_memory, **settings})
    _, form, files = parser.parse(io.BytesIO(body), mimetype, len(body), {"boundary": BOUNDARY})
    return read(form, files)


def outcome(call: t.Callable[[], t.Any]) -> t.Any:
    try:
        return call()
    except (HTTPException, werkzeug.exceptions.HTTPException) as error:
        return error.code
    except ValueError:
        return "ValueError"


# -- urlencoded

fields = st.lists(st.tuples(st.text("ab é☃&=+%\x00;", max_size=4), st.text("ab é☃&=+%\n;", max_size=6)), max_size=5)


@given(fields)
def test_urlencoded_fields_are_read_alike(pairs: list[tuple[str, str]]) -> None:
    body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs).encode()
    mimetype = "application/x-www-form-urlencoded"
    expected = parse(THEIRS, body, mimetype)
    assert expected == parse(forms, body, mimetype)
    assert sorted(pairs) == sorted(expected[0])


@given(st.text("ab=&%25fFü+;\x00\r\n é", max_size=14).map(str.encode), st.sampled_from([None, 0, 3, 100]))
def test_any_text_is_read_alike_as_fields(body: bytes, most: int | None) -> None:
    mimetype = "application/x-www-form-urlencoded"
    assert parse(THEIRS, body, mimetype, max_content_length=most) == parse(
        forms, body, mimetype, max_content_length=most
    )


@pytest.mark.parametrize("mimetype", ["text/plain", "", "application/x-url-encoded", "multipart/mixed"])
def test_other_bodies_are_left_alone_alike(mimetype: str) -> None:
    for module in (THEIRS, forms):
        stream = io.BytesIO(b"a=b")
        left, form, files = module.FormDataParser().parse(stream, mimetype, 3)
        assert left is stream
        assert not form
        assert not files
        assert stream.read() == b"a=b"


# -- multipart

LINES = [
    'Content-Disposition: form-data; name="a"',
    "Content-Disposition: form-data; name=a",
    'content-disposition: form-data; name="b"; filename="f.txt"',
    'Content-Disposition: form-data; name="a\\"b%22c"',
    'Content-Disposition: form-data; name="a"; filename=""',
    'Content-Disposition: form-data; name="a"; filename',
    'Content-Disposition: form-data; name="a"; FILENAME="x"',
    "Content-Disposition: form-data",
    "Content-Disposition: form-data; filename=x",
    "Content-Disposition: attachment; name=a",
    'Content-Disposition: form-data;\r\n name="folded"',
    'Content-Disposition: form-data; name="a"; filename="C:\\dir\\x.txt"',
    "Content-Disposition: form-data; name*=UTF-8''%C3%BC",
    "Content-Disposition: form-data; name=a; filename*=UTF-8''%C3%BC.txt",
    "Content-Disposition: form-data; name=a; filename*0=ab; filename*1=cd",
    'Content-Disposition: form-data; name=a; filename="ü☃.txt"',
    'Content-Disposition: form-data; name="a;b"; filename="c;d=e"',
    "X-Other: y",
]
TYPES = [
    "",
    "Content-Type: text/plain",
    "Content-Type: text/plain; charset=iso-8859-1",
    "Content-Type: text/plain; charset=latin1",
    "Content-Type: Text/HTML; Charset=US-ASCII",
    "content-type: application/octet-stream\r\nX-Foo: bar",
    "Content-Type: text/plain; charset=utf-16",
    "Content-Transfer-Encoding: base64",
]
CONTENTS = [
    b"",
    b"v",
    b"v\xc3\xbc\xff",
    b"\r\n",
    b"\r\n\r\nx",
    b"--",
    b"-" * 9,
    b"a\r",
    b"\n",
    b"\r\n--b0undar",
    b"x" * 3000,
    b"\x00",
]
parts = st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(TYPES), st.sampled_from(CONTENTS)), max_size=4)


def encode(parts: list[tuple[str, str, bytes]]) -> bytes:
    chunks = []
    for disposition, mimetype, content in parts:
        head = "\r\n".join(filter(None, [disposition, mimetype]))
        chunks.append(f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join([*chunks, f"--{BOUNDARY}--\r\n".encode()])


def quoted(outcome: t.Any) -> t.Any:
    """An outcome of Werkzeug in which the byte that is not UTF-8 is kept, as Costrel does."""
    if not isinstance(outcome, tuple):
        return outcome
    fields, *others = outcome
    lost = {"\ufffd" * 3: "%C3%BC%FF", "\ufffd": "%FF"}  # the first if the field says that it is ASCII
    for replacement, kept in lost.items():
        fields = [(name, value.replace(replacement, kept)) for name, value in fields]
    return (fields, *others)


@given(parts, st.sampled_from([None, 1, 2, 3]))
def test_multipart_forms_are_read_alike(content: list[tuple[str, str, bytes]], most: int | None) -> None:
    body = encode(content)
    expected = outcome(lambda: parse(THEIRS, body, max_form_parts=most))
    actual = outcome(lambda: parse(forms, body, max_form_parts=most))
    if expected == "ValueError":
        assert actual == 400  # a part without a Content-Disposition
    else:
        assert quoted(expected) == actual


@given(parts, st.integers(1, 40))
def test_pieces_of_any_size_give_the_same_form(content: list[tuple[str, str, bytes]], size: int) -> None:
    body = encode(content)

    def parse_by(buffer_size: int) -> t.Any:
        parser = forms.MultiPartParser(in_memory, buffer_size=buffer_size)
        return read(*parser.parse(io.BytesIO(body), BOUNDARY.encode(), len(body)))

    assert outcome(lambda: parse_by(1 << 16)) == outcome(lambda: parse_by(size))


PIECES = [
    "--b0undary",
    "--b0undary--",
    "\r\n",
    "\n",
    "\r",
    "--",
    "b0undary",
    " ",
    "x",
    ":",
    LINES[0],
    LINES[2],
    "\r\n\r\n",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join).map(str.encode))
def test_whatever_is_read_is_read_alike(body: bytes) -> None:
    actual = outcome(lambda: parse(forms, body))
    if actual not in (400, 413) and body:
        assert outcome(lambda: parse(THEIRS, body)) == actual


@given(
    st.lists(st.tuples(st.text('ab é☃"', min_size=1, max_size=4), st.text("ab é☃\r\n", max_size=6)), max_size=3),
    st.lists(
        st.tuples(
            st.text("ab é", min_size=1, max_size=4), st.text("ab é.\\", min_size=1, max_size=5), st.binary(max_size=9)
        ),
        max_size=3,
    ),
)
def test_what_clients_send_is_read_alike(pairs: list[tuple[str, str]], uploads: list[tuple[str, str, bytes]]) -> None:
    data = werkzeug.datastructures.MultiDict(t.cast("t.Any", pairs))
    for name, filename, content in uploads:
        data.add(name, t.cast("t.Any", (io.BytesIO(content), filename)))
    boundary, body = werkzeug.test.encode_multipart(data)

    def use(module: t.Any) -> t.Any:
        environ = {
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": f'multipart/form-data; boundary="{boundary}"',
        }
        stream, form, files = module.parse_form_data(environ, in_memory, silent=False)
        return read(form, files), stream.read()

    assert use(THEIRS) == use(forms)


# -- limits and hooks

BODY = encode([('Content-Disposition: form-data; name="a"', "", b"x" * 100)] * 5)
FILES = encode([('Content-Disposition: form-data; name="a"; filename="f"', "", b"x" * 100)] * 5)


@pytest.mark.parametrize(("body", "limit"), [(BODY, 2000), (BODY, 400), (BODY, 99), (FILES, 1000)])
def test_memory_is_limited_alike(body: bytes, limit: int) -> None:
    expected = outcome(lambda: parse(THEIRS, body, max_form_memory_size=limit))
    assert expected == outcome(lambda: parse(forms, body, max_form_memory_size=limit))


@pytest.mark.parametrize("body", [BODY, FILES])
@pytest.mark.parametrize("limit", [4, 5])
def test_parts_are_counted_alike(body: bytes, limit: int) -> None:
    expected = outcome(lambda: parse(THEIRS, body, max_form_parts=limit))
    assert expected == outcome(lambda: parse(forms, body, max_form_parts=limit))


def test_stream_factories_are_called_alike() -> None:
    def use(module: t.Any) -> t.Any:
        calls: list[t.Any] = []

        def factory(**kwargs: t.Any) -> t.IO[bytes]:
            calls.append(kwargs)
            return io.BytesIO()

        heads = ["Content-Type: text/x\r\nContent-Length: 3", "Content-Type: a/b"]
        body = encode([('Content-Disposition: form-data; name="a"; filename="f"', head, b"foo") for head in heads])
        parse(module, body, stream_factory=factory)
        return calls

    assert use(THEIRS) == use(forms)


def test_hooks_of_the_parser_are_called_alike() -> None:
    def use(module: t.Any, headers_class: t.Any) -> t.Any:
        calls: list[t.Any] = []

        class Parser(module.MultiPartParser):  # type: ignore[misc]
            def start_file_streaming(self, event: t.Any, total_content_length: int | None) -> t.Any:
                calls.append(
                    (type(event).__name__, event.name, event.filename, list(event.headers), total_content_length)
                )
                return super().start_file_streaming(event, total_content_length)

            def get_part_charset(self, headers: t.Any) -> str:
                calls.append(list(headers))
                return super().get_part_charset(headers)

        parser = Parser(in_memory)
        read(*parser.parse(io.BytesIO(BODY + b"x"), BOUNDARY.encode(), 9))
        read(*parser.parse(io.BytesIO(FILES), BOUNDARY.encode(), None))
        charsets = ["utf-8", "us-ascii", "UTF-8", "latin1", ""]
        return calls, [parser.get_part_charset(headers_class({"content-type": f"a/b; charset={c}"})) for c in charsets]

    assert use(THEIRS, werkzeug.datastructures.Headers) == use(forms, Headers)


def test_results_are_of_the_class_that_is_asked_for() -> None:
    theirs = parse(THEIRS, BODY, cls=werkzeug.datastructures.ImmutableMultiDict)
    assert theirs == parse(forms, BODY, cls=ImmutableMultiDict)


@pytest.mark.parametrize("options", [{}, {"boundary": ""}])
@pytest.mark.parametrize("silent", [True, False])
def test_a_missing_boundary_is_handled_alike(options: dict[str, str], silent: bool) -> None:
    def use(module: t.Any) -> t.Any:
        stream = io.BytesIO(BODY)
        _, form, files = module.FormDataParser(silent=silent).parse(stream, "multipart/form-data", 9, options)
        return len(form), len(files), stream.tell()

    assert outcome(lambda: use(THEIRS)) == outcome(lambda: use(forms))


def test_streams_are_opened_alike() -> None:
    with THEIRS.default_stream_factory(1, "a/b", "f") as theirs, forms.default_stream_factory(1, "a/b", "f") as ours:
        assert isinstance(ours, type(theirs))
        lacking = {name for name in dir(theirs) if hasattr(theirs, name) and not hasattr(ours, name)}
        assert lacking == {"_TemporaryFileArgs"}
        assert theirs._max_size == ours._max_size


def test_the_surface_is_the_same() -> None:
    def parameters(call: t.Any) -> list[t.Any]:
        return [(p.name, p.kind, p.default) for p in inspect.signature(call).parameters.values()]

    for name in ("FormDataParser", "MultiPartParser", "parse_form_data", "default_stream_factory"):
        theirs, ours = getattr(THEIRS, name), getattr(forms, name)
        assert parameters(theirs) == parameters(ours)
        if inspect.isclass(theirs):
            assert sorted(vars(theirs())) == sorted(vars(ours()))
            for method in dir(theirs):
                if inspect.isroutine(getattr(theirs, method)) and not method.startswith("__"):
                    assert parameters(getattr(theirs, method)) == parameters(getattr(ours, method)), method
