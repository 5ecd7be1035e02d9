"""What rules with the same variables have in common: an application has thousands of rules, and a few kinds of them."""

from __future__ import annotations

import typing as t

from .converters import DEFAULT_CONVERTERS, conversion
from .pattern import RulePart, Variable, parse_rule, split_parts

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .converters import BaseConverter
    from .map import Map

#: For each variable: its place among the variables, its name, and what makes a value of its text.
Conversions: t.TypeAlias = "Sequence[tuple[int, str, Callable[[str], t.Any] | None]]"

# These change nothing of themselves, so that rules may share one.
_SHARED = frozenset(DEFAULT_CONVERTERS.values())


class Shape:
    """The segments that have variables: the parts that they are, and the converters and conversions of all."""

    def __init__(self, segments: Sequence[str], map: Map) -> None:
        self.converters: dict[str, BaseConverter] = {}
        self.parts: dict[str, RulePart] = {}
        self._kinds: dict[str, type[BaseConverter]] = {}
        for segment in segments:
            self._add(segment, map)
        self.conversions = conversions_of(self.converters)

    def _add(self, segment: str, map: Map) -> None:
        tokens = parse_rule(segment)
        for token in tokens:
            if isinstance(token, Variable):
                kind = self._kinds[token.converter] = map.converters[token.converter]
                if kind not in _SHARED or not kind.part_isolating or token.name in self.converters:
                    raise ValueError
                self.converters[token.name] = kind(map)
        part = next(split_parts(tokens, self.converters))
        self.parts[segment] = t.cast(RulePart, part)

    def is_current(self, map: Map) -> bool:
        """Whether the map's converters are still those of these names."""
        # PERF: startup. A loop, since a generator would cost more than all else that a known shape takes.
        converters = map.converters
        for name, kind in self._kinds.items():  # noqa: SIM110
            if converters.get(name) is not kind:
                return False
        return True


def conversions_of(converters: dict[str, BaseConverter]) -> Conversions:
    """What is to be done with the texts of a rule's variables."""
    return tuple([(index, name, conversion(converter)) for index, (name, converter) in enumerate(converters.items())])


def find_shape(map: Map, segments: tuple[str, ...]) -> Shape | None:
    """The shape of a rule with these segments; None where only the rule itself can say.

    That is so where a converter has arguments, takes slashes or is the user's, and where there is a mistake.
    """
    shape: Shape | None = map._shapes.get(segments)
    if shape is None or not shape.is_current(map):
        try:
            shape = map._shapes[segments] = Shape(segments, map)
        except (LookupError, ValueError):
            return None
    return shape
