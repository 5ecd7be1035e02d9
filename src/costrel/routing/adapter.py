"""A map bound to one host: the endpoint of a path, and the URL of an endpoint."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable
from urllib.parse import quote, urljoin, urlunsplit

from ..http.errors import HTTPException, MethodNotAllowed
from ..http.multidict import MultiDict
from ..http.urls import encode_query
from ..support.patterns import LatePattern
from .converters import PATH_SAFE, Endpoint, Values
from .errors import BuildError, NoMatch, RequestAliasRedirect, RequestPath, RequestRedirect
from .rule import Rule

if t.TYPE_CHECKING:
    from .map import Map

Query: t.TypeAlias = Values | str
T = t.TypeVar("T")

_VARIABLE = LatePattern("<([^>]+)>")
_SECURE = {"https", "wss"}
#: Control characters, which some clients send in queries and a header must not contain.
_ESCAPED_CONTROLS = {code: f"%{code:02X}" for code in (*range(0x20), 0x7F)}
#: By (WebSocket, secure).
_SCHEMES = {(False, False): "http", (False, True): "https", (True, False): "ws", (True, True): "wss"}


class MapAdapter:
    """A map bound to a host, a script name and a scheme; `Map.bind` and `Map.bind_to_environ` make it."""

    def __init__(
        self,
        map: Map,
        server_name: str,
        script_name: str,
        subdomain: str | None,
        url_scheme: str,
        path_info: str,
        default_method: str,
        query_args: Query | None = None,
    ) -> None:
        self.map = map
        self.server_name = server_name
        self.script_name = script_name if script_name.endswith("/") else f"{script_name}/"
        self.subdomain = subdomain
        self.url_scheme = url_scheme
        self.path_info = path_info
        self.default_method = default_method
        self.query_args = query_args
        self.websocket = url_scheme in {"ws", "wss"}

    def dispatch(
        self,
        view_func: Callable[[Endpoint, Values], T],
        path_info: str | None = None,
        method: str | None = None,
        catch_http_exceptions: bool = False,
    ) -> T | HTTPException:
        """The result of `view_func` for the endpoint and the values that match, or the redirect.

        An `HTTPException` is returned too if `catch_http_exceptions`, else raised.
        """
        try:
            try:
                endpoint, values = self.match(path_info, method)
            except RequestRedirect as redirect:
                return redirect
            return view_func(endpoint, values)
        except HTTPException as error:
            if catch_http_exceptions:
                return error
            raise

    @t.overload
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: t.Literal[False] = False,
        query_args: Query | None = None,
        websocket: bool | None = None,
    ) -> tuple[Endpoint, Values]: ...
    @t.overload
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: t.Literal[True] = True,
        query_args: Query | None = None,
        websocket: bool | None = None,
    ) -> tuple[Rule, Values]: ...
    def match(
        self,
        path_info: str | None = None,
        method: str | None = None,
        return_rule: bool = False,
        query_args: Query | None = None,
        websocket: bool | None = None,
    ) -> tuple[Endpoint | Rule, Values]:
        """The endpoint, or if `return_rule` the rule, and the values in the path; arguments override the adapter's.

        Raises `NotFound`, `MethodNotAllowed`, `WebsocketMismatch`, or `RequestRedirect` if another URL is the right
        one.
        """
        self.map.update()
        path_info = self.path_info if path_info is None else path_info
        query_args = (self.query_args if query_args is None else query_args) or {}
        method = (method or self.default_method).upper()
        websocket = bool(self.websocket if websocket is None else websocket)
        domain = self.server_name if self.map.host_matching else self.subdomain
        path = f"/{path_info.lstrip('/')}" if path_info else ""
        try:
            rule, values = self.map._matcher.match(domain or "", path, method, websocket)
        except RequestPath as error:
            url = self.make_redirect_url(quote(error.path_info, safe=PATH_SAFE), query_args)
            raise RequestRedirect(url) from None
        except RequestAliasRedirect as error:
            alias, found = f"{domain}|{path}", error.matched_values
            url = self.make_alias_redirect_url(alias, error.endpoint, found, method, query_args)
            raise RequestRedirect(url) from None
        except NoMatch as error:
            raise error.as_http_error(websocket) from None
        self._redirect(rule, values, method, query_args)
        return rule if return_rule else rule.endpoint, values

    def _redirect(self, rule: Rule, values: dict[str, t.Any], method: str, query_args: Query) -> None:
        """Raise `RequestRedirect` if the rule redirects, or a nicer one has these values as its defaults."""
        if self.map.redirect_defaults:
            url = self.get_default_redirect(rule, method, values, query_args)
            if url is not None:
                raise RequestRedirect(url)
        if rule.redirect_to is not None:
            raise RequestRedirect(self._redirect_target(rule, rule.redirect_to, values))

    def _redirect_target(self, rule: Rule, redirect_to: str | Callable[..., str], values: Values) -> str:
        host = f"{self.subdomain}.{self.server_name}" if self.subdomain else self.server_name
        root = f"{self.url_scheme or 'http'}://{host}{self.script_name}"
        if not isinstance(redirect_to, str):
            return urljoin(root, redirect_to(self, **values))
        path = _VARIABLE.sub(lambda match: rule._converters[match[1]].to_url(values[match[1]]), redirect_to)
        if "//" not in redirect_to and not _stays(path):
            # A value must not turn a path into another host's URL ("<path:x>" with "http://elsewhere/").
            path = "/" + path.lstrip("/") if redirect_to.startswith("/") else f"./{path}"
        return urljoin(root, path)

    def test(self, path_info: str | None = None, method: str | None = None) -> bool:
        """Whether a rule matches, or another URL is the right one."""
        try:
            self.match(path_info, method)
        except RequestRedirect:
            pass
        except HTTPException:
            return False
        return True

    def allowed_methods(self, path_info: str | None = None) -> Iterable[str]:
        """The methods with which a rule matches the path."""
        try:
            self.match(path_info, method="--")
        except MethodNotAllowed as error:
            return error.valid_methods or []
        except HTTPException:
            pass
        return []

    def get_host(self, domain_part: str | None) -> str:
        """The host with a subdomain, or, with host matching, the given host; None stands for the adapter's own."""
        if self.map.host_matching:
            return self.server_name if domain_part is None else domain_part
        subdomain = self.subdomain if domain_part is None else domain_part
        return f"{subdomain}.{self.server_name}" if subdomain else self.server_name

    def get_default_redirect(self, rule: Rule, method: str, values: dict[str, t.Any], query_args: Query) -> str | None:
        """The URL of the first nicer rule of the same endpoint that has these values as its defaults, or None."""
        for nicer in rule._nicer:
            if nicer.suitable_for(values, method):
                values.update(nicer.defaults or ())
                built = nicer.build(values)
                if built is not None:
                    domain, path = built
                    return self.make_redirect_url(path, query_args, domain_part=domain)
        return None

    def encode_query_args(self, query_args: Query) -> str:
        """The query as text; percent-encoded unless it is text already."""
        return query_args if isinstance(query_args, str) else encode_query(query_args)

    def make_redirect_url(self, path_info: str, query_args: Query | None = None, domain_part: str | None = None) -> str:
        """The absolute URL of a path on this host."""
        if query_args is None:
            query_args = self.query_args
        query = self.encode_query_args(query_args).translate(_ESCAPED_CONTROLS) if query_args else ""
        path = f"{self.script_name.rstrip('/')}/{path_info.lstrip('/')}"
        return urlunsplit((self.url_scheme or "http", self.get_host(domain_part), path, query, ""))

    def make_alias_redirect_url(
        self,
        path: str,
        endpoint: Endpoint,
        values: Values,
        method: str,
        query_args: Query,
    ) -> str:
        """The absolute URL to which an alias redirects."""
        url = self.build(endpoint, values, method, append_unknown=False, force_external=True)
        return f"{url}?{self.encode_query_args(query_args).translate(_ESCAPED_CONTROLS)}" if query_args else url

    def build(
        self,
        endpoint: Endpoint,
        values: Values | None = None,
        method: str | None = None,
        force_external: bool = False,
        append_unknown: bool = True,
        url_scheme: str | None = None,
    ) -> str:
        """The URL of an endpoint: a path if the host is this one, unless `force_external`, else absolute.

        Values that are not part of the path become the query, if `append_unknown`; those that are None are left out.
        `url_scheme` only decides whether the URL is secure; if it is empty, the absolute URL begins with `//`.
        Raises `BuildError` if no rule fits.
        """
        map = self.map
        if map._remap:
            map.update()
        if values is None:
            values = {}
        elif type(values) is dict:
            for value in values.values():
                if value is None:
                    values = _present(values)
                    break
        else:
            values = _present(values)
        rules = map._rules_by_endpoint.get(endpoint, ())
        if len(rules) > 1:
            rule, parts = self._choose(rules, values, method, append_unknown)
        elif rules and rules[0].suitable_for(values, method):
            rule = rules[0]
            parts = rule.build(values, append_unknown)
        else:
            parts = None
        if parts is None:
            raise BuildError(endpoint, dict(values), method, self)  # the caller may change its own dict
        domain, path = parts
        path = self.script_name + path.lstrip("/")
        own = self.server_name if map.host_matching else self.subdomain
        if domain == own and not force_external and not rule.websocket:
            return path
        scheme = self.url_scheme if url_scheme is None else url_scheme
        if scheme or rule.websocket:
            scheme = _SCHEMES[rule.websocket, scheme in _SECURE]
        host = self.get_host(domain)
        return f"{scheme}://{host}{path}" if scheme else f"//{host}{path}"

    def _choose(
        self, rules: list[Rule], values: Values, method: str | None, append_unknown: bool
    ) -> tuple[Rule, tuple[str, str] | None]:
        """The first of several rules that fits, with the domain and the path; None instead of these if no rule fits.

        Without a method, a rule for the default one goes first. With host matching, a rule for this host goes first. No
        rule builds its URL twice.
        """
        first: tuple[Rule, tuple[str, str]] | None = None
        refused: list[Rule] = []
        for wanted in (self.default_method, None) if method is None else (method,):
            for rule in rules:
                if not rule.suitable_for(values, wanted) or (refused and any(rule is other for other in refused)):
                    continue
                parts = rule.build(values, append_unknown)
                if parts is None:
                    refused.append(rule)
                elif not self.map.host_matching or parts[0] == self.server_name:
                    return rule, parts
                else:
                    first = first or (rule, parts)
            if first is not None:
                break
        return first or (rules[0], None)


def _stays(path: str) -> bool:
    return urljoin("http://here/here/", path).startswith("http://here/")


def _present(values: Values) -> dict[str, t.Any]:
    """The values of a MultiDict, as a list if a name has several; of another mapping, those that are not None."""
    if not isinstance(values, MultiDict):
        return {name: value for name, value in values.items() if value is not None}
    return {name: found[0] if len(found) == 1 else found for name, found in values.lists() if found}
