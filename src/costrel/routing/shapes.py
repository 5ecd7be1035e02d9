"""The converters and tree segments that rules with the same variables share: many rules have few kinds of variables."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Sequence

from .converters import (
    BUILT_IN,
    DEFAULT_CONVERTERS,
    BaseConverter,
    Conversion,
    MapContract,
    ValidationError,
    conversion,
)
from .pattern import Part, Variable, parse_rule, split_parts

# Their objects keep no state of a rule, so that rules may share them.
_SHARED = frozenset(DEFAULT_CONVERTERS.values())


class MapOfRules(MapContract, t.Protocol):
    """A `Map` as its rules use it."""

    shapes: dict[tuple[str, ...], Shape]


#: The values of a rule's variables, from their texts; None if a converter refuses its text.
ValuesOf: t.TypeAlias = Callable[[Sequence[str]], dict[str, t.Any] | None]


def values_of(converters: dict[str, BaseConverter]) -> ValuesOf:
    """The function that makes the values of a rule with these converters."""
    conversions = [(name, conversion(converter)) for name, converter in converters.items()]
    return _value_of(*conversions[0]) if len(conversions) == 1 else _values_of(conversions)


def _value_of(name: str, convert: Conversion | None) -> ValuesOf:
    """`values_of` for a single variable."""
    if convert is None:
        return lambda texts: {name: texts[0]}
    refusal = ValueError if convert in BUILT_IN else ValidationError

    def convert_one(texts: Sequence[str]) -> dict[str, t.Any] | None:
        try:
            return {name: convert(texts[0])}
        except refusal:
            return None

    return convert_one


def _values_of(conversions: Iterable[tuple[str, Conversion | None]]) -> ValuesOf:
    """`values_of` for any number of variables."""
    numbered = tuple([(index, *each) for index, each in enumerate(conversions)])

    def convert_all(texts: Sequence[str]) -> dict[str, t.Any] | None:
        values: dict[str, t.Any] = {}
        convert: Conversion | None = None
        try:
            for index, name, convert in numbered:
                values[name] = texts[index] if convert is None else convert(texts[index])
        except ValueError as error:
            if convert in BUILT_IN or isinstance(error, ValidationError):
                return None
            raise
        return values

    return convert_all


def no_values(texts: Sequence[str]) -> dict[str, t.Any]:
    """The values of a rule without variables."""
    return {}


class Shape:
    """The converters and the parts of some segments that have variables."""

    def __init__(self, segments: Sequence[str], map: MapContract) -> None:
        self.converters: dict[str, BaseConverter] = {}
        self.parts: dict[str, Part] = {}
        self._kinds: dict[str, type[BaseConverter]] = {}
        for segment in segments:
            self._add(segment, map)
        self.values_of = values_of(self.converters)

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
