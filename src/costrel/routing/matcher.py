"""The tree of a map's rules, by segment, and the walk through it with a request's path.

A request is a list of segments: the domain (a subdomain, a whole host, or nothing), then what stands between the path's
slashes. At each place of the tree a fixed segment is tried first, then the variable ones in the order of their weights.
The walk visits no place twice, so its time depends on the path's length and on the rules that begin like the path,
not on how many rules there are.
"""

from __future__ import annotations

import re
import typing as t

from .converters import ValidationError
from .errors import NoMatch, RequestAliasRedirect, RequestPath
from .pattern import RulePart

if t.TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from .rule import Rule

_SLASHES = re.compile("/{2,}")


class SlashRequired(Exception):
    """Raised on the walk where a rule matches that ends with a slash, and the path has none."""


# Never changed.
_NO_STATES: dict[t.Any, State] = {}
_NOTHING: list[t.Any] = []


class State:
    """A place in the tree: what may follow, and the rules that end here."""

    __slots__ = ("by_key", "dynamic", "rules", "static")

    def __init__(
        self,
        dynamic: list[tuple[Callable[[str], object] | None, RulePart, State]] = _NOTHING,
        rules: list[Rule] = _NOTHING,
        static: dict[str, State] = _NO_STATES,
    ) -> None:
        # PERF: startup. Most places have one of these four, and get a list or dict when something comes in.
        #: (test of a segment, or None where `RulePart.match` has to cut up one or more; the part; the place after it)
        self.dynamic = dynamic
        self.rules = rules
        self.static = static
        self.by_key: dict[Hashable, State] = _NO_STATES

    def after_text(self, segment: str) -> State:
        """The place after a fixed segment, made where it is not there yet."""
        if not self.static:
            self.static = {}
        elif segment in self.static:
            return self.static[segment]
        child = self.static[segment] = State()
        return child

    def after_part(self, part: RulePart) -> State:
        """The place after a variable segment, made where it is not there yet."""
        if not self.by_key:
            self.by_key, self.dynamic = {}, []
        elif part.key in self.by_key:
            return self.by_key[part.key]
        child = self.by_key[part.key] = State()
        self.dynamic.append((None if part.final else part.test, part, child))
        return child


class StateMachineMatcher:
    """All rules of a map, to be found by domain, path, method and protocol."""

    def __init__(self, merge_slashes: bool) -> None:
        self.merge_slashes = merge_slashes
        self._root = State()
        self._unsorted: list[State] = []
        #: By domain: the place after a path's first slash, and, by path, the rules that have no variables.
        self._domains: dict[str, tuple[State, dict[str, list[Rule]]]] = {}

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
        self._index(rule._parts, node)

    def _index(self, parts: tuple[str | RulePart, ...], node: State) -> None:
        domain, *path = parts
        if not isinstance(domain, str) or path[0] != "" or len(path) < 2:
            return
        if domain not in self._domains:
            self._domains[domain] = self._root.static[domain].static[""], {}
        if (path[1] or len(path) == 2) and all(isinstance(part, str) for part in path):
            self._domains[domain][1]["/".join(t.cast("list[str]", path))] = node.rules

    def update(self) -> None:
        """Put the branches that were added into the order in which they are tried."""
        unsorted, self._unsorted = self._unsorted, []
        for node in unsorted:
            node.dynamic = sorted(node.dynamic, key=lambda branch: branch[1].weight)

    def find(
        self, domain: str, path: str, method: str, *, converts: bool = True
    ) -> tuple[Rule, dict[str, t.Any]] | None:
        """The rule and the values, where the first way through the tree leads to a plain one; else None.

        None says nothing: `match` has to decide. `path` is as the client sent it, `method` in upper case. Where nobody
        `converts`, there are no values.
        """
        place, static_rules = self._domains.get(domain) or _NOWHERE
        rules = static_rules.get(path)
        if rules is None:
            # PERF: one way, without turning back and without calls of our own (benchmarks: routing).
            segments = iter(path.split("/"))
            if next(segments):
                return None
            texts = []
            for segment in segments:
                following = place.static.get(segment)
                if following is None:
                    if not segment:
                        return None
                    for test, part, following in place.dynamic:  # noqa: B007 # used below
                        if test is not None:
                            if test(segment):
                                texts.append(segment)
                                break
                        else:
                            rest = "/".join((segment, *segments)) if part.final else segment
                            found = None if part.suffixed else part.match(rest)
                            if found is not None:
                                texts += found
                                break
                            if part.final:
                                return None  # the segments are used up
                    else:
                        return None
                place = following
            rules = place.rules
        for rule in rules:
            methods = rule.methods
            if methods is None or method in methods:
                if not rule._is_plain:
                    return None
                values: dict[str, t.Any] = {}
                if not converts or (not rule._conversions and not rule.defaults):
                    return rule, values
                try:
                    for index, name, convert in rule._conversions:
                        values[name] = texts[index] if convert is None else convert(texts[index])
                except ValueError:  # of ValidationError, or of what a converter calls; `match` tells them apart
                    return None
                if rule.defaults:
                    values.update(rule.defaults)
                return rule, values
        return None

    def match(self, domain: str, path: str, method: str, websocket: bool) -> tuple[Rule, dict[str, t.Any]]:
        """The rule and the values.

        Raises `RequestPath` where the path should be written in another way, `RequestAliasRedirect` for an alias, and
        `NoMatch`.
        """
        search = Search(self._root, domain, method, websocket)
        static_rules = (self._domains.get(domain) or _NOWHERE)[1].get(path)
        found = static_rules and search.allowed(static_rules, ())  # where the walk would come to first
        found = found or search.search(path)
        if found is None and self.merge_slashes and "//" in path:
            path = _SLASHES.sub("/", path)
            found = search.search(path)
            if found is not None and found[0].merge_slashes is not False:
                raise RequestPath(path)
            found = None
        if found is None:
            raise search.no_match()
        return search.values(*found)


