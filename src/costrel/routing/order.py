"""The order of rules that match the same path: fixed texts before variables, and of equal rules the earlier one."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable
from functools import cmp_to_key

from .pattern import Part, RulePart, Weighting

if t.TYPE_CHECKING:
    from .rule import Rule

B = t.TypeVar("B")

_MOST: t.Final = 10_000
"""The number of comparisons that `all_go_before` makes at most."""


def _compare(one: Rule, other: Rule) -> int:
    """Negative if `one` goes before `other`. The first segment in which they differ decides.

    A part that takes all segments that follow is compared with all of them.
    """
    for index, (part, its) in enumerate(zip(one._parts, other._parts, strict=False)):
        if isinstance(part, str) or isinstance(its, str):
            if isinstance(part, str) != isinstance(its, str):
                return -1 if isinstance(part, str) else 1
        elif part.key != its.key:
            rest, its_rest = _weight(one._parts[index:]), _weight(other._parts[index:])
            weights = (rest, its_rest) if part.final or its.final else (part.weight, its.weight)
            if weights[0] != weights[1]:
                return -1 if weights[0] < weights[1] else 1
    return one._number - other._number


def _weight(parts: tuple[Part, ...]) -> Weighting:
    """The weight of several parts as if they were one."""
    lengths: list[int] = []
    weights: list[int] = []
    for part in parts:
        if isinstance(part, RulePart):
            lengths += [length for _, length in part.weight.static_weights]
            weights += part.weight.argument_weights
        elif part:
            lengths.append(-len(part))
    return Weighting(-len(lengths), list(enumerate(lengths)), -len(weights), weights)


_key: t.Final = cmp_to_key(_compare)


def first_rule(rules: Iterable[Rule]) -> Rule:
    """The rule that goes before all others."""
    return min(rules, key=_key)


def in_order(branches: list[B], rules_of: Callable[[B], list[Rule]]) -> list[B]:
    """Branches by their first rules; one without rules goes last."""
    known = [branch for branch in branches if rules_of(branch)]
    ordered = sorted(known, key=lambda branch: _key(first_rule(rules_of(branch))))
    return [*ordered, *[branch for branch in branches if not rules_of(branch)]]


def all_go_before(rules: list[Rule], others: list[Rule]) -> bool:
    """Whether each of the rules goes before each of the others; False if there are too many to compare."""
    if len(rules) * len(others) > _MOST:
        return False
    return all(_compare(rule, other) < 0 for rule in rules for other in others)


def may_differ(one: Rule, other: Rule) -> bool:
    """Whether the second rule goes before the first, and a path may match both: their fixed segments agree."""
    if _compare(one, other) < 0 or (one.methods and other.methods and not one.methods & other.methods):
        return False
    for part, its in zip(one._parts, other._parts, strict=False):
        if isinstance(part, str) and isinstance(its, str):
            if part != its:
                return False
        elif (isinstance(part, RulePart) and part.final) or (isinstance(its, RulePart) and its.final):
            return True
    return len(one._parts) == len(other._parts)
