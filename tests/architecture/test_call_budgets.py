"""How many calls of our own code a request takes, on each edge and in the shapes of real requests: counted, not timed.

A budget may only be lowered: the message of a test that fails lists the calls.
"""

import asyncio
import sys
import threading
from pathlib import Path

import pytest

import costrel
from costrel import Blueprint, Costrel, session

SOURCES = str(Path(costrel.__file__).parent)
ROOT = Path(__file__).parents[2]

BUDGETS = {
    "wsgi": {"hello": 37, "override": 37, "trusted_hosts": 38, "hooks": 43, "session_read": 76},
    "async": {"hello": 41, "override": 41, "trusted_hosts": 42, "hooks": 59, "session_read": 82},
    "thread": {"hello": 76, "override": 76, "trusted_hosts": 77, "hooks": 85, "session_read": 115},
    "in place": {"hello": 39, "override": 39, "trusted_hosts": 40, "hooks": 45, "session_read": 78},
}
"""Edge → shape → calls."""

MAX_FILES = {"wsgi": 17, "async": 22, "thread": 24, "in place": 21}
"""Edge → files that the calls of `hello` are in."""


@pytest.fixture(autouse=True)
def scenarios(monkeypatch):
    """The module with a browser's headers, which the benchmarks use too."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.instructions import scenarios

    return scenarios


class Overriding(Costrel):
    """One override, as applications have them."""

    def handle_exception(self, error):
        return super().handle_exception(error)


def build(shape: str, is_async: bool) -> Costrel:
    """The application of a shape, with a view of this kind."""
    app = (Overriding if shape == "override" else Costrel)("budget", static_folder=None)
    app.secret_key = "a secret key that is long enough"
    if shape == "trusted_hosts":
        app.config["TRUSTED_HOSTS"] = ["shop.example.com"]

    def hello():
        return "Hello"

    async def hello_async():
        return "Hello"

    def read():
        return f"user {session.get('user')}"

    async def read_async():
        return f"user {session.get('user')}"

    def login():
        session["user"] = 42
        return "in"

    async def login_async():
        session["user"] = 42
        return "in"

    shop = Blueprint("shop", "budget")
    if shape == "hooks":
        for scaffold in (app, shop):
            add_hooks(scaffold, is_async)
    shop.add_url_rule("/", view_func=hello_async if is_async else hello)
    shop.add_url_rule("/session/read", view_func=read_async if is_async else read)
    shop.add_url_rule("/login", view_func=login_async if is_async else login)
    app.register_blueprint(shop)
    return app


def add_hooks(scaffold, is_async: bool) -> None:
    """A function before, one after each request and one at its end, of the same kind as the view."""

    def before():
        return None

    def after(response):
        return response

    def teardown(error):
        return None

    async def before_async():
        return None

    async def after_async(response):
        return response

    async def teardown_async(error):
        return None

    scaffold.before_request(before_async if is_async else before)
    scaffold.after_request(after_async if is_async else after)
    scaffold.teardown_request(teardown_async if is_async else teardown)


class Counter:
    """The calls of our own code, in all threads that begin after it is installed."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.is_on = False

    def __call__(self, frame, event, argument) -> None:
        if self.is_on and event == "call" and frame.f_code.co_filename.startswith(SOURCES):
            self.calls.append((Path(frame.f_code.co_filename).name, frame.f_code.co_qualname))

    def __enter__(self) -> "Counter":
        threading.setprofile(self)
        sys.setprofile(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)


def over_wsgi(app, scenario, headers, counter):
    def answer():
        started = []
        body = app(scenario.environ(headers) | {"wsgi.input": None}, lambda *head: started.append(head))
        counter.is_on = False
        return started[0][0][:3], b"".join(body)

    answer()  # the first request sets things up
    counter.is_on = True
    return answer()


async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}


def over_asgi(app, scenario, headers, counter):
    async def answer():
        sent = []

        async def send(message):
            sent.append(message)

        await app.asgi(scenario.scope(headers) | {"state": {}}, receive, send)
        counter.is_on = False
        return str(sent[0]["status"]), sent[1]["body"]

    async def twice():
        await answer()
        counter.is_on = True
        return await answer()

    return asyncio.run(twice())


def in_place(app, scenario, headers, counter):
    """As `costrel serve` answers a `def` view: in a thread without a loop, and all in one step."""
    app.open_for_requests()
    assert app.asgi.takes_in_place(scenario.scope(headers))

    def answer():
        sent, moved = [], []

        async def send(message):
            sent.append(message)

        begun = app.asgi.answer_in_place(scenario.scope(headers), receive, send, lambda: moved.append(True))
        with pytest.raises(StopIteration):
            begun.send(None)
        counter.is_on = False
        assert moved == []
        return str(sent[0]["status"]), sent[1]["body"]

    answer()
    counter.is_on = True
    return answer()


EDGES = {"wsgi": over_wsgi, "async": over_asgi, "thread": over_asgi, "in place": in_place}


def cookie_of_session(app, scenario) -> str:
    """What the client has been given by an earlier request."""
    started = []
    list(app(scenario.environ(scenario.headers()) | {"wsgi.input": None}, lambda *head: started.append(head)))
    return dict(started[0][1])["Set-Cookie"].partition(";")[0]


def calls_of(edge: str, shape: str, scenarios) -> list[tuple[str, str]]:
    app = build(shape, is_async=edge == "async")
    cookies = scenarios.COOKIES
    scenario = scenarios.Scenario(shape, contains=b"Hello")
    if shape == "session_read":
        scenario = scenarios.Scenario(shape, "/session/read", contains=b"user 42")
        cookies += "; " + cookie_of_session(app, scenarios.Scenario("login", "/login"))
    with Counter() as counter:
        status, body = EDGES[edge](app, scenario, scenario.headers((("cookie", cookies),)), counter)
    assert ("200", scenario.contains) == (status, body)
    return counter.calls


@pytest.mark.parametrize("shape", BUDGETS["wsgi"])
@pytest.mark.parametrize("edge", BUDGETS)
def test_a_request_takes_no_more_calls_than_its_budget(edge, shape, scenarios) -> None:
    # A worker thread that is not idle yet makes the pool start another one, which adds calls.
    attempts = 3 if edge == "thread" else 1
    calls = min((calls_of(edge, shape, scenarios) for _ in range(attempts)), key=len)

    assert len(calls) <= BUDGETS[edge][shape], "\n".join(f"{file}: {name}" for file, name in calls)


@pytest.mark.parametrize("edge", BUDGETS)
def test_the_calls_of_a_plain_view_are_in_few_files(edge, scenarios) -> None:
    files = {file for file, _ in calls_of(edge, "hello", scenarios)}

    assert len(files) <= MAX_FILES[edge], files
