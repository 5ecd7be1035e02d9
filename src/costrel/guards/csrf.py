"""CSRF protection: refuses requests that the browser sent on behalf of a page of another site.

Browsers report where a request comes from in ``Sec-Fetch-Site`` (Fetch Metadata), older browsers in ``Origin`` (RFC
6454 §7). A request with neither comes from another kind of client, which sends cookies only on purpose. A token can be
required in addition.
"""

from __future__ import annotations

import os
import typing as t
from base64 import urlsafe_b64decode, urlsafe_b64encode

from .. import context
from ..context import AppContract, RequestContext
from ..http.errors import Forbidden
from ..routing.endpoints import blueprint_path
from .marks import ByEndpoint, Mark
from .origins import is_own

if t.TYPE_CHECKING:
    from .contract import GuardedRequest, Settings
    from .cross_origin import CrossOrigin

EXEMPT: t.Final = Mark[bool]("csrf_exempt")
FIELD: t.Final = "csrf_token"
HEADER: t.Final = "X-CSRF-Token"
SESSION_KEY: t.Final = "_csrf_secret"
"""The session key of the secret from which tokens are derived."""
_SIZE: t.Final = 16

V = t.TypeVar("V")


class CrossSiteRequest(Forbidden):
    """*403* `Forbidden`: an unsafe request comes from another site, or lacks the required CSRF token."""


class CrossSiteCheck:
    """The CSRF check of one application."""

    def __init__(self, app: AppContract, cross_origin: CrossOrigin | None) -> None:
        config = app.config
        self._app = app
        self._cross_origin = cross_origin
        self.trusted = _names("CSRF_TRUSTED_ORIGINS", config)
        self.exempt = _names("CSRF_EXEMPT", config)
        self.needs_token = bool(config.get("CSRF_REQUIRE_TOKEN"))
        self._exempt_endpoints: ByEndpoint[bool] = ByEndpoint(app, self._is_exempt)

    @classmethod
    def of(cls, app: AppContract, cross_origin: CrossOrigin | None) -> CrossSiteCheck | None:
        """The check that the settings configure; None if ``CSRF_PROTECTION`` is off.

        Origins that are trusted by a CORS policy of `cross_origin` pass the check.
        """
        if not app.config.get("CSRF_PROTECTION"):
            return None
        return CrossSiteCheck(app, cross_origin) if app.authentication is None else PartialCheck(app, cross_origin)

    def require(self, ctx: RequestContext, origin: bool = True, token: bool = True) -> None:
        """Raise CrossSiteRequest if the request comes from another site, or lacks the token, unless it is exempt."""
        request: GuardedRequest = ctx.request
        source = request._source
        if request.url_rule is None or self._exempt_endpoints[request.url_rule.endpoint]:
            return
        if origin:
            site, sender = source.get("HTTP_SEC_FETCH_SITE"), source.get("HTTP_ORIGIN")
            if sender is not None and (sender in self.trusted or self._is_trusted_by_policy(request, sender)):
                return
            if site is not None:
                if site not in ("same-origin", "none"):
                    raise CrossSiteRequest(_refusal(sender or f"a page of another site ({site[:20]!r})"))
            elif sender is not None and not is_own(sender, source.get("HTTP_HOST", "")):
                raise CrossSiteRequest(_refusal(sender))
        if token and self.needs_token and not _is_valid(ctx, _token_of(request)):
            raise CrossSiteRequest(
                f"The CSRF token is missing or belongs to another session. Send the result of csrf_token() as the form"
                f" field {FIELD!r} or the header {HEADER}."
            )

    check = require
    """Called before the hooks of an unsafe request."""

    def _is_trusted_by_policy(self, request: GuardedRequest, origin: str) -> bool:
        return self._cross_origin is not None and self._cross_origin.trusts(request, origin)

    def _is_exempt(self, endpoint: str) -> bool:
        for _, exempt in EXEMPT.of_endpoint(self._app, endpoint):
            return bool(exempt)
        return bool(self.exempt) and not self.exempt.isdisjoint(blueprint_path(endpoint))


class PartialCheck(CrossSiteCheck):
    """The check of an application with authentication schemes, which may have to wait for the credential."""

    def check(self, ctx: RequestContext, origin: bool = True, token: bool = True) -> None:
        authentication = ctx.app.authentication
        if authentication is not None and ctx.request.url_rule is not None:
            origin, token = authentication.checks_before(ctx)
        self.require(ctx, origin, token)


def csrf_exempt(view: V) -> V:
    """Exempt the decorated view or blueprint, such as a webhook or an API without cookies, from the CSRF check."""
    return EXEMPT.put(True)(view)


def csrf_token() -> str:
    """The CSRF token of the current session. Each call masks it differently, so that compression does not leak it.

    Requires a session. Raises RuntimeError outside of a request.
    """
    session = context.requesting().session
    secret: str | None = session.get(SESSION_KEY)
    if secret is None:
        secret = session[SESSION_KEY] = os.urandom(_SIZE).hex()
    mask = os.urandom(_SIZE)
    return urlsafe_b64encode(mask + _xor(bytes.fromhex(secret), mask)).decode().rstrip("=")


def _is_valid(ctx: RequestContext, token: str | None) -> bool:
    secret = ctx.session.get(SESSION_KEY)
    if not token or not isinstance(secret, str) or len(token) > 4 * _SIZE:
        return False
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        expected = bytes.fromhex(secret)
    except ValueError:
        return False
    import hmac  # imports OpenSSL, which takes 3 MiB

    return len(raw) == 2 * _SIZE and hmac.compare_digest(_xor(raw[_SIZE:], raw[:_SIZE]), expected)


def _token_of(request: GuardedRequest) -> str | None:
    """The token from the header or the form, but not from the URL, which appears in logs and in Referer headers."""
    token = request.headers.get(HEADER)
    return token if token is not None else request.form.get(FIELD)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes([a ^ b for a, b in zip(left, right, strict=True)])


def _refusal(source: str) -> str:
    return (
        f"This request comes from {source[:100]}, not from a page of this site. To accept it, list its origin in"
        " CSRF_TRUSTED_ORIGINS, or exempt the view with csrf_exempt or CSRF_EXEMPT."
    )


def _names(setting: str, config: Settings) -> frozenset[str]:
    value = config.get(setting) or ()
    return frozenset((value,) if isinstance(value, str) else value)
