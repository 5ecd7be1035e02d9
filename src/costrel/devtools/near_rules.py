"""Finds the rules that are most similar to a request which no rule matches, and the reason why each does not match."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from ..http.errors import HTTPException
from ..routing import BaseConverter, MapAdapter, RoutingException, Rule
from ..routing.pattern import Variable, parse_rule

_MAX_SHOWN = 6
_MAX_RULES = 5_000
_MAX_SEGMENTS = 50
_MAX_SEGMENT = 200


@dataclass
class NearRule:
    """A rule, and the reason why it does not match."""

    rule: str
    methods: str
    endpoint: str
    reason: str


@dataclass
class Explanation:
    """`matched` is the rule that matches, or None. If there is one, the view itself has sent the response."""

    matched: NearRule | None
    near: list[NearRule]


def explain(adapter: MapAdapter, path: str, method: str) -> Explanation:
    """Explain the result of matching `path`, as the client sent it, and `method`."""
    try:
        rule, _ = adapter.match(return_rule=True)
    except (HTTPException, RoutingException):
        return Explanation(None, near_rules(adapter, path, method))
    return Explanation(_as_near(rule, ""), [])


def near_rules(adapter: MapAdapter, path: str, method: str) -> list[NearRule]:
    """The rules that are most similar to the path, most similar first."""
    segments = [segment[:_MAX_SEGMENT] for segment in path.lstrip("/").split("/")[:_MAX_SEGMENTS]]
    scored = []
    for number, rule in zip(range(_MAX_RULES), adapter.map.iter_rules(), strict=False):
        likeness, reason = _compare(rule, segments)
        if reason == "" and not likeness:
            continue
        if not reason:
            reason = _other_reason(rule, adapter, method)
        scored.append((-likeness, number, _as_near(rule, reason)))
    best = sorted(scored)[:_MAX_SHOWN]
    return [near for likeness, _, near in best if likeness <= -0.34]


def _as_near(rule: Rule, reason: str) -> NearRule:
    methods = "any" if rule.methods is None else ", ".join(sorted(rule.methods - {"HEAD", "OPTIONS"} or rule.methods))
    return NearRule(str(rule.rule), methods, str(rule.endpoint), reason)


def _compare(rule: Rule, segments: list[str]) -> tuple[float, str]:
    """The similarity of a rule to the segments of a path, from 0 to 1, and the first difference."""
    wanted = rule.rule.lstrip("/").split("/")
    score, reason = 0.0, ""
    for position, pattern in enumerate(wanted):
        if position >= len(segments):
            reason = reason or f"continues with {'/' + '/'.join(wanted[position:])!r}"
            break
        likeness, difference, takes_the_rest = _compare_segment(rule, pattern, segments, position)
        score += likeness
        reason = reason or difference
        if takes_the_rest:
            return (score + (not reason)) / (position + 2), reason
    if not reason and len(segments) > len(wanted):
        rest = "/".join(segments[len(wanted) :])
        reason = "has no slash at its end" if not rest else f"ends before {'/' + rest!r}"
    return score / max(len(wanted), len(segments)), reason


def _compare_segment(rule: Rule, pattern: str, segments: list[str], position: int) -> tuple[float, str, bool]:
    segment = segments[position]
    tokens = parse_rule(pattern) if pattern else []
    variables = [token for token in tokens if isinstance(token, Variable)]
    if not variables:
        if pattern == segment:
            return 1.0, "", False
        likeness = difflib.SequenceMatcher(None, pattern, segment).ratio()
        if not pattern:
            return 0.0, f"ends where the path has {segment!r}", False
        if pattern.startswith("{") and pattern.endswith("}"):
            return 0.8, f"has {pattern} as plain text; a variable is written <{pattern[1:-1]}>", False
        return 0.8 * likeness, f"has {pattern!r} where the path has {segment or 'nothing'!r}", False
    converters = [rule._converters.get(variable.name) for variable in variables]
    isolating = [converter for converter in converters if converter is not None and converter.part_isolating]
    if len(isolating) < len(converters):
        return 0.5, "" if "/".join(segments[position:]) else f"requires a value for {pattern!r}", True
    regex = "".join(
        f"(?:{rule._converters[token.name].regex})" if isinstance(token, Variable) else re.escape(token)
        for token in tokens
    )
    if re.fullmatch(regex, segment) is None or not _converts(isolating, segment):
        return 0.4, f"{pattern} does not accept {segment or 'nothing'!r}", False
    return 0.9, "", False


def _converts(converters: list[BaseConverter], segment: str) -> bool:
    if len(converters) != 1:
        return True
    try:
        converters[0].to_python(segment)
    except ValueError:
        return False
    return True


def _other_reason(rule: Rule, adapter: MapAdapter, method: str) -> str:
    """The reason why a rule does not match although its path does."""
    if rule.build_only:
        return "is only for building URLs"
    if adapter.map.host_matching:
        if (rule.host or "") != adapter.server_name:
            return f"is for the host {rule.host or '(none)'}, but the request is for {adapter.server_name}"
    elif (rule.subdomain or "") != (adapter.subdomain or ""):
        expected = f"the subdomain {rule.subdomain!r}" if rule.subdomain else "no subdomain"
        return f"is for {expected}, but the request is for {adapter.subdomain or 'none'!r}"
    if rule.websocket != adapter.websocket:
        return "is for WebSockets" if rule.websocket else "is not for WebSockets"
    if rule.methods is not None and method not in rule.methods:
        return f"does not allow {method}"
    return "matches the path, but its variables do not accept these values"
