"""Responses that other sites may read, and requests that may be repeated without limit."""

from __future__ import annotations

import re
import sys
import typing as t

from ..guards.cors import CORSPolicy
from ..guards.limits import Limits
from .finding import Finding, Findings

if t.TYPE_CHECKING:
    from ..context import AppContract

_is_login = re.compile(
    r"(?:^|[^a-z])(?:log_?-?in|sign_?-?in|auth|authenticate|password|passwd|otp|2fa|mfa|token)(?:[^a-z]|$)"
).search


def check_origins(app: AppContract) -> Findings:
    try:
        policy = CORSPolicy.of(app.config.get("CORS_POLICY"))
    except (TypeError, ValueError):
        return  # check_setup reports it
    if policy is None:
        return
    if policy.any_origin:
        yield Finding(
            "CORS_POLICY",
            "scripts on any site may read every response.",
            "List the origins, or put @cors('*') on the views that are public.",
        )
    for origin in policy.origins:
        if origin.startswith("http://") and not re.match(r"http://(localhost|[^/]*\.localhost|127\.|\[::1\])", origin):
            problem = f"{origin} is not encrypted: anyone on the network path can pretend to be that site."
            yield Finding("CORS_POLICY", problem, f"Name https://{origin.partition('://')[2]} instead.")


def check_counting(app: AppContract) -> Findings:
    """Limits that each worker counts by itself, although no setting allows that."""
    limits = _limits(app)
    if limits is not None and not app.config.get("RATE_LIMIT_STORAGE"):
        yield Finding(
            "RATE_LIMIT_STORAGE",
            "each worker counts by itself, so that several workers together allow several times the limit.",
            "Set it to a Redis URL, or to 'memory://' if a single process serves all requests.",
        )


def check_logins(app: AppContract) -> Findings:
    """Views that accept any number of attempts at a password."""
    limits = _limits(app)
    if "flask_limiter" in sys.modules or "limiter" in app.extensions:
        return
    for rule in app.url_map.iter_rules():
        named = _is_login(rule.rule.lower()) or _is_login(rule.endpoint.lower())
        if named and "POST" in (rule.methods or {"POST"}) and not (limits and limits.of_endpoint(rule.endpoint)):
            yield Finding(
                rule.endpoint,
                "the number of login attempts is not limited.",
                "Put rate_limit('5/minute', methods=['POST']) on its view.",
                is_hint=True,
            )


def _limits(app: AppContract) -> Limits | None:
    try:
        return Limits.of(app)
    except (TypeError, ValueError, RuntimeError):
        return None  # check_setup reports it
