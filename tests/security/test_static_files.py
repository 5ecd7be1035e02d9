"""Group C: static files, neighbouring files and folders, and ranges."""

import ntpath
import os

import pytest

from costrel import send_file, send_from_directory
from costrel.http.grammar import parse_options_header
from costrel.http.ranges import Range
from costrel.support.paths import _join_under, safe_join

from .calls import assert_linear, over_wsgi


@pytest.fixture
def folder(tmp_path):
    """A folder of files to serve, and files next to it that must not be served."""
    (tmp_path / "static" / "pub").mkdir(parents=True)
    (tmp_path / "static" / "priv").mkdir()
    (tmp_path / "static-private").mkdir()
    (tmp_path / "static" / "a.txt").write_text("0123456789")
    (tmp_path / "static" / "priv" / "p.txt").write_text("private")
    (tmp_path / "static-private" / "s.txt").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path


@pytest.fixture
def app(make, folder):
    app = make(static_folder="static", root_path=str(folder))

    @app.get("/files/<path:name>")
    def files(name):
        return send_from_directory("static", name)

    return app


def test_c1_a_sibling_whose_name_begins_alike_is_out_of_reach(app, send):
    for way in ("..%2fstatic-private%2fs.txt", "../static-private/s.txt", "-private/s.txt"):
        for base in ("/static/", "/files/"):
            assert 404 == send(app, base + way).status


@pytest.mark.parametrize(
    "way",
    ["..%2fsecret.txt", "%2e%2e/secret.txt", "..%5csecret.txt", "%5c..%5csecret.txt", "pub/..%2f..%2fsecret.txt"],
)
def test_c2_an_encoded_way_out_is_refused(app, send, way):
    assert 404 == send(app, f"/static/{way}").status
    assert 404 == send(app, f"/files/{way}").status


def test_c2_a_route_is_not_left_by_dots(make, send):
    app = make()
    app.add_url_rule("/pub/<path:name>", "pub", lambda name: f"pub {name}")
    app.add_url_rule("/priv", "priv", lambda: "private")
    assert "pub ../priv" == send(app, "/pub/..%2fpriv").text
    assert "pub ../priv" == send(app, "/pub/../priv").text


def test_c3_a_link_out_of_the_folder_is_refused_natively(app, make, send, folder):
    (folder / "static" / "link.txt").symlink_to(folder / "secret.txt")
    (folder / "static" / "a.txt.gz").symlink_to(folder / "secret.txt")
    (folder / "static" / "folder").symlink_to(folder / "static-private")
    (folder / "static" / "inside.txt").symlink_to(folder / "static" / "a.txt")
    expected = 404 if make.native else 200
    for name in ("link.txt", "a.txt.gz", "folder/s.txt"):
        assert expected == send(app, f"/static/{name}").status
    assert 200 == send(app, "/static/inside.txt").status


DEVICES = ["NUL", "d/CON.txt", "CON ", "con", "COM¹", "NUL::$DATA", "CON.txt.gz", "aux.", "LPT9", "CONIN$"]


@pytest.mark.parametrize("name", DEVICES)
def test_c4_the_devices_of_windows_are_no_files(name):
    assert _join_under(ntpath, "static", (name,)) is None


@pytest.mark.parametrize("name", ["//h/s", r"\\h\s", "C:x", "C:/x", r"d\x", "\\\\?\\C:\\x"])
def test_c5_a_share_or_a_drive_is_refused_before_any_file_is_asked_for(name, monkeypatch):
    for function in ("stat", "lstat", "open"):
        monkeypatch.setattr(os, function, lambda *args, **kwargs: pytest.fail("the file system was asked"))
    assert _join_under(ntpath, "static", (name,)) is None


def test_c6_a_stream_of_ntfs_is_refused(app, send):
    assert _join_under(ntpath, "static", ("a.txt::$DATA",)) is None
    assert 404 == send(app, "/static/a.txt::$DATA").status


@pytest.mark.parametrize("name", ["a%00.txt", "a" * 5_000, "d/" * 2_500, "%ff", "%ed%b2%80"])
def test_c7_a_name_that_no_file_can_have_is_not_found(app, send, name):
    assert 404 == send(app, f"/static/{name}").status
    assert 404 == send(app, f"/files/{name}").status


def test_c8_what_is_outside_is_answered_alike_whether_it_exists(app, send):
    there = send(app, "/static/..%2fsecret.txt")
    missing = send(app, "/static/..%2fmissing.txt")
    assert (there.status, there.body) == (missing.status, missing.body)


@pytest.mark.parametrize("name", ["", "pub", "pub/", ".", "pub/.."])
def test_c9_a_folder_is_not_listed(app, send, name):
    answer = send(app, f"/static/{name}")
    assert 404 == answer.status
    assert "p.txt" not in answer.text


@pytest.mark.parametrize("name", ['a"; x="', "a;b", "ü.txt", "a\\b", "a b"])
def test_c10_the_name_of_a_download_is_quoted(make, send, folder, name):
    app = make()
    app.add_url_rule("/", "get", lambda: send_file(folder / "secret.txt", as_attachment=True, download_name=name))
    field = send(app, "/").headers["content-disposition"]
    kind, options = parse_options_header(field)
    assert ("attachment", {"filename": name}) == (kind, {key: options[key] for key in options if key != "x"})
    assert "x" not in options


@pytest.mark.parametrize("name", ["a\r\nX: y", "a\nb", "a\rb", "a\0b"])
def test_c10_a_line_break_in_it_is_an_error(make, send, folder, name):
    app = make()
    app.add_url_rule("/", "get", lambda: send_file(folder / "secret.txt", as_attachment=True, download_name=name))
    answer = send(app, "/")
    assert (500, None) == (answer.status, answer.headers.get("x"))


def ranged(send, app, value):
    return send(app, "/static/a.txt", headers=[("Range", value)])


def test_c11_ranges_never_send_more_than_the_file(app, send):
    for value in ("bytes=0-,0-,0-", "bytes=0-0,0-0,0-0", "bytes=" + "0-," * 1_000 + "0-"):
        answer = ranged(send, app, value)
        assert answer.status == 416 or len(answer.body) <= 10


@pytest.mark.parametrize(
    "value", ["bytes=-0", "bytes=5-2", "bytes=\u0660-\u0665", "bytes=--1", "bytes=1", "bytes=99-", "x=1-2"]
)
def test_c11_a_range_that_is_none_is_refused_or_ignored(app, send, value):
    if not value.isascii():
        value = value.encode().decode("latin-1")
    answer = ranged(send, app, value)
    assert answer.status == 416 or (answer.status, answer.text) == (200, "0123456789")


@pytest.mark.parametrize("item", ["0-,", "-1,", "1-2,", "0-0 ,", "99999-,"])
def test_c11_a_long_range_is_read_in_linear_time(app, item):
    assert_linear(lambda size: ranged(over_wsgi, app, "bytes=" + item * (size // len(item)) + "0-"), 200_000)


def test_c11_many_ranges_are_ignored(app, send):
    assert Range.from_header("bytes=" + ",".join(f"{n}-{n}" for n in range(1_000))) is not None
    assert Range.from_header("bytes=" + ",".join(f"{n}-{n}" for n in range(1_002))) is None


def test_safe_join_keeps_inside():
    assert "static/a.txt" == safe_join("static", "a.txt")
