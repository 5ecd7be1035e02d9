"""Signing users in and out, in every store: the session is renewed, and the CSRF token with it."""

from uuid import UUID

import pytest
from msgspec import Struct

from costrel import Bearer, Costrel, SessionCookie, current_principal, login_user, logout_user, request, session
from costrel.app.application import Flask
from costrel.guards.csrf import csrf_token

from .conftest import IN_COOKIES, KEY, ON_SERVER


class User(Struct):
    id: int
    name: str


USERS = {1: User(1, "Ada"), 2: User(2, "Bob")}
TOKEN = {"Authorization": "Bearer ada-token"}


def load(user_id: int) -> User | None:
    return USERS.get(user_id)


async def load_async(user_id: int) -> User | None:
    return USERS.get(user_id)


def add_login(app, load=load):
    app.auth_schemes["session"] = SessionCookie(load=load)

    @app.post("/sign-in/<int:user_id>")
    def sign_in(user_id):
        login_user(USERS[user_id])
        return current_principal(User).name

    @app.post("/sign-out")
    def sign_out():
        logout_user()
        return str(current_principal())

    @app.get("/me", security=["session"])
    def me():
        return current_principal(User).name

    return app


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
@pytest.mark.parametrize("load", [load, load_async])
@pytest.mark.parametrize("store", [*IN_COOKIES, *ON_SERVER])
def test_a_user_signs_in_and_out(make_app, store, load, edge):
    client = add_login(make_app(store), load).test_client(edge=edge)

    refused = client.get("/me")
    assert (401, 'Cookie realm="session"') == (refused.status_code, refused.headers["WWW-Authenticate"])
    assert "Ada" == client.post("/sign-in/1").text
    assert "Ada" == client.get("/me").text
    assert "None" == client.post("/sign-out").text
    assert 401 == client.get("/me").status_code
    assert {} == client.get("/all").json


@pytest.mark.parametrize("store", ON_SERVER)
def test_a_planted_session_is_not_signed_in(make_app, store):
    app = add_login(make_app(store))
    client, attacker = app.test_client(), app.test_client()
    attacker.post("/set/cart/7")
    planted = attacker.get_cookie("session").value
    client.set_cookie("session", planted)

    client.post("/sign-in/1")

    assert planted != client.get_cookie("session").value
    assert ("Ada", "7") == (client.get("/me").text, client.get("/all").json["cart"])
    attacker.set_cookie("session", planted)
    assert 401 == attacker.get("/me").status_code


@pytest.mark.parametrize("store", ON_SERVER)
def test_a_cookie_from_before_the_logout_is_void(make_app, store):
    app = add_login(make_app(store))
    client = app.test_client()
    client.post("/sign-in/1")
    kept = client.get_cookie("session").value
    client.post("/sign-out")
    client.set_cookie("session", kept)

    assert 401 == client.get("/me").status_code


@pytest.mark.parametrize("store", [*IN_COOKIES, *ON_SERVER])
def test_another_user_gets_nothing_of_the_one_before(make_app, store):
    client = add_login(make_app(store)).test_client()
    client.post("/sign-in/1")
    client.post("/set/cart/7")

    client.post("/sign-in/1")
    assert "7" == client.get("/all").json["cart"]
    assert "Bob" == client.post("/sign-in/2").text
    assert "cart" not in client.get("/all").json
    assert "Bob" == client.get("/me").text


@pytest.mark.parametrize("store", ON_SERVER)
def test_the_sessions_of_a_user_are_listed_and_revoked(make_app, store):
    app = add_login(make_app(store))
    client = app.test_client()
    client.post("/sign-in/1")

    assert [("1",)] == [(each.user,) for each in app.session_interface.sessions_of(1)]
    assert 1 == app.session_interface.revoke_all(1)
    assert 401 == client.get("/me").status_code


