"""`OpenAPI(docs=...)`: the page, its files and its versions, with and without the extra."""

import gzip
import hashlib
import html
import json
import re
import sys
from pathlib import Path

import pytest
from msgspec import Struct

from costrel import Blueprint, Costrel, OpenAPI, abort
from costrel.app.application import Flask
from costrel.audit import audit
from costrel.cli import FlaskGroup

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "packages/costrel-docs-ui/src/costrel_docs_ui"


class Line(Struct):
    sku: str


def make(cls=Costrel, **options):
    app = cls("shop", static_folder=None)
    app.secret_key = "k" * 32
    app.openapi = OpenAPI(**{"docs": "/docs", **options})
    app.add_url_rule("/lines", "lines", lambda: "", hidden=False)
    return app


def version(name):
    blueprint = Blueprint(name.replace(".", "_"), __name__, url_prefix=f"/{name}", api=name, typed=True)

    @blueprint.get("/lines", hidden=False)
    def lines(page: int = 1) -> list[Line]: ...

    return blueprint


def settings_of(text):
    return json.loads(html.unescape(re.search(r'data-settings="([^"]*)"', text)[1]))


def files_of(text):
    return re.findall(r'(?:link rel="stylesheet" href|src)="(/[^"]+)"', text)


def without_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "costrel_docs_ui", None)


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
@pytest.mark.parametrize("cls", [Costrel, Flask])
def test_the_page_loads_only_files_of_the_application(cls, edge):
    client = make(cls, title="Ada's <shop>").test_client(edge=edge)
    page = client.get("/docs")
    assert page.status_code == 200
    assert page.content_type == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "private, no-cache"
    assert "<title>Ada&#39;s &lt;shop&gt;: API</title>" in page.text
    assert settings_of(page.text) == {"url": "/openapi.json"}
    assert re.findall(r"<script>|<style|https?:|\son\w+=", page.text.replace("http://www.w3.org/2000/svg", "")) == []
    files = files_of(page.text)
    assert [url.rpartition("/")[2] for url in files] == [
        "swagger-ui.css", "docs.css", "swagger-ui-bundle.js", "docs.js",
    ]  # fmt: skip
    for url in files:
        response = client.get(url)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.mimetype in ("text/css", "text/javascript")
        assert hashlib.sha256(response.data).hexdigest().startswith(url.split("/")[-2])
        packed = client.get(url, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == response.data
        again = client.get(url, headers={"If-None-Match": response.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("url", ["/docs/files/0/docs.css", "/docs/files/{}/__init__.py", "/docs/files/{}/docs.html"])
def test_other_files_are_not_there(url):
    client = make().test_client()
    content_hash = files_of(client.get("/docs").text)[0].split("/")[-2]
    assert client.get(url.format(content_hash)).status_code == 404


def test_the_policy_allows_the_servers_of_the_api():
    def sources(*servers):
        policy = make(servers=servers).test_client().get("/docs").headers["Content-Security-Policy"]
        return re.search(r"connect-src ([^;]*);", policy)[1]

    assert sources() == "'self'"
    assert sources("/api", "https://api.example/v1", "https://{place}.example") == "'self' https://api.example"
    policy = make().test_client().get("/docs").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy


def test_the_page_sends_a_token_only_if_requests_need_one():
    def csrf(**config):
        app = make()
        app.config.update(config)
        return settings_of(app.test_client().get("/docs").text).get("csrf")

    assert csrf() is None
    assert csrf(CSRF_REQUIRE_TOKEN=True, CSRF_PROTECTION=False) is None
    assert csrf(CSRF_REQUIRE_TOKEN=True)["header"] == "X-CSRF-Token"


def test_the_token_is_valid_for_the_session():
    app = make()
    app.config["CSRF_REQUIRE_TOKEN"] = True
    app.add_url_rule("/buy", "buy", lambda: "bought", methods=["POST"])
    client = app.test_client()
    csrf = settings_of(client.get("/docs").text)["csrf"]
    assert client.post("/buy").status_code == 403
    assert client.post("/buy", headers={csrf["header"]: csrf["token"]}).text == "bought"


def test_a_guard_decides_who_gets_the_page():
    def nobody(view):
        return lambda: abort(401)

    client = make(guard=nobody).test_client()
    assert client.get("/docs").status_code == 401
    assert client.get("/openapi.json").status_code == 401


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/", "/a/b"])
def test_the_page_may_be_anywhere_also_below_a_prefix(path):
    client = make(docs=path).test_client()
    prefixed = {"environ_overrides": {"SCRIPT_NAME": "/shop"}}
    page = client.get(path, **prefixed)
    assert page.status_code == 200
    assert settings_of(page.text) == {"url": "/shop/openapi.json"}
    for url in files_of(page.text):
        assert client.get(url.removeprefix("/shop"), **prefixed).status_code == 200
    assert client.get("/openapi.json", **prefixed).json["servers"] == [{"url": "/shop"}]
    assert "servers" not in client.get("/openapi.json").json


# -- without the extra --------------------------------------------------------------------------------------------


def test_without_the_extra_the_page_names_it(monkeypatch):
    without_extra(monkeypatch)
    client = make().test_client()
    page = client.get("/docs")
    assert page.status_code == 501
    assert "pip install &#39;costrel[docs-ui]&#39;" in page.text
    for url in files_of(page.text):
        assert client.get(url).status_code == 200
    assert client.get("/openapi.json").status_code == 200


def test_without_the_extra_the_start_and_the_check_name_it(monkeypatch, caplog):
    with_page, without_page = make(), make(docs=None)
    with_page.try_settings()
    assert caplog.messages == []
    without_extra(monkeypatch)
    without_page.try_settings()
    assert caplog.messages == []
    with_page.try_settings()
    assert caplog.messages == ["The docs page needs Swagger UI's files: pip install 'costrel[docs-ui]'"]
    found = [finding for finding in audit(with_page) if finding.place == "openapi_docs"]
    assert [finding.remedy for finding in found] == ["pip install 'costrel[docs-ui]'"]


def test_the_files_are_those_of_the_release():
    for line in (PACKAGE / "SHA256SUMS").read_text().splitlines():
        content_hash, name = line.split()
        assert hashlib.sha256((PACKAGE / name).read_bytes()).hexdigest() == content_hash, name
    import costrel_docs_ui

    installed = costrel_docs_ui.FOLDER / "SHA256SUMS"
    assert installed.read_text() == (PACKAGE / "SHA256SUMS").read_text()
    release = f"swagger-ui-dist@{costrel_docs_ui.VERSION}"
    assert release in (PACKAGE.parents[1] / "vendor").read_text()
    assert f'version = "{costrel_docs_ui.VERSION}"' in (PACKAGE.parents[1] / "pyproject.toml").read_text()


# -- versions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_set_first", [True, False])
@pytest.mark.parametrize("cls", [Costrel, Flask])
def test_each_version_has_a_document(cls, is_set_first):
    app = cls("shop", static_folder=None)
    options = OpenAPI("Shop", "9", docs="/docs", path="/api/openapi.json")
    if is_set_first:
        app.openapi = options
    app.register_blueprint(version("v1"))
    app.register_blueprint(version("v2.1"))
    if not is_set_first:
        app.openapi = options
    app.add_url_rule("/plain", "plain", lambda: "", hidden=False)
    client = app.test_client()
    documents = [client.get(f"/api/openapi{name}.json").json for name in ("", "/v1", "/v2.1")]
    assert [[*each["paths"]] for each in documents] == [["/plain"], ["/v1/lines"], ["/v2.1/lines"]]
    assert [each["info"]["version"] for each in documents] == ["9", "v1", "v2.1"]
    assert client.get("/api/openapi/v3.json").status_code == 404
    pages = {api: client.get(f"/docs?api={api}") for api in ("v1", "v2.1", "", "v3")}
    assert [page.status_code for page in pages.values()] == [200, 200, 200, 404]
    assert settings_of(pages["v1"].text)["url"] == "/api/openapi/v1.json"
    assert settings_of(client.get("/docs").text)["url"] == "/api/openapi/v2.1.json"
    assert re.findall(r"<option[^>]*>[^<]*", pages[""].text) == [
        '<option value="v2.1">v2.1', '<option value="v1">v1', '<option value="" selected>without a version',
    ]  # fmt: skip


def test_a_blueprint_inside_a_version_belongs_to_it():
    app = Costrel("shop", static_folder=None)
    app.openapi = OpenAPI()
    orders = Blueprint("orders", __name__, typed=True)

    @orders.get("/orders")
    def find(page: int = 1) -> list[Line]: ...

    admin = Blueprint("admin", __name__, url_prefix="/admin", typed=True, api="admin")

    @admin.get("/stock")
    def stock(page: int = 1) -> list[Line]: ...

    for name in ("v1", "v2"):
        outer = Blueprint(name, __name__, url_prefix=f"/{name}", api=name)
        outer.register_blueprint(orders)
        if name == "v2":
            outer.register_blueprint(admin)
        app.register_blueprint(outer)
    client = app.test_client()
    paths = {api: [*client.get(f"/openapi/{api}.json").json["paths"]] for api in ("v1", "v2", "admin")}
    assert paths == {"v1": ["/v1/orders"], "v2": ["/v2/orders"], "admin": ["/v2/admin/stock"]}
    assert client.get("/openapi.json").json["paths"] == {}


def test_two_blueprints_may_share_a_version():
    app = make()
    for name in ("shop", "stock"):
        blueprint = Blueprint(name, __name__, url_prefix=f"/{name}", api="v1")
        blueprint.add_url_rule("/x", "x", lambda: "", hidden=False)
        app.register_blueprint(blueprint)
    assert [*app.test_client().get("/openapi/v1.json").json["paths"]] == ["/shop/x", "/stock/x"]


def test_a_guard_also_guards_the_versions():
    def nobody(view):
        return lambda: abort(401)

    app = make(guard=nobody)
    app.register_blueprint(version("v1"))
    assert app.test_client().get("/openapi/v1.json").status_code == 401


@pytest.mark.parametrize("name", ["", "v 1", "v/1", "../x", ".", "é"])
def test_a_version_that_fits_into_no_url_is_an_error(name):
    with pytest.raises(ValueError, match="api= is"):
        Blueprint("v1", __name__, api=name)


def test_the_command_writes_and_checks_one_version(tmp_path):
    def run(app, *args):
        return app.test_cli_runner().invoke(FlaskGroup(create_app=lambda: app), ["openapi", *args])

    app = make()
    app.register_blueprint(version("v1"))
    assert [*json.loads(run(app, "--api", "v1").output)["paths"]] == ["/v1/lines"]
    assert [*json.loads(run(app).output)["paths"]] == ["/lines"]
    saved = tmp_path / "v1.json"
    assert run(app, "--api", "v1", "-o", str(saved)).exit_code == 0
    assert run(app, "--api", "v1", "--check", str(saved)).exit_code == 0
    other = make()
    other.register_blueprint(version("v1"))
    other.register_blueprint(version("v2"))
    assert run(other, "--api", "v1", "--check", str(saved)).exit_code == 0
    assert run(other, "--api", "v2", "--check", str(saved)).exit_code == 1
    wrong = run(other, "--api", "v3")
    assert wrong.exit_code == 2
    assert "The versions are: v1, v2." in wrong.output
    assert "Blueprint(api=...)" in run(make(), "--api", "v1").output


# -- in debug mode ------------------------------------------------------------------------------------------------

LOCAL = {"base_url": "http://localhost", "environ_base": {"REMOTE_ADDR": "127.0.0.1"}}
OTHERS = {"base_url": "http://localhost", "environ_base": {"REMOTE_ADDR": "10.0.0.7"}}


def in_debug_mode():
    app = Costrel("shop", static_folder=None)
    app.config["DEBUG"] = True
    app.register_blueprint(version("v1"))
    return app


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_unset_all_of_it_is_served_in_debug_mode_to_this_computer_only(edge):
    client = in_debug_mode().test_client(edge=edge)
    page = client.get("/docs", **LOCAL)
    assert page.status_code == 200
    for url in ("/docs", "/openapi.json", "/openapi/v1.json", *files_of(page.text)):
        assert client.get(url, **LOCAL).status_code == 200, url
        assert client.get(url, **OTHERS).status_code == 404, url


@pytest.mark.parametrize("rule", ["/docs", "/<page>"])
def test_a_view_of_the_application_keeps_the_path_of_the_page(rule):
    app = in_debug_mode()
    app.add_url_rule(rule, "mine", lambda **values: "mine")
    client = app.test_client()
    assert client.get("/docs", **LOCAL).text == "mine"
    assert client.get("/openapi/v1.json", **LOCAL).status_code == 200


def test_without_debug_mode_nothing_is_served():
    app = in_debug_mode()
    app.config["DEBUG"] = False
    client = app.test_client()
    for url in ("/docs", "/openapi.json", "/openapi/v1.json"):
        assert client.get(url, **LOCAL).status_code == 404
