"""The names of Werkzeug's routing, their parameters, and the meaning of rules and converters."""

from __future__ import annotations

import importlib
import inspect
import math
import typing as t
import uuid

import pytest
import werkzeug.datastructures
import werkzeug.routing
import werkzeug.routing.converters
import werkzeug.routing.rules
from hypothesis import example, given
from hypothesis import strategies as st

import costrel.http.multidict
import costrel.routing
from costrel.routing import converters, errors, matcher, pattern

PLACES = [costrel.routing, converters, errors, matcher, pattern]
THEIRS = {
    name: thing
    for module in ["", ".converters", ".exceptions", ".map", ".matcher", ".rules"]
    for name, thing in vars(importlib.import_module(f"werkzeug.routing{module}")).items()
    if not name.startswith("_") and getattr(thing, "__module__", "").startswith("werkzeug.routing")
}
CLASSES = sorted(name for name, thing in THEIRS.items() if inspect.isclass(thing))


#: A map as it is under the names of Werkzeug.
AsWerkzeug: t.Any = type("Map", (costrel.routing.Map,), {"is_strict_by_default": False})


def our(name: str) -> t.Any:
    return next(getattr(place, name) for place in PLACES if hasattr(place, name))


def parameters(call: t.Any) -> list[tuple[str, t.Any, t.Any]]:
    found = list(inspect.signature(call).parameters.values())
    return [(one.name, one.kind, one.default) for one in found]


def members(cls: type) -> dict[str, t.Any]:
    return {name: getattr(cls, name) for name in dir(cls) if not name.startswith("_") and name != "add_note"}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_the_same_members(name: str) -> None:
    assert sorted(members(THEIRS[name]).keys() - members(our(name)).keys()) == []


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_the_same_parents(name: str) -> None:
    wanted = {parent.__name__ for parent in THEIRS[name].__mro__}
    assert set() == wanted - {parent.__name__ for parent in our(name).__mro__}


METHODS = [
    (name, method) for name in CLASSES for method, value in members(THEIRS[name]).items() if inspect.isfunction(value)
]


@pytest.mark.parametrize(("name", "member"), [*METHODS, *[(name, "__init__") for name in CLASSES]])
def test_functions_have_the_same_parameters(name: str, member: str) -> None:
    wanted = parameters(getattr(THEIRS[name], member))
    found = parameters(getattr(our(name), member))
    more = [default for _, _, default in found[len(wanted) :]]
    if name not in {"RulePart", "State"}:
        assert wanted == found[: len(wanted)]
    assert inspect.Parameter.empty not in more


def test_arguments_of_converters_have_the_same_parameter() -> None:
    assert parameters(werkzeug.routing.parse_converter_args) == parameters(costrel.routing.parse_converter_args)


def outcome(call: t.Callable[[], t.Any]) -> tuple[str, str]:
    try:
        return "value", repr(call())
    except Exception as error:
        return type(error).__name__, str(error)


ARGUMENTS = [*["1", "2", "10", ".", ",", " ", "=", "a", "b_", '"', "'", "-", "u", "r", "é", "\n", "\t", "٣"]]
WORDS = ["True", "False", "None", "x=", '"q"', "'q,r'", "1.5", ", ", '"5"', "1e5"]
argument_texts = st.lists(st.sampled_from([*ARGUMENTS, *WORDS, *WORDS]), max_size=7).map("".join)


@given(argument_texts)
def test_arguments_of_converters_read_alike(text: str) -> None:
    wanted = outcome(lambda: werkzeug.routing.parse_converter_args(text))
    found = outcome(lambda: costrel.routing.parse_converter_args(text))
    if wanted != found:  # what stands after the last comma and cannot be read, is passed over there
        assert wanted[0] == "value"
        assert found == ("ValueError", f"Cannot parse converter argument '{text[text.rindex(found[1][33:-1]) :]}'")


CONVERTERS = [
    ("UnicodeConverter", (), {}),
    ("UnicodeConverter", (2,), {}),
    ("UnicodeConverter", (2, 5), {}),
    ("UnicodeConverter", (), {"length": "4"}),
    ("IntegerConverter", (), {}),
    ("IntegerConverter", (3,), {}),
    ("IntegerConverter", (0, -5, 5, True), {}),
    ("IntegerConverter", (), {"signed": True, "fixed_digits": 4}),
    ("FloatConverter", (), {}),
    ("FloatConverter", (1, 2, True), {}),
    ("AnyConverter", ("a", "b.c", "a/b", "ü"), {}),
    ("AnyConverter", (), {}),
    ("UUIDConverter", (), {}),
    ("PathConverter", (), {}),
    ("BaseConverter", (1, 2), {"x": 3}),
]
url_values = st.sampled_from(
    [5, -5, 3.5, None, True, 1e30, 1.0, 1e-7, float("nan"), b"x", uuid.UUID(int=5), "a", "b.c", "a/b", "007"]
) | st.text(max_size=8)
texts = st.text(max_size=8) | st.sampled_from(
    ["7", "007", "-3", "1.5", "9" * 5000, str(uuid.UUID(int=9)), "1_0", " 1", "inf", "٣"]
)


