"""The URLs of static files have the hash of the content, in production."""

import functools
import os
import threading

import pytest

from costrel import Blueprint, Costrel, abort, request, send_from_directory
from costrel.app.application import Flask
from costrel.services.statics.names import digest_of

from .conftest import replace


def test_the_url_of_a_file_has_the_hash_of_its_content(app, write, urls, get):
    write("static/app.css", "body{color:red}")

    url = urls(app, "app.css")

    assert url == f"/static/app.{digest_of(b'body{color:red}')}.css"
    response = get(app, url)
    assert (response.status_code, response.data) == (200, b"body{color:red}")
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.content_type == "text/css; charset=utf-8"


def test_templates_and_urls_outside_of_requests_have_it_too(app, write, urls):
    write("static/app.js", "1")
    app.config["SERVER_NAME"] = "shop.example"
    template = app.jinja_env.from_string("{{ url_for('static', filename='app.js', v=1) }}")

    with app.app_context():
        assert app.url_for("static", filename="app.js") == "http://shop.example/static/app.6b86b273ff34.js"
    with app.test_request_context():
        assert template.render() == "/static/app.6b86b273ff34.js?v=1"
    assert urls(app, "app.js", _anchor="x", _external=True) == "http://shop.example/static/app.6b86b273ff34.js#x"


def test_in_debug_mode_nothing_is_hashed(app, write, urls, get):
    write("static/app.js", "1")
    hashed = urls(app, "app.js")
    app.debug = True

    assert urls(app, "app.js") == "/static/app.js"
    assert get(app, hashed).headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("first", [None, "url", "request"])
def test_the_setting_is_off_for_flask(make, write, urls, get, first):
    write("static/app.js", "1")
    app = make(Flask)
    assert "STATIC_HASHED" not in app.config
    assert make(Costrel).config["STATIC_HASHED"] is True

    if first != "url":
        app.config["STATIC_HASHED"] = True
        if first == "request":
            get(app, "/")
        assert urls(app, "app.js") == "/static/app.6b86b273ff34.js"
        return
    assert urls(app, "app.js") == "/static/app.js"
    assert get(app, "/static/app.6b86b273ff34.js").status_code == 404
    assert "Cache-Control" not in get(app, "/static/app.6b86b273ff34.js").headers


def test_a_setting_that_is_changed_before_the_first_request_counts(make, write, urls, get):
    write("static/app.js", "1")
    app = make(Flask)
    urls(app, "app.js")
    app.config["STATIC_HASHED"] = True
    get(app, "/")

    assert urls(app, "app.js") == "/static/app.6b86b273ff34.js"

    app = make(Costrel, STATIC_HASHED=False)
    assert urls(app, "app.js") == "/static/app.js"


def test_blueprints_have_it_too(app, write, urls, get, tmp_path):
    write("admin/static/app.js", "1")
    outer = Blueprint("outer", "outer", url_prefix="/outer")
    inner = Blueprint("inner", "inner", static_folder="static", url_prefix="/in", root_path=str(tmp_path / "admin"))
    inner.add_url_rule("/page", "page", lambda: app.url_for(".static", filename="app.js"))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.register_blueprint(inner, name="again", url_prefix="/<lang>/in")

    url = urls(app, "app.js", "outer.inner.static")

    assert url == "/outer/in/static/app.6b86b273ff34.js"
    assert get(app, "/outer/in/page").text == url
    assert "immutable" in get(app, url).headers["Cache-Control"]
    assert urls(app, "app.js", "again.static", lang="de") == "/de/in/static/app.6b86b273ff34.js"


@pytest.mark.parametrize(
    "name",
    [
        "missing.js",
        "../secret.txt",
        "/etc/passwd",
        "nul\0.js",
        "folder",
        ".env",
        "out.txt",
        "a" * 300,
        "//x",
        "\udcff.js",
    ],
)
def test_a_name_without_a_file_stays_as_it_is(app, write, name, tmp_path):
    write("static/folder/file.txt", "x")
    write("static/.env", "x")
    write("secret.txt", "x")
    os.symlink(tmp_path / "secret.txt", tmp_path / "static" / "out.txt")

    assert app.static_urls[0].hashed(name) == name


def test_any_object_may_be_the_name_and_it_is_quoted(app, write, urls, tmp_path):
    write("static/a b/ü%.js", "1")

    assert urls(app, (tmp_path / "a b" / "ü%.js").relative_to(tmp_path)) == "/static/a%20b/%C3%BC%25.6b86b273ff34.js"


def test_other_spellings_of_a_name_lead_to_the_file(app, write, urls, get):
    write("static/x/app.css", "a{}")

    for name in ("x/./app.css", "x/y/../app.css", "x//app.css"):
        url = urls(app, name)
        assert "immutable" in get(app, url.replace("/y/..", "").replace("//", "/")).headers["Cache-Control"]


def test_a_changed_file_has_another_url_at_once(app, write, urls, settled):
    path = write("static/app.js", "1")
    assert urls(app, "app.js") == "/static/app.6b86b273ff34.js"

    path.write_text("2")
    os.utime(path, ns=(1, 1))
    assert urls(app, "app.js") == "/static/app.d4735e3a265e.js"

    before = path.stat()
    replace(path, b"1")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert urls(app, "app.js") == "/static/app.6b86b273ff34.js"

    path.unlink()
    assert urls(app, "app.js") == "/static/app.js"


