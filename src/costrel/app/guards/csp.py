"""A Content Security Policy from a setting, with a new nonce for each response that has one (CSP Level 3)."""

from __future__ import annotations

import re
import secrets
import typing as t
from collections.abc import Iterable, Mapping

from ... import context

NONCE: t.Final = "'nonce'"
"""Stands in a policy for the nonce of the response, as ``'self'`` stands for the site."""

_ENVIRON_KEY: t.Final = "costrel.csp_nonce"
_is_plain = re.compile(r"[\x21-\x2b\x2d-\x3a\x3c-\x7e]+").fullmatch

Policy: t.TypeAlias = "str | Mapping[str, str | Iterable[str]]"


def policy_text(policy: Policy) -> str:
    """A policy as its header says it: from that text, or from directives with their sources.

    Raises ValueError for a name or source with a blank, a comma or a semicolon, which would be another directive.
    """
    if isinstance(policy, str):
        return policy
    return "; ".join(_directive(name, sources) for name, sources in policy.items())


def _directive(name: str, sources: str | Iterable[str]) -> str:
    words = [name, *(sources.split() if isinstance(sources, str) else sources)]
    for word in words:
        if not _is_plain(word):
            raise ValueError(
                f"CONTENT_SECURITY_POLICY: {word!r} in the directive {name!r} is not one name or source:"
                " give several as a list."
            )
    return " ".join(words)


def nonce_of(environ: dict[str, t.Any]) -> str:
    """The nonce of the response to a request: 128 random bits, the same however often it is asked for."""
    nonce: str | None = environ.get(_ENVIRON_KEY)
    if nonce is None:
        nonce = environ[_ENVIRON_KEY] = secrets.token_urlsafe(16)
    return nonce


def csp_nonce() -> str:
    """The nonce of the current response, for ``<script nonce="{{ csp_nonce() }}">``.

    The header has it where ``CONTENT_SECURITY_POLICY`` names ``'nonce'``. Raises RuntimeError outside of a request.
    """
    return nonce_of(context.requesting().request.environ)
