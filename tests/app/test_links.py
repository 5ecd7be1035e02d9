"""URLs of endpoints, inside and outside of a request."""

import pytest

from costrel import Blueprint, Costrel
from costrel.http.errors import SecurityError
from costrel.routing import BuildError


def application():
    app = Costrel(__name__)
    app.add_url_rule("/item/<int:number>", "item", lambda number: "")
    app.add_url_rule("/new", "new", lambda: "", methods=["POST"])
    blueprint = Blueprint("shop", __name__, url_prefix="/shop")
    blueprint.add_url_rule("/", "index", lambda: "")
    blueprint.add_url_rule("/cart", "cart", lambda: "")
    app.register_blueprint(blueprint)
    return app


def test_inside_a_request_a_link_is_a_path():
    app = application()

    with app.test_request_context("/"):
        assert app.url_for("item", number=1) == "/item/1"
        assert app.url_for("item", number=1, q=["a", "b"], none=None) == "/item/1?q=a&q=b"
        assert app.url_for("item", number=1, self="me") == "/item/1?self=me"
        assert app.url_for("static", filename="a b.css") == "/static/a%20b.css"


def test_inside_a_request_a_link_can_be_a_whole_url():
    app = application()

    with app.test_request_context("/", base_url="http://shop.example/root"):
        assert app.url_for("item", number=1, _external=True) == "http://shop.example/root/item/1"
        assert app.url_for("item", number=1, _scheme="https") == "https://shop.example/root/item/1"
        assert app.url_for("item", number=1, _scheme="", _external=True) == "//shop.example/root/item/1"


def test_outside_of_a_request_a_link_is_a_whole_url():
    app = application()
    app.config.update(SERVER_NAME="shop.example", APPLICATION_ROOT="/root", PREFERRED_URL_SCHEME="https")

    assert app.url_for("item", number=1) == "https://shop.example/root/item/1"
    with app.app_context():
        assert app.url_for("item", number=1) == "https://shop.example/root/item/1"
        assert app.url_for("item", number=1, _external=False) == "/root/item/1"


def test_outside_of_a_request_the_application_must_know_its_host():
    app = application()

    with pytest.raises(RuntimeError) as caught:
        app.url_for("new")

    assert str(caught.value) == (
        "The host of this URL is unknown outside of a request: set 'SERVER_NAME' to it, and if they are not '/' and"
        " 'http', set 'APPLICATION_ROOT' and 'PREFERRED_URL_SCHEME'."
    )


def test_a_scheme_needs_a_whole_url():
    app = application()

    with app.test_request_context("/"), pytest.raises(ValueError) as caught:
        app.url_for("item", number=1, _scheme="https", _external=False)

    assert str(caught.value) == "'_scheme' requires an external URL: leave '_external=False' out."


def test_a_dot_means_the_current_blueprint():
    app = application()

    with app.test_request_context("/shop/"):
        assert app.url_for(".cart") == "/shop/cart"
    with app.test_request_context("/item/1"):
        assert app.url_for(".item", number=2) == "/item/2"
    app.config["SERVER_NAME"] = "shop.example"
    with app.app_context(), pytest.raises(BuildError):
        app.url_for(".item", number=2)


@pytest.mark.parametrize(
    ("anchor", "fragment"),
    [("top", "#top"), ("", "#"), ('x y/ü#?"<>', "#x%20y/%C3%BC#?%22%3C%3E"), ("100%", "#100%"), (None, "")],
)
def test_an_anchor_is_quoted(anchor, fragment):
    app = application()

    with app.test_request_context("/"):
        assert app.url_for("item", number=1, _anchor=anchor) == f"/item/1{fragment}"


def test_the_method_chooses_a_rule():
    app = application()

    with app.test_request_context("/"):
        assert app.url_for("new", _method="POST") == "/new"
        with pytest.raises(BuildError) as caught:
            app.url_for("new", _method="GET")
    assert str(caught.value) == (
        "Could not build url for endpoint 'new' ('GET'). Did you mean to use methods ['OPTIONS', 'POST']?"
    )


def test_an_unknown_endpoint_is_named_with_the_nearest():
    app = application()

    with app.test_request_context("/shop/"), pytest.raises(BuildError) as caught:
        app.url_for(".card")

    assert str(caught.value) == "Could not build url for endpoint 'shop.card'. Did you mean 'shop.cart' instead?"


def test_defaults_come_from_the_application_then_from_the_blueprints():
    app, seen = application(), []
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    inner.add_url_rule("/<where>", "page", lambda where: "")
    outer.url_defaults(lambda endpoint, values: seen.append(("outer", endpoint)))
    inner.url_defaults(lambda endpoint, values: values.setdefault("where", "here"))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.url_defaults(lambda endpoint, values: seen.append(("app", endpoint)))

    with app.test_request_context("/"):
        assert app.url_for("outer.inner.page") == "/here"
        assert app.url_for("item", number=1) == "/item/1"
    assert seen == [("app", "outer.inner.page"), ("outer", "outer.inner.page"), ("app", "item")]


def test_a_handler_can_give_a_url_where_none_is_found():
    app, seen = application(), []
    app.url_build_error_handlers.append(lambda error, endpoint, values: seen.append((endpoint, dict(values))))
    app.url_build_error_handlers.append(lambda error, endpoint, values: f"https://other.example/{endpoint}")

    with app.test_request_context("/"):
        assert app.url_for("elsewhere", a=1, _anchor="top") == "https://other.example/elsewhere"
    assert seen == [("elsewhere", {"a": 1, "_anchor": "top", "_method": None, "_scheme": None, "_external": False})]


def test_without_an_answer_the_last_error_is_raised():
    app = application()
    app.url_build_error_handlers.append(lambda error, endpoint, values: None)

    with app.test_request_context("/"), pytest.raises(BuildError) as first:
        app.url_for("elsewhere")
    assert first.value.endpoint == "elsewhere"

    def raise_another(error, endpoint, values):
        raise BuildError("another", {}, None)

    app.url_build_error_handlers.append(raise_another)
    with app.test_request_context("/"), pytest.raises(BuildError) as second:
        app.url_for("elsewhere")
    assert second.value.endpoint == "another"


# The adapter


def adapter(host="http://a.shop.example:8080", **options):
    settings = options.pop("config", {})
    app = Costrel(__name__, static_folder=None, **options)
    app.config.update(settings)
    with app.test_request_context("/", base_url=host) as ctx:
        found = app.create_url_adapter(ctx.request)
    return found.server_name, found.subdomain


def test_the_host_of_the_request_is_the_host_of_the_links():
    assert adapter() == ("a.shop.example:8080", "")


def test_a_server_name_wins_and_says_the_subdomain_where_that_is_wanted():
    config = {"SERVER_NAME": "shop.example:8080"}

    assert adapter(config=config) == ("shop.example:8080", "")
    assert adapter(config=config, subdomain_matching=True) == ("shop.example:8080", "a")
    assert adapter(config=config, host_matching=True) == ("a.shop.example:8080", None)


def test_a_host_that_is_not_trusted_is_refused():
    app = application()
    app.config["TRUSTED_HOSTS"] = ["shop.example"]
    with app.test_request_context("/", base_url="http://shop.example") as ctx:
        assert app.create_url_adapter(ctx.request).server_name == "shop.example"

    with app.test_request_context("/", base_url="http://evil.example") as ctx, pytest.raises(SecurityError):
        app.create_url_adapter(ctx.request)
