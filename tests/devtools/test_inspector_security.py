"""Access to the inspector, and the secrets that it never records."""

import json
import pickle

import pytest

from costrel import Costrel, g, request, session
from costrel.app.application import Flask
from costrel.devtools import pin
from costrel.devtools.inspector.hiding import REPLACED
from costrel.testing.client import EnvironBuilder

from .inspecting import REQUESTS, SAME_ORIGIN, get, newest, replay, token_of, unlocked, urlencoded

SECRET = "correct-horse-battery"


@pytest.fixture
def app(profile):
    app = profile("shop", static_folder=None)
    app.debug = True
    app.config["SECRET_KEY"] = "a-very-long-secret-key-of-this-shop"
    app.calls = []

    @app.route("/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
    def anything(path):
        app.calls.append(path)
        return f"page {path}"

    return app


@pytest.fixture
def recorded(development):
    """An application with one record, of a DELETE."""
    get(development, "/orders/1", method="DELETE")
    return development


PAGES = ["", "/1", "/1/replay"]
METHODS = {"": "GET", "/1": "GET", "/1/replay": "POST"}


def ask(development, page, **more):
    """The response to a request that would be answered, but for `more`."""
    form = urlencoded({"token": token_of(development), "confirmed": "yes"}) if METHODS[page] == "POST" else {}
    headers = {**form.pop("headers", {}), **unlocked(development), **SAME_ORIGIN, **more.pop("headers", {})}
    return get(development, REQUESTS + page, method=METHODS[page], headers=headers, **form, **more)


# -- who may see it


@pytest.mark.parametrize("profile", [Costrel, Flask], ids=["native", "flask"])
@pytest.mark.parametrize("page", PAGES)
def test_this_computer_with_the_pin_may_use_it(recorded, page):
    assert ask(recorded, page).status in (200, 303)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "localhost@evil"]
)
def test_another_host_is_refused(app, recorded, page, host):
    got = ask(recorded, page, headers={"host": host})
    assert (400, False) == (got.status, "orders/1" in got.text)
    assert ["orders/1"] == app.calls


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("client", [("192.168.0.7", 4000), ("::ffff:10.0.0.1", 1), ("", 0), None])
def test_another_computer_is_refused(app, recorded, page, client):
    assert 400 == ask(recorded, page, client=client).status
    assert ["orders/1"] == app.calls


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Forwarded", "for=127.0.0.1"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-For", ""),
        ("X-Forwarded-Host", "localhost"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Port", "5000"),
        ("X-Forwarded-Prefix", "/"),
        ("X-Forwarded-Whatever", "1"),
        ("X_Forwarded_For", "127.0.0.1"),
        ("Via", "1.1 proxy"),
        ("X-Real-IP", "127.0.0.1"),
    ],
)
def test_a_request_that_a_proxy_has_passed_on_is_refused(app, recorded, page, name, value):
    got = ask(recorded, page, headers={name: value})
    assert (400, False) == (got.status, "orders/1" in got.text)
    without_pin = get(recorded, REQUESTS, headers={name: value})
    assert (400, False) == (without_pin.status, "data-secret" in without_pin.text)
    assert ["orders/1"] == app.calls


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_a_page_of_another_site_is_refused(app, recorded, page, site):
    assert 400 == ask(recorded, page, headers={"sec-fetch-site": site}).status
    assert ["orders/1"] == app.calls


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "{name}=",
        "{name}=1|2",
        "{name}={now}|" + "0" * 64,
        "{name}={other}",
        "other={ticket}",
    ],
)
@pytest.mark.parametrize("page", PAGES)
def test_without_the_pin_nothing_is_shown(app, recorded, page, cookie):
    debugger = recorded.debugger
    ticket = pin.make_ticket(debugger.pin)
    names = {"name": debugger.pin_cookie_name, "ticket": ticket, "other": pin.make_ticket("12")}
    sent = cookie.format(**names, now=ticket.partition("|")[0])
    got = ask(recorded, page, headers={"cookie": sent})
    assert ((403 if page != "/1/replay" else 400), False) == (got.status, "orders/1" in got.text)
    assert "token" not in got.text.replace("_SECRET_TOKEN", "")[: got.text.find("<script")]
    assert ["orders/1"] == app.calls


