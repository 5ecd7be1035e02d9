"""`costrel routes --match` and `--json`, and the table on narrow terminals."""

import json
from functools import partial, wraps

import pytest

import costrel
from costrel.cli import FlaskGroup
from costrel.views import MethodView


@pytest.fixture
def app():
    app = costrel.Costrel("shop", static_folder=None)

    @app.get("/items/<int:number>")
    def item(number):
        raise RuntimeError("never called")

    @app.post("/items/")
    def add():
        raise RuntimeError("never called")

    @app.websocket("/chat")
    async def chat():
        raise RuntimeError("never called")

    @app.before_request
    @app.teardown_request
    @app.url_value_preprocessor
    def hook(*arguments):
        raise RuntimeError("never called")

    return app


@pytest.fixture
def routes(app, invoke):
    return lambda *arguments: invoke(FlaskGroup(create_app=lambda: app), "routes", *arguments)


def test_the_rule_that_answers(routes, app):
    result = routes("--match", "GET /items/3?page=2")

    assert result.exit_code == 0
    assert "GET /items/3?page=2: item, by the rule /items/<int:number>" in result.output
    assert "number = '3'" in result.output
    assert f"{__file__.rpartition('/')[2]}:" in result.output


def test_a_path_alone_is_a_get(routes):
    assert "item, by the rule" in routes("--match", "/items/3").output


def test_the_nearest_rules_and_why_they_do_not_match(routes):
    result = routes("--match", "GET /items/three")

    assert result.exit_code == 1
    assert "GET /items/three: 404. No rule matches the path." in result.output
    assert "/items/<int:number> (GET, item) <int:number> does not accept 'three'" in result.output


def test_a_method_that_is_not_allowed(routes):
    result = routes("--match", "delete /items/3")

    assert result.exit_code == 1
    assert "DELETE /items/3: 405. The method DELETE is not allowed." in result.output
    assert "Allowed: GET, HEAD, OPTIONS" in result.output


def test_a_redirect(routes):
    result = routes("--match", "POST /items")

    assert result.exit_code == 0
    assert "POST /items: redirects to http://localhost/items/ (308)." in result.output


@pytest.mark.parametrize(
    ("asked", "said"),
    [("WEBSOCKET /chat", "chat, by the rule /chat"), ("GET /chat", "400."), ("WEBSOCKET /items/3", "400.")],
)
def test_websockets(routes, asked, said):
    assert said in routes("--match", asked).output


def test_a_mounted_application(routes, app):
    app.mount("/admin", lambda environ, start: [])

    assert "/admin/x: A mounted application answers it. It is at /admin/…." in routes("--match", "/admin/x").output


def test_hosts(invoke):
    app = costrel.Costrel("shop", static_folder=None, host_matching=True)
    app.add_url_rule("/", endpoint="api", host="api.example")
    group = FlaskGroup(create_app=lambda: app)

    assert "api, by the rule /" in invoke(group, "routes", "--match", "GET http://api.example/").output
    assert "is for the host api.example" in invoke(group, "routes", "--match", "GET /").output


def test_hosts_that_are_trusted(routes, app):
    app.config["TRUSTED_HOSTS"] = [".example.org"]

    assert routes("--match", "/items/3").exit_code == 0
    assert routes("--match", "GET http://evil.example/items/3").exit_code == 1


@pytest.mark.parametrize("asked", ["", "GET", "GET items", "GET /a b", "GET ftp://x/y", "GET //x/y"])
def test_no_request(routes, asked):
    result = routes("--match", asked)

    assert result.exit_code == 2


def test_a_match_as_json(routes):
    found = json.loads(routes("--json", "--match", "DELETE /items/3").output)

    assert (found["method"], found["status"], found["allowed"]) == ("DELETE", 405, ["GET", "HEAD", "OPTIONS"])
    assert found["near"][0]["reason"] == "does not allow DELETE"


def test_routes_as_json(routes):
    found = {each["endpoint"]: each for each in json.loads(routes("--json").output)}

    assert found["item"]["methods"] == ["GET"]
    assert found["item"]["rule"] == "/items/<int:number>"
    assert found["item"]["file"].endswith("test_matching.py")
    assert found["chat"]["websocket"] is True
    assert __import__("linecache").getline(found["add"]["file"], found["add"]["line"]).strip() == '@app.post("/items/")'


def test_no_routes_as_json(invoke):
    app = costrel.Costrel("shop", static_folder=None)

    assert json.loads(invoke(FlaskGroup(create_app=lambda: app), "routes", "--json").output) == []


def test_the_file_and_line_of_every_kind_of_view(invoke):
    app = costrel.Costrel("shop")

    def decorated(view):
        @wraps(view)
        def outer(*arguments):
            return view(*arguments)

        return outer

    def view(*arguments):
        return ""

    class Callable:
        def __call__(self):
            return ""

    class Page(MethodView):
        def get(self):
            return ""

    views = {"plain": view, "wrapped": decorated(view), "partial": partial(view, 1), "object": Callable()}
    for name, each in views.items():
        app.add_url_rule(f"/{name}", name, each)
    app.add_url_rule("/page", view_func=Page.as_view("page"))
    found = json.loads(invoke(FlaskGroup(create_app=lambda: app), "routes", "--json").output)
    lines = {each["endpoint"]: each["line"] for each in found}

    assert lines["static"] is None
    assert lines["plain"] == lines["wrapped"] == lines["partial"] == view.__code__.co_firstlineno
    assert lines["plain"] < lines["object"] < lines["page"]


def test_a_narrow_terminal_gets_blocks(routes, environ, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")

    lines = routes().output.splitlines()

    assert "Rule: /items/<int:number>" in lines
    assert "Methods: GET" in lines


def test_a_wide_terminal_gets_a_table(routes, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")

    assert routes().output.splitlines()[0].split() == ["Endpoint", "Methods", "Rule", "View"]


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours(app, monkeypatch, no_color, coloured):
    from click.testing import CliRunner

    monkeypatch.setenv("NO_COLOR", no_color)
    result = CliRunner().invoke(FlaskGroup(create_app=lambda: app), ["routes", "--match", "/items/3"], color=True)

    assert ("\x1b[" in result.output) is coloured
