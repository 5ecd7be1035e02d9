"""Authentication schemes: accepted and refused clients, and the principal of a view."""

import asyncio
import threading
from typing import Annotated as A

import pytest
from msgspec import Meta, Struct

from costrel import (
    ApiKey,
    Bearer,
    Blueprint,
    Body,
    Costrel,
    MethodView,
    SessionCookie,
    abort,
    current_principal,
    typed,
    websocket,
)
from costrel.app.application import Flask
from costrel.app.requirements import WrongSecurity
from costrel.testing.websocket import WebSocketRefused
from costrel.typed.signatures import SignatureError


class User(Struct):
    id: int
    name: str


class Robot(Struct):
    serial: str


ADA, BOB = User(1, "Ada"), User(2, "Bob")
TOKENS = {"ada-token": ADA, "bob-token": BOB}
KEYS = {"key-1": Robot("r1")}


def find_user(token: str) -> User | None:
    return TOKENS.get(token)


async def find_user_async(token: str) -> User | None:
    await asyncio.sleep(0)
    return TOKENS.get(token)


def find_robot(key: str) -> Robot | None:
    return KEYS.get(key)


def load_user(user_id: int) -> User | None:
    return {1: ADA, 2: BOB}.get(user_id)


def make(profile=Costrel, verify=find_user, **options):
    app = profile(__name__, static_folder=None, **options)
    app.secret_key = "0" * 64
    app.auth_schemes["bearer"] = Bearer(verify=verify)
    app.auth_schemes["key"] = ApiKey(header="X-Key", verify=find_robot)
    app.auth_schemes["session"] = SessionCookie(load=load_user)
    return app


@pytest.fixture
def app():
    return make()


def bearer(token="ada-token"):
    return {"Authorization": f"Bearer {token}"}


def test_a_view_gets_the_principal_by_its_type(app, edge):
    @app.get("/me", security=["bearer"])
    def me(user: User) -> str:
        return user.name

    client = app.test_client(edge=edge)
    refused = client.get("/me")

    assert (401, 'Bearer realm="bearer"') == (refused.status_code, refused.headers["WWW-Authenticate"])
    assert "Ada" == client.get("/me", headers=bearer()).text


@pytest.mark.parametrize("verify", [find_user, find_user_async, lambda token: find_user_async(token)])
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("profile", [Costrel, Flask])
def test_sync_and_async_functions_check_for_sync_and_async_views(edge, verify, is_async, profile):
    app = make(profile, verify)

    def page():
        return current_principal(User).name

    async def page_async():
        return page()

    app.add_url_rule("/", "page", page_async if is_async else page, security=["bearer"])
    client = app.test_client(edge=edge)

    found = [client.get("/", headers=bearer(token)) for token in ("ada-token", "stolen")]
    assert [(200, "Ada"), (401, None)] == [
        (each.status_code, each.text if each.status_code == 200 else None) for each in found
    ]


@pytest.mark.parametrize(
    ("value", "status", "challenge"),
    [
        (None, 401, 'Bearer realm="bearer"'),
        ("", 401, 'Bearer realm="bearer"'),
        ("Bearer", 401, 'Bearer realm="bearer"'),
        ("Bearer  ", 401, 'Bearer realm="bearer"'),
        ("Basic YTpi", 401, 'Bearer realm="bearer"'),
        ("bearer ada-token", 200, None),
        ("BEARER  ada-token", 200, None),
        ("Bearer ada-token,", 401, "invalid_token"),
        ("Bearer stolen", 401, "invalid_token"),
        ("Bearer \xff\xfe", 401, "invalid_token"),
        ("Bearer ada-token bob-token", 401, "invalid_token"),
        ("Bearer a\tb", 401, "invalid_token"),
        ("Bearer ada-token, Bearer bob-token", 400, "invalid_request"),
        ("Bearer ada-token,Basic YTpi", 400, "invalid_request"),
    ],
)
def test_what_a_client_may_send_as_its_token(app, edge, value, status, challenge):
    @app.get("/me", security=["bearer"])
    def me(user: User) -> str:
        return user.name

    client = app.test_client(edge=edge)
    found = client.get("/me", headers={} if value is None else {"Authorization": value})

    assert status == found.status_code
    got = found.headers.get("WWW-Authenticate")
    assert (challenge is None and got is None) or challenge in got
    if challenge == 'Bearer realm="bearer"':
        assert challenge == got


