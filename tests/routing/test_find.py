"""The short way: `find` answers plain hits as `match` does, and leaves the rest to it."""

import uuid

import pytest

from costrel.routing import BaseConverter, Map, Rule


def rule(pattern, **kwargs):
    return Rule(pattern, endpoint=kwargs.pop("endpoint", pattern), **kwargs)


@pytest.mark.parametrize(
    ("pattern", "path", "values"),
    [
        ("/", "/", {}),
        ("/a/b/", "/a/b/", {}),
        ("/<x>", "/a", {"x": "a"}),
        ("/user/<int:id>/<slug>/", "/user/7/b/", {"id": 7, "slug": "b"}),
        ("/n/<float:x>/<uuid:y>", None, {}),
        ("/<a>-<int(min=2):b>", "/x-y-3", {"a": "x-y", "b": 3}),
        ("/static/<path:p>", "/static/a/b.js", {"p": "a/b.js"}),
        ("/<path:p>/edit", "/a/b/edit", {"p": "a/b"}),
        ("/<string(length=2):x>/<any(a, b):y>", "/ab/b", {"x": "ab", "y": "b"}),
    ],
)
def test_plain_hits_are_found(pattern, path, values):
    url_map = Map([rule(pattern)])
    if path is None:
        values = {"x": 1.5, "y": uuid.UUID(int=7)}
        path = url_map.bind("h").build(pattern, values)
    found, given = url_map.find(path, "GET")
    assert found.endpoint == pattern
    assert given == values
    assert (pattern, values) == url_map.bind("h").match(path)


def test_every_request_has_values_of_its_own():
    url_map = Map([rule("/", defaults={"page": 1})])
    first, second = url_map.find("/", "GET")[1], url_map.find("/", "GET")[1]
    assert first == second == {"page": 1}
    assert first is not second


def test_the_rule_for_the_method_is_found():
    url_map = Map([rule("/<x>", methods=["GET"], endpoint="get"), rule("/<x>", methods=["PUT"], endpoint="put")])
    assert url_map.find("/1", "PUT")[0].endpoint == "put"
    assert url_map.find("/1", "HEAD")[0].endpoint == "get"
    assert url_map.find("/1", "DELETE") is None


@pytest.mark.parametrize(
    ("pattern", "kwargs", "path"),
    [
        ("/a", {}, "/b"),
        ("/a", {}, ""),
        ("/", {}, ""),
        ("/a", {}, "a"),
        ("/<x>", {}, "a/b"),
        ("/<x>", {}, "//a"),
        ("/<x>", {}, "/"),
        ("/<path:p>/", {}, "/a/"),
        ("/x/<path:p>", {}, "/x//a"),
        ("//a", {"merge_slashes": False}, "//a"),
        ("/a/", {}, "/a"),
        ("/a/b", {}, "/a//b"),
        ("/a", {"websocket": True}, "/a"),
        ("/a", {"alias": True}, "/a"),
        ("/a", {"redirect_to": "/b"}, "/a"),
        ("/a", {"build_only": True}, "/a"),
        ("/a", {"subdomain": "w"}, "/a"),
        ("/<int(max=3):x>", {}, "/4"),
    ],
)
def test_all_else_is_left_to_match(pattern, kwargs, path):
    assert Map([rule(pattern, **kwargs)]).find(path, "GET") is None


def test_a_rule_with_a_nicer_url_is_left_to_match():
    url_map = Map([rule("/all/<int:page>", endpoint="all")])
    assert url_map.find("/all/1", "GET") is not None
    url_map.add(rule("/all/", defaults={"page": 1}, endpoint="all"))
    assert url_map.find("/all/1", "GET") is None
    assert url_map.find("/all/", "GET")[1] == {"page": 1}


def test_a_way_that_leads_nowhere_is_left_to_match():
    url_map = Map([rule("/a/b"), rule("/<x>/c"), rule("/<x>/<path:p>/e"), rule("/d/<int:x>-<y>")])
    assert url_map.find("/a/c", "GET") is None
    assert url_map.find("/b/x/f", "GET") is None
    assert url_map.find("/d/x", "GET") is None
    assert url_map.bind("h").match("/a/c") == ("/<x>/c", {"x": "a"})


def test_host_matching_is_left_to_match():
    assert Map([rule("/", host="")], host_matching=True).find("/", "GET") is None


def test_the_default_subdomain_is_the_one_that_counts():
    url_map = Map([rule("/"), rule("/x", subdomain="")], default_subdomain="www")
    assert url_map.find("/", "GET")[0].endpoint == "/"
    assert url_map.find("/x", "GET") is None


def test_methods_that_change_later_count():
    changed = rule("/", methods=["GET"])
    url_map = Map([changed])
    assert url_map.find("/", "OPTIONS") is None
    changed.methods.add("OPTIONS")
    assert url_map.find("/", "OPTIONS") == (changed, {})


def test_a_users_converter_decides_about_empty_text():
    class Letters(BaseConverter):
        regex = "[a-z]*"

    url_map = Map([rule("/<letters:x>")], converters={"letters": Letters})
    assert url_map.find("/", "GET") is None
    assert url_map.bind("h").match("/") == ("/<letters:x>", {"x": ""})
    assert url_map.find("/ab", "GET")[1] == {"x": "ab"}


def test_a_converter_changed_on_the_instance_counts():
    class Loud(BaseConverter):
        def __init__(self, map):
            super().__init__(map)
            self.to_python = str.upper

    url_map = Map([rule("/<loud:x>")], converters={"loud": Loud})
    assert url_map.find("/ab", "GET")[1] == {"x": "AB"}
