"""The converters and tree segments that rules with the same variables share: many rules have few kinds of variables."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from .converters import DEFAULT_CONVERTERS, BaseConverter, Conversion, MapContract, conversion
from .pattern import Part, Variable, parse_rule, split_parts

# Their objects keep no state of a rule, so that rules may share them.
_SHARED = frozenset(DEFAULT_CONVERTERS.values())


class MapOfRules(MapContract, t.Protocol):
    """A `Map` as its rules use it."""

    shapes: dict[tuple[str, ...], Shape]


#: The number and the name of each variable, and the conversion of its text.
Conversions: t.TypeAlias = Sequence[tuple[int, str, Conversion | None]]


def conversions_of(converters: dict[str, BaseConverter]) -> Conversions:
    """The conversions of a rule's variables."""
    return tuple([(index, name, conversion(converter)) for index, (name, converter) in enumerate(converters.items())])


class Shape:
    """The converters and the parts of some segments that have variables."""

    def __init__(self, segments: Sequence[str], map: MapContract) -> None:
        self.converters: dict[str, BaseConverter] = {}
        self.parts: dict[str, Part] = {}
        self._kinds: dict[str, type[BaseConverter]] = {}
        for segment in segments:
            self._add(segment, map)
        self.conversions = conversions_of(self.converters)

    def _add(self, segment: str, map: MapContract) -> None:
        tokens = parse_rule(segment)
        for token in tokens:
            if isinstance(token, Variable):
                kind = self._kinds[token.converter] = map.converters[token.converter]
                if kind not in _SHARED or not kind.part_isolating or token.name in self.converters:
                    raise ValueError
                self.converters[token.name] = kind(map)
        self.parts[segment] = next(split_parts(tokens, self.converters))

    def is_current(self, map: MapContract) -> bool:
        """Whether the map still has the same converters under these names."""
        return self._kinds.items() <= map.converters.items()


def find_shape(map: MapOfRules, segments: tuple[str, ...]) -> Shape | None:
    """The shape of a rule with these segments; None if the rule has to read its text itself.

    That is so if a converter has arguments, accepts slashes or is the user's, and if the text has a mistake.
    """
    shape = map.shapes.get(segments)
    if shape is None or not shape.is_current(map):
        try:
            shape = map.shapes[segments] = Shape(segments, map)
        except (LookupError, ValueError):
            return None
    return shape
