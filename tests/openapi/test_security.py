"""Authentication schemes in the API document, and in the changes between two documents."""

import copy
from typing import Annotated as A

import pytest
from msgspec import Struct
from openapi_spec_validator import OpenAPIV31SpecValidator

from costrel import ApiKey, Bearer, Blueprint, Costrel, MethodView, SessionCookie, typed
from costrel.audit import audit
from costrel.openapi.changes import changes_between
from costrel.openapi.document import document_of


class User(Struct):
    id: int


def find_user(token: str) -> User | None:
    return User(1) if token == "right" else None


def make(**options):
    app = Costrel("shop", static_folder=None, **options)
    app.secret_key = "0" * 64
    app.auth_schemes["bearer"] = Bearer(verify=find_user, bearer_format="JWT")
    app.auth_schemes["key"] = ApiKey(query="key", verify=find_user)
    app.auth_schemes["session"] = SessionCookie(load=find_user)
    return app


def operations(app):
    document = document_of(app, untyped=True)
    OpenAPIV31SpecValidator(document).validate()
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_schemes_are_listed():
    app = make(security=["bearer"])
    app.config["SESSION_COOKIE_NAME"] = "id"
    flows = {"clientCredentials": {"tokenUrl": "https://sso.example/token", "scopes": {}}}
    app.auth_schemes["sso"] = Bearer(verify=find_user, flows=flows)
    app.get("/")(lambda: "page")

    assert {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "key": {"type": "apiKey", "in": "query", "name": "key"},
        "session": {"type": "apiKey", "in": "cookie", "name": "id"},
        "sso": {"type": "oauth2", "flows": flows},
    } == document_of(app, untyped=True)["components"]["securitySchemes"]


def test_each_operation_has_its_security():
    app = make(security=["session"])
    blueprint = Blueprint("api", __name__, url_prefix="/api", security=["bearer", ("key", "session")])
    blueprint.get("/")(typed(lambda: "page"))
    app.register_blueprint(blueprint)
    app.get("/default", endpoint="default")(lambda: "page")
    app.get("/open", endpoint="open", security=[])(lambda: "page")

    @app.get("/optional", security=[])
    def optional(user: User | None) -> str:
        return "page"

    @app.get("/token", security=[])
    def token(token: A[str, Bearer()], other: A[str | None, ApiKey(header="X-Other")]) -> str:
        return "page"

    class Items(MethodView):
        @typed
        def get(self, count: int) -> str:
            return "page"

        @typed
        def post(self, user: User) -> str:
            return "page"

    other = make()
    other.add_url_rule("/items", view_func=Items.as_view("items"))

    assert {
        "GET /api/": [{"bearer": []}, {"key": [], "session": []}],
        "GET /default": [{"session": []}],
        "GET /open": None,
        "GET /optional": [{"bearer": []}, {"key": []}, {"session": []}, {}],
        "GET /token": [{"bearer_2": []}, {"apikey": [], "bearer_2": []}],
    } == {name: operation.get("security") for name, operation in operations(app).items()}
    assert {"GET /items": None, "POST /items": [{"bearer": []}, {"key": []}, {"session": []}]} == {
        name: operation.get("security") for name, operation in operations(other).items()
    }


@pytest.mark.parametrize("format", ["html", "accept", "problem"])
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_refusal_is_described_as_it_is_sent(format, accept):
    app = make()
    app.config["ERROR_FORMAT"] = format
    app.get("/", security=["bearer"])(lambda: "page")
    responses = operations(app)["GET /"]["responses"]
    client = app.test_client()

    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer a, Bearer b"}):
        found = client.get("/", headers={"Accept": accept, **headers})
        described = responses[str(found.status_code)]
        assert found.mimetype in described["content"]
        assert set(described["headers"]) <= {name for name, _ in found.headers}
    assert ["200", "400", "401"] == list(responses)


