"""Which URL an endpoint has."""

import pytest

from costrel.http.multidict import MultiDict
from costrel.routing import AnyConverter, BaseConverter, BuildError, IntegerConverter, Map, Rule, ValidationError


def bind(*rules, **kwargs):
    return Map(rules, **kwargs).bind("h.example", "/app")


def test_values_fill_the_variables():
    adapter = bind(Rule("/user/<int:id>/post/<slug>", endpoint="post"))
    assert adapter.build("post", {"id": 7, "slug": "a-b"}) == "/app/user/7/post/a-b"
    assert adapter.build("post", {"id": "7", "slug": "ü?"}) == "/app/user/7/post/%C3%BC%3F"


def test_a_fixed_url_needs_no_values():
    adapter = bind(Rule("/a b/ü", endpoint="e"))
    assert adapter.build("e") == adapter.build("e", {}) == "/app/a%20b/%C3%BC"


def test_other_values_become_the_query():
    adapter = bind(Rule("/<x>", endpoint="e"))
    assert adapter.build("e", {"x": "a", "page": 2}) == "/app/a?page=2"
    assert adapter.build("e", {"x": "a", "q": "b c&", "r": [1, "d"], "s": None}) == "/app/a?q=b+c%26&r=1&r=d"
    assert adapter.build("e", {"x": "a", "flag": True, "ü": ""}) == "/app/a?flag=True&%C3%BC="
    assert adapter.build("e", {"x": "a", "page": 2}, append_unknown=False) == "/app/a"
    assert adapter.build("e", {"x": "a", "empty": []}) == "/app/a"


def test_the_query_can_be_sorted():
    rule = Rule("/", endpoint="e")
    values = {"b": 1, "a": [3, 2]}
    assert bind(rule, sort_parameters=True).build("e", values) == "/app/?a=2&a=3&b=1"
    backwards = bind(rule.empty(), sort_parameters=True, sort_key=lambda pair: -ord(pair[0]))
    assert backwards.build("e", values) == "/app/?b=1&a=3&a=2"


def test_a_multidict_gives_lists():
    adapter = bind(Rule("/<x>", endpoint="e"))
    assert adapter.build("e", MultiDict([("x", "a"), ("y", 1), ("y", 2)])) == "/app/a?y=1&y=2"


def test_the_rule_that_takes_most_values_wins():
    adapter = bind(
        Rule("/", endpoint="e"),
        Rule("/<x>", endpoint="e"),
        Rule("/<x>/<y>", endpoint="e"),
        Rule("/alias/<x>/<y>", endpoint="e", alias=True),
    )
    assert adapter.build("e", {"x": 1, "y": 2}) == "/app/1/2"
    assert adapter.build("e", {"x": 1, "z": 2}) == "/app/1?z=2"
    assert adapter.build("e") == "/app/"


def test_defaults_choose_the_rule():
    adapter = bind(Rule("/all/", endpoint="all", defaults={"page": 1}), Rule("/all/<int:page>", endpoint="all"))
    assert adapter.build("all", {"page": 1}) == "/app/all/"
    assert adapter.build("all", {"page": 2}) == "/app/all/2"
    assert adapter.build("all") == "/app/all/"


def test_a_default_may_stand_in_the_pattern():
    adapter = bind(Rule("/v<int:version>/x", endpoint="e", defaults={"version": 2}))
    assert adapter.build("e") == adapter.build("e", {"version": 2}) == "/app/v2/x"
    with pytest.raises(BuildError):
        adapter.build("e", {"version": 3})


def test_a_default_that_its_converter_refuses_is_refused_with_the_rule():
    with pytest.raises(ValueError):
        Map([Rule("/<int:x>", endpoint="e", defaults={"x": "one"})])


def test_methods_choose_the_rule():
    adapter = bind(
        Rule("/get", endpoint="e", methods=["GET"]),
        Rule("/post", endpoint="e", methods=["POST"]),
        Rule("/put", endpoint="put", methods=["PUT"]),
    )
    assert adapter.build("e") == "/app/get"
    assert adapter.build("e", method="POST") == "/app/post"
    assert adapter.build("put") == "/app/put"


def test_an_external_url_has_scheme_and_host():
    adapter = bind(Rule("/", endpoint="e"))
    assert adapter.build("e", force_external=True) == "http://h.example/app/"
    assert adapter.build("e", force_external=True, url_scheme="https") == "https://h.example/app/"
    assert adapter.build("e", force_external=True, url_scheme="") == "//h.example/app/"
    assert adapter.build("e", url_scheme="https") == "/app/"


def test_another_subdomain_makes_it_external():
    adapter = bind(Rule("/", endpoint="e", subdomain="<user>"), Rule("/", endpoint="own"))
    assert adapter.build("e", {"user": "ada"}) == "http://ada.h.example/app/"
    assert adapter.map.bind("h.example", subdomain="ada").build("e", {"user": "ada"}) == "/"
    assert adapter.map.bind("h.example", subdomain="ada").build("own") == "http://h.example/"


def test_a_websocket_has_a_whole_url():
    adapter = bind(Rule("/ws", endpoint="ws", websocket=True), Rule("/", endpoint="e"))
    assert adapter.build("ws") == "ws://h.example/app/ws"
    secure = adapter.map.bind("h.example", url_scheme="wss")
    assert secure.build("ws") == "wss://h.example/ws"
    assert secure.build("e", force_external=True) == "https://h.example/"


