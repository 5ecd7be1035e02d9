"""Strict maps: a URL that is built matches the rule it is built from, and the earlier of equal rules matches."""

import math
import uuid
from decimal import Decimal
from functools import partial
from urllib.parse import unquote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costrel import Costrel, url_for
from costrel.app.application import Flask
from costrel.http.errors import NotFound
from costrel.routing import BaseConverter, BuildError, FloatConverter, Map, Rule
from costrel.routing.order import first_rule


class Slug(BaseConverter):
    """A bare converter: any segment."""


class Rx(BaseConverter):
    """The usual recipe for a converter with a regular expression as its argument."""

    def __init__(self, map, *items):
        super().__init__(map)
        self.regex = items[0]


def bind(*rules, strict=True, **options):
    map = Map(converters={"slug": Slug, "rx": Rx}, **options)
    map.strict = strict
    for rule in rules:
        map.add(rule if isinstance(rule, Rule) else Rule(rule, endpoint=rule))
    return map.bind("example.com")


# -- URLs that are built

RULES = [
    "/<v>",
    "/<string(length=2):v>",
    "/<string(minlength=2, maxlength=3):v>/x",
    "/<path:v>",
    "/<path:v>/",
    "/<path:v>/edit",
    "/<int:v>",
    "/<int(signed=True):v>",
    "/<int(fixed_digits=3):v>",
    "/<int(min=2, max=50):v>",
    "/<float:v>",
    "/<float(signed=True):v>",
    "/<float(min=1.5):v>",
    '/<any(a, "b c", "d/e"):v>',
    "/<uuid:v>",
    "/<slug:v>",
    "/<rx('[a-c]+'):v>",
    "/<rx('[^:]+'):v>",
    "/x-<v>-y",
    "/<v>-<int:w>",
    "/<v>-<w>",
    "/<path:v>/<w>",
]
values = (
    st.text(max_size=5)
    | st.text("a/.-2x:", max_size=5)
    | st.integers(-5, 2000)
    | st.floats()
    | st.sampled_from(["a", "b c", "d/e", "", "/", "//", "a/", "/a", "a//b", "\u0661\u0662", "1_0", " 1", "a\nb", "\n"])
    | st.sampled_from([10**30, 10**400, 1e-7, 1e22, -1e22, math.inf, -math.inf, math.nan, True, Decimal("1.10"), 1.0])
    | st.uuids()
    | st.sampled_from([[1], b"a", "not-a-uuid", str(uuid.uuid4()).upper(), uuid.uuid4().hex, "\ud800"])
)


@given(st.sampled_from(RULES), values, values)
def test_what_is_built_matches_with_the_same_values_or_the_error_names_the_value(rule, v, w):
    adapter = bind(rule)
    given_values = {"v": v, "w": w} if "w>" in rule else {"v": v}
    try:
        url = adapter.build(rule, given_values)
    except BuildError as error:
        text = str(error)
        assert any(f"The value {value!r} of {name!r}" in text for name, value in given_values.items())
        return
    asked = urljoin("http://a", url).removeprefix("http://a")  # clients remove dot segments
    assert adapter.match(unquote(asked))[0] == rule
    endpoint, found = adapter.match(unquote(url))
    assert endpoint == rule
    assert adapter.build(rule, found) == (url.lower() if "uuid" in rule else url)
    for name, value in given_values.items():
        kinds = (str,) if type(value) is str else (int, float)
        if type(value) in {str, int, float, bool} and isinstance(found[name], kinds):
            assert found[name] == value


WELL_BUILT = [
    ("/<v>", "...", "/..."),
    ("/<v>", ".htaccess", "/.htaccess"),
    ("/<path:v>", "a/.b/c..", "/a/.b/c.."),
    ("/static/<path:v>", "./css/app.css", "/static/./css/app.css"),
    ("/static/<path:v>", "css/../app.css", "/static/css/../app.css"),
    ("/<float:v>", 1e-7, "/0.0000001"),
    ("/<float:v>", 1e22, "/10000000000000000000000.0"),
    ("/<float:v>", 1.5e300, f"/15{'0' * 299}.0"),
    ("/<float(signed=True):v>", -2.5e-10, "/-0.00000000025"),
    ("/<float:v>", 3, "/3.0"),
    ("/<int:v>", "12", "/12"),
    ("/<v>", "ü?#", "/%C3%BC%3F%23"),
    ("/<v>", 5, "/5"),
    ("/<path:v>", "a/b c", "/a/b%20c"),
    ('/<any(a, "d/e"):v>', "d/e", "/d/e"),
    ("/<int(fixed_digits=3):v>", 7, "/007"),
]


