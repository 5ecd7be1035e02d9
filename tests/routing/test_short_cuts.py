"""Rules that are found by their fixed segments are the ones that the walk through the tree would find."""

import random

import pytest

from costrel.http.errors import HTTPException
from costrel.routing import BaseConverter, Map, Rule, ValidationError


class Even(BaseConverter):
    regex = r"\d+"

    def to_python(self, value):
        if int(value) % 2:
            raise ValidationError
        return int(value)


class Letters(BaseConverter):
    regex = "[a-z]*"


def map_of(*patterns, **kwargs):
    """A map of patterns, each with its methods if it has some."""
    url_map = Map(converters={"even": Even, "letters": Letters}, **kwargs)
    add(url_map, *patterns)
    return url_map


def add(url_map, *patterns):
    for each in patterns:
        pattern, *methods = each.split(" ")
        url_map.add(Rule(pattern, endpoint=each, methods=methods or None))


def answer(call):
    try:
        found, values = call()
    except HTTPException as error:
        found, values = None, error
    if found is None:
        return type(values).__name__, sorted(getattr(values, "valid_methods", None) or ())
    return found.endpoint, values


def found(url_map, path, method="GET"):
    """The answer of `find`, which is that of an adapter too."""
    by_find = answer(lambda: url_map.find(path, method))
    assert answer(lambda: url_map.bind("h").match(path, method, return_rule=True)) == by_find
    return by_find


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/item/42", ("/item/<int:id>", {"id": 42})),
        ("/item/new", ("/item/new", {})),
        ("/item/old", ("NotFound", [])),
        ("/item/", ("NotFound", [])),
        ("/item/٣", ("NotFound", [])),  # one digit, in another script
        ("/static/a.js", ("/static/<path:name>", {"name": "a.js"})),
        ("/static/js/a.js", ("/static/<path:name>", {"name": "js/a.js"})),
        ("/static/favicon", ("/static/favicon", {})),
        ("/even/4", ("/even/<even:x> GET", {"x": 4})),
        ("/even/3", ("NotFound", [])),
        ("/about", ("/<slug>", {"slug": "about"})),
        ("//about", ("/<slug>", {"slug": "about"})),
        ("/über", ("/<slug>", {"slug": "über"})),
    ],
)
def test_a_variable_at_the_end(path, expected):
    url_map = map_of(
        "/item/<int:id>", "/item/new", "/static/<path:name>", "/static/favicon", "/even/<even:x> GET", "/<slug>"
    )
    assert found(url_map, path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/user/42/post/hello", ("/user/<int:id>/post/<slug>", {"id": 42, "slug": "hello"})),
        ("/user/x/post/hello", ("NotFound", [])),
        ("/user/42/post/", ("NotFound", [])),
        ("/user/42/posts", ("/user/<int:id>/posts", {"id": 42})),
        ("/user/me/posts", ("/user/me/posts", {})),
        ("/user/42/", ("/user/<int:id>/", {"id": 42})),
        ("/a/b/c", ("/<x>/b/<y>", {"x": "a", "y": "c"})),
        ("//a/b/c", ("/<x>/b/<y>", {"x": "a", "y": "c"})),
        ("/even/3/x", ("NotFound", [])),
        ("/é/b/è", ("/<x>/b/<y>", {"x": "é", "y": "è"})),
    ],
)
def test_variables_between_fixed_segments(path, expected):
    url_map = map_of(
        "/user/<int:id>/post/<slug>", "/user/<int:id>/posts", "/user/me/posts", "/user/<int:id>/", "/<x>/b/<y>",
        "/even/<even:x>/x",
    )  # fmt: skip
    assert found(url_map, path) == expected


def test_rules_that_are_added_later_count():
    url_map = map_of("/item/<int:id>", "/user/<int:id>/name")
    assert found(url_map, "/item/42")[1] == {"id": 42}
    assert found(url_map, "/user/42/name")[1] == {"id": 42}
    add(url_map, "/item/42", "/user/42/name", "/item/<slug>", "/user/<slug>/name")
    assert found(url_map, "/item/42") == ("/item/42", {})
    assert found(url_map, "/user/42/name") == ("/user/42/name", {})
    assert found(url_map, "/item/43") == ("/item/<int:id>", {"id": 43})
    assert found(url_map, "/item/x") == ("/item/<slug>", {"slug": "x"})
    assert found(url_map, "/user/x/name") == ("/user/<slug>/name", {"slug": "x"})


