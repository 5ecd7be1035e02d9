"""Routes that are never reached, since another one is always found first."""

from __future__ import annotations

import re
import typing as t

from .finding import Finding, Findings

if t.TYPE_CHECKING:
    from ...context import AppContract

_variable_name = re.compile(r"<(?:([^:<>]*):)?[^<>]*>")


def check_shadows(app: AppContract) -> Findings:
    """Rules that are alike but for the names of their variables, of which only the first is ever reached."""
    seen: dict[tuple[t.Any, ...], t.Any] = {}
    for rule in app.url_map.iter_rules():
        pattern = _variable_name.sub(lambda match: f"<{match[1] or 'string'}>", rule.rule)
        for method in sorted((rule.methods or {"*"}) - {"HEAD", "OPTIONS"}):
            first = seen.setdefault((pattern, rule.host, rule.subdomain, rule.websocket, method), rule)
            if first is not rule and first.endpoint != rule.endpoint:
                yield Finding(
                    rule.rule,
                    f"{method} never reaches {rule.endpoint!r}: {first.endpoint!r} has the rule {first.rule!r}.",
                    "Change one of the rules, or its methods.",
                )
