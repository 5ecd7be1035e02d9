"""The two profiles: each setting that differs has its effect alone under Flask's name, and so in the strict one."""

import io
import os
import warnings

import pytest

from costrel import Costrel, redirect, request, session, websocket
from costrel.app import profiles
from costrel.app.application import Flask
from costrel.app.start_checks import WrongSetting
from costrel.testing.websocket import WebSocketRefused

EVIL = {"Origin": "https://evil.example"}


@pytest.fixture
def make(tmp_path):
    static = tmp_path / "static"
    static.mkdir()
    (static / ".hidden").write_text("hidden")
    (tmp_path / "outside.txt").write_text("outside")
    (static / "link.txt").symlink_to(tmp_path / "outside.txt")

    def application(cls, **settings):
        app = cls("profiles", root_path=str(tmp_path))
        app.config.from_mapping({"SECRET_KEY": "k" * 32, **settings})
        add_views(app)
        return app

    return application


def add_views(app):
    app.add_url_rule("/", "index", lambda: "index", methods=["GET", "POST"])
    app.add_url_rule("/text", "text", lambda: "text " * 1_000)
    app.add_url_rule("/set/<int:size>", "set", lambda size: session.update(a=os.urandom(size).hex()) or "set")
    app.add_url_rule("/json", "json", lambda: str(request.json)[:9], methods=["POST"])
    app.add_url_rule("/form", "form", lambda: str(len(request.files)), methods=["POST"])
    app.add_url_rule("/query", "query", lambda: str(len(request.args)))
    app.add_url_rule("/away", "away", lambda: redirect("data:text/plain,x"))
    app.add_url_rule("/who", "who", lambda: str(request.headers.get("X-Forwarded-For")))
    app.add_url_rule("/body", "body", lambda: str(len(request.get_data())), methods=["POST"])

    @app.websocket("/ws")
    async def ws():
        await websocket.accept()


def ask(app, path="/", method="GET", **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = app.test_client().open(path, method=method, **options)
        answer.get_data()
    answer.close()
    return answer


def status(path, method="GET", **options):
    return lambda app: ask(app, path, method, **options).status_code


def posted(path, size):
    return lambda app: ask(app, path, "POST", data=b"x" * size, headers={"Sec-Fetch-Site": "none"}).status_code


def cookie(part):
    return lambda app: part in ask(app, "/set/1", base_url="https://example.org").headers["Set-Cookie"]


def header(name, path="/"):
    return lambda app: ask(app, path).headers.get(name)


def json(text):
    return status("/json", "POST", data=text, content_type="application/json")


def files(app):
    return ask(app, "/form", "POST", data={f"f{n}": (io.BytesIO(b"x"), "x.txt") for n in range(101)}).status_code


def many_fields(app):
    return ask(app, "/form", "POST", data={f"f{n}": "" for n in range(1_001)}).status_code


def with_short_key(app):
    app.config["SECRET_KEY"] = "short"
    return ask(app, "/set/1").status_code


def starts_with_a_wrong_limit(app):
    app.config["MAX_QUERY_PARAMS"] = "many"
    try:
        app.try_settings()
    except WrongSetting:
        return False
    return True


def opens(app):
    try:
        with app.test_client().websocket("/ws", headers=EVIL):
            return True
    except WebSocketRefused:
        return False


def without_host(app):
    """The status of an HTTP/1.1 request whose server found no host."""
    return ask(app, environ_overrides={"HTTP_HOST": "", "SERVER_PROTOCOL": "HTTP/1.1"}).status_code


def coding(app):
    return ask(app, "/text", headers={"Accept-Encoding": "gzip"}).headers.get("Content-Encoding")


EFFECTS = {
    "COMPRESS": coding,
    "CONTENT_SECURITY_POLICY": header("Content-Security-Policy"),
    "CSRF_PROTECTION": status("/", "POST", headers=EVIL),
    "ERROR_FORMAT": lambda app: ask(app, "/none").content_type,
    "HOST_REQUIRED": without_host,
    "JSON_ALLOW_NAN": json("[NaN]"),
    "JSON_ALLOW_SURROGATES": json('["\\ud800"]'),
    "JSON_MAX_DEPTH": json("[" * 201 + "]" * 201),
    "LIMIT_URLENCODED_FIELDS": many_fields,
    "MAX_CONTENT_LENGTH": posted("/body", 16 * 1024 * 1024 + 1),
    "MAX_FORM_FILES": files,
    "MAX_QUERY_PARAMS": status("/query?" + "a&" * 1_001),
    "METHOD_CASE_SENSITIVE": status("/", "get"),
    "REDIRECT_SCHEMES": status("/away"),
    "REFUSE_WRONG_SETTINGS": starts_with_a_wrong_limit,
    "SECRET_KEY_MIN_BYTES": with_short_key,
    "SECURITY_HEADERS": header("X-Content-Type-Options"),
    "SESSION_CACHE_PRIVATE": header("Cache-Control", "/set/1"),
    "SESSION_COOKIE_SAMESITE": cookie("SameSite=Lax"),
    "SESSION_COOKIE_SECURE": cookie("Secure"),
    "SESSION_COOKIE_STRICT_SIZE": status("/set/4000"),
    "STATIC_DOTFILES": status("/static/.hidden"),
    "STATIC_FOLLOW_SYMLINKS": status("/static/link.txt"),
    "STATIC_HASHED": header("Cache-Control", "/static/missing.txt"),
    "TEMPLATES_STRICT_ESCAPE": lambda app: ask(app) and app.select_jinja_autoescape("page.html.j2"),
    "STRICT_URLS": status("/set/\u0661"),
    "TRUSTED_PROXIES": lambda app: ask(app, "/who", headers={"X-Forwarded-For": "6.6.6.6"}).text,
    "WEBSOCKET_ALLOWED_ORIGINS": opens,
}


OF_OTHER_TESTS = {"SESSION_STORE", "MAX_RESPONSE_MEMORY_SIZE"}
"""Their effects are tested in tests/sessions, and with slow clients in tests/edges/test_unsent.py."""


def test_each_that_differs_is_here():
    differing = {name for name, value in profiles.NATIVE.items() if profiles.FLASK.get(name) != value}
    assert differing == {*EFFECTS, *OF_OTHER_TESTS}
    assert profiles.NATIVE.keys() >= profiles.FLASK.keys()


@pytest.mark.parametrize("name", EFFECTS)
def test_it_has_its_effect_alone_and_in_the_strict_profile(name, make):
    effect = EFFECTS[name]
    native, flask = effect(make(Costrel)), effect(make(Flask))
    alone = effect(make(Flask, **{name: profiles.NATIVE[name]}))
    strict = effect(make(Flask, SECURITY_PROFILE="strict"))
    assert native == alone == strict != flask


OFF = {
    "JSON_ALLOW_NAN": True,
    "JSON_ALLOW_SURROGATES": True,
    "SECRET_KEY_MIN_BYTES": 0,
    "STATIC_DOTFILES": True,
    "STATIC_FOLLOW_SYMLINKS": True,
    "STATIC_HASHED": False,
}
"""What stands for a setting that Flask has not, where that is not None."""


@pytest.mark.parametrize("name", EFFECTS)
def test_it_can_be_switched_off_natively(name, make):
    app = make(Costrel, **{name: profiles.FLASK.get(name, OFF.get(name))})
    if name != "CSRF_PROTECTION":
        app.config["CSRF_EXEMPT"] = ["index", "json", "form", "body"]
    assert EFFECTS[name](make(Flask)) == EFFECTS[name](app)
