"""`find` matches plain requests as `match` does, and leaves all others to an adapter.

It returns the rule and the values, None and the error, or None twice if an adapter has to decide.
"""

import uuid

import pytest

from costrel.http.errors import HTTPException, MethodNotAllowed, NotFound
from costrel.routing import BaseConverter, Map, Rule, WebsocketMismatch

UNDECIDED = (None, None)


def answer(match):
    try:
        found, values = match()
    except HTTPException as error:
        found, values = None, error
    if found is None:
        return type(values).__name__, sorted(getattr(values, "valid_methods", None) or ())
    return found.endpoint, dict(values)


def error_of(url_map, path, method="GET"):
    found, error = url_map.find(path, method)
    assert found is None
    return type(error)


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
    assert answer(lambda: url_map.find("/1", "DELETE")) == ("MethodNotAllowed", ["GET", "HEAD", "PUT"])


@pytest.mark.parametrize(
    ("pattern", "kwargs", "path"),
    [
        ("/", {}, ""),
        ("/a", {}, "a"),
        ("/<path:p>/", {}, "/a"),
        ("/a/", {}, "/a"),
        ("/a/b", {}, "/a//b"),
        ("/x/<path:p>", {}, "/x//a"),
        ("/a", {"alias": True}, "/a"),
        ("/a", {"redirect_to": "/b"}, "/a"),
    ],
)
def test_another_spelling_is_left_to_an_adapter(pattern, kwargs, path):
    assert Map([rule(pattern, **kwargs)]).find(path, "GET") == UNDECIDED


@pytest.mark.parametrize(
    ("pattern", "kwargs", "path", "error"),
    [
        ("/a", {}, "/b", NotFound),
        ("/<x>", {}, "/", NotFound),
        ("//a", {"merge_slashes": False}, "//a", NotFound),
        ("/a", {"websocket": True}, "/a", WebsocketMismatch),
        ("/a", {"build_only": True}, "/a", NotFound),
        ("/a", {"subdomain": "w"}, "/a", NotFound),
        ("/<int(max=3):x>", {}, "/4", NotFound),
    ],
)
def test_what_no_rule_matches_is_an_error(pattern, kwargs, path, error):
    assert error_of(Map([rule(pattern, **kwargs)]), path) is error


def test_slashes_at_the_start_count_as_one():
    url_map = Map([rule("/<x>"), rule("/a/b")])
    assert url_map.find("//c", "GET")[1] == {"x": "c"}
    assert url_map.find("///a/b", "GET")[0].endpoint == "/a/b"


def test_a_rule_with_a_nicer_url_is_left_to_match():
    url_map = Map([rule("/all/<int:page>", endpoint="all")])
    assert url_map.find("/all/1", "GET")[1] == {"page": 1}
    url_map.add(rule("/all/", defaults={"page": 1}, endpoint="all"))
    assert url_map.find("/all/1", "GET") == UNDECIDED
    assert url_map.find("/all/", "GET")[1] == {"page": 1}


def test_the_walk_turns_back_where_a_way_leads_nowhere():
    url_map = Map([rule("/a/b"), rule("/<x>/c"), rule("/<x>/<path:p>/e"), rule("/d/<int:x>-<y>"), rule("/<x>/<y>/<z>")])
    for path, endpoint, values in (
        ("/a/c", "/<x>/c", {"x": "a"}),
        ("/a/b/c", "/<x>/<y>/<z>", {"x": "a", "y": "b", "z": "c"}),
        ("/b/c/d/e", "/<x>/<path:p>/e", {"x": "b", "p": "c/d"}),
        ("/d/1-2", "/d/<int:x>-<y>", {"x": 1, "y": "2"}),
    ):
        found, given = url_map.find(path, "GET")
        assert (found.endpoint, given) == (endpoint, values)
    for path in ("/d/x", "/b/x/f/g"):
        assert error_of(url_map, path) is NotFound


def test_host_matching_is_left_to_match():
    assert Map([rule("/", host="")], host_matching=True).find("/", "GET") == UNDECIDED


def test_the_default_subdomain_is_the_one_that_counts():
    url_map = Map([rule("/"), rule("/x", subdomain="")], default_subdomain="www")
    assert url_map.find("/", "GET")[0].endpoint == "/"
    assert error_of(url_map, "/x") is NotFound


def test_methods_that_change_later_count():
    changed = rule("/", methods=["GET"])
    url_map = Map([changed])
    assert error_of(url_map, "/", "OPTIONS") is MethodNotAllowed
    changed.methods.add("OPTIONS")
    assert url_map.find("/", "OPTIONS") == (changed, {})


def test_a_users_converter_decides_about_empty_text():
    class Letters(BaseConverter):
        regex = "[a-z]*"

    url_map = Map([rule("/<letters:x>")], converters={"letters": Letters})
    assert url_map.find("/", "GET")[1] == {"x": ""}
    assert url_map.bind("h").match("/") == ("/<letters:x>", {"x": ""})
    assert url_map.find("/ab", "GET")[1] == {"x": "ab"}


def test_a_converter_changed_on_the_instance_counts():
    class Loud(BaseConverter):
        def __init__(self, map):
            super().__init__(map)
            self.to_python = str.upper

    url_map = Map([rule("/<loud:x>")], converters={"loud": Loud})
    assert url_map.find("/ab", "GET")[1] == {"x": "AB"}


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "--X"])
@pytest.mark.parametrize(
    "path", ["/", "//", "/nowhere", "/a/1/b", "/a/x/b", "/a/x/c", "//a/x/c", "/a/1/c", "/p/q/r/end", "/p/q/r", "/ws"]
)
def test_it_answers_as_an_adapter_does(path, method):
    url_map = Map(
        [
            Rule("/a/<int:n>/b", endpoint="number"),
            Rule("/a/<x>/c", endpoint="text", methods=["GET"]),
            Rule("/a/1/d", endpoint="one", methods=["POST"]),
            Rule("/p/<path:rest>/end", endpoint="path", methods=["PUT", "GET"]),
            Rule("/ws", endpoint="ws", websocket=True),
        ]
    )
    expected = answer(lambda: url_map.bind("localhost").match(path, method, return_rule=True))
    assert expected == answer(lambda: url_map.find(path, method))


def test_a_method_in_lower_case_is_left_to_an_adapter():
    url_map = Map([rule("/", methods=["GET"])])
    assert url_map.find("/", "get") == UNDECIDED


def test_the_rule_alone_is_found_without_its_converters():
    class Failing(BaseConverter):
        def to_python(self, value):
            raise ZeroDivisionError

    url_map = Map([rule("/<failing:x>"), rule("/a/")], converters={"failing": Failing})
    assert url_map.find_rule("/b", "GET").endpoint == "/<failing:x>"
    assert url_map.find_rule("/a", "GET") is None
    assert url_map.find_rule("/b/c", "GET") is None
    assert Map([rule("/", host="")], host_matching=True).find_rule("/", "GET") is None
