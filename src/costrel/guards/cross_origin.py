"""CORS at request time: answers preflight requests, and adds the CORS fields to responses (Fetch §3.2).

The router's endpoint determines the policy. Paths are not compared with patterns, so an unusual spelling of a path
cannot get another view's policy.
"""

from __future__ import annotations

import typing as t
from urllib.parse import unquote, urlsplit

from ..context import AppContract
from ..http.errors import Forbidden, HTTPException, MethodNotAllowed
from ..messages.response_head import field_of, has_plain_headers
from ..routing import RequestRedirect
from . import fields
from .cors import CORS_POLICY, CORSPolicy, is_method
from .marks import ByEndpoint

if t.TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from ..context import RequestContext
    from ..messages.response import Response
    from ..routing import MapAdapter, Rule
    from .contract import GuardedRequest, RespondToError

_AMBIENT: t.Final = ("basic", "digest", "negotiate", "ntlm")
"""The schemes whose credentials browsers store and send by themselves (RFC 7617, 7616, 4559)."""


class CrossOrigin:
    """The CORS policies of one application."""

    def __init__(self, app: AppContract, default: CORSPolicy | None, respond: RespondToError) -> None:
        self._app = app
        self._respond = respond
        self._default = default
        self._policies: ByEndpoint[CORSPolicy | None] = ByEndpoint(app, self._policy_of)

    @classmethod
    def of(cls, app: AppContract, respond: RespondToError) -> CrossOrigin | None:
        """The policies that ``CORS_POLICY``, blueprints and views configure; None if there are none.

        Raises ValueError for a malformed setting.
        """
        try:
            default = CORSPolicy.of(app.config.get("CORS_POLICY"))
        except (TypeError, ValueError) as error:
            raise ValueError(f"CORS_POLICY: {error}") from error
        return cls(app, default, respond) if default is not None or CORS_POLICY.is_used_in(app) else None

    def _policy_of(self, endpoint: str) -> CORSPolicy | None:
        for _, policy in CORS_POLICY.of_endpoint(self._app, endpoint):
            return policy
        return self._default

    def preflight(self, ctx: RequestContext) -> Response | None:
        """The response to a preflight request; None for other requests, and for a URL without a policy."""
        environ = ctx.request._source
        origin, wanted = environ.get("HTTP_ORIGIN"), environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        if environ["REQUEST_METHOD"] != "OPTIONS" or not origin or not wanted or ctx.url_adapter is None:
            return None
        policies = self._policies_of_url(ctx.url_adapter, wanted)
        if not policies and ctx.mount is None:
            # With the default policy, the browser sends the request, and the script can read the 404.
            policies = {wanted: self._default}
        if not any(policies.values()):
            return None
        allowed = {method: policy for method, policy in policies.items() if policy and _permits(policy, origin, method)}
        response = self._app.response_class(status=204)
        # The status must refuse as well: browsers allow GET, HEAD and POST even if they are not listed (Fetch §4.8).
        if not allowed or (wanted in policies and wanted not in allowed):
            response = self._refuse(ctx, _refusal(origin, wanted))
        else:
            policy = allowed.get(wanted) or next(iter(allowed.values()))
            private = environ.get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK") == "true"
            headers = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
            for name, value in policy.fields(origin) + policy.preflight_fields(allowed, headers, private):
                response.headers[name] = value
        vary_by_origin(response)
        return response

    def _refuse(self, ctx: RequestContext, text: str) -> Response:
        def plain() -> Response:
            return self._app.response_class(text, status=403, mimetype="text/plain")

        return self._respond(ctx, Forbidden(text.strip()), plain)

    def _policies_of_url(self, adapter: MapAdapter, wanted: str) -> dict[str, CORSPolicy | None]:
        """Method → policy, for the methods of a URL. Each of them may have a different view."""
        path, methods = _path_and_methods(adapter, wanted, "OPTIONS")
        policies: dict[str, CORSPolicy | None] = {}
        for method in sorted({*methods, wanted} if is_method(wanted) else methods):
            rule = _rule_for(adapter, path, method)
            if rule is not None:
                policies[method] = self._policies[rule.endpoint]
        return policies

    def finish(self, ctx: RequestContext, response: Response) -> None:
        """Add the CORS fields, unless the view or an extension has applied its own policy."""
        policy = self._policy_for(ctx)
        if policy is None:
            return
        plain = has_plain_headers(response)
        if not plain and "Access-Control-Allow-Origin" in response.headers:
            return
        pairs = policy.fields(ctx.request._source.get("HTTP_ORIGIN"))
        if pairs:
            pairs += policy.exposed()
        # Also without an Origin in the request, so that a cache does not reuse the response for a request with one.
        varies = policy.credentials or not policy.any_origin
        if plain and varies and field_of(response, "Vary") is None:
            pairs.append(("Vary", "Origin"))
        elif varies:
            vary_by_origin(response)
        fields.add(response, pairs)

    def _policy_for(self, ctx: RequestContext) -> CORSPolicy | None:
        """The policy for a request. For a 405 or a redirect, the first view at the URL determines it."""
        request: GuardedRequest = ctx.request
        rule, adapter = request.url_rule, ctx.url_adapter
        failed = isinstance(request.routing_exception, (MethodNotAllowed, RequestRedirect))
        if rule is None and failed and adapter is not None:
            path, methods = _path_and_methods(adapter, request.method)
            for method in (request.method, *methods):
                rule = rule or _rule_for(adapter, path, method)
        return self._default if rule is None else self._policies[rule.endpoint]

    def trusts(self, request: GuardedRequest, origin: str) -> bool:
        """Whether a page of `origin` may have the browser send this unsafe request.

        A policy with credentials permits it. A policy without credentials permits requests of scripts that carry no
        credentials which the browser sends by itself. It does not permit navigation, such as the submission of a form:
        the browser would store the cookies of the response, which could sign the visitor in to another account.
        """
        policy = None if request.url_rule is None else self._policies[request.url_rule.endpoint]
        if policy is None or not _permits(policy, origin, request.method):
            return False
        source = request._source
        return policy.credentials or not (_has_credentials(source) or _is_navigation(source))


