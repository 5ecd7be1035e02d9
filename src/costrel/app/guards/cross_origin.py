"""Answers preflight requests and adds the fields of CORS to responses, by the policy of the endpoint (Fetch §3.2).

A policy belongs to an endpoint, which the router finds: no pattern is compared with a path, so a path that is written
oddly has the policy of the view that it leads to.
"""

from __future__ import annotations

import typing as t
from urllib.parse import unquote, urlsplit

from ...http.errors import HTTPException, MethodNotAllowed
from ...messages.response_head import has_plain_headers
from ...routing import RequestRedirect
from . import fields
from .cors import MARK, CORSPolicy, is_method
from .marks import ByEndpoint, has_marks, marks_of

_AMBIENT: t.Final = ("basic", "digest", "negotiate", "ntlm")
"""The schemes whose credentials a browser keeps and sends by itself (RFC 7617, 7616, 4559)."""

_VARY_COOKIE: t.Final = ("Vary", "Cookie")
"""What a session has left in plain headers."""


class CrossOrigin:
    """The CORS policies of one application."""

    def __init__(self, app: t.Any, default: CORSPolicy | None) -> None:
        self._app = app
        self._default = default
        self._policies: ByEndpoint[CORSPolicy | None] = ByEndpoint(app, self._policy_of)

    @classmethod
    def of(cls, app: t.Any) -> CrossOrigin | None:
        """The policies as setting, blueprints and views have them; None where none has any.

        Raises ValueError for a setting that is no policy.
        """
        try:
            default = CORSPolicy.of(app.config.get("CORS_POLICY"))
        except (TypeError, ValueError) as error:
            raise ValueError(f"CORS_POLICY: {error}") from error
        return cls(app, default) if default is not None or has_marks(app, MARK) else None

    def _policy_of(self, endpoint: str) -> CORSPolicy | None:
        for _, policy in marks_of(self._app, endpoint, MARK):
            return t.cast("CORSPolicy | None", policy)
        return self._default

    def preflight(self, ctx: t.Any) -> t.Any:
        """The answer to a preflight request; None where it is another request, or one for a URL without a policy."""
        environ = ctx.request.environ
        origin, wanted = environ.get("HTTP_ORIGIN"), environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        if environ["REQUEST_METHOD"] != "OPTIONS" or not origin or not wanted or ctx.url_adapter is None:
            return None
        policies = self._policies_of_url(ctx.url_adapter, wanted)
        if not any(policies.values()):
            return None
        allowed = {method: policy for method, policy in policies.items() if policy and _permits(policy, origin, method)}
        response = self._app.response_class(status=204)
        # By its status, and not by the list of methods alone: GET, HEAD and POST need not be in it (Fetch §4.8).
        if not allowed or (wanted in policies and wanted not in allowed):
            response = self._app.response_class(_refusal(origin, wanted), status=403, mimetype="text/plain")
        else:
            policy = allowed.get(wanted) or next(iter(allowed.values()))
            private = environ.get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK") == "true"
            headers = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
            for name, value in policy.fields(origin) + policy.preflight_fields(allowed, headers, private):
                response.headers[name] = value
        vary_by_origin(response)
        return response

    def _policies_of_url(self, adapter: t.Any, wanted: str) -> dict[str, CORSPolicy | None]:
        """Method → policy, for the methods that a URL has: each may lead to a view of its own."""
        path, methods = _place(adapter, wanted, "OPTIONS")
        policies = {}
        for method in sorted({*methods, wanted} if is_method(wanted) else methods):
            rule = _rule_for(adapter, path, method)
            if rule is not None:
                policies[method] = self._policies[rule.endpoint]
        return policies

    def finish(self, ctx: t.Any, response: t.Any) -> None:
        """Add the fields of a response, unless the view or an extension has: then it is their policy."""
        policy = self._policy_for(ctx)
        if policy is None:
            return
        plain = has_plain_headers(response)
        if not plain and "Access-Control-Allow-Origin" in response.headers:
            return
        pairs = policy.fields(ctx.request.environ.get("HTTP_ORIGIN"))
        if pairs:
            pairs += policy.exposed()
        # Also where the request names no origin: a cache must not give that answer to one that does.
        varies = policy.credentials or not policy.any_origin
        if plain and varies and _VARY_COOKIE not in response._header_pairs:
            pairs.append(("Vary", "Origin"))
        elif varies:
            vary_by_origin(response)
        fields.add(response, pairs)

    def _policy_for(self, ctx: t.Any) -> CORSPolicy | None:
        """The policy for a request; that of the URL's first view where it has none for the method, or redirects."""
        request = ctx.request
        rule = request.url_rule
        if rule is None and isinstance(request.routing_exception, (MethodNotAllowed, RequestRedirect)):
            path, methods = _place(ctx.url_adapter, request.method)
            for method in (request.method, *methods):
                rule = rule or _rule_for(ctx.url_adapter, path, method)
        return self._default if rule is None else self._policies[rule.endpoint]

    def trusts(self, request: t.Any, origin: str) -> bool:
        """Whether a page of `origin` may make a browser send this request, which changes something.

        With credentials the policy says so. Without, the request must carry none that a browser sends by itself.
        """
        policy = None if request.url_rule is None else self._policies[request.url_rule.endpoint]
        if policy is None or not _permits(policy, origin, request.method):
            return False
        return policy.credentials or not _has_credentials(request.environ)


def _permits(policy: CORSPolicy, origin: str, method: str) -> bool:
    return policy.allows(origin) and policy.allows_method(method)


def _has_credentials(environ: dict[str, t.Any]) -> bool:
    scheme = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower()
    return "HTTP_COOKIE" in environ or scheme in _AMBIENT


def _place(adapter: t.Any, *methods: str) -> tuple[str | None, list[str]]:
    """The path to look a URL up by, another one where it redirects for one of `methods`, and the methods it has."""
    path = None
    for method in methods:
        try:
            adapter.match(method=method, websocket=False)
        except RequestRedirect as redirect:
            path = unquote(urlsplit(redirect.new_url).path).removeprefix(adapter.script_name.rstrip("/"))
            break
        except HTTPException:
            continue
    return path, sorted(adapter.allowed_methods(path))


def _rule_for(adapter: t.Any, path: str | None, method: str) -> t.Any:
    try:
        return adapter.match(path, method, return_rule=True, websocket=False)[0]
    except HTTPException:
        return None


def vary_by_origin(response: t.Any) -> None:
    """Tell caches that the response is for the origin that asked (Fetch §3.2.6)."""
    vary = response.headers.get("Vary")
    if vary is None:
        response.headers["Vary"] = "Origin"
    elif "*" not in vary:
        response.vary.add("Origin")


def _refusal(origin: str, method: str) -> str:
    return (
        f"The CORS policy of this URL does not let pages of {origin[:100]!r} use {method[:20]!r}: its origins are named"
        " by CORS_POLICY, or by cors() on its view or blueprint.\n"
    )
