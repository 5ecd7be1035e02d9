"""Applications whose sessions are in each of the stores, and a Redis that a test may pause and end."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from costrel import Costrel, session
from costrel.services.session_stores import ServerSessions

KEY = "a key that is long enough for anybody"
IN_COOKIES = ("cookie", "encrypted")
ON_SERVER = ("memory", "sqlite", "redis", "cache")
STARTUP = 10.0


class RedisServer:
    """A redis-server on a free port of this computer, which keeps what it has in a file when it is told to."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder, "--save", ""],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + STARTUP
        while True:
            try:
                self.command(b"PING")
                return
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.01)

    def command(self, line):
        with socket.create_connection(("127.0.0.1", self.port), timeout=STARTUP) as connection:
            connection.sendall(line + b"\r\n")
            return connection.recv(100)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self, save=False):
        if save:
            self.command(b"SAVE")
        self.go_on()
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def running_redis():
    if shutil.which("redis-server") is None:
        if os.environ.get("COSTREL_TEST_REDIS") == "required":
            pytest.fail("redis-server is not installed, and COSTREL_TEST_REDIS=required")
        pytest.skip("redis-server is not installed")
    pytest.importorskip("redis")
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(folder)
        try:
            yield server
        finally:
            server.end()


@pytest.fixture(scope="session")
def shared_redis():
    """A Redis for the tests that leave it as it is."""
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
