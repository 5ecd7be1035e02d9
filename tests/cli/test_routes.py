"""`costrel routes`."""

import pytest

import costrel
from costrel.cli import FlaskGroup


def table(invoke, app, *arguments):
    """The lines that the command prints, without spaces at their ends."""
    result = invoke(FlaskGroup(create_app=lambda: app), "routes", *arguments)
    assert result.exit_code == 0
    return [line.rstrip() for line in result.output.splitlines()]


@pytest.fixture
def app():
    app = costrel.Costrel("shop", static_folder=None)
    app.add_url_rule("/item/<int:number>", endpoint="item", methods=["GET", "PUT", "DELETE"])
    app.add_url_rule("/cart", endpoint="zz_cart", methods=["POST"])
    app.add_url_rule("/", endpoint="index")
    return app


def test_the_routes(invoke, app):
    assert table(invoke, app) == [
        "Endpoint  Methods           Rule",
        "--------  ----------------  ------------------",
        "index     GET               /",
        "item      DELETE, GET, PUT  /item/<int:number>",
        "zz_cart   POST              /cart",
    ]


def test_all_methods(invoke, app):
    assert "index     GET, HEAD, OPTIONS               /" in table(invoke, app, "--all-methods")


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("endpoint", ["index", "item", "zz_cart"]),
        ("methods", ["item", "index", "zz_cart"]),
        ("rule", ["index", "zz_cart", "item"]),
        ("domain", ["index", "zz_cart", "item"]),
    ],
)
def test_the_order(invoke, app, sort, order):
    endpoints = [line.split()[0] for line in table(invoke, app, "--sort", sort)[2:]]

    assert sorted(endpoints) == sorted(order)
    if sort != "domain":  # without domains, that is the order in which they were added
        assert endpoints == order


def test_the_order_of_matching(invoke, app):
    endpoints = [line.split()[0] for line in table(invoke, app, "-s", "match")[2:]]

    assert endpoints == [rule.endpoint for rule in app.url_map.iter_rules()]


def test_subdomains(invoke):
    app = costrel.Costrel("shop", static_folder=None)
    app.add_url_rule("/a", subdomain="api", endpoint="a")
    app.add_url_rule("/b", endpoint="b")

    assert table(invoke, app) == [
        "Endpoint  Methods  Subdomain  Rule",
        "--------  -------  ---------  ----",
        "a         GET      api        /a",
        "b         GET                 /b",
    ]


def test_hosts(invoke):
    app = costrel.Costrel("shop", static_folder=None, host_matching=True)
    app.add_url_rule("/a", host="a.example", endpoint="a")
    app.add_url_rule("/b", host="<name>.example", endpoint="b")

    assert table(invoke, app, "-s", "domain") == [
        "Endpoint  Methods  Host            Rule",
        "--------  -------  --------------  ----",
        "b         GET      <name>.example  /b",
        "a         GET      a.example       /a",
    ]


def test_no_routes(invoke):
    assert table(invoke, costrel.Costrel("shop", static_folder=None)) == ["No routes were registered."]
