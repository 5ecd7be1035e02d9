"""A built front end: its files, and its page for navigations."""

import gzip
import os

import pytest

from costrel import Blueprint, Costrel, abort, request
from costrel.app.application import Flask
from costrel.audit import audit
from costrel.routing import Rule

NAVIGATES = {"Sec_Fetch_Mode": "navigate"}
CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"


@pytest.fixture
def app(make, write):
    write("dist/index.html", "page")
    write("dist/assets/main-BRBmoGS9.js", "js")
    write("dist/favicon.ico", "icon")
    write("dist/docs/index.html", "docs")
    write("dist/.vite/manifest.json", "{}")
    app = make()
    app.frontend("dist")
    return app


def test_files_are_sent_to_everybody(app, get):
    for path, content in [("/assets/main-BRBmoGS9.js", b"js"), ("/favicon.ico", b"icon"), ("/index.html", b"page")]:
        response = get(app, path)
        assert (response.status_code, response.data) == (200, content)
        assert get(app, path, "HEAD").headers["Content-Length"] == str(len(content))
    assert get(app, "/").text == "page"
    assert get(app, "/docs/").text == "docs"
    assert get(app, "/assets/main-BRBmoGS9.js").content_type.startswith("text/javascript")


def test_the_page_is_always_checked_again(app, get):
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 60

    assert get(app, "/favicon.ico").headers["Cache-Control"] == "public, max-age=60"
    for path in ("/", "/index.html", "/docs/", "/users/5"):
        response = get(app, path, **NAVIGATES)
        assert (response.headers["Cache-Control"], "Expires" in response.headers) == ("no-cache", False)
        assert get(app, path, If_None_Match=response.headers["ETag"], **NAVIGATES).status_code == 304


@pytest.mark.parametrize(
    "headers",
    [
        NAVIGATES,
        {"Sec_Fetch_Mode": "navigate", "Accept": "*/*"},
        {"Accept": CHROMIUM},
        {"Accept": "text/html"},
        {"Accept": "application/xhtml+xml, */*;q=0.1"},
        {"Accept": "text/html, application/json;q=0.9"},
    ],
)
def test_a_navigation_gets_the_page(app, get, headers):
    for path in ("/users", "/users/5/edit", "/v1.2/users/", "/ü", "/a b"):
        response = get(app, path, **headers)
        assert (response.status_code, response.text) == (200, "page")
        assert {*response.vary} >= {"Accept", "Sec-Fetch-Mode"}
        assert get(app, path, "HEAD", **headers).status_code == 200


def test_under_flasks_name_it_does_the_same(make, write, get):
    write("dist/index.html", "page")
    app = make(Flask)
    app.frontend("dist")

    assert get(app, "/users", **NAVIGATES).text == "page"
    assert get(app, "/users/x.js", **NAVIGATES).status_code == get(app, "/users").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "*/*"},
        {"Accept": "application/json"},
        {"Accept": "application/json, text/html;q=0.9"},
        {"Accept": "application/json, text/html"},
        {"Accept": "image/webp, text/html;q=0.1"},
        {"Accept": "text/html;q=0, */*"},
        {"Sec_Fetch_Mode": "cors", "Accept": CHROMIUM},
        {"Sec_Fetch_Mode": "no-cors", "Accept": "text/html"},
        {"Sec_Fetch_Mode": "same-origin", "Accept": "text/html"},
        {"Accept": "nonsense"},
    ],
)
def test_anything_else_gets_a_404_that_is_not_stored(app, get, headers):
    response = get(app, "/users/5", **headers)

    assert (response.status_code, response.headers["Cache-Control"]) == (404, "no-store")


@pytest.mark.parametrize(
    "path",
    ["/missing.js", "/users/jane.doe", "/assets/old-123.js", "/x.js/", "/.env", "/.vite/manifest.jso", "/%2e%2e/x.txt",
     "/..%2fx.txt", "/a%2ejs", "/.well-known/x.json"],
)  # fmt: skip
def test_names_with_a_dot_never_get_the_page(app, get, path):
    assert get(app, path, **NAVIGATES).status_code == 404