@pytest.mark.parametrize("store", [None, *IN_COOKIES, *ON_SERVER])
def test_the_csrf_token_is_renewed(make_app, store):
    app = add_login(make_app(store, CSRF_PROTECTION=True))
    seen = []

    @app.get("/token")
    def token():
        csrf_token()
        seen.append(session["_csrf_secret"])
        return csrf_token()

    client = app.test_client()
    client.get("/token")
    client.post("/sign-in/1")
    client.get("/token")
    assert seen[0] != seen[1]


def test_flasks_own_sessions_sign_in(make_app):
    client = add_login(make_app(None, Flask)).test_client()
    client.post("/set/cart/7")

    client.post("/sign-in/1")
    assert ("Ada", "7") == (client.get("/me").text, client.get("/all").json["cart"])
    client.post("/sign-out")
    assert 401 == client.get("/me").status_code
    assert client.get_cookie("session") is None


def test_a_session_of_another_library_is_regenerated():
    app = add_login(Flask("shop"))
    app.secret_key = KEY
    log = []
    interface = type(app.session_interface)

    class Regenerating(interface):
        def regenerate(self, session):
            log.append("regenerated")

    app.session_interface = Regenerating()
    client = app.test_client()
    client.post("/sign-in/1")
    client.post("/sign-out")
    assert ["regenerated"] * 2 == log


@pytest.mark.parametrize("store", [*IN_COOKIES, *ON_SERVER])
def test_a_user_who_is_gone_is_signed_out(make_app, store, monkeypatch):
    client = add_login(make_app(store)).test_client()
    client.post("/sign-in/1")
    monkeypatch.delitem(USERS, 1)
    assert 401 == client.get("/me").status_code


class WithGetId:
    def get_id(self):
        return "ada"


class Named(Struct):
    name: str


@pytest.mark.parametrize(
    ("principal", "identify", "identifier"),
    [
        (User(7, "Eve"), None, 7),
        ("ada", None, "ada"),
        (UUID(int=5), None, UUID(int=5)),
        (WithGetId(), None, "ada"),
        (Named("Ada"), lambda each: each.name, "Ada"),
    ],
)
@pytest.mark.parametrize("store", ["cookie", "memory"])
def test_a_principal_is_loaded_by_its_identifier(make_app, store, principal, identify, identifier):
    app = make_app(store)
    loaded = []
    app.auth_schemes["session"] = SessionCookie(load=lambda each: loaded.append(each) or each, identify=identify)

    @app.post("/sign-in")
    def sign_admin_in():
        login_user(principal)
        return ""

    app.add_url_rule("/me", "me", lambda: "me", security="session")
    client = app.test_client()
    client.post("/sign-in")

    assert "me" == client.get("/me").text
    assert [identifier] == loaded


def test_a_principal_without_an_identifier_is_an_error(make_app):
    app = add_login(make_app("cookie"))
    with app.test_request_context("/"), pytest.raises(TypeError, match="identify=lambda user"):
        login_user(Named("Ada"))
    app.auth_schemes["session"] = SessionCookie(load=load, identify=lambda each: True)
    with app.test_request_context("/"), pytest.raises(TypeError, match="whose identifier is True"):
        login_user(Named("Ada"))


def test_login_needs_a_scheme_and_a_key(make_app):
    app = make_app("cookie")
    with app.test_request_context("/"), pytest.raises(RuntimeError, match="SessionCookie"):
        login_user(USERS[1])
    app = add_login(Costrel("shop"))
    with app.test_request_context("/"), pytest.raises(RuntimeError, match="secret key"):
        login_user(USERS[1])
    with app.test_request_context("/"):
        logout_user()


def test_several_session_schemes_are_told_apart(make_app):
    class Admin(Struct):
        id: int

    def load_admin(admin_id: int) -> Admin | None:
        return Admin(admin_id)

    app = add_login(make_app("memory"))
    app.auth_schemes["admin"] = SessionCookie(load=load_admin)

    @app.post("/admin")
    def sign_admin_in():
        login_user(Admin(5))
        return ""

    @app.get("/who", security=[("admin", "session")])
    def who():
        return f"{current_principal(Admin).id} {current_principal(User).name}"

    client = app.test_client()
    client.post("/admin")
    assert 401 == client.get("/who").status_code
    client.post("/sign-in/1")
    assert "5 Ada" == client.get("/who").text
    with app.test_request_context("/"), pytest.raises(RuntimeError, match="pass scheme="):
        login_user("ada")