def test_the_methods_of_all_rules_for_a_path_are_allowed():
    url_map = map_of("/item/<int:id> PUT", "/item/<even:id> POST", "/user/<int:id>/name PUT", "/user/<int:i>/name POST")
    assert found(url_map, "/item/4", "PUT") == ("/item/<int:id> PUT", {"id": 4})
    assert found(url_map, "/item/4") == ("MethodNotAllowed", ["POST", "PUT"])
    assert found(url_map, "/user/4/name", "POST") == ("/user/<int:i>/name POST", {"i": 4})
    assert found(url_map, "/user/4/name") == ("MethodNotAllowed", ["POST", "PUT"])


def test_a_value_that_is_refused_leaves_the_methods_of_the_rules_before():
    url_map = map_of("/item/<even:id> PUT", "/item/<even:id> GET", "/user/<even:id>/name PUT", "/user/<even:id>/name")
    assert found(url_map, "/item/3") == ("MethodNotAllowed", ["PUT"])
    assert found(url_map, "/user/3/name") == ("MethodNotAllowed", ["PUT"])


def test_a_variable_that_takes_an_empty_text_is_no_second_slash():
    url_map = map_of("/<letters:x>/b/<y>", "/<letters:x>")
    assert found(url_map, "/a/b/c")[1] == {"x": "a", "y": "c"}
    assert found(url_map, "/") == ("/<letters:x>", {"x": ""})
    assert found(url_map, "//b/c") == ("NotFound", [])


def test_variables_at_many_places():
    patterns = [
        "/<a>/2/3/4",
        "/1/<a>/3/4",
        "/1/2/<a>/4",
        "/<a>/<b>/3/4",
        "/<a>/2/<b>/4",
        "/1/<a>/<b>/4",
        "/<a>/<b>/<c>/4",
    ]
    url_map = map_of(*patterns)
    for pattern in patterns:
        path = "/".join("x" if "<" in part else part for part in pattern.split("/"))
        assert found(url_map, path)[0] == pattern


def test_a_slash_that_is_missing_or_superfluous_redirects():
    url_map = map_of("/user/<int:id>/", "/a/<b>/c")
    for path in ("/user/42", "/a//b/c"):
        assert url_map.find(path, "GET") == (None, None)
    assert found(url_map, "/user/42/") == ("/user/<int:id>/", {"id": 42})


def test_the_domain_that_is_searched_may_change():
    url_map = map_of("/item/<int:id>", "/home")
    url_map.add(Rule("/shop/<int:id>", endpoint="shop", subdomain="shop"))
    url_map.add(Rule("/shop", endpoint="shops", subdomain="shop"))
    assert url_map.find("/home", "GET")[0].endpoint == "/home"
    url_map.default_subdomain = "shop"
    assert url_map.find("/shop", "GET")[0].endpoint == "shops"
    assert url_map.find("/shop/4", "GET")[1] == {"id": 4}
    assert answer(lambda: url_map.find("/home", "GET")) == ("NotFound", [])
    url_map.host_matching = True
    assert url_map.find("/shop", "GET") == (None, None)


PARTS = ["a", "b", "<x>", "<int:n>", "<path:p>", "<even:e>", "<letters:w>", "x-<int:k>", "<int(max=9):m>"]
SEGMENTS = ["a", "b", "42", "7", "x-3", "zz", "", "٣"]


@pytest.mark.parametrize("strict", [True, False])
def test_it_answers_as_an_adapter_for_random_rules(strict):
    rng = random.Random(4)
    decided = 0
    for _ in range(150):
        url_map = Map(converters={"even": Even, "letters": Letters})
        url_map.strict = strict
        for number in range(rng.randint(1, 7)):
            parts = rng.sample(PARTS, rng.randint(0, 3))
            pattern = f"/{'/'.join(parts)}{rng.choice(['', '/']) if parts else ''}"
            url_map.add(Rule(pattern, endpoint=number, methods=rng.choice([None, None, ["GET"], ["PUT"]])))
        adapter = url_map.bind("h")
        for _ in range(15):
            path = "/" + "/".join(rng.choice(SEGMENTS) for _ in range(rng.randint(1, 4)))
            by_find = url_map.find(path, "GET")
            if by_find != (None, None):
                decided += 1
                expected = answer(lambda adapter=adapter, path=path: adapter.match(path, return_rule=True))
                assert expected == answer(lambda by_find=by_find: by_find), (list(url_map.iter_rules()), path)
    assert decided > 1000
