"""Why no endpoint was found for a URL, or no URL for an endpoint.

::

    RoutingException
    ├─ RequestRedirect (an HTTPException, 308)   the URL is right but for its spelling
    ├─ RequestPath                               the matcher's word for it: the path as it should have been
    ├─ RequestAliasRedirect                      the rule is an alias of another one
    └─ BuildError (a LookupError)                no rule builds such a URL
    NoMatch                                      the matcher's word for: not found, or not with this method
    WebsocketMismatch (a BadRequest)             found, but for a WebSocket only, or only without one
"""

from __future__ import annotations

import typing as t

from ..http.errors import BadRequest, HTTPException, MethodNotAllowed, NotFound
from ..messages.redirects import redirect
from ..support.properties import cached_property

if t.TYPE_CHECKING:
    from difflib import SequenceMatcher

    from ..messages.response import Response
    from .adapter import MapAdapter
    from .rule import Rule


class RoutingException(Exception):
    """The parent of what routing raises to have the request answered in another way."""


class RequestRedirect(HTTPException, RoutingException):
    """Raised where the client should ask for `new_url`, an absolute URL, with the same method (RFC 9110 §15.4.9)."""

    code = 308

    def __init__(self, new_url: str) -> None:
        super().__init__(new_url)
        self.new_url = new_url

    def get_response(self, environ: t.Any = None, scope: dict[str, t.Any] | None = None) -> Response:
        """The redirect."""
        return redirect(self.new_url, self.code)


class RequestPath(RoutingException):
    """Raised by the matcher where the path matches once it is written as `path_info`."""

    __slots__ = ("path_info",)

    def __init__(self, path_info: str) -> None:
        super().__init__()
        self.path_info = path_info


class RequestAliasRedirect(RoutingException):
    """Raised by the matcher where a rule matches that is an alias."""

    def __init__(self, matched_values: t.Mapping[str, t.Any], endpoint: t.Any) -> None:
        super().__init__()
        self.matched_values = matched_values
        self.endpoint = endpoint


class BuildError(RoutingException, LookupError):
    """Raised where no rule builds a URL for the endpoint with these values and this method."""

    def __init__(
        self, endpoint: t.Any, values: t.Mapping[str, t.Any], method: str | None, adapter: MapAdapter | None = None
    ) -> None:
        super().__init__(endpoint, values, method)
        self.endpoint = endpoint
        self.values = values
        self.method = method
        self.adapter = adapter

    @cached_property
    def suggested(self) -> Rule | None:
        """The rule that was probably meant."""
        return self.closest_rule(self.adapter)

    def closest_rule(self, adapter: MapAdapter | None) -> Rule | None:
        """The rule of the adapter's map whose endpoint reads most alike; None where there are no rules."""
        if adapter is None or not adapter.map._rules:
            return None
        from difflib import SequenceMatcher  # an error may take a moment

        wanted = SequenceMatcher(b=str(self.endpoint))
        return max(adapter.map._rules, key=lambda rule: self._likeness(rule, wanted))

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
        return advice


_ONLY_A_WEBSOCKET: t.Final = (
    "At this URL there is only a WebSocket, and the request opens none. A proxy must pass on its Upgrade and Connection"
    " headers."
)
_NO_WEBSOCKET: t.Final = "There is no WebSocket at this URL, which answers plain HTTP requests only."


class WebsocketMismatch(BadRequest):
    """Raised where only a WebSocket rule matches an HTTP request, or the other way round."""


class NoMatch(Exception):
    """Raised by the matcher where no rule matches.

    `have_match_for` has the methods with which one would; `websocket_mismatch` says that only the protocol is wrong.
    """

    __slots__ = ("have_match_for", "websocket_mismatch")

    def __init__(self, have_match_for: set[str], websocket_mismatch: bool) -> None:
        super().__init__()
        self.have_match_for = have_match_for
        self.websocket_mismatch = websocket_mismatch

    def as_http_error(self, websocket: bool) -> HTTPException:
        """What the client is told, who asked for a WebSocket or did not."""
        if self.have_match_for:
            return MethodNotAllowed(valid_methods=list(self.have_match_for))
        if self.websocket_mismatch:
            return WebsocketMismatch(_NO_WEBSOCKET if websocket else _ONLY_A_WEBSOCKET)
        return NotFound()
