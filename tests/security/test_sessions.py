"""Group B: cookies, and the sessions in them and behind them."""

import base64
import logging
import pickle
import time
from datetime import timedelta

import pytest
from cachelib import SimpleCache

from costrel import request, session
from costrel.http.cookies import dump_cookie, parse_cookie
from costrel.sessions.interface import SecureCookieSessionInterface
from costrel.sessions.stores import Record, ServerSessions
from costrel.sessions.stores.cookies import Box

from .calls import assert_linear

STORES = ("cookie", "encrypted", "memory", "sqlite", "cache")
ON_SERVER = ("memory", "sqlite", "cache")


@pytest.fixture
def kept(make, tmp_path):
    """Make an application with its sessions in a store, a view that sets a value and one that shows them."""
    made = []

    def application(store, **config):
        app = make(instance_path=str(tmp_path / "instance"))
        where = SimpleCache() if store == "cache" else store
        app.config.update({"SESSION_STORE": where, "SESSION_COOKIE_NAME": "session", **config})
        app.add_url_rule("/set/<name>/<value>", "put", put)
        app.add_url_rule("/all", "everything", lambda: dict(session))
        made.append(app)
        return app

    yield application
    for app in made:
        if isinstance(app.session_interface, ServerSessions):
            app.session_interface.store.close()


def put(name, value):
    session[name] = value
    return "kept"


def client_with(app, value):
    client = app.test_client()
    client.set_cookie("session", value)
    return client


def cookie(client):
    return client.get_cookie("session").value


@pytest.mark.parametrize("header", ["=__Host-t=bad", "=__Host-t=bad; ok=1", "ok=1; =__Host-t=bad", "= __Host-t=bad"])
def test_b1_a_cookie_without_a_name_is_none(make, send, header):
    app = make()
    app.add_url_rule("/", "names", lambda: sorted(request.cookies))

    assert b"__Host" not in send(app, headers=[("Cookie", header)]).body


@pytest.mark.parametrize(
    "given",
    [
        {"domain": "a.com; HttpOnly"},
        {"domain": "a.com\r\nX: 1"},
        {"path": "/;x"},
        {"path": "/\n"},
        {"key": "a;b"},
        {"key": "a=b"},
        {"key": "a\r\nb"},
        {"samesite": "None; Domain=evil"},
    ],
)
def test_b2_attributes_cannot_be_injected(make, given):
    arguments = {"key": "a", "value": "v", **given}

    with pytest.raises(ValueError):
        dump_cookie(**arguments)
    with pytest.raises(ValueError):
        make().response_class().set_cookie(**arguments)


def test_b2_a_value_stays_a_value():
    header = dump_cookie("a", "v; HttpOnly\r\nSet-Cookie: b=1")

    assert "\r" not in header
    assert {"a": "v; HttpOnly\r\nSet-Cookie: b=1"} == parse_cookie(header.partition("; Path")[0]).to_dict()