@pytest.mark.parametrize(("rule", "value", "url"), WELL_BUILT)
def test_values_are_written_so_that_they_match(rule, value, url):
    assert bind(rule).build(rule, {"v": value}) == url


REFUSED = [
    ("/<float:v>", math.inf),
    ("/<float:v>", math.nan),
    ("/<float:v>", -1.5),
    ("/<int:v>", -1),
    ("/<int:v>", 1.5),
    ("/<int:v>", "abc"),
    ("/<int(max=9):v>", 10),
    ("/<int(fixed_digits=2):v>", 123),
    ("/<v>", "a/b"),
    ("/<v>", ""),
    ("/<string(maxlength=2):v>", "abc"),
    ("/<path:v>", "/a"),
    ("/<rx('[^:]+'):v>", "/a"),
    ("/<path:v>", ""),
    ("/<any(a, b):v>", "c"),
    ("/<uuid:v>", "1234"),
    ("/<slug:v>", "a/b"),
    ("/<v>-<int:w>", ""),
    ("/<v>", "."),
    ("/u/<v>", ".."),
    ("/u/<path:v>", "../a"),
    ("/u/<path:v>/x", "a/../../b"),
    ("/<slug:v>", ".."),
]


@pytest.mark.parametrize(("rule", "value"), REFUSED)
def test_a_value_that_no_url_can_have_is_named(rule, value):
    with pytest.raises(BuildError) as caught:
        bind(rule).build(rule, {"v": value, "w": 1})
    assert f"The value {value!r} of 'v' does not fit the rule {rule!r}" in str(caught.value)


def test_a_number_that_is_too_long_to_be_shown_is_refused():
    for rule in ("/<v>", "/<int:v>", "/<float:v>"):
        with pytest.raises(BuildError, match=r"The value \(an int that is too long to be shown\) of 'v' does not fit"):
            bind(rule).build(rule, {"v": 10**5000})


def test_another_rule_of_the_endpoint_takes_the_value():
    adapter = bind(Rule("/<int:v>", endpoint="e"), Rule("/named/<v>", endpoint="e"))
    assert [adapter.build("e", {"v": 1}), adapter.build("e", {"v": "a"})] == ["/1", "/named/a"]


def test_digits_outside_ascii_are_no_numbers():
    adapter = bind("/i/<int:v>", "/f/<float:v>", "/i/<v>")
    assert adapter.match("/i/\u0661\u0662") == ("/i/<v>", {"v": "\u0661\u0662"})
    with pytest.raises(NotFound):
        adapter.match("/f/\u0661.\u0662")
    assert bind("/i/<int:v>", strict=False).match("/i/\u0661\u0662") == ("/i/<int:v>", {"v": 12})


# -- the order of rules

ORDERS = [
    (["/<string:v>/edit", "/<slug:v>", "/<string:v>"], "/foo", "/<slug:v>"),
    (["/<slug:v>", "/<string:v>"], "/foo", "/<slug:v>"),
    (["/<string:v>", "/<slug:v>"], "/foo", "/<string:v>"),
    (["/<string:v>/<w>", "/<slug:v>/edit"], "/a/edit", "/<slug:v>/edit"),
    (["/<string:v>/<path:w>", "/<slug:v>/edit"], "/a/edit", "/<slug:v>/edit"),
    (["/<path:p>/<n>", "/<n>/stats"], "/a/stats", "/<n>/stats"),
    (["/<path:p>/<n>", "/<n>/stats"], "/a/b/stats", "/<path:p>/<n>"),
    (["/<path:p>", "/<n>/stats"], "/a/stats", "/<n>/stats"),
    (["/<path:p>/edit", "/<n>/edit"], "/a/edit", "/<n>/edit"),
    (["/<path:p>/edit", "/<n>/<m>"], "/a/edit", "/<path:p>/edit"),
    (["/<path:p>/<n>", "/<a>/<b>"], "/a/b", "/<a>/<b>"),
    (["/<path:p>", "/<int:n>", "/<n>"], "/5", "/<int:n>"),
    (["/<path:p>/x", "/<path:p>/<n>", "/<m>/<n>/x"], "/a/b/x", "/<m>/<n>/x"),
    (["/<rx('[a-z]+'):v>", "/<slug:v>", "/<v>"], "/abc", "/<rx('[a-z]+'):v>"),
    (["/a/<path:p>", "/<x>/b/c"], "/a/b/c", "/a/<path:p>"),
]


