"""The response headers that tell browsers to be careful, put where no view has set them."""

from __future__ import annotations

import typing as t

from ...http.headers import Headers
from ...messages.response_head import lower_names
from .csp import NONCE, nonce_of, policy_text

Pairs: t.TypeAlias = list[tuple[str, str]]

SECURITY_HEADERS: t.Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""What ``SECURITY_HEADERS = True`` stands for; a dict there changes single ones, None as a value leaves one out."""

_POLICY: t.Final = "Content-Security-Policy"


class HeaderDefaults:
    """The headers of one application as lists that are ready to be appended."""

    def __init__(self, headers: dict[str, str], policy: str, hsts: str) -> None:
        self._nonce_in = policy if NONCE in policy else None
        if policy and self._nonce_in is None:
            headers = {**headers, _POLICY: policy}
        self._plain: Pairs = list(Headers(headers))
        lower_names(self._plain)  # Raises ValueError for what is no name, as Headers does for a control character.
        # RFC 6797 §7.2: not over plain HTTP.
        self._secure: Pairs = [*self._plain, ("Strict-Transport-Security", hsts)] if hsts else self._plain

    @classmethod
    def of(cls, config: t.Any) -> HeaderDefaults | None:
        """The headers that the settings ask for; None where they ask for none."""
        chosen = config.get("SECURITY_HEADERS")
        headers: dict[str, str | None] = dict(SECURITY_HEADERS) if chosen else {}
        if isinstance(chosen, dict):
            headers.update(chosen)
        policy = policy_text(config.get("CONTENT_SECURITY_POLICY") or "")
        seconds = config.get("HSTS_SECONDS")
        hsts = f"max-age={int(seconds)}; includeSubDomains" if seconds else ""
        if not (headers or policy or hsts):
            return None
        return cls({name: value for name, value in headers.items() if value is not None}, policy, hsts)

    @property
    def always(self) -> Pairs | None:
        """The list to add to every response; None where it depends on the request."""
        return self._plain if self._nonce_in is None and self._plain is self._secure else None

    def add(self, environ: dict[str, t.Any], response: t.Any) -> None:
        """Add to the response those that it does not have."""
        defaults = self._secure if environ.get("wsgi.url_scheme") == "https" else self._plain
        if self._nonce_in is not None:
            defaults = [*defaults, (_POLICY, self._nonce_in.replace(NONCE, f"'nonce-{nonce_of(environ)}'"))]
        for name, value in defaults:
            response.headers.setdefault(name, value)
