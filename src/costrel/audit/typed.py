"""Typed views that read something other than their signature suggests, or that anyone may call."""

from __future__ import annotations

import typing as t

from ..app.api_document import DOCS, ENDPOINT, HOW_TO_INSTALL, OpenAPI, ui_is_missing
from ..app.authentication import Authentication
from .finding import Finding, Findings

if t.TYPE_CHECKING:
    from ..app.application import Costrel
    from ..context import AppContract
    from ..context.contracts import InputContract
    from ..routing import Rule

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


def check_security(app: AppContract) -> Findings:
    """Blueprints with typed views that anyone may call, in an application with authentication schemes."""
    owner = t.cast("Costrel", app)
    if not owner.auth_schemes:
        return
    authentication = Authentication(owner)
    secured: dict[str, bool] = {}
    for endpoint, plans in owner.typed_views.described().items():
        blueprint = endpoint.rpartition(".")[0]
        view = owner.view_functions[endpoint]
        known = any(plan.principals for plan in plans) or any(
            authentication.is_declared(rule, view) for rule in owner.url_map.iter_rules(endpoint)
        )
        secured[blueprint] = secured.get(blueprint, False) or known
    for blueprint, known in secured.items():
        if blueprint and not known:
            yield Finding(
                blueprint,
                "No view of this API requires authentication, although the application has schemes for it.",
                f"Pass security={[*owner.auth_schemes][:1]} to the blueprint, or security=[] if anyone may call it.",
            )


def _is_number_in_text(source: InputContract, rules: list[Rule]) -> bool:
    return source.expr is int and any(f"<{source.name}>" in rule.rule for rule in rules)
