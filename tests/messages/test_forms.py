"""Malformed, truncated and oversized forms are errors and leave no files behind."""

import errno
import io
import os
import stat
import tempfile
from itertools import product

import pytest

from costrel.http.errors import BadRequest, RequestEntityTooLarge
from costrel.messages.forms import (
    FormDataParser,
    InsufficientStorage,
    MalformedForm,
    MultiPartParser,
    default_stream_factory,
    parse_form_data,
)
from costrel.messages.request import Request

FIELD = b'Content-Disposition: form-data; name="a"'
FILE = b'Content-Disposition: form-data; name="f"; filename="x.txt"'
URLENCODED = "application/x-www-form-urlencoded"


def multipart(*parts):
    return b"".join(b"--b\r\n%s\r\n\r\n%s\r\n" % part for part in parts) + b"--b--\r\n"


def request(body, mimetype="multipart/form-data; boundary=b", **settings):
    cls = type("Limited", (Request,), settings)
    return cls(
        {
            "REQUEST_METHOD": "POST",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": mimetype,
        }
    )


def error_of(request):
    with pytest.raises((BadRequest, RequestEntityTooLarge)) as caught:
        request.form
    return caught.value.code, caught.value.description


def test_a_form_has_fields_and_files():
    body = multipart((FIELD, b"one"), (FILE + b"\r\nContent-Type: text/plain", b"two"), (FIELD, b"three"))
    with request(body) as form:
        assert form.form.getlist("a") == ["one", "three"]
        upload = form.files["f"]
        assert [upload.filename, upload.mimetype, upload.read()] == ["x.txt", "text/plain", b"two"]
    assert upload.closed


def test_part_of_a_form_is_no_form():
    body = multipart((FIELD, b"one"), (FILE, b"two"))
    for length in range(1, len(body) - len(b"\r\n")):
        assert error_of(request(body[:length])) == (
            400,
            "The multipart body is malformed: it ends before its last boundary.",
        )


def test_no_body_is_an_empty_form():
    form = request(b"")
    assert [len(form.form), len(form.files)] == [0, 0]


def test_a_form_without_a_boundary_is_left_in_the_stream():
    form = request(b"anything", "multipart/form-data")
    assert [len(form.form), form.get_data()] == [0, b"anything"]
    with pytest.raises(ValueError, match="Missing boundary"):
        FormDataParser(silent=False).parse(io.BytesIO(), "multipart/form-data", 0, {})


MALFORMED = {
    "its boundary has 257 bytes, 1 to 256 are allowed": (b"x", "b" * 257),
    "its first boundary does not begin a line": (b"x--b\r\n" + FIELD, "b"),
    "a boundary is followed by something else than the end of its line": (b"--bx\r\n", "b"),
    "a part has no Content-Disposition header": (multipart((b"X: y", b"")), "b"),
    "a part has the header 'X', which has no colon": (multipart((FIELD + b"\r\nX", b"")), "b"),
    "the header 'X: a\\rY: b' of a part has a control character": (multipart((FIELD + b"\r\nX: a\rY: b", b"")), "b"),
    "the Content-Length of a part is '+1', which is no number of bytes": (
        multipart((FILE + b"\r\nContent-Length: +1", b"x")),
        "b",
    ),
    "the Content-Length of a part is '-1', which is no number of bytes": (
        multipart((FILE + b"\r\nContent-Length: -1", b"x")),
        "b",
    ),
    "a header of a part is not UTF-8": (multipart((b'Content-Disposition: form-data; name="\xff"', b"")), "b"),
    "more than 262,144 bytes in a row belong to none of its parts": (b"\r\n" * 300_000, "b"),
}


@pytest.mark.parametrize("reason", MALFORMED)
def test_a_malformed_form_is_refused_with_the_reason(reason):
    body, boundary = MALFORMED[reason]
    expected = 400, f"The multipart body is malformed: {reason}."
    assert expected == error_of(request(body, f"multipart/form-data; boundary={boundary}"))


def test_an_epilogue_without_end_is_refused():
    code, reason = error_of(request(multipart((FIELD, b"x")) + b"\r\n" * 300_000))
    assert code == 400
    assert "belong to none of its parts" in reason


