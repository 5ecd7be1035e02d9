"""One rule: a URL's pattern, its endpoint, and its conditions for requests."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..support.seams import Seams
from .builder import Builder, Refused
from .converters import BaseConverter, Endpoint, ValidationError, Values, is_users, isolates
from .pattern import Argument, Part, TracedToken, Variable, parse_converter_args, parse_rule, regex_error, split_parts
from .pattern import trace as traced
from .shapes import MapOfRules, ValuesOf, find_shape, no_values, values_of

_WEBSOCKET_METHODS = {"GET", "HEAD", "OPTIONS"}
_SLASHES = re.compile("/{2,}")
_NO_CONVERTERS: dict[str, BaseConverter] = {}  # never changed


class RuleFactory:
    """Anything that makes rules for a map: a rule itself, or a group of them."""

    def get_rules(self, map: MapOfRules) -> Iterable[Rule]:
        """The rules for `map`, unbound."""
        raise NotImplementedError


class Rule(RuleFactory):
    """A URL pattern with an endpoint.

    In `string`, ``<name>``, ``<converter:name>`` and ``<converter(arguments):name>`` are variables; it begins with a
    slash. A rule that ends with one redirects there from the URL without it, unless `strict_slashes` is false.

    :param defaults: values of variables that are not in the pattern. If another rule of the endpoint has them in its
        pattern, its URL with these values redirects here.
    :param methods: the allowed methods; GET includes HEAD. None allows all.
    :param build_only: never match, only build URLs.
    :param redirect_to: a URL with variables, or a function of the adapter and the values that returns one.
    :param alias: another URL of the endpoint. If the map has `redirect_defaults`, it redirects to the first one.
    :param host: a pattern for the whole host, if the map has `host_matching`.
    """

    __hash__ = None  # type: ignore[assignment]  # rules that look alike are equal, and a rule changes when it is bound

    find_changes: Callable[[], Mapping[str, Callable[[t.Any], t.Any]]] | None = None
    """Returns functions by variable, which change a value before it is written. It is called before the first URL."""

    def __init__(
        self,
        string: str,
        defaults: Values | None = None,
        subdomain: str | None = None,
        methods: Iterable[str] | None = None,
        build_only: bool = False,
        endpoint: Endpoint = None,
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
        self.map: MapOfRules = None  # type: ignore[assignment]  # set by `bind`
        self.strict_slashes = strict_slashes
        self.merge_slashes = merge_slashes
        self.subdomain = subdomain
        self.host = host
        self.defaults = defaults
        self.build_only = build_only
        self.alias = alias
        self.websocket = bool(websocket)
        self.methods = _method_set(methods, websocket)
        self.endpoint = endpoint
        self.redirect_to = redirect_to
        self.arguments: set[str] = set(map(str, defaults or ()))
        """The names of the variables, and of the defaults."""
        # PERF: startup. Rules share empty containers: each one more makes the garbage collector's rounds longer.
        self._converters: dict[str, BaseConverter] = _NO_CONVERTERS
        self._parts: tuple[Part, ...] = ()
        self._values_of: ValuesOf = no_values
        self._builder: Builder | None = None
        self._number = 0  # the position among the rules of the map
        self._nicer: Sequence[Rule] = ()  # rules whose URL is the right one if the values are their defaults

    def empty(self) -> Rule:
        """An unbound copy. A subclass with other parameters overrides `get_empty_kwargs`."""
        return type(self)(self.rule, **self.get_empty_kwargs())

    def get_empty_kwargs(self) -> Values:
        """The keyword arguments from which `empty` makes the copy.

        It contains `merge_slashes` and `websocket` only if they are set, since a subclass need not accept them.
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

    def get_rules(self, map: MapOfRules) -> Iterator[Rule]:
        """The rule itself."""
        yield self

    def refresh(self) -> None:
        """Read the rule's text again after a change; URLs are built from the new text at once."""
        self.bind(self.map, rebind=True)

    def bind(self, map: MapOfRules, rebind: bool = False) -> None:
        """Make the rule one of `map`, whose settings stand in for those that it does not set. `Map.add` calls this."""
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
        self, variable_name: str, converter_name: str, args: tuple[Argument, ...], kwargs: Mapping[str, Argument]
    ) -> BaseConverter:
        """The converter for a variable; raises `LookupError` if the map has none with that name."""
        try:
            converter = self.map.converters[converter_name]
        except KeyError:
            known = ", ".join(sorted(map(repr, self.map.converters)))
            raise LookupError(
                f"the converter {converter_name!r} does not exist, which {self.rule!r} asks for; there are {known}"
            ) from None
        return converter(self.map, *args, **kwargs)

    def compile(self) -> None:
        """Read the pattern; raises `ValueError` if it is malformed."""
        if self.map is None:
            raise RuntimeError("rule not bound: add it to a Map first")
        if not self._parts:  # a rule that is read again keeps its arguments
            self.arguments = set(map(str, self.defaults or ()))
        self._builder = None
        self._read(*self._texts())
        self.arguments.update(self._converters)
        if self.defaults and not self._converters.keys().isdisjoint(self.defaults):
            self._make_builder()  # a converter that refuses its default raises here

    def _texts(self) -> tuple[str, str]:
        """The patterns of the domain and of the path."""
        domain = (self.host if self.map.host_matching else self.subdomain) or ""
        path = self.rule
        if self.merge_slashes and "//" in path:
            path = _SLASHES.sub("/", path)
        return domain, path

    def _read(self, domain: str, path: str) -> None:
        """Set the converters and the segments."""
        segments = path.split("/")
        if "<" not in domain:
            if "<" not in path:
                self._converters, self._values_of = _NO_CONVERTERS, no_values
                self._parts = (*domain.split("/"), *segments)
                return
            if "(" not in path and RULE_SEAMS.are_original_in(type(self)):
                shape = find_shape(self.map, tuple([segment for segment in segments if "<" in segment]))
                if shape is not None:
                    self._converters, self._values_of = shape.converters, shape.values_of
                    known = shape.parts.get
                    self._parts = (*domain.split("/"), *[known(segment, segment) for segment in segments])
                    return
        self._converters = {}
        self._parts = (*self._read_text(domain), *self._read_text(path))
        self._values_of = values_of(self._converters)
        if any(map(is_users, self._converters.values())):
            self.map.calls_users_code = True

    def _read_text(self, text: str) -> Iterable[Part]:
        tokens = parse_rule(text)
        for token in tokens:
            if isinstance(token, Variable):
                self._add_variable(token)
        return split_parts(tokens, self._converters, self._isolates) if tokens else [""]

    def _isolates(self, converter: BaseConverter) -> bool:
        """Whether the texts of a converter are parts of one segment."""
        return isolates(converter) if self.map.strict else converter.part_isolating

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
    def _trace(self) -> list[TracedToken]:
        """The texts of the pattern, and the names of its variables; a text "|" separates the domain from the path."""
        domain, path = self._texts()
        return [*traced(domain), (False, "|"), *traced(path)]

    @property
    def converters(self) -> Mapping[str, BaseConverter]:
        """The converters of the variables, by name."""
        return self._converters

    def build(self, values: Values, append_unknown: bool = True) -> tuple[str, str] | None:
        """The domain part and the path with query; None if a converter refuses its value."""
        builder = self._builder or self._make_builder()
        try:
            return builder.build(values, append_unknown)
        except ValidationError:
            return None

    def _make_builder(self) -> Builder:
        self._builder = Builder(self, *self._texts())
        return self._builder

    def forget_builder(self) -> None:
        """Call `find_changes` again before the next URL is built."""
        self._builder = None

    def refused_variable(self, values: Values) -> str | None:
        """The variable whose value rules a URL out; None if there is none, a value is missing, or all are allowed."""
        if not self.map.strict:
            return None
        try:
            (self._builder or self._make_builder()).build(values, append_unknown=False)
        except Refused as error:
            return error.variable
        except LookupError:
            pass
        return None

    def provides_defaults_for(self, rule: Rule) -> bool:
        """Whether this is the nicer URL of the same endpoint if the values are its defaults."""
        return bool(
            not self.build_only
            and self.defaults
            and self.endpoint == rule.endpoint
            and self != rule
            and self.arguments == rule.arguments
        )

    def suitable_for(self, values: Values, method: str | None = None) -> bool:
        """Whether a URL can be built from these values for this method, or for any if it is None."""
        if method is not None and self.methods is not None and method not in self.methods:
            return False
        if not self.defaults:
            return values.keys() >= self.arguments
        if not self.arguments <= {*values, *self.defaults}:
            return False
        return all(values[key] == value for key, value in self.defaults.items() if key in values)

    def build_compare_key(self) -> tuple[int, int, int]:
        """The order of an endpoint's rules for building: aliases last, more variables first, more defaults first."""
        return (1 if self.alias else 0, -len(self.arguments), -len(self.defaults or ()))

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


RULE_SEAMS = Seams(Rule, "get_converter", "provides_defaults_for")


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
