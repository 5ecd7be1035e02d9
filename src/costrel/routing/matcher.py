"""The tree of a map's rules, by segment, and the walk through it.

A request is a list of segments: the domain (a subdomain, a whole host, or nothing), then the texts between the path's
slashes. At each place of the tree the walk tries a fixed segment first, then the variable segments in their order. It
visits no place twice, so its time depends on the path's length and on the rules that begin like the path, not on the
number of rules.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import combinations

from .converters import BUILT_IN, Conversion, ValidationError
from .errors import NoMatch, RequestAliasRedirect, RequestPath
from .order import all_go_before, first_rule, in_order, may_differ
from .pattern import RulePart
from .rule import Rule

Branch = tuple[Callable[[str], object] | None, RulePart, "State"]
Found = tuple[Rule | None, Sequence[str], list[Rule]]
Candidate = tuple[Rule, Sequence[str]]
Turn = tuple["State", int, int, int]
"""A place with other ways to try, the index of its segment, the number of texts there, and the next branch."""

_SLASHES = re.compile("/{2,}")
_HEAD_ALONE = frozenset({"HEAD", "OPTIONS"})  # OPTIONS is answered automatically

# Shared by the places that have none of their own, and never changed.
_NO_STATES: dict[t.Any, State] = {}
_NO_BRANCHES: list[Branch] = []
_NO_RULES: list[Rule] = []
_NO_TURNS: list[Turn] = []


class SlashRequired(Exception):
    """A name of Werkzeug's matcher, for code that imports it. The walk here returns `_SLASH_MISSING`."""


class State:
    """A place in the tree: the segments that may follow, and the rules that end here."""

    __slots__ = ("by_key", "dynamic", "has_others", "is_tied", "rest", "rules", "sole", "static")

    def __init__(
        self,
        dynamic: list[Branch] = _NO_BRANCHES,
        rules: list[Rule] = _NO_RULES,
        static: dict[str, State] = _NO_STATES,
    ) -> None:
        # PERF: startup. Most places use one of the first three; the others get no list or dict of their own.
        #: (test of a single segment; or None, if `RulePart.take` has to decide; the part; the place after it)
        self.dynamic = dynamic
        self.rules = rules
        self.static = static
        self.by_key: dict[Hashable, State] = _NO_STATES
        #: Whether there is a branch or a rule, so that a fixed segment is not the only way on.
        self.has_others = False
        #: The test of an ASCII text and the place of the only branch, if there is one, it has a test, and no rule ends
        #: here.
        self.sole: tuple[Callable[[str], object], State] | None = None
        #: The same, if the branch takes all segments that follow as one text.
        self.rest: tuple[Callable[[str], object], State] | None = None
        #: Whether the order of the branches does not decide alone which rule is the first.
        self.is_tied = False

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
        self.dynamic.append((None if part.final else part.test, part, child))
        self._note_ways()
        return child

    def end(self, rule: Rule, strict: bool) -> Rule | None:
        """Let a rule end here.

        A rule for HEAD alone goes before rules whose GET includes HEAD. If not strict, the rule that stays before it is
        returned.
        """
        if not self.rules:
            self.rules = []
        place, before = len(self.rules), None
        if rule.methods is not None and rule.methods <= _HEAD_ALONE and "HEAD" in rule.methods:
            including = (at for at, other in enumerate(self.rules) if other.methods and "GET" in other.methods)
            place = next(including, place)
            if place < len(self.rules) and not strict:
                place, before = len(self.rules), self.rules[place]
        self.rules.insert(place, rule)
        self._note_ways()
        return before

    def _note_ways(self) -> None:
        self.has_others = True
        self.sole = self.rest = None
        if len(self.dynamic) == 1 and not self.rules:
            test, part, child = self.dynamic[0]
            if test is not None and part.ascii_test is not None:
                self.sole = part.ascii_test, child
            elif part.final and not part.suffixed and part.test is not None:
                self.rest = part.test, child

    def put_in_order(self, strict: bool) -> None:
        """Put the branches into the order in which the walk tries them."""
        if not strict:
            self.dynamic = sorted(self.dynamic, key=lambda branch: branch[1].weight)
            return
        rules = {id(branch): branch[2].all_rules() for branch in self.dynamic}
        self.dynamic = in_order(self.dynamic, lambda branch: rules[id(branch)])
        self.is_tied = any(
            not all_go_before(rules[id(branch)], rules[id(following)])
            for branch, following in combinations(self.dynamic, 2)  # a comparison of groups is not transitive
        )

    def all_rules(self) -> list[Rule]:
        """The rules that end here or further on."""
        found, places = [], [self]
        for place in places:
            found += place.rules
            places += [*place.static.values(), *[branch[2] for branch in place.dynamic]]
        return found


