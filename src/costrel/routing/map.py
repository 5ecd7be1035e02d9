"""All rules of an application, and the settings that they share."""

from __future__ import annotations

import threading
import typing as t
import warnings

from ..http.errors import BadHost
from ..http.immutable import ImmutableDict
from ..messages.environ import decode, get_host
from .adapter import MapAdapter
from .converters import DEFAULT_CONVERTERS, BaseConverter
from .errors import NoMatch, RoutingException
from .matcher import StateMachineMatcher
from .rule import Rule, RuleFactory

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from _typeshed.wsgi import WSGIEnvironment

    from ..messages.request import Request
    from .shapes import Shape

_DEFAULT_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


class Map:
    """Rules, in the order in which they match and build. Bind it to a host to use it: `bind`, `bind_to_environ`.

    :param default_subdomain: of rules that name none.
    :param strict_slashes: whether a rule that ends with a slash matches only so; the URL without it redirects.
    :param merge_slashes: whether `//` in a path redirects to `/` where that matches.
    :param redirect_defaults: redirect from a URL whose values are the defaults of a nicer one of the same endpoint.
    :param converters: by name, beside the default ones.
    :param sort_parameters: sort the query of built URLs, by `sort_key` of the (name, value) pairs if given.
    :param host_matching: match the whole host instead of the subdomain.
    """

    #: The converters that every map knows.
    default_converters: Mapping[str, type[BaseConverter]] = ImmutableDict(DEFAULT_CONVERTERS)

    #: The lock that keeps two threads from sorting the rules at once.
    lock_class = threading.Lock

    def __init__(
        self,
        rules: Iterable[RuleFactory] | None = None,
        default_subdomain: str = "",
        strict_slashes: bool = True,
        merge_slashes: bool = True,
        redirect_defaults: bool = True,
        converters: Mapping[str, type[BaseConverter]] | None = None,
        sort_parameters: bool = False,
        sort_key: Callable[[t.Any], t.Any] | None = None,
        host_matching: bool = False,
    ) -> None:
        self._matcher = StateMachineMatcher(merge_slashes)
        self._rules_by_endpoint: dict[t.Any, list[Rule]] = {}
        self._changed_endpoints: dict[t.Any, None] = {}
        self._lone_rules: dict[t.Any, Rule] = {}
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self.calls_users_code = False
        """Whether some rule has a converter of the user's, which a match calls."""
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

    @property
    def merge_slashes(self) -> bool:
        """Whether `//` in a path redirects to `/` where that matches."""
        return self._matcher.merge_slashes

    @merge_slashes.setter
    def merge_slashes(self, value: bool) -> None:
        self._matcher.merge_slashes = value

    @property
    def _rules(self) -> list[Rule]:
        return [rule for rules in self._rules_by_endpoint.values() for rule in rules]

    def add(self, rulefactory: RuleFactory) -> None:
        """Add a rule or a group of rules; they are bound to this map."""
        for rule in rulefactory.get_rules(self):
            rule.bind(self)
            if not rule.build_only:
                self._matcher.add(rule)
            self._rules_by_endpoint.setdefault(rule.endpoint, []).append(rule)
            self._changed_endpoints[rule.endpoint] = None
        self._remap = True

    def is_endpoint_expecting(self, endpoint: t.Any, *arguments: str) -> bool:
        """Does some rule of the endpoint take all these arguments? Raises `KeyError` for an unknown endpoint."""
        self.update()
        wanted = set(arguments)
        return any(wanted <= rule.arguments for rule in self._rules_by_endpoint[endpoint])

    def iter_rules(self, endpoint: t.Any | None = None) -> Iterator[Rule]:
        """All rules, or those of an endpoint. Raises `KeyError` for an unknown one."""
        self.update()
        return iter(self._rules if endpoint is None else self._rules_by_endpoint[endpoint])

    def update(self) -> None:
        """Put the rules into their order, if some were added; `match` and `build` do it by themselves."""
        if not self._remap:
            return
        with self._remap_lock:
            if not self._remap:
                return
            self._matcher.update()
            changed, self._changed_endpoints = self._changed_endpoints, {}
            for endpoint in changed:
                self._order(self._rules_by_endpoint[endpoint])
                self._find_lone_rule(endpoint)
            self._remap = bool(self._changed_endpoints)  # another thread may have added a rule meanwhile

    def _order(self, rules: list[Rule]) -> None:
        if len(rules) == 1 and type(rules[0]).build_compare_key is Rule.build_compare_key:
            rules[0]._set_nicer(())  # PERF: startup. As below; nearly all endpoints have one rule.
            return
        rules[:] = sorted(rules, key=lambda rule: rule.build_compare_key())
        giving: list[Rule] = []
        for rule in rules:
            rule._set_nicer([other for other in giving if other.provides_defaults_for(rule)])
            if rule.defaults or type(rule).provides_defaults_for is not Rule.provides_defaults_for:
                giving.append(rule)

    def _find_lone_rule(self, endpoint: t.Any) -> None:
        """Note an endpoint's only rule, where nothing but the values decides its URL."""
        rule, *more = self._rules_by_endpoint[endpoint]
        if more or rule.defaults or rule.websocket or not rule._builds_plainly:
            self._lone_rules.pop(endpoint, None)
        else:
            self._lone_rules[endpoint] = rule

    def find(self, path: str, method: str) -> tuple[Rule, dict[str, t.Any]] | None:
        """The rule and the values of a plain hit on the default subdomain: the short way of `MapAdapter.match`.

        None where that has to decide: nothing found at the first try, a redirect, an alias, a WebSocket, another method
        than the rule's, host matching. What a converter of the user's raises comes out of both.
        """
        if self._remap:
            self.update()
        if self.host_matching:
            return None
        return self._matcher.find(self.default_subdomain, path, method)

    def find_rule(self, path: str, method: str) -> Rule | None:
        """The rule that `find` would find if no converter refused its value: none is called."""
        if self._remap:
            self.update()
        hit = None if self.host_matching else self._matcher.find(self.default_subdomain, path, method, converts=False)
        return None if hit is None else hit[0]

    def search(self, path: str, method: str) -> tuple[Rule, dict[str, t.Any]] | None:
        """What `MapAdapter.match` comes to where `find` found nothing, as far as that takes no adapter.

        None where it does. Raises `NotFound`, `MethodNotAllowed` and `WebsocketMismatch`.
        """
        # PERF: error404. Host and scheme of the request say nothing here. Another adapter may have its own answer.
        if self.host_matching or type(self).bind_to_environ is not Map.bind_to_environ or not method.isupper():
            return None
        try:
            rule, values = self._matcher.match(self.default_subdomain, f"/{path.lstrip('/')}", method, websocket=False)
        except NoMatch as error:
            raise error.as_http_error(websocket=False) from None
        except RoutingException:
            return None
        return (rule, values) if rule._is_plain else None

    def bind(
        self,
        server_name: str,
        script_name: str | None = None,
        subdomain: str | None = None,
        url_scheme: str = "http",
        default_method: str = "GET",
        path_info: str | None = None,
        query_args: Mapping[str, t.Any] | str | None = None,
    ) -> MapAdapter:
        """The map as seen from a host, below the path `script_name`.

        Raises `BadHost` where `server_name` is no host name, and RuntimeError for a subdomain with host matching.
        """
        server_name = server_name.lower()
        if self.host_matching:
            if subdomain is not None:
                raise RuntimeError("host matching enabled and a subdomain was provided")
        elif subdomain is None:
            subdomain = self.default_subdomain
        return MapAdapter(
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
        """The map as seen by a request.

        With `server_name` given and no `subdomain`, the subdomain is what the request's host has before it; a host that
        is no part of it matches no rule, and warns.
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


def _to_ascii(server_name: str) -> str:
    """The host name in IDNA (RFC 3490); raises `BadHost` where it has an empty label or one of over 63 characters."""
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