@pytest.mark.parametrize(("rules", "path", "expected"), ORDERS)
def test_fixed_texts_go_before_variables_and_earlier_rules_before_equal_ones(rules, path, expected):
    assert bind(*rules).match(path)[0] == expected


segments = st.sampled_from(["a", "b", "<x>", "<slug:x>", "<int:x>", "<rx('[ab]'):x>", "<path:x>", "a<x>", "<path:x>/a"])
texts = st.lists(segments, min_size=1, max_size=4).map(
    lambda chosen: "/" + "/".join(text.replace(":x", f":x{n}").replace("<x", f"<x{n}") for n, text in enumerate(chosen))
)
paths = st.lists(st.sampled_from(["a", "b", "1", "ab"]), min_size=1, max_size=5).map(
    lambda chosen: "/" + "/".join(chosen)
)


@given(st.lists(texts, min_size=1, max_size=6, unique=True), paths)
def test_of_the_rules_that_match_alone_the_first_in_order_matches(rules, path):
    together = bind(*rules)
    matching = [rule for rule in together.map.iter_rules() if bind(rule.rule).test(path)]
    if matching:
        assert together.match(path)[0] == first_rule(matching).rule
    else:
        assert not together.test(path)


def test_a_rule_that_is_added_later_takes_its_place():
    adapter = bind("/<string:v>/edit", "/<slug:v>")
    assert adapter.match("/foo")[0] == "/<slug:v>"
    adapter.map.add(Rule("/<string:v>", endpoint="late"))
    assert adapter.match("/foo")[0] == "/<slug:v>"
    adapter.map.add(Rule("/<slug:v>/edit/<w>", endpoint="deep"))
    assert adapter.match("/foo/edit/x")[0] == "deep"


def test_the_method_chooses_among_equal_rules():
    adapter = bind(
        Rule("/<string:v>/edit", endpoint="edit"),
        Rule("/<slug:v>", endpoint="get", methods=["GET"]),
        Rule("/<string:v>", endpoint="post", methods=["POST"]),
    )
    assert [adapter.match("/a", "GET")[0], adapter.match("/a", "POST")[0]] == ["get", "post"]
    assert sorted(adapter.allowed_methods("/a")) == ["GET", "HEAD", "POST"]


def test_a_slash_is_added_if_no_rule_matches_without():
    adapter = bind("/<slug:v>/", "/<string:v>/edit")
    assert adapter.map.find("/foo", "GET") == (None, None)  # for a redirect
    assert adapter.match("/foo/")[0] == "/<slug:v>/"


# -- converters that take slashes

SLASHED = [
    ("/a/<rx('[^/:]+'):x>/<rx('[^:]+'):rest>", "/a/b/c/d", {"x": "b", "rest": "c/d"}),
    ("/<rx('.+'):x>", "/a/b", {"x": "a/b"}),
    ("/<rx('.*'):x>/end", "/a/b/end", {"x": "a/b"}),
    ("/<rx('docs/[a-z]+'):x>", "/docs/abc", {"x": "docs/abc"}),
    (r"/<rx('\S+'):x>", "/a/b", {"x": "a/b"}),
    (r"/<rx('\D+'):x>", "/a/b", {"x": "a/b"}),
    (r"/<rx('[\w/]+'):x>", "/a/b", {"x": "a/b"}),
    ("/<rx('(?:[a-z]+/?)+'):x>", "/a/b/c", {"x": "a/b/c"}),
    ('/<any("a/b", c):x>', "/a/b", {"x": "a/b"}),
    (r"/<rx('a\/b'):x>", "/a/b", {"x": "a/b"}),
]


@pytest.mark.parametrize(("rule", "path", "expected"), SLASHED)
def test_a_converter_whose_regex_takes_slashes_gets_them(rule, path, expected):
    adapter = bind(rule)
    assert adapter.match(path)[1] == expected
    assert adapter.build(rule, expected) == path
    with pytest.raises(NotFound):
        bind(rule, strict=False).match(path)


@pytest.mark.parametrize("regex", ["[^/]+", "[^/:]+", r"\w+", r"\d{2}", "[a-z-]+", r"[^\W/]+", r"(?:a|b)+", "[]x]+"])
def test_a_converter_of_one_segment_stays_one(regex):
    rule = f"/<rx('{regex}'):x>/<y>"
    part = next(bind(rule).map.iter_rules())._parts[2]
    assert (part.final, len(part.pieces)) == (False, 1)


def test_a_class_may_say_that_its_texts_have_no_slash():
    class OneSegment(Rx):
        part_isolating = True

    map = Map([Rule("/<one('.+'):x>", endpoint="e")], converters={"one": OneSegment})
    with pytest.raises(NotFound):
        map.bind("example.com").match("/a/b")