TOO_LARGE = {
    "a part has a header of more than 8,192 bytes": FIELD + b"\r\nX: " + b"x" * 9000,
    "a part has more than 16 headers": FIELD + b"\r\nX: y" * 16,
}


@pytest.mark.parametrize("reason", TOO_LARGE)
def test_heads_of_parts_are_limited(reason):
    expected = 413, f"The multipart body is too large: {reason}."
    assert expected == error_of(request(multipart((TOO_LARGE[reason], b""))))


def test_a_header_that_does_not_end_is_limited():
    body = b"--b\r\n" + FIELD + b"x" * 100_000
    assert error_of(request(body))[0] == 413
    folded = FIELD + b"".join(b"\r\n " + b"x" * 1000 for _ in range(10))
    assert error_of(request(multipart((folded, b""))))[0] == 413


def test_parts_are_limited_by_number():
    reason = "The form has more than the 3 fields and files that MAX_FORM_PARTS allows."
    fields = multipart(*[(FIELD, b"")] * 4)
    assert error_of(request(fields, max_form_parts=3)) == (413, reason)
    assert len(request(b"a=1&b=2&c=3&d=4", URLENCODED, max_form_parts=3).form) == 4  # as in Werkzeug
    assert len(request(multipart(*[(FIELD, b"")] * 3), max_form_parts=3).form.getlist("a")) == 3


def test_fields_are_limited_by_what_they_hold_together():
    reason = "The form's fields have more than the 1,000 bytes that MAX_FORM_MEMORY_SIZE allows; files do not count."
    fields = multipart(*[(FIELD, b"x" * 300)] * 4)
    assert error_of(request(fields, max_form_memory_size=1000)) == (413, reason)
    assert error_of(request(b"a=" + b"x" * 1000, URLENCODED, max_form_memory_size=1000)) == (413, reason)
    chunked = request(b"a=" + b"x" * 1000, URLENCODED, max_form_memory_size=1000)
    del chunked.environ["CONTENT_LENGTH"]
    chunked.environ["wsgi.input_terminated"] = True
    assert error_of(chunked) == (413, reason)


def test_files_do_not_count_as_memory_but_their_heads_do():
    with request(multipart((FILE, b"x" * 5000)), max_form_memory_size=1000) as form:
        assert len(form.files["f"].read()) == 5000
    head = FILE + b"\r\nX: " + b"x" * 2000
    assert error_of(request(multipart((head, b"")), max_form_memory_size=1000))[0] == 413


def test_without_limits_everything_is_read():
    form = request(b"a=" + b"x" * 600_000, URLENCODED, max_form_memory_size=None, max_form_parts=None)
    assert len(form.form["a"]) == 600_000
    form = request(multipart((FIELD, b"x" * 600_000)), max_form_memory_size=None, max_form_parts=None)
    assert len(form.form["a"]) == 600_000


def test_a_body_above_the_maximum_is_refused_before_it_is_parsed():
    form = request(b"a=b", URLENCODED, max_content_length=2)
    assert error_of(form) == (413, "The request's body has 3 bytes, MAX_CONTENT_LENGTH allows 2.")


def test_a_body_shorter_than_announced_is_no_form():
    form = request(b"a=b", URLENCODED)
    form.environ["CONTENT_LENGTH"] = "4"
    assert error_of(form)[0] == 400


# -- files


def test_large_files_lie_on_disk_where_only_we_can_read_them():
    umask = os.umask(0)
    try:
        with request(multipart((FILE, b"x" * 600_000))) as form:
            upload = form.files["f"]
            status = os.fstat(upload.stream.fileno())
            assert stat.S_IMODE(status.st_mode) == 0o600
            assert status.st_size == 600_000
    finally:
        os.umask(umask)
    assert upload.closed


