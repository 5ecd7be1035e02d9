"""The response headers that tell browsers to be careful, put where no view has set them."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ...http.headers import Headers
from ...messages.response_head import lower_names
from ...support.patterns import LatePattern
from . import fields
from .csp import HEADER, MARK, NONCE, REPORT_ONLY_HEADER, REPORT_ONLY_MARK, nonce_of, policy_text
from .fields import Pairs
from .marks import ByEndpoint, has_marks, marks_of

SECURITY_HEADERS: t.Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""What ``SECURITY_HEADERS = True`` stands for; a dict there changes single ones, None as a value leaves one out."""

_is_key = LatePattern(r"[a-z*][a-z0-9_.*-]*").fullmatch  # RFC 9651 §3.1.2
_is_url = LatePattern(r'(?:https://|/)[^\s"\\\x00-\x1f\x7f-\U0010ffff]*').fullmatch
_report_group = LatePattern(r"(?:^|;)\s*report-to\s+([^\s;]+)").findall


class Chosen:
    """The headers of one endpoint's responses: ready to be added, over HTTP and over HTTPS, and those with a nonce."""

    def __init__(self, plain: Pairs, secure: Pairs, with_nonce: Pairs) -> None:
        self.plain = plain
        self.secure = secure
        self.with_nonce = with_nonce


class HeaderDefaults:
    """The headers of one application, and of those of its views and blueprints that have policies of their own."""

    def __init__(self, app: t.Any, headers: dict[str, str], policies: tuple[str, str], hsts: str) -> None:
        self._app = app
        self._headers: Pairs = list(Headers(headers))
        lower_names(self._headers)  # Raises ValueError for what is no name, as Headers does for a control character.
        self._policies = policies
        self._hsts = hsts
        self._default = self._choose(*policies)
        self._has_marks = has_marks(app, MARK) or has_marks(app, REPORT_ONLY_MARK)
        self._look = fields.may_be_known(headers)
        self._always = self.always
        self._chosen = ByEndpoint(app, self._chosen_for)

    @classmethod
    def of(cls, app: t.Any) -> HeaderDefaults | None:
        """The headers that the settings and the marks of `app` ask for; None where they ask for none."""
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
        if not (headers or any(policies) or hsts or has_marks(app, MARK) or has_marks(app, REPORT_ONLY_MARK)):
            return None
        return cls(app, {name: value for name, value in headers.items() if value is not None}, policies, hsts)

    @property
    def always(self) -> Pairs | None:
        """The list to add to every response; None where it depends on the request."""
        if self._has_marks or self._hsts or self._default.with_nonce:
            return None
        return self._default.plain

    def _chosen_for(self, endpoint: str) -> Chosen:
        policies = list(self._policies)
        for index, name in enumerate((MARK, REPORT_ONLY_MARK)):
            for _, policy in marks_of(self._app, endpoint, name):
                policies[index] = policy
                break
        return self._choose(*policies)

    def _choose(self, policy: str, report_only: str) -> Chosen:
        said = [(HEADER, policy), (REPORT_ONLY_HEADER, report_only)]
        plain = [*self._headers, *(list(Headers([pair for pair in said if pair[1] and NONCE not in pair[1]])))]
        # RFC 6797 §7.2: not over plain HTTP.
        secure = [*plain, ("Strict-Transport-Security", self._hsts)] if self._hsts else plain
        return Chosen(plain, secure, list(Headers([pair for pair in said if NONCE in pair[1]])))

    def add(self, ctx: t.Any, response: t.Any) -> None:
        """Add to the response those that it does not have."""
        if self._always is not None:  # PERF: session, static
            fields.add(response, self._always, self._look)
            return
        request = ctx.request
        rule = request.url_rule if self._has_marks else None
        chosen = self._default if rule is None else self._chosen[rule.endpoint]
        pairs = chosen.secure if request.environ.get("wsgi.url_scheme") == "https" else chosen.plain
        if chosen.with_nonce:
            nonce = f"'nonce-{nonce_of(request.environ)}'"
            pairs = pairs + [(name, value.replace(NONCE, nonce)) for name, value in chosen.with_nonce]
        fields.add(response, pairs, self._look)


def _policies(config: t.Any) -> tuple[str, str]:
    """The policy that holds and the one that is only reported about; the first takes the second's place for True."""
    held, reported = config.get("CONTENT_SECURITY_POLICY"), config.get("CONTENT_SECURITY_POLICY_REPORT_ONLY")
    if reported is True:
        held, reported = None, held
    return _text("CONTENT_SECURITY_POLICY", held), _text("CONTENT_SECURITY_POLICY_REPORT_ONLY", reported)


def _text(setting: str, value: t.Any) -> str:
    try:
        return policy_text(value or None)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{setting}: {error}") from error


def _reporting_endpoints(endpoints: Mapping[str, str]) -> str:
    """Names and URLs as ``Reporting-Endpoints`` has them (Reporting API §3.2). Raises ValueError for others."""
    for name, url in endpoints.items():
        if not _is_key(name) or not _is_url(url):
            raise ValueError(
                f"REPORTING_ENDPOINTS has {name!r}: {url!r}. It is a dict of names in lower case with the URLs, https"
                " or a path here, that browsers send reports to."
            )
    return ", ".join(f'{name}="{url}"' for name, url in endpoints.items())


def _check_groups(policy: str, endpoints: Mapping[str, str]) -> None:
    """Raise ValueError where a policy reports to a name that is nearly, but not quite, one of the endpoints."""
    for name in _report_group(policy) if endpoints else ():
        if name not in endpoints:
            from difflib import get_close_matches  # an error may take a moment

            near = get_close_matches(name, endpoints, n=1, cutoff=0) or [""]
            raise ValueError(f"A policy says report-to {name!r}, which REPORTING_ENDPOINTS lacks: it has {near[0]!r}.")