def test_host_matching_prefers_the_own_host():
    url_map = Map([Rule("/", endpoint="e", host="a"), Rule("/", endpoint="e", host="b")], host_matching=True)
    assert url_map.bind("b").build("e") == "/"
    assert url_map.bind("c").build("e") == "http://a/"


def test_a_converter_that_refuses_a_value_rules_its_rule_out():
    class Even(BaseConverter):
        def to_url(self, value):
            if value % 2:
                raise ValidationError
            return str(value)

    adapter = bind(Rule("/<even:x>", endpoint="e"), Rule("/odd/<y>/", endpoint="e"), converters={"even": Even})
    assert adapter.build("e", {"x": 2}) == "/app/2"
    assert adapter.build("e", {"x": 1, "y": "z"}) == "/app/odd/z/?x=1"
    with pytest.raises(BuildError):
        adapter.build("e", {"x": 1})


def test_numbers_are_written_with_their_digits():
    digits = IntegerConverter(Map(), fixed_digits=3)
    assert [digits.to_url(value) for value in (5, "5", -5, 5000)] == ["005", "005", "-05", "5000"]


def test_any_writes_the_value_as_it_is():
    assert AnyConverter(Map(), "a b", "c").to_url("a b") == "a b"


def test_any_says_which_values_there_are():
    with pytest.raises(ValueError) as caught:
        AnyConverter(Map(), "b", "a").to_url("c")
    assert str(caught.value) == "'c' is not one of 'a', 'b'"


def error(adapter, *args, **kwargs):
    with pytest.raises(BuildError) as caught:
        adapter.build(*args, **kwargs)
    return str(caught.value)


def test_a_build_error_says_what_was_probably_meant():
    adapter = bind(
        Rule("/post/<int:id>", endpoint="post.view", methods=["GET"]),
        Rule("/post/", endpoint="post.create", methods=["POST"]),
    )
    assert error(adapter, "post.viwe", {"id": 1}) == (
        "Could not build url for endpoint 'post.viwe' with values ['id']. Did you mean 'post.view' instead?"
    )
    assert error(adapter, "post.view") == (
        "Could not build url for endpoint 'post.view'. Did you forget to specify values ['id']?"
    )
    assert error(adapter, "post.create", {"z": 1, "a": 2}, method="PUT") == (
        "Could not build url for endpoint 'post.create' ('PUT') with values ['a', 'z']."
        " Did you mean to use methods ['POST']?"
    )
    assert error(Map().bind("h"), "x") == "Could not build url for endpoint 'x'."


def test_a_build_error_knows_the_closest_rule():
    rule = Rule("/<x>", endpoint="index")
    adapter = bind(rule)
    with pytest.raises(BuildError) as caught:
        adapter.build("idx", {"y": 1}, method="GET")
    assert caught.value.suggested is rule
    assert caught.value.closest_rule(None) is None
    assert (caught.value.endpoint, caught.value.values, caught.value.method) == ("idx", {"y": 1}, "GET")
    assert isinstance(caught.value, LookupError)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, BuildError),
        ({"x": 1}, BuildError),
        ({"x": 1, "y": None}, BuildError),
        ({"x": "b"}, BuildError),
        ({"x": "b", "y": "c"}, BuildError),
        ({"x": [], "y": "c"}, BuildError),
        ({"x": 1, "y": "é", "z": None}, "/app/1/%C3%A9"),
        ({"x": 1, "y": 2, "z": 3}, "/app/1/2?z=3"),
    ],
)
def test_an_endpoint_with_one_rule_builds_like_one_with_more(values, expected):
    lone = bind(Rule("/<int:x>/<y>", endpoint="e", methods=["GET"]))
    several = bind(
        Rule("/<int:x>/<y>", endpoint="e", methods=["GET"]), Rule("/<x>/<y>/<z>", endpoint="e", methods=["PUT"])
    )
    for adapter in (lone, several):
        if isinstance(expected, str):
            assert adapter.build("e", values, method="GET") == expected
        else:
            with pytest.raises(expected):
                adapter.build("e", values, method="GET")
        with pytest.raises(BuildError):
            adapter.build("e", values, method="POST")


def test_a_changed_rule_is_what_the_short_way_builds_from():
    rule = Rule("/<x>", endpoint="e", methods=["GET"])
    adapter = bind(rule)
    assert adapter.build("e", {"x": 1}, method="GET") == "/app/1"
    rule.methods.discard("GET")
    with pytest.raises(BuildError):
        adapter.build("e", {"x": 1}, method="GET")
    adapter.map.add(Rule("/<x>/<y>", endpoint="e"))
    assert adapter.build("e", {"x": 1, "y": 2}) == "/app/1/2"


def test_a_rule_builds_by_itself():
    rule = Rule("/<x>", endpoint="e", subdomain="<y>")
    Map([rule])
    assert rule.build({"x": 1, "y": "w", "z": 2}) == ("w", "/1?z=2")
    assert rule.build({"x": 1, "y": "w", "z": 2}, append_unknown=False) == ("w", "/1")
