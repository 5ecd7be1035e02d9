"""Providers: their order, their threads, and the end of generators."""

import asyncio
import functools
import sys
import threading
import typing as t
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated as A

import pytest
from msgspec import Struct

from costrel import Blueprint, Body, Costrel, Header, Query, Use, abort, request, send_file, typed
from costrel import session as client_session
from costrel.http.errors import ClientDisconnected, Unauthorized
from costrel.typed.signatures import SignatureError
from costrel.views import MethodView

LOG: list[str] = []


class Session:
    fails = False

    def __init__(self, name="session"):
        self.name = name


class Repo:
    def __init__(self, session):
        self.session = session


class User(Struct):
    name: str


@pytest.fixture
def app():
    LOG.clear()
    app = Costrel(__name__, static_folder=None)
    app.config["CSRF_PROTECTION"] = False
    return app


def session() -> Iterator[Session]:
    made = Session()
    LOG.append("open")
    try:
        yield made
    except Exception as error:
        LOG.append(f"rollback {type(error).__name__}")
        raise
    else:
        if made.fails:
            raise RuntimeError("commit failed")
        LOG.append("commit")
    finally:
        LOG.append("close")


async def session_async() -> AsyncIterator[Session]:
    for each in (generator := session()):
        try:
            yield each
        except Exception as error:
            generator.throw(error)


KINDS = {
    "sync": (session, False),
    "async provider": (session_async, False),
    "async view": (session, True),
    "async": (session_async, True),
}


@pytest.fixture(params=KINDS)
def kind(request, app):
    """Registers the provider, and adds a view, which may be async."""
    provider, is_async = KINDS[request.param]
    app.provide(provider)

    def add(view):
        made = view
        if is_async:

            async def made(s: Session):
                await asyncio.sleep(0)
                return view(s)

            made.__name__ = view.__name__
        app.add_url_rule("/", view_func=made)
        return app

    return add


def test_a_generator_ends_before_the_response_is_sent(app, kind, edge):
    @app.after_request
    def note(response):
        LOG.append("after_request")
        return response

    def view(s: Session):
        LOG.append("view")
        return "saved"

    assert kind(view).test_client(edge=edge).get("/").text == "saved"
    assert LOG == ["open", "view", "commit", "close", "after_request"]


def test_a_failed_commit_is_a_500(app, kind, edge):
    def view(s: Session):
        s.fails = True
        return "saved!"

    app.after_request(lambda response: (LOG.append(str(response.status_code)), response)[1])
    response = kind(view).test_client(edge=edge).get("/")
    assert (response.status_code, "saved" in response.text) == (500, False)
    assert LOG == ["open", "close", "500"]


@pytest.mark.parametrize("status", [404, 500])
def test_the_error_of_the_view_is_thrown_in(app, kind, edge, status):
    def view(s: Session):
        if status == 500:
            raise KeyError("x")
        abort(404)

    assert kind(view).test_client(edge=edge).get("/").status_code == status
    assert LOG == ["open", f"rollback {'KeyError' if status == 500 else 'NotFound'}", "close"]


def test_a_provider_that_swallows_the_error_does_not_hide_it(app, edge):
    @app.provide
    def swallowing() -> Iterator[Session]:
        try:
            yield Session()
        except KeyError:
            LOG.append("swallowed")

    @app.get("/")
    def view(s: Session):
        raise KeyError("x")

    assert app.test_client(edge=edge).get("/").status_code == 500
    assert LOG == ["swallowed"]


def test_the_result_is_encoded_while_the_session_is_open(app, edge):
    class Lazy:
        def __init__(self, session):
            self.session = session

        @property
        def name(self):
            return self.session.state

    @app.provide
    def provide() -> Iterator[Session]:
        made = Session()
        made.state = "open"
        yield made
        made.state = "closed"

    @app.get("/")
    def view(s: Session) -> User:
        return Lazy(s)

    assert app.test_client(edge=edge).get("/").json == {"name": "open"}