def test_two_authorization_fields_are_a_bad_request(app, edge):
    @app.get("/me", security=["bearer"])
    def me(user: User) -> str:
        return user.name

    headers = [("Authorization", "Bearer ada-token"), ("Authorization", "Bearer bob-token")]
    found = app.test_client(edge=edge).get("/me", headers=headers)

    assert 400 == found.status_code
    assert 'error="invalid_request"' in found.headers["WWW-Authenticate"]


def test_a_refusal_is_in_the_format_that_errors_have(app):
    app.config["ERROR_FORMAT"] = "accept"

    @app.get("/me", security=["bearer", "key"])
    def me() -> str:
        return "me"

    found = app.test_client().get("/me", headers={"Accept": "application/json"})

    assert "application/problem+json" == found.content_type
    assert {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Authentication is required: send a token in the field 'Authorization: Bearer ...' or an API key in"
        " the field 'X-Key'.",
    } == found.json
    assert ['Bearer realm="bearer"', 'ApiKey realm="key", in="header", name="X-Key"'] == found.headers.getlist(
        "WWW-Authenticate"
    )


def test_a_handler_answers_a_refusal(app):
    @app.get("/me", security=["bearer"])
    def me() -> str:
        return "me"

    @app.errorhandler(401)
    def sign_in(error):
        return "sign in", 401, error.get_headers()

    found = app.test_client().get("/me")
    assert (401, "sign in", 'Bearer realm="bearer"') == (
        found.status_code,
        found.text,
        found.headers["WWW-Authenticate"],
    )


@pytest.mark.parametrize(
    ("place", "sent"),
    [
        ({"header": "X-Key"}, {"headers": {"X-Key": "{}"}}),
        ({"query": "key"}, {"query_string": {"key": "{}"}}),
        ({"cookie": "key"}, {"headers": {"Cookie": "key={}"}}),
    ],
)
@pytest.mark.parametrize(("key", "status"), [("key-1", 200), ("other", 401), ("", 401), ("é\xff", 401), ("a\t", 401)])
def test_api_keys_come_from_one_place(edge, place, sent, key, status):
    app = Costrel(__name__, static_folder=None)
    seen = []
    app.auth_schemes["key"] = ApiKey(verify=lambda key: seen.append(key) or KEYS.get(key), **place)

    @app.get("/", security=["key"])
    def page():
        return "page"

    arguments = {name: {each: text.format(key) for each, text in pairs.items()} for name, pairs in sent.items()}
    found = app.test_client(use_cookies=False, edge=edge).get("/", **arguments)

    assert status == found.status_code
    assert all(each.isascii() and each.isprintable() and each for each in seen)


def test_a_key_that_is_repeated_in_the_query_is_a_bad_request(edge):
    app = Costrel(__name__, static_folder=None)
    app.auth_schemes["key"] = ApiKey(query="key", verify=KEYS.get)
    app.add_url_rule("/", "page", lambda: "page", security=["key"])

    assert 400 == app.test_client(edge=edge).get("/?key=key-1&key=other").status_code


def test_a_list_is_any_of_its_schemes_and_a_tuple_all(app, edge):
    @app.get("/any", security=["bearer", "key"])
    def either(user: User | None, robot: Robot | None) -> list[bool]:
        return [user is not None, robot is not None]

    @app.get("/all", security=("bearer", "key"))
    def both(user: User, robot: Robot) -> str:
        return f"{user.name} {robot.serial}"

    @app.get("/mixed", security=["session", ("bearer", "key")])
    def mixed(user: User) -> str:
        return user.name

    @app.get("/nested", security=(["bearer", "session"], "key"))
    def nested(who: User) -> str:
        return who.name

    client = app.test_client(edge=edge)
    key = {"X-Key": "key-1"}

    assert [[True, False], [False, True]] == [client.get("/any", headers=each).json for each in (bearer(), key)]
    assert [True, False] == client.get("/any", headers={**bearer(), **key}).json  # the first that is satisfied
    assert [False, True] == client.get("/any", headers={**bearer("stolen"), **key}).json
    assert [401, 401, 401] == [client.get("/all", headers=each).status_code for each in ({}, bearer(), key)]
    assert "Ada r1" == client.get("/all", headers={**bearer(), **key}).text
    for path in ("/mixed", "/nested"):
        assert [401, 401, 200] == [
            client.get(path, headers=each).status_code for each in (bearer(), key, {**bearer(), **key})
        ]


