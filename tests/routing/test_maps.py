"""A map keeps its rules in order, even if rules are added later or changed."""

import threading
import warnings

import pytest

from costrel.http.errors import BadHost
from costrel.routing import (
    EndpointPrefix,
    Map,
    MapAdapter,
    PathConverter,
    Rule,
    RuleFactory,
    RuleTemplate,
    Subdomain,
    Submount,
    UnicodeConverter,
    converters,
)


def test_a_map_shows_its_rules():
    url_map = Map([Rule("/", endpoint="i", methods=["POST"]), Rule("/<x>", endpoint="e", subdomain="<y>")])
    assert repr(url_map) == "Map([<Rule '/' (POST) -> i>, <Rule '<y>|/<x>' -> e>])"
    assert [rule.endpoint for rule in url_map.iter_rules()] == ["i", "e"]
    assert [str(rule) for rule in url_map.iter_rules("e")] == ["/<x>"]
    with pytest.raises(KeyError):
        url_map.iter_rules("nope")


def test_an_endpoint_expects_arguments():
    url_map = Map([Rule("/<int:x>", endpoint="e", defaults={"y": 1}), Rule("/", endpoint="e")])
    assert url_map.is_endpoint_expecting("e", "x")
    assert url_map.is_endpoint_expecting("e", "x", "y")
    assert not url_map.is_endpoint_expecting("e", "z")
    with pytest.raises(KeyError):
        url_map.is_endpoint_expecting("nope")


def test_a_rule_belongs_to_one_map():
    rule = Rule("/", endpoint="e")
    Map([rule])
    with pytest.raises(RuntimeError) as caught:
        Map([rule])
    assert str(caught.value) == "url rule <Rule '/' -> e> already bound to map Map([<Rule '/' -> e>])"


def test_an_unbound_rule_has_no_pattern_yet():
    rule = Rule("/<x>", endpoint="e")
    assert repr(rule) == "<Rule (unbound)>"
    with pytest.raises(RuntimeError, match="rule not bound"):
        rule.compile()


def test_a_changed_rule_is_read_again():
    rule = Rule("/a/<x>", endpoint="e")
    adapter = Map([rule]).bind("h")
    assert adapter.build("e", {"x": 1}) == "/a/1"
    rule.rule = "/b/<x>"
    rule.refresh()
    assert adapter.build("e", {"x": 1}) == "/b/1"


def test_rules_are_equal_where_their_patterns_look_alike():
    first, second, other = Rule("/<x>"), Rule("/<int:x>"), Rule("/<y>")
    Map([first, second, other])
    assert first == second
    assert first != other
    assert first != "/<x>"
    with pytest.raises(TypeError):
        hash(first)


def test_a_copy_keeps_all_that_was_set():
    rule = Rule("/", defaults={"x": 1}, methods=["GET"], websocket=True, merge_slashes=False, alias=True, endpoint="e")
    copy = rule.empty()
    assert copy.map is None
    assert (copy.defaults, copy.methods) == ({"x": 1}, {"GET", "HEAD"})
    assert copy.defaults is not rule.defaults
    assert copy.methods is not rule.methods
    assert (copy.websocket, copy.merge_slashes, copy.alias, copy.endpoint) == (True, False, True, "e")


def test_methods_are_a_list():
    with pytest.raises(TypeError) as caught:
        Rule("/", methods="GET")
    assert str(caught.value) == "'methods' should be a list of strings."
    with pytest.raises(ValueError) as caught:
        Rule("/", websocket=True, methods=["POST"])
    assert str(caught.value) == "WebSocket rules can only use 'GET', 'HEAD', and 'OPTIONS' methods."


def test_subclasses_of_rules_are_asked():
    class Versioned(Rule):
        def __init__(self, string, version=1, **kwargs):
            super().__init__(string, **kwargs)
            self.version = version

        def get_empty_kwargs(self):
            return {**super().get_empty_kwargs(), "version": self.version}

        def get_converter(self, variable_name, converter_name, args, kwargs):
            return (
                PathConverter(self.map)
                if variable_name == "rest"
                else super().get_converter(variable_name, converter_name, args, kwargs)
            )

        def build(self, values, append_unknown=True):
            built = super().build(values, append_unknown)
            return built and (built[0], f"/v{self.version}{built[1]}")

        def suitable_for(self, values, method=None):
            return values.get("version", self.version) == self.version and super().suitable_for(values, method)

        def build_compare_key(self):
            return (-self.version, *super().build_compare_key())

        def provides_defaults_for(self, rule):
            return False

    rules = [Versioned("/<rest>", endpoint="e"), Versioned("/<rest>", 2, endpoint="e")]
    url_map = Map([Submount("/api", rules)])
    adapter = url_map.bind("h")
    assert adapter.match("/api/a/b") == ("e", {"rest": "a/b"})
    assert adapter.build("e", {"rest": "a/b"}) == "/v2/api/a/b"
    assert adapter.build("e", {"rest": "a", "version": 1}, append_unknown=False) == "/v1/api/a"