def test_refusals_are_described_only_if_they_can_be_sent():
    app = make()
    app.get("/session", security=["session"], endpoint="a")(lambda: "page")
    app.get("/open", endpoint="b")(lambda: "page")
    app.errorhandler(401)(lambda error: "sign in")

    found = operations(app)
    assert ["200", "401"] == list(found["GET /session"]["responses"])
    assert {"description": "Unauthorized"} == found["GET /session"]["responses"]["401"]
    assert ["200"] == list(found["GET /open"]["responses"])


def test_an_open_session_view_is_never_refused():
    app = Costrel("shop", static_folder=None)
    app.auth_schemes["session"] = SessionCookie(load=find_user)

    @app.get("/")
    def page(user: User | None) -> str:
        return "page"

    assert ["200"] == list(operations(app)["GET /"]["responses"])


BASE = {
    "openapi": "3.1.0",
    "info": {"title": "a", "version": "1"},
    "paths": {"/": {"get": {"operationId": "a", "responses": {}}}},
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
}


def with_security(security, schemes=None):
    document = copy.deepcopy(BASE)
    if security is not None:
        document["paths"]["/"]["get"]["security"] = security
    if schemes is not None:
        document["components"]["securitySchemes"] = schemes
    return document


BEARER, KEY, BOTH = {"bearer": []}, {"key": []}, {"bearer": [], "key": []}


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (None, [BEARER], "breaking: GET /: security was added"),
        ([], [BEARER], "breaking: GET /: security was added"),
        ([BEARER, {}], [BEARER], "breaking: GET /: security was added"),
        (None, [BEARER, {}], "compatible: GET /: security was removed"),
        ([BEARER], None, "compatible: GET /: security was removed"),
        ([BEARER], [BEARER, KEY], "compatible: GET /: accepts further security"),
        ([BOTH], [KEY], "compatible: GET /: accepts further security"),
        ([BEARER], [KEY], "breaking: GET /: security changed from bearer to key"),
        ([BEARER, KEY], [KEY], "breaking: GET /: security changed from bearer or key to key"),
        ([BEARER], [BOTH], "breaking: GET /: security changed from bearer to bearer with key"),
        ([BEARER], [BEARER], None),
    ],
)
def test_added_security_breaks_clients(before, after, change):
    found = changes_between(with_security(before), with_security(after))
    assert ([] if change is None else [change]) == [str(each) for each in found]


def test_a_changed_scheme_breaks_clients():
    old = with_security([KEY], {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "old": {"type": "http"}})
    new = with_security([KEY], {"key": {"type": "apiKey", "in": "query", "name": "key"}, "new": {"type": "http"}})
    assert [
        "breaking: key: the authentication scheme has changed",
        "breaking: old: the authentication scheme was removed",
        "compatible: new: the authentication scheme is new",
    ] == [str(each) for each in changes_between(old, new)]


def test_an_api_without_security_is_a_finding():
    def blueprint(name, **options):
        made = Blueprint(name, __name__, url_prefix=f"/{name}", **options)
        made.get("/")(typed(lambda: "page"))
        return made

    def findings(app):
        return [found.place for found in audit(app) if "requires authentication" in found.problem]

    app = make()
    for made in (blueprint("shop"), blueprint("opened", security=[]), blueprint("closed", security=["bearer"])):
        app.register_blueprint(made)
    implied = Blueprint("implied", __name__)

    @implied.get("/me")
    def me(user: User) -> str:
        return "me"

    outer = Blueprint("outer", __name__, security=["key"])
    outer.register_blueprint(blueprint("inner"))
    for made in (implied, outer):
        app.register_blueprint(made)
    untyped = Blueprint("untyped", __name__)
    untyped.get("/untyped")(lambda: "page")
    app.register_blueprint(untyped)

    assert ["shop"] == findings(app)
    without = Costrel("shop", static_folder=None)
    without.register_blueprint(blueprint("shop"))
    assert [] == findings(without)