class StateMachineMatcher:
    """All rules of a map, to be found by domain, path, method and protocol."""

    def __init__(self, merge_slashes: bool) -> None:
        self.merge_slashes = merge_slashes
        #: Whether rules that match alike are tried in the order of the map, else as Werkzeug does it.
        self.strict = True
        self._root = State()
        #: By the domains without variables: the place after a path's first slash, and by path the rules that have no
        #: variables, to which the walk would come first.
        self._starts: dict[str, tuple[State, dict[str, list[Rule]]]] = {}
        #: Places with several branches. Any new rule below them may change their order.
        self._forks: dict[int, State] = {}
        self._is_in_order = True
        #: Rules for HEAD alone that no request reaches, after the rules that answer in their place.
        self._hidden: list[tuple[Rule, Rule]] = []

    def add(self, rule: Rule) -> None:
        """Take a bound rule into the tree; `update` before the next match."""
        node = self._root
        for part in rule._parts:
            if isinstance(part, str):
                node = node.after_text(part)
            else:
                following = node.after_part(part)
                if len(node.dynamic) > 1:
                    self._forks[id(node)] = node
                    self._is_in_order = False
                node = following
        before = node.end(rule, self.strict)
        if before is not None:
            self._hidden.append((before, rule))
        domain, *path = rule._parts
        if not isinstance(domain, str) or path[0] != "":
            return
        if domain not in self._starts:
            self._starts[domain] = self._root.static[domain].static[""], {}
        if not rule._converters and not rule.rule.startswith("//"):  # no request's path begins so
            self._starts[domain][1]["/".join(t.cast("list[str]", path))] = node.rules

    def update(self) -> None:
        """Put new branches into the order in which the walk tries them."""
        if not self._is_in_order:
            self._is_in_order = True
            for place in self._forks.values():
                place.put_in_order(self.strict)

    def differing_rules(self) -> list[tuple[Rule, Rule]]:
        """Pairs of rules, of which the walk tries the first one earlier although the second one goes before it.

        That is also a rule whose GET includes HEAD, before one for HEAD alone.
        """
        found = [*self._hidden]
        for place in self._forks.values():
            groups = [branch[2].all_rules() for branch in place.dynamic]
            for number, rules in enumerate(groups):
                for others in groups[number + 1 :]:
                    if not all_go_before(rules, others):
                        found += [(one, other) for one in rules for other in others if may_differ(one, other)]
        return found

    def find(self, domain: str, path: str, method: str, websocket: bool) -> Found:
        """The rule, or None; the texts of its variables; and the rules for the path that refuse the request.

        Raises `RequestPath` if the right path is another one. Calls no converter.
        """
        place, fixed = self._starts.get(domain, _NOWHERE)
        if path in fixed:
            for rule in fixed[path]:
                if (rule.methods is None or method in rule.methods) and rule.websocket == websocket:
                    return rule, (), _NO_RULES
        segments = path.split("/")
        if "//" in path and path[0] == path[1] == "/":
            path = f"/{path.lstrip('/')}"
            segments = path.split("/")
        if self._root.has_others:
            place = self._root
            segments.insert(0, domain)
        elif segments[0]:
            place = _NOWHERE[0]
        else:  # the usual case: no domain has variables
            del segments[0]
        found = _walk(place, segments, path.isascii(), method, websocket)
        if found[0] is not None:
            return found
        if found[1]:
            raise RequestPath(f"{path}/")
        if self.merge_slashes and "//" in path:
            path = _SLASHES.sub("/", path)
            merged, _, others = self.find(domain, path, method, websocket)
            if merged is not None and merged.merge_slashes is not False:
                raise RequestPath(path)
            return None, (), [*found[2], *others]
        return found

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


_NOWHERE: t.Final[tuple[State, dict[str, list[Rule]]]] = State(), {}
_SLASH_MISSING: t.Final = ("/",)