def _permits(policy: CORSPolicy, origin: str, method: str) -> bool:
    return policy.allows(origin) and policy.allows_method(method)


def _has_credentials(environ: WSGIEnvironment) -> bool:
    scheme = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower()
    return "HTTP_COOKIE" in environ or scheme in _AMBIENT


def _is_navigation(environ: WSGIEnvironment) -> bool:
    """Whether the request is a navigation. Browsers without Fetch Metadata send Upgrade-Insecure-Requests then."""
    mode = environ.get("HTTP_SEC_FETCH_MODE")
    if mode is None:
        return environ.get("HTTP_UPGRADE_INSECURE_REQUESTS") == "1"
    return mode in ("navigate", "nested-navigate")


def _path_and_methods(adapter: MapAdapter, *methods: str) -> tuple[str | None, list[str]]:
    """The path to match and its methods. If the URL redirects for one of `methods`, the path is the target's."""
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


def _rule_for(adapter: MapAdapter, path: str | None, method: str) -> Rule | None:
    try:
        rule: Rule = adapter.match(path, method, return_rule=True, websocket=False)[0]
    except HTTPException:
        return None
    return rule


def vary_by_origin(response: Response) -> None:
    """Tell caches that the response depends on the request's origin (Fetch §3.2.6)."""
    vary = response.headers.get("Vary")
    if vary is None:
        response.headers["Vary"] = "Origin"
    elif "*" not in vary:
        response.vary.add("Origin")


def _refusal(origin: str, method: str) -> str:
    return (
        f"The CORS policy of this URL does not allow {method[:20]!r} for pages of {origin[:100]!r}. The policy is set"
        " by CORS_POLICY, or by cors() on the view or blueprint.\n"
    )