def test_a_look_around_keeps_to_what_the_class_says():
    with pytest.raises(NotFound):
        bind("/<rx('(?!x).+'):x>").match("/a/b")


# -- the two profiles


def views(app):
    app.url_map.converters["slug"] = Slug
    app.add_url_rule("/u/<n>", "u", lambda n: n)
    app.add_url_rule("/i/<int:v>", "i", lambda v: str(v))
    app.add_url_rule("/<string:v>/edit", "edit", lambda v: "edit")
    app.add_url_rule("/<slug:v>", "first", lambda v: "first")
    app.add_url_rule("/<string:v>", "second", lambda v: "second")
    return app


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("app", "first", "status"),
    [
        (Costrel("a"), "first", 404),
        (Flask("a"), "second", 200),
    ],
    ids=["native", "flask"],
)
def test_the_profiles_differ(app, edge, first, status):
    client = views(app).test_client(edge=edge) if "u" not in app.view_functions else app.test_client(edge=edge)
    assert client.get("/foo").text == first
    assert client.get("/i/\u0661\u0662").status_code == status


def test_flask_builds_as_flask_and_natively_it_is_an_error():
    with views(Flask("a")).test_request_context():
        assert url_for("u", n="a/b") == "/u/a/b"
        assert url_for("u", n="") == "/u/"
        assert url_for("i", v=-5) == "/i/-5"
    with views(Costrel("a")).test_request_context():
        for endpoint, wrong in [("u", {"n": "a/b"}), ("u", {"n": ""}), ("i", {"v": -5})]:
            with pytest.raises(BuildError, match="does not fit the rule"):
                url_for(endpoint, **wrong)


def test_the_setting_counts_from_the_first_request_on():
    app = views(Flask("a"))
    app.config["STRICT_URLS"] = True
    assert app.test_client().get("/foo").text == "first"
    with app.test_request_context(), pytest.raises(BuildError):
        url_for("u", n="a/b")


def test_a_float_converter_for_another_kind_of_number_returns_that_kind():
    class DecimalConverter(FloatConverter):
        num_convert = Decimal

    adapter = Map([Rule("/<decimal:v>", endpoint="v")], converters={"decimal": DecimalConverter}).bind("localhost")
    assert adapter.match("/1.10") == ("v", {"v": Decimal("1.10")})
    assert isinstance(adapter.match("/1.10")[1]["v"], Decimal)


@pytest.mark.parametrize("rule", ["/<float:v>", "/<float(min=0):v>", "/<float(signed=True):v>"])
def test_a_number_that_is_too_large_for_a_float_does_not_match(rule):
    adapter = Map([Rule(rule, endpoint="v")]).bind("localhost")
    assert adapter.match("/1.5") == ("v", {"v": 1.5})
    with pytest.raises(NotFound):
        adapter.match("/" + "9" * 400 + ".0")


def heads(app, *orders):
    """An application with one URL, and the views of these methods in this order."""
    for number, methods in enumerate(orders):
        view = partial(lambda number, n: ("", {"X-View": str(number)}), number)
        app.add_url_rule("/x/<int:n>", f"view_{number}", view, methods=methods)
    return app


@pytest.mark.parametrize(
    ("orders", "get", "head"),
    [
        ([["GET"], ["HEAD"]], "0", "1"),
        ([["HEAD"], ["GET"]], "1", "0"),
        ([["GET"], ["HEAD"], ["HEAD"]], "0", "1"),
        ([["POST"], ["GET", "PUT"], ["HEAD"]], "1", "2"),
        ([["GET"], ["HEAD", "POST"]], "0", "0"),
        ([["GET"], ["GET"], ["HEAD"]], "0", "2"),
    ],
)
def test_a_view_for_head_alone_answers_wherever_it_was_registered(orders, get, head):
    client = heads(Costrel("x"), *orders).test_client()

    assert get == client.get("/x/1").headers["X-View"]
    assert head == client.head("/x/1").headers["X-View"]
    assert {"GET", "HEAD", "OPTIONS"} <= set(client.options("/x/1").allow)


def test_under_flask_a_view_for_head_after_get_is_not_called_and_check_can_name_it():
    app = heads(Flask("x"), ["GET"], ["HEAD"])
    app.url_map.strict = False

    assert "0" == app.test_client().head("/x/1").headers["X-View"]
    assert [("view_0", "view_1")] == [(now.endpoint, then.endpoint) for now, then in app.url_map.differing_rules()]
