"""Requests that the router redirects, and the arguments of an adapter's view function."""

import pytest

from costrel.http.errors import NotFound
from costrel.routing import BaseConverter, Map, RequestRedirect, Rule, ValidationError
from costrel.routing.errors import RoutingException


def redirect(adapter, *args, **kwargs):
    with pytest.raises(RequestRedirect) as caught:
        adapter.match(*args, **kwargs)
    return caught.value.new_url


def test_a_redirect_is_an_answer():
    error = RequestRedirect("http://h/a/")
    response = error.get_response({})
    assert response.status_code == error.code == 308
    assert response.headers["Location"] == error.new_url == "http://h/a/"
    assert isinstance(error, RoutingException)
    assert str(error) == "308 Permanent Redirect: http://h/a/"


def test_the_query_comes_along():
    adapter = Map([Rule("/a/", endpoint="e")]).bind("h", "/app", query_args={"x": [1, "ü"]})
    assert redirect(adapter, "/a") == "http://h/app/a/?x=1&x=%C3%BC"
    assert redirect(adapter, "/a", query_args="raw=%&") == "http://h/app/a/?raw=%&"
    assert redirect(adapter, "/a", query_args="a\x1c\r\nb\x7f") == "http://h/app/a/?a%1C%0D%0Ab%7F"


def test_an_adapter_makes_absolute_urls():
    adapter = Map().bind("h", "/app", "w", query_args={"q": 1})
    assert adapter.make_redirect_url("/x") == "http://w.h/app/x?q=1"
    assert adapter.make_redirect_url("x", "", "") == "http://h/app/x"
    assert adapter.encode_query_args({"a": [1, None], "b": "ü"}) == "a=1&b=%C3%BC"


def test_values_that_are_defaults_have_a_nicer_url():
    rules = [Rule("/all/", endpoint="all", defaults={"page": 1}), Rule("/all/<int:page>", endpoint="all")]
    adapter = Map(rules).bind("h")
    assert redirect(adapter, "/all/1") == "http://h/all/"
    assert adapter.match("/all/2") == ("all", {"page": 2})
    plain = Map([rule.empty() for rule in rules], redirect_defaults=False).bind("h")
    assert plain.match("/all/1") == ("all", {"page": 1})


def test_a_nicer_url_must_take_the_method_and_be_built():
    class Shy(BaseConverter):
        def to_url(self, value):
            raise ValidationError

    adapter = Map(
        [
            Rule("/all/", endpoint="all", defaults={"page": 1}, methods=["GET"]),
            Rule("/all/<int:page>", endpoint="all"),
            Rule("/shy/<shy:name>/", endpoint="shy", defaults={"page": 1}),
            Rule("/shy/<shy:name>/<int:page>", endpoint="shy"),
        ],
        converters={"shy": Shy},
    ).bind("h")
    assert adapter.match("/all/1", method="POST") == ("all", {"page": 1})
    assert adapter.match("/shy/x/1") == ("shy", {"name": "x", "page": 1})


def test_an_alias_redirects():
    rules = [Rule("/user/<name>", endpoint="user"), Rule("/u/<name>", endpoint="user", alias=True)]
    adapter = Map(rules).bind("h", query_args={"q": 1})
    assert redirect(adapter, "/u/ada") == "http://h/user/ada?q=1"
    plain = Map([rule.empty() for rule in rules], redirect_defaults=False).bind("h")
    assert plain.match("/u/ada") == ("user", {"name": "ada"})


def test_a_rule_may_redirect():
    url_map = Map(
        [
            Rule("/a/<int:x>", redirect_to="b/<x>?y=<x>"),
            Rule("/c/<x>", redirect_to=lambda adapter, x: f"/d/{x}"),
            Rule("/e", redirect_to="https://other.example/"),
        ]
    )
    adapter = url_map.bind("h", "/app")
    assert redirect(adapter, "/a/7") == "http://h/app/b/7?y=7"
    assert redirect(adapter, "/c/8") == "http://h/d/8"
    assert redirect(adapter, "/e") == "https://other.example/"
    on_subdomain = Map([Rule("/x", redirect_to="y", subdomain="w")]).bind("h", subdomain="w", url_scheme="https")
    assert redirect(on_subdomain, "/x") == "https://w.h/y"


class Anything(BaseConverter):
    regex = ".*"
    part_isolating = False


@pytest.mark.parametrize("target", ["<x>", "/<x>", "/a/<x>", "<x>/b"])
@pytest.mark.parametrize("value", ["http://evil.example/", "//evil.example/", "/evil.example/", "evil:x", "a/b"])
def test_a_value_does_not_redirect_to_another_host(target, value):
    rule = Rule("/go/<anything:x>", redirect_to=target)
    adapter = Map([rule], converters={"anything": Anything}).bind("h", "/app")
    assert redirect(adapter, f"/go/{value}").startswith("http://h/")


def test_dispatch_calls_the_view():
    adapter = Map([Rule("/<x>", endpoint="e"), Rule("/a/b/", endpoint="f")]).bind("h", path_info="/1")
    assert adapter.dispatch(lambda endpoint, values: (endpoint, values)) == ("e", {"x": "1"})
    assert adapter.dispatch(print, "/a/b").new_url == "http://h/a/b/"


def test_dispatch_returns_errors_if_asked_to():
    adapter = Map([Rule("/", endpoint="e")]).bind("h")

    def view(endpoint, values):
        raise NotFound

    for path in ("/", "/x"):
        with pytest.raises(NotFound):
            adapter.dispatch(view, path)
        assert isinstance(adapter.dispatch(view, path, catch_http_exceptions=True), NotFound)


def test_a_test_counts_redirects_as_found():
    adapter = Map([Rule("/a/", endpoint="e")]).bind("h")
    assert [adapter.test(path) for path in ("/a/", "/a", "/b")] == [True, True, False]
