"""One rule: a URL's pattern, the endpoint that it stands for, and what it asks of a request."""

from __future__ import annotations

import re
import typing as t

from ..support.properties import cached_property
from .builder import Builder
from .converters import BaseConverter, ValidationError, is_users
from .pattern import Variable, parse_converter_args, parse_rule, regex_error, split_parts
from .shapes import conversions_of, find_shape

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .map import Map
    from .pattern import RulePart
    from .shapes import Conversions

_WEBSOCKET_METHODS = {"GET", "HEAD", "OPTIONS"}
_SLASHES = re.compile("/{2,}")
_NO_CONVERTERS: dict[str, BaseConverter] = {}  # never changed


class RuleFactory:
    """Anything that makes rules for a map: a rule itself, or a group of them."""

    def get_rules(self, map: Map) -> Iterable[Rule]:
        """The rules for `map`, unbound."""
        raise NotImplementedError


class Rule(RuleFactory):
    """A URL pattern with an endpoint.

    In `string`, ``<name>``, ``<converter:name>`` and ``<converter(arguments):name>`` are variables; it begins with a
    slash. A rule that ends with one redirects there from the URL without it, unless `strict_slashes` is false.

    :param defaults: values of variables that are not in the pattern; or which, in the URL, stand for another rule's.
    :param methods: the allowed ones; HEAD comes with GET. None allows all.
    :param build_only: never match, only build URLs.
    :param redirect_to: a URL with variables, or a function of the adapter and the values that gives one.
    :param alias: another URL of the endpoint; where the map has `redirect_defaults`, it redirects to the other one.
    :param host: a pattern for the whole host, where the map has `host_matching`.
    """

    __hash__ = None  # type: ignore[assignment]  # it is equal to rules that look alike, and it changes when bound

    def __init__(
        self,
        string: str,
        defaults: Mapping[str, t.Any] | None = None,
        subdomain: str | None = None,
        methods: Iterable[str] | None = None,
        build_only: bool = False,
        endpoint: t.Any | None = None,
        strict_slashes: bool | None = None,
        merge_slashes: bool | None = None,
        redirect_to: str | Callable[..., str] | None = None,
        alias: bool = False,
        host: str | None = None,
        websocket: bool = False,
    ) -> None:
        if not string.startswith("/"):
            raise ValueError(f"URL rule '{string}' must start with a slash.")
        self.rule = string
        self.is_leaf = not string.endswith("/")
        self.is_branch = string.endswith("/")
        self.map: Map = None  # type: ignore[assignment]  # a rule is of use only when it is bound
        self.strict_slashes = strict_slashes
        self.merge_slashes = merge_slashes
        self.subdomain = subdomain
        self.host = host
        self.defaults = defaults
        self.build_only = build_only
        self.alias = alias
        self.websocket = websocket
        self.methods = _method_set(methods, websocket)
        self.endpoint: t.Any = endpoint
        self.redirect_to = redirect_to
        # PERF: startup. No list or dict of its own where most rules have nothing to put into it: each makes the garbage
        # collector's rounds longer.
        self._converters: dict[str, BaseConverter] = _NO_CONVERTERS
        self._parts: tuple[str | RulePart, ...] = ()
        self._builder: Builder | None = None
        self._conversions: Conversions = ()
        self._nicer: Sequence[Rule] = ()
        self._is_plain = False

    @cached_property
    def arguments(self) -> set[str]:
        """The names of the variables, and of the defaults."""
        return {*map(str, self.defaults or ()), *self._converters}

    def empty(self) -> Rule:
        """An unbound copy. A subclass with other parameters overrides `get_empty_kwargs`."""
        return type(self)(self.rule, **self.get_empty_kwargs())

    def get_empty_kwargs(self) -> Mapping[str, t.Any]:
        """The keyword arguments from which `empty` makes the copy.

        `merge_slashes` and `websocket` are there only where they are set, since a subclass need not take them.
        """
        kwargs: dict[str, t.Any] = {
            "defaults": dict(self.defaults) if self.defaults else None,
            "subdomain": self.subdomain,
            "methods": self.methods,
            "build_only": self.build_only,
            "endpoint": self.endpoint,
            "strict_slashes": self.strict_slashes,
            "redirect_to": self.redirect_to,
            "alias": self.alias,
            "host": self.host,
        }
        if self.merge_slashes is not None:
            kwargs["merge_slashes"] = self.merge_slashes
        if self.websocket:
            kwargs["websocket"] = True
        return kwargs

    def get_rules(self, map: Map) -> Iterator[Rule]:
        """The rule itself."""
        yield self

    def refresh(self) -> None:
        """Read the rule's text anew, after it was changed; URLs are built from the new one at once."""
        self.bind(self.map, rebind=True)

    def bind(self, map: Map, rebind: bool = False) -> None:
        """Make the rule one of `map`, which gives the settings that it has not; a map does that by itself."""
        if self.map is not None and not rebind:
            raise RuntimeError(f"url rule {self!r} already bound to map {self.map!r}")
        self.map = map
        if self.strict_slashes is None:
            self.strict_slashes = map.strict_slashes
        if self.merge_slashes is None:
            self.merge_slashes = map.merge_slashes
        if self.subdomain is None:
            self.subdomain = map.default_subdomain
        self.compile()

    def get_converter(
        self, variable_name: str, converter_name: str, args: tuple[t.Any, ...], kwargs: Mapping[str, t.Any]
    ) -> BaseConverter:
        """The converter for a variable; raises `LookupError` where the map has none of that name."""
        try:
            converter = self.map.converters[converter_name]
        except KeyError:
            known = ", ".join(sorted(map(repr, self.map.converters)))
            raise LookupError(
                f"the converter {converter_name!r} does not exist, which {self.rule!r} asks for; there are {known}"
            ) from None
        return converter(self.map, *args, **kwargs)

    def compile(self) -> None:
        """Read the pattern; raises `ValueError` where it is malformed."""
        if self.map is None:
            raise RuntimeError("rule not bound: add it to a Map first")
        known = self.arguments if self._parts else set()  # read anew, it keeps them
        self._builder = None
        domain, path = self._texts()
        if "<" not in path and "<" not in domain:  # PERF: startup. Many rules have no variables, and few domains have.
            self._converters, self._conversions = _NO_CONVERTERS, ()
            self._parts = (*domain.split("/"), *path.split("/"))
        elif not self._take_shape(domain, path):
            self._converters = {}
            self._parts = (*self._read(domain), *self._read(path))
            self._conversions = conversions_of(self._converters)
        if self._conversions and any(map(is_users, self._converters.values())):
            self.map.calls_users_code = True
        known.update(self._converters)
        if self.defaults and not self._converters.keys().isdisjoint(self.defaults):
            self._make_builder()  # now, so that a converter that refuses its default is seen early

    def _texts(self) -> tuple[str, str]:
        """The pattern of the domain, and that of the path."""
        domain = (self.host if self.map.host_matching else self.subdomain) or ""
        path = self.rule
        if self.merge_slashes and "//" in path:
            path = _SLASHES.sub("/", path)
        return domain, path

    def _take_shape(self, domain: str, path: str) -> bool:
        """Take what rules with the same variables have already, if these are of the kinds that can be shared."""
        if "(" in path or "<" in domain or type(self).get_converter is not Rule.get_converter:
            return False
        segments = path.split("/")
        shape = find_shape(self.map, tuple([segment for segment in segments if "<" in segment]))
        if shape is None:
            return False
        self._converters, self._conversions = shape.converters, shape.conversions
        known = shape.parts.get
        self._parts = (*domain.split("/"), *[known(segment, segment) for segment in segments])
        return True

    def _read(self, text: str) -> Iterable[str | RulePart]:
        tokens = parse_rule(text)
        for token in tokens:
            if isinstance(token, Variable):
                self._add_variable(token)
        return split_parts(tokens, self._converters) if tokens else [""]

    def _add_variable(self, variable: Variable) -> None:
        name = variable.name
        arguments, keywords = parse_converter_args(variable.arguments) if variable.arguments else ((), {})
        if name in self._converters:
            raise ValueError(f"URL rule {self.rule!r} uses the variable name {name!r} twice.")
        converter = self.get_converter(name, variable.converter, arguments, keywords)
        error = regex_error(converter.regex)
        if error is not None:
            raise ValueError(
                f"URL rule {self.rule!r}: the regex {converter.regex!r} of the converter {variable.converter!r}"
                f" cannot be compiled: {error}."
            )
        self._converters[name] = converter

    @property
    def _trace(self) -> list[tuple[bool, str]]:
        """The texts of the pattern, and True with the names of its variables; the domain ends with a text "|"."""
        domain, path = self._texts()
        return [*_traced(domain), (False, "|"), *_traced(path)]

    def build(self, values: Mapping[str, t.Any], append_unknown: bool = True) -> tuple[str, str] | None:
        """The domain part and the path with query; None where a converter refuses its value."""
        builder = self._builder or self._make_builder()
        try:
            return builder.build(values, append_unknown)
        except ValidationError:
            return None

    def _make_builder(self) -> Builder:
        self._builder = Builder(self)
        return self._builder

    def provides_defaults_for(self, rule: Rule) -> bool:
        """Is this the nicer URL of the same endpoint, for when the values are its defaults?"""
        return bool(
            not self.build_only
            and self.defaults
            and self.endpoint == rule.endpoint
            and self != rule
            and self.arguments == rule.arguments
        )

    def suitable_for(self, values: Mapping[str, t.Any], method: str | None = None) -> bool:
        """Can a URL be built from these values, for this method (None: for any)?"""
        if method is not None and self.methods is not None and method not in self.methods:
            return False
        defaults = self.defaults
        for key in self.arguments:
            if key not in values and (defaults is None or key not in defaults):
                return False
        if defaults:
            return all(values[key] == value for key, value in defaults.items() if key in values)
        return True

    def build_compare_key(self) -> tuple[int, int, int]:
        """What orders the rules of an endpoint for building: no alias, more variables, more defaults first."""
        return (1 if self.alias else 0, -len(self.arguments), -len(self.defaults or ()))

    @property
    def _builds_plainly(self) -> bool:
        """Has no subclass its own way to choose a rule and to build its URL?"""
        kind = type(self)
        return kind.build is Rule.build and kind.suitable_for is Rule.suitable_for

    def _set_nicer(self, rules: Sequence[Rule]) -> None:
        """Take note of the rules to redirect to where the values are their defaults.

        Plain is a rule that a request reaches without any of this: `Map.find` answers no other.
        """
        self._nicer = rules
        is_special = self.websocket or self.alias or self.redirect_to is not None
        self._is_plain = not (rules or is_special or self.rule.startswith("//"))  # no request's path begins so

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self._trace == other._trace

    def __str__(self) -> str:
        return self.rule

    def __repr__(self) -> str:
        if self.map is None:
            return f"<{type(self).__name__} (unbound)>"
        pattern = "".join(f"<{text}>" if variable else text for variable, text in self._trace).lstrip("|")
        methods = "" if self.methods is None else f" ({', '.join(self.methods)})"
        return f"<{type(self).__name__} {pattern!r}{methods} -> {self.endpoint}>"


def _traced(text: str) -> list[tuple[bool, str]]:
    return [(True, token.name) if isinstance(token, Variable) else (False, token) for token in parse_rule(text)]


def _method_set(methods: Iterable[str] | None, websocket: bool) -> set[str] | None:
    if methods is None:
        return None
    if isinstance(methods, str):
        raise TypeError("'methods' should be a list of strings.")
    names = {method.upper() for method in methods}
    if "GET" in names:
        names.add("HEAD")
    if websocket and names - _WEBSOCKET_METHODS:
        raise ValueError("WebSocket rules can only use 'GET', 'HEAD', and 'OPTIONS' methods.")
    return names
