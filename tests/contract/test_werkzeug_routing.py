"""Random maps, matched and built from beside Werkzeug: same endpoint, values, redirects, methods, URLs and errors."""

from __future__ import annotations

import re
import typing as t
from random import Random
from types import SimpleNamespace

import werkzeug.exceptions
import werkzeug.routing
from hypothesis import assume, given
from hypothesis import strategies as st

import costrel.http.errors
import costrel.routing


def converters(routing: t.Any) -> dict[str, t.Any]:
    """What users write: slashes, groups, other weights, empty text, values refused, text changed."""

    class Slashed(routing.BaseConverter):
        regex = "a/b|x"

    class Grouped(routing.BaseConverter):
        regex = "(a|b)+c?"

    class Heavy(routing.BaseConverter):
        weight = 500

    class Light(routing.BaseConverter):
        regex = "[ab]*"
        weight = 10

    class Anything(routing.BaseConverter):
        regex = ".*?"
        part_isolating = False

    class Even(routing.IntegerConverter):
        def to_python(self, value: str) -> int:
            number = super().to_python(value)
            if number % 2:
                raise routing.ValidationError
            return number

        def to_url(self, value: t.Any) -> str:
            if int(value) % 2:
                raise routing.ValidationError
            return super().to_url(value)

    class Lower(routing.BaseConverter):
        def to_python(self, value: str) -> str:
            return value.lower()

        def to_url(self, value: t.Any) -> str:
            return super().to_url(str(value).upper())

    return {
        "slashed": Slashed,
        "grouped": Grouped,
        "heavy": Heavy,
        "light": Light,
        "anything": Anything,
        "even": Even,
        "lower": Lower,
    }


theirs = SimpleNamespace(routing=werkzeug.routing, errors=werkzeug.exceptions, converters=converters(werkzeug.routing))
ours = SimpleNamespace(routing=costrel.routing, errors=costrel.http.errors, converters=converters(costrel.routing))

UUID = "12345678-1234-5678-1234-567812345678"
# Each converter, with texts that it takes or nearly takes.
VARIABLES = {
    "": ["a", "b", "ab", "1", "x-1", "ü"],
    "int:": ["1", "2", "007", "-3", "٣"],
    "float:": ["1.5", "0.0", "1.", "1"],
    "path:": ["a", "a/b", "a/b/", "b/1/x-1", "a//b", "/a", "a\nb"],
    "any(a,b,ab):": ["a", "b", "ab", "abc"],
    'any("a/b",c):': ["a/b", "c", "a"],
    "string(length=2):": ["aa", "ab", "abc"],
    "string(minlength=2, maxlength=3):": ["a", "ab", "abc", "abcd"],
    "int(fixed_digits=2):": ["12", "02", "3"],
    "int(min=2, max=5):": ["1", "3", "6"],
    "int(signed=True):": ["-3", "3", "--3"],
    "float(signed=True):": ["-3.5", "3.0"],
    "uuid:": [UUID, UUID.replace("1", "f").upper(), "1"],
    "slashed:": ["a/b", "x", "a"],
    "grouped:": ["aab", "abc", "c"],
    "heavy:": ["a", "1"],
    "light:": ["", "ab", "abc"],
    "anything:": ["", "a", "a/b"],
    "even:": ["1", "2", "12"],
    "lower:": ["Ab", "a"],
}
# The commoner ones several times, so that rules overlap.
CONVERTERS = [*VARIABLES, *["", "int:", "path:", "anything:", "any(a,b,ab):"] * 3]
STATIC = ["a", "b", "ab", "1", "a.b", "x-1", "ü", "c d", "a%2Fb", "", ""]
ODD = ["/", "a", "b", "1", "//", "-", ".", "ü", "\\", "\n", "%", "?"]
VARIABLE = re.compile(r"<(?:([^<>]*):)?(\w+)>")


class Pattern(t.NamedTuple):
    """A rule's text, paths that may match it, and values that it may be built from."""

    text: str
    paths: list[str]
    values: list[dict[str, str]]


