"""A response may be kept for a year only if it has the content that its name has the hash of."""

import gzip
import io
import os

import pytest

from costrel import Costrel, session
from costrel.app.application import Flask
from costrel.services.statics import content
from costrel.services.statics.names import digest_of, with_digest

from .conftest import replace

IMMUTABLE = "public, max-age=31536000, immutable"
OTHER = "000000000000"


def test_another_hash_gets_the_current_file_and_must_be_checked_each_time(app, write, get):
    write("static/app.css", "new")

    response = get(app, f"/static/app.{OTHER}.css")

    assert (response.status_code, response.data) == (200, b"new")
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["ETag"] == f'"{digest_of(b"new")}"'
    assert "Last-Modified" not in response.headers  # another host's older file may have a later date


@pytest.mark.parametrize(
    "path",
    [
        "missing.css",
        f"missing.{OTHER}.css",
        f"app.{OTHER}.js",
        "app.3F9C1D27A40B.css",
        f"app.{OTHER}0.css",
        f"../app.{OTHER}.css",
        f"..%2fout.{OTHER}.txt",
        f"%2e%2e/out.{OTHER}.txt",
        f"out.{OTHER}.txt",
        f".env.{OTHER}",
        f".hidden/app.{OTHER}.css",
        f"nul%00.{OTHER}.css",
        f"folder.{OTHER}",
        f"{'a' * 300}.{OTHER}.css",
        OTHER,
        f"{OTHER}.css",
    ],
)
def test_a_404_is_not_stored(app, write, get, path, tmp_path):
    write("static/app.css", "x")
    write("static/.env", "secret")
    write("static/.hidden/app.css", "secret")
    write("static/folder/x", "x")
    write("out.txt", "secret")
    os.symlink(tmp_path / "out.txt", tmp_path / "static" / "out.txt")

    response = get(app, f"/static/{path}")

    assert (response.status_code, response.headers["Cache-Control"]) == (404, "no-store")


def test_a_404_is_not_stored_whatever_page_answers_it(app, get):
    app.register_error_handler(404, lambda error: ("my page", 404, {"Cache-Control": "max-age=60"}))
    assert get(app, "/static/missing.css").headers["Cache-Control"] == "no-store"

    app = Costrel("shop")
    app.register_error_handler(404, lambda error: "found something else")
    assert get(app, "/static/missing.css").headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in get(app, "/elsewhere").headers


def test_flask_answers_a_404_as_ever(make, get):
    assert "Cache-Control" not in get(make(Flask), "/static/missing.css").headers


def test_links_and_dotfiles_follow_their_settings(make, write, urls, get, tmp_path):
    write("static/.env", "x")
    write("out.txt", "x")
    write("static/in.txt", "x")
    os.symlink(tmp_path / "out.txt", tmp_path / "static" / "out.txt")
    os.symlink("in.txt", tmp_path / "static" / "link.txt")
    loose = make(STATIC_DOTFILES=True, STATIC_FOLLOW_SYMLINKS=True)

    for name in (".env", "out.txt"):
        assert get(loose, urls(loose, name)).headers["Cache-Control"] == IMMUTABLE
    assert get(make(), urls(make(), "link.txt")).headers["Cache-Control"] == IMMUTABLE


def test_stylesheets_give_away_nothing_of_files_that_are_not_sent(app, write, urls, get, tmp_path):
    css = "a{b:url(.env) url(out.txt) url(../out.txt) url(%2e%2e/out.txt)}"
    write("static/app.css", css)
    write("static/.env", "secret")
    write("out.txt", "secret")
    os.symlink(tmp_path / "out.txt", tmp_path / "static" / "out.txt")

    assert get(app, urls(app, "app.css")).text == css


def test_a_file_with_the_hash_in_its_own_name_is_that_file(app, write, urls, get):
    """As after `costrel static build`, or by hand."""
    content_hash = digest_of(b"a{b:url(x.png)}")
    write(f"static/app.{content_hash}.css", "a{b:url(x.png)}")
    write("static/app.css", "newer")
    write("static/page.css", f"@import 'app.{content_hash}.css'; a{{b:url(x.{digest_of(b'1')}.png)}}")
    write(f"static/x.{digest_of(b'1')}.png", "1")
    write("static/x.png", "2")

    response = get(app, f"/static/app.{content_hash}.css")
    assert (response.data, response.headers["Cache-Control"]) == (b"a{b:url(x.png)}", IMMUTABLE)
    assert urls(app, f"app.{content_hash}.css") == f"/static/app.{content_hash}.css"
    assert get(app, urls(app, "page.css")).data == (app_folder(app) / "page.css").read_bytes()


