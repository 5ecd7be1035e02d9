"""All rules of an application, and the settings that they share."""

from __future__ import annotations

import threading
import typing as t
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..http.errors import BadHost, HTTPException, NotFound
from ..http.immutable import ImmutableDict
from ..messages.environ import decode, get_host
from ..support.seams import Seams
from .adapter import MapAdapter, Query
from .converters import DEFAULT_CONVERTERS, BaseConverter, Endpoint
from .errors import RequestPath
from .matcher import NO_WAY, Start, StateMachineMatcher, no_match
from .rule import RULE_SEAMS, Rule, RuleFactory

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from ..messages.request import Request
    from .shapes import Shape

_CONDITIONS = {"default_subdomain", "host_matching"}
"""The attributes of a map on which `Map.find` depends, in addition to its rules."""
_DEFAULT_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


class Map:
    """Rules, in the order in which they match and build. To use a map, bind it to a host: `bind`, `bind_to_environ`.

    :param default_subdomain: the subdomain of rules that set none.
    :param strict_slashes: whether a rule that ends with a slash redirects from the URL without it.
    :param merge_slashes: whether a path with `//` redirects to the one with `/`, if that matches.
    :param redirect_defaults: redirect from a URL whose values are the defaults of a nicer one of the same endpoint.
    :param converters: by name, in addition to the default converters.
    :param sort_parameters: sort the query of built URLs, by `sort_key` of the (name, value) pairs if given.
    :param host_matching: match the whole host instead of the subdomain.
    """

    #: The converters that every map knows.
    default_converters: Mapping[str, type[BaseConverter]] = ImmutableDict(DEFAULT_CONVERTERS)

    #: The class of the lock that keeps two threads from sorting the rules at once.
    lock_class = threading.Lock

    #: Whether new maps are `strict`; False after `costrel.install_as_flask` was called.
    is_strict_by_default: t.ClassVar[bool] = True

    _adapter_class = MapAdapter

    def __init__(
        self,
        rules: Iterable[RuleFactory] | None = None,
        default_subdomain: str = "",
        strict_slashes: bool = True,
        merge_slashes: bool = True,
        redirect_defaults: bool = True,
        converters: Mapping[str, type[BaseConverter]] | None = None,
        sort_parameters: bool = False,
        sort_key: Callable[[tuple[str, t.Any]], t.Any] | None = None,
        host_matching: bool = False,
    ) -> None:
        self._strict = self.is_strict_by_default
        self._matcher = self._new_matcher(merge_slashes)
        self._rules_by_endpoint: dict[Endpoint, list[Rule]] = {}
        self._changed_endpoints: dict[Endpoint, None] = {}
        self.shapes: dict[tuple[str, ...], Shape] = {}
        """By a rule's segments that have variables."""
        self.calls_users_code = False
        """Whether a match may call a converter of the user's."""
        self._is_replaced = False
        self._start: Start | None = None
        """The start of the walk for the default subdomain; None if an adapter has to match."""
        self._number_of_rules = 0
        self._remap = True
        self._remap_lock = self.lock_class()
        self.default_subdomain = default_subdomain
        self.strict_slashes = strict_slashes
        self.redirect_defaults = redirect_defaults
        self.host_matching = host_matching
        self.converters: dict[str, type[BaseConverter]] = {**self.default_converters, **(converters or {})}
        self.sort_parameters = sort_parameters
        self.sort_key = sort_key
        for rulefactory in rules or ():
            self.add(rulefactory)

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in MATCHING:
            self._is_replaced = self._remap = True
        elif name in _CONDITIONS:
            self._remap = True

    @property
    def merge_slashes(self) -> bool:
        """Whether a path with `//` redirects to the one with `/`, if that matches."""
        return self._matcher.merge_slashes

    @merge_slashes.setter
    def merge_slashes(self, value: bool) -> None:
        self._matcher.merge_slashes = value

    @property
    def strict(self) -> bool:
        """Whether rules match and build URLs strictly; if not, they do it as in Werkzeug.

        If strict, `build` raises `BuildError` for a value whose URL the same rule does not match; of rules that match
        alike, the earlier one matches, and a rule with a fixed text before one with `<path:…>`; `<int:…>` takes only
        ASCII digits; and a converter whose `regex` takes slashes gets texts with slashes.
        """
        return self._strict

    @strict.setter
    def strict(self, value: bool) -> None:
        if value == self._strict:
            return
        self._strict = value
        self.shapes.clear()
        self._matcher = self._new_matcher(self.merge_slashes)
        for rule in sorted(self._rules, key=lambda rule: rule._number):
            rule.refresh()
            if not rule.build_only:
                self._matcher.add(rule)
        self._remap = True

    def differing_rules(self) -> list[tuple[Rule, Rule]]:
        """Pairs of rules at one place of the tree: the first matches now, the second would match in a strict map.

        There may be paths that both match.
        """
        self.update()
        return self._matcher.differing_rules()

    def _new_matcher(self, merge_slashes: bool) -> StateMachineMatcher:
        matcher = StateMachineMatcher(merge_slashes)
        matcher.strict = self._strict
        return matcher

    @property
    def _rules(self) -> list[Rule]:
        return [rule for rules in self._rules_by_endpoint.values() for rule in rules]

    def add(self, rulefactory: RuleFactory) -> None:
        """Add a rule or a group of rules; they are bound to this map."""
        for rule in rulefactory.get_rules(self):
            rule.bind(self)
            rule._number = self._number_of_rules = self._number_of_rules + 1
            if not rule.build_only:
                self._matcher.add(rule)
            self._rules_by_endpoint.setdefault(rule.endpoint, []).append(rule)
            self._changed_endpoints[rule.endpoint] = None
        self._remap = True

    def is_endpoint_expecting(self, endpoint: Endpoint, *arguments: str) -> bool:
        """Whether a rule of the endpoint accepts all these arguments. Raises `KeyError` for an unknown endpoint."""
        self.update()
        wanted = set(arguments)
        return any(wanted <= rule.arguments for rule in self._rules_by_endpoint[endpoint])

    def iter_rules(self, endpoint: Endpoint | None = None) -> Iterator[Rule]:
        """All rules, or the rules of an endpoint. Raises `KeyError` for an unknown one."""
        self.update()
        return iter(self._rules if endpoint is None else self._rules_by_endpoint[endpoint])

    def update(self) -> None:
        """Put the rules into their order if some were added. `match` and `build` call this."""
        if not self._remap:
            return
        with self._remap_lock:
            if not self._remap:
                return
            self._matcher.update()
            changed, self._changed_endpoints = self._changed_endpoints, {}
            for endpoint in changed:
                self._order(self._rules_by_endpoint[endpoint])
            is_apart = self.host_matching or self._is_replaced
            self._start = None if is_apart else self._matcher.start(self.default_subdomain)
            self._remap = bool(self._changed_endpoints)  # another thread may have added a rule meanwhile

    def _order(self, rules: list[Rule]) -> None:
        rules[:] = sorted(rules, key=lambda rule: rule.build_compare_key())
        giving: list[Rule] = []
        for rule in rules:
            rule._nicer = tuple([other for other in giving if other.provides_defaults_for(rule)])
            if rule.defaults or not RULE_SEAMS.are_original_in(type(rule)):
                giving.append(rule)

    def find(self, path: str, method: str) -> tuple[Rule, dict[str, t.Any]] | tuple[None, HTTPException | None]:
        """The rule and the values for a plain request, by the default subdomain; or None and the error.

        The error is None if an adapter has to decide: for a redirect, an alias, host matching, a method in lower case,
        and if `bind_to_environ` is assigned. No converter has been called then. The caller asks `MATCHING` whether a
        class overrides `bind_to_environ` or `match`.
        """
        if self._remap:
            self.update()
        start = self._start
        if start is None:
            return None, None
        texts: Sequence[str] = ()
        rules: Sequence[Rule] | None = start.fixed.get(path)
        if rules is None:
            folder, _, last = path.rpartition("/")
            place = start.folders.get(folder)
            if place is not None and last not in place.static and path.isascii():
                test, end = place.sole or place.rest or NO_WAY
                if test(last):
                    rules, texts = end.rules, (last,)
        for rule in rules or ():
            if (rule.methods is None or method in rule.methods) and not rule.websocket:
                break
        else:
            try:
                found, texts, refused = self._matcher.find(self.default_subdomain, path, method, False)
            except RequestPath:
                return None, None
            if found is None:
                if not method.isupper() or not path or path[0] != "/":
                    return None, None
                return None, _error(refused, method) if refused else NotFound()
            rule = found
        if rule._nicer or rule.alias or rule.redirect_to is not None:
            return None, None
        values = rule._values_of(texts) if texts else {}
        if values is None:
            return None, _error(self._matcher.find(self.default_subdomain, path, method, False)[2], method)
        if rule.defaults:
            values.update(rule.defaults)
        return rule, values

    def find_rule(self, path: str, method: str) -> Rule | None:
        """The rule for a plain request, by the default subdomain; None if there is none. Calls no converter."""
        self.update()
        if self.host_matching:
            return None
        try:
            return self._matcher.find(self.default_subdomain, path, method, websocket=False)[0]
        except RequestPath:
            return None

    def bind(
        self,
        server_name: str,
        script_name: str | None = None,
        subdomain: str | None = None,
        url_scheme: str = "http",
        default_method: str = "GET",
        path_info: str | None = None,
        query_args: Query | None = None,
    ) -> MapAdapter:
        """An adapter for a host, below the path `script_name`.

        Raises `BadHost` if `server_name` is no host name, and RuntimeError for a subdomain with host matching.
        """
        server_name = server_name.lower()
        if self.host_matching:
            if subdomain is not None:
                raise RuntimeError("host matching enabled and a subdomain was provided")
        elif subdomain is None:
            subdomain = self.default_subdomain
        return self._adapter_class(
            self,
            _to_ascii(server_name),
            script_name or "/",
            subdomain,
            url_scheme,
            "/" if path_info is None else path_info,
            default_method,
            query_args,
        )

    def bind_to_environ(
        self, environ: WSGIEnvironment | Request, server_name: str | None = None, subdomain: str | None = None
    ) -> MapAdapter:
        """An adapter for a request.

        If `server_name` is given and `subdomain` is not, the labels of the request's host before `server_name` are the
        subdomain. A host that does not end with `server_name` matches no rule, and warns.
        """
        env: WSGIEnvironment = environ if isinstance(environ, dict) else environ.environ
        host = get_host(env).lower()
        scheme = _scheme(env)
        server_name = (host if server_name is None else server_name.lower()).removesuffix(
            _DEFAULT_PORTS.get(scheme, "\0")
        )
        if subdomain is None and not self.host_matching:
            subdomain = _subdomain(host, server_name)
        return Map.bind(
            self,
            server_name,
            _text(env, "SCRIPT_NAME"),
            subdomain,
            scheme,
            env["REQUEST_METHOD"],
            _text(env, "PATH_INFO"),
            _text(env, "QUERY_STRING"),
        )

    def __repr__(self) -> str:
        from pprint import pformat  # slow to load

        return f"{type(self).__name__}({pformat(list(self.iter_rules()))})"