def make_pattern(random: Random) -> Pattern:
    names = (f"n{number}" for number in range(20))
    text = "/" + "/".join(make_segment(random, names) for _ in range(random.randint(0, 4)))
    text += random.choice(["", "", "/", "/", "//"])
    return Pattern(text, [make_path(random, text) for _ in range(10)], [make_values(random, text) for _ in range(4)])


def make_segment(random: Random, names: t.Iterator[str]) -> str:
    def variable() -> str:
        return f"<{random.choice(CONVERTERS)}{next(names)}>"

    kind = random.random()
    if kind < 0.4:
        return random.choice(STATIC)
    if kind < 0.75:
        return variable()
    pieces = (variable() if random.random() < 0.5 else random.choice("ab-.1") for _ in range(random.randint(2, 4)))
    return "".join(pieces)


def make_path(random: Random, text: str) -> str:
    """A path that the rule may have been made for, with something wrong perhaps."""
    path = VARIABLE.sub(lambda match: random.choice(VARIABLES[f"{match[1]}:" if match[1] else ""]), text)
    changes = [
        path.rstrip("/"),
        f"{path}/",
        path.replace("/", "//"),
        f"//{path}\n",
        "".join(random.choices(ODD, k=random.randint(0, 6))),
    ]
    return random.choice(changes) if random.random() < 0.5 else path


def make_values(random: Random, text: str) -> dict[str, str]:
    found = VARIABLE.findall(text)
    return {name: random.choice(VARIABLES[f"{converter}:" if converter else ""]) for converter, name in found}


# Made once: drawing them piece by piece takes hypothesis ten times as long as all the rest.
PATTERNS = [make_pattern(Random(number)) for number in range(2000)]
patterns = st.sampled_from(sorted(PATTERNS, key=lambda pattern: len(pattern.text)))


def sometimes(strategy: st.SearchStrategy[t.Any]) -> st.SearchStrategy[t.Any]:
    """A strategy that returns None, which omits the option, more often than a value."""
    return st.none() | st.none() | strategy


def options(**strategies: st.SearchStrategy[t.Any]) -> st.SearchStrategy[dict[str, t.Any]]:
    fixed = st.fixed_dictionaries({name: sometimes(strategy) for name, strategy in strategies.items()})
    return fixed.map(lambda drawn: {name: value for name, value in drawn.items() if value is not None})


method_lists = st.sampled_from([["GET"], ["POST"], ["get", "PUT"], [], ["HEAD"], ["DELETE", "POST"]])
defaults = st.dictionaries(st.sampled_from(["n0", "n1", "d"]), st.sampled_from([1, 2, "a", "b"]), min_size=1)
common = {
    "strict_slashes": st.booleans(),
    "merge_slashes": st.booleans(),
    "methods": method_lists,
    "defaults": defaults,
}
rare = {
    "build_only": st.just(True),
    "alias": st.just(True),
    "redirect_to": st.sampled_from(["/r", "q/<n0>", "q/<n0>?x=<n0>", "//elsewhere.example/x"]),
    "websocket": st.just(True),
}
hosts = {
    "subdomain": st.sampled_from(["", "w", "<n8>", "a.b", "w<int:n7>"]),
    "host": st.sampled_from(["", "h.com", "<n8>.com", "h", "<path:n7>"]),
}
map_options = options(
    strict_slashes=st.just(False),
    merge_slashes=st.just(False),
    redirect_defaults=st.just(False),
    sort_parameters=st.just(True),
)
map_hosts = options(host_matching=st.just(True), default_subdomain=st.just("w"))
endpoints = st.sampled_from(["e", "f", "g"])


Drawn = tuple[Pattern, str, dict[str, t.Any]]


def rules(**more: st.SearchStrategy[t.Any]) -> st.SearchStrategy[list[Drawn]]:
    return st.lists(st.tuples(patterns, endpoints, options(**common, **more)), min_size=1, max_size=3)


plain_rules = rules()
rare_rules = rules(**rare)
host_rules = rules(**rare, **hosts)


def make_rules(side: t.Any, drawn: list[Drawn]) -> t.Iterator[t.Any]:
    for pattern, endpoint, given_options in drawn:
        only = {"methods": ["GET"]} if {"websocket", "methods"} <= given_options.keys() else {}
        yield side.routing.Rule(pattern.text, endpoint=endpoint, **{**given_options, **only})


