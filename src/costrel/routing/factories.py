"""Groups of rules that share a path, a subdomain, the beginning of their endpoints, or a template."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator

from .converters import Values
from .rule import Rule, RuleFactory
from .shapes import MapOfRules


class Submount(RuleFactory):
    """Rules below `path`."""

    def __init__(self, path: str, rules: Iterable[RuleFactory]) -> None:
        self.path = path.rstrip("/")
        self.rules = rules

    def get_rules(self, map: MapOfRules) -> Iterator[Rule]:
        """Copies of the rules, each with `path` before its own."""
        for rule in _copies(self.rules, map):
            rule.rule = self.path + rule.rule
            yield rule


class Subdomain(RuleFactory):
    """Rules on a subdomain."""

    def __init__(self, subdomain: str, rules: Iterable[RuleFactory]) -> None:
        self.subdomain = subdomain
        self.rules = rules

    def get_rules(self, map: MapOfRules) -> Iterator[Rule]:
        """Copies of the rules, all on this subdomain."""
        for rule in _copies(self.rules, map):
            rule.subdomain = self.subdomain
            yield rule


class EndpointPrefix(RuleFactory):
    """Rules whose endpoints (text) begin with `prefix`."""

    def __init__(self, prefix: str, rules: Iterable[RuleFactory]) -> None:
        self.prefix = prefix
        self.rules = rules

    def get_rules(self, map: MapOfRules) -> Iterator[Rule]:
        """Copies of the rules, each with `prefix` before its endpoint."""
        for rule in _copies(self.rules, map):
            rule.endpoint = self.prefix + rule.endpoint
            yield rule


def _copies(factories: Iterable[RuleFactory], map: MapOfRules) -> Iterator[Rule]:
    for factory in factories:
        for rule in factory.get_rules(map):
            yield rule.empty()


class RuleTemplate:
    """Rules with placeholders: a call with ``name="x"`` returns a factory of the rules with each `$name` filled in.

    Placeholders (`string.Template`) work in the pattern, the subdomain, the endpoint and text among the defaults.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = list(rules)

    def __call__(self, *args: Values, **kwargs: object) -> RuleTemplateFactory:
        return RuleTemplateFactory(self.rules, dict(*args, **kwargs))


class RuleTemplateFactory(RuleFactory):
    """A template's rules, their placeholders filled in from `context`."""

    def __init__(self, rules: Iterable[RuleFactory], context: Values) -> None:
        self.rules = rules
        self.context = context

    def get_rules(self, map: MapOfRules) -> Iterator[Rule]:
        """Copies of the rules, filled in; raises `KeyError` for a placeholder that `context` does not contain."""
        for rule in _copies(self.rules, map):
            rule.rule = self._fill(rule.rule)
            rule.subdomain = self._fill(rule.subdomain)
            rule.endpoint = self._fill(rule.endpoint)
            if rule.defaults:
                rule.defaults = {self._fill(name): self._fill(value) for name, value in rule.defaults.items()}
            yield rule

    def _fill(self, value: t.Any) -> t.Any:
        from string import Template  # slow to load, and few applications have templates of rules

        return Template(value).substitute(self.context) if isinstance(value, str) else value
