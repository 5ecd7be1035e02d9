"""Files in front of an application."""

import sys
import zipfile

import pytest

from costrel.middleware.shared_data import SharedDataMiddleware


def not_found(environ, start_response):
    start_response("404 Not Found", [])
    return [b"app"]


def get(app, path, **headers):
    started = []
    body = app({"PATH_INFO": path, "REQUEST_METHOD": "GET", **headers}, lambda *args: started.extend(args))
    content = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return started[0], dict(started[1]), content


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "page.html").write_text("<p>")
    (tmp_path / "data").write_text("?")
    return tmp_path


def test_a_file_is_sent_with_its_type_and_a_tag(directory):
    app = SharedDataMiddleware(not_found, {"/static": str(directory)})
    status, headers, content = get(app, "/static/page.html")
    assert (status, content) == ("200 OK", b"<p>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "max-age=43200, public"
    assert headers["Content-Length"] == "3"
    again = get(app, "/static/page.html", HTTP_IF_NONE_MATCH=headers["Etag"])
    assert (again[0], again[2]) == ("304 Not Modified", b"")
    other = get(app, "/static/page.html", HTTP_IF_MATCH='"other"')
    assert (other[0], other[2]) == ("412 Precondition Failed", b"")
    assert get(app, "/static/page.html", HTTP_IF_MATCH="*")[0] == "200 OK"


def test_what_is_no_file_is_left_to_the_application(directory):
    app = SharedDataMiddleware(not_found, {"/static": str(directory), "/one": str(directory / "data")})
    for path in ("/", "/static", "/static/", "/static/nope", "/static/../secret", "/static/page.html\0"):
        assert get(app, path) == ("404 Not Found", {}, b"app")
    assert get(app, "/one")[2] == b"?"


def test_names_can_be_disallowed(directory):
    app = SharedDataMiddleware(not_found, {"/static": str(directory)}, disallow="*.html")
    assert get(app, "/static/page.html")[2] == b"app"
    assert get(app, "/static/data")[2] == b"?"


def test_without_caching_there_is_no_tag(directory):
    app = SharedDataMiddleware(not_found, [("/static/", str(directory))], cache=False, fallback_mimetype="x/y")
    headers = get(app, "/static/data")[1]
    assert (headers["Cache-Control"], headers["Content-Type"], "Etag" in headers) == ("public", "x/y", False)


def test_files_of_a_package(tmp_path, monkeypatch):
    package = tmp_path / "costrel_shared_package"
    (package / "static").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "static" / "a.txt").write_text("a")
    monkeypatch.syspath_prepend(tmp_path)
    app = SharedDataMiddleware(not_found, {"/p": ("costrel_shared_package", "static")})
    assert get(app, "/p/a.txt")[2] == b"a"
    assert [get(app, path)[2] for path in ("/p", "/p/", "/p/b.txt", "/p/../__init__.py")] == [b"app"] * 4


def test_files_of_a_package_in_a_zip_file(tmp_path, monkeypatch):
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("costrel_zipped_package/__init__.py", "")
        writer.writestr("costrel_zipped_package/static/a.txt", "zipped")
    monkeypatch.setattr(sys, "path", [str(archive), *sys.path])
    app = SharedDataMiddleware(not_found, {"/p": ("costrel_zipped_package", "static")})
    status, headers, content = get(app, "/p/a.txt")
    assert (status, content, headers["Content-Length"]) == ("200 OK", b"zipped", "6")
    assert get(app, "/p/a.txt", HTTP_IF_NONE_MATCH=headers["Etag"])[0] == "304 Not Modified"


def test_an_export_that_is_none_is_refused():
    with pytest.raises(TypeError, match="unknown def 5: a path, or a package and a path in it, was expected"):
        SharedDataMiddleware(not_found, {"/x": 5})
    with pytest.raises(ModuleNotFoundError, match="No package named 'costrel_no_such_package'"):
        SharedDataMiddleware(not_found, {"/x": ("costrel_no_such_package", "static")})