def test_a_pin_that_is_turned_off_leaves_the_other_gates(recorded):
    recorded.debugger.pin = None
    assert 200 == get(recorded, REQUESTS).status
    assert 400 == get(recorded, REQUESTS, headers={"host": "evil.example"}).status
    assert 400 == get(recorded, REQUESTS, headers={"via": "1.1 proxy"}).status


def test_the_page_for_the_pin_shows_no_request_and_no_token(recorded):
    got = get(recorded, REQUESTS)
    assert (403, False, False) == (got.status, "orders/1" in got.text, 'name="token"' in got.text)


def test_several_processes_have_no_inspector(recorded):
    recorded.debugger.evalex = False
    assert 400 == ask(recorded, "").status


# -- replay


def test_a_replay_needs_the_token(app, recorded):
    for token in ("", "x", recorded.debugger.secret, "é"):
        form = urlencoded({"token": token, "confirmed": "yes"})
        headers = {**form["headers"], **unlocked(recorded), **SAME_ORIGIN}
        got = get(recorded, f"{REQUESTS}/1/replay", method="POST", headers=headers, body=form["body"])
        assert 400 == got.status
    assert ["orders/1"] == app.calls


@pytest.mark.parametrize(
    "origin",
    [
        {},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:5001"},
        {"origin": "https://localhost:5000"},
        {"origin": "http://localhost:5000", "sec-fetch-site": "cross-site"},
        {"origin": "http://evil.example", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_a_replay_needs_a_form_of_the_same_origin(app, recorded, origin):
    assert 400 == replay(recorded, headers=origin, confirmed="yes").status
    assert ["orders/1"] == app.calls


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_a_replay_needs_a_post(app, recorded, method):
    query = f"token={token_of(recorded)}&confirmed=yes"
    headers = {**unlocked(recorded), **SAME_ORIGIN}
    got = get(recorded, f"{REQUESTS}/1/replay", method=method, query=query, headers=headers)
    assert 405 == got.status
    assert ["orders/1"] == app.calls


@pytest.mark.parametrize("confirmed", ["", "no", "true"])
def test_an_unsafe_method_needs_the_confirmation(app, recorded, confirmed):
    assert 200 == replay(recorded, confirmed=confirmed).status
    assert ["orders/1"] == app.calls
    assert 303 == replay(recorded, confirmed="yes").status
    assert ["orders/1"] * 2 == app.calls


# -- secrets


def everything(development) -> str:
    """All that the inspector keeps, and shows."""
    records = development.inspector.records.all()
    kept = pickle.dumps([vars(record) for record in records])
    return repr([vars(record) for record in records]) + kept.decode("latin-1") + newest(development).text


def is_hidden(development, secret: str = SECRET) -> bool:
    assert development.inspector.records.newest
    return secret not in everything(development)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "user[password]",
        "new_password2",
        "api_key",
        "access_token",
        "csrf_token",
        "client_secret",
        "pass%77ord",
    ],
)
def test_a_secret_in_the_query_is_replaced(development, name):
    get(development, "/login", query=f"next=/&{name}={SECRET}")
    assert is_hidden(development)
    assert "next=/" in development.inspector.records.all()[0].query


@pytest.mark.parametrize("name", ["password", "Passwort-password", "pin", "token", "card[api-key]"])
def test_a_secret_in_a_form_is_replaced(development, name):
    get(development, "/login", method="POST", **urlencoded({"name": "Ada", name: SECRET}))
    assert is_hidden(development)
    assert [("name", "Ada"), (name, REPLACED)] == development.inspector.records.all()[0].fields
    environ = EnvironBuilder(method="POST", data={"name": "Ada", name: SECRET}, content_type="multipart/form-data")
    sent = environ.get_environ()
    headers = {"content-type": sent["CONTENT_TYPE"]}
    get(development, "/login", method="POST", headers=headers, body=sent["wsgi.input"].read())
    assert is_hidden(development)


@pytest.mark.parametrize(
    "value",
    [
        {"password": SECRET},
        {"user": [{"name": "Ada", "auth": {"token": SECRET, "list": [SECRET]}}]},
        {"secrets": [{"deep": SECRET}]},
        {"fields": [{"name": "password", "value": SECRET}]},
        {"query": f'mutation {{ login(password: "{SECRET}") }}'},
        {"password": SECRET, "copy": f"it was {SECRET}"},
        [{"api_key": SECRET}],
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "application/problem+json", "text/plain", ""])
def test_a_secret_in_json_is_replaced_whatever_its_media_type(development, value, kind):
    body = json.dumps(value).encode()
    get(development, "/login", method="POST", headers={"content-type": kind}, body=body)
    assert is_hidden(development)


@pytest.mark.parametrize(
    "text", [f"password={SECRET}", f"<login><password>{SECRET}</password></login>", f"token: '{SECRET}'"]
)
def test_a_secret_in_other_text_is_replaced(development, text):
    get(development, "/login", method="POST", headers={"content-type": "text/xml"}, body=text.encode())
    assert is_hidden(development)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {SECRET}"},
        {"authorization": SECRET},
        {"proxy-authorization": f"Basic {SECRET}"},
        {"cookie": f"session={SECRET}; other={SECRET}"},
        {"cookie": SECRET},
        {"x-api-key": SECRET},
        {"x-auth-token": SECRET},
        {"x-csrf-token": SECRET},
        {"referer": f"http://localhost:5000/login?token={SECRET}"},
        {"x-debug": f"Bearer {SECRET}"},
    ],
)
def test_a_secret_in_a_header_is_replaced(development, headers):
    get(development, "/login", headers=headers)
    assert is_hidden(development)


