"""Refuses what another site's page makes a browser send: by what the browser says of it, and by a token.

Browsers tell in ``Sec-Fetch-Site`` which site a request comes from (Fetch Metadata), older ones in ``Origin``
(RFC 6454 §7). A request with neither comes from no browser, and carries nobody's cookies against their will.
"""

from __future__ import annotations

import os
import typing as t
from base64 import urlsafe_b64decode, urlsafe_b64encode

from ... import context
from ...http.errors import Forbidden
from ..origins import is_own
from ..request import blueprint_path
from .marks import ByEndpoint, mark, marks_of

FIELD: t.Final = "csrf_token"
HEADER: t.Final = "X-CSRF-Token"
_SESSION_KEY: t.Final = "_csrf_secret"
_SIZE: t.Final = 16

V = t.TypeVar("V")


class CrossSiteRequest(Forbidden):
    """*403* `Forbidden`: a request that changes something came from another site, or without its token."""


class CrossSiteCheck:
    """The check of one application."""

    def __init__(self, app: t.Any, trusted: frozenset[str], exempt: frozenset[str], needs_token: bool) -> None:
        self._app = app
        self.trusted = trusted
        self.exempt = exempt
        self.needs_token = needs_token
        self._exempt_endpoints: ByEndpoint[bool] = ByEndpoint(app, self._is_exempt)

    @classmethod
    def of(cls, app: t.Any) -> CrossSiteCheck | None:
        """The check as the settings ask for it; None where ``CSRF_PROTECTION`` is off."""
        config = app.config
        if not config.get("CSRF_PROTECTION"):
            return None
        return cls(
            app,
            _names("CSRF_TRUSTED_ORIGINS", config),
            _names("CSRF_EXEMPT", config),
            bool(config.get("CSRF_REQUIRE_TOKEN")),
        )

    def check(self, ctx: t.Any) -> None:
        """Raise CrossSiteRequest for a request that must not reach its view."""
        request = ctx.request
        environ = request.environ
        if request.url_rule is None or self._exempt_endpoints[request.url_rule.endpoint]:
            return
        site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
        if origin is not None and (origin in self.trusted or ctx.app.guards.trusts(request, origin)):
            return
        if site is not None:
            if site not in ("same-origin", "none"):
                raise CrossSiteRequest(_refusal(origin or f"a page of another site ({site[:20]!r})"))
        elif origin is not None and not is_own(origin, environ.get("HTTP_HOST", "")):
            raise CrossSiteRequest(_refusal(origin))
        if self.needs_token and not _is_valid(ctx, _token_of(request)):
            raise CrossSiteRequest(
                f"The CSRF token is missing or not of this session: send what csrf_token() gives as the form field"
                f" {FIELD!r} or the header {HEADER}."
            )

    def _is_exempt(self, endpoint: str) -> bool:
        for _, exempt in marks_of(self._app, endpoint, "csrf_exempt"):
            return bool(exempt)
        return bool(self.exempt) and not self.exempt.isdisjoint(blueprint_path(endpoint))


def csrf_exempt(view: V) -> V:
    """Let requests from other sites reach the decorated view or blueprint: a webhook, an API that takes no cookies."""
    return mark("csrf_exempt", True)(view)


def csrf_token() -> str:
    """The token of the current session, masked anew in each call so that compression cannot give it away (BREACH).

    Needs a session. Raises RuntimeError outside of a request.
    """
    session = context.requesting().session
    secret: str | None = session.get(_SESSION_KEY)
    if secret is None:
        secret = session[_SESSION_KEY] = os.urandom(_SIZE).hex()
    mask = os.urandom(_SIZE)
    return urlsafe_b64encode(mask + _xor(bytes.fromhex(secret), mask)).decode().rstrip("=")


def _is_valid(ctx: t.Any, token: str | None) -> bool:
    secret = ctx.session.get(_SESSION_KEY)
    if not token or not isinstance(secret, str) or len(token) > 4 * _SIZE:
        return False
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        expected = bytes.fromhex(secret)
    except ValueError:
        return False
    import hmac  # brings OpenSSL: 3 MiB

    return len(raw) == 2 * _SIZE and hmac.compare_digest(_xor(raw[_SIZE:], raw[:_SIZE]), expected)


def _token_of(request: t.Any) -> str | None:
    """The token of the header or the form. Never of the URL, which lands in logs and in other sites' Referer."""
    token: str | None = request.headers.get(HEADER)
    return token if token is not None else request.form.get(FIELD)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes([a ^ b for a, b in zip(left, right, strict=True)])


def _refusal(source: str) -> str:
    return (
        f"This request comes from {source[:100]}, and not from a page of this site: CSRF_TRUSTED_ORIGINS can list its"
        " origin, and csrf_exempt or CSRF_EXEMPT the view."
    )


def _names(setting: str, config: t.Any) -> frozenset[str]:
    value = config.get(setting) or ()
    return frozenset((value,) if isinstance(value, str) else value)
