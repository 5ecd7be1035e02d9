"""`costrel static build`."""

import gzip
import os

import pytest

import costrel
from costrel.cli import FlaskGroup
from costrel.services.statics.names import digest_of

brotli, zstandard = pytest.importorskip("brotli"), pytest.importorskip("zstandard")

DECODE = {"br": brotli.decompress, "gz": gzip.decompress, "zst": zstandard.decompress}


@pytest.fixture
def app(tmp_path):
    static = tmp_path / "site" / "static"
    (static / "img").mkdir(parents=True)
    (static / "app.css").write_text("a{b:url(img/x.png)}")
    (static / "img" / "x.png").write_bytes(b"png")
    (static / ".env").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    os.symlink(tmp_path / "outside.txt", static / "out.txt")
    admin = tmp_path / "site" / "admin"
    (admin / "files").mkdir(parents=True)
    (admin / "files" / "admin.js").write_text("1")
    app = costrel.Costrel("site", root_path=str(tmp_path / "site"))
    app.register_blueprint(
        costrel.Blueprint("admin", "admin", static_folder="files", url_prefix="/admin", root_path=str(admin))
    )
    return app


@pytest.fixture
def build(app, invoke, tmp_path):
    def build(*arguments):
        return invoke(FlaskGroup(create_app=lambda: app), "static", "build", *map(str, arguments))

    return build


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_files_are_at_the_paths_of_their_urls(app, build, tmp_path):
    out = tmp_path / "out"

    result = build(out)

    image = f"img/x.{digest_of(b'png')}.png"
    css = b'a{b:url("%s")}' % image.encode()
    hashed = f"app.{digest_of(css)}.css"
    js = f"admin.{digest_of(b'1')}.js"
    plain = {f"static/{name}" for name in (image, "img/x.png", hashed, "app.css")}
    plain |= {f"admin/files/{name}" for name in (js, "admin.js")}
    coded = {f"{name}.{ending}" for name in plain if not name.endswith("png") for ending in DECODE}
    assert files_in(out) == plain | coded
    assert (out / "static" / hashed).read_bytes() == css
    for name in coded:
        stem, _, ending = name.rpartition(".")
        assert DECODE[ending]((out / name).read_bytes()) == (out / stem).read_bytes()
    with app.test_request_context():
        assert app.url_for("static", filename="app.css") == f"/static/{hashed}"
        assert app.url_for("admin.static", filename="admin.js") == f"/admin/files/{js}"
    assert result.output == f"Wrote 6 files and 12 compressed copies to {out}.\n"


def test_a_second_build_writes_only_changes_and_keeps_old_files(app, build, tmp_path):
    out = tmp_path / "out"
    build(out)
    before = files_in(out)
    assert "Wrote 0 files and 0 compressed copies" in build(out).output

    (tmp_path / "site" / "static" / "img" / "x.png").write_bytes(b"new")
    result = build(out)

    assert "Wrote 3 files and 3 compressed copies" in result.output  # the image twice, and the stylesheet by its hash
    assert files_in(out) > before
    assert not list(out.rglob("*.unfinished"))


def test_two_builds_have_the_same_bytes(build, tmp_path):
    build(tmp_path / "one")
    build(tmp_path / "two")

    assert files_in(tmp_path / "one") == files_in(tmp_path / "two")
    for name in files_in(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_old_copy_never_stands_beside_a_new_file(build, tmp_path, monkeypatch):
    out = tmp_path / "out"
    build(out)
    from costrel.app import static_build

    kept = [coding for coding in static_build.codings() if coding.name == "gzip"]
    monkeypatch.setattr(static_build, "codings", lambda: kept)
    (tmp_path / "site" / "static" / "app.css").write_text("new")

    build(out)

    assert not (out / "static" / "app.css.br").exists()
    assert gzip.decompress((out / "static" / "app.css.gz").read_bytes()) == b"new"


def test_the_application_sends_what_it_has_built(app, build, tmp_path):
    app.config["STATIC_BUILD"] = "../out"
    result = build()
    assert result.output.endswith(f"copies to {tmp_path / 'site' / '../out'}.\n")
    with app.test_request_context():
        urls = [app.url_for("static", filename="app.css"), app.url_for("admin.static", filename="admin.js")]

    for url in (*urls, "/static/app.css", "/admin/files/admin.js"):
        response = app.test_client().get(url, headers={"Accept-Encoding": "br"})
        assert (response.headers["Content-Encoding"], response.headers["Vary"]) == ("br", "Accept-Encoding")
        assert brotli.decompress(response.data) == (tmp_path / "out" / url[1:]).read_bytes()

    (tmp_path / "site" / "static" / "app.css").write_text("changed")
    response = app.test_client().get("/static/app.css", headers={"Accept-Encoding": "br"})
    assert ("Content-Encoding" in response.headers, response.text) == (False, "changed")


def test_a_built_folder_can_be_the_static_folder(app, build, tmp_path):
    build(tmp_path / "out")
    with app.test_request_context():
        url = app.url_for("static", filename="app.css")
    served = costrel.Costrel("served", static_folder=str(tmp_path / "out" / "static"))

    with served.test_request_context():
        assert served.url_for("static", filename="app.css") == url
    response = served.test_client().get(url, headers={"Accept-Encoding": "br"})
    assert (response.headers["Content-Encoding"], response.cache_control.immutable) == ("br", True)


@pytest.mark.parametrize("folder", ["site", "site/static/..", "site/static", "site/static/built"])
def test_the_sources_are_not_written_over(build, tmp_path, folder):
    before = files_in(tmp_path / "site")

    result = build(tmp_path / folder)

    assert (result.exit_code, files_in(tmp_path / "site")) == (1, before)
    assert "overlaps with a static folder" in result.output


def test_a_folder_is_needed(build):
    result = build()

    assert result.exit_code == 2
    assert "Pass a folder, as in 'costrel static build dist', or set STATIC_BUILD." in result.output


def test_rules_with_more_variables_are_left_out(app, build, tmp_path):
    blueprint = costrel.Blueprint("b", "b", static_folder="files", root_path=str(tmp_path / "site" / "admin"))
    app.register_blueprint(blueprint, url_prefix="/<lang>")

    result = build(tmp_path / "out")

    assert "Skipped /<lang>/files/<path:filename>: it has a variable" in result.output
    assert result.exit_code == 0


def test_two_files_with_one_url_are_an_error(app, build, tmp_path):
    other = tmp_path / "other" / "static"
    other.mkdir(parents=True)
    (other / "app.css").write_text("other")
    app.register_blueprint(costrel.Blueprint("other", "other", static_folder="static", root_path=str(other.parent)))

    result = build(tmp_path / "out")

    assert result.exit_code == 1
    assert "Two static files with different contents have the URL of" in result.output


def test_without_the_packages_the_command_says_so(build, tmp_path, monkeypatch):
    from costrel.services.statics import codings

    monkeypatch.setattr(codings, "import_module", lambda name: exec("raise ImportError"))
    codings.codings.cache_clear()
    try:
        result = build(tmp_path / "out")
    finally:
        codings.codings.cache_clear()

    assert "Not compressed with br and zstd: pip install 'costrel[compress]'." in result.output
    assert {path.suffix for path in (tmp_path / "out").rglob("*")} >= {".gz"}


def test_an_application_may_have_its_own_command_of_this_name(app, invoke):
    app.cli.command("static")(lambda: print("my own"))

    assert "my own" in invoke(FlaskGroup(create_app=lambda: app), "static").output
