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
from operator import itemgetter

from .errors import NoMatch, RequestAliasRedirect, RequestPath
from .order import all_go_before, first_rule, in_order, may_differ
from .pattern import Part, RulePart
from .rule import Rule

Branch = tuple[Callable[[str], object] | None, RulePart, "State"]
Found = tuple[Rule | None, Sequence[str], list[Rule]]
Candidate = tuple[Rule, Sequence[str]]
Outline = tuple[list[int], Callable[[list[t.Any]], object], dict[object, tuple[list["State"], "State"]]]
"""The indexes of fixed segments, a function that returns these segments of a path; and by them, the places before the
others, and the one after all segments."""
Turn = tuple["State", int, int, int]
"""A place with other ways to try, the index of its segment, the number of texts there, and the next branch."""

_SLASHES = re.compile("/{2,}")
_MOST_OUTLINES = 4  # with the same number of segments; the walk finds the rules of the others
_HEAD_ALONE = frozenset({"HEAD", "OPTIONS"})  # OPTIONS is answered automatically

# Shared by the places that have none of their own, and never changed.
_NO_STATES: dict[t.Any, State] = {}
_NO_BRANCHES: list[Branch] = []
_NO_RULES: list[Rule] = []
_NO_TURNS: list[Turn] = []


class SlashRequired(Exception):
    """A name of Werkzeug's matcher, for code that imports it. The walk here returns `_SLASH_MISSING`."""


def _takes_none(text: str) -> bool:
    return False