def app_folder(app):
    from pathlib import Path

    return Path(app.static_folder)


def test_a_file_whose_name_only_looks_hashed_is_a_file_like_any_other(app, write, urls, get):
    name = f"app.{OTHER}.css"
    write(f"static/{name}", "named by another tool")
    write("static/app.css", "app")

    response = get(app, f"/static/{name}")
    assert (response.text, response.headers["Cache-Control"]) == ("named by another tool", "no-cache")
    url = urls(app, name)
    assert url == f"/static/{with_digest(name, digest_of(b'named by another tool'))}"
    assert (get(app, url).text, get(app, url).headers["Cache-Control"]) == ("named by another tool", IMMUTABLE)
    assert get(app, urls(app, "app.css")).text == "app"


def test_the_hash_of_a_file_decides_over_another_file_with_that_name(app, write, get):
    """The name was made for the first, so it never gets the second."""
    name = with_digest("app.css", digest_of(b"app"))
    write("static/app.css", "app")
    write(f"static/{name}", "another")

    response = get(app, f"/static/{name}")
    assert (response.text, response.headers["Cache-Control"]) == ("app", IMMUTABLE)


def test_head_conditions_and_ranges(app, write, urls, get):
    write("static/a.txt", "0123456789")
    url = urls(app, "a.txt")
    etag = f'"{digest_of(b"0123456789")}"'
    whole = get(app, url)

    head = get(app, url, "HEAD")
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", "10")
    assert head.headers["Cache-Control"] == IMMUTABLE
    known = get(app, url, If_None_Match=etag)
    assert (known.status_code, known.data, known.headers["Cache-Control"]) == (304, b"", IMMUTABLE)
    assert get(app, url, If_None_Match='"other"').status_code == 200
    assert get(app, url, If_Modified_Since=whole.headers["Last-Modified"]).status_code == 304
    assert get(app, url, If_Match='"other"').status_code == 412
    part = get(app, url, Range="bytes=2-4", If_Range=etag)
    assert (part.status_code, part.data, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert part.headers["Cache-Control"] == IMMUTABLE
    assert get(app, url, Range="bytes=2-4", If_Range='"other"').data == b"0123456789"
    past = get(app, url, Range="bytes=10-")
    assert (past.status_code, "immutable" in past.headers.get("Cache-Control", "")) == (416, False)
    assert get(app, url, "POST").status_code == 405


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
@pytest.mark.parametrize("size", [0, 1, 70_000, 1024 * 1024, 1024 * 1024 + 1])
def test_every_size_is_sent_whole_and_in_part(make, write, urls, size, edge, settled):
    data = os.urandom(size)
    write("static/a.bin", data)
    app = make()
    url = urls(app, "a.bin")
    client = app.test_client(edge=edge)

    with client.get(url) as response:
        assert (response.data, response.headers["Cache-Control"]) == (data, IMMUTABLE)
    if size > 1:
        with client.get(url, headers={"Range": f"bytes={size - 2}-"}) as response:
            assert (response.status_code, response.data) == (206, data[-2:])


@pytest.mark.parametrize("size", [3, 2 * 1024 * 1024])
@pytest.mark.parametrize("same_times", [False, True])
def test_a_file_that_is_replaced_between_hash_and_sending_is_not_stored(
    app, write, urls, get, monkeypatch, settled, size, same_times
):
    old, new = b"o" * size, b"n" * size
    path = write("static/a.txt", old)
    url = urls(app, "a.txt")
    original = content.open_as

    def late(name, file_state, **options):
        monkeypatch.undo()
        replace(path, new)
        if same_times:
            os.utime(path, ns=(file_state[3], file_state[3]))
        return original(name, file_state, **options)

    monkeypatch.setattr("costrel.services.statics.folder.open_as", late)
    response = get(app, url)

    assert response.data == new
    assert response.headers["Cache-Control"] == "no-cache"


def test_a_file_that_was_just_written_is_hashed_again_when_it_is_sent(app, write, urls, get, monkeypatch):
    """Its times could stay the same with the next change."""
    path = write("static/a.txt", "old")
    url = urls(app, "a.txt")
    monkeypatch.setattr(content, "file_state_of", lambda status: (0, 0, 3, 0, 2**62))
    monkeypatch.setattr("costrel.services.statics.folder.file_state_of", content.file_state_of)

    path.write_text("new")
    response = get(app, url)

    assert (response.data, response.headers["Cache-Control"]) == (b"new", "no-cache")


def test_a_large_file_that_changes_while_it_is_sent_is_cut_off(app, write, urls, settled):
    path = write("static/a.bin", b"o" * 3 * 1024 * 1024)
    url = urls(app, "a.bin")
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": url, "SERVER_NAME": "x", "SERVER_PORT": "80",
               "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "SERVER_PROTOCOL": "HTTP/1.1"}  # fmt: skip
    body = app(environ, lambda status, headers, exc_info=None: None)
    pieces = iter(body)
    next(pieces)

    with path.open("r+b") as file:
        file.write(b"n")
    os.utime(path, ns=(1, 1))

    with pytest.raises(content.Changed):
        list(pieces)
    body.close()


def test_a_large_file_that_is_replaced_while_it_is_sent_is_sent_to_its_end(app, write, urls, settled):
    path = write("static/a.bin", b"o" * 3 * 1024 * 1024)

    with app.test_client().get(urls(app, "a.bin")) as response:
        pieces = response.iter_encoded()
        first = next(pieces)
        replace(path, b"n")
        assert first + b"".join(pieces) == b"o" * 3 * 1024 * 1024


def test_servers_cannot_send_a_large_file_without_the_check(app, write, urls, settled):
    write("static/a.bin", b"o" * 3 * 1024 * 1024)
    wrapped = []

    class Wrapper:
        def __init__(self, file, size=8192):
            wrapped.append(file)
            self.close = file.close
            self.read = lambda: file.read(size)

        def __iter__(self):
            return iter(self.read, b"")

    with app.test_client().get(urls(app, "a.bin"), environ_overrides={"wsgi.file_wrapper": Wrapper}) as response:
        assert len(response.data) == 3 * 1024 * 1024
        with pytest.raises(OSError):
            wrapped[0].fileno()


def test_the_front_server_sends_no_hashed_files(make, write, urls, get):
    """It would read the file later."""
    write("static/a.txt", "x")
    app = make(USE_X_SENDFILE=True)

    assert "X-Sendfile" in get(app, "/static/a.txt").headers
    response = get(app, urls(app, "a.txt"))
    assert ("X-Sendfile" in response.headers, response.data) == (False, b"x")


def test_a_response_that_sets_a_cookie_is_not_public(make, write, urls):
    write("static/a.txt", "x")
    app = make(SECRET_KEY="k" * 32)

    @app.route("/login")
    def login():
        session.permanent = True
        session["user"] = 1
        return ""

    client = app.test_client()
    client.get("/login")
    response = client.get(urls(app, "a.txt"))

    assert "Set-Cookie" in response.headers
    assert "public" not in response.headers["Cache-Control"]


def test_the_plain_name_is_sent_as_before(app, write, get):
    write("static/a.txt", "x")
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 60

    assert get(app, "/static/a.txt").headers["Cache-Control"] == "public, max-age=60"


CODED = [("br", "br"), ("gzip", "gz"), ("zstd", "zst")]


@pytest.fixture
def compressed(write):
    """A file in the static folder with a copy in each coding."""
    brotli, zstandard = pytest.importorskip("brotli"), pytest.importorskip("zstandard")

    def compress(name, data):
        write(f"static/{name}", data)
        write(f"static/{name}.br", brotli.compress(data))
        write(f"static/{name}.gz", gzip.compress(data))
        write(f"static/{name}.zst", zstandard.compress(data))

    return compress


@pytest.mark.parametrize(("coding", "extension"), CODED)
@pytest.mark.parametrize("hashed", [False, True])
def test_a_compressed_copy_is_sent_to_clients_that_accept_it(
    app, compressed, urls, get, coding, extension, hashed, tmp_path
):
    compressed("a.txt", b"x" * 1000)
    url = urls(app, "a.txt") if hashed else "/static/a.txt"
    content_hash = digest_of(b"x" * 1000)

    response = get(app, url, Accept_Encoding=coding)

    assert response.data == (tmp_path / f"static/a.txt.{extension}").read_bytes()
    assert response.headers["Content-Encoding"] == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["ETag"] == f'"{content_hash}-{coding}"'
    assert response.headers["Content-Length"] == str(len(response.data))
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.headers["Cache-Control"] == (IMMUTABLE if hashed else "no-cache")
    assert "Accept-Ranges" not in response.headers
    whole = get(app, url, Accept_Encoding=coding, Range="bytes=0-1")
    assert (whole.status_code, whole.data) == (200, response.data)
    known = get(app, url, Accept_Encoding=coding, If_None_Match=response.headers["ETag"])
    assert (known.status_code, known.headers["Vary"]) == (304, "Accept-Encoding")
    assert get(app, url, Accept_Encoding=coding, If_None_Match=f'"{content_hash}"').status_code == 200
    assert get(app, url, "HEAD", Accept_Encoding=coding).headers["Content-Length"] == str(len(response.data))


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("br;q=0.5, gzip", "gzip"),
        ("gzip, deflate, br, zstd", "smallest"),
        ("*", "smallest"),
        ("*;q=0.5, zstd;q=0", "smallest but zstd"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("", None),
        ("identity", None),
        ("deflate", None),
        ("gzip;q=0", None),
        ("*;q=0", None),
        ("identity, br;q=0.9", None),
        ("identity;q=0.5, br;q=0.9", "br"),
        ("nonsense;q=x, ,", None),
    ],
)
def test_the_client_chooses_the_coding(app, compressed, urls, get, accepted, coding, tmp_path):
    compressed("a.txt", bytes(range(256)) * 40)
    sizes = {name: (tmp_path / f"static/a.txt.{extension}").stat().st_size for name, extension in CODED}
    if coding == "smallest":
        coding = min(sizes, key=sizes.get)
    elif coding == "smallest but zstd":
        coding = min({"br", "gzip"}, key=sizes.get)

    response = get(app, urls(app, "a.txt"), Accept_Encoding=accepted)

    assert response.headers.get("Content-Encoding") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    if coding is None:
        assert response.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    "copy",
    [gzip.compress(b"old"), b"damaged", b"", gzip.compress(b"new")[:-9]],
    ids=["old", "damaged", "empty", "cut off"],
)
def test_a_copy_of_something_else_is_not_sent(app, write, urls, get, copy):
    write("static/a.txt", "new")
    write("static/a.txt.gz", copy)

    for url in (urls(app, "a.txt"), "/static/a.txt"):
        response = get(app, url, Accept_Encoding="gzip")
        assert ("Content-Encoding" in response.headers, response.data) == (False, b"new")


