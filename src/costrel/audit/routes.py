"""Routes that are never reached, and routes that STRICT_URLS would match differently."""

from __future__ import annotations

import os
import re
import typing as t

from ..app.frontends import INDEX
from ..app.view_parameters import unfitting
from ..routing.converters import isolates
from .finding import Finding, Findings

if t.TYPE_CHECKING:
    from ..context import AppContract

_variable_name = re.compile(r"<(?:([^:<>]*):)?[^<>]*>")


def check_mounts(app: AppContract) -> Findings:
    """Mounted applications that anyone can reach."""
    for mount in app.mounts:
        if mount.guard is None:
            yield Finding(
                mount.place,
                "An application is mounted here without a guard: every client can reach it.",
                f'Pass guard=login_required, or another decorator for views, to app.mount("{mount.place}", …). If it is'
                " public, or checks its clients itself, list it in CHECK_IGNORE.",
            )


def check_frontends(app: AppContract) -> Findings:
    """Front ends without a page."""
    for frontend in app.frontends:
        if not os.path.isfile(os.path.join(frontend.root, INDEX)):
            yield Finding(
                frontend.prefix or "/",
                f"The front end in {frontend.root} has no {INDEX}: its pages are answered with 404.",
                "Build the front end, or name the folder of its build in app.frontend(…).",
            )


def check_shadows(app: AppContract) -> Findings:
    """Rules that differ only in the names of their variables, so that only the first is ever reached."""
    seen: dict[tuple[t.Any, ...], t.Any] = {}
    for rule in app.url_map.iter_rules():
        if rule.build_only:
            continue
        pattern = _variable_name.sub(lambda match: f"<{match[1] or 'string'}>", rule.rule)
        for method in sorted((rule.methods or {"*"}) - {"HEAD", "OPTIONS"}):
            first = seen.setdefault((pattern, rule.host, rule.subdomain, rule.websocket, method), rule)
            if first is not rule and first.endpoint != rule.endpoint:
                yield Finding(
                    rule.rule,
                    f"{method} never reaches {rule.endpoint!r}: {first.endpoint!r} has the rule {first.rule!r}.",
                    "Change one of the rules, or its methods.",
                )


def check_parameters(app: AppContract) -> Findings:
    """Views that no request can call with the variables of their rules."""
    for place, problem in unfitting(app, app.typed_views.inputs()):
        yield Finding(place, problem, "Requests fail until then.")


def check_strictness(app: AppContract) -> Findings:
    """Converters that take slashes by their regex, and never get one."""
    if app.url_map.strict:
        return
    for rule in app.url_map.iter_rules():
        for name, converter in rule.converters.items():
            if converter.part_isolating and not isolates(converter):
                yield Finding(
                    rule.rule,
                    f"{rule.endpoint!r} is a 404 for each path with a slash in {name!r}, which the regex"
                    f" {converter.regex!r} of its converter takes.",
                    "Set STRICT_URLS to True, or part_isolating = False in the converter.",
                )


def check_order(app: AppContract) -> Findings:
    """Rules that STRICT_URLS would prefer to others, which answer some paths now."""
    if app.url_map.strict:
        return
    for now, then in app.url_map.differing_rules():
        yield Finding(
            now.rule,
            f"{now.endpoint!r} answers paths that also match {then.rule!r} of {then.endpoint!r}, which goes first"
            " with STRICT_URLS.",
            "Set STRICT_URLS to True, or remove one of the rules.",
            is_hint=True,
        )
