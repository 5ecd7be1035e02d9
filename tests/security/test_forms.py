"""Group A: multipart and urlencoded forms, with attacks on other frameworks."""

import asyncio
import io
import os
import stat
import tempfile

import pytest

from costrel import request
from costrel.app.application import Flask
from costrel.support.paths import secure_filename

from ..edges.asgi_call import ask, call
from .calls import assert_linear, over_asgi, over_wsgi

MULTIPART = "multipart/form-data; boundary=b"
URLENCODED = "application/x-www-form-urlencoded"
HEAD = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
END = b"\r\n--b--\r\n"
LIMIT = 500_000
MEGABYTE = 1024 * 1024


def part(content, name=b"f", more=b""):
    return HEAD % (name, more) + content


def upload(content):
    return part(content, more=b'; filename="f"') + END


@pytest.fixture
def app(make):
    """Answers with the fields of a form, and with the sizes of its files."""
    app = make()

    @app.post("/")
    def take():
        fields = [f"{name}={value}" for name, value in request.form.items(multi=True)]
        sizes = [f"{name}:{len(file.read())}" for name, file in request.files.items(multi=True)]
        return "\n".join(fields + sizes)

    return app


def post(send, app, body, content_type=MULTIPART, **more):
    return send(app, "/", "POST", [("Content-Type", content_type)], body, **more)