@pytest.mark.parametrize("size", [0, 10, 512_000, 512_001])
def test_files_are_spooled_as_the_standard_library_does(size):
    content = b"x" * size
    with tempfile.SpooledTemporaryFile(512_000, "rb+") as theirs, request(multipart((FILE, content))) as form:
        theirs.write(content)
        theirs.seek(0)
        ours = form.files["f"].stream
        assert isinstance(ours, tempfile.SpooledTemporaryFile)
        for stream in (ours, theirs):
            assert [stream.mode, stream.tell(), stream._rolled] == ["rb+", 0, size > 512_000]
            assert [stream.read(3), stream.seek(0, os.SEEK_END), stream.write(b"end")] == [content[:3], size, 3]
            assert os.fstat(stream.fileno()).st_size <= size + 3
            assert [stream._rolled, stream.tell(), stream.seek(size), stream.read()] == [True, size + 3, size, b"end"]
            assert [stream.truncate(2), stream.seek(0), stream.readlines()] == [2, 0, [(content + b"end")[:2]]]
    assert ours.closed


def test_a_file_that_was_not_closed_is_a_warning():
    stream = default_stream_factory(None, None, None)
    with pytest.warns(ResourceWarning, match="Unclosed file"):
        del stream


class Watched(io.BytesIO):
    """Streams that remember each other, and may fail."""

    opened: list

    def __init__(self, error=None):
        super().__init__()
        self.error = error
        self.opened.append(self)

    def write(self, data):
        if self.error:
            raise self.error
        return super().write(data)


@pytest.mark.parametrize("rest", [b"", b"--b\r\nbroken", b"--b\r\n" + FILE + b"\r\n\r\nhalf"])
def test_files_of_a_broken_form_are_closed(monkeypatch, rest):
    monkeypatch.setattr(Watched, "opened", [], raising=False)
    body = multipart((FILE, b"one")).removesuffix(b"--b--\r\n") + rest
    parser = FormDataParser(stream_factory=lambda **kwargs: Watched())
    with pytest.raises(MalformedForm):
        parser.parse(io.BytesIO(body), "multipart/form-data", len(body), {"boundary": "b"})
    assert Watched.opened
    assert all(stream.closed for stream in Watched.opened)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_507_and_the_file_is_closed(monkeypatch, number):
    monkeypatch.setattr(Watched, "opened", [], raising=False)
    parser = MultiPartParser(stream_factory=lambda **kwargs: Watched(OSError(number, "full")))
    with pytest.raises(InsufficientStorage) as caught:
        parser.parse(io.BytesIO(multipart((FILE, b"x"))), b"b", None)
    assert [caught.value.code, caught.value.name] == [507, "Insufficient Storage"]
    assert caught.value.description == "The server has no space left to store the uploaded files."
    assert [stream.closed for stream in Watched.opened] == [True]


def test_any_other_failure_of_the_disk_is_what_it_is(monkeypatch):
    monkeypatch.setattr(Watched, "opened", [], raising=False)
    parser = MultiPartParser(stream_factory=lambda **kwargs: Watched(OSError(errno.EIO, "broken")))
    with pytest.raises(OSError, match="broken"):
        parser.parse(io.BytesIO(multipart((FILE, b"x"))), b"b", None)
    assert [stream.closed for stream in Watched.opened] == [True]