def test_groups_of_rules_come_in_one_another():
    resource = RuleTemplate(
        [
            Rule("/$name/", endpoint="$name.list"),
            Rule(
                "/$name/<int:id>", endpoint="$name.show", websocket=True, subdomain="$name", defaults={"kind": "$name"}
            ),
        ]
    )
    url_map = Map([Subdomain("api", [Submount("/v1/", [EndpointPrefix("v1.", [resource(name="user")])])])])
    listing, show = url_map.iter_rules()
    assert (listing.rule, listing.endpoint, listing.subdomain) == ("/v1/user/", "v1.user.list", "api")
    assert (show.rule, show.websocket, show.subdomain, show.defaults) == (
        *("/v1/user/<int:id>", True, "api"),
        {"kind": "user"},
    )


def test_a_template_may_name_a_default():
    template = RuleTemplate([Rule("/x", endpoint="x", defaults={"$name": 1})])
    adapter = Map([template(name="page")]).bind("h")
    assert adapter.match("/x") == ("x", {"page": 1})
    assert adapter.build("x", {"page": 1}) == "/x"


def test_a_factory_makes_rules():
    with pytest.raises(NotImplementedError):
        RuleFactory().get_rules(Map())


def test_own_converters_stand_beside_the_others():
    class List(UnicodeConverter):
        def to_python(self, value):
            return value.split("+")

        def to_url(self, value):
            return "+".join(super(List, self).to_url(one) for one in value)

    adapter = Map([Rule("/<list:x>/<int:y>", endpoint="e")], converters={"list": List}).bind("h")
    assert adapter.match("/a+b/1") == ("e", {"x": ["a", "b"], "y": 1})
    assert adapter.build("e", {"x": ["a", "ü"], "y": 1}) == "/a+%C3%BC/1"
    assert "list" not in Map.default_converters


def test_settings_of_a_map_are_those_of_its_rules():
    url_map = Map(default_subdomain="w", strict_slashes=False, merge_slashes=False)
    rule, own = Rule("/a/"), Rule("/b/", subdomain="x", strict_slashes=True, merge_slashes=True)
    url_map.add(rule)
    url_map.add(own)
    assert (rule.subdomain, rule.strict_slashes, rule.merge_slashes) == ("w", False, False)
    assert (own.subdomain, own.strict_slashes, own.merge_slashes) == ("x", True, True)


def test_merging_slashes_can_be_switched_later():
    url_map = Map([Rule("/a/b", endpoint="e")])
    assert url_map.merge_slashes is True
    url_map.merge_slashes = False
    assert url_map.merge_slashes is False
    assert url_map.bind("h").test("/a//b") is False


def test_rules_are_put_in_order_when_they_are_needed():
    calls = []

    class Counted(Rule):
        def build_compare_key(self):
            calls.append(self.rule)
            return super().build_compare_key()

    url_map = Map([Counted("/a", endpoint="e"), Counted("/b", endpoint="f")])
    assert calls == []
    url_map.update()
    url_map.update()
    assert calls == ["/a", "/b"]
    url_map.add(Counted("/<x>", endpoint="f"))
    assert url_map.bind("h").match("/c") == ("f", {"x": "c"})
    assert calls == ["/a", "/b", "/b", "/<x>"]


