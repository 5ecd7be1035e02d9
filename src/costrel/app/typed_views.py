"""The typed views of an application: planned when it is sealed, and again for a view that is replaced later."""

from __future__ import annotations

import typing as t
import weakref
from collections.abc import Callable, Mapping

from ..guards.limits import refuse_uncounted
from ..routing.endpoints import blueprint_path
from ..typed.candidates import VIEW_METHODS, Coverage, has_typed, may_be_typed, raw_annotations
from .websocket import WebSocketView

if t.TYPE_CHECKING:
    from ..typed.inputs import InputSource
    from ..typed.plan import Plan
    from ..typed.planning import Plans
    from ..typed.providers import Providers
    from ..typed.signatures import Known
    from . import typing as ft
    from .application import Costrel
    from .authentication import Authentication

View: t.TypeAlias = Callable[..., t.Any]


class PlannedViews(dict[str, t.Any]):
    """Endpoint → view, in a sealed application with typed views: a view that is set is planned first.

    Other applications keep a plain dict, which CPython reads faster.
    """

    def __init__(self, views: Mapping[str, View], plan: Callable[[str, View], View]) -> None:
        super().__init__(views)
        self._plan = plan

    def __setitem__(self, endpoint: str, view: View) -> None:
        super().__setitem__(endpoint, self._plan(endpoint, view))

    def setdefault(self, endpoint: str, default: View | None = None) -> t.Any:
        if endpoint not in self and default is not None:
            self[endpoint] = default
        return super().setdefault(endpoint, default)

    def update(self, *args: t.Any, **kwargs: View) -> None:
        for endpoint, view in dict(*args, **kwargs).items():
            self[endpoint] = view

    def __ior__(self, other: t.Any) -> t.Self:  # type: ignore[override, misc]
        self.update(other)
        return self


class TypedViews:
    """Plans the views of one application."""

    def __init__(self, app: Costrel) -> None:
        self._app = t.cast("Costrel", weakref.proxy(app))
        self._seen: dict[str, View] = {}
        """The views as they are after planning."""
        self.methods: dict[tuple[str, str], View] = {}
        """The typed methods of class-based views, by endpoint and name."""

    def try_all(self) -> None:
        """Raise SignatureError for the first view whose signature cannot be planned. Nothing is kept."""
        try:
            self._begin()
            for endpoint, view in self._app.view_functions.items():
                self._secured(endpoint, self._planned(endpoint, view))
            refuse_uncounted(self._app, self._requires)
        finally:
            self._forget()

    def inputs(self) -> dict[str, list[InputSource]]:
        """The inputs of all typed views by endpoint. Raises SignatureError as `try_all`."""
        return {
            endpoint: [source for plan in plans for source in plan.inputs.sources]
            for endpoint, plans in self._plan_rest().items()
        }

    @property
    def are_planned(self) -> bool:
        """Whether there is any typed view."""
        return bool(self._made())

    def described(self) -> dict[str, list[Plan]]:
        """The plans of all typed views by endpoint. Raises SignatureError as `try_all`."""
        plans = self._plan_rest()
        if not self._seen:  # the setup may go on
            self._forget()
        return plans

    def _plan_rest(self) -> dict[str, list[Plan]]:
        """Plan the views that are new or were replaced, and return the plans of all typed views by endpoint."""
        for endpoint, view in self._app.view_functions.items():
            if self._seen.get(endpoint) is not view:
                self._planned(endpoint, view)
        return self._made()

    def _made(self) -> dict[str, list[Plan]]:
        """The plans that have been made, by endpoint. An application without a typed view has no ``plans``."""
        return self._app.plans.by_endpoint() if "plans" in self._app.__dict__ else {}

    def _forget(self) -> None:
        self.methods.clear()
        self._app.authentication = None
        if "plans" in self._app.__dict__:
            self._app.plans.forget()

    def seal(self) -> None:
        """Plan all new or replaced views, and put the typed views in their places."""
        self._begin()
        is_first = not self._seen
        views = self._app.view_functions
        planned = {
            endpoint: made for endpoint, view in views.items() if (made := self.plan(endpoint, view)) is not view
        }
        if planned or self.methods or self._app.authentication is not None:
            if not isinstance(views, PlannedViews):
                self._app.view_functions = views = PlannedViews(views, self.plan)
            views.update(planned)
        if is_first:
            refuse_uncounted(self._app, self._requires)

    def _requires(self, endpoint: str) -> bool:
        authentication = self._app.authentication
        return authentication is not None and authentication.is_required(endpoint)

    def plan(self, endpoint: str, view: View) -> View:
        """`view` itself, or the view that reads its inputs first."""
        if self._seen.get(endpoint) is view:
            return view
        made = self._seen[endpoint] = self._secured(endpoint, self._planned(endpoint, view))
        return made

    def _begin(self) -> None:
        """Check the authentication schemes, if there are any."""
        if self._app.authentication is None and uses_security(self._app):
            self._authenticate()

    def _authenticate(self) -> Authentication:
        from .authentication import Authentication  # few applications have schemes

        made = self._app.authentication = Authentication(self._app)
        made.check_schemes()
        return made

    def _secured(self, endpoint: str, view: View) -> View:
        """The view that authenticates a request before it calls `view`, or `view` itself if it requires nothing."""
        authentication = self._app.authentication
        if authentication is None:
            plans = self._app.plans.of_endpoint(endpoint) if "plans" in self._app.__dict__ else ()
            if not any(plan.principals for plan in plans):
                return view
            authentication = self._authenticate()
        return authentication.secure(endpoint, view)

    def _planned(self, endpoint: str, view: View) -> View:
        if isinstance(view, WebSocketView):
            return view
        cls: type | None = getattr(view, "view_class", None)
        if cls is None:
            is_typed, known = self._typed_signature(endpoint, view)
            return self._app.plans.view_for(endpoint, view, known) if is_typed else view
        methods = (getattr(cls, name, None) for name in VIEW_METHODS)
        if any(self._typed_signature(endpoint, method, skip=1)[0] for method in methods if method is not None):
            for name, method in self._app.plans.methods_for(endpoint, cls).items():
                self.methods[endpoint, name] = method
        return view

    def _typed_signature(self, endpoint: str, function: View, skip: int = 0) -> tuple[bool, Known | None]:
        """Whether a view or method is typed, and the facts that were read to find out.

        The cheap checks come first: plans load msgspec, signatures `inspect`.
        """
        if has_typed(function):
            return True, None
        if not raw_annotations(function):
            return False, None
        coverage = coverage_of(self._app, endpoint)
        if not may_be_typed(function, coverage):
            return False, None
        from ..typed.signatures import is_typed, signature_of

        try:
            signature = signature_of(function, skip)
        except (ValueError, TypeError):  # some built-in functions have no signature
            return False, None
        return is_typed(signature, coverage), (signature, coverage)


