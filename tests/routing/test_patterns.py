"""The syntax of rules, and the errors for invalid ones."""

import pytest

from costrel.routing import BaseConverter, Map, Rule, parse_converter_args
from costrel.routing.pattern import RulePart, Variable, parse_rule, regex_error, split_parts


def test_a_rule_is_slashes_texts_and_variables():
    assert parse_rule("/a-<x>.<int(min=1):y>/") == [
        "/",
        "a-",
        Variable("x", "default", ""),
        ".",
        Variable("y", "int", "min=1"),
        "/",
    ]


@pytest.mark.parametrize("rule", ["/<", "/a/<>", "/<a b>", "/<1a>", "/<é>", "/<int:>", "/<:a>", "/<<a>>", "/<int(:a>"])
def test_a_malformed_rule_says_where(rule):
    with pytest.raises(ValueError) as caught:
        Map([Rule(rule)])
    place = rule[rule.index("<") :]
    assert str(caught.value) == (
        f"malformed url rule: {rule!r}. There is no variable like '<name>', '<converter:name>' or"
        f" '<converter(arguments):name>' at {place!r}; a name has only ASCII letters, digits and '_'."
    )


def test_a_rule_begins_with_a_slash():
    with pytest.raises(ValueError) as caught:
        Rule("a")
    assert str(caught.value) == "URL rule 'a' must start with a slash."


def test_a_name_stands_once_in_a_rule():
    with pytest.raises(ValueError) as caught:
        Map([Rule("/<a>", subdomain="<a>")])
    assert str(caught.value) == "URL rule '/<a>' uses the variable name 'a' twice."


def test_an_unknown_converter_names_those_that_there_are():
    with pytest.raises(LookupError) as caught:
        Map([Rule("/<nope:a>")])
    assert str(caught.value) == (
        "the converter 'nope' does not exist, which '/<nope:a>' asks for;"
        " there are 'any', 'default', 'float', 'int', 'path', 'string', 'uuid'"
    )


def test_a_regex_that_does_not_compile_is_refused_when_the_rule_is_added():
    class Broken(BaseConverter):
        regex = "[a-"

    with pytest.raises(ValueError) as caught:
        Map([Rule("/<broken:a>")], converters={"broken": Broken})
    assert str(caught.value) == (
        f"URL rule '/<broken:a>': the regex '[a-' of the converter 'broken' cannot be compiled: {regex_error('[a-')}."
    )


def test_arguments_are_constants_numbers_and_texts():
    assert parse_converter_args("1, 2.5, x.y, 'a, b', \"c\", True, None, n=3, m=u'5'") == (
        (1, 2.5, "x.y", "a, b", "c", True, None),
        {"n": 3, "m": "5"},
    )


@pytest.mark.parametrize(
    ("text", "shown"), [("-1", "-"), ("a b", "a"), ("a=b=c", "a="), ("a, b]", " b]"), ("a]", "a]"), ("'x", "'")]
)
def test_an_argument_that_cannot_be_read_is_shown(text, shown):
    with pytest.raises(ValueError) as caught:
        parse_converter_args(text)
    assert str(caught.value) == f"Cannot parse converter argument '{shown}'"


def parts(rule, **kwargs):
    bound = Rule(rule, **kwargs)
    Map([bound])
    return list(split_parts(parse_rule(rule), bound._converters))


def test_segments_are_texts_and_parts():
    empty, fixed, variable, end = parts("/a/<int:x>/")
    assert (empty, fixed, end) == ("", "a", "")
    assert isinstance(variable, RulePart)
    assert (variable.final, variable.suffixed) == (False, False)
    assert variable.content == r"(?P<_0>[0-9]+)"


def test_a_part_that_may_swallow_slashes_takes_all_to_the_end():
    empty, part, end = parts("/x<path:p>/y/<a>/")
    assert (empty, end) == ("", "")
    assert (part.final, part.suffixed) == (True, True)
    assert part.content == "x(?P<_1>[^/].*?)/y/(?P<_5>[^/]{1,})"
    assert part.match("xa/b/y/c") == ("a/b", "c")


def test_more_and_longer_texts_weigh_less():
    texts = ["/a<a>-<b>", "/abc<a>", "/<a>-<b>", "/a<a>", "/<int:a>", "/<a>", "/<path:a>"]
    weights = [parts(text)[1].weight for text in texts]
    assert weights == sorted(weights)


def test_parts_with_other_names_share_a_key():
    assert parts("/<a>-<b>")[1].key == parts("/<c>-<d>")[1].key
    assert parts("/<int:a>")[1].key != parts("/<float:a>")[1].key
