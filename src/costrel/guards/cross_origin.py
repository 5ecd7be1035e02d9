"""CORS at request time: answers preflight requests, and adds the CORS fields to responses (Fetch §3.2).

A policy belongs to an endpoint, which the router finds. No pattern is compared with the path, so an unusual spelling
of a path cannot get the policy of another view.
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
"""The schemes whose credentials a browser stores, and sends without the page (RFC 7617, 7616, 4559)."""


class CrossOrigin:
    """The CORS policies of one application."""

    def __init__(self, app: AppContract, default: CORSPolicy | None, respond: RespondToError) -> None:
        self._app = app
        self._respond = respond
        self._default = default
        self._policies: ByEndpoint[CORSPolicy | None] = ByEndpoint(app, self._policy_of)

    @classmethod
    def of(cls, app: AppContract, respond: RespondToError) -> CrossOrigin | None:
        """The policies of ``CORS_POLICY``, the blueprints and the views; None if there are none.

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
        """The response to a preflight request. None for any other request, and for a URL without a policy."""
        environ = ctx.request._source
        origin, wanted = environ.get("HTTP_ORIGIN"), environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        if environ["REQUEST_METHOD"] != "OPTIONS" or not origin or not wanted or ctx.url_adapter is None:
            return None
        policies = self._policies_of_url(ctx.url_adapter, wanted)
        if not policies and ctx.mount is None:
            # The browser then sends the request, and shows the script the 404.
            policies = {wanted: self._default}
        if not any(policies.values()):
            return None
        allowed = {method: policy for method, policy in policies.items() if policy and _permits(policy, origin, method)}
        response = self._app.response_class(status=204)
        # The status says it too, since browsers accept GET, HEAD and POST without a listed method (Fetch §4.8).
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
        """Method → policy, for the methods of a URL, each of which may lead to a different view."""
        path, methods = _place(adapter, wanted, "OPTIONS")
        policies: dict[str, CORSPolicy | None] = {}
        for method in sorted({*methods, wanted} if is_method(wanted) else methods):
            rule = _rule_for(adapter, path, method)
            if rule is not None:
                policies[method] = self._policies[rule.endpoint]
        return policies

    def finish(self, ctx: RequestContext, response: Response) -> None:
        """Add the CORS fields, unless the view or an extension has applied its own policy already."""
        policy = self._policy_for(ctx)
        if policy is None:
            return
        plain = has_plain_headers(response)
        if not plain and "Access-Control-Allow-Origin" in response.headers:
            return
        pairs = policy.fields(ctx.request._source.get("HTTP_ORIGIN"))
        if pairs:
            pairs += policy.exposed()
        # Even if the request names no origin: a cache must not reuse the response for one that does.
        varies = policy.credentials or not policy.any_origin
        if plain and varies and field_of(response, "Vary") is None:
            pairs.append(("Vary", "Origin"))
        elif varies:
            vary_by_origin(response)
        fields.add(response, pairs)

    def _policy_for(self, ctx: RequestContext) -> CORSPolicy | None:
        """The policy for a request. If the method did not match or the URL redirects, the URL's first view has it."""
        request: GuardedRequest = ctx.request
        rule, adapter = request.url_rule, ctx.url_adapter
        failed = isinstance(request.routing_exception, (MethodNotAllowed, RequestRedirect))
        if rule is None and failed and adapter is not None:
            path, methods = _place(adapter, request.method)
            for method in (request.method, *methods):
                rule = rule or _rule_for(adapter, path, method)
        return self._default if rule is None else self._policies[rule.endpoint]

    def trusts(self, request: GuardedRequest, origin: str) -> bool:
        """Whether a page of `origin` may make a browser send this unsafe request.

        A policy with credentials permits it. A policy without credentials permits requests of scripts, if they carry
        no credentials that a browser sends by itself. It permits no navigation, such as the submission of a form: the
        browser would store the cookies of the response, and the visitor would be signed in to another account.
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
    """Whether a page navigated to this URL. Browsers without Fetch Metadata ask for HTTPS when they navigate."""
    mode = environ.get("HTTP_SEC_FETCH_MODE")
    if mode is None:
        return environ.get("HTTP_UPGRADE_INSECURE_REQUESTS") == "1"
    return mode in ("navigate", "nested-navigate")


def _place(adapter: MapAdapter, *methods: str) -> tuple[str | None, list[str]]:
    """The path to match, which is the target's if the URL redirects for one of `methods`; and the allowed methods."""
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
        f"The CORS policy of this URL does not let pages of {origin[:100]!r} use {method[:20]!r}. Its origins are set"
        " by CORS_POLICY, or by cors() on its view or blueprint.\n"
    )