def uses_security(app: Costrel) -> bool:
    """Whether an application has authentication schemes, or names any."""
    if app.__dict__.get("auth_schemes") or app.default_security is not None or app.names_schemes:
        return True
    return any(blueprint.default_security is not None for blueprint in app.blueprints.values())


def is_chosen(app: Costrel, endpoint: str) -> bool:
    """Whether ``typed=True`` covers an endpoint, set on its blueprint, on one around it, or on the application."""
    for name in scopes_of(endpoint):
        scope = app if name is None else app.blueprints.get(name)
        chosen: bool | None = getattr(scope, "typed_by_default", None)
        if chosen is not None:
            return chosen
    return False


def scopes_of(endpoint: str) -> list[str | None]:
    """The blueprints of an endpoint from the inside out, then None for the application."""
    prefix = endpoint.rpartition(".")[0]
    return [*(blueprint_path(prefix) if prefix else ()), None]


def coverage_of(app: Costrel, endpoint: str) -> Coverage:
    """The facts about an endpoint that decide which of its parameters become inputs."""
    filled: set[str] = set()
    try:
        rules = [*app.url_map.iter_rules(endpoint)]
    except KeyError:  # a view without a rule
        rules = []
    for rule in rules:
        filled.update(rule.arguments, rule.defaults or ())
    preprocessors: Mapping[ft.AppOrBlueprintKey, t.Any] = app.url_value_preprocessors
    preprocessed = any(preprocessors.get(scope) for scope in scopes_of(endpoint))
    return Coverage(frozenset(filled), preprocessed, is_chosen(app, endpoint), app.types_by_signature)


def providers_for(app: Costrel, endpoint: str) -> list[Providers]:
    """The providers for an endpoint: of its blueprint, of those around it, and of the application."""
    scopes = (app if name is None else app.blueprints.get(name) for name in scopes_of(endpoint))
    return [scope.__dict__["providers"] for scope in scopes if scope is not None and "providers" in scope.__dict__]


def make_plans(app: Costrel) -> Plans:
    """The plans of an application. They load msgspec, which untyped applications do not need."""
    from ..typed.planning import Plans

    return Plans(weakref.proxy(app))
