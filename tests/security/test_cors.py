"""Sharing with other origins (row D16): a policy is compared literally, and applies to the view of its path alone."""

import pytest

from costrel import Blueprint, CORSPolicy, cors

from .calls import assert_linear, over_wsgi

GOOD = "https://shop.example"


@pytest.fixture
def app(make):
    """Share /pub with every origin, the rest of the shop with one origin, and /admin with none."""
    app = make()
    app.config["CORS_POLICY"] = CORSPolicy([GOOD, "https://*.shop.example"], credentials=True)
    app.add_url_rule("/shop", "shop", lambda: "shop")
    app.add_url_rule("/admin", "admin", cors(None)(lambda: "admin"), methods=["GET", "POST"])
    pub = Blueprint("pub", __name__, url_prefix="/pub")
    cors("*")(pub)
    pub.add_url_rule("/", "index", lambda: "index")
    pub.add_url_rule("/<path:name>", "file", lambda name: f"file {name}")
    app.register_blueprint(pub)
    return app


def asked(origin, method="GET"):
    return [("Origin", origin), ("Access-Control-Request-Method", method)]


def told(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize(
    "origin",
    [
        "https://shopXexample", "https://shop.example.evil", "https://evilshop.example", "http://shop.example",
        "https://shop.example:444", "https://shop.example/", "https://SHOP.example", "https://shop.example, https://evil",
        "https://evil/.shop.example", "https://evil#.shop.example", "https://a@evil.shop.example", "null", "*",
        "https://", "https://.shop.example", "https://a\xe9.shop.example", ".*", "https://*.shop.example",
    ],
)  # fmt: skip
def test_d16_an_origin_is_compared_literally(app, send, origin):
    assert {} == told(send(app, "/shop", headers=[("Origin", origin)]))
    answer = send(app, "/shop", method="OPTIONS", headers=asked(origin))
    assert (403, {}) == (answer.status, told(answer))


@pytest.mark.parametrize("origin", [GOOD, "https://eu.shop.example", "https://a.eu.shop.example"])
def test_d16_those_that_are_named_are_shared_with(app, send, origin):
    expected = {"access-control-allow-origin": origin, "access-control-allow-credentials": "true"}
    assert expected == told(send(app, "/shop", headers=[("Origin", origin)]))
    assert 204 == send(app, "/shop", method="OPTIONS", headers=asked(origin)).status


@pytest.mark.parametrize(
    ("path", "text", "shared"),
    [
        ("/pub/..%2fadmin", "file ../admin", True),
        ("/pub/..%252fadmin", "file ..%2fadmin", True),
        ("/pub%2f", "index", True),
        ("/admin", "admin", False),
        ("/%61dmin", "admin", False),
    ],
)
def test_d16_a_path_has_the_policy_of_the_view_that_it_leads_to(app, send, path, text, shared):
    answer = send(app, path, headers=[("Origin", "https://evil.example")])
    assert (text, shared) == (answer.text, bool(told(answer)))


@pytest.mark.parametrize(
    "path", ["/admin%2f..%2fpub%2fx", "/admin/../pub/x", "/ADMIN", "/admin;/pub/", "/admin%00", "/Pub/x"]
)
def test_d16_what_only_looks_like_a_shared_path_is_none(app, send, path):
    answer = send(app, path, headers=[("Origin", "https://evil.example")])
    assert (404, {}) == (answer.status, told(answer))


def test_d16_a_view_without_a_policy_is_not_opened_by_one_beside_it(app, send):
    answer = send(app, "/admin", method="OPTIONS", headers=asked(GOOD, "POST"))
    assert (200, {}) == (answer.status, told(answer))


def test_d16_private_networks_are_closed_unless_opened(app, send):
    headers = [*asked(GOOD), ("Access-Control-Request-Private-Network", "true")]
    assert "access-control-allow-private-network" not in told(send(app, "/shop", method="OPTIONS", headers=headers))
    app.config["CORS_POLICY"] = CORSPolicy(GOOD, private_network=True)
    app.config["TESTING"] = True
    assert "true" == told(send(app, "/shop", method="OPTIONS", headers=headers))["access-control-allow-private-network"]


@pytest.mark.parametrize("origin", ["*", "null"])
def test_d16_credentials_are_never_for_everybody(origin):
    with pytest.raises(ValueError, match="List the origins"):
        CORSPolicy(origin, credentials=True)


def test_d16_caches_keep_origins_apart(app, send):
    for headers in ([], [("Origin", GOOD)], [("Origin", "https://evil.example")]):
        assert "Origin" == send(app, "/shop", headers=headers).headers["vary"]
    assert "vary" not in send(app, "/pub/", headers=[]).headers


@pytest.mark.parametrize("name", ["Access-Control-Request-Headers", "Access-Control-Request-Method", "Origin"])
def test_d16_odd_fields_take_linear_time(make, name):
    app = make()
    app.config["CORS_POLICY"] = CORSPolicy(["https://*.shop.example", "null"], headers="*")
    app.add_url_rule("/", "index", lambda: "index")

    def run(size):
        fields = dict(asked("null")) | {name: ("https://" + "a." * size + "shop.example,")[: 2 * size] + "x"}
        assert over_wsgi(app, "/", method="OPTIONS", headers=fields.items()).status in (204, 403)

    assert_linear(run, 30_000)