def test_two_threads_do_not_order_the_rules_twice():
    ordering, go = threading.Event(), threading.Event()
    calls = []

    class Slow(Rule):
        def build_compare_key(self):
            calls.append(self.rule)
            ordering.set()
            go.wait(10)
            return super().build_compare_key()

    url_map = Map([Slow("/", endpoint="e")])
    found = []
    threads = [threading.Thread(target=lambda: found.append(url_map.find("/", "GET"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert ordering.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
    assert calls == ["/"]
    assert [rule.endpoint for rule, _ in found] == ["e", "e", "e"]


def test_a_rule_added_while_the_others_are_ordered_is_not_forgotten():
    class Adding(Rule):
        def build_compare_key(self):
            if len(self.map._rules) == 1:
                self.map.add(Rule("/<x>", endpoint="late"))
            return super().build_compare_key()

    adapter = Map([Adding("/", endpoint="e")]).bind("h")
    assert adapter.match("/") == ("e", {})
    assert adapter.match("/a") == ("late", {"x": "a"})


def test_a_map_is_bound_to_a_host():
    adapter = Map(default_subdomain="w").bind("Exämple.com", "app", path_info="/x", query_args="q=1")
    assert isinstance(adapter, MapAdapter)
    assert (adapter.server_name, adapter.script_name, adapter.subdomain) == ("xn--exmple-cua.com", "app/", "w")
    assert (adapter.path_info, adapter.query_args, adapter.default_method) == ("/x", "q=1", "GET")
    with pytest.raises(BadHost):
        Map().bind("a..b")
    with pytest.raises(RuntimeError, match="host matching enabled and a subdomain was provided"):
        Map(host_matching=True).bind("h", subdomain="w")


def environ(**more):
    return {"wsgi.url_scheme": "http", "HTTP_HOST": "w.h.example", "REQUEST_METHOD": "PUT", **more}


def test_a_map_is_bound_to_a_request():
    adapter = Map().bind_to_environ(
        environ(SCRIPT_NAME="/app", PATH_INFO="/\xc3\xbc", QUERY_STRING="a=b"), server_name="H.example:80"
    )
    assert (adapter.server_name, adapter.subdomain, adapter.script_name) == ("h.example", "w", "/app/")
    assert (adapter.path_info, adapter.query_args, adapter.default_method) == ("/ü", "a=b", "PUT")


def test_what_has_an_environ_is_a_request():
    class Request:
        environ = environ()

    assert Map().bind_to_environ(Request()).server_name == "w.h.example"


@pytest.mark.parametrize(("scheme", "expected"), [("http", "ws"), ("https", "wss")])
def test_an_upgrade_makes_it_a_websocket(scheme, expected):
    upgrade = {"wsgi.url_scheme": scheme, "HTTP_CONNECTION": "keep-alive, Upgrade", "HTTP_UPGRADE": "WebSocket"}
    adapter = Map().bind_to_environ(environ(**upgrade))
    assert (adapter.url_scheme, adapter.websocket) == (expected, True)


def test_another_upgrade_does_not():
    for connection, upgrade in (("close", "websocket"), ("upgrade", "h2c")):
        adapter = Map().bind_to_environ(environ(HTTP_CONNECTION=connection, HTTP_UPGRADE=upgrade))
        assert (adapter.url_scheme, adapter.websocket) == ("http", False)


def test_another_host_matches_nothing_and_warns():
    url_map = Map([Rule("/", endpoint="e")])
    with pytest.warns(UserWarning, match="Current server name") as caught:
        adapter = url_map.bind_to_environ(environ(HTTP_HOST="other"), server_name="h.example")
    assert str(caught[0].message) == "Current server name 'other' doesn't match configured server name 'h.example'"
    assert caught[0].filename == __file__
    assert adapter.test("/") is False


def test_host_matching_asks_for_no_subdomain():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        adapter = Map(host_matching=True).bind_to_environ(environ(), server_name="other")
    assert (adapter.server_name, adapter.subdomain) == ("other", None)


def test_rules_with_the_same_variables_share_their_converters():
    url_map = Map([Rule("/a/<int:id>", endpoint="a"), Rule("/b/<int:id>/c", endpoint="b")])
    first, second = url_map.iter_rules()
    assert first._converters is second._converters
    adapter = url_map.bind("h")
    assert adapter.match("/a/5") == ("a", {"id": 5})
    assert adapter.match("/b/6/c") == ("b", {"id": 6})


def test_converters_that_are_changed_later_are_those_of_later_rules():
    class Twice(converters.IntegerConverter):
        def to_python(self, value):
            return 2 * super().to_python(value)

    url_map = Map([Rule("/a/<int:id>", endpoint="a")])
    url_map.converters["int"] = Twice
    url_map.add(Rule("/b/<int:id>", endpoint="b"))
    adapter = url_map.bind("h")
    assert adapter.match("/a/5") == ("a", {"id": 5})
    assert adapter.match("/b/5") == ("b", {"id": 10})


def test_converters_of_users_are_made_for_each_rule():
    class Own(converters.BaseConverter):
        pass

    url_map = Map(converters={"own": Own})
    for path in ("/a/<own:x>", "/b/<own:x>"):
        url_map.add(Rule(path, endpoint=path))
    first, second = url_map.iter_rules()
    assert first._converters["x"] is not second._converters["x"]


def test_a_rule_that_chooses_its_converters_is_asked():
    class Chosen(Rule):
        def get_converter(self, variable_name, converter_name, args, kwargs):
            return converters.IntegerConverter(self.map)

    url_map = Map([Rule("/a/<x>", endpoint="a"), Chosen("/b/<x>", endpoint="b")])
    adapter = url_map.bind("h")
    assert adapter.match("/a/5") == ("a", {"x": "5"})
    assert adapter.match("/b/5") == ("b", {"x": 5})


def test_a_rule_read_anew_has_its_new_arguments_too():
    rule = Rule("/<a>", endpoint="e")
    url_map = Map([rule])
    rule.rule = "/<int:b>"
    rule.refresh()
    assert rule.arguments == {"a", "b"}
    assert url_map.bind("h").build("e", {"a": 1, "b": 5}) == "/5?a=1"