MATCHING = Seams(Map, "bind_to_environ", "_adapter_class.match")
"""The methods of a map and its adapters that find a rule."""


def _error(refused: Sequence[Rule], method: str) -> HTTPException:
    """The error for a plain request with this method that these rules refuse."""
    return no_match(refused, method).as_http_error(websocket=False)


def _to_ascii(server_name: str) -> str:
    """The host name in IDNA (RFC 3490); raises `BadHost` if a label is empty or has more than 63 characters."""
    try:
        return server_name.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise BadHost from error


def _scheme(environ: WSGIEnvironment) -> str:
    scheme: str = environ["wsgi.url_scheme"]
    if environ.get("HTTP_UPGRADE", "").lower() == "websocket":
        options = environ.get("HTTP_CONNECTION", "").lower().split(",")
        if any(option.strip() == "upgrade" for option in options):
            return "wss" if scheme == "https" else "ws"
    return scheme


def _subdomain(host: str, server_name: str) -> str:
    labels, own_labels = host.split("."), server_name.split(".")
    split = len(labels) - len(own_labels)
    if split < 0 or labels[split:] != own_labels:
        warnings.warn(
            f"Current server name {host!r} doesn't match configured server name {server_name!r}", stacklevel=3
        )
        return "<invalid>"
    return ".".join(filter(None, labels[:split]))


def _text(environ: WSGIEnvironment, key: str) -> str | None:
    value = environ.get(key)
    return None if value is None else decode(value)