_NOWHERE: tuple[State, dict[str, list[Rule]]] = State(), {}


class Search:
    """One walk with turning back: what was asked for, and what was found to be nearly right."""

    def __init__(self, root: State, domain: str, method: str, websocket: bool) -> None:
        self._root = root
        self._domain = domain
        self._method = method
        self._websocket = websocket
        self._methods: set[str] = set()
        self._websocket_mismatch = False

    def search(self, path: str) -> tuple[Rule, tuple[str, ...]] | None:
        """The first rule that matches and the texts of its variables; raises `RequestPath` for a missing slash."""
        try:
            return self._visit(self._root, [self._domain, *path.split("/")], 0, ())
        except SlashRequired:
            raise RequestPath(f"{path}/") from None

    def no_match(self) -> NoMatch:
        """Why nothing was found."""
        return NoMatch(self._methods, self._websocket_mismatch)

    def allowed(self, rules: list[Rule], texts: tuple[str, ...]) -> tuple[Rule, tuple[str, ...]] | None:
        """The first of the rules that takes the method and the protocol."""
        for rule in rules:
            if rule.methods is not None and self._method not in rule.methods:
                self._methods.update(rule.methods)
            elif rule.websocket != self._websocket:
                self._websocket_mismatch = True
            else:
                return rule, texts
        return None

    def values(self, rule: Rule, texts: tuple[str, ...]) -> tuple[Rule, dict[str, t.Any]]:
        """The texts as values, and the defaults."""
        values = {}
        for (name, converter), text in zip(rule._converters.items(), texts, strict=False):
            try:
                values[name] = converter.to_python(text)
            except ValidationError:
                raise self.no_match() from None
        if rule.defaults:
            values.update(rule.defaults)
        if rule.alias and rule.map.redirect_defaults:
            raise RequestAliasRedirect(values, rule.endpoint)
        return rule, values

    def _visit(
        self, node: State, parts: list[str], index: int, texts: tuple[str, ...]
    ) -> tuple[Rule, tuple[str, ...]] | None:
        if index == len(parts):
            return self._end(node, texts)
        segment = parts[index]
        if segment in node.static:
            found = self._visit(node.static[segment], parts, index + 1, texts)
            if found is not None:
                return found
        for test, part, child in node.dynamic:
            if part.final:
                found = self._visit_final(part, child, "/".join(parts[index:]), texts)
            elif test is not None:
                found = self._visit(child, parts, index + 1, (*texts, segment)) if test(segment) else None
            else:
                match = part.match(segment)
                found = None if match is None else self._visit(child, parts, index + 1, texts + match)
            if found is not None:
                return found
        if segment == "" and index == len(parts) - 1:
            return self.allowed([rule for rule in node.rules if not rule.strict_slashes], texts)
        return None

    def _visit_final(
        self, part: RulePart, child: State, rest: str, texts: tuple[str, ...]
    ) -> tuple[Rule, tuple[str, ...]] | None:
        slash: list[str] = []
        if part.suffixed:
            if rest.endswith("/"):
                rest, slash = rest[:-1], [""]
            if rest.endswith("/"):
                return None
        match = part.match(rest)
        return None if match is None else self._visit(child, slash, 0, texts + match)

    def _end(self, node: State, texts: tuple[str, ...]) -> tuple[Rule, tuple[str, ...]] | None:
        found = self.allowed(node.rules, texts)
        if found is None and "" in node.static:
            for rule in node.static[""].rules:
                if rule.websocket == self._websocket and (rule.methods is None or self._method in rule.methods):
                    if rule.strict_slashes:
                        raise SlashRequired
                    return rule, texts
        return found
