"""`app.openapi`: the document is served by a view like any other, and made once."""

import subprocess
import sys
from functools import wraps

import pytest
from msgspec import Struct

from costrel import Costrel, OpenAPI, abort, g, request
from costrel.app.application import Flask
from costrel.audit import audit
from costrel.openapi import serving


class Line(Struct):
    sku: str


def make(cls=Costrel, **settings):
    app = cls("shop", static_folder=None)
    app.config.update(settings)

    @app.get("/lines")
    def lines(page: int) -> Line: ...

    return app


def typed_view(page: int) -> Line: ...


def login_required(view):
    @wraps(view)
    def checked(*args, **kwargs):
        if "Authorization" not in request.headers:
            abort(401)
        return view(*args, **kwargs)

    return checked


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_the_document_is_a_view_like_any_other(edge):
    app = make()
    app.openapi = OpenAPI("Shop", "1.2", path="/api/openapi.json", guard=login_required)

    @app.after_request
    def mark(response):
        response.headers["X-Hook"] = request.endpoint
        return response

    client = app.test_client(edge=edge)
    assert client.get("/api/openapi.json").status_code == 401
    response = client.get("/api/openapi.json", headers={"Authorization": "x"})
    assert response.content_type == "application/json"
    assert response.json["info"] == {"title": "Shop", "version": "1.2"}
    assert [*response.json["paths"]] == ["/lines"]
    assert response.headers["X-Hook"] == "openapi"
    again = client.get("/api/openapi.json", headers={"Authorization": "x", "If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_it_is_made_once(monkeypatch):
    app = make()
    app.openapi = OpenAPI()
    made = []
    original = serving.document_of
    monkeypatch.setattr(serving, "document_of", lambda *args, **options: made.append(1) or original(*args, **options))
    client = app.test_client()
    assert client.get("/openapi.json").data == client.get("/openapi.json").data
    assert made == [1]


def test_each_application_has_its_own():
    first, second = make(), Costrel("other", static_folder=None)
    first.openapi = second.openapi = OpenAPI()
    assert first.test_client().get("/openapi.json").json["info"]["title"] == "shop"
    assert second.test_client().get("/openapi.json").json["info"]["title"] == "other"


@pytest.mark.parametrize("settings", [{}, {"TRUSTED_PROXIES": 1}, {"TRUSTED_PROXIES": None}])
@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_unset_it_is_served_in_debug_mode_to_this_computer_only(edge, settings):
    client = make(DEBUG=True, **settings).test_client(edge=edge)
    local = {"base_url": "http://localhost", "environ_base": {"REMOTE_ADDR": "127.0.0.1"}}
    assert client.get("/openapi.json", **local).json["info"]["title"] == "shop"
    assert client.get("/openapi.json", base_url="http://evil.example").status_code == 404
    other = {"base_url": "http://localhost", "environ_base": {"REMOTE_ADDR": "10.0.0.7"}}
    assert client.get("/openapi.json", **other).status_code == 404
    for header in ({"X-Forwarded-For": "10.0.0.7"}, {"Forwarded": "for=10.0.0.7"}, {"X-Real-IP": "10.0.0.7"}):
        assert client.get("/openapi.json", **local, headers=header).status_code == 404, header


def test_unset_it_is_not_served_otherwise():
    assert make().test_client().get("/openapi.json", base_url="http://localhost").status_code == 404
    untyped = Costrel("shop", static_folder=None)
    untyped.config["DEBUG"] = True
    assert untyped.test_client().get("/openapi.json", base_url="http://localhost").status_code == 404


@pytest.mark.parametrize("rule", ["/openapi.json", "/<path:page>", "/<page>"])
def test_a_view_of_the_application_keeps_its_path(rule):
    app = make(DEBUG=True)
    app.add_url_rule(rule, "mine", lambda **values: "mine")
    assert app.test_client().get("/openapi.json", base_url="http://localhost").text == "mine"


def test_flasks_class_serves_it_only_if_it_is_set():
    from typing import Annotated as A

    from costrel import Query

    app = Flask("shop", static_folder=None)
    app.config["DEBUG"] = True

    @app.get("/lines")
    def lines(page: A[int, Query()]) -> Line: ...

    assert app.test_client().get("/openapi.json", base_url="http://localhost").status_code == 404
    other = Flask("shop", static_folder=None)
    other.openapi = OpenAPI()
    assert other.test_client().get("/openapi.json").json["openapi"] == "3.1.0"
    app = Flask("shop", static_folder=None)
    app.openapi = "an extension's"
    assert app.openapi == "an extension's"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"path": "openapi.json"}, "slash"),
        ({"docs": "docs"}, "docs= is 'docs'"),
        ({"guard": "login"}, "decorator"),
    ],
)
def test_a_wrong_option_is_an_error(options, problem):
    with pytest.raises((TypeError, ValueError), match=problem):
        OpenAPI(**options)


def test_it_takes_only_options_and_only_during_setup():
    app = make()
    with pytest.raises(TypeError, match=r"OpenAPI\(\.\.\.\)"):
        app.openapi = {"title": "Shop"}
    app.test_client().get("/")
    with pytest.raises(AssertionError, match="called too late"):
        app.openapi = OpenAPI()


def test_a_clash_of_names_is_an_error_of_the_document_alone():
    app = make(TESTING=False)
    app.openapi = OpenAPI()
    app.add_url_rule("/a", "a.b", lambda: "", hidden=False)
    app.add_url_rule("/b", "a_b", lambda: "", hidden=False)
    client = app.test_client()
    assert client.get("/openapi.json").status_code == 500
    assert client.get("/b").status_code == 200


def test_a_rule_of_a_guard_that_uses_g():
    app = make()

    def guard(view):
        def openapi():
            g.seen = True
            return view()

        return openapi

    app.openapi = OpenAPI(guard=guard)
    with app.test_client() as client:
        client.get("/openapi.json")
        assert g.seen is True


UNUSED = """
import sys
from costrel import Costrel, OpenAPI
app = Costrel("shop", static_folder=None)
app.openapi = OpenAPI()
@app.get("/<int:page>", summary="One page")
def index(page: int, limit: int) -> dict[str, int]:
    return {"page": page}
client = app.test_client()
assert client.get("/1?limit=2").json == {"page": 1}
print(sorted(name for name in sys.modules if name.startswith("costrel.openapi")))
assert client.get("/openapi.json").status_code == 200
"""


def test_nothing_of_it_is_imported_before_it_is_used():
    found = subprocess.run([sys.executable, "-c", UNUSED], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout == "[]\n"


def test_check_names_a_document_without_a_guard():
    def found(**options):
        app = make()
        app.openapi = OpenAPI(**options)
        return [(finding.problem, finding.is_hint) for finding in audit(app) if finding.place == "openapi"]

    assert found(guard=login_required) == []
    assert found() == [("The API document at '/openapi.json' has no guard: all clients get it.", True)]


@pytest.mark.parametrize("settings", [{}, {"DEBUG": True}])
def test_its_own_view_is_not_a_typed_one(settings):
    app = Costrel("shop", static_folder=None, typed=True)
    app.config.update(settings)
    app.add_url_rule("/lines", "lines", typed_view)
    if not settings:
        app.openapi = OpenAPI()
    client = app.test_client()
    assert client.get("/openapi.json", base_url="http://localhost").status_code == 200
    assert [*app.typed_views.inputs()] == ["lines"]
