"""A host is examined once for one list of trusted hosts."""

import pytest

from costrel import Costrel, request


@pytest.fixture
def app():
    app = Costrel(__name__)
    app.add_url_rule("/", "index", lambda: request.host)
    app.config["TRUSTED_HOSTS"] = ["shop.example", ".example.org"]
    return app


def status(app, host):
    return app.test_client().get("/", headers={"Host": host}).status_code


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("shop.example", 200),
        ("shop.example:8000", 200),
        ("www.example.org", 200),
        ("example.org", 200),
        ("evil.example", 400),
        ("shop.example.evil", 400),
        ("", 400),
        ("shop.example/", 400),
    ],
)
def test_the_answer_is_the_same_each_time(app, host, expected):
    assert [status(app, host) for _ in range(3)] == [expected] * 3


def test_a_list_that_is_changed_in_place_counts(app):
    assert status(app, "shop.example") == 200
    app.config["TRUSTED_HOSTS"].remove("shop.example")
    assert status(app, "shop.example") == 400
    app.config["TRUSTED_HOSTS"].append("shop.example")
    assert status(app, "shop.example") == 200


@pytest.mark.parametrize("trusted", [["other.example"], ("other.example",), {"other.example"}])
def test_another_list_counts(app, trusted):
    assert status(app, "shop.example") == 200
    app.config["TRUSTED_HOSTS"] = trusted
    assert [status(app, "shop.example") for _ in range(2)] == [400, 400]


def test_hosts_that_were_accepted_without_a_list_are_examined_again(app):
    app.config["TRUSTED_HOSTS"] = None
    assert status(app, "other.example") == 200
    app.config["TRUSTED_HOSTS"] = ["shop.example"]
    assert status(app, "other.example") == 400


def test_a_host_is_examined_once(app, monkeypatch):
    examined = []
    check = app.request_class.check_host
    monkeypatch.setattr(app.request_class, "check_host", lambda self: examined.append(self.host) or check(self))
    for host in ("shop.example", "shop.example", "example.org", "shop.example"):
        assert status(app, host) == 200
    assert examined == ["shop.example", "example.org"]


def test_the_request_knows_the_trusted_hosts(app):
    app.add_url_rule("/trusted", "trusted", lambda: {"trusted": request.trusted_hosts})
    for _ in range(2):
        response = app.test_client().get("/trusted", headers={"Host": "shop.example"})
        assert response.json == {"trusted": ["shop.example", ".example.org"]}


def test_clients_that_invent_hosts_do_not_fill_the_memory(app):
    client = app.test_client()
    for number in range(1030):
        assert client.get("/", headers={"Host": f"h{number}.example.org"}).status_code == 200
    assert len(app.known_hosts.names) == 1024
    assert status(app, "h1029.example.org") == 200