@pytest.mark.parametrize("filler", [b"\r", b"\n", b"\r\n--"], ids=["CR", "LF", "almost a boundary"])
def test_a1_a_file_that_looks_like_boundaries_is_read_in_linear_time(app, filler):
    def run(size):
        answer = post(over_wsgi, app, upload(filler * (size // len(filler))))
        assert 200 == answer.status

    run(4 * MEGABYTE)
    assert_linear(run, MEGABYTE)


def test_a2_a_form_has_a_limit_of_parts(app, send):
    body = b"\r\n".join([part(b"")] * 1_001) + END
    assert 413 == post(send, app, body).status
    allowed = b"\r\n".join([part(b"")] * 1_000) + END
    assert 200 == post(send, app, allowed).status


def test_a2_the_rest_is_not_read_where_the_limit_is_passed(app):
    stream = io.BytesIO(b"\r\n".join([part(b"")] * 200_000) + END)
    length = len(stream.getbuffer())
    answer = over_wsgi(
        app,
        "/",
        "POST",
        [("Content-Type", MULTIPART)],
        **{"wsgi.input": stream, "CONTENT_LENGTH": str(length)},
    )
    assert 413 == answer.status
    assert stream.tell() < length / 4


def test_a3_the_fields_are_limited_together(app, send):
    body = b"\r\n".join([part(b"x" * (LIMIT * 9 // 10))] * 5) + END
    assert 413 == post(send, app, body).status


def test_a4_so_is_an_urlencoded_form(app, send):
    assert 413 == post(send, app, b"a&" * (2 * MEGABYTE), URLENCODED).status
    # Flask accepts any number of fields within MAX_FORM_MEMORY_SIZE.
    expected = 413 if app.config.get("LIMIT_URLENCODED_FIELDS") else 200
    assert expected == post(send, app, b"a=1&" * 1_001, URLENCODED).status
    assert_linear(lambda size: post(over_wsgi, app, b"a&" * size, URLENCODED), MEGABYTE)


def test_a5_the_headers_of_a_part_have_limits(app, send):
    many = b"--b\r\n" + b"X: y\r\n" * 100_000 + b"\r\n"
    one = b"--b\r\nX: " + b"y" * (4 * MEGABYTE)
    assert 400 <= post(send, app, many + END).status < 500
    assert 400 <= post(send, app, one + END).status < 500


@pytest.mark.parametrize("line", [b"X: y\r\n", b"y" * 6], ids=["lines", "one line"])
def test_a5_they_are_refused_in_linear_time(app, line):
    assert_linear(lambda size: post(over_wsgi, app, b"--b\r\nX: " + line * (size // 6)), MEGABYTE)


@pytest.mark.parametrize("place", ["before", "after"])
def test_a6_line_breaks_around_the_parts_are_limited_and_not_logged(app, send, place, caplog):
    def body(size):
        blanks = b"\r\n" * (size // 2)
        whole = part(b"x") + END
        return blanks + whole if place == "before" else whole + blanks

    answer = post(send, app, body(4 * MEGABYTE))
    assert 400 <= answer.status < 500
    assert len(caplog.records) <= 1
    assert_linear(lambda size: post(over_wsgi, app, body(size)), MEGABYTE)


OPTIONS = {
    "escapes": ('; a="', r"\"", ""),
    "escapes in quotes": ('; a="', r"\"", '"'),
    "semicolons": ('; a="', ";", '"'),
    "names": ("", "; a", ""),
    "open quotes": ("", ';a="\\', ""),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a7_the_options_of_a_content_type_are_read_in_linear_time(app, send, name):
    start, middle, end = OPTIONS[name]

    def run(size):
        options = start + middle * (size // len(middle)) + end
        return post(over_wsgi, app, b"", f"multipart/form-data{options}")

    assert run(64_000).status < 500
    assert_linear(run, 64_000)


def test_a8_every_beginning_of_a_form_is_refused(app):
    body = upload(b"one\r\ntwo")
    statuses = {cut: post(over_wsgi, app, body[:cut]).status for cut in range(1, len(body) - len(b"--\r\n"))}
    assert {400} == set(statuses.values())


def test_a8_so_is_a_body_that_a_client_leaves(app):
    body = upload(b"x" * 100)
    for cut in range(0, len(body), 7):
        answer = over_asgi(
            app,
            "/",
            "POST",
            [("Content-Type", MULTIPART), ("Content-Length", str(len(body)))],
            [body[:cut], None],
        )
        assert 400 == answer.status


def test_a9_a_transfer_encoding_of_a_part_is_not_decoded(app, send):
    content = b" " * (4 * MEGABYTE)
    more = b'; filename="f"\r\nContent-Transfer-Encoding: base64'
    answer = post(send, app, part(content, more=more) + END)
    assert (200, f"f:{4 * MEGABYTE}") == (answer.status, answer.text)
    assert_linear(lambda size: post(over_wsgi, app, part(b" " * size, more=more) + END), MEGABYTE)


def test_a10_a_body_without_a_length_is_limited_as_it_comes(app):
    app.config["MAX_CONTENT_LENGTH"] = MEGABYTE
    body = [upload(b"")[: -len(END)], *[b"x" * 65_536] * 4_800]  # 300 MB
    taken = []

    async def server(scope, receive, send):
        async def counted():
            taken.append(await receive())
            return taken[-1]

        await app.asgi(scope, counted, send)

    answer = ask(server, "/", "POST", body, headers=[(b"content-type", MULTIPART.encode())])
    assert 413 == answer.status
    assert len(taken) < 20


class Endless(io.RawIOBase):
    """A body whose end the server would mark, and that does not end."""

    given = 0

    def __init__(self, start):
        self.start = start

    def read(self, size=-1, /):
        self.given += size
        start, self.start = self.start[:size], self.start[size:]
        return start.ljust(size, b"x")


def test_a10_over_wsgi_too(app):
    app.config["MAX_CONTENT_LENGTH"] = MEGABYTE
    body = Endless(upload(b"")[: -len(END)])
    more = {"wsgi.input": body, "wsgi.input_terminated": True}
    assert 413 == over_wsgi(app, "/", "POST", [("Content-Type", MULTIPART)], **more).status
    assert body.given < 2 * MEGABYTE


def test_a10_the_native_profile_has_a_limit(app, make, send):
    body = b"x" * (17 * MEGABYTE)
    answer = post(send, app, upload(body))
    assert (413 if make.native else 200) == answer.status


def test_a11_a_semicolon_separates_nothing(app, send):
    assert "a=1\nx=;a=2" == post(send, app, b"a=1&x=;a=2", URLENCODED).text
    assert_linear(lambda size: post(over_wsgi, app, b"a;" * (size // 2), URLENCODED), 200_000)


def test_a12_an_extended_name_does_not_replace_the_name(app, send):
    body = b"--b\r\nContent-Disposition: form-data; name=\"a\"; name*=utf-8''b\r\n\r\n1" + END
    answer = post(send, app, body)
    assert answer.status == 400 or answer.text == "a=1"


def test_a13_a_boundary_is_limited(app, send):
    for length, status in ((257, 400), (200_000, 400), (256, 200)):
        boundary = "b" * length
        body = b"--" + boundary.encode() + upload(b"x")[3:-7] + b"\r\n--" + boundary.encode() + b"--\r\n"
        assert status == post(send, app, body, f"multipart/form-data; boundary={boundary}").status


@pytest.mark.parametrize("length", ["-1", "+5", "1_0", " 5", "٣", "5, 5", "0x5", "5.0"])
def test_a14_a_length_is_digits(app, length):
    answer = over_wsgi(app, "/", "POST", [("Content-Type", URLENCODED)], CONTENT_LENGTH=length)
    assert 400 == answer.status


@pytest.mark.parametrize("length", ["-1", "+5"])
def test_a14_also_over_asgi_and_in_a_part(app, send, length):
    answer = over_asgi(app, "/", "POST", [("Content-Type", URLENCODED), ("Content-Length", length)], [b""])
    assert 400 == answer.status
    body = part(b"x", more=b"\r\nContent-Length: " + length.encode()) + END
    assert 400 == post(send, app, body).status


@pytest.mark.parametrize("control", [b"\r", b"\0", b"\x0b"])
def test_a15_a_control_character_in_a_parts_header_is_refused(app, send, control):
    assert 400 == post(send, app, part(b"x", more=b"; x=a" + control + b"b") + END).status


def test_a16_an_upload_does_not_block_the_loop(make):
    # While the body comes and is spooled the loop must serve others: here a ticker counts how often it can.
    app = make()
    app.config["MAX_CONTENT_LENGTH"] = None

    @app.post("/")
    def take():
        return str(len(request.files["f"].read()))

    @app.get("/")
    async def ping():
        return "pong"

    async def both():
        chunks = [part(b"", more=b'; filename="f"'), *[b"x" * 65_536] * 160, END]
        headers = [(b"content-type", MULTIPART.encode())]
        uploading = asyncio.create_task(call(app.asgi, "/", "POST", chunks, headers=headers))
        answered = 0
        while not uploading.done():
            answered += (await call(app.asgi, "/")).text == "pong"
            await asyncio.sleep(0)
        return uploading.result().text, answered

    size, answered = asyncio.run(both())
    assert str(160 * 65_536) == size
    assert answered > 10


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("../x", "x"), (r"..\x", "x"), ("/x", "x"), ("../../etc/x", "etc_x"), ("..", ""), ("x\0y", "xy")],
)
def test_a17_a_secure_file_name_has_no_folder(sent, stored):
    # A backslash separates nothing here, and is left out.
    assert stored == secure_filename(sent)


@pytest.mark.parametrize("name", [b"../x", rb"..\\x", b"/etc/x", b"%2e%2e%2fx"])
def test_a17_a_file_is_saved_inside_its_folder(make, send, name, tmp_path):
    app = make()
    inside = tmp_path / "uploads"
    inside.mkdir()

    @app.post("/")
    def save():
        file = request.files["f"]
        file.save(inside / secure_filename(file.filename))
        return ""

    assert 200 == post(send, app, part(b"x", more=b'; filename="' + name + b'"') + END).status
    assert [inside] == list(tmp_path.iterdir())
    assert 1 == len(list(inside.iterdir()))


def test_a17_a_file_name_with_a_nul_byte_is_refused(app, send):
    assert 400 == post(send, app, part(b"x", more=b'; filename="a\0b"') + END).status


def test_a18_what_is_spooled_is_readable_by_us_alone(make, monkeypatch):
    modes = []
    original = tempfile.TemporaryFile

    def noted(*args, **kwargs):
        file = original(*args, **kwargs)
        modes.append(stat.S_IMODE(os.fstat(file.fileno()).st_mode))
        return file

    monkeypatch.setattr(tempfile, "TemporaryFile", noted)
    app = make()

    @app.post("/")
    def take():
        return str(len(request.files["f"].read()))

    before = os.umask(0)
    try:
        for send in (over_wsgi, over_asgi):
            assert 200 == post(send, app, upload(b"x" * MEGABYTE)).status
    finally:
        os.umask(before)
    assert modes
    assert {0o600} == set(modes)


def test_the_two_profiles_are_meant(make):
    assert make.native is not issubclass(type(make()), Flask)