def test_dotfiles_links_and_other_folders_are_safe(make, write, get, tmp_path):
    write("dist/index.html", "page")
    write("dist/.vite/manifest.json", "{}")
    write("secret", "secret")
    os.symlink(tmp_path / "secret", tmp_path / "dist" / "link")
    app = make()
    app.frontend("dist")

    for path in ("/.vite/manifest.json", "/link", "/../secret", "/%2e%2e/secret", "//etc/passwd", "/nul%00"):
        assert get(app, path).status_code == 404


def test_routes_come_first_and_what_is_below_them_is_theirs(app, get):
    app.add_url_rule("/api/items", "items", lambda: "items")
    app.add_url_rule("/api/save", "save", lambda: "saved", methods=["POST"])
    app.add_url_rule("/shop/<int:number>", "number", lambda number: "number")
    app.add_url_rule("/login/", "login", lambda: "login")
    blueprint = Blueprint("b", "b", url_prefix="/admin")
    blueprint.add_url_rule("/page", "page", lambda: "admin")
    app.register_blueprint(blueprint)
    app.add_url_rule("/", "home", lambda: "home")

    assert get(app, "/api/items", **NAVIGATES).text == "items"
    assert get(app, "/", **NAVIGATES).text == "home"
    for path in ("/api/items/5", "/api/items/", "/shop/name", "/shop/5/x", "/login/forgot", "/admin", "/admin/x/y"):
        assert get(app, path, **NAVIGATES).status_code == 404, path
    assert get(app, "/api/save", **NAVIGATES).status_code == 405
    for path in ("/api", "/api/other", "/shopping", "/logins", "/administration/x"):
        assert get(app, path, **NAVIGATES).text == "page", path


def test_a_rule_that_is_added_later_counts(app, get):
    assert get(app, "/api/x", **NAVIGATES).text == "page"
    app.config["TESTING"] = True
    app._got_first_request = False
    app.add_url_rule("/api", "api", lambda: "api")

    assert get(app, "/api/x", **NAVIGATES).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_get_what_they_got_before(app, make, get, method):
    headers = {"Sec_Fetch_Site": "same-origin", **NAVIGATES}

    for path in ("/users", "/favicon.ico"):
        assert get(app, path, method, **headers).status_code == get(make(), path, method, **headers).status_code == 404


def test_hooks_guard_it_as_they_guard_views(app, get):
    seen = []

    @app.before_request
    def admit():
        seen.append((request.endpoint, request.view_args))
        if "Authorization" not in request.headers:
            abort(401)

    assert get(app, "/users", **NAVIGATES).status_code == 401
    assert get(app, "/favicon.ico", Authorization="x").text == "icon"
    assert seen == [("frontend", {"filename": "index.html"}), ("frontend", {"filename": "favicon.ico"})]


def test_an_owner_of_errors_keeps_its_404(make, write, get):
    write("dist/index.html", "page")
    blueprint = Blueprint("api", "api", url_prefix="/api", owns_errors=True)
    blueprint.register_error_handler(404, lambda error: ("the API's 404", 404))
    app = make()
    app.register_blueprint(blueprint)
    app.frontend("dist")

    assert get(app, "/api/x", **NAVIGATES).text == "the API's 404"


def test_several_front_ends_and_a_mount(make, write, get):
    write("dist/index.html", "outer")
    write("admin/index.html", "inner")
    write("admin/a.js", "js")
    app, mounted = make(), make()
    mounted.add_url_rule("/x", "x", lambda: "mounted")
    app.frontend("dist")
    app.frontend("admin", prefix="/admin", endpoint="admin")
    app.mount("/mounted", mounted)

    assert get(app, "/admin/users", **NAVIGATES).text == get(app, "/admin/").text == "inner"
    assert get(app, "/admin/a.js").text == "js"
    assert get(app, "/administration", **NAVIGATES).text == "outer"
    assert get(app, "/mounted/x", **NAVIGATES).text == "mounted"
    assert get(app, "/mounted/y", **NAVIGATES).status_code == 404
    response = get(app, "/admin?a=1")
    assert (response.status_code, response.location) == (308, "http://localhost/admin/?a=1")
    with app.test_request_context():
        assert app.url_for("admin", filename="a.js") == "/admin/a.js"
        assert app.url_for("admin") == "/admin/"
        assert app.url_for("frontend") == "/"