def test_security_is_inherited_from_the_nearest_scope(edge):
    app = make(security=["key"])
    outer = Blueprint("outer", __name__, url_prefix="/outer", security=["bearer"])
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    opened = Blueprint("opened", __name__, url_prefix="/opened", security=[])
    for scope in (app, outer, inner, opened):
        scope.add_url_rule("/page", "page", lambda: "page")
        scope.add_url_rule("/key", "key", lambda: "page", security="key")
        scope.add_url_rule("/open", "open", lambda: "page", security=[])
    outer.register_blueprint(inner)
    outer.register_blueprint(opened)
    app.register_blueprint(outer)
    client = app.test_client(edge=edge)

    def statuses(path):
        return [client.get(path, headers=each).status_code for each in ({}, bearer(), {"X-Key": "key-1"})]

    by_path = {
        "/page": [401, 401, 200],
        "/outer/page": [401, 200, 401],
        "/outer/inner/page": [401, 200, 401],
        "/outer/opened/page": [200, 200, 200],
    }
    assert by_path == {path: statuses(path) for path in by_path}
    for prefix in ("", "/outer", "/outer/inner", "/outer/opened"):
        assert [401, 401, 200] == statuses(f"{prefix}/key")
        assert [200, 200, 200] == statuses(f"{prefix}/open")


def test_each_rule_and_method_of_a_view_has_its_own_security(app, edge):
    @app.get("/notes", security=[])
    @app.post("/notes", security=["bearer"])
    def notes():
        return "notes"

    class Items(MethodView):
        @typed
        def get(self, user: User | None) -> str:
            return user.name if user else "anonymous"

        @typed
        def post(self, user: User) -> str:
            return user.name

    app.add_url_rule("/items", view_func=Items.as_view("items"))
    client = app.test_client(edge=edge)

    assert [200, 401, 200] == [
        client.get("/notes").status_code,
        client.post("/notes").status_code,
        client.post("/notes", headers=bearer()).status_code,
    ]
    assert ["anonymous", "Ada", "Ada"] == [
        client.get("/items").text,
        client.get("/items", headers=bearer()).text,
        client.post("/items", headers=bearer()).text,
    ]
    assert [401, 401] == [client.post("/items").status_code, client.get("/items", headers=bearer("x")).status_code]


def test_static_files_and_the_document_are_exempt(tmp_path, edge):
    from costrel import OpenAPI

    (tmp_path / "style.css").write_text("a {}")
    app = Costrel(__name__, static_folder=tmp_path, static_url_path="/static", security=["bearer"])
    app.auth_schemes["bearer"] = Bearer(verify=find_user)
    app.openapi = OpenAPI(title="x")
    blueprint = Blueprint("shop", __name__, static_folder=tmp_path, static_url_path="/files", url_prefix="/shop")
    app.register_blueprint(blueprint)
    app.add_url_rule("/private/<path:filename>", "private", app.send_static_file, security=["bearer"])
    app.add_url_rule("/static2", "shop2.static", lambda: "named like a static file")
    client = app.test_client(edge=edge)

    paths = ("/static/style.css", "/shop/files/style.css", "/openapi.json", "/private/style.css", "/static2", "/no")
    assert [200, 200, 200, 401, 401, 404] == [client.get(path).status_code for path in paths]


