"""Files are sent with their metadata, always closed, and never from outside their folder."""

# ruff: noqa: SIM115  # the responses close the files

import gzip
import io
import mimetypes
import os
import tempfile

import pytest

from costrel.http.errors import NotFound, RequestedRangeNotSatisfiable
from costrel.http.uploads import FileStorage
from costrel.messages import files
from costrel.messages.files import send_file, send_from_directory
from costrel.messages.streams import FileWrapper

ENVIRON = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http"}


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "static"
    (root / "sub").mkdir(parents=True)
    for name in ("a.txt", "sub/b.txt"):
        (root / name).write_bytes(b"hello world")
    (tmp_path / "static-private").mkdir()
    (tmp_path / "static-private" / "secret.txt").write_bytes(b"secret")
    return root


def content(response):
    body = b"".join(response.get_wsgi_response(ENVIRON)[0])
    response.close()
    return body


class Watched(io.BytesIO):
    asked = 0

    def read(self, size=-1):
        self.asked += size
        return super().read(size)


def test_a_range_is_read_without_the_rest():
    file = Watched(b"x" * 1_000_000)
    environ = {**ENVIRON, "HTTP_RANGE": "bytes=500000-500099"}
    response = send_file(file, environ, mimetype="a/b")
    assert [response.status_code, len(content(response)), file.asked] == [206, 100, 8192]


