"""How a request loads its form: the parts that a subclass, an instance or a patch may replace, and the streams."""

import errno
import io
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from costrel.http.errors import ClientDisconnected, HTTPException, RequestEntityTooLarge
from costrel.http.headers import Headers
from costrel.http.multidict import MultiDict
from costrel.messages.forms import FormDataParser, InsufficientStorage, MultiPartParser, default_stream_factory
from costrel.messages.request import Request

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
FIELD = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\nContent-Type: text/plain \r\n\r\ntwo\r\n'
END = b"--b--\r\n"


def environ(body, mimetype, **more):
    return {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": mimetype, **more}


def outcome(read):
    """What a form holds, or the error that it is."""
    try:
        form, files = read()
    except HTTPException as error:
        return type(error), error.description
    found = []
    for name, file in files.items(multi=True):
        found.append((name, file.filename, list(file.headers), file.read()))
        file.close()
    return list(form.items(multi=True)), found


LIMITS = {"max_form_memory_size": 400, "max_form_parts": 3}


def by_a_request(body, mimetype):
    request = type("Limited", (Request,), LIMITS)(environ(body, mimetype))
    return outcome(lambda: (request.form, request.files))


def by_a_parser(body, mimetype):
    """The same bytes, two at a time."""
    name, _, boundary = mimetype.partition("; boundary=")
    parser = FormDataParser(**LIMITS)
    return outcome(lambda: parser.parse(Trickle(body), name, len(body), {"boundary": boundary})[1:])


PIECES = [
    FIELD, FILE, END, b"--b", b"--b--", b"\r\n", b"\n", b"--", b" ", b"x", b"\xff", "ü".encode(), b'"', b"%22",
    b'Content-Disposition: form-data; name="a"', b'; filename="y"', b"Content-Type: text/plain", b"X-Other: z",
    b'--b\r\nContent-Disposition: form-data; name=""\r\n\r\n',
    b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n',
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))
@example(FILE + FILE + END)
@example(FIELD + FILE + b"--b --\r\n")
def test_a_multipart_form_is_the_same_wherever_its_bytes_come_from(body):
    assert by_a_request(body, MULTIPART) == by_a_parser(body, MULTIPART)


@given(
    st.lists(st.sampled_from([b"a", b"=", b"&", b"+", b"%", b"%C3", b"%BC", b"\xff", b"b" * 60]), max_size=9).map(
        b"".join
    )
)
def test_an_urlencoded_form_is_the_same_wherever_its_bytes_come_from(body):
    assert by_a_request(body, URLENCODED) == by_a_parser(body, URLENCODED)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_form_memory_size": 5},
        {"max_form_parts": 1},
        {"max_form_files": 0},
        {"max_content_length": 5},
    ],
)
@pytest.mark.parametrize(("body", "mimetype"), [(FIELD + FILE + END, MULTIPART), (b"name=a&b=c", URLENCODED)])
def test_what_is_too_much_is_refused(body, mimetype, limits):
    if mimetype == URLENCODED and not limits.keys().isdisjoint({"max_form_files", "max_form_parts"}):
        return
    request = type("Limited", (Request,), limits)(environ(body, mimetype))
    with pytest.raises(RequestEntityTooLarge):
        request.form


def test_a_full_disk_is_507_and_closes_the_files():
    opened = []

    class Full(io.BytesIO):
        def write(self, data):
            if len(opened) == 2:
                raise OSError(errno.ENOSPC, "full")
            return super().write(data)

    class Own(Request):
        def _get_file_stream(self, **_about):
            opened.append(Full())
            return opened[-1]

    request = Own(environ(FILE + FILE + END, MULTIPART))
    with pytest.raises(InsufficientStorage):
        request.files
    assert [stream.closed for stream in opened] == [True, True]
    assert request.stream.read() == b""


def test_any_other_failure_of_the_disk_is_what_it_is():
    def fail(**_about):
        raise OSError(errno.EIO, "broken")

    cls = type("Own", (Request,), {"_get_file_stream": staticmethod(fail)})
    with pytest.raises(OSError, match="broken"):
        cls(environ(FILE + END, MULTIPART)).files


# -- reading the body


class Trickle(io.BytesIO):
    """A stream that gives two bytes at a time, as a socket may."""

    def read(self, size=-1):
        return super().read(min(size, 2) if size >= 0 else -1)


@pytest.mark.parametrize(("body", "mimetype"), [(FIELD + END, MULTIPART), (b"a=one", URLENCODED)])
def test_a_body_may_come_in_pieces(body, mimetype):
    request = Request(environ(body, mimetype) | {"wsgi.input": Trickle(body)})
    assert request.form.to_dict() == {"a": "one"}


class Broken(io.BytesIO):
    def read(self, size=-1):
        raise OSError("connection reset")