def test_uploads_go_on_after_a_full_disk(monkeypatch, tmp_path):
    full = True
    opened = []
    open_file = tempfile.TemporaryFile

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    def open_temporary(*args, **kwargs):
        opened.append(Full() if full else open_file(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", open_temporary)
    large = multipart((FILE, b"x" * 600_000))
    with pytest.raises(InsufficientStorage):
        request(large).files
    assert [file.closed for file in opened] == [True]
    full = False
    with request(large) as form:
        assert len(form.files["f"].read()) == 600_000


# -- what is read although it is unusual


def test_a_part_without_content_may_share_its_line_break_with_the_boundary():
    body = b"--b\r\n" + FIELD + b"\r\n\r\n--b\r\n" + FIELD + b"\r\n\r\nx\r\n--b--"
    assert request(body).form.getlist("a") == ["", "x"]


@pytest.mark.parametrize(
    ("content_type", "value", "expected"),
    [
        (None, b"caf\xc3\xa9\xff", "café%FF"),
        (None, b"\xff\xfe%41", "%FF%FE%41"),
        (None, b"\xed\xa0\x80", "%ED%A0%80"),
        ("text/plain; charset=utf-8", b"caf\xe9", "caf%E9"),
        ("text/plain; charset=us-ascii", b"caf\xe9", "caf%E9"),
        ("text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
        ("text/plain; charset=utf-7", b"caf\xe9", "caf%E9"),
        (None, b"a\xc3", "a%C3"),
        (None, b"a\0b", "a\0b"),
    ],
)
def test_bytes_of_a_field_that_are_not_utf_8_are_quoted(content_type, value, expected):
    head = FIELD if content_type is None else FIELD + b"\r\nContent-Type: " + content_type.encode()
    assert request(multipart((head, value), (FIELD, b"y"))).form.getlist("a") == [expected, "y"]


def test_the_same_bytes_are_the_same_text_in_both_formats():
    raw = bytes(range(128, 256))
    quoted = "".join(f"%{byte:02X}" for byte in raw)
    assert request(multipart((FIELD, raw))).form["a"] == quoted
    assert request(b"a=" + raw, URLENCODED).form["a"] == quoted


def test_an_extended_name_does_not_replace_a_name():
    assert list(request(multipart((FIELD + b"; name*=utf-8''b", b"x"))).form) == ["a"]
    extended = b"Content-Disposition: form-data; name*=utf-8''%C3%BC"
    assert list(request(multipart((extended, b"x"))).form) == ["ü"]


def test_blanks_may_follow_a_boundary():
    body = b"--b \t\r\n" + FIELD + b"\r\n\r\nx\r\n--b  \r\n" + FIELD + b"\r\n\r\ny\r\n--b--  "
    assert request(body).form.getlist("a") == ["x", "y"]
    assert error_of(request(b"--b" + b" " * 100 + b"\r\n"))[0] == 400


def test_a_body_may_have_line_feeds_alone():
    body = multipart((FIELD, b"x"), (FIELD, b"y")).replace(b"\r\n", b"\n")
    assert request(body).form.getlist("a") == ["x", "y"]


# After the first boundary, between headers, of the blank line, before and after the second boundary, before the last.
@pytest.mark.parametrize("breaks", list(product(["\r\n", "\n"], repeat=6)))
def test_the_lines_of_a_body_may_end_with_crlf_and_with_lf(breaks):
    first, head, blank, before, second, last = breaks
    field = 'Content-Disposition: form-data; name="%s"' + head
    body = f"--b{first}{field % 'a'}X-More: z{head}{blank}1\n2{before}--b{second}{field % 'b'}{blank}3{last}--b--\r\n"

    assert list(request(body.encode()).form.items()) == [("a", "1\n2"), ("b", "3")]


def test_a_body_of_mixed_lines_is_read_alike_however_it_is_cut():
    body = b'--b\nContent-Disposition: form-data; name="a"\r\nX: y\n\r\n1\r\r\n-\n--b\r\n%s\n\n2\n--b--' % (
        FIELD.replace(b'"a"', b'"b"')
    )
    expected = [("a", "1\r\r\n-"), ("b", "2")]

    for size in range(1, len(body)):
        fields, _ = MultiPartParser(buffer_size=size).parse(io.BytesIO(body), b"b", len(body))
        assert expected == list(fields.items(multi=True))


def test_a_preamble_and_an_epilogue_are_passed_over():
    assert request(b"Hello!\r\n" + multipart((FIELD, b"x")) + b"Bye!").form["a"] == "x"


def test_a_form_is_parsed_from_an_environ():
    form = request(b"a=b", URLENCODED)
    stream, fields, files = parse_form_data(form.environ)
    assert [stream.read(), list(fields.items()), len(files)] == [b"", [("a", "b")], 0]


def test_a_parser_may_be_told_other_charsets():
    class Latin(MultiPartParser):
        def get_part_charset(self, headers):
            return "latin1"

    fields, _ = Latin().parse(io.BytesIO(multipart((FIELD, b"\xe9"))), b"b", None)
    assert fields["a"] == "é"
