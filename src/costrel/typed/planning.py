"""Planning: which views of an application are typed, and the plan of each, made when the application is sealed."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .candidates import TYPED
from .codecs import Codecs
from .expressions import UnknownName
from .inputs import Inputs, Limits, Source
from .plan import Plan
from .signatures import Coverage, Function, Signature, is_typed, signature_of, unknown_name

HTTP_METHODS: t.Final = ("get", "post", "head", "options", "delete", "put", "trace", "patch")


class PlannedApp(t.Protocol):
    """An application as planning knows it."""

    @property
    def config(self) -> Mapping[str, t.Any]: ...
    @property
    def type_codecs(self) -> Codecs: ...
    def coverage_of(self, endpoint: str) -> Coverage: ...


class Plans:
    """The plans of one application, by endpoint and function."""

    def __init__(self, app: PlannedApp) -> None:
        self.app = app
        self._coverage: dict[str, Coverage] = {}
        self._plans: dict[tuple[str, Function], Plan] = {}

    def forget(self) -> None:
        """Make all plans again when they are next needed: the setup has changed."""
        self._coverage.clear()
        self._plans.clear()

    def view_for(self, endpoint: str, view: Function) -> Function:
        """`view` itself, or, if it is typed, the view that reads its inputs first.

        :raises SignatureError: if it declares something that cannot be.
        """
        inner: Function | None = getattr(view, TYPED, None)
        if inner is None:
            inner = view
            self._plan_within(endpoint, view)
        plan = self._plan_if_typed(endpoint, inner, view)
        return view if plan is None else plan.wrap(inner)

    def methods_for(self, endpoint: str, cls: type) -> dict[str, Function]:
        """The typed methods of a class-based view, each as a function that reads its inputs first."""
        found: dict[str, Function] = {}
        for name in (*HTTP_METHODS, "dispatch_request"):
            method: Function | None = getattr(cls, name, None)
            if method is None:
                continue
            self._plan_within(endpoint, method, skip=1)
            plan = self._plan_if_typed(endpoint, getattr(method, TYPED, method), method, skip=1)
            if plan is not None and not hasattr(method, TYPED):
                found[name] = plan.wrap(method)
        return found

    def of_function(self, endpoint: str, function: Function, skip: int) -> Plan:
        """The plan of a function that `typed` decorates."""
        plan = self._plans.get((endpoint, function))
        if plan is None:
            plan = self._plans[endpoint, function] = self._plan(endpoint, self._signature(function, skip))
        return plan

    def sources(self) -> dict[str, list[Source]]:
        """The inputs of the typed views by endpoint."""
        found: dict[str, list[Source]] = {}
        for (endpoint, _), plan in self._plans.items():
            found.setdefault(endpoint, []).extend(plan.inputs.sources)
        return found

    def _plan_within(self, endpoint: str, view: Function, skip: int = 0) -> None:
        """Plan a function with `typed` below other decorators, so that its errors are found at the start."""
        seen = 0
        within: Function | None = getattr(view, "__wrapped__", None)
        while within is not None and seen < 100:
            function: Function | None = within.__dict__.get(TYPED) if hasattr(within, "__dict__") else None
            if function is not None:
                self.of_function(endpoint, function, skip)
                return
            within = getattr(within, "__wrapped__", None)
            seen += 1

    def _plan_if_typed(self, endpoint: str, function: Function, view: Function, skip: int = 0) -> Plan | None:
        coverage = self._coverage_of(endpoint)
        try:
            signature = signature_of(function, skip)
        except (ValueError, TypeError):  # some built-in functions have no signature
            return None
        except UnknownName as error:
            if coverage.chosen or hasattr(view, TYPED):
                raise unknown_name(function, error) from None
            return None
        if not (hasattr(view, TYPED) or is_typed(signature, coverage)):
            return None
        plan = self._plans.get((endpoint, function))
        if plan is None:
            plan = self._plans[endpoint, function] = self._plan(endpoint, signature)
        return plan

    def _signature(self, function: Function, skip: int) -> Signature:
        try:
            return signature_of(function, skip)
        except UnknownName as error:
            raise unknown_name(function, error) from None

    def _plan(self, endpoint: str, signature: Signature) -> Plan:
        limits = limits_of(self.app.config)
        filled = self._coverage_of(endpoint).filled
        inputs = Inputs.of(signature, frozenset(), filled, self.app.type_codecs, limits)
        return Plan(signature, inputs, None, limits.status)

    def _coverage_of(self, endpoint: str) -> Coverage:
        found = self._coverage.get(endpoint)
        if found is None:
            found = self._coverage[endpoint] = self.app.coverage_of(endpoint)
        return found


def limits_of(config: Mapping[str, t.Any]) -> Limits:
    """The settings that typed views depend on.

    :raises ValueError: for a VALIDATION_STATUS that is neither 422 nor 400.
    """
    status: int = config.get("VALIDATION_STATUS", 422)
    if status not in (400, 422):
        raise ValueError(f"VALIDATION_STATUS is {status!r}: it can be 422 or 400.")
    return Limits(config.get("JSON_MAX_DEPTH"), bool(config.get("JSON_ALLOW_NAN", True)), status)