@pytest.mark.parametrize("stream", [io.BytesIO(b"a=on"), io.BytesIO(), Trickle(b"a=on"), Broken()])
@pytest.mark.parametrize("read", [lambda request: request.form, lambda request: request.get_data()])
def test_a_body_that_is_cut_off_is_no_body(stream, read):
    stream.seek(0)
    request = Request(environ(b"a=one", URLENCODED) | {"wsgi.input": stream})
    for _ in range(2):
        with pytest.raises(ClientDisconnected):
            read(request)


@pytest.mark.parametrize(
    "read", [lambda request: request.form, lambda request: request.files, lambda request: request.get_data(cache=False)]
)
def test_nothing_is_left_of_a_body_that_was_read(read):
    source = io.BytesIO(b"a=one and the next request")
    request = Request(environ(b"a=one", URLENCODED) | {"wsgi.input": source})
    read(request)
    assert [request.stream.read(), request.stream.readline(), request.stream.tell()] == [b"", b"", 5]
    assert request.get_data() == b""
    assert request.form.to_dict() in ({"a": "one"}, {})
    assert source.read() == b" and the next request"


def test_a_body_that_was_kept_can_still_be_parsed():
    request = Request(environ(b"a=one", URLENCODED))
    assert request.get_data() == b"a=one"
    assert request.form.to_dict() == {"a": "one"}
    assert request.get_data() == b"a=one"


@pytest.mark.parametrize(
    ("length", "expected"), [("5", b"a=one"), ("4", b"a=one"), ("6", ClientDisconnected), ("0", b"a=one")]
)
def test_a_body_whose_end_the_server_marks_is_held_against_its_length(length, expected):
    given = environ(b"a=one", URLENCODED, CONTENT_LENGTH=length) | {"wsgi.input_terminated": True}
    if expected is ClientDisconnected:
        with pytest.raises(ClientDisconnected):
            Request(given).get_data()
    else:
        assert Request(given).get_data() == expected


# -- what others put in its place


class OwnParser(FormDataParser):
    def parse(self, stream, mimetype, content_length, options=None):
        return stream, self.cls({"by": "parser"}), self.cls()


OVERRIDDEN = {
    "stream": property(lambda self: io.BytesIO(b"by=stream")),
    "mimetype": property(lambda self: "text/plain"),
    "mimetype_params": property(lambda self: {}),
    "want_form_data_parsed": property(lambda self: False),
    "form_data_parser_class": OwnParser,
    "make_form_data_parser": lambda self: OwnParser(),
    "_get_stream_for_parsing": lambda self: io.BytesIO(b"by=get_stream"),
    "_load_form_data": lambda self: self.__dict__.update(form={"by": "load"}, files={}),
}
EXPECTED = {
    "stream": {"by": "stream"},
    "form_data_parser_class": {"by": "parser"},
    "make_form_data_parser": {"by": "parser"},
    "_get_stream_for_parsing": {"by": "get_stream"},
    "_load_form_data": {"by": "load"},
}


def read_form(request):
    try:
        return dict(request.form)
    except RequestEntityTooLarge:
        return "too large"


@pytest.mark.parametrize("read", ["stream", "content_length", "mimetype", "headers", "data", "want_form_data_parsed"])
@pytest.mark.parametrize(
    ("body", "mimetype"), [(FIELD + FILE + END, MULTIPART), (b"a=one", URLENCODED), (b"a=one", "")]
)
def test_a_form_is_the_same_after_something_else_was_read(read, body, mimetype):
    request, other = Request(environ(body, mimetype)), Request(environ(body, mimetype))
    getattr(request, read)
    assert outcome(lambda: (request.form, request.files)) == outcome(lambda: (other.form, other.files))
    assert request.stream.read() == (b"" if mimetype or read == "data" else body)


@pytest.mark.parametrize(("length", "expected"), [(5, {"a": "one"}), (5000, "too large")])
def test_the_length_of_the_body_may_be_replaced(length, expected):
    attributes = {"content_length": property(lambda self: length), "max_form_memory_size": 1000}
    assert read_form(type("Own", (Request,), attributes)(environ(b"a=one", URLENCODED))) == expected
    request = type("Limited", (Request,), {"max_form_memory_size": 1000})(environ(b"a=one", URLENCODED))
    request.content_length = length
    assert read_form(request) == expected


@pytest.mark.parametrize("name", [name for name in OVERRIDDEN if name != "mimetype_params"])
@pytest.mark.parametrize("late", [False, True])
def test_a_class_may_replace_each_step_of_it(name, late, monkeypatch):
    cls = type("Own", (Request,), {} if late else {name: OVERRIDDEN[name]})
    if late:
        assert cls(environ(b"a=one", URLENCODED)).form.to_dict() == {"a": "one"}
        monkeypatch.setattr(Request, name, OVERRIDDEN[name])
    expected = EXPECTED.get(name, {})
    assert read_form(cls(environ(b"a=one", URLENCODED))) == expected


