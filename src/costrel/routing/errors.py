"""The errors of matching and building.

::

    RoutingException
    ├─ RequestRedirect (an HTTPException, 308)   another URL is the right one
    ├─ RequestPath                               from the matcher: another path is the right one
    ├─ RequestAliasRedirect                      from the matcher: the rule is an alias of another one
    └─ BuildError (a LookupError)                no rule builds such a URL
    NoMatch                                      from the matcher: no rule matches the path, or none the method
    WebsocketMismatch (a BadRequest)             the rule is for WebSockets only, or for plain HTTP only
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..http.errors import BadRequest, HTTPException, MethodNotAllowed, NotFound
from ..messages.redirects import redirect
from ..support.properties import cached_property

if t.TYPE_CHECKING:
    from difflib import SequenceMatcher

    from ..messages.response import Response
    from .converters import Endpoint, Values
    from .rule import Rule


class HasRules(t.Protocol):
    """A `Map` as an error uses it."""

    def iter_rules(self) -> Iterator[Rule]: ...


class Bound(t.Protocol):
    """A `MapAdapter` as an error uses it."""

    @property
    def map(self) -> HasRules: ...


class RoutingException(Exception):
    """The parent of the exceptions that have a request answered in another way."""


class RequestRedirect(HTTPException, RoutingException):
    """Redirects the client to `new_url`, an absolute URL, with the same method (RFC 9110 §15.4.9)."""

    code = 308

    def __init__(self, new_url: str) -> None:
        super().__init__(new_url)
        self.new_url = new_url

    def get_response(self, environ: object = None, scope: object = None) -> Response:
        """The redirect."""
        return redirect(self.new_url, self.code)


class RequestPath(RoutingException):
    """Raised by the matcher if a rule matches the path once it is written as `path_info`."""

    __slots__ = ("path_info",)

    def __init__(self, path_info: str) -> None:
        super().__init__()
        self.path_info = path_info


class RequestAliasRedirect(RoutingException):
    """Raised by the matcher if the rule that matches is an alias."""

    def __init__(self, matched_values: Values, endpoint: Endpoint) -> None:
        super().__init__()
        self.matched_values = matched_values
        self.endpoint = endpoint


class BuildError(RoutingException, LookupError):
    """Raised if no rule builds a URL for the endpoint with these values and this method."""

    def __init__(self, endpoint: Endpoint, values: Values, method: str | None, adapter: Bound | None = None) -> None:
        super().__init__(endpoint, values, method)
        self.endpoint = endpoint
        self.values = values
        self.method = method
        self.adapter = adapter

    @cached_property
    def suggested(self) -> Rule | None:
        """The rule that was probably meant."""
        return self.closest_rule(self.adapter)

    def closest_rule(self, adapter: Bound | None) -> Rule | None:
        """The rule of the adapter's map with the most similar endpoint; None if the map has no rules."""
        from difflib import SequenceMatcher  # slow to load

        wanted = SequenceMatcher(b=str(self.endpoint))
        rules = () if adapter is None else adapter.map.iter_rules()
        return max(rules, key=lambda rule: self._likeness(rule, wanted), default=None)

    def _likeness(self, rule: Rule, wanted: SequenceMatcher[str]) -> float:
        wanted.set_seq1(str(rule.endpoint))
        takes_the_values = set(self.values or ()) <= rule.arguments
        takes_the_method = bool(rule.methods and self.method in rule.methods)
        return 0.98 * wanted.ratio() + 0.01 * takes_the_values + 0.01 * takes_the_method

    def __str__(self) -> str:
        message = f"Could not build url for endpoint {self.endpoint!r}"
        if self.method:
            message += f" ({self.method!r})"
        if self.values:
            message += f" with values {sorted(self.values)!r}"
        return f"{message}.{self._advice()}"

    def _advice(self) -> str:
        rule = self.suggested
        if rule is None:
            return ""
        if rule.endpoint != self.endpoint:
            return f" Did you mean {rule.endpoint!r} instead?"
        advice = ""
        if self.method and rule.methods is not None and self.method not in rule.methods:
            advice = f" Did you mean to use methods {sorted(rule.methods)!r}?"
        missing = rule.arguments.union(rule.defaults or ()) - set(self.values)
        if missing:
            advice += f" Did you forget to specify values {sorted(missing)!r}?"
        name = None if advice else rule.refused_variable(self.values)
        if name is not None:
            value = _shown(self.values[name])
            advice = (
                f" The value {value} of {name!r} does not fit the rule {rule.rule!r}, which would not match the URL."
            )
        return advice


def _shown(value: object) -> str:
    try:
        return repr(value)
    except ValueError:  # more digits than sys.get_int_max_str_digits() allows
        return f"(an {type(value).__name__} that is too long to be shown)"


_ONLY_A_WEBSOCKET: t.Final = (
    "At this URL there is only a WebSocket, and the request opens none. A proxy must pass on its Upgrade and Connection"
    " headers."
)
_NO_WEBSOCKET: t.Final = "There is no WebSocket at this URL, which answers plain HTTP requests only."


class WebsocketMismatch(BadRequest):
    """Raised if only WebSocket rules match a plain HTTP request, or only plain rules a WebSocket."""


class NoMatch(Exception):
    """Raised by the matcher if no rule matches.

    `have_match_for` has the methods with which one would; `websocket_mismatch` means that one has the wrong protocol.
    """

    __slots__ = ("have_match_for", "websocket_mismatch")

    def __init__(self, have_match_for: set[str], websocket_mismatch: bool) -> None:
        self.have_match_for = have_match_for
        self.websocket_mismatch = websocket_mismatch

    def as_http_error(self, websocket: bool) -> HTTPException:
        """The error for a client that opens a WebSocket, or a plain request."""
        if self.have_match_for:
            return MethodNotAllowed(valid_methods=list(self.have_match_for))
        if self.websocket_mismatch:
            return WebsocketMismatch(_NO_WEBSOCKET if websocket else _ONLY_A_WEBSOCKET)
        return NotFound()