@pytest.mark.parametrize("is_async", [False, True])
def test_providers_run_once_in_the_order_of_parameters(app, edge, is_async):
    app.provide(session)

    @app.provide
    def repo(s: Session) -> Repo:
        LOG.append("repo")
        return Repo(s)

    if is_async:

        @app.provide
        async def user(r: Repo, s: Session) -> User:
            LOG.append("user")
            return User("a")
    else:

        @app.provide
        def user(r: Repo, s: Session) -> User:
            LOG.append("user")
            return User("a")

    class Unused: ...

    @app.provide
    def unused() -> Unused:
        LOG.append("unused")

    @app.get("/")
    def view(u: User, r: Repo, s: Session):
        return str(r.session is s)

    assert app.test_client(edge=edge).get("/").text == "True"
    assert LOG == ["open", "repo", "user", "commit", "close"]


def test_generators_end_in_reverse_order(app, edge):
    class Outer: ...

    class Inner: ...

    @app.provide
    def outer() -> Iterator[Outer]:
        yield Outer()
        LOG.append("outer")

    @app.provide
    async def inner(o: Outer) -> AsyncIterator[Inner]:
        yield Inner()
        LOG.append("inner")

    @app.get("/")
    def view(i: Inner):
        return ""

    app.test_client(edge=edge).get("/")
    assert LOG == ["inner", "outer"]


def test_the_errors_of_providers_inputs_are_collected(app, edge):
    @app.provide
    def user(x_user: A[int, Header()], page: int = 1) -> User:
        return User(f"{x_user} {page}")

    @app.get("/")
    def view(u: User, page: int = 1):
        return f"{u.name} {page}"

    client = app.test_client(edge=edge)
    errors = {(each["in"], each["name"], each["code"]) for each in client.get("/?page=x").json["errors"]}
    assert errors == {("query", "page", "type"), ("header", "X-User", "missing")}
    assert client.get("/?page=2", headers={"X-User": "7"}).text == "7 2 2"


def test_a_first_provider_runs_before_the_validation(app, edge):
    @app.provide(first=True)
    def user(authorization: A[str, Header()] = "") -> User:
        if authorization != "secret":
            raise Unauthorized()
        return User("a")

    @app.get("/")
    def view(limit: int, u: User):
        return f"{limit} {u.name}"

    client = app.test_client(edge=edge)
    headers = {"Authorization": "secret"}
    assert client.get("/?limit=x").status_code == 401
    assert client.get("/?limit=x", headers=headers).status_code == 422
    assert client.get("/?limit=1", headers=headers).text == "1 a"


def test_a_provider_takes_variables_of_the_url(app, edge):
    @app.provide
    def load(number: int) -> User:
        return User(f"user {number}")

    @app.get("/<int:number>")
    def view(u: User, number: int):
        return u.name

    assert app.test_client(edge=edge).get("/7?number=8").text == "user 7"


def test_the_nearest_blueprint_wins(app):
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)

    def provide(scope, name):
        def user() -> User:
            return User(name)

        scope.provide(user)

    def view(u: User):
        return u.name

    for scope, name in ((app, "app"), (outer, "outer")):
        provide(scope, name)
    inner.add_url_rule("/inner", view_func=view)
    app.add_url_rule("/app", view_func=view)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    client = app.test_client()
    assert [client.get(url).text for url in ("/app", "/inner")] == ["app", "outer"]


def rows(limit: int = 2):
    return list(range(limit))


def test_use_names_a_function(app, edge):
    @app.get("/")
    def view(r: A[list[int], Use(rows)]):
        return {"rows": r}

    client = app.test_client(edge=edge)
    assert client.get("/").json == {"rows": [0, 1]}
    assert client.get("/?limit=1").json == {"rows": [0]}
    with app.providing(rows, lambda: ["fake"]):
        assert client.get("/").json == {"rows": ["fake"]}


def test_typed_and_methods_take_providers(app, edge):
    app.provide(session_async)

    def decorate(view):
        return functools.wraps(view)(lambda *args, **kwargs: view(*args, **kwargs) + "!")

    @app.get("/typed")
    @decorate
    @typed
    def view(s: Session):
        return s.name

    class Show(MethodView):
        def get(self, s: Session):
            return s.name

        async def post(self, s: Session):
            return s.name

    app.add_url_rule("/method", view_func=Show.as_view("show"))
    client = app.test_client(edge=edge)
    assert client.get("/typed").text == "session!"
    assert client.get("/method").text == "session"
    assert client.post("/method").text == "session"
    assert LOG == ["open", "commit", "close"] * 3


# -- tests ------------------------------------------------------------------------------------------------------------


def test_a_stand_in_replaces_a_provider_within_a_block(app, edge):
    app.provide(session)

    @app.provide
    def repo(s: Session) -> Repo:
        return Repo(s)

    @app.get("/")
    def view(r: Repo):
        return r.session.name

    client = app.test_client(edge=edge)
    with app.providing(Session, Session("fake")):
        assert client.get("/").text == "fake"
        with app.providing(Session, lambda: Session("inner")):
            assert client.get("/").text == "inner"
        assert client.get("/").text == "fake"
    assert LOG == []
    assert client.get("/").text == "session"
    assert LOG == ["open", "commit", "close"]


# -- streams ----------------------------------------------------------------------------------------------------------


def pieces(s):
    for i in range(3):
        LOG.append(f"piece {i}")
        yield f"{i}"
        if s.name == "breaks":
            raise KeyError("x")


async def pieces_async(s):
    for piece in pieces(s):
        yield piece


STREAMS = {
    f"{kind}, {'async' if stream is pieces_async else 'sync'} stream": (provider, is_async, stream)
    for kind, (provider, is_async) in KINDS.items()
    for stream in (pieces, pieces_async)
}


@pytest.fixture(params=STREAMS)
def streaming(request, app):
    """Adds a view that streams."""
    provider, is_async, stream = STREAMS[request.param]

    def add(until="stream", change=lambda s: None):
        app.provide(provider, until=until)

        def view(s: Session):
            change(s)
            return stream(s)

        async def view_async(s: Session):
            change(s)
            return stream(s)

        app.add_url_rule("/", "view", view_async if is_async else view)
        return app

    return add


def test_generators_end_with_the_stream(streaming, edge):
    response = streaming().test_client(edge=edge).get("/")
    assert response.text == "012"
    assert LOG == ["open", "piece 0", "piece 1", "piece 2", "commit", "close"]


def test_until_view_ends_with_the_view(streaming, edge):
    response = streaming(until="view").test_client(edge=edge).get("/")
    assert response.text == "012"
    assert LOG == ["open", "commit", "close", "piece 0", "piece 1", "piece 2"]


def test_an_error_of_the_stream_is_thrown_in(streaming, edge):
    with pytest.raises(Exception):  # noqa: B017 - the edges differ
        streaming(change=lambda s: setattr(s, "name", "breaks")).test_client(edge=edge).get("/").get_data()
    assert LOG == ["open", "piece 0", "rollback KeyError", "close"]


def test_an_error_at_the_end_aborts_the_stream_and_is_logged(streaming, edge, caplog):
    with pytest.raises(Exception):  # noqa: B017 - the edges differ
        streaming(change=lambda s: setattr(s, "fails", True)).test_client(edge=edge).get("/").get_data()
    assert LOG == ["open", "piece 0", "piece 1", "piece 2", "close"]
    assert "A provider failed at the end of a stream." in caplog.text


def test_a_disconnect_rolls_back(streaming):
    client = streaming().test_client()
    response = client.get("/", buffered=False)
    next(response.iter_encoded())
    response.close()
    assert LOG == ["open", "piece 0", "rollback ClientDisconnected", "close"]


