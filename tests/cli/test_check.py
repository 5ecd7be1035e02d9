"""`costrel check`."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from costrel import Costrel, rate_limit
from costrel.app.application import Flask
from costrel.audit import audit
from costrel.cli import FlaskGroup
from costrel.routing import BaseConverter
from costrel.services.settings import SETTINGS

KEY = "0123456789abcdef" * 2  # as a whole it stands in no file of the repository


@pytest.fixture(autouse=True)
def no_extension_is_imported(monkeypatch):
    """The audit looks whether extensions are there: other tests may have loaded their commands."""
    for name in ("flask_cors", "flask_limiter"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def make(cls=Costrel, **settings):
    app = cls("shop", static_folder=None, root_path=settings.pop("root_path", None))
    app.config.from_mapping({"SECRET_KEY": KEY, "TRUSTED_HOSTS": ["example.org"], **settings})
    return app


def places(app):
    return [finding.place for finding in audit(app)]


def test_a_native_application_needs_a_key_and_its_hosts():
    assert ["SECRET_KEY", "TRUSTED_HOSTS"] == places(Costrel("shop", static_folder=None))
    assert [] == places(make())


def test_so_does_a_strict_one():
    assert [] == places(make(Flask, SECURITY_PROFILE="strict"))


def test_what_flask_leaves_open():
    expected = ["SESSION_COOKIE_SECURE", "SESSION_COOKIE_SAMESITE", "CSRF_PROTECTION", "SECURITY_HEADERS"]
    expected += ["CONTENT_SECURITY_POLICY", "MAX_CONTENT_LENGTH", "HOST_REQUIRED", "REDIRECT_SCHEMES"]
    assert expected == places(make(Flask))


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"DEBUG": True}, "DEBUG"),
        ({"TESTING": True}, "TESTING"),
        ({"SECRET_KEY": "Super-Secret key!"}, "SECRET_KEY"),
        ({"SECRET_KEY": b"k" * 31}, "SECRET_KEY"),
        ({"SESSION_COOKIE_HTTPONLY": False}, "SESSION_COOKIE_HTTPONLY"),
        ({"SESSION_COOKIE_NAME": "__Host-session"}, "SESSION_COOKIE_NAME"),
        ({"SESSION_COOKIE_SAMESITE": "None"}, "SESSION_COOKIE_SAMESITE"),
    ],
)
def test_one_weak_setting(settings, place):
    assert [place] == places(make(**settings))


def test_a_misspelt_setting():
    (finding,) = audit(make(SECRECT_KEY="x", SHOP_NAME="Bottles"))
    assert ("SECRECT_KEY", "Did you mean SECRET_KEY?") == (finding.place, finding.remedy)


def test_routes_that_shadow_each_other():
    app = make()
    app.add_url_rule("/<name>", "page")
    app.add_url_rule("/<other>", "never")
    app.add_url_rule("/<other>", "post", methods=["POST"])
    app.add_url_rule("/<int:number>", "number")
    app.add_url_rule("/<name>", "page")
    (finding,) = audit(app)
    assert "GET never reaches 'never': 'page' has the rule '/<name>'." == finding.problem


class Rx(BaseConverter):
    def __init__(self, map, regex):
        super().__init__(map)
        self.regex = regex


def test_mounts_without_a_guard():
    async def other(scope, receive, send):
        pass

    app = make()
    app.mount("/admin", other)
    app.mount("/guarded", other, guard=lambda view: view)
    app.mount("/public", other)
    app.config["CHECK_IGNORE"] = ["/public"]
    (finding,) = audit(app)
    assert (finding.place, finding.is_hint) == ("/admin", False)
    assert "An application is mounted here without a guard: every client can reach it." == finding.problem


def test_rules_that_a_strict_application_would_match_otherwise():
    app = make()
    assert app.url_map.strict
    app.config["STRICT_URLS"] = app.url_map.strict = False
    app.url_map.converters["rx"] = Rx
    app.add_url_rule("/wiki/<rx('[^:]+'):title>", "wiki")
    app.add_url_rule("/tag/<rx('[a-z]+'):tag>", "tag")
    app.add_url_rule("/<path:p>/<n>", "page")
    app.add_url_rule("/<n>/stats", "stats")
    slashed, order = audit(app)
    assert slashed.problem.startswith("'wiki' is a 404 for each path with a slash in 'title', which the regex '[^:]+'")
    assert order.problem.startswith("'page' answers paths that also match '/<n>/stats' of 'stats', which goes first")
    app.url_map.strict = True
    assert audit(app) == []


def test_templates_without_escaping(tmp_path):
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "off.html").write_text("{%- autoescape false %}{{ x }}{% endautoescape %}")
    (folder / "page.j2").write_text("<div>{{ x }}</div>")
    (folder / "mail.txt").write_text("Dear {{ x }}")
    (folder / "good.html").write_text("<div>{{ x }}</div>")
    (folder / "picture.png").write_bytes(b"\xff\xfe")
    assert ["off.html", "page.j2"] == places(make(root_path=str(tmp_path)))


def test_a_key_in_the_repository(tmp_path):
    (tmp_path / "settings.py").write_text(f"SECRET_KEY = {KEY!r}\n")
    (tmp_path / "untracked.py").write_text(f"SECRET_KEY = {KEY!r}\n")
    for command in (["init", "-q"], ["add", "settings.py"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (finding,) = audit(make(root_path=str(tmp_path)))
    assert "it is in settings.py, which Git tracks." == finding.problem


def test_old_keys_are_looked_at_too():
    app = make(SECRET_KEY_FALLBACKS=["dev", "k" * 31, b"k" * 32])
    problems = [(finding.place, finding.problem[:26]) for finding in audit(app)]
    assert [
        ("SECRET_KEY_FALLBACKS", "it is a well-known value, "),
        ("SECRET_KEY_FALLBACKS", "it has 31 bytes; a key of "),
    ] == problems


@pytest.mark.parametrize(
    ("settings", "place", "problem"),
    [
        ({"CORS_POLICY": "*"}, "CORS_POLICY", "scripts on any site may read every response."),
        (
            {"CORS_POLICY": "http://a.example"},
            "CORS_POLICY",
            "http://a.example is not encrypted: anyone on the network path can pretend to be that site",
        ),
        ({"CORS_POLICY": "a.example"}, "CORS_POLICY", "no request can be answered: CORS_POLICY: 'a.example' in a"),
        ({"RATE_LIMITS": "5/minute"}, "RATE_LIMIT_STORAGE", "each worker counts by itself, so that several workers"),
        (
            {"RATE_LIMITS": "5/eon"},
            "RATE_LIMITS",
            "no request can be answered: RATE_LIMITS: '5/eon' is not a rate limit",
        ),
        (
            {"TRUSTED_PROXIES": "x"},
            "TRUSTED_PROXIES",
            "no request can be answered: TRUSTED_PROXIES has an invalid address: 'x' does not appear to be",
        ),
        ({"CONTENT_SECURITY_POLICY": "img-scr *"}, "CONTENT_SECURITY_POLICY", "there is no directive 'img-scr'."),
        ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS", "it is for flask_cors, which is not imported."),
        ({"RATELIMIT_DEFAULT": "1/day"}, "RATELIMIT_DEFAULT", "it is for flask_limiter, which is not imported."),
        ({"SECRET_KEY": None}, "SECRET_KEY", "it is not set"),
    ],
)
def test_one_setting_and_what_is_said_of_it(settings, place, problem):
    (finding,) = audit(make(**settings))
    assert place == finding.place
    assert finding.problem.startswith(problem)
    assert not finding.is_hint


def test_a_setting_that_stops_every_request_may_be_taken_out():
    (finding,) = audit(make(RATE_LIMITS="5/eon"))
    assert finding.remedy == "Correct it, or take it out: the default works."


def test_what_was_chosen_knowingly_is_fine():
    local = ["https://*.shop.example", "http://localhost:5173", "http://127.0.0.1:80", "http://[::1]:80"]
    assert [] == places(make(CORS_POLICY=local, RATE_LIMITS="5/minute", RATE_LIMIT_STORAGE="memory://"))


def test_settings_of_extensions_that_are_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "flask_limiter", sys)
    assert [] == places(make(RATELIMIT_DEFAULT="1/day", RATELIMIT_STRATEGY="fixed-window"))


def test_a_login_without_a_limit_is_a_hint(invoke):
    app = make(RATE_LIMIT_STORAGE="memory://")
    app.add_url_rule("/log-in", "enter", lambda: "form", methods=["GET", "POST"])
    app.add_url_rule("/author", "author", lambda: "author", methods=["POST"])
    app.add_url_rule("/login", "shown", lambda: "form")
    app.add_url_rule("/signin", "limited", rate_limit("5/minute")(lambda: "form"), methods=["POST"])
    (finding,) = audit(app)
    assert ("enter", True) == (finding.place, finding.is_hint)
    told = run(invoke, app, "--deploy")
    assert 0 == told.exit_code
    assert told.output.startswith("Hint: enter: the number of login attempts is not limited.\n")


def run(invoke, app, *arguments):
    return invoke(FlaskGroup(create_app=lambda: app), "check", *arguments)


def test_the_command_tells_and_fails_only_before_a_deployment(invoke):
    app = make(SESSION_COOKIE_HTTPONLY=False)
    told = run(invoke, app)
    assert 0 == told.exit_code
    assert (
        "SESSION_COOKIE_HTTPONLY: scripts can read the session cookie.\n    Set it to True.\n\n1 found.\n"
        == told.output
    )
    assert 1 == run(invoke, app, "--deploy").exit_code


def test_it_is_content(invoke):
    result = run(invoke, make(), "--deploy")
    assert (0, "No weaknesses found.\n") == (result.exit_code, result.output)


def test_an_applications_own_command_of_that_name_wins(invoke):
    app = make()
    app.cli.command("check")(lambda: click.echo("mine"))
    assert "mine\n" == run(invoke, app).output


def test_every_setting_is_known():
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE))
    assert documented == SETTINGS.keys()