FAILURES = {
    "wrapper": ({"wsgi.file_wrapper": None}, {}, TypeError),
    "range": ({"HTTP_RANGE": "bytes=99-"}, {}, RequestedRangeNotSatisfiable),
    "etag": ({}, {"etag": 'a"b'}, ValueError),
    "age": ({}, {"max_age": lambda path: 1 / 0}, ZeroDivisionError),
    "name": ({}, {"download_name": "a\nb"}, ValueError),
    "type": ({}, {"mimetype": "a\nb"}, ValueError),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_file_is_closed_when_it_cannot_be_sent(monkeypatch, folder, failure):
    opened = []

    def watching_open(*args):
        opened.append(open(*args))
        return opened[-1]

    monkeypatch.setattr(files, "open", watching_open, raising=False)
    head, settings, error = FAILURES[failure]
    with pytest.raises(error):
        send_file(folder / "a.txt", {**ENVIRON, **head}, **settings)
    assert all(file.closed for file in opened)


def test_only_paths_and_files_are_sent():
    for thing in (5, b"/path", None):
        with pytest.raises(TypeError, match=rf"^send_file\(\) takes a path or a file, not {type(thing).__name__}\.$"):
            send_file(thing, ENVIRON, mimetype="a/b")


def test_a_name_is_quoted_for_the_header():
    response = send_file(io.BytesIO(), ENVIRON, download_name='a"; x="é\\.txt', as_attachment=True)
    assert response.headers["Content-Disposition"] == (
        'attachment; filename="a\\"; x=\\"e\\\\.txt"; filename*=UTF-8\'\'a%22%3B%20x%3D%22%C3%A9%5C.txt'
    )


def test_what_the_server_in_front_sends_is_not_opened(folder):
    environ = {**ENVIRON, "HTTP_RANGE": "bytes=0-1"}
    response = send_file(folder / "a.txt", environ, use_x_sendfile=True)
    assert [response.status_code, response.headers["X-Sendfile"]] == [200, str(folder / "a.txt")]
    assert [response.headers["Content-Length"], content(response)] == ["0", b""]
    not_modified = {**ENVIRON, "HTTP_IF_NONE_MATCH": response.headers["ETag"]}
    assert send_file(folder / "a.txt", not_modified, use_x_sendfile=True).status_code == 304


def test_open_files_are_sent_even_where_a_server_in_front_could_send_paths():
    response = send_file(io.BytesIO(b"x"), ENVIRON, mimetype="a/b", use_x_sendfile=True)
    assert ["X-Sendfile" in response.headers, content(response)] == [False, b"x"]


# -- folders

OUTSIDE = ["../static-private/secret.txt", "..", "../../etc/passwd", "/etc/passwd", "sub/../../static-private"]
NO_FILE = ["", ".", "sub", "missing", "a.txt/x", "a\0.txt", "x" * 5000, "x/" * 3000]
NO_FILE += ["..\\a.txt", "NUL", "a.txt::$DATA", "\ud800"]


@pytest.mark.parametrize("path", OUTSIDE + NO_FILE)
def test_what_is_no_file_of_the_folder_is_not_found(folder, path):
    with pytest.raises(NotFound):
        send_from_directory(folder, path, ENVIRON)


def test_a_file_that_goes_away_is_not_found(monkeypatch, folder):
    monkeypatch.setattr(os.path, "isfile", lambda path: True)
    for name in ("gone.txt", "sub", "a.txt/x"):
        with pytest.raises(NotFound):
            send_from_directory(folder, name, ENVIRON)


def test_a_mistake_of_the_application_is_no_missing_file(folder):
    with pytest.raises(ValueError, match="etag"):
        send_from_directory(folder, "a.txt", ENVIRON, etag='a"b')


def test_a_folder_is_relative_to_the_root(folder):
    response = send_from_directory("static", "sub/b.txt", ENVIRON, _root_path=folder.parent)
    assert content(response) == b"hello world"


def test_a_file_that_the_client_has_is_not_opened(monkeypatch, folder):
    with send_file(folder / "a.txt", ENVIRON) as response:
        tag, date = response.headers["ETag"], response.headers["Last-Modified"]
    for name in ("open", "_content"):
        monkeypatch.setattr(files, name, lambda *args: pytest.fail("it was opened"), raising=False)
    for known in ({"HTTP_IF_NONE_MATCH": tag}, {"HTTP_IF_MODIFIED_SINCE": date}):
        assert send_file(folder / "a.txt", ENVIRON | known).status_code == 304


def test_a_file_that_the_client_has_in_another_version_is_sent(folder):
    old = {"HTTP_IF_NONE_MATCH": '"another"', "HTTP_IF_MODIFIED_SINCE": "Sun, 06 Nov 1994 08:49:37 GMT"}
    with send_file(folder / "a.txt", ENVIRON | old) as response:
        assert (response.status_code, content(response)) == (200, (folder / "a.txt").read_bytes())


def test_a_small_file_is_read_at_once(folder):
    response = send_file(folder / "a.txt", ENVIRON)
    (folder / "a.txt").write_bytes(b"other")
    body = response.response
    assert [isinstance(body, FileWrapper), response.is_streamed, response.direct_passthrough] == [True, True, True]
    assert [response._sent(ENVIRON)[0], response.has_to_close] == [b"hello world", False]


def test_a_small_file_is_a_file_for_who_reads_it(folder):
    response = send_file(folder / "a.txt", ENVIRON)
    assert [response.response.file.read(6), content(response)] == [b"hello ", b"world"]
    response = send_file(folder / "a.txt", ENVIRON)
    response.direct_passthrough = False
    assert response.get_data() == b"hello world"


def test_a_file_that_is_being_written_is_sent_as_it_grows(monkeypatch, folder):
    monkeypatch.setattr(files, "_content", lambda path, size: b"hello")
    assert content(send_file(folder / "a.txt", ENVIRON)) == b"hello world"


@pytest.mark.parametrize(
    "head", [{"REQUEST_METHOD": "HEAD"}, {"HTTP_RANGE": "bytes=0-1"}, {"wsgi.file_wrapper": FileWrapper}]
)
def test_a_small_file_is_not_read_where_it_is_not_sent_whole(monkeypatch, folder, head):
    monkeypatch.setattr(files, "_content", None)
    with send_file(folder / "a.txt", {**ENVIRON, **head}, conditional=False) as response:
        assert response.headers["Content-Length"] == "11"


def test_headers_may_be_changed_in_any_spelling(folder):
    response = send_file(folder / "a.txt", ENVIRON)
    response.headers["content-length"] = "5"
    response.headers["Location"] = "/ä"
    headers = dict(response.get_wsgi_response(ENVIRON)[2])
    response.close()
    assert [headers["content-length"], headers["Location"]] == ["5", "/%C3%A4"]


@pytest.mark.parametrize(
    "name", ["a.txt", "a.TXT", "a.tar.gz", "a.svgz", ".txt", "..txt", "a..txt", "a", "a.", "x:a.css", "a.odd"]
)
def test_types_are_those_of_mimetypes(monkeypatch, folder, name):
    mimetypes.init()
    monkeypatch.setitem(mimetypes.types_map, ".odd", "text/odd")
    headers = dict(send_file(io.BytesIO(), ENVIRON, download_name=name).headers)
    kind, coding = mimetypes.guess_type(name)
    found = headers["Content-Type"].partition(";")[0], headers.get("Content-Encoding")
    assert found == (kind or "application/octet-stream", coding)


# -- open files: their position and their length


def ask(file, **head):
    response = send_file(file, {**ENVIRON, **head}, mimetype="a/b")
    return response.status_code, response.headers.get("Content-Length"), content(response)


def written(file):
    file.write(b"hello")
    return file


def opened(path, mode="rb", **options):
    path.write_bytes(b"" if mode == "a+b" else b"hello")
    return open(path, mode, **options)  # closed with its response


OPEN_FILES = {
    "memory": lambda path: written(io.BytesIO()),
    "memory from the start": lambda path: io.BytesIO(b"hello"),
    "file": opened,
    "file without a buffer": lambda path: opened(path, buffering=0),
    "file that was written": lambda path: written(open(path, "w+b")),
    "appended file": lambda path: written(opened(path, "a+b")),
    "temporary file": lambda path: written(tempfile.TemporaryFile()),
    "named temporary file": lambda path: written(tempfile.NamedTemporaryFile()),
    "spooled file": lambda path: written(tempfile.SpooledTemporaryFile()),
    "upload": lambda path: FileStorage(written(io.BytesIO()), "a.txt"),
}


@pytest.mark.parametrize("kind", OPEN_FILES)
def test_an_open_file_is_sent_whole_with_its_length_and_in_ranges(tmp_path, kind):
    def make():
        return OPEN_FILES[kind](tmp_path / "file")

    assert ask(make()) == (200, "5", b"hello")
    assert ask(make(), HTTP_RANGE="bytes=1-2") == (206, "2", b"el")
    assert ask(make(), HTTP_RANGE="bytes=-100") == (206, "5", b"hello")
    assert ask(make(), REQUEST_METHOD="HEAD")[:2] == (200, "5")


@pytest.mark.parametrize("kind", ["memory from the start", "file", "file without a buffer"])
def test_bytes_before_the_position_are_not_sent(tmp_path, kind):
    def make():
        file = OPEN_FILES[kind](tmp_path / "file")
        file.read(2)
        return file

    assert ask(make()) == (200, "3", b"llo")
    assert ask(make(), HTTP_RANGE="bytes=1-1") == (206, "1", b"l")
    assert ask(make(), HTTP_RANGE="bytes=-1") == (206, "1", b"o")
    with pytest.raises(RequestedRangeNotSatisfiable) as caught:
        send_file(make(), {**ENVIRON, "HTTP_RANGE": "bytes=3-"}, mimetype="a/b")
    assert dict(caught.value.get_headers())["Content-Range"] == "bytes */3"


class OneWay(io.RawIOBase):
    """A file that cannot be sought, as a pipe."""

    def __init__(self):
        self.left = [b"lo", b"hel"]

    def readable(self):
        return True

    def read(self, size=-1):
        return self.left.pop() if self.left else b""


class OnlyRead:
    def __init__(self):
        self.read = io.BytesIO(b"hello").read


def compressed(path):
    path.write_bytes(gzip.compress(b"hello"))
    return gzip.open(path)


@pytest.mark.parametrize("make", [lambda path: OneWay(), lambda path: OnlyRead(), compressed, lambda path: pipe()])
def test_a_file_whose_length_is_not_known_is_sent_without_ranges(tmp_path, make):
    path = tmp_path / "file"
    with send_file(make(path), ENVIRON, mimetype="a/b") as response:
        assert "Accept-Ranges" not in response.headers
    assert ask(make(path), HTTP_RANGE="bytes=1-2") == (200, None, b"hello")


def pipe():
    reader, writer = os.pipe()
    os.write(writer, b"hello")
    os.close(writer)
    return open(reader, "rb")


def test_a_file_of_the_system_has_content_though_its_size_is_zero():
    status, length, text = ask(open("/proc/self/status", "rb"))
    assert (status, length, text[:5]) == (200, None, b"Name:")


def test_a_closed_file_is_an_error_when_it_is_given():
    file = io.BytesIO(b"x")
    file.close()
    with pytest.raises(ValueError, match="The file is closed: send it before its 'with' block ends, or pass its path"):
        send_file(file, ENVIRON, mimetype="a/b")
