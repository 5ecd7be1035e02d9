"""Security headers, which are added to each response unless the view has set them."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..context import AppContract
from ..http.headers import Headers
from ..messages.response_head import lower_names
from ..support.patterns import LatePattern
from . import fields
from .csp import (
    HEADER,
    NONCE,
    POLICY,
    REPORT_ONLY_HEADER,
    REPORT_ONLY_POLICY,
    Policy,
    nonce_of,
    policy_text,
    with_server,
)
from .fields import Pairs
from .marks import ByEndpoint
from .vite_server import is_used_by, server_of

if t.TYPE_CHECKING:
    from ..context import RequestContext
    from ..messages.response import Response
    from .contract import GuardedRequest, Settings

SECURITY_HEADERS: t.Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""The headers of ``SECURITY_HEADERS = True``. If the setting is a dict, it overrides some; None removes a header."""

_is_key = LatePattern(r"[a-z*][a-z0-9_.*-]*").fullmatch  # RFC 9651 §3.1.2
_is_url = LatePattern(r'(?:https://|/)[^\s"\\\x00-\x1f\x7f-\U0010ffff]*').fullmatch
_report_group = LatePattern(r"(?:^|;)\s*report-to\s+([^\s;]+)").findall


class EndpointHeaders:
    """The headers of one endpoint's responses: over HTTP, over HTTPS, and headers with a placeholder for the nonce."""

    def __init__(self, plain: Pairs, secure: Pairs, with_nonce: Pairs) -> None:
        self.plain = plain
        self.secure = secure
        self.with_nonce = with_nonce


class HeaderDefaults:
    """The headers of one application, and of its views and blueprints that have their own policies."""

    def __init__(self, app: AppContract, headers: dict[str, str], policies: tuple[str, str], hsts: str) -> None:
        self._app = app
        self._headers: Pairs = list(Headers(headers))
        lower_names(self._headers)  # raises ValueError for an invalid name; Headers does so for control characters
        self._policies = policies
        self._hsts = hsts
        self._default = self._choose(*policies)
        self._has_marks = POLICY.is_used_in(app) or REPORT_ONLY_POLICY.is_used_in(app)
        self._may_exist = fields.may_be_known(headers)
        self._in_debug = app.debug
        self._always = self.always
        self._chosen = ByEndpoint(app, self._headers_for)

    @classmethod
    def of(cls, app: AppContract) -> HeaderDefaults | None:
        """The headers that the settings and the decorators of `app` configure; None if there are none."""
        config = app.config
        chosen = config.get("SECURITY_HEADERS")
        headers: dict[str, str | None] = dict(SECURITY_HEADERS) if chosen else {}
        if isinstance(chosen, dict):
            headers.update(chosen)
        endpoints = config.get("REPORTING_ENDPOINTS")
        if endpoints:
            headers["Reporting-Endpoints"] = _reporting_endpoints(endpoints)
        policies = _policies(config)
        for policy in policies:
            _check_groups(policy, endpoints or {})
        seconds = config.get("HSTS_SECONDS")
        hsts = f"max-age={int(seconds)}; includeSubDomains" if seconds else ""
        if not (headers or any(policies) or hsts or POLICY.is_used_in(app) or REPORT_ONLY_POLICY.is_used_in(app)):
            return None
        return cls(app, {name: value for name, value in headers.items() if value is not None}, policies, hsts)

    @property
    def always(self) -> Pairs | None:
        """The headers of every response; None if they depend on the request."""
        if self._has_marks or self._hsts or self._default.with_nonce or self._in_debug:
            return None
        return self._default.plain

    def _headers_for(self, endpoint: str) -> EndpointHeaders:
        policies = list(self._policies)
        for index, kind in enumerate((POLICY, REPORT_ONLY_POLICY)):
            for _, policy in kind.of_endpoint(self._app, endpoint):
                policies[index] = policy
                break
        return self._choose(*policies)

    def _choose(self, policy: str, report_only: str) -> EndpointHeaders:
        pairs = [(HEADER, policy), (REPORT_ONLY_HEADER, report_only)]
        plain = [*self._headers, *(list(Headers([pair for pair in pairs if pair[1] and NONCE not in pair[1]])))]
        # HSTS must not be sent over plain HTTP (RFC 6797 §7.2).
        secure = [*plain, ("Strict-Transport-Security", self._hsts)] if self._hsts else plain
        return EndpointHeaders(plain, secure, list(Headers([pair for pair in pairs if NONCE in pair[1]])))

    def add(self, ctx: RequestContext, response: Response) -> None:
        """Add the headers that the response does not have yet."""
        if self._always is not None:
            fields.add(response, self._always, self._may_exist)
            return
        request: GuardedRequest = ctx.request
        rule = request.url_rule if self._has_marks else None
        chosen = self._default if rule is None else self._chosen[rule.endpoint]
        pairs = chosen.secure if request._source.get("wsgi.url_scheme") == "https" else chosen.plain
        if chosen.with_nonce:
            nonce = f"'nonce-{nonce_of(request._source)}'"
            pairs = pairs + [(name, value.replace(NONCE, nonce)) for name, value in chosen.with_nonce]
        if self._in_debug:
            pairs = self._with_vite(pairs)
        fields.add(response, pairs, self._may_exist)

    def _with_vite(self, pairs: Pairs) -> Pairs:
        """The headers, in which policies allow Vite's server if pages use it."""
        server = server_of(self._app)
        if server is None or not is_used_by(self._app):
            return pairs
        return [
            (name, with_server(value, server) if name in (HEADER, REPORT_ONLY_HEADER) else value)
            for name, value in pairs
        ]


def _policies(config: Settings) -> tuple[str, str]:
    """The enforced and the report-only policy. If the second setting is True, the first is only reported."""
    enforced, reported = config.get("CONTENT_SECURITY_POLICY"), config.get("CONTENT_SECURITY_POLICY_REPORT_ONLY")
    if reported is True:
        enforced, reported = None, enforced
    return _text("CONTENT_SECURITY_POLICY", enforced), _text("CONTENT_SECURITY_POLICY_REPORT_ONLY", reported)


def _text(setting: str, value: Policy | None) -> str:
    try:
        return policy_text(value or None)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{setting}: {error}") from error


def _reporting_endpoints(endpoints: Mapping[str, str]) -> str:
    """The value of ``Reporting-Endpoints`` (Reporting API §3.2). Raises ValueError for an invalid name or URL."""
    for name, url in endpoints.items():
        if not _is_key(name) or not _is_url(url):
            raise ValueError(
                f"REPORTING_ENDPOINTS has the invalid entry {name!r}: {url!r}. It must map lower-case names to the URLs"
                " that browsers send reports to: https URLs, or paths on this site."
            )
    return ", ".join(f'{name}="{url}"' for name, url in endpoints.items())


def _check_groups(policy: str, endpoints: Mapping[str, str]) -> None:
    """Raise ValueError if a policy reports to an endpoint that does not exist."""
    for name in _report_group(policy) if endpoints else ():
        if name not in endpoints:
            from difflib import get_close_matches  # only needed for an error

            near = get_close_matches(name, endpoints, n=1, cutoff=0) or [""]
            raise ValueError(
                f"A policy has report-to {name!r}, which is not in REPORTING_ENDPOINTS. Did you mean {near[0]!r}?"
            )