def _walk(place: State, segments: list[str], is_ascii: bool, method: str, websocket: bool) -> Found:
    """The first rule from `place` on that takes the segments and the request, as `find` returns it.

    Without one, the texts are `_SLASH_MISSING` if a rule takes the path with a slash at its end.
    """
    texts: list[str] = []
    refused, turns = _NO_RULES, _NO_TURNS  # most requests need none
    candidates: list[Candidate] | None = None  # a list after a place whose order does not decide
    ahead, index, is_at_end = segments, 0, False
    while True:
        for segment in ahead:
            following = place.static.get(segment)
            if following is not None:
                if place.has_others:
                    turns = turns or []
                    turns.append((place, index, len(texts), 0))
            elif place.sole is not None and is_ascii:
                test, following = place.sole
                if not test(segment):
                    break
                texts.append(segment)
            elif place.rest is not None:
                rest = "/".join(segments[index:])
                test, place = place.rest
                is_at_end = bool(test(rest))
                texts.append(rest)
                break
            else:
                if place.has_others:
                    turns = turns or []
                    turns.append((place, index, len(texts), 0))
                break
            place = following
            index += 1
        else:
            is_at_end = True
        if is_at_end:
            is_at_end = False
            for rule in place.rules:
                if (rule.methods is None or method in rule.methods) and rule.websocket == websocket:
                    if candidates is None:
                        return rule, texts, refused
                    candidates.append((rule, [*texts]))
                    break
                refused = refused or []
                refused.append(rule)
            else:
                if "" in place.static:
                    candidate = _after_slash(place.static[""].rules, texts, method, websocket)
                    if candidate is not None:
                        if candidates is None:
                            return *_chosen([candidate]), refused
                        candidates.append(candidate)
        turned = _turn_back(turns, segments, texts)
        if turned is None:
            return (None, (), refused) if candidates is None else (*_chosen(candidates), refused)
        place, index, is_tied = turned
        ahead = segments[index:]
        if is_tied and candidates is None:
            candidates = []


def _after_slash(rules: list[Rule], texts: list[str], method: str, websocket: bool) -> Candidate | None:
    """The rule that takes the path if a slash is added, with `_SLASH_MISSING` unless it takes it without one, too."""
    for rule in rules:
        if (rule.methods is None or method in rule.methods) and rule.websocket == websocket:
            return rule, _SLASH_MISSING if rule.strict_slashes else [*texts]
    return None


def _turn_back(turns: list[Turn], segments: list[str], texts: list[str]) -> tuple[State, int, bool] | None:
    """The next place to go on from, the index of its segment, and whether the branch that leads to it is a tied one."""
    while turns:
        place, index, known, number = turns.pop()
        del texts[known:]
        segment = segments[index]
        if number == len(place.dynamic):
            if segment == "" and index == len(segments) - 1:
                loose = [rule for rule in place.rules if not rule.strict_slashes]
                if loose:
                    return State(rules=loose), index + 1, place.is_tied
            continue
        if number + 1 < len(place.dynamic) or place.rules:
            turns.append((place, index, known, number + 1))
        test, part, following = place.dynamic[number]
        if test is None:
            found, index = part.take(segments, index)
            if found is not None:
                texts += found
                return following, index, place.is_tied
        elif test(segment):
            texts.append(segment)
            return following, index + 1, place.is_tied
    return None


def _chosen(candidates: list[Candidate]) -> tuple[Rule | None, Sequence[str]]:
    """The first rule and its texts; None and `_SLASH_MISSING` if all need a slash."""
    exact = [candidate for candidate in candidates if candidate[1] is not _SLASH_MISSING]
    if not exact:
        return None, _SLASH_MISSING if candidates else ()
    if len(exact) == 1:
        return exact[0]
    first = first_rule([rule for rule, _ in exact])
    return next(candidate for candidate in exact if candidate[0] is first)


def values_of(rule: Rule, texts: Sequence[str]) -> dict[str, t.Any] | None:
    """The values of a rule's variables, and its defaults; None if a converter refuses its text."""
    values: dict[str, t.Any] = {}
    convert: Conversion | None = None
    try:
        for index, name, convert in rule._conversions:
            values[name] = texts[index] if convert is None else convert(texts[index])
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