#: A map as it is under the names of Werkzeug.
AsWerkzeug: t.Any = type("Map", (costrel.routing.Map,), {"is_strict_by_default": False})


def make_map(side: t.Any, drawn: list[Drawn], kwargs: dict[str, t.Any]) -> t.Any:
    kind = AsWerkzeug if side is ours else side.routing.Map
    return kind(make_rules(side, drawn), converters=side.converters, **kwargs)


def make_maps(drawn: list[Drawn], kwargs: dict[str, t.Any]) -> tuple[t.Any, t.Any]:
    """The map on both sides; where Werkzeug refuses to make it (a default that a converter refuses), so must we."""
    try:
        expected = make_map(theirs, drawn, kwargs)
    except (ValueError, SyntaxError):  # the latter of a variable that occurs in the host and in the path
        refused = False
        try:
            make_map(ours, drawn, kwargs)
        except ValueError:
            refused = True
        assert refused
        assume(False)
    return expected, make_map(ours, drawn, kwargs)


def paths(drawn: list[Drawn]) -> st.SearchStrategy[str]:
    return st.sampled_from([path for pattern, _, _ in drawn for path in pattern.paths])


def outcome(side: t.Any, call: t.Callable[[], t.Any]) -> tuple[t.Any, ...]:
    try:
        return "value", call()
    except side.routing.RequestRedirect as error:
        return "redirect", error.new_url, error.code
    except side.errors.MethodNotAllowed as error:
        return "method", sorted(error.valid_methods)
    except side.routing.WebsocketMismatch as error:
        return "websocket", error.code
    except side.errors.HTTPException as error:
        return "error", error.code
    except side.routing.BuildError as error:
        return "build", str(error), error.endpoint, error.method
    except Exception as error:
        return "exception", type(error).__name__


def throw(error: Exception) -> t.NoReturn:
    raise error


def match(side: t.Any, adapter: t.Any, *args: t.Any) -> tuple[t.Any, ...]:
    def call() -> tuple[str, t.Any, list[tuple[str, t.Any]]]:
        path, method, query, websocket = (*args, *("GET", None, None)[len(args) - 1 :])
        rule, values = adapter.match(path, method, True, query, websocket)
        return repr(rule), rule.endpoint, list(values.items())

    return outcome(side, call)


methods = st.sampled_from(["GET", "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS"])
queries = st.none() | st.sampled_from(["", "a=b&", {"k": [1, 2], "n": None, "ü": "&"}])
schemes = st.sampled_from(["http", "http", "https", "ws", "wss", ""])


@given(st.data(), plain_rules, map_options)
def test_requests_match_alike(data: st.DataObject, drawn: t.Any, kwargs: dict[str, t.Any]) -> None:
    expected, actual = make_maps(drawn, kwargs)
    assert repr(expected) == repr(actual)
    for path, method in data.draw(st.lists(st.tuples(paths(drawn), methods), min_size=1, max_size=6)):
        on_theirs, on_ours = expected.bind("h.com", "/app"), actual.bind("h.com", "/app")
        wanted = match(theirs, on_theirs, path, method)
        assert wanted == match(ours, on_ours, path, method), path
        assert on_theirs.test(path, method) == on_ours.test(path, method)
        assert sorted(on_theirs.allowed_methods(path)) == sorted(on_ours.allowed_methods(path))
        rule, found = actual.find(path, method)
        if rule is not None:
            assert wanted == ("value", (repr(rule), rule.endpoint, list(found.items())))
        elif found is not None:
            assert wanted == outcome(ours, lambda error=found: throw(error))


@given(st.data(), host_rules, map_options, map_hosts)
def test_hosts_protocols_and_redirects_match_alike(
    data: st.DataObject, drawn: t.Any, kwargs: dict[str, t.Any], more: dict[str, t.Any]
) -> None:
    expected, actual = make_maps(drawn, {**kwargs, **more})
    host = data.draw(st.sampled_from(["h.com", "h", "q.com:80", "A.com"]))
    subdomain = None if "host_matching" in more else data.draw(st.sampled_from([None, "", "w", "a.b", "w3"]))
    bound = host, "/app", subdomain, data.draw(schemes)
    on_theirs, on_ours = expected.bind(*bound), actual.bind(*bound)
    for path in data.draw(st.lists(paths(drawn), min_size=1, max_size=4)):
        args = path, data.draw(methods), data.draw(queries), data.draw(st.sampled_from([None, None, True, False]))
        assert match(theirs, on_theirs, *args) == match(ours, on_ours, *args), args