class State:
    """A place in the tree: the segments that may follow, and the rules that end here."""

    __slots__ = ("by_key", "depth", "dynamic", "has_others", "is_tied", "only", "rest", "rules", "sole", "static")

    def __init__(
        self,
        dynamic: list[Branch] = _NO_BRANCHES,
        rules: list[Rule] = _NO_RULES,
        static: dict[str, State] = _NO_STATES,
        depth: int = -1,
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
        #: The test of `sole` if no fixed segment may follow, else one that takes no text.
        self.only: Callable[[str], object] = _takes_none
        #: As `sole`, if the branch takes all segments that follow as one text.
        self.rest: tuple[Callable[[str], object], State] | None = None
        #: Whether the order of the branches does not decide alone which rule is the first.
        self.is_tied = False
        #: The number of segments on the way here, without the domain's, unless a part takes several.
        self.depth = depth

    def after_text(self, segment: str) -> State:
        """The place after a fixed segment, made if it does not exist yet."""
        if not self.static:
            self.static, self.only = {}, _takes_none
        elif segment in self.static:
            return self.static[segment]
        child = self.static[segment] = State(depth=self.depth + 1)
        return child

    def after_part(self, part: RulePart) -> State:
        """The place after a variable segment, made if it does not exist yet."""
        if not self.by_key:
            self.by_key, self.dynamic = {}, []
        elif part.key in self.by_key:
            return self.by_key[part.key]
        child = self.by_key[part.key] = State(depth=self.depth + 1)
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
        self.only = _takes_none
        if len(self.dynamic) == 1 and not self.rules:
            test, part, child = self.dynamic[0]
            if test is not None and part.ascii_test is not None:
                self.sole = part.ascii_test, child
                self.only = _takes_none if self.static else part.ascii_test
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


class Start:
    """The place after the first slash of a domain's paths, and short cuts to places that the walk reaches at once."""

    __slots__ = ("fixed", "folders", "outlines", "place")

    def __init__(self, place: State) -> None:
        self.place = place
        self.fixed: dict[str, list[Rule]] = {}
        """By path, the rules without variables."""
        self.folders: dict[str, State] = {}
        """By the path before the last slash, the places after which a variable may end the path."""
        self.outlines: dict[int, list[Outline]] = {}
        """For other rules, by their number of segments, of which the first one is empty."""

    def note(self, parts: list[Part], places: list[State], end: State) -> None:
        """Add a short cut to a rule with these parts, if there can be one. `places` are those before its variables."""
        if len(parts) > 2 and parts[1] == "":
            return  # no request's path begins with two slashes
        if not places:
            self.fixed["/".join(t.cast("list[str]", parts))] = end.rules
        elif len(places) == 1 and isinstance(parts[-1], RulePart):
            self.folders["/".join(t.cast("list[str]", parts[:-1]))] = places[0]
        else:
            self._outline(parts, places, end)

    def _outline(self, parts: list[Part], places: list[State], end: State) -> None:
        fixed: list[int] = []
        for index, part in enumerate(parts):
            if isinstance(part, str):
                fixed.append(index)
            elif not part.fills_segment:
                return
        outlines = self.outlines.setdefault(len(parts), [])
        for known, texts_of, ends in outlines:
            if known == fixed:
                ends[texts_of(parts)] = places, end
                return
        if len(outlines) < _MOST_OUTLINES:
            texts_of = itemgetter(*fixed)
            outlines.append((fixed, texts_of, {texts_of(parts): (places, end)}))


class StateMachineMatcher:
    """All rules of a map, to be found by domain, path, method and protocol."""

    def __init__(self, merge_slashes: bool) -> None:
        self.merge_slashes = merge_slashes
        #: Whether rules that match alike are tried in the order of the map, else as Werkzeug does it.
        self.strict = True
        self._root = State()
        #: By domain, those without variables.
        self._starts: dict[str, Start] = {}
        #: Places with several branches. Any new rule below them may change their order.
        self._forks: dict[int, State] = {}
        self._is_in_order = True
        #: Rules for HEAD alone that no request reaches, after the rules that answer in their place.
        self._hidden: list[tuple[Rule, Rule]] = []

    def add(self, rule: Rule) -> None:
        """Take a bound rule into the tree; `update` before the next match."""
        node, places = self._root, []
        for part in rule._parts:
            if isinstance(part, str):
                node = node.after_text(part)
            else:
                places.append(node)
                node = node.after_part(part)
                if len(places[-1].dynamic) > 1:
                    self._forks[id(places[-1])] = places[-1]
                    self._is_in_order = False
        before = node.end(rule, self.strict)
        if before is not None:
            self._hidden.append((before, rule))
        domain, *parts = rule._parts
        if isinstance(domain, str) and parts[0] == "":
            if domain not in self._starts:
                self._starts[domain] = Start(self._root.static[domain].static[""])
            self._starts[domain].note(parts, places, node)

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

    def start(self, domain: str) -> Start:
        """The place at which a walk for a domain begins, until another rule is added."""
        return self._starts.get(domain, _NOWHERE)

    def find(self, domain: str, path: str, method: str, websocket: bool) -> Found:
        """The rule, or None; the texts of its variables; and the rules for the path that refuse the request.

        Raises `RequestPath` if the right path is another one. Calls no converter.
        """
        start, segments = self._starts.get(domain, _NOWHERE), path.split("/")
        for _, texts_of, ends in start.outlines.get(len(segments), ()):
            found = ends.get(texts_of(segments))
            if found is not None and path.isascii():
                places, end = found
                texts: list[str] = []
                for place in places:
                    test, text = place.only, segments[place.depth]
                    if not test(text):
                        break
                    texts.append(text)
                else:
                    refused = _NO_RULES
                    for rule in end.rules:
                        if (rule.methods is None or method in rule.methods) and rule.websocket is websocket:
                            return rule, texts, refused
                        refused = [*refused, rule]
        place, is_doubled = start.place, "//" in path
        if is_doubled and path[:2] == "//":
            path = f"/{path.lstrip('/')}"
            segments = path.split("/")
        if self._root.has_others:
            place = self._root
            segments.insert(0, domain)
        elif segments.pop(0):
            place = _NOWHERE.place
        hit = _walk(place, segments, path.isascii(), method, websocket)
        if hit[0] is not None:
            return hit
        if hit[1]:
            raise RequestPath(f"{path}/")
        if is_doubled and self.merge_slashes and "//" in path:
            path = _SLASHES.sub("/", path)
            merged, _, others = self.find(domain, path, method, websocket)
            if merged is not None and merged.merge_slashes is not False:
                raise RequestPath(path)
            return None, (), [*hit[2], *others]
        return hit

    def match(self, domain: str, path: str, method: str, websocket: bool) -> tuple[Rule, dict[str, t.Any]]:
        """The rule and the values.

        Raises `RequestPath` if the right path is another one, `RequestAliasRedirect` for an alias, and `NoMatch`.
        """
        rule, texts, refused = self.find(domain, path, method, websocket)
        values = None if rule is None else rule._values_of(texts)
        if rule is None or values is None:
            raise no_match(refused, method)
        values.update(rule.defaults or ())
        if rule.alias and rule.map.redirect_defaults:
            raise RequestAliasRedirect(values, rule.endpoint)
        return rule, values


NO_WAY: t.Final[tuple[Callable[[str], object], State]] = _takes_none, State()
_NOWHERE: t.Final = Start(State())
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
                if (rule.methods is None or method in rule.methods) and rule.websocket is websocket:
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
        if (rule.methods is None or method in rule.methods) and rule.websocket is websocket:
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