def is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return True


@given(st.sampled_from(CONVERTERS), url_values, texts)
@example(("FloatConverter", (), {}), 5, "NAN")
def test_converters_convert_alike(made: t.Any, value: t.Any, text: str) -> None:
    name, args, kwargs = made
    wanted = getattr(werkzeug.routing.converters, name)(werkzeug.routing.Map(), *args, **kwargs)
    found = getattr(converters, name)(AsWerkzeug(), *args, **kwargs)
    assert (wanted.regex, wanted.weight, wanted.part_isolating) == (found.regex, found.weight, found.part_isolating)
    assert vars(wanted).keys() == vars(found).keys()
    if "e" not in repr(value):  # Werkzeug writes exponents, which it does not read
        assert outcome(lambda: wanted.to_url(value)) == outcome(lambda: found.to_url(value))
    if name != "FloatConverter" or is_finite(text):  # Werkzeug takes infinity, and what is no number
        assert outcome(lambda: wanted.to_python(text)) == outcome(lambda: found.to_python(text))


@pytest.mark.parametrize("regex", ["a/b", "[^x]+", r"a\/b", "q"])
def test_a_regex_says_whether_it_has_slashes(regex: str) -> None:
    for parent in ("BaseConverter", "PathConverter"):
        wanted = type("Own", (getattr(werkzeug.routing, parent),), {"regex": regex})
        found = type("Own", (getattr(costrel.routing, parent),), {"regex": regex})
        assert wanted.part_isolating == found.part_isolating


PIECES = ["/", "<", ">", "a", "<x>", "<int:y>", "<int(", "1):z>", "(", ")", ":", "|", "?", " ", "<any(a,b):w>", "//"]
rule_texts = st.lists(st.sampled_from(PIECES), max_size=7).map("".join) | st.text("/<>a:()1,", max_size=9)


@example("/<any(a,b):w><int(<any(a,b):w>", False, "")
@given(rule_texts, st.booleans(), st.sampled_from(["", "w", "<v>.x", "a/b"]))
def test_rules_are_read_alike(text: str, merge: bool, subdomain: str) -> None:
    def read(routing: t.Any) -> t.Any:
        rule = routing.Rule(text, endpoint="e", merge_slashes=merge, subdomain=subdomain)
        routing.Map([rule])
        weights = [tuple(part.weight) for part in rule._parts if not isinstance(part, str) and not part.static]
        return rule, rule._trace, sorted(rule.arguments), list(rule._converters), rule.is_leaf, weights

    wanted = outcome(lambda: read(werkzeug.routing))
    found = outcome(lambda: read(costrel.routing))
    if wanted[0] == "value":
        assert wanted == found
    elif wanted[0] == "SyntaxError":  # the name of a variable twice
        assert found[0] == "ValueError"
    else:  # which of several mistakes is named first may differ
        assert wanted[0] == found[0]


RULE_ARGUMENTS = [
    {},
    {"methods": "GET"},
    {"methods": ["get", "post"]},
    {"methods": []},
    {"methods": [3]},
    {"websocket": True, "methods": ["POST"]},
    {"websocket": True, "methods": ["GET", "OPTIONS"]},
    {"defaults": {"a": 1}, "alias": True},
    {"strict_slashes": False, "host": "h", "subdomain": "s", "redirect_to": "/x"},
]


@pytest.mark.parametrize("kwargs", RULE_ARGUMENTS)
def test_rules_are_made_alike(kwargs: dict[str, t.Any]) -> None:
    def made(routing: t.Any) -> t.Any:
        rule = routing.Rule("/<a>/", endpoint="e", **kwargs)
        rule.arguments = rule.arguments  # which Costrel makes when it is first asked for
        attributes = {name: value for name, value in vars(rule).items() if not name.startswith("_")}
        attributes["methods"] = None if rule.methods is None else sorted(rule.methods)
        return sorted(attributes.items()), repr(rule), str(rule)

    assert outcome(lambda: made(werkzeug.routing)) == outcome(lambda: made(costrel.routing))


def factories(routing: t.Any) -> list[t.Any]:
    rule = routing.Rule("/x", endpoint="e", subdomain="q", host="h", defaults={"d": 1}, methods=["GET"])
    template = [routing.Rule("/$n/${m}", endpoint="$n.x", defaults={"a": "$n", "b": 3}, subdomain="$n")]
    return [
        routing.Submount("/a", [rule]),
        routing.Submount("/a/", [rule]),
        routing.Submount("/a", [routing.Submount("/b", [routing.Rule("/", endpoint="i")])]),
        routing.Subdomain("s", [rule, routing.Rule("/z")]),
        routing.EndpointPrefix("p/", [rule]),
        routing.EndpointPrefix("p/", [routing.Rule("/n")]),
        routing.RuleTemplate(template)(n="N", m="M"),
        routing.RuleTemplate(template)({"n": "N"}, m=5),
        routing.RuleTemplate(template)(n="N"),
        routing.RuleTemplate([routing.Submount("/$n", [routing.Rule("/$$", endpoint=5)])])(n="N"),
        routing.RuleFactory(),
    ]


@pytest.mark.parametrize("number", range(11))
def test_factories_make_the_same_rules(number: int) -> None:
    def made(routing: t.Any) -> t.Any:
        rules = factories(routing)[number].get_rules(routing.Map())
        return [(rule.rule, rule.subdomain, rule.endpoint, rule.host, rule.defaults, rule.methods) for rule in rules]

    assert outcome(lambda: made(werkzeug.routing)) == outcome(lambda: made(costrel.routing))


BASE = {"wsgi.url_scheme": "http", "SERVER_NAME": "srv", "SERVER_PORT": "80", "REQUEST_METHOD": "POST"}
environs = st.fixed_dictionaries(
    {"wsgi.url_scheme": st.sampled_from(["http", "https", "ws"])},
    optional={
        "HTTP_HOST": st.sampled_from(
            ["Ex.com", "ex.com:80", "ex.com:443", "a.ex.com", "a.b.ex.com:8080", "other.com", "..", ".ex.com", "a/b"]
        ),
        "SERVER_PORT": st.sampled_from(["8080", "443", "x"]),
        "SCRIPT_NAME": st.sampled_from(["", "/app", "/\xc3\xbc/"]),
        "PATH_INFO": st.sampled_from(["", "/", "/x", "/\xc3\xbc\xff"]),
        "QUERY_STRING": st.sampled_from(["", "a=b", "\xc3\xbc=1"]),
        "HTTP_UPGRADE": st.sampled_from(["WebSocket", "h2c"]),
        "HTTP_CONNECTION": st.sampled_from(["keep-alive, Upgrade", "close", "upgrade"]),
    },
)
server_names = st.none() | st.sampled_from(["ex.com", "Ex.com:80", "b.ex.com", "exämple.com", "ex.com:8080", ""])
subdomains = st.none() | st.sampled_from(["", "w"])


@pytest.mark.filterwarnings("ignore:Current server name:UserWarning")
@given(environs, server_names, subdomains, st.booleans())
def test_environs_are_bound_alike(
    environ: dict[str, str], server_name: str | None, subdomain: str | None, host_matching: bool
) -> None:
    def bound(routing: t.Any) -> t.Any:
        url_map = routing.Map(host_matching=host_matching, default_subdomain="d")
        adapter = url_map.bind_to_environ({**BASE, **environ}, server_name, subdomain)
        return {name: value for name, value in vars(adapter).items() if name != "map"}

    assert outcome(lambda: bound(werkzeug.routing)) == outcome(lambda: bound(costrel.routing))


BOUND = [
    {"server_name": "exämple.com"},
    {"server_name": "a..b"},
    {"server_name": "x" * 70},
    {"server_name": ""},
    {"server_name": "H", "script_name": "app", "subdomain": "W", "path_info": "", "query_args": {"a": 1}},
    {"server_name": "h", "url_scheme": "wss", "default_method": "PUT"},
]


@pytest.mark.parametrize("kwargs", BOUND)
def test_maps_are_bound_alike(kwargs: dict[str, t.Any]) -> None:
    def bound(routing: t.Any) -> t.Any:
        return {name: value for name, value in vars(routing.Map().bind(**kwargs)).items() if name != "map"}

    assert outcome(lambda: bound(werkzeug.routing)) == outcome(lambda: bound(costrel.routing))


QUERIES = [None, "", "a=b", {"a": 1, "b": [1, 2], "c": None}, [("a", "b")], {"ü &": "ä="}]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("domain", [None, "", "w"])
@pytest.mark.parametrize("path", ["", "x", "/x", "//x", "/x?y", "/ü y"])
def test_redirects_are_made_alike(path: str, domain: str | None, query: t.Any) -> None:
    def made(routing: t.Any, host_matching: bool) -> t.Any:
        subdomain = None if host_matching else "own"
        url_map = routing.Map(host_matching=host_matching)
        adapter = url_map.bind("ex.com", "/app", subdomain, query_args={"q": 1})
        return adapter.make_redirect_url(path, query, domain), adapter.get_host(domain)

    for host_matching in (True, False):
        assert made(werkzeug.routing, host_matching) == made(costrel.routing, host_matching)


PAIRS = [("n", 1), ("n", 2), ("m", None), ("a", ""), ("b", "ü"), ("c", 2), ("c", None)]


@given(st.lists(st.sampled_from(PAIRS), max_size=5), st.booleans())
def test_multidicts_build_alike(pairs: list[tuple[str, t.Any]], sort: bool) -> None:
    def built(routing: t.Any, multidict: t.Any) -> str:
        url_map = routing.Map([routing.Rule("/<n>", endpoint="e")], sort_parameters=sort, sort_key=repr)
        return t.cast(str, url_map.bind("h").build("e", multidict(pairs)))

    wanted = outcome(lambda: built(werkzeug.routing, werkzeug.datastructures.MultiDict))
    assert wanted == outcome(lambda: built(costrel.routing, costrel.http.multidict.MultiDict))
