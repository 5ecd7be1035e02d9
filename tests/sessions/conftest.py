"""Applications with sessions in each of the stores."""

import time

import pytest

from costrel import Costrel, session
from costrel.sessions.stores import ServerSessions

from ..redis_servers import running_redis

KEY = "a key that is long enough for anybody"
IN_COOKIES = ("cookie", "encrypted")
ON_SERVER = ("memory", "sqlite", "redis", "cache")


@pytest.fixture(scope="session")
def shared_redis():
    """A Redis for tests that do not stop or change it."""
    with running_redis() as server:
        yield server


@pytest.fixture
def redis_server():
    """A Redis of the test's own."""
    with running_redis() as server:
        yield server


@pytest.fixture
def make_app(tmp_path, request):
    """Make an application with its sessions in a store, and views that use them."""
    made = []

    def make(store, profile=Costrel, **config):
        if store == "redis":
            server = request.getfixturevalue("shared_redis")
            server.command(b"FLUSHALL")
            store = server.url
        elif isinstance(store, str) and store.startswith("cache"):
            store = cache(store, tmp_path, request)
        app = profile("shop", instance_path=str(tmp_path / "instance"))
        app.config.update({"SECRET_KEY": KEY, "SESSION_STORE": store, "SESSION_COOKIE_NAME": "session", **config})
        add_views(app)
        made.append(app)
        return app

    yield make
    for app in made:
        if isinstance(app.session_interface, ServerSessions):
            app.session_interface.store.close()


def cache(name, tmp_path, request):
    """One of cachelib's caches: in memory, in files, or in Redis."""
    import cachelib

    if name == "cache":
        return cachelib.SimpleCache()
    if name == "cache in files":
        return cachelib.FileSystemCache(str(tmp_path / "cache"))
    server = request.getfixturevalue("shared_redis")
    server.command(b"FLUSHALL")
    return cachelib.RedisCache("127.0.0.1", server.port)


def add_views(app):
    @app.post("/set/<name>/<value>")
    def put(name, value):
        session[name] = value
        return "kept"

    @app.post("/remove/<name>")
    def remove(name):
        return session.pop(name, "")

    @app.get("/all")
    def everything():
        return dict(session)

    @app.post("/append/<int:number>")
    def append(number):
        session.setdefault("numbers", []).append(number)
        return session["numbers"]

    @app.post("/login/<user>")
    def login(user):
        session.user = user
        return "in"

    @app.get("/user")
    def user():
        return {"user": session.user}

    @app.post("/renew")
    def renew():
        session.renew()
        return "renewed"

    @app.post("/clear")
    def clear():
        session.clear()
        return "cleared"

    @app.get("/plain")
    def plain():
        return "plain"


@pytest.fixture
def clock(monkeypatch):
    """The time of day, to be set by a test."""

    class Clock:
        ahead = 0.0
        real = time.time

        def __call__(self):
            return Clock.real() + self.ahead

    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock
