"""Rate limits per principal: counted after authentication, by the principal that it has found."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from costrel import ApiKey, Bearer, Blueprint, Costrel, RateLimit, rate_limit, websocket
from costrel.testing.websocket import WebSocketRefused


@dataclass
class User:
    id: int


@dataclass
class Program:
    id: int


@dataclass
class Named:
    name: str


USERS = {"ada": User(1), "eve": User(2)}


def secured(**options) -> Costrel:
    """An application with two schemes: of users, and of programs."""
    app = Costrel("limited", security=["bearer", "key"], **options)
    app.auth_schemes["bearer"] = Bearer(verify=lambda token: USERS.get(token), provides=User)
    app.auth_schemes["key"] = ApiKey(header="X-Key", verify=lambda key: Program(1) if key == "k" else None)
    app.config["RATE_LIMIT_STORAGE"] = "memory://"
    return app


def statuses(app: Costrel, *tokens: str, path: str = "/", edge: str = "wsgi") -> list[int]:
    client = app.test_client(edge=edge)
    return [client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code for token in tokens]


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_each_principal_has_a_limit_of_its_own(edge, kind):
    app = secured()

    def view():
        return "report"

    async def async_view():
        return "report"

    app.get("/", endpoint="report")(rate_limit("2/minute", principal=True)(view if kind == "def" else async_view))

    assert [200, 200, 429, 200, 200, 429] == statuses(app, "ada", "ada", "ada", "eve", "eve", "eve", edge=edge)


def test_a_user_and_a_program_with_the_same_number_are_counted_apart():
    app = secured()

    @app.get("/")
    @rate_limit("1/minute", principal=True)
    def report():
        return "report"

    client = app.test_client()
    assert [200, 429] == statuses(app, "ada", "ada")
    assert [200, 429] == [client.get("/", headers={"X-Key": "k"}).status_code for _ in range(2)]


def test_a_function_returns_the_identifier():
    app = Costrel("limited", security=["bearer"])
    app.auth_schemes["bearer"] = Bearer(verify=Named, provides=Named)
    app.config["RATE_LIMIT_STORAGE"] = "memory://"

    @app.get("/")
    @rate_limit("1/minute", principal=lambda named: named.name[0])
    def report(named: Named) -> str:
        return named.name

    assert [200, 429, 200] == statuses(app, "ada", "alan", "eve")


@pytest.mark.parametrize("principal", ["ada", 7, UUID(int=7)])
def test_texts_numbers_and_uuids_identify_themselves(principal):
    app = Costrel("limited", security=["bearer"])
    app.auth_schemes["bearer"] = Bearer(verify=lambda token: principal)
    app.config["RATE_LIMIT_STORAGE"] = "memory://"
    app.get("/")(rate_limit("1/minute", principal=True)(lambda: "report"))

    assert [200, 429] == statuses(app, "a", "b")


def test_a_principal_without_an_id_is_an_error_that_names_the_parameter(caplog):
    app = Costrel("limited", security=["bearer"])
    app.auth_schemes["bearer"] = Bearer(verify=Named)
    app.config["RATE_LIMIT_STORAGE"] = "memory://"
    app.get("/")(rate_limit("1/minute", principal=True)(lambda: "report"))

    assert [500] == statuses(app, "ada")
    assert "the type 'Named' has no id. Pass" in caplog.text


def test_a_refused_request_does_not_count():
    app = secured()

    @app.get("/")
    @rate_limit("1/minute", principal=True)
    def report():
        return "report"

    assert [401, 401, 200, 429] == statuses(app, "mallory", "mallory", "ada", "ada")


def test_the_limit_is_reported_as_any_other():
    app = secured()

    @app.get("/")
    @rate_limit("1/minute", principal=True)
    def report():
        return "report"

    headers = {"Authorization": "Bearer ada"}
    first, second = (app.test_client().get("/", headers=headers) for _ in range(2))
    assert ('"view-60s";q=1;w=60', 429) == (first.headers["RateLimit-Policy"], second.status_code)
    assert 0 < int(second.headers["Retry-After"]) <= 60


def test_a_limit_of_a_blueprint_counts_its_views_together():
    app = secured()
    shop = Blueprint("shop", __name__, url_prefix="/shop")
    shop.get("/a", endpoint="a")(lambda: "a")
    shop.get("/b", endpoint="b")(lambda: "b")
    rate_limit("2/minute", principal=True)(shop)
    app.register_blueprint(shop)

    assert [200] == statuses(app, "ada", path="/shop/a")
    assert [200, 429] == statuses(app, "ada", "ada", path="/shop/b")
    assert [200] == statuses(app, "eve", path="/shop/b")


def test_a_limit_of_the_application_leaves_open_views_alone():
    app = secured()
    app.config["RATE_LIMITS"] = RateLimit("1/minute", principal=True)
    app.get("/", endpoint="report")(lambda: "report")
    app.get("/open", endpoint="open", security=[])(lambda: "open")

    assert [200, 429] == statuses(app, "ada", "ada")
    assert [200, 200] == statuses(app, "ada", "ada", path="/open")


def test_without_a_credential_the_address_counts():
    app = secured()

    @app.get("/", security=[])
    @rate_limit("1/minute", principal=True)
    def report(user: User | None) -> str:
        return "report"

    client = app.test_client()
    assert [200, 429] == [client.get("/").status_code for _ in range(2)]
    assert [200] == statuses(app, "ada")


def test_a_websocket_counts():
    app = secured()

    @app.websocket("/ws")
    @rate_limit("1/minute", principal=True)
    async def greet():
        await websocket.send("hello")

    headers = {"Authorization": "Bearer ada"}
    with app.test_client().websocket("/ws", headers=headers) as ws:
        assert "hello" == ws.receive()
    with pytest.raises(WebSocketRefused) as refused, app.test_client().websocket("/ws", headers=headers):
        raise AssertionError("The WebSocket was accepted.")
    assert 429 == refused.value.status_code


@pytest.mark.parametrize("place", ["view", "blueprint", "application"])
def test_a_limit_that_no_request_can_be_counted_against_is_an_error(place):
    app = Costrel("limited")
    app.config["RATE_LIMIT_STORAGE"] = "memory://"
    shop = Blueprint("shop", __name__)

    def index():
        return "index"

    shop.get("/")(rate_limit("1/minute", principal=True)(index) if place == "view" else index)
    if place == "blueprint":
        rate_limit("1/minute", principal=True)(shop)
    if place == "application":
        app.config["RATE_LIMITS"] = ["5/minute", RateLimit("1/minute", principal=True)]
    app.register_blueprint(shop)
    named = {"view": "of the view 'shop.index'", "blueprint": "of the blueprint 'shop'"}.get(
        place, "in the setting RATE_LIMITS"
    )

    for start in (app.try_settings, app.open_for_requests):
        with pytest.raises(ValueError, match=rf"The rate limit {named} counts by principal, but .* security="):
            start()


def test_a_view_that_takes_a_principal_needs_no_declaration():
    app = Costrel("limited")
    app.auth_schemes["bearer"] = Bearer(verify=lambda token: USERS.get(token), provides=User)
    app.config["RATE_LIMIT_STORAGE"] = "memory://"

    @app.get("/")
    @rate_limit("1/minute", principal=True)
    def report(user: User) -> str:
        return "report"

    app.try_settings()
    assert [200, 429, 200] == statuses(app, "ada", "ada", "eve")


def test_a_key_and_a_principal_exclude_each_other():
    async def identify(user):
        return user.id

    with pytest.raises(TypeError, match=r"either key= or principal=, not both"):
        rate_limit("1/minute", key=lambda: "k", principal=True)
    with pytest.raises(TypeError, match=r"'identify' of a rate limit cannot be 'async def'"):
        rate_limit("1/minute", principal=identify)