def test_a_part_of_an_authorization_is_not_found_elsewhere_either(development):
    get(development, f"/users/{SECRET}", headers={"authorization": f"Bearer {SECRET}"})
    assert is_hidden(development)


def test_a_secret_of_the_session_of_g_or_of_the_view_is_replaced(app, development):
    @app.get("/reset/<token>")
    def reset(token):
        session["reset_token"] = SECRET
        session["note"] = f"for {SECRET}"
        g.api_key = SECRET
        g.visitor = f"Ada with {SECRET}"
        app.logger.warning("Reset by %s", SECRET)
        return "sent"

    get(development, f"/reset/{SECRET}-2")
    assert is_hidden(development)
    assert "Reset by" in everything(development)


def test_a_secret_in_a_response_is_replaced(app, development):
    @app.get("/login")
    def login():
        response = app.make_response("in")
        response.set_cookie("session_of_ada", SECRET, httponly=True)
        response.location = f"/welcome?access_token={SECRET}-2"
        return response

    get(development, "/login")
    assert is_hidden(development)
    cookies = [
        value for name, value in development.inspector.records.all()[0].response_headers if "cookie" in name.lower()
    ]
    assert [f"session_of_ada={REPLACED}; HttpOnly; Path=/"] == cookies


@pytest.mark.parametrize("path", ["quoted", "logged", "raised"])
def test_a_secret_of_a_form_is_replaced_wherever_the_application_writes_it(app, development, path, capsys):
    @app.post("/write/<path>")
    def write(path):
        given = request.form["password"]
        if path == "raised":
            raise ValueError(f"wrong: {given}")
        app.logger.warning("Login with %r" if path == "quoted" else "Login with %s", given)
        return "written"

    get(development, f"/write/{path}", method="POST", **urlencoded({"password": SECRET}))
    assert is_hidden(development)


def test_the_secrets_of_the_settings_are_replaced(app, development):
    @app.get("/key")
    def key():
        app.logger.warning("The key is %s", app.config["SECRET_KEY"])
        return ""

    get(development, "/key")
    assert is_hidden(development, app.config["SECRET_KEY"])


def test_no_copy_and_no_replay_has_a_secret(app, development):
    seen = []

    @app.post("/login")
    def login():
        seen.append((request.form["password"], request.headers.get("Authorization"), dict(request.cookies)))
        return "in"

    form = urlencoded({"password": SECRET})
    headers = {**form["headers"], "authorization": f"Bearer {SECRET}", "cookie": f"session={SECRET}"}
    get(development, "/login", method="POST", headers=headers, body=form["body"])
    assert SECRET not in newest(development).text
    replay(development, confirmed="yes")
    assert (REPLACED, None, {}) == seen[1]
