"""The functions around a request belong to its blueprints, as its rule and its class of requests name them."""

import threading
from wsgiref.util import setup_testing_defaults

import pytest

from costrel import Blueprint, Costrel, Request, current_app, has_app_context, has_request_context, request
from costrel.globals import request_ctx


def shop_with_functions(calls):
    shop = Blueprint("shop", __name__, url_prefix="/shop")
    shop.url_value_preprocessor(lambda endpoint, values: calls.append("preprocess"))
    shop.before_request(lambda: calls.append("before"))
    shop.teardown_request(lambda error: calls.append("teardown"))

    @shop.after_request
    def after(response):
        calls.append("after")
        return response

    return shop


def outside():
    return "outside"


def make_app(calls):
    app = Costrel(__name__)
    app.add_url_rule("/outside", view_func=outside)
    shop = shop_with_functions(calls)
    shop.add_url_rule("/page", "page", outside)
    app.register_blueprint(shop)
    return app


ALL = ["preprocess", "before", "after", "teardown"]


@pytest.mark.parametrize(("path", "expected"), [("/shop/page", ALL), ("/outside", []), ("/shop/nowhere", [])])
def test_the_functions_of_the_blueprint_of_the_rule_run(path, expected):
    calls = []
    make_app(calls).test_client().get(path)
    assert expected == calls


def test_a_class_of_requests_may_name_the_blueprints():
    class ShopRequest(Request):
        @property
        def blueprints(self):
            return ["shop"]

    calls = []
    app = make_app(calls)
    app.request_class = ShopRequest
    app.test_client().get("/outside")
    assert calls == ALL


def test_a_patch_of_the_class_counts_from_the_next_request_on(monkeypatch):
    calls = []
    app = make_app(calls)
    app.test_client().get("/outside")
    monkeypatch.setattr(Request, "blueprints", ["shop"])
    app.test_client().get("/outside")
    assert calls == ALL


def test_another_rule_brings_the_functions_of_its_blueprint():
    calls = []
    app = make_app(calls)
    page = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == "shop.page")

    @app.before_request
    def change():
        request.url_rule = page

    app.test_client().get("/outside")
    assert calls == ["after", "teardown"]


def test_subdomains_may_be_turned_on_after_a_request():
    app = Costrel(__name__)
    app.config["SERVER_NAME"] = "example.com"
    app.add_url_rule("/", "shop", lambda: "shop", subdomain="shop")
    client = app.test_client()
    assert client.get("/", base_url="http://shop.example.com").status_code == 404
    app.subdomain_matching = True
    assert client.get("/", base_url="http://shop.example.com").text == "shop"


def answer(app):
    environ = {}
    setup_testing_defaults(environ)
    return b"".join(app(environ, lambda status, headers: None))


def test_a_context_pushed_again_by_a_teardown_function_leaves_the_one_around_it():
    app, other, seen = Costrel("first"), Costrel("second"), []

    @app.teardown_request
    def push_again(error):
        ctx = request_ctx._get_current_object()
        with other.app_context():
            with ctx:
                seen.append(current_app.name)
            seen.append(current_app.name)
        seen.append(current_app.name)

    app.add_url_rule("/", view_func=outside)
    assert (b"outside", ["first", "second", "first"]) == (answer(app), seen)
    assert (False, False) == (has_app_context(), has_request_context())


def test_a_context_that_outlives_the_answer_is_left_in_another_thread():
    app, kept, seen = Costrel(__name__), [], []

    @app.route("/")
    def keep():
        kept.append(request_ctx._get_current_object())
        return "kept"

    def use():
        with kept[0]:
            seen.append(request.path)
        seen.append(has_request_context())

    assert answer(app) == b"kept"
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert ["/", False] == seen