def test_an_unchanged_file_is_hashed_once(app, write, urls, settled, monkeypatch):
    from costrel.services.statics import folder

    write("static/app.js", "1")
    write("static/app.css", "a{b:url(app.js)}")
    read = []
    original = folder.read_file
    monkeypatch.setattr(folder, "read_file", lambda path, keep: read.append(path) or original(path, keep))

    for _ in range(3):
        urls(app, "app.js")
        urls(app, "app.css")

    assert [os.path.basename(path) for path in read] == ["app.js", "app.css"]


def test_a_view_of_the_applications_own_gets_the_name_as_it_is(make, write, urls):
    write("static/app.js", "1")
    replaced, wrapped, assigned = make(), make(), make()
    replaced.view_functions["static"] = lambda filename: send_from_directory("static", filename)
    view = wrapped.view_functions["static"]
    wrapped.view_functions["static"] = functools.wraps(view)(lambda **values: view(**values))
    assigned.send_static_file = lambda filename: abort(404)

    class Own(Costrel):
        def send_static_file(self, filename):
            return send_from_directory("static", filename)

    assert urls(replaced, "app.js") == urls(assigned, "app.js") == urls(make(Own), "app.js") == "/static/app.js"
    assert urls(wrapped, "app.js") == "/static/app.6b86b273ff34.js"


def test_a_rule_with_the_method_as_its_view_counts(tmp_path, write, urls, get):
    write("static/app.js", "1")
    app = Costrel("shop", root_path=str(tmp_path), static_folder=None)
    app.static_folder = "static"
    app.add_url_rule("/files/<path:filename>", "files", app.send_static_file)

    url = urls(app, "app.js", "files")

    assert url == "/files/app.6b86b273ff34.js"
    assert "immutable" in get(app, url).headers["Cache-Control"]


def test_other_rules_with_such_a_variable_do_not(app, write, urls):
    write("static/app.js", "1")
    app.add_url_rule("/own/<path:filename>", "own", lambda filename: filename)

    assert urls(app, "app.js", "own") == "/own/app.js"


def test_hooks_see_the_name_of_the_request(app, write, urls, get):
    write("static/app.js", "1")
    seen = []
    app.before_request(lambda: seen.append(request.view_args))

    get(app, urls(app, "app.js"))

    assert seen == [{"filename": "app.6b86b273ff34.js"}]


def test_stylesheets_name_the_files_with_their_hashes(app, write, urls, get):
    write(
        "static/css/app.css", "@import 'more/base.css'; a{b:url(../img/x.png)} c{d:url(missing.png) url(../../out.png)}"
    )
    write("static/css/more/base.css", "a{b:url('../../img/x.png#y')}")
    image = write("static/img/x.png", "one")
    write("out.png", "x")

    first = get(app, urls(app, "css/app.css")).text
    base = urls(app, "css/more/base.css").rpartition("/")[2]
    one = digest_of(b"one")

    assert first == (
        f'@import "more/{base}"; a{{b:url("../img/x.{one}.png")}} c{{d:url(missing.png) url(../../out.png)}}'
    )
    assert get(app, urls(app, "css/more/base.css")).text == f'a{{b:url("../../img/x.{one}.png#y")}}'
    before = urls(app, "css/app.css")

    image.write_text("two")
    assert urls(app, "css/app.css") != before
    write("static/css/missing.png", "here")
    assert f"missing.{digest_of(b'here')}.png" in get(app, urls(app, "css/app.css")).text
    assert "img/x.png" in get(app, "/static/css/app.css").text  # the file by its own name is as it is on disk


def test_stylesheets_in_a_circle_keep_their_names_there(app, write, urls, get):
    write("static/a.css", "@import 'b.css'; a{b:url(x.png)}")
    write("static/b.css", "@import 'c.css';")
    write("static/c.css", "@import 'a.css'; @import 'd.css'; @import 'c.css';")
    write("static/d.css", "a{b:url(x.png)}")
    write("static/x.png", "1")

    texts = {name: get(app, urls(app, f"{name}.css")).text for name in "cbda"}
    others = {name: get(app, urls(app, f"{name}.css")).text for name in "abcd"}

    d = urls(app, "d.css").rpartition("/")[2]
    assert texts == others
    assert texts["a"] == "@import 'b.css'; a{b:url(\"x.6b86b273ff34.png\")}"
    assert texts["b"] == "@import 'c.css';"
    assert texts["c"] == f"@import 'a.css'; @import \"{d}\"; @import 'c.css';"


def test_a_long_chain_of_stylesheets_needs_no_recursion(app, write, urls, get):
    for number in range(1_100):
        write(f"static/{number}.css", f"@import '{number + 1}.css';")
    write("static/1100.css", "a{}")

    assert get(app, urls(app, "0.css")).headers["Cache-Control"].endswith("immutable")


def test_threads_agree(app, write, urls, get):
    path = write("static/app.js", "0")
    write("static/app.css", "a{b:url(app.js)}")
    wrong, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            for name in ("app.js", "app.css"):
                url = urls(app, name)
                response = get(app, url)
                if "immutable" in response.headers["Cache-Control"] and digest_of(response.data) not in url:
                    wrong.append(url)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(25):
        replace(path, str(number).encode())
    stop.set()
    for thread in threads:
        thread.join()

    assert wrong == []
