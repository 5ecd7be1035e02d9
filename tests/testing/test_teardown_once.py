"""In a ``with client:`` block, the functions of `teardown_request` run once for each request."""

import pytest

from costrel import Costrel, g, redirect, request


@pytest.fixture(params=["wsgi", "asgi"])
def client_and_calls(request):
    app = Costrel("once")
    calls = []
    app.teardown_request(lambda error: calls.append("request"))
    app.teardown_appcontext(lambda error: calls.append(g.pop("opened", "app")))
    app.add_url_rule("/", "index", lambda: "index")
    app.add_url_rule("/away", "away", lambda: redirect("/"))
    return app.test_client(edge=request.param), calls


def test_two_requests(client_and_calls):
    client, calls = client_and_calls
    with client:
        client.get("/")
        client.get("/")
    assert calls.count("request") == 2


def test_a_chain_of_redirects(client_and_calls):
    client, calls = client_and_calls
    with client:
        client.get("/away", follow_redirects=True)
    assert calls.count("request") == 2


def test_a_request_that_ends_with_the_block(client_and_calls):
    client, calls = client_and_calls
    with client:
        client.get("/")
        assert calls == ["request", "app"]
        assert request.path == "/"
        g.opened = "opened by the test"
    assert calls == ["request", "app", "opened by the test"]
