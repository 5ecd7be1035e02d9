"""Sessions that Flask or Flask-Session wrote go on in another store."""

import pickle
import subprocess
import sys

import msgspec
import pytest
from cachelib import SimpleCache
from itsdangerous import Signer

from costrel.app.application import Costrel, Flask

from ..redis_servers import real_redis, with_marks

KEY = "a key that is long enough for anybody"
IDENTIFIER = "hM66ux2rBN_KmVNVIE6BzPycngSNDpYxcclYUCYLUkQ"
DATA = {"_permanent": True, "name": "ann", "cart": [1, 2]}


def client_with(app, value):
    client = app.test_client()
    client.set_cookie("session", value)
    return client


@pytest.mark.parametrize("store", with_marks(["encrypted", "memory", "sqlite", "redis", "cache"]))
@pytest.mark.parametrize("profile", [Costrel, Flask])
def test_a_signed_cookie_goes_on_in_another_store(make_app, store, profile):
    before = make_app("cookie").test_client()
    before.post("/set/a/1")
    value = before.get_cookie("session").value
    client = client_with(make_app(store, profile, SESSION_MOVE_FROM="cookie"), value)

    assert {"a": "1"} == client.get("/all").json
    assert value != client.get_cookie("session").value
    client.post("/set/b/2")
    assert {"a": "1", "b": "2"} == client.get("/all").json


def test_its_user_and_its_beginning_come_along(make_app, clock):
    before = make_app("cookie", SESSION_ABSOLUTE_LIFETIME=3600).test_client()
    before.post("/login/ann")
    before.post("/set/a/1")
    clock.ahead = 3000
    app = make_app("memory", SESSION_ABSOLUTE_LIFETIME=3600, SESSION_MOVE_FROM="cookie")
    client = client_with(app, before.get_cookie("session").value)

    assert ({"a": "1"}, {"user": "ann"}) == (client.get("/all").json, client.get("/user").json)
    assert 1 == len(app.session_interface.sessions_of("ann"))
    clock.ahead = 3602
    assert {} == client.get("/all").json


@pytest.mark.parametrize("store", ["encrypted", "memory"])
def test_where_it_is_not_asked_for_it_is_refused(make_app, store):
    before = make_app("cookie").test_client()
    before.post("/set/a/1")

    assert {} == client_with(make_app(store), before.get_cookie("session").value).get("/all").json


@pytest.mark.parametrize("value", ["x", "eyJhIjoiMSJ9.awEdZw.RAUIErZ6mtXkDCq-eOteW2c6MsA"])
@pytest.mark.parametrize("key", [KEY, None])
def test_what_was_not_signed_is_refused(make_app, value, key):
    app = make_app("memory", SECRET_KEY=key, SESSION_MOVE_FROM="cookie")

    assert {} == client_with(app, value).get("/all").json


def test_a_format_that_is_not_known_is_named(make_app):
    app = make_app("memory", SESSION_MOVE_FROM="pickle", TESTING=True)
    with pytest.raises(
        ValueError, match=r"SESSION_MOVE_FROM contains 'pickle'\. Known formats are 'cookie', 'flask-session'"
    ):
        client_with(app, "x").get("/all")


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_a_store_where_flask_session_keeps_nothing_is_an_error(make_app, store):
    app = make_app(store, SESSION_MOVE_FROM="flask-session", TESTING=True)
    with pytest.raises(ValueError, match="whose sessions can only be read from Redis and caches"):
        client_with(app, "x").get("/all")


class TestFlaskSession:
    @pytest.fixture(params=with_marks(["redis msgpack", "redis json", "cache"]))
    def app(self, request, make_app):
        kind = request.param
        store = "redis" if kind.startswith("redis") else SimpleCache()
        app = make_app(store, SESSION_MOVE_FROM=("cookie", "flask-session"))
        name = f"session:{IDENTIFIER}"
        if kind == "cache":
            store.set(name, DATA)
            app.kept = lambda: store.get(name)
        else:
            client = app.session_interface.store._client
            client.set(name, (msgspec.msgpack if kind.endswith("msgpack") else msgspec.json).encode(DATA))
            app.kept = lambda: client.get(name)
        return app

    def test_it_is_read_once(self, app):
        client = client_with(app, IDENTIFIER)

        assert DATA == client.get("/all").json
        assert IDENTIFIER != client.get_cookie("session").value
        assert app.kept() is None
        assert {} == client_with(app, IDENTIFIER).get("/all").json
        client.post("/set/b/2")
        assert DATA | {"b": "2"} == client.get("/all").json

    def test_the_signed_identifier_too(self, app):
        app.config["SESSION_USE_SIGNER"] = True
        signed = Signer(KEY, salt="flask-session", key_derivation="hmac").sign(IDENTIFIER).decode()

        assert {} == client_with(app, IDENTIFIER).get("/all").json
        assert {} == client_with(app, signed[:-1] + "x").get("/all").json
        assert DATA == client_with(app, signed).get("/all").json

    def test_another_prefix_is_another_session(self, app):
        app.config["SESSION_KEY_PREFIX"] = "other:"

        assert {} == client_with(app, IDENTIFIER).get("/all").json


@real_redis
@pytest.mark.parametrize("content", [pickle.dumps(DATA), b"\xc1", b"{", msgspec.msgpack.encode([1])])
def test_a_pickle_is_refused(make_app, content, caplog):
    app = make_app("redis", SESSION_MOVE_FROM="flask-session")
    client = app.session_interface.store._client
    client.set(f"session:{IDENTIFIER}", content)

    assert {} == client_with(app, IDENTIFIER).get("/all").json
    assert "A session was refused." in caplog.text
    assert content == client.get(f"session:{IDENTIFIER}")


@real_redis
def test_what_is_no_value_of_redis_is_refused_too(make_app):
    app = make_app("redis", SESSION_MOVE_FROM="flask-session")
    app.session_interface.store._client.rpush(f"session:{IDENTIFIER}", "x")

    assert {} == client_with(app, IDENTIFIER).get("/all").json


@real_redis
def test_the_sessions_of_flask_session_itself(make_app, shared_redis):
    """Written by the real Flask and Flask-Session, in a separate process."""
    pytest.importorskip("flask_session")
    app = make_app("redis", SESSION_MOVE_FROM="flask-session", SESSION_USE_SIGNER=True)
    program = f"""
import warnings
warnings.simplefilter("ignore")
import redis
from flask import Flask, session
from flask_session import Session

client = redis.Redis.from_url({shared_redis.url!r})
app = Flask("shop")
app.config.update(SECRET_KEY={KEY!r}, SESSION_TYPE="redis", SESSION_REDIS=client, SESSION_USE_SIGNER=True)
Session(app)
app.add_url_rule("/", "fill", lambda: session.update(name="ann", cart=[1, 2]) or "full")
client = app.test_client()
client.get("/")
print(client.get_cookie("session").value)
"""
    written = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert DATA == client_with(app, written.stdout.strip()).get("/all").json