def test_a_head_request_commits(streaming):
    with streaming().test_client().head("/") as response:
        assert response.status_code == 200
    assert LOG == ["open", "commit", "close"]


def test_a_file_counts_as_one_piece(app, tmp_path, edge):
    (tmp_path / "f.txt").write_text("file")
    app.provide(session)

    @app.get("/")
    def view(s: Session):
        return send_file(tmp_path / "f.txt")

    with app.test_client(edge=edge).get("/") as response:
        assert LOG == ["open", "commit", "close"]
        assert response.text == "file"


# -- threads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sync", "async view", "stream", "async stream"])
def test_a_sync_generator_is_entered_and_ended_in_one_thread(app, edge, kind):
    threads = []

    @app.provide
    def bound() -> Iterator[Session]:
        threads.append(threading.current_thread())
        yield Session()
        threads.append(threading.current_thread())

    def view(s: Session):
        return pieces(s) if kind == "stream" else "text"

    async def view_async(s: Session):
        await asyncio.sleep(0)
        return pieces_async(s) if "stream" in kind else "text"

    app.add_url_rule("/", "view", view_async if "async" in kind else view)
    client = app.test_client(edge=edge)
    for _ in range(5):
        client.get("/").get_data()
    assert threads[::2] == threads[1::2]


def test_sync_providers_of_async_views_do_not_block_the_loop(app):
    on_loop = []

    @app.provide
    def blocking() -> Session:
        on_loop.append(_is_on_loop())
        return Session()

    @app.provide
    async def asynchronous(s: Session) -> User:
        on_loop.append(_is_on_loop())
        return User("a")

    @app.get("/async")
    async def view(u: User):
        on_loop.append(_is_on_loop())
        return ""

    @app.get("/sync")
    def view_sync(u: User):
        on_loop.append(_is_on_loop())
        return ""

    client = app.test_client(edge="asgi")
    client.get("/async")
    client.get("/sync")
    assert on_loop == [False, True, True, False, True, False]


def _is_on_loop():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def test_a_view_whose_client_leaves_rolls_back(app):
    async def scenario():
        app.provide(session_async)
        left = asyncio.Event()

        @app.get("/")
        async def view(s: Session):
            left.set()
            await asyncio.sleep(30)

        async def receive():
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message): ...

        scope = {
            "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": [],
            "http_version": "1.1", "scheme": "http", "server": ("x", 80), "client": ("y", 1), "root_path": "",
        }  # fmt: skip
        await asyncio.wait_for(app.asgi(scope, receive, send), 10)

    asyncio.run(scenario())
    assert LOG == ["open", f"rollback {ClientDisconnected.__name__}", "close"]


def test_requests_at_the_same_time_never_see_anothers_value(app):
    @app.provide
    def own(n: int) -> Iterator[Session]:
        yield Session(str(n))

    @app.provide
    async def user(s: Session) -> User:
        await asyncio.sleep(0.001)
        return User(s.name)

    @app.get("/sync")
    def sync(s: Session, u: User, n: int):
        return str(s.name == u.name == str(n))

    @app.get("/async")
    async def asynchronous(s: Session, u: User, n: int):
        await asyncio.sleep(0.001)
        return str(s.name == u.name == str(n))

    @app.get("/stream")
    def stream(s: Session, n: int):
        def parts():
            yield str(s.name == str(n))

        return parts()

    def ask(n):
        edge = ("wsgi", "asgi")[n % 2]
        return app.test_client(edge=edge).get(f"/{('sync', 'async', 'stream')[n % 3]}?n={n}").text

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(200))) == ["True"] * 200


# -- errors at the seal -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("returned", [int, list[int], dict[str, int], None])
def test_scalars_and_containers_cannot_be_provided(app, returned):
    def provider(): ...

    provider.__annotations__["return"] = returned
    with pytest.raises(TypeError, match="Scalars and containers"):
        app.provide(provider)