def test_a_login_may_be_permanent(make_app):
    app = make_app("cookie")
    app.auth_schemes["session"] = SessionCookie(load=load)

    @app.post("/sign-in")
    def sign_admin_in():
        login_user(USERS[1], permanent=True)
        return ""

    assert "Expires=" in app.test_client().post("/sign-in").headers["Set-Cookie"]


# -- CSRF


@pytest.fixture
def guarded(make_app):
    """An application that requires CSRF tokens, with views of three kinds of security."""
    app = add_login(make_app("memory", CSRF_PROTECTION=True, CSRF_REQUIRE_TOKEN=True))
    app.config["CSRF_EXEMPT"] = ["sign_in"]
    app.auth_schemes["bearer"] = Bearer(verify={"ada-token": USERS[1]}.get, provides=User)
    app.get("/token")(lambda: csrf_token())
    app.post("/api", security=["bearer"], endpoint="api")(lambda: "done")
    app.post("/page", security=["session"], endpoint="page")(lambda: "done")
    app.post("/both", security=["bearer", "session"], endpoint="both")(lambda: "done")

    @app.post("/open")
    def opened(user: User | None) -> str:
        return user.name if user else "anonymous"

    return app


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_only_a_request_that_counts_by_its_cookie_needs_a_token(guarded, edge):
    client = guarded.test_client(edge=edge)

    def statuses(path):
        headers = {"X-CSRF-Token": client.get("/token").text}
        sent = ({}, headers, TOKEN, {"Authorization": "Bearer stolen"}, {"Authorization": "Bearer stolen", **headers})
        return [client.post(path, headers=each).status_code for each in sent]

    assert [401, 401, 200, 401, 401] == statuses("/api")
    assert [401, 401, 401, 401, 401] == statuses("/page")
    assert [401, 401, 200, 401, 401] == statuses("/both")
    assert [403, 200, 200, 401, 401] == statuses("/open")
    assert 200 == client.post("/sign-in/1").status_code
    assert [401, 401, 200, 401, 401] == statuses("/api")
    assert [403, 200, 403, 403, 200] == statuses("/page")
    assert [403, 200, 200, 403, 200] == statuses("/both")


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_a_page_of_another_site_can_use_no_cookie(guarded, edge):
    client = guarded.test_client(edge=edge)
    client.post("/sign-in/1")
    token = {"X-CSRF-Token": client.get("/token").text}

    for foreign in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert 403 == client.post("/page", headers={**foreign, **token}).status_code
        assert 403 == client.post("/both", headers={**foreign, **token}).status_code
        # With a header of its own, a script of another site needs the permission of a CORS policy first.
        assert 200 == client.post("/both", headers={**foreign, **TOKEN}).status_code
        assert 403 == client.post("/both", headers={**foreign, **token, "Authorization": "Bearer x"}).status_code
    assert 200 == client.post("/both", headers=token).status_code


def test_a_link_of_another_site_may_have_a_key(make_app):
    from costrel import ApiKey

    app = make_app("memory", CSRF_PROTECTION=True, CSRF_REQUIRE_TOKEN=True)
    app.auth_schemes["key"] = ApiKey(query="key", verify=lambda key: key == "right")
    app.post("/hook", security=["key"], endpoint="hook")(lambda: request.args["key"])
    client = app.test_client()

    assert [200, 401] == [client.post(f"/hook?key={key}").status_code for key in ("right", "wrong")]
    assert 403 == client.post("/hook?key=right", headers={"Sec-Fetch-Site": "cross-site"}).status_code