def test_the_parameters_of_the_type_may_be_replaced():
    cls = type("Own", (Request,), {"mimetype_params": property(lambda self: {"boundary": "b"})})
    assert cls(environ(FIELD + END, "multipart/form-data")).form.to_dict() == {"a": "one"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("stream", io.BytesIO(b"by=stream"), {"by": "stream"}),
        ("_parsed_content_type", ("text/plain", {}), {}),
        ("headers", Headers({"Content-Type": "text/plain"}), {}),
        ("make_form_data_parser", OwnParser, {"by": "parser"}),
        ("form_data_parser_class", OwnParser, {"by": "parser"}),
        ("_get_stream_for_parsing", lambda: io.BytesIO(b"by=get"), {"by": "get"}),
        ("max_form_memory_size", 3, "too large"),
        ("max_content_length", 3, "too large"),
    ],
)
def test_so_may_whoever_holds_the_request(name, value, expected):
    request = Request(environ(b"a=one", URLENCODED))
    setattr(request, name, value)
    assert read_form(request) == expected


def test_what_was_read_of_the_head_before_is_no_obstacle():
    request = Request(environ(b"a=one", URLENCODED))
    assert [request.mimetype, request.content_length, request.headers.get("X")] == [URLENCODED, 5, None]
    assert request.form.to_dict() == {"a": "one"}


def test_other_headers_say_what_is_json():
    request = Request(environ(b"1", "application/json"))
    assert request.is_json
    other = Request(environ(b"1", "application/json"))
    other.headers = Headers({"Content-Type": "text/plain"})
    assert not other.is_json
    cls = type("Own", (Request,), {"mimetype": "text/plain"})
    assert not cls(environ(b"1", "application/json")).is_json


def test_a_small_file_lies_in_the_stream_that_all_files_have():
    request = Request(environ(FILE + END, MULTIPART))
    with request, default_stream_factory(None, None, None) as usual:
        assert type(request.files["f"].stream) is type(usual)


def test_a_class_whose_type_was_patched_is_asked_what_is_json(monkeypatch):
    monkeypatch.setattr(Request, "mimetype", "text/plain")
    assert not Request(environ(b"1", "application/json")).is_json


@pytest.mark.parametrize(
    ("step", "body", "mimetype"),
    [
        ("parse", b"a=one", URLENCODED),
        ("_parse_urlencoded", b"a=one", URLENCODED),
        ("parse", FIELD + END, MULTIPART),
        ("_parse_multipart", FIELD + END, MULTIPART),
    ],
)
def test_a_patch_of_the_parser_counts_while_it_lasts(step, body, mimetype):
    def parsed():
        return Request(environ(body, mimetype)).form.to_dict()

    def own(self, stream, mimetype, content_length, options):
        return stream, self.cls({"by": step}), self.cls()

    assert parsed() == {"a": "one"}
    with mock.patch.object(FormDataParser, step, own):
        assert parsed() == {"by": step}
    assert parsed() == {"a": "one"}


@pytest.mark.parametrize(
    "mimetype", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=b"]
)
def test_without_a_boundary_a_body_is_no_form(mimetype):
    request = Request(environ(FIELD + END, mimetype))
    assert [request.form.to_dict(), request.files.to_dict(), request.stream.read()] == [{}, {}, FIELD + END]


def test_a_patch_of_the_charset_counts_for_every_field(monkeypatch):
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xe9\r\n--b--'
    monkeypatch.setattr(MultiPartParser, "get_part_charset", lambda self, headers: "latin1")
    assert Request(environ(body, MULTIPART)).form["a"] == "\xe9"


@pytest.mark.parametrize("first", [b"", b"\r\n"])
def test_browsers_and_test_clients_are_read_alike(first):
    # Only the latter begin with a line break.
    body = first + FIELD + FILE + END
    fields = [("a", "one")]
    headers = [("Content-Disposition", 'form-data; name="f"; filename="x"'), ("Content-Type", "text/plain")]
    assert by_a_request(body, MULTIPART) == (fields, [("f", "x", headers, b"two")])


class Ordered(MultiDict):
    """A storage class with its own constructor, which keeps the order of the pairs."""

    def __init__(self, pairs=()):
        self.pairs = list(pairs)
        super().__init__(self.pairs)


def test_a_storage_class_with_its_own_constructor_gets_pairs():
    cls = type("Own", (Request,), {"parameter_storage_class": Ordered, "dict_storage_class": Ordered})
    request = cls(environ(b"a=1&b=2&a=3", URLENCODED, QUERY_STRING="c=1&d=%20&c=3", HTTP_COOKIE="e=1; f=2; e=3"))
    assert request.form.pairs == [("a", "1"), ("b", "2"), ("a", "3")]
    assert request.args.pairs == [("c", "1"), ("d", " "), ("c", "3")]
    assert request.cookies.pairs == [("e", "1"), ("f", "2"), ("e", "3")]