def test_a_new_type_can_be_provided(app):
    tenant = t.NewType("tenant", str)

    def provider():
        return "acme"

    provider.__annotations__["return"] = tenant
    app.provide(provider)

    def view(name):
        return name

    view.__annotations__["name"] = tenant
    app.add_url_rule("/", view_func=view)
    assert app.test_client().get("/").text == "acme"


def test_a_provider_says_what_it_returns(app):
    with pytest.raises(TypeError, match="no return annotation"):
        app.provide(lambda: None)
    with pytest.raises(ValueError, match='"stream" or with the "view"'):
        app.provide(until="request")(session)


class Egg: ...


class Hen: ...


def test_a_circle_is_an_error_at_the_seal(app):
    @app.provide
    def egg(h: Hen) -> Egg: ...

    @app.provide
    def hen(e: Egg) -> Hen: ...

    @app.get("/")
    def view(e: Egg):
        return ""

    with pytest.raises(SignatureError, match="in a circle: egg → hen → egg"):
        app.open_for_requests()


@pytest.mark.parametrize("expr", [User | None, list[User]])
def test_a_provided_type_in_a_body_is_an_error_at_the_seal(app, expr):
    @app.provide
    def user() -> User:
        return User("provided")

    def view(u):
        return repr(u)

    view.__annotations__["u"] = expr
    app.add_url_rule("/", view_func=view, methods=["POST"])
    with pytest.raises(SignatureError, match="this type has a provider"):
        app.open_for_requests()


def test_a_body_that_is_marked_is_not_provided(app):
    @app.provide
    def user() -> User:
        return User("provided")

    @app.post("/")
    def view(u: A[User, Body()], again: User):
        return f"{u.name} {again.name}"

    assert app.test_client().post("/", json={"name": "sent"}).text == "sent provided"


@pytest.mark.parametrize("count", [0, 2])
def test_a_generator_yields_once(app, edge, count, caplog):
    @app.provide
    def provider() -> Iterator[Session]:
        for _ in range(count):
            yield Session()

    @app.get("/")
    def view(s: Session, n: A[int, Query()] = 1):
        return ""

    assert app.test_client(edge=edge).get("/").status_code == 500
    assert ("ended without a yield" if count == 0 else "has a second yield") in caplog.text


def test_many_hops_to_threads_keep_the_context(app):
    class Other: ...

    @app.provide
    def other(s: Session) -> Iterator[Other]:
        assert request.path == "/"
        yield Other()
        assert request.path == "/"

    app.provide(session)

    @app.get("/")
    async def view(s: Session, o: Other):
        return request.path

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        client = app.test_client(edge="asgi")
        assert {client.get("/").text for _ in range(300)} == {"/"}
    finally:
        sys.setswitchinterval(interval)


def test_a_failed_commit_is_an_error_like_any_other(app, edge):
    """The error handler answers it, the hooks see its response, and the session is saved."""
    app.secret_key = "0" * 64
    app.provide(session)

    @app.errorhandler(RuntimeError)
    def explain(error):
        return f"not saved: {error}", 409

    @app.after_request
    def note(response):
        LOG.append(f"after {response.status_code}")
        return response

    @app.get("/")
    def page(s: Session) -> str:
        s.fails = True
        client_session["seen"] = True
        return "saved"

    @app.get("/seen")
    def seen():
        return str(client_session.get("seen"))

    client = app.test_client(edge=edge)
    response = client.get("/")
    assert (response.status_code, response.text) == (409, "not saved: commit failed")
    assert LOG == ["open", "close", "after 409"]
    assert client.get("/seen").text == "True"


def test_only_the_providers_that_are_named_run(app, edge):
    @app.provide
    def user() -> User:
        LOG.append("user")
        return User("Ada")

    app.provide(session)

    @app.get("/")
    def page(user: User) -> str:
        return user.name

    assert app.test_client(edge=edge).get("/").text == "Ada"
    assert LOG == ["user"]


def test_a_class_is_no_provider(app):
    with pytest.raises(TypeError, match="no return annotation"):
        app.provide(Session)