def test_head_is_refused_as_get_and_options_is_answered(app, edge):
    @app.route("/me", methods=["GET", "POST"], security=["bearer"])
    def me(user: User) -> str:
        return user.name

    client = app.test_client(edge=edge)
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}

    assert [401, 200] == [client.head("/me").status_code, client.head("/me", headers=bearer()).status_code]
    assert [200, 200] == [client.options("/me").status_code, client.options("/me", headers=preflight).status_code]
    assert 405 == client.delete("/me").status_code


def test_a_preflight_of_a_cors_policy_is_answered(app):
    app.config["CORS_POLICY"] = "https://a.example"

    @app.post("/me", security=["bearer"])
    def me() -> str:
        return "me"

    preflight = {
        "Origin": "https://a.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    client = app.test_client()

    assert 204 == client.options("/me", headers=preflight).status_code
    refused = client.post("/me", headers={"Origin": "https://a.example", **bearer("stolen")})
    assert (401, "https://a.example") == (refused.status_code, refused.headers["Access-Control-Allow-Origin"])


def test_authentication_runs_before_validation_and_before_other_providers(app, edge):
    log = []

    @app.provide(first=True)
    def tenant(user: User) -> Robot:
        log.append(f"tenant of {user.name}")
        return Robot(user.name)

    del app.auth_schemes["key"]

    @app.post("/", security=["bearer"])
    def page(tenant: Robot, count: A[int, Meta(ge=1)]) -> str:
        return tenant.serial

    client = app.test_client(edge=edge)

    assert 401 == client.post("/?count=x").status_code
    assert [] == log
    assert 422 == client.post("/?count=x", headers=bearer()).status_code
    assert "Ada" == client.post("/?count=2", headers=bearer()).text
    assert ["tenant of Ada"] * 2 == log


def test_hooks_run_before_authentication(app, edge):
    log = []

    @app.before_request
    def note():
        log.append("hook")

    @app.get("/", security=["bearer"])
    def page():
        return "page"

    assert 401 == app.test_client(edge=edge).get("/").status_code
    assert ["hook"] == log


def test_an_open_view_takes_an_optional_principal(app, edge):
    @app.get("/", security=[])
    def page(user: User | None) -> str:
        return user.name if user else "anonymous"

    @app.get("/unset")
    def unset(user: User | None) -> str:
        return user.name if user else "anonymous"

    client = app.test_client(edge=edge)
    for path in ("/", "/unset"):
        assert ["anonymous", "Ada"] == [client.get(path, headers=each).text for each in ({}, bearer())]
        # The client takes itself for authenticated: an answer for anybody would mislead it.
        assert 401 == client.get(path, headers=bearer("stolen")).status_code


def test_a_principal_without_declared_security_requires_its_scheme(app, edge):
    @app.get("/")
    def page(user: User) -> str:
        return user.name

    client = app.test_client(edge=edge)
    found = client.get("/")
    assert 401 == found.status_code
    assert ['Bearer realm="bearer"', 'Cookie realm="session"'] == found.headers.getlist("WWW-Authenticate")
    assert "Ada" == client.get("/", headers=bearer()).text


def test_a_marked_parameter_takes_the_credential_itself(edge):
    app = Costrel(__name__, static_folder=None)

    class Owner:
        def __init__(self, name):
            self.name = name

    @app.provide
    def owner(token: A[str, Bearer()], count: A[int, Meta(ge=1)] = 1) -> Owner:
        if token not in TOKENS:
            abort(401)
        return Owner(TOKENS[token].name)

    @app.get("/")
    def page(owner: Owner, limit: int) -> str:
        return owner.name

    @app.get("/key")
    def key(key: A[str | None, ApiKey(query="key")]) -> str:
        return key or "none"

    client = app.test_client(edge=edge)

    found = client.get("/?limit=x&count=0")
    assert (401, 'Bearer realm="bearer"') == (found.status_code, found.headers["WWW-Authenticate"])
    assert 2 == len(client.get("/?limit=x&count=0", headers=bearer()).json["errors"])
    assert "Ada" == client.get("/?limit=1", headers=bearer()).text
    assert ["none", "none", "k"] == [client.get(path).text for path in ("/key", "/key?key=", "/key?key=k")]


@pytest.mark.parametrize("nothing", [None, False, 0, "", (), {}])
def test_nothing_is_no_principal(nothing, edge):
    app = make(verify=lambda token: nothing)
    app.add_url_rule("/", "page", lambda: "page", security=["bearer"])

    assert 401 == app.test_client(edge=edge).get("/", headers=bearer()).status_code


def test_an_http_error_of_the_function_is_the_answer(edge):
    def verify(token: str) -> User | None:
        abort(403 if token == "locked" else 500)

    app = make(verify=verify)
    app.add_url_rule("/", "page", lambda: "page", security=["bearer"])

    assert 403 == app.test_client(edge=edge).get("/", headers=bearer("locked")).status_code


def test_a_scheme_is_checked_once_per_request(edge):
    seen = []

    def verify(token: str) -> User | None:
        seen.append(token)

    app = make(verify=verify)
    app.add_url_rule("/", "page", lambda: "page", security=[("bearer", "key"), ("bearer", "session"), "bearer"])

    assert 401 == app.test_client(edge=edge).get("/", headers=bearer()).status_code
    assert ["ada-token"] == seen


def test_a_stand_in_replaces_the_principal_in_tests(app, edge):
    @app.get("/", security=["bearer"])
    def page(user: User) -> str:
        return user.name

    client = app.test_client(edge=edge)
    with app.providing(User, User(3, "Eve")):
        assert "Eve" == client.get("/").text
    with app.providing(find_user, lambda: User(4, "Dan")):
        assert "Dan" == client.get("/").text
    assert 401 == client.get("/").status_code


def test_responses_of_secured_views_stay_out_of_shared_caches(app, edge):
    @app.get("/<kind>", security=["bearer", "key"])
    def page(kind: str, user: User | None):
        from costrel import make_response

        response = make_response(kind)
        if kind != "plain":
            response.headers["Cache-Control"] = kind
        return response

    app.add_url_rule("/open/", "open", lambda: "open")
    client = app.test_client(edge=edge)

    def fields(path, headers):
        found = client.get(path, headers=headers)
        return found.headers.get("Cache-Control"), found.headers.get("Vary")

    both = "Authorization, X-Key"
    assert ("private", both) == fields("/plain", bearer())
    assert ("private", "Accept, Sec-Fetch-Mode, Authorization, X-Key") == fields("/plain", {})
    assert ("max-age=60, private", both) == fields("/max-age=60", bearer())
    assert ("no-store", both) == fields("/no-store", bearer())
    assert ("public, max-age=60", None) == fields("/public, max-age=60", bearer())
    assert ("s-maxage=60", None) == fields("/s-maxage=60", bearer())
    assert (None, None) == fields("/open/", bearer())


@pytest.mark.parametrize("verify", [find_user, find_user_async])
def test_a_websocket_is_refused_before_it_is_accepted(verify):
    app = make(verify=verify)
    blueprint = Blueprint("chat", __name__, security=["bearer", "key"])

    @blueprint.websocket("/chat/<room>")
    async def chat(room, user: User | None):
        await websocket.send(f"{room}: {user.name if user else current_principal(Robot).serial}")

    app.register_blueprint(blueprint)
    client = app.test_client()

    for headers, text in ((bearer(), "a: Ada"), ({"X-Key": "key-1"}, "a: r1")):
        with client.websocket("/chat/a", headers=headers) as connection:
            assert text == connection.receive()
    for headers in ({}, bearer("stolen")):
        with pytest.raises(WebSocketRefused) as refused, client.websocket("/chat/a", headers=headers):
            pass
        assert 401 == refused.value.status_code
        assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_blocking_function_does_not_block_the_loop_of_websockets():
    threads = []

    def verify(token: str) -> User | None:
        threads.append(threading.current_thread().name)
        return TOKENS.get(token)

    app = make(verify=verify)

    @app.websocket("/", security=["bearer"])
    async def play(user: User):
        threads.append(threading.current_thread().name)
        await websocket.send(user.name)

    with app.test_client().websocket("/", headers=bearer()) as connection:
        assert "Ada" == connection.receive()
    verifying, viewing = threads
    assert verifying.startswith("costrel-worker")
    assert not viewing.startswith("costrel-worker")


def test_an_extension_may_wrap_and_replace_a_secured_view(app, edge):
    seen = []

    def verify(token: str) -> User | None:
        seen.append(token)
        return TOKENS.get(token)

    app.auth_schemes["bearer"] = Bearer(verify=verify)
    app.add_url_rule("/", "page", lambda: current_principal(User).name, security=["bearer"])
    client = app.test_client(edge=edge)
    client.get("/")
    inner = app.view_functions["page"]

    app.view_functions["page"] = lambda: f"wrapped {inner()}"
    assert "wrapped Ada" == client.get("/", headers=bearer()).text
    assert 401 == client.get("/").status_code
    assert ["ada-token"] == seen

    app.view_functions["page"] = lambda: "replaced"
    assert [401, 200] == [client.get("/", headers=each).status_code for each in ({}, bearer())]


# -- at the seal


def sealed(app):
    """The error of the first request; the same error appears when the settings are tried at the start."""
    with pytest.raises((WrongSecurity, SignatureError)) as tried:
        app.try_settings()
    app.testing = True
    with pytest.raises(type(tried.value)) as raised:
        app.test_client().get("/")
    assert str(tried.value) == str(raised.value)
    return str(raised.value)


def test_a_scheme_without_a_function_is_an_error():
    for scheme, parameter in ((Bearer(), "verify"), (ApiKey(cookie="k"), "verify"), (SessionCookie(), "load")):
        app = Costrel(__name__, static_folder=None)
        app.auth_schemes["mine"] = scheme
        message = sealed(app)
        assert "'mine' does not check anything" in message
        assert f"({parameter}=...)" in message


def generated(token):
    yield ADA


@pytest.mark.parametrize("verify", [lambda: None, lambda a, b: None, generated])
def test_a_function_of_other_parameters_is_an_error(verify):
    app = make(verify=verify)
    assert "a function of one parameter" in sealed(app)


def test_an_unknown_scheme_is_an_error_with_near_names(app):
    app.add_url_rule("/", "page", lambda: "page", security=["bearer", "sesion"])
    assert "the route '/' names 'sesion', which is not in app.auth_schemes. Did you mean 'session'?" in sealed(app)


def test_an_unknown_scheme_of_a_blueprint_and_of_the_application(app):
    blueprint = Blueprint("shop", __name__, security=("bearer", "x"))
    blueprint.add_url_rule("/", "page", lambda: "page")
    app.register_blueprint(blueprint)
    assert "the blueprint 'shop' names 'x', which is not in app.auth_schemes. It has 'bearer', 'key', " in sealed(app)

    bare = Costrel(__name__, static_folder=None, security=["bearer"])
    bare.add_url_rule("/", "page", lambda: "page")
    assert "the application names 'bearer', but app.auth_schemes is empty" in sealed(bare)


@pytest.mark.parametrize(
    ("security", "message"),
    [
        ([], "security=[] opens the route '/'"),
        (["key"], "accepts 'key': 'key' does not provide one"),
        (["bearer", "key"], "accepts 'key': 'key' does not provide one"),
    ],
)
def test_a_required_principal_that_may_be_missing_is_an_error(app, security, message):
    @app.get("/", security=security)
    def page(user: User) -> str:
        return user.name

    found = sealed(app)
    assert message in found
    assert "The parameter 'user' of 'page' requires a principal" in found
    assert "'... | None'" in found


def test_a_principal_is_no_body_unless_it_is_marked(app):
    @app.post("/", security=["bearer"])
    def page(users: list[User]) -> str:
        return "page"

    assert "this type has a provider" in sealed(app)

    other = make()

    @other.post("/", security=["bearer"])
    def create(user: A[User, Body()]) -> str:
        return user.name

    assert "Eve" == other.test_client().post("/", json={"id": 5, "name": "Eve"}, headers=bearer()).text


@pytest.mark.parametrize("security", [[None], {"bearer"}, 7, [("bearer", {"key": []})]])
def test_a_security_of_other_values_is_an_error_at_once(security):
    for use in (
        lambda: Costrel(__name__, security=security),
        lambda: Blueprint("a", __name__, security=security),
        lambda: Costrel(__name__).get("/", security=security)(lambda: ""),
    ):
        with pytest.raises(TypeError, match="a list of which any suffices"):
            use()


@pytest.mark.parametrize("security", [(), [[]], ["bearer", ()]])
def test_an_empty_group_is_an_error_at_once(security):
    with pytest.raises(ValueError, match="opens a view"):
        Blueprint("a", __name__, security=security)


def test_what_is_no_scheme_is_refused_at_once():
    app = Costrel(__name__)
    with pytest.raises(TypeError, match="must be a Bearer"):
        app.auth_schemes["bearer"] = find_user
    with pytest.raises(ValueError, match="cannot be the name"):
        app.auth_schemes["my key"] = Bearer(verify=find_user)
    for options in ({}, {"header": "a", "query": "b"}):
        with pytest.raises(TypeError, match="one of header="):
            ApiKey(verify=find_user, **options)
    for options in ({"header": "a b"}, {"header": "X_Key"}, {"cookie": ""}):
        with pytest.raises(ValueError, match="can have the name"):
            ApiKey(verify=find_user, **options)
    with pytest.raises(TypeError, match="takes a function"):
        Bearer(verify="secret")


def test_a_type_that_only_type_checkers_know_is_an_error(app):
    def verify(token: str) -> "Unknown | None":  # noqa: F821 - stands for a name that is not imported
        return None

    app.auth_schemes["bearer"] = Bearer(verify=verify)

    @app.get("/", security=["bearer"])
    def page(count: int) -> str:
        return "page"

    assert "Pass the type as provides=" in sealed(app)


def test_provides_names_the_type_of_a_function_without_annotations(edge):
    app = Costrel(__name__, static_folder=None)
    app.auth_schemes["bearer"] = Bearer(verify=TOKENS.get, provides=User)

    @app.get("/", security=["bearer"])
    def page(user: User) -> str:
        return user.name

    assert "Ada" == app.test_client(edge=edge).get("/", headers=bearer()).text


def test_a_union_of_principals(edge):
    def verify(token: str) -> User | Robot | None:
        return TOKENS.get(token) or KEYS.get(token)

    app = make(verify=verify)

    @app.get("/", security=["bearer", "key"])
    def page(who: User | Robot) -> str:
        return type(who).__name__

    client = app.test_client(edge=edge)
    assert ["User", "Robot", "Robot"] == [
        client.get("/", headers=each).text for each in (bearer(), bearer("key-1"), {"X-Key": "key-1"})
    ]

    other = make(verify=verify)

    @other.get("/", security=["bearer"])
    def narrow(user: User) -> str:
        return user.name

    assert "may provide another type" in sealed(other)


def test_views_without_security_stay_as_they_are(app):
    def page():
        return "page"

    app.add_url_rule("/", "page", page)
    app.test_client().get("/")
    assert app.view_functions["page"] is page


def test_200_mixed_requests_never_see_anothers_principal(edge):
    from concurrent.futures import ThreadPoolExecutor

    tokens = {f"token-{number}": User(number, f"user {number}") for number in range(200)}

    async def verify_async(token: str) -> User | None:
        await asyncio.sleep(0.001)
        return tokens.get(token)

    app = Costrel(__name__, static_folder=None)
    app.auth_schemes["sync"] = Bearer(verify=tokens.get, provides=User)
    app.auth_schemes["async"] = Bearer(verify=verify_async)

    @app.get("/sync", security=["sync"])
    def sync_page(user: User) -> str:
        return f"{user.name} {current_principal(User).name}"

    @app.get("/async", security=["async"])
    async def async_page(user: User) -> str:
        await asyncio.sleep(0.001)
        return f"{user.name} {current_principal(User).name}"

    def ask(number):
        client = app.test_client(edge=edge)
        return client.get(("/sync", "/async")[number % 2], headers=bearer(f"token-{number}")).text

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(ask, range(200)))
    assert [f"user {number} user {number}" for number in range(200)] == found
