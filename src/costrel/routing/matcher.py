"""The tree of a map's rules, by segment, and the walk through it.

A request is a list of segments: the domain (a subdomain, a whole host, or nothing), then the texts between the path's
slashes. At each place of the tree the walk tries a fixed segment first, then the variable ones in the order of their
weights. It visits no place twice, so its time depends on the path's length and on the rules that begin like the path,
not on the number of rules.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Hashable, Iterable, Sequence

from .converters import BUILT_IN, Conversion, ValidationError
from .errors import NoMatch, RequestAliasRedirect, RequestPath
from .pattern import RulePart
from .rule import Rule

Branch = tuple[Callable[[str], object] | None, RulePart, "State"]

_SLASHES = re.compile("/{2,}")


class SlashRequired(Exception):
    """Raised on the walk if a rule matches that ends with a slash, and the path does not."""


# Shared by the places that have none of their own, and never changed.
_NO_STATES: dict[t.Any, State] = {}
_NO_BRANCHES: list[Branch] = []
_NO_RULES: list[Rule] = []
_NO_PATHS: dict[str, list[Rule]] = {}


class State:
    """A place in the tree: the segments that may follow, and the rules that end here."""

    __slots__ = ("by_key", "dynamic", "rules", "sole", "static")

    def __init__(
        self,
        dynamic: list[Branch] = _NO_BRANCHES,
        rules: list[Rule] = _NO_RULES,
        static: dict[str, State] = _NO_STATES,
    ) -> None:
        # PERF: startup. Most places use one of these four; the others get no list or dict of their own.
        #: (test of a single segment; or None, if `RulePart.take` has to decide; the part; the place after it)
        self.dynamic = dynamic
        self.rules = rules
        self.static = static
        self.by_key: dict[Hashable, State] = _NO_STATES
        #: The test and the place of the only branch, if there is one and it has a test.
        self.sole: tuple[Callable[[str], object], State] | None = None

    def after_text(self, segment: str) -> State:
        """The place after a fixed segment, made if it does not exist yet."""
        if not self.static:
            self.static = {}
        elif segment in self.static:
            return self.static[segment]
        child = self.static[segment] = State()
        return child

    def after_part(self, part: RulePart) -> State:
        """The place after a variable segment, made if it does not exist yet."""
        if not self.by_key:
            self.by_key, self.dynamic = {}, []
        elif part.key in self.by_key:
            return self.by_key[part.key]
        child = self.by_key[part.key] = State()
        test = None if part.final else part.test
        self.sole = None if test is None or self.dynamic else (test, child)
        self.dynamic.append((test, part, child))
        return child


class StateMachineMatcher:
    """All rules of a map, to be found by domain, path, method and protocol."""

    def __init__(self, merge_slashes: bool) -> None:
        self.merge_slashes = merge_slashes
        self._root = State()
        self._unsorted: list[State] = []
        #: The rules without variables, by domain and path: the walk would come to them first.
        self._fixed: dict[str, dict[str, list[Rule]]] = {}

    def add(self, rule: Rule) -> None:
        """Take a bound rule into the tree; `update` before the next match."""
        node = self._root
        for part in rule._parts:
            if isinstance(part, str):
                node = node.after_text(part)
            else:
                if part.key not in node.by_key:
                    self._unsorted.append(node)
                node = node.after_part(part)
        if not node.rules:
            node.rules = []
        node.rules.append(rule)
        if not rule._converters and not rule.rule.startswith("//"):  # no request's path begins so
            domain, *path = t.cast("tuple[str, ...]", rule._parts)
            self._fixed.setdefault(domain, {})["/".join(path)] = node.rules

    def update(self) -> None:
        """Put new branches into the order in which the walk tries them."""
        unsorted, self._unsorted = self._unsorted, []
        for node in unsorted:
            node.dynamic = sorted(node.dynamic, key=lambda branch: branch[1].weight)

    def find(
        self, domain: str, path: str, method: str, websocket: bool
    ) -> tuple[Rule | None, Sequence[str], list[Rule]]:
        """The rule, or None; the texts of its variables; and the rules for the path that refuse the request.

        Raises `RequestPath` if the right path is another one. Calls no converter.
        """
        for rule in self._fixed.get(domain, _NO_PATHS).get(path, _NO_RULES):
            if (rule.methods is None or method in rule.methods) and rule.websocket == websocket:
                return rule, (), _NO_RULES
        if path[:2] == "//":
            path = f"/{path.lstrip('/')}"
        place, segments = self._root, path.split("/")
        if place.dynamic:
            segments.insert(0, domain)
        else:  # the usual case: no domain has variables
            place = place.static.get(domain, _NOWHERE)
        texts: list[str] = []
        refused: list[Rule] = []
        try:
            found = _visit(place, segments, 0, texts, refused, method, websocket)
        except SlashRequired:
            raise RequestPath(f"{path}/") from None
        if found is None and self.merge_slashes and "//" in path:
            path = _SLASHES.sub("/", path)
            merged, _, others = self.find(domain, path, method, websocket)
            if merged is not None and merged.merge_slashes is not False:
                raise RequestPath(path)
            refused += others
        return found, texts, refused

    def match(self, domain: str, path: str, method: str, websocket: bool) -> tuple[Rule, dict[str, t.Any]]:
        """The rule and the values.

        Raises `RequestPath` if the right path is another one, `RequestAliasRedirect` for an alias, and `NoMatch`.
        """
        rule, texts, refused = self.find(domain, path, method, websocket)
        values = None if rule is None else values_of(rule, texts)
        if rule is None or values is None:
            raise no_match(refused, method)
        if rule.alias and rule.map.redirect_defaults:
            raise RequestAliasRedirect(values, rule.endpoint)
        return rule, values


_NOWHERE: t.Final = State()


def _visit(
    place: State, segments: list[str], index: int, texts: list[str], refused: list[Rule], method: str, websocket: bool
) -> Rule | None:
    """The first rule from `place` on that takes the segments from `index` on, and the request.

    Appends the texts of its variables to `texts`, and to `refused` the rules that do not take the request.
    """
    turns: list[tuple[State, int, int]] = []  # places with variable segments to try if the way ahead leads nowhere
    for segment in segments[index:] if index else segments:
        following = place.static.get(segment)
        if following is not None:
            if place.dynamic or place.rules:
                turns.append((place, index, len(texts)))
        elif place.sole is None or place.rules:
            if place.dynamic or place.rules:
                turns.append((place, index, len(texts)))
            break
        else:
            test, following = place.sole
            if not test(segment):
                break
            texts.append(segment)
        place = following
        index += 1
    else:
        rule = _first(place.rules, refused, method, websocket)
        if rule is None and "" in place.static:
            rule = _first(place.static[""].rules, [], method, websocket)
            if rule is not None and rule.strict_slashes:
                raise SlashRequired
        if rule is not None:
            return rule
    while turns:
        place, index, known = turns.pop()
        del texts[known:]
        rule = _visit_variables(place, segments, index, texts, refused, method, websocket)
        if rule is not None:
            return rule
    return None


def _visit_variables(
    place: State, segments: list[str], index: int, texts: list[str], refused: list[Rule], method: str, websocket: bool
) -> Rule | None:
    """The same, without the fixed segment after `place`."""
    segment, known = segments[index], len(texts)
    for test, part, following in place.dynamic:
        after = index + 1
        if test is None:
            found, after = part.take(segments, index)
            if found is None:
                continue
            texts += found
        elif test(segment):
            texts.append(segment)
        else:
            continue
        rule = _visit(following, segments, after, texts, refused, method, websocket)
        if rule is not None:
            return rule
        del texts[known:]
    if segment == "" and index == len(segments) - 1:
        return _first([rule for rule in place.rules if not rule.strict_slashes], refused, method, websocket)
    return None


def _first(rules: list[Rule], refused: list[Rule], method: str, websocket: bool) -> Rule | None:
    """The first of the rules that takes the method and the protocol."""
    for rule in rules:
        if (rule.methods is None or method in rule.methods) and rule.websocket == websocket:
            return rule
        refused.append(rule)
    return None


def values_of(rule: Rule, texts: Sequence[str]) -> dict[str, t.Any] | None:
    """The values of a rule's variables, and its defaults; None if a converter refuses its text."""
    values: dict[str, t.Any] = {}
    convert: Conversion | None = None
    try:
        for name, convert in rule._conversions:
            text = texts[len(values)]
            values[name] = text if convert is None else convert(text)
    except ValueError as error:
        if isinstance(error, ValidationError) or convert in BUILT_IN:
            return None
        raise
    if rule.defaults:
        values.update(rule.defaults)
    return values


def no_match(refused: Iterable[Rule], method: str) -> NoMatch:
    """The error for a request with this method that all rules for its path refuse."""
    methods: set[str] = set()
    websocket_mismatch = False
    for rule in refused:
        if rule.methods is None or method in rule.methods:
            websocket_mismatch = True
        else:
            methods.update(rule.methods)
    return NoMatch(methods, websocket_mismatch)
