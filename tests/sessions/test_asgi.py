"""Under ASGI, a worker thread calls a store that blocks, for every kind of view."""

import threading

import pytest

from costrel import session
from costrel.sessions.stores import ServerSessions, StoreError
from costrel.sessions.stores.memory import MemoryStore

from ..edges.asgi_call import ask


class Noting(MemoryStore):
    """A store that records the threads of its calls."""

    def __init__(self):
        super().__init__()
        self.threads = set()
        self.down = False

    def load(self, key):
        self.threads.add(threading.current_thread())
        if self.down:
            raise StoreError("down")
        return super().load(key)

    def create(self, record):
        self.threads.add(threading.current_thread())
        super().create(record)

    def change(self, key, change):
        self.threads.add(threading.current_thread())
        return super().change(key, change)


@pytest.fixture
def app(make_app):
    app = make_app(Noting())

    @app.post("/async/<name>")
    async def keep(name):
        session[name] = len(session)
        return dict(session)

    return app


def call(app, path, cookie=None):
    """One request, and the cookie that it set."""
    answered = ask(app.asgi, path, "POST", headers=[(b"cookie", cookie.encode())] if cookie else [])
    sent = {name.lower(): value for name, value in answered.headers.items()}.get("set-cookie", "")
    return answered, sent.partition(";")[0]


@pytest.mark.parametrize("path", ["/async", "/set/a"])
def test_the_store_is_never_asked_on_the_loop(app, path):
    answered, cookie = call(app, f"{path}/one")
    call(app, f"{path}/two", cookie)

    assert 200 == answered.status
    assert isinstance(app.session_interface, ServerSessions)
    assert app.session_interface.store.threads
    assert threading.main_thread() not in app.session_interface.store.threads


def test_an_async_view_keeps_its_session(app):
    _, cookie = call(app, "/async/one")
    answered, _ = call(app, "/async/two", cookie)

    assert b'{"one":0,"two":1}\n' == answered.body


def test_a_store_that_is_down_is_a_503(app):
    _, cookie = call(app, "/async/one")
    app.session_interface.store.down = True

    assert 503 == call(app, "/async/two", cookie)[0].status


def test_without_a_cookie_of_its_own_no_thread_is_used(app):
    """Not even if all threads wait for the store."""
    views = []

    @app.post("/quick")
    async def quick():
        views.append(threading.current_thread())
        return str(len(session))

    @app.after_request
    async def after(response):
        views.append(threading.current_thread())
        return response

    for cookie in (None, "other=1", "session=", "session=made-up", "xsession=" + "a" * 43):
        answered, sent = call(app, "/quick", cookie)
        assert (200, b"0", "") == (answered.status, answered.body, sent)
    assert {threading.main_thread()} == set(views)
    assert set() == app.session_interface.store.threads


def test_an_interface_of_somebody_else_may_block(make_app):
    """Also one that is a subclass of ours."""

    class Counting(ServerSessions):
        threads = set()

        def open_session(self, app, request):
            self.threads.add(threading.current_thread())
            return super().open_session(app, request)

    app = make_app(Counting(MemoryStore()))

    @app.post("/quick")
    async def quick():
        return "quick"

    assert 200 == call(app, "/quick")[0].status
    assert threading.main_thread() not in Counting.threads
