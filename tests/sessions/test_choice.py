"""The setting that selects the session store."""

import builtins
import os
import threading

import pytest

from costrel.app.application import Costrel, Flask
from costrel.sessions.interface import SecureCookieSessionInterface, SessionInterface
from costrel.sessions.stores import CookieSessions, ServerSessions
from costrel.sessions.stores.memory import MemoryStore
from costrel.sessions.stores.redis_store import RedisStore

from ..redis_servers import real_redis


def test_flask_has_its_own_interface_and_costrel_signed_cookies_with_more():
    assert SecureCookieSessionInterface is type(Flask("a").session_interface) is type(Costrel.session_interface)
    assert CookieSessions is type(Costrel("a").session_interface)


def test_it_may_be_set_until_the_first_request(make_app):
    app = make_app(None)
    assert SecureCookieSessionInterface is type(app.session_interface)
    app.config["SESSION_STORE"] = "memory"
    chosen = app.session_interface

    assert MemoryStore is type(chosen.store)
    assert chosen is app.session_interface
    app.test_client().get("/plain")
    assert chosen is app.session_interface


def test_first_requests_at_once_get_one_store(make_app):
    app = make_app("memory")
    barrier = threading.Barrier(16)
    found = []

    def ask():
        barrier.wait()
        found.append(app.session_interface)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [app.session_interface] * 16 == found


def test_an_interface_that_is_assigned_wins(make_app):
    class Own(SecureCookieSessionInterface):
        pass

    app = make_app("memory")
    app.session_interface = Own()
    client = app.test_client()
    client.post("/set/a/1")

    assert isinstance(app.session_interface, Own)
    assert {"a": "1"} == client.get("/all").json


def test_so_does_one_of_the_class():
    class Own(Costrel):
        session_interface = SessionInterface()

    assert SessionInterface is type(Own("a").session_interface)


def test_an_interface_may_be_the_setting(make_app):
    interface = CookieSessions()

    assert interface is make_app(interface).session_interface


@real_redis
def test_a_client_of_redis_may_be_too(make_app, shared_redis):
    redis = pytest.importorskip("redis")
    client = redis.Redis.from_url(shared_redis.url, decode_responses=True)
    app = make_app(client, SESSION_STORE_PREFIX="mine:")
    browser = app.test_client()
    browser.post("/set/a/1")
    browser.post("/login/ann")

    assert {"a": "1"} == browser.get("/all").json
    assert 1 == len(app.session_interface.sessions_of("ann"))
    assert 3 == len(client.keys("mine:*"))  # the session, the list of its user's, and its former identifier
    client.close()


@real_redis
def test_redis_by_its_setting(make_app, shared_redis):
    app = make_app("memory", SESSION_REDIS=shared_redis.url)
    app.config["SESSION_STORE"] = "redis"

    assert RedisStore is type(app.session_interface.store)


def test_a_name_that_is_not_known():
    with pytest.raises(
        ValueError,
        match=r"SESSION_STORE is 'sqllite', which is unknown\. It can be 'cookie', 'encrypted', 'memory', 'redis',"
        r" 'sqlite', or a Redis URL\.",
    ):
        make_and_ask("sqllite")


@pytest.mark.parametrize("store", [7, object(), {"a": 1}])
def test_an_object_that_keeps_nothing(store):
    with pytest.raises(TypeError, match=r"which is not a session store\. It can be 'cookie'"):
        make_and_ask(store)


def test_the_package_that_is_missing_is_named(monkeypatch):
    real = builtins.__import__

    def without_redis(name, *arguments, **options):
        if name == "redis":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_redis)
    with pytest.raises(RuntimeError, match=r"pip install 'costrel\[redis\]'"):
        make_and_ask("redis")


def test_sqlite_is_in_the_instance_folder(tmp_path):
    app = Costrel("a", instance_path=str(tmp_path))
    app.config["SESSION_STORE"] = "sqlite"

    assert os.path.join(tmp_path, "sessions.sqlite") == str(app.session_interface.store.path)


def make_and_ask(store):
    app = Costrel("a")
    app.config["SESSION_STORE"] = store
    return app.session_interface


def test_a_session_of_another_kind_is_left_alone(make_app):
    from costrel.sessions.interface import SecureCookieSession

    app = make_app("memory")
    response = app.response_class()
    app.session_interface.save_session(app, SecureCookieSession({"a": 1}), response)

    assert isinstance(app.session_interface, ServerSessions)
    assert "Set-Cookie" not in response.headers
