"""Typed views that read something other than their signature suggests."""

from __future__ import annotations

import typing as t

from ..api_document import DOCS, ENDPOINT, HOW_TO_INSTALL, OpenAPI, ui_is_missing
from .finding import Finding, Findings

if t.TYPE_CHECKING:
    from ...context import AppContract
    from ...context.contracts import InputContract
    from ...routing import Rule

READ_ONLY: t.Final = frozenset({"GET", "HEAD", "OPTIONS"})


def check_inputs(app: AppContract) -> Findings:
    """Bodies of GET requests, which servers and caches may drop, and variables of the URL that stay strings."""
    for endpoint, sources in app.typed_views.inputs().items():
        rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint]
        for source in sources:
            if source.where == "body" and rules and all(READ_ONLY.issuperset(rule.methods or {"*"}) for rule in rules):
                yield Finding(
                    endpoint,
                    f"The parameter {source.parameter!r} is the body of a GET request, which clients rarely send.",
                    "Let the view take POST, or mark the parameter with Query().",
                )
            if source.where == "path" and not source.converts and _is_number_in_text(source, rules):
                yield Finding(
                    endpoint,
                    f"The variable <{source.name}> stays a string, although it is annotated with int.",
                    f"Write <int:{source.name}> in the rule, or mark the parameter with Path().",
                    is_hint=True,
                )


def check_document(app: AppContract) -> Findings:
    """An API document that all clients get, and a docs page without its files."""
    if ui_is_missing(app):
        yield Finding(DOCS, "The docs page has none of Swagger UI's files, which are an extra.", HOW_TO_INSTALL)
    options: object = getattr(app, "openapi", None)
    if isinstance(options, OpenAPI) and options.guard is None:
        yield Finding(
            ENDPOINT,
            f"The API document at {options.path!r} has no guard: all clients get it.",
            "Pass a decorator to OpenAPI(guard=...), or list 'openapi' in CHECK_IGNORE if the API is public.",
            is_hint=True,
        )


def _is_number_in_text(source: InputContract, rules: list[Rule]) -> bool:
    return source.expr is int and any(f"<{source.name}>" in rule.rule for rule in rules)
