"""The routes of an application that the document describes: each rule with its methods, its view and its plan."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..app.api_document import is_own
from ..app.operations import Operation
from ..app.typed_views import scopes_of
from ..routing import Rule
from ..routing.pattern import trace
from ..typed.candidates import function_for, functions_within
from ..typed.plan import Plan
from .errors import DocumentError

if t.TYPE_CHECKING:
    from ..app.application import Costrel

METHODS: t.Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
"""The methods that OpenAPI 3.1 supports."""

NO_OPTIONS: t.Final = Operation()

View: t.TypeAlias = Callable[..., object]


class Route(t.NamedTuple):
    """One method of one rule."""

    rule: Rule
    path: str
    variables: Mapping[str, str]
    """The names in the path, and the names of the rule's variables."""
    method: str
    function: View
    plan: Plan | None
    operation: Operation
    id: str

    @property
    def endpoint(self) -> str:
        """The endpoint of the rule."""
        return str(self.rule.endpoint)

    @property
    def tag(self) -> str | None:
        """The name of the blueprint."""
        return scopes_of(self.endpoint)[0]


def routes_of(app: Costrel, untyped: bool, api: str | None) -> list[Route]:
    """The routes of a version, or of none, sorted by path and method.

    :raises DocumentError: if two of them are one operation, or have one operationId.
    """
    plans = app.typed_views.described()
    found: list[Route] = []
    seen: dict[str, int] = {}
    for rule in app.url_map.iter_rules():
        if rule.websocket or rule.build_only or rule.alias or rule.redirect_to is not None:
            continue
        endpoint = str(rule.endpoint)
        view = app.view_functions.get(endpoint)
        is_static = endpoint.rpartition(".")[2] == "static" and endpoint not in plans
        if view is None or is_own(endpoint) or is_static or api_of(app, endpoint) != api:
            continue
        made = [*_of_rule(rule, view, plans.get(endpoint, ()), untyped, seen.get(endpoint, 1))]
        if made:
            seen[endpoint] = seen.get(endpoint, 1) + 1
        found += made
    return _distinct(found)


def _of_rule(rule: Rule, view: View, plans: Sequence[Plan], untyped: bool, number: int) -> Iterator[Route]:
    operation: Operation = getattr(rule, "operation", None) or NO_OPTIONS
    if operation.hidden:
        return
    path, variables = template_of(rule.rule)
    for position, method in enumerate(_methods(rule, view)):
        function = function_for(view, method)
        plan = _plan_of(function, plans)
        if plan is None and not untyped and operation.hidden is None:
            continue
        made = operation.operation_id or operation_id(str(rule.endpoint), number)
        suffix = f"_{method.lower()}" if position else ""
        described = function if plan is None else plan.signature.function
        yield Route(rule, path, variables, method, described, plan, operation, made + suffix)


def api_of(app: Costrel, endpoint: str) -> str | None:
    """The version of an endpoint, which its blueprint declares, or a blueprint around that."""
    for name in scopes_of(endpoint):
        api: object = None if name is None else getattr(app.blueprints.get(name), "api_version", None)
        if isinstance(api, str):
            return api
    return None


def operation_id(endpoint: str, number: int) -> str:
    """The operationId of an endpoint. It does not contain the path, so that a new URL changes no client's code.

    The second rule of an endpoint has the number 2, and so on.
    """
    name = endpoint.replace(".", "_")
    return name if number == 1 else f"{name}_{number}"


def template_of(rule: str) -> tuple[str, dict[str, str]]:
    """The path of a rule as OpenAPI writes it, and its variables."""
    tokens = trace(rule)
    path = "".join(f"{{{text}}}" if is_variable else text for is_variable, text in tokens)
    return path, {text: text for is_variable, text in tokens if is_variable}


def _methods(rule: Rule, view: View) -> list[str]:
    """The methods of a rule that its view answers, in the order in which they were declared."""
    methods = {*(rule.methods or ("GET",))}
    if "GET" in methods:
        methods.discard("HEAD")
    if getattr(rule, "provide_automatic_options", False):
        methods.discard("OPTIONS")
    order = _declared(rule, view)
    return sorted(methods.intersection(METHODS), key=lambda each: (order.get(each, 99), METHODS.index(each)))


def _declared(rule: Rule, view: View) -> Mapping[str, int]:
    cls: type | None = getattr(view, "view_class", None)
    names: Sequence[str] = getattr(rule, "declared_methods", ())
    if cls is not None and not names:
        names = [name for base in cls.__mro__ for name in vars(base)]
    upper = [name.upper() for name in names]
    return {name: upper.index(name) for name in upper}


def _plan_of(function: View, plans: Sequence[Plan]) -> Plan | None:
    """The plan of a function, or of a function within its decorators."""
    within = functions_within(function)
    return next((plan for plan in reversed(plans) if any(plan.signature.function is each for each in within)), None)


def _distinct(routes: list[Route]) -> list[Route]:
    ids: dict[str, Route] = {}
    places: dict[tuple[str, str], Route] = {}
    for route in routes:
        other = ids.setdefault(route.id, route)
        if other is not route:
            raise DocumentError(
                f"{_spelt(other)} and {_spelt(route)} have the same operationId {route.id!r}: set another on one of the"
                " routes, with operation_id=."
            )
        other = places.setdefault((_shape(route), route.method), route)
        if other is not route:
            raise DocumentError(
                f"{_spelt(other)} and {_spelt(route)} are one operation in OpenAPI, which does not tell rules apart by"
                " converter or host: leave one of them out, with hidden=True."
            )
    return sorted(_with_one_path(routes), key=lambda route: (route.path, METHODS.index(route.method)))


def _with_one_path(routes: list[Route]) -> Iterator[Route]:
    """The routes with the names of the first rule that has the same path except for the names of its variables.

    Such paths are identical in OpenAPI.
    """
    first: dict[str, Route] = {}
    for route in routes:
        known = first.setdefault(_shape(route), route)
        variables = dict(zip(known.variables, route.variables.values(), strict=True))
        yield route._replace(path=known.path, variables=variables)


def _shape(route: Route) -> str:
    return "".join("{}" if is_variable else text for is_variable, text in trace(route.rule.rule))


def _spelt(route: Route) -> str:
    return f"{route.method} {route.rule.rule} ({route.endpoint!r})"
