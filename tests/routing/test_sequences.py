"""Rules with several texts and variables in a segment: the same matches as a regular expression, in linear time."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costrel.http.errors import NotFound
from costrel.routing import BaseConverter, Map, RequestRedirect, Rule
from costrel.routing.sequence import Choice, Run, Sequence, parse_regex

from ..shapes import assert_linear

REGEXES = [
    "[^/]{1,}",
    "[^/]+",
    r"\d+",
    r"-?\d+",
    r"\d+\.\d+",
    "[^/].*?",
    "(?:a|b|ab)",
    "(?:)",
    r"(?:a/b|a\-)",
    "[^/]{2}",
    "[^/]{2,3}",
    "[^/]{1,20}",
    "[ab]*",
    "[ab]+?",
    ".*?",
    ".{0,2}?",
    "[^a]?",
    r"\w{2,}",
    "[a-b]{1,12}?",
]
pieces = st.lists(
    st.tuples(st.sampled_from(REGEXES), st.just(True))
    | st.tuples(st.sampled_from(["a", "/", "-", "ab", "/a/", ".", "1"]), st.just(False)),
    min_size=1,
    max_size=5,
).filter(lambda drawn: any(variable for _, variable in drawn))
subjects = st.text("aab1/-.\n", max_size=12)


@given(pieces, subjects)
def test_marks_find_what_the_regex_finds(pieces, subject):
    sequence = Sequence(tuple(pieces))
    assert sequence.match_by_regex(subject) == sequence.match_by_marks(subject)


@given(pieces, subjects, st.integers(6, 40))
def test_long_texts_match_like_short_ones(pieces, subject, times):
    sequence = Sequence(tuple(pieces[:3]))
    assert sequence.match_by_regex(subject * times) == sequence.match(subject * times)


@pytest.mark.parametrize("regex", ["[^/]{2,3}", "[^/]{1,20}", "[ab]{0,2}?", "[^a]?", "[^/]{2}", "[a-b]{1,12}?"])
@pytest.mark.parametrize("rest", [[("/", False)], [(r"-?\d+", True)], [("a", False), ("[ab]*", True)]])
@pytest.mark.parametrize("subject", ["ab/", "a1", "abab1", "abaaab", "b" * 30 + "/", "ab/" * 3, "", "a"])
def test_runs_of_limited_length_end_where_the_regex_ends_them(regex, rest, subject):
    sequence = Sequence(((regex, True), *rest))
    assert sequence.match_by_regex(subject) == sequence.match_by_marks(subject)


def test_atoms_are_choices_and_runs():
    choice, sign, digits = parse_regex(r"(?:a|b\.c|)-?\d{2,}?")
    assert choice == Choice(("a", "b.c", ""))
    assert isinstance(sign, Run)
    assert (sign.least, sign.most, sign.lazy) == (0, 1, False)
    assert (digits.least, digits.most, digits.lazy) == (2, None, True)


@pytest.mark.parametrize(
    "regex", ["a|b", "(a)", r"\b", r"(?:a|b)+", "a++", "(?=a)", r"\n", "a{,2}", "^a", "(?:a(?:b))"]
)
def test_other_regexes_are_left_to_the_engine(regex):
    assert parse_regex(regex) is None


def test_a_sequence_with_such_a_regex_still_matches():
    sequence = Sequence((("(a|b)+", True), ("-", False), ("[^/]+", True)))
    assert sequence.match("ab-" + "c" * 100) == ("ab", "c" * 100)
    assert sequence.match("ab") is None


class Words(BaseConverter):
    regex = "[a-z]+"


# (a rule, the beginning of a path, what is repeated, its end)
SHAPES = [
    ("/<path:a>/x/<path:b>/y/<path:c>", "", "x/", ""),
    ("/<path:a>/x/<path:b>/y/<path:c>", "", "a/x/b/y", ""),
    ("/<path:a>/x/<path:b>/y/<path:c>", "a", "/x/y", "\n"),
    ("/<path:a>/x/<path:b>/", "a", "/x", "\n"),
    ("/<path:a>/x/<path:b>/", "a", "/x", "//"),
    ("/<path:a>/<path:b>/<path:c>/end", "", "a/", ""),
    ("/<path:a>/<int:b>/<path:c>/end", "", "1/", ""),
    ("/<path:a>x<string:b>/y", "", "x", ""),
    ("/<path:a><int:b>", "", "1", "x"),
    ("/<path:a>", "", "a/", "\n"),
    ("/<path:a>/", "", "a/", ""),
    ("/<a>-<b>-<int:c>", "", "-1", "x"),
    ("/<a>-<b>-<int:c>", "", "1-", "1"),
    ("/<a><b><c><int:d>", "", "1", "x"),
    ("/<a>.<b>.<c>.html", "", ".a", ""),
    ("/<float:a><float:b>-", "", "1.1", ""),
    ("/<any(a, aa, aaa):a><path:p>b", "", "a", ""),
    ("/<string(minlength=2, maxlength=500):a><string(minlength=2, maxlength=500):b>x", "", "a", ""),
    ("/<words:a><words:b><words:c>1", "", "a", ""),
    ("/<int:a>", "", "1", ""),
    ("/a/", "/", "/", "a"),
    ("/a/", "a/", "/", ""),
    ("/a/b", "a", "/", "b"),
    ("/<path:p>/a", "", "/", "a"),
    ("/<uuid:u>", "", "a-", ""),
]


@pytest.mark.parametrize(("rule", "start", "middle", "end"), SHAPES)
def test_a_path_matches_in_linear_time(rule, start, middle, end):
    url_map = Map([Rule(rule, endpoint="e")], converters={"words": Words})
    adapter = url_map.bind("h")

    def match(size):
        path = f"/{start}{middle * (size // len(middle))}{end}"
        for find in (adapter.match, url_map.find):
            with suppress(NotFound, RequestRedirect):
                find(path, "GET")

    assert_linear(match, 8192)


def test_more_rules_are_no_more_work():
    def calls(number):
        url_map = Map(
            Rule(f"/page{i}/<int:id>" if i % 2 else f"/page{i}/about", endpoint=str(i)) for i in range(number)
        )
        adapter = url_map.bind("h")
        tested = []
        place = url_map._matcher._root.static[""].static[""]
        for child in place.static.values():
            child.dynamic = [
                (lambda text: tested.append(text) or text.isdecimal(), *rest) for _, *rest in child.dynamic
            ]
        assert adapter.match("/page1/5") == ("1", {"id": 5})
        return len(tested)

    assert calls(10) == calls(1000)