value = st.sampled_from([1, 2, 3, "a", "b", "ab", "12", "x/y", "ü &=+", "a-b.c~d", None, 1.5, True, [1, "b"], ""])
build_values = st.dictionaries(st.sampled_from(["n0", "n1", "n2", "n7", "n8", "d", "k", "a b", "ü"]), value, max_size=5)


@given(st.data(), host_rules, map_options, map_hosts)
def test_urls_are_built_alike(
    data: st.DataObject, drawn: t.Any, kwargs: dict[str, t.Any], more: dict[str, t.Any]
) -> None:
    expected, actual = make_maps(drawn, {**kwargs, **more})
    subdomain = None if "host_matching" in more else data.draw(st.sampled_from([None, "", "w", "a.b"]))
    bound = data.draw(st.sampled_from(["h.com", "h"])), data.draw(st.sampled_from([None, "/app"])), subdomain
    scheme = data.draw(schemes)
    on_theirs, on_ours = expected.bind(*bound, scheme), actual.bind(*bound, scheme)
    for _ in range(data.draw(st.integers(1, 4))):
        endpoint = data.draw(st.sampled_from(["e", "e", "f", "g", "E", "zz"]))
        values = data.draw(build_values)
        known = next((pattern for pattern, of, _ in drawn if of == endpoint), None)
        if known is not None and data.draw(st.integers(0, 3)):  # so that some URLs come about
            values |= data.draw(st.sampled_from(known.values))
        args = {
            "method": data.draw(st.sampled_from([None, None, "GET", "POST", "Z"])),
            "force_external": data.draw(st.booleans()),
            "append_unknown": data.draw(st.booleans()),
            "url_scheme": data.draw(st.sampled_from([None, None, "", "https", "ws", "ftp"])),
        }
        wanted = outcome(theirs, lambda: on_theirs.build(endpoint, values, **args))  # noqa: B023
        assert wanted == outcome(ours, lambda: on_ours.build(endpoint, values, **args)), (endpoint, values)  # noqa: B023


@given(st.data(), plain_rules, map_options)
def test_what_is_built_matches_alike(data: st.DataObject, drawn: t.Any, kwargs: dict[str, t.Any]) -> None:
    expected, actual = make_maps(drawn, kwargs)
    pattern, endpoint, _ = data.draw(st.sampled_from(drawn))
    values = data.draw(st.sampled_from(pattern.values))
    built = outcome(ours, lambda: actual.bind("h.com").build(endpoint, values))
    assert outcome(theirs, lambda: expected.bind("h.com").build(endpoint, values)) == built
    if built[0] == "value":
        path = costrel.http.urls.uri_to_iri(built[1]).partition("?")[0]
        wanted = match(theirs, expected.bind("h.com"), path)
        assert wanted == match(ours, actual.bind("h.com"), path)


@given(st.data(), plain_rules, rare_rules, map_options)
def test_rules_added_later_match_alike(
    data: st.DataObject, first: list[Drawn], second: list[Drawn], kwargs: dict[str, t.Any]
) -> None:
    expected, actual = make_maps(first[:2], kwargs)
    path = data.draw(paths(first[:2]))
    assert match(theirs, expected.bind("h"), path) == match(ours, actual.bind("h"), path)
    try:
        for side, url_map in ((theirs, expected), (ours, actual)):
            for rule in make_rules(side, second[:2]):
                url_map.add(rule)
    except ValueError:
        assume(False)
    assert repr(expected) == repr(actual)
    for path in data.draw(st.lists(paths([*first[:2], *second[:2]]), min_size=1, max_size=4)):
        assert match(theirs, expected.bind("h"), path) == match(ours, actual.bind("h"), path), path
