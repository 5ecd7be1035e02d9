"""Write a rule's URL from values: the fixed texts are prepared once per rule."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from urllib.parse import quote, unquote, urljoin

from ..http.multidict import iter_multi_items
from ..http.urls import encode_query
from .converters import (
    PATH_SAFE,
    AnyConverter,
    BaseConverter,
    IntegerConverter,
    NumberConverter,
    ValidationError,
    Values,
    conversion,
    is_users,
)
from .pattern import RulePart, Variable, parse_rule, split_parts, texts_of

if t.TYPE_CHECKING:
    from .rule import Rule

# Texts that a URL contains unchanged. A strict rule always matches the URL of a text that fits one of the first two.
_SEGMENT: t.Final = re.compile(r"(?!\.)[\w.~!$&'()*+,:;=@-]+", re.ASCII).fullmatch
_SEGMENTS: t.Final = re.compile(
    r"(?!\.|.*/\.)[\w.~!$&'()*+,:;=@-](?:[\w.~!$&'()*+,/:;=@-]*[\w.~!$&'()*+,:;=@-])?", re.ASCII
).fullmatch
_DOT_SEGMENT: t.Final = re.compile(r"(?:^|/)\.\.?(?:/|$)").search
"""Finds a segment that clients remove from a path (RFC 3986, section 5.2.4), so that they ask for another one."""

_ANY: t.Final = re.compile(r"[\w.~!$&'()*+,/:;=@-]*", re.ASCII).fullmatch
_PLAIN: t.Final = {"[^/]{1,}": _SEGMENT, "[^/]+": _SEGMENT, "[^/].*?": _SEGMENTS}
_NATURAL: t.Final = range(10**18).__contains__
_INTEGER: t.Final = range(-(10**18), 10**18).__contains__


class _Never:
    """A class without instances."""


Stands = tuple[type, Callable[[t.Any], object]]
"""A class of values, and a function that tells whether the URL contains one of them unchanged."""

Place = tuple[str, type, Callable[[t.Any], object], Callable[[t.Any], str], str]
"""The name; `Stands`; how any other value is written; the fixed text after it."""


class Refused(ValidationError):
    """Raised if no URL can be built with the value of a variable."""

    def __init__(self, variable: str) -> None:
        super().__init__(variable)
        self.variable = variable


class Builder:
    """The domain and the path of a rule as finished texts and variables."""

    __slots__ = ("_begins", "_domain", "_fixed_domain", "_known", "_map", "_path", "_variables")

    def __init__(self, rule: Rule, domain: str, path: str) -> None:
        self._domain = Template(rule, domain)
        self._path = Template(rule, path)
        self._begins, self._variables = self._path.begins, self._path.variables
        self._fixed_domain = None if self._domain.variables else self._domain.begins
        self._known = {*rule._converters, *(rule.defaults or ())}
        self._map = rule.map

    def build(self, values: Values, append_unknown: bool) -> tuple[str, str]:
        """The domain, and the path; if `append_unknown`, with all values that are not part of it as the query.

        Raises `Refused` if a converter refuses its value, or if the rule is strict and would not match the URL.
        """
        path = self._begins
        for name, kind, stands, _, text in self._variables:
            value = values[name]
            if value.__class__ is not kind or not stands(value):
                path = self._path.fill(values)
                break
            path += f"{value}{text}"
        if append_unknown and not self._known.issuperset(values):
            path += self._query(values)
        domain = self._fixed_domain
        return (self._domain.fill(values) if domain is None else domain), path

    def _query(self, values: Values) -> str:
        """All values that are not part of the path as a query with its question mark."""
        unknown = {name: value for name, value in values.items() if name not in self._known}
        if self._map.sort_parameters:
            query = encode_query(sorted(iter_multi_items(unknown), key=self._map.sort_key))
            return query and f"?{query}"
        query = "?"
        for name, value in unknown.items():
            # PERF: routing. Most queries are a number or a word, and need no quoting.
            is_plain = value.__class__ is int or (value.__class__ is str and value.isalnum() and value.isascii())
            if not (is_plain and name.isalnum() and name.isascii()):
                query = encode_query(unknown)
                return query and f"?{query}"
            query += f"{name}={value}&"
        return query[:-1]


class Template:
    """Texts, and between them the places of variables."""

    def __init__(self, rule: Rule, text: str) -> None:
        tokens = parse_rule(text)
        self._parts = tuple(split_parts(tokens, rule._converters, rule._isolates)) if tokens else ("",)
        self._converters = rule._converters
        self._strict = rule.map.strict
        self._names = [token.name for token in tokens if isinstance(token, Variable)]
        texts = [""]
        variables = []
        defaults = rule.defaults or {}
        changes = rule.find_changes() if rule.find_changes is not None else {}
        for token in tokens:
            if isinstance(token, str):
                texts[-1] += quote(token, safe=PATH_SAFE)
            elif token.name in defaults:
                texts[-1] += self._converters[token.name].to_url(defaults[token.name])
            else:
                converter, change = self._converters[token.name], changes.get(token.name)
                if change is None:
                    variables.append((token.name, *self._stands(converter), self._writer(converter)))
                else:
                    variables.append((token.name, _Never, bool, _changed(change, self._writer(converter))))
                texts.append("")
        self.begins = texts[0]
        self.variables: list[Place] = [(*variable, text) for variable, text in zip(variables, texts[1:], strict=True)]

    def _stands(self, converter: BaseConverter) -> Stands:
        """Which values the URL contains unchanged, without a check even if the rule is strict."""
        if self._strict and any(isinstance(part, RulePart) and len(part.pieces) > 1 for part in self._parts):
            return _Never, bool
        if conversion(converter) is None and not is_users(converter) and not isinstance(converter, AnyConverter):
            plain = _PLAIN.get(converter.regex) if self._strict else _ANY
            return (_Never, bool) if plain is None else (str, plain)
        if type(converter) is IntegerConverter and conversion(converter) is int:
            return int, _INTEGER if converter.signed or not self._strict else _NATURAL
        return _Never, bool

    def _writer(self, converter: BaseConverter) -> Callable[[t.Any], str]:
        """A function that writes a value; if the rule is strict, an error means that the value does not fit."""
        if not self._strict or is_users(converter):
            return converter.to_url

        def write(value: t.Any) -> str:
            try:
                return converter.to_url(value)
            except (ArithmeticError, TypeError, ValueError) as error:
                raise ValidationError from error

        return write

    def fill(self, values: Values) -> str:
        """The text with the variables' values. Raises `Refused`."""
        filled = self.begins
        written = {}
        for name, _, _, write, text in self.variables:
            try:
                written[name] = part = write(values[name])
            except ValidationError as error:
                raise Refused(name) from error
            filled += part + text
        if self._strict:
            self._check(filled, written, values)
        return filled

    def _check(self, filled: str, written: dict[str, str], values: Values) -> None:
        """Raise `Refused` unless the parts of the rule find the texts of the values in the filled text."""
        if filled.startswith("//"):  # to browsers, the URL of another host; the walk drops one slash
            raise Refused(next(iter(written)))
        if written and _DOT_SEGMENT(filled) and self._is_lost(filled):
            raise Refused(next((name for name, text in written.items() if _DOT_SEGMENT(text)), next(iter(written))))
        found = texts_of(self._parts, unquote(filled).split("/"))
        texts = dict(zip(self._names, found or (), strict=False))
        for name, text in written.items():
            text = unquote(text)
            is_found = texts.get(name) == text if found else re.fullmatch(self._converters[name].regex, text)
            if not is_found or not _is_number_of(self._converters[name], text, values[name]):
                raise Refused(name)
        if found is None:
            raise Refused(next(reversed(written), ""))

    def _is_lost(self, filled: str) -> bool:
        """Whether the rule does not match the path that a client asks for, without its dot segments."""
        return texts_of(self._parts, unquote(urljoin("/", filled)).split("/")) is None


def _changed(change: Callable[[t.Any], t.Any], write: Callable[[t.Any], str]) -> Callable[[t.Any], str]:
    return lambda value: write(change(value))


def _is_number_of(converter: BaseConverter, text: str, value: object) -> bool:
    """Whether a converter of numbers reads the value in the text; True for any other converter."""
    if is_users(converter) or not isinstance(converter, NumberConverter):
        return True
    try:
        number = converter.to_python(text)
    except ValueError:
        return False
    return not isinstance(value, (int, float)) or bool(number == value)