@pytest.mark.parametrize("part", ["\\012", '\\"', "\\", '"', "\\0", '=";'])
def test_b3_quoted_values_are_read_in_linear_time(part):
    assert_linear(lambda size: parse_cookie('a="' + part * (size // len(part)) + '"'), 64 * 1024)
    assert_linear(lambda size: parse_cookie('a="' + part * (size // len(part))), 64 * 1024)


def test_b4_bad_cookies_do_not_fill_the_log(make, send, caplog):
    app = make()
    app.add_url_rule("/", "count", lambda: str(len(request.cookies)) + str(session.get("a")))
    caplog.set_level(logging.DEBUG)
    header = "; ".join(f"bad[{n}]@\x7f" for n in range(5000)) + "; session=bad.bad.bad"

    assert 200 == send(app, headers=[("Cookie", header)]).status
    assert len(caplog.records) <= 1


@pytest.mark.parametrize("bad", ["a=\x01", "\x01", ";;;", "=", '"', 'a="\\777"', "a=\xff\xfe", "é=é", "a" * 9000])
def test_b5_a_bad_cookie_harms_no_other(make, send, bad):
    app = make()
    app.add_url_rule("/", "read", lambda: request.cookies.get("ok", "lost"))
    bad = bad.encode().decode("latin-1")

    assert (200, b"1") == (lambda answered: (answered.status, answered.body))(
        send(app, headers=[("Cookie", f"{bad}; ok=1")])
    )


def test_b6_salts_and_names_do_not_run_together(make):
    app = make()

    def serializer(salt):
        interface = SecureCookieSessionInterface()
        interface.salt = salt
        return interface._kept_serializer(app)

    signed = serializer("ab").dumps({"c": 1})
    boxed = Box(("k" * 32,), "ab").dumps({"c": 1})

    assert {"c": 1} == serializer("ab").loads(signed, 60) == Box(("k" * 32,), "ab").loads(boxed, 60)
    for salt in ("a", "abe", "", "b"):
        with pytest.raises(Exception, match="does not match"):
            serializer(salt).loads(signed, 60)
        with pytest.raises(Exception, match="not encrypted with a key"):
            Box(("k" * 32,), salt).loads(boxed, 60)


@pytest.mark.parametrize("store", STORES)
def test_b7_the_end_of_a_session_is_not_the_clients_to_move(kept, store, monkeypatch):
    app = kept(store, PERMANENT_SESSION_LIFETIME=timedelta(hours=1))
    client = app.test_client()
    client.get("/set/a/1")
    value, now = cookie(client), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3500)
    assert {"a": "1"} == client_with(app, value).get("/all").json
    monkeypatch.setattr(time, "time", lambda: now + 7200)

    assert {} == client_with(app, value).get("/all").json


READS = {
    "in": lambda: "a" in session,
    "len": lambda: len(session),
    "iter": lambda: list(session),
    "bool": lambda: bool(session),
    "get": lambda: session.get("a"),
    "item": lambda: session["a"],
    "keys": lambda: list(session.keys()),
    "copy": lambda: session.copy(),
    "equal": lambda: session == {},
    "pop": lambda: session.pop("a"),
    "permanent": lambda: session.permanent,
    "set": lambda: session.update(b=1),
}


@pytest.mark.parametrize("store", STORES)
def test_b8_whatever_uses_a_session_varies_by_cookie(kept, store):
    app = kept(store)
    app.add_url_rule("/use/<name>", "use", lambda name: str(READS[name]()))
    for name in READS:
        client = app.test_client()
        client.get("/set/a/1")
        answer = client.get(f"/use/{name}")
        assert (name, 200, "Cookie") == (name, answer.status_code, answer.headers.get("Vary"))


@pytest.mark.parametrize("store", STORES)
def test_b8_so_does_what_only_refreshes_it(kept, store):
    app = kept(store)
    app.add_url_rule("/stay", "stay", lambda: session.update(_permanent=True) or "stays")
    app.add_url_rule("/plain", "plain", lambda: "plain")
    client = app.test_client()
    client.get("/stay")
    answer = client.get("/plain")

    assert "session=" in answer.headers["Set-Cookie"]
    assert "Cookie" == answer.headers["Vary"]


@pytest.mark.parametrize("store", STORES)
def test_b9_what_sets_a_session_is_for_no_shared_cache(make, kept, store):
    app = kept(store)

    @app.get("/public")
    def public():
        session["a"] = 1
        response = app.response_class("public")
        response.cache_control.public = True
        response.cache_control.max_age = 60
        return response

    app.add_url_rule("/end", "end", lambda: session.clear() or "ended")
    client = app.test_client()
    for path in ("/public", "/end"):
        answer = client.get(path)
        assert "session=" in answer.headers["Set-Cookie"]
        assert "Cookie" == answer.headers["Vary"]
        # Flask says no more than Vary; the setting SESSION_CACHE_PRIVATE has it say as much.
        assert make.native == bool(answer.cache_control.private)
        assert not (make.native and answer.cache_control.public)


@pytest.mark.parametrize("store", ["cookie", "encrypted"])
def test_b10_only_the_newest_key_signs(kept, store):
    app = kept(store)
    client = app.test_client()
    client.get("/set/a/1")
    app.config.update(SECRET_KEY="n" * 32, SECRET_KEY_FALLBACKS=["k" * 32])
    assert {"a": "1"} == client.get("/all").json
    client.get("/set/b/2")
    value = cookie(client)
    app.config.update(SECRET_KEY="k" * 32, SECRET_KEY_FALLBACKS=None)
    assert {} == client_with(app, value).get("/all").json
    app.config["SECRET_KEY"] = "n" * 32

    assert {"a": "1", "b": "2"} == client_with(app, value).get("/all").json


@pytest.mark.parametrize("store", STORES)
def test_b12_keys_do_not_run_together(kept, store):
    names = ["k-", "k45", "k", "K", "\u212a", "k ", "=k", "user", "created", "key", "k:", "k\u0301", "ķ"]
    app = kept(store)
    app.add_url_rule("/fill", "fill", lambda: session.update({name: n for n, name in enumerate(names)}) or "full")
    client = app.test_client()
    client.get("/fill")

    assert {name: n for n, name in enumerate(names)} == client.get("/all").json


@pytest.mark.parametrize("store", ON_SERVER)
def test_b12_neither_do_users(kept, store):
    names = ["k-", "k45", "k", "K", "\u212a", "k:", "", "*", "%"]
    app = kept(store)
    app.add_url_rule("/login", "login", lambda: session.bind_user(request.args["name"]) or "in")
    for name in names:
        app.test_client().get("/login", query_string={"name": name})

    assert dict.fromkeys(names, 1) == {name: len(app.session_interface.sessions_of(name)) for name in names}


class Bomb:
    """What runs code where it is unpickled."""

    went_off = False

    def __reduce__(self):
        return setattr, (Bomb, "went_off", True)


@pytest.mark.parametrize("store", ON_SERVER)
def test_b13_a_pickle_in_a_store_is_refused(kept, store):
    app = kept(store, SESSION_MOVE_FROM=("cookie", "flask-session") if store == "cache" else "cookie")
    client = app.test_client()
    client.get("/set/a/1")
    interface = app.session_interface
    (key,) = [interface.open_session(app, app.request_class({"HTTP_COOKIE": f"session={cookie(client)}"})).key]
    bomb = pickle.dumps(Bomb())
    if store == "cache":
        interface.store._cache.set(f"costrel:session:{key}", bomb)
        interface.store._cache.set(f"session:{'A' * 43}", bomb)
    else:
        interface.store.delete(key)
        interface.store.create(Record(key, {"a": bomb}, 1.0, time.time(), 9e9))

    assert {} == client.get("/all").json == client_with(app, "A" * 43).get("/all").json
    assert not Bomb.went_off


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("wrapped", ["{}", ".{}", "e1.{}", "{}.AAAAAA.AAAA"])
def test_b13_a_pickle_in_a_cookie_is_refused(kept, store, wrapped):
    text = base64.urlsafe_b64encode(pickle.dumps(Bomb())).decode().rstrip("=")

    assert {} == client_with(kept(store), wrapped.format(text)).get("/all").json
    assert not Bomb.went_off


@pytest.mark.parametrize("store", ON_SERVER)
def test_b14_an_identifier_that_is_not_known_is_not_taken(kept, store):
    app = kept(store)
    planted = "A" * 43
    client = client_with(app, planted)
    client.get("/set/a/1")

    assert planted != cookie(client)
    assert {} == client_with(app, planted).get("/all").json


@pytest.mark.parametrize("store", ON_SERVER)
def test_b14_a_login_leaves_the_planted_identifier_behind(kept, store):
    app = kept(store)
    app.add_url_rule("/login", "login", lambda: session.bind_user("ann") or "in")
    attacker, victim = app.test_client(), app.test_client()
    attacker.get("/set/a/1")
    victim.set_cookie("session", cookie(attacker))
    victim.get("/login")

    assert cookie(victim) != cookie(attacker)
    assert {} == attacker.get("/all").json
    assert {"a": "1"} == victim.get("/all").json


@pytest.mark.parametrize("key", ["dev", "secret", "x" * 31, b"dev"])
@pytest.mark.parametrize("store", ["cookie", "encrypted"])
def test_b14_a_key_that_can_be_guessed_signs_nothing(make, kept, store, key, caplog):
    app = kept(store, SECRET_KEY=key)
    if not make.native:  # Flask takes any key, and its users' applications have such; the setting is theirs to make
        assert 200 == app.test_client().get("/set/a/1").status_code
        app.config["SECRET_KEY_MIN_BYTES"] = 32
    answer = app.test_client().get("/set/a/1")

    assert (500, None) == (answer.status_code, answer.headers.get("Set-Cookie"))
    assert "32 are required (SECRET_KEY_MIN_BYTES)" in caplog.text
