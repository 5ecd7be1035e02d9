"""Late patterns behave like compiled ones, and are compiled at their first use."""

from __future__ import annotations

import re
import sys

import pytest

import costrel.sessions.stores.server
from costrel.support.patterns import LatePattern


def test_it_is_compiled_at_the_first_use() -> None:
    pattern = LatePattern("(")
    with pytest.raises(re.error):
        pattern.fullmatch("a")


def test_it_is_compiled_once() -> None:
    pattern = LatePattern("a", re.IGNORECASE)
    assert pattern.compile() is pattern.compile()
    assert pattern.compile().flags & re.IGNORECASE


def test_it_answers_as_the_compiled_one_does() -> None:
    compiled, late = re.compile("[ab]+"), LatePattern("[ab]+")
    for text in ("ab", "xab", "ab,ba", ""):
        for method in ("match", "fullmatch", "search"):
            expected = getattr(compiled, method)(text)
            found = getattr(late, method)(text)
            assert (expected and expected.span()) == (found and found.span())
        assert compiled.findall(text) == late.findall(text)
        assert compiled.split(text) == late.split(text)
        assert compiled.split(text, 1) == late.split(text, 1)
        assert compiled.sub("-", text) == late.sub("-", text)
        assert compiled.sub(lambda match: match[0].upper(), text) == late.sub(lambda match: match[0].upper(), text)


def test_it_matches_from_a_position_on() -> None:
    match = LatePattern(b"b").match(b"ab", 1)
    assert match is not None
    assert match.span() == (1, 2)


def test_all_that_the_package_has_can_be_compiled() -> None:
    modules = [module for name, module in [*sys.modules.items()] if name.partition(".")[0] == "costrel"]
    values = [value for module in modules for value in [*vars(module).values()]]
    bound = [value.__self__ for value in values if type(value).__name__ == "method"]
    late = [value for value in [*values, *bound] if type(value) is LatePattern]
    assert costrel.sessions.stores.server._is_identifier.__self__ in late
    for pattern in late:
        assert pattern.compile().pattern == pattern.pattern