def test_copies_follow_changes(app, write, urls, get, settled):
    path = write("static/a.txt", "new")
    url = urls(app, "a.txt")

    def coding():
        return get(app, url, Accept_Encoding="gzip").headers.get("Content-Encoding")

    assert coding() is None
    copy = write("static/a.txt.gz", gzip.compress(b"new"))
    os.utime(path.parent, ns=(1, 1))
    assert coding() == coding() == "gzip"
    copy.write_bytes(gzip.compress(b"elsewhere"))
    assert coding() is None
    copy.unlink()
    os.utime(path.parent, ns=(2, 2))
    assert coding() is None


def test_a_copy_that_leads_out_of_the_folder_is_not_sent(app, write, urls, get, tmp_path):
    write("static/a.txt", "x")
    write("outside.gz", gzip.compress(b"x"))
    os.symlink(tmp_path / "outside.gz", tmp_path / "static" / "a.txt.gz")

    assert "Content-Encoding" not in get(app, urls(app, "a.txt"), Accept_Encoding="gzip").headers


def test_flask_sends_no_copies(make, write, get):
    write("static/a.txt", "x")
    write("static/a.txt.gz", gzip.compress(b"x"))

    response = get(make(Flask), "/static/a.txt", Accept_Encoding="gzip")
    assert ("Content-Encoding" in response.headers, "Vary" in response.headers) == (False, False)