def test_the_front_end_below_a_script_name(app, get):
    with app.test_client() as client:
        response = client.get("/users", base_url="http://localhost/site", headers={"Sec-Fetch-Mode": "navigate"})
        assert response.text == "page"


def test_compressed_copies_are_sent(app, write, get):
    write("dist/assets/main-BRBmoGS9.js.gz", gzip.compress(b"js"))

    response = get(app, "/assets/main-BRBmoGS9.js", Accept_Encoding="gzip")

    assert (response.headers["Content-Encoding"], response.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(response.data) == b"js"


def test_without_a_build_there_is_nothing(make, write, get):
    app = make()
    app.frontend("dist")
    app.frontend("other", prefix="/other", endpoint="other")

    for path in ("/", "/users", "/other", "/other/"):
        assert get(app, path, **NAVIGATES).status_code == 404
    write("dist/index.html", "built since")
    assert get(app, "/users", **NAVIGATES).text == "built since"


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_it_works_on_both_edges(app, edge):
    with app.test_client(edge=edge).get("/users", headers={"Sec-Fetch-Mode": "navigate"}) as response:
        assert response.text == "page"


def test_async_views_beside_it(make, write, get):
    write("dist/index.html", "page")
    app = make()

    @app.route("/api")
    async def api():
        return "api"

    app.frontend("dist")
    client = app.test_client(edge="asgi")
    for path, text in (("/api", "api"), ("/x", "page"), ("/api", "api")):
        with client.get(path, headers={"Sec-Fetch-Mode": "navigate"}) as response:
            assert response.text == text


def test_files_of_a_front_end_are_not_rate_limited(make, write, get):
    write("dist/index.html", "page")
    app = make(RATE_LIMITS="1/hour")
    app.add_url_rule("/api", "api", lambda: "api")
    app.frontend("dist")

    assert [get(app, "/").status_code for _ in range(3)] == [200, 200, 200]
    assert [get(app, "/api").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("prefix", ["app", "", "/a//b", "/../a", "/<x>", "/a?b", None])
def test_a_wrong_prefix_is_an_error(make, prefix):
    with pytest.raises(ValueError, match="The prefix of a front end is"):
        make().frontend("dist", prefix=prefix)


def test_a_front_end_that_no_request_would_reach_is_an_error(make):
    app = make()
    app.frontend("dist")
    with pytest.raises(ValueError, match="The prefix '/' is taken by the front end in"):
        app.frontend("other", endpoint="other")
    with pytest.raises(AssertionError, match="already has another view function"):
        app.frontend("other", prefix="/other")
    with pytest.raises(ValueError, match="matches all paths below it"):
        Costrel("x", static_url_path="").frontend("dist")


def test_check_and_matching_do_not_take_it_for_a_route(app):
    app.add_url_rule("/", "home", lambda: "home")

    assert not [finding for finding in audit(app) if "frontend" in finding.problem]
    assert app.url_map.bind("localhost").test("/users") is False
    assert all(isinstance(rule, Rule) and rule.build_only for rule in app.url_map.iter_rules("frontend"))


def test_check_finds_a_front_end_that_is_not_built(app, make):
    missing = make()
    missing.frontend("nowhere", prefix="/app")

    found = [finding.place for finding in audit(missing) if "has no index.html" in finding.problem]

    assert found == ["/app"]
    assert not [finding for finding in audit(app) if "index.html" in finding.problem]
